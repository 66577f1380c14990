//! Making a one-time link.

use std::collections::BTreeMap;

use chrono::{SubsecRound as _, TimeDelta};
use url::Url;

use super::{
    secret,
    viewer::{Seat, Viewer, people},
};
use crate::{
    clock::Clock,
    model::{actor::Actor, right::Rights},
    review::{event::Via, person::Address},
    store::{
        Database, StoreError,
        sessions::{Link, SecretDigest},
    },
};

/// A link cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The person would see nothing.
    #[error(
        "{0} has no right in the console: name the address in [console.rights], or open a review in which it decides"
    )]
    NoRight(Address),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a link is made with.
#[derive(Clone, Copy)]
pub struct Maker<'a> {
    /// The store.
    pub store: &'a dyn Database,
    /// The clock.
    pub clock: &'a Clock,
    /// Who may do what.
    pub rights: &'a Rights,
}

/// The address of a link. It leads to the page `next` afterwards.
pub fn address_of(origin: &Url, secret: &str, next: Option<&str>) -> Url {
    let mut url = origin.clone();
    url.set_path(&format!("/link/{secret}"));
    if let Some(next) = next {
        url.query_pairs_mut().append_pair("next", next);
    }
    url
}

impl Maker<'_> {
    /// Makes a link for a person who has a right, and gives its secret. Groups are not known here.
    ///
    /// # Errors
    /// [`LinkError`]; then there is no link.
    pub async fn secret(
        &self,
        address: &Address,
        via: Via,
        valid_for: TimeDelta,
        by: &Actor,
    ) -> Result<String, LinkError> {
        let given = self.rights.of(address.as_str(), &[]);
        let seats = seats(self.store, address).await?;
        if Viewer::of(address.clone(), None, given, seats, via).is_none() {
            return Err(LinkError::NoRight(address.clone()));
        }
        let (secret, now) = (secret(), self.clock.now());
        let valid_until = (now + valid_for).trunc_subsecs(3);
        let link = Link { address: address.clone(), via, valid_until, used_at: None };
        self.store.keep_link(SecretDigest::of(&secret), &link, by, now).await?;
        Ok(secret)
    }
}

/// The reviews that a person is part of, of those that are not finished.
async fn seats(store: &dyn Database, address: &Address) -> Result<BTreeMap<uuid::Uuid, Seat>, StoreError> {
    let mut seats = BTreeMap::new();
    for summary in store.unfinished_reviews().await? {
        let review = store.review(summary.id).await?;
        let seat = review.and_then(|review| people(&review).get(address).copied());
        seats.extend(seat.map(|seat| (summary.id, seat)));
    }
    Ok(seats)
}
