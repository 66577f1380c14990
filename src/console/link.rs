//! Making a one-time link.

use std::collections::BTreeMap;

use chrono::SubsecRound as _;
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
        sessions::{LINK, Link, SecretDigest},
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
    /// The address that people open.
    pub origin: &'a Url,
}

impl Maker<'_> {
    /// Makes a link for a person who has a right, and gives its address. Groups are not known here.
    ///
    /// # Errors
    /// [`LinkError`]; then there is no link.
    pub async fn link(&self, address: &Address, via: Via, by: &Actor) -> Result<Url, LinkError> {
        let given = self.rights.of(address.as_str(), &[]);
        let seats = seats(self.store, address).await?;
        if Viewer::of(address.clone(), None, given, seats, via).is_none() {
            return Err(LinkError::NoRight(address.clone()));
        }
        let (secret, now) = (secret(), self.clock.now());
        let valid_until = (now + LINK).trunc_subsecs(3);
        let link = Link { address: address.clone(), via, valid_until, used_at: None };
        self.store.keep_link(SecretDigest::of(&secret), &link, by, now).await?;
        let mut url = self.origin.clone();
        url.set_path(&format!("/link/{secret}"));
        Ok(url)
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
