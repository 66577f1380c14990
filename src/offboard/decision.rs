//! Decisions of reviews to remove a user, and who may carry one out.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::refusal::Refusal;
use crate::{
    access::roster::Addresses,
    ledger::fact::DecidedRemoval,
    model::{
        actor::Actor,
        policy::Policy,
        reviewed::{Reviewed, Wanted},
    },
};

/// A decision of a review to remove a user, which no audit has proven yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Decision {
    /// The review's id.
    pub review: Uuid,
    /// Its name in the configuration.
    pub review_name: String,
    /// The number of the item.
    pub item: u32,
    /// Who decided.
    pub decided_by: String,
    /// When.
    pub decided_at: DateTime<Utc>,
    /// Until when an audit has to show it.
    pub due: Option<DateTime<Utc>>,
    /// Whether another person than who decided has to carry it out.
    pub four_eyes: bool,
}

impl Decision {
    /// As the ledger names it.
    pub(super) fn on_record(&self) -> DecidedRemoval {
        DecidedRemoval { review: self.review, item: self.item, decided_by: self.decided_by.clone() }
    }

    fn place(&self) -> String {
        format!("the review “{}” ({}, item {})", self.review_name, self.review, self.item)
    }
}

/// The decisions to remove a user.
pub(super) fn about(reviewed: &Reviewed, user: &str) -> Vec<Decision> {
    let accounts = reviewed.reviews.iter().flat_map(|review| review.accounts.iter().map(move |one| (review, one)));
    let decisions = accounts.filter(|(_, account)| account.user_id == user).filter_map(|(review, account)| {
        let decision = account.decision.as_ref().filter(|decision| decision.wanted == Wanted::Remove)?;
        Some(Decision {
            review: review.review,
            review_name: review.name.clone(),
            item: account.item,
            decided_by: decision.by.clone(),
            decided_at: decision.at,
            due: decision.due,
            four_eyes: review.four_eyes,
        })
    });
    decisions.collect()
}

/// Whether a person may carry a removal out: for a review with `four_eyes`, somebody else has to than who decided. With
/// `review`, that review must have decided it.
///
/// # Errors
/// [`Refusal`]
pub(super) fn may_carry_out(
    (user, decisions): (&str, &[Decision]),
    review: Option<Uuid>,
    by: &Actor,
    policy: &Policy,
) -> Result<(), Refusal> {
    if let Some(review) = review.filter(|review| !decisions.iter().any(|one| one.review == *review)) {
        return Err(Refusal::NotDecided { user: user.to_owned(), review });
    }
    for decision in decisions.iter().filter(|decision| decision.four_eyes) {
        let (user, decided_by, place) = (user.to_owned(), decision.decided_by.clone(), decision.place());
        let Actor::Person { address } = by else { return Err(Refusal::Unnamed { user, decided_by, place }) };
        if is_same(address, &decided_by, policy) {
            return Err(Refusal::SamePerson { user, decided_by, place });
        }
    }
    Ok(())
}

/// Whether two addresses are those of one person, as far as the policy says.
fn is_same(one: &str, other: &str, policy: &Policy) -> bool {
    let key =
        |address: &str| Addresses::of(policy).key(address).map_or_else(|| address.to_lowercase(), Cow::into_owned);
    key(one) == key(other)
}
