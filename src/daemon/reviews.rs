//! Looks after reviews by people: says by mail what is due.

use super::Daemon;
use crate::{
    run::reviews::{ReviewError, messages},
    store::StoreError,
};

impl Daemon {
    /// Puts into the outbox what is due about reviews.
    pub(super) async fn tell_of_reviews(&self) -> Result<(), StoreError> {
        let setup = self.setup();
        let Some(from) = &setup.sender else { return Ok(()) };
        let now = self.now();
        for id in self.store.reviews_to_tell(now).await? {
            let Some(review) = self.store.review(id).await? else { continue };
            match messages::tell(&*self.store, &review, from, now).await {
                Ok(0) => {}
                Ok(messages) => tracing::info!(review = %id, messages, "wrote messages about a review"),
                Err(ReviewError::Store(error)) => return Err(error),
                Err(error) => tracing::error!(review = %id, %error, "messages about a review could not be written"),
            }
        }
        Ok(())
    }
}
