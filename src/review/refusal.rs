//! Why an event is not applied to a review.

use std::fmt;

use super::{item::ItemId, person::Address};
use crate::words::count;

/// The most items of one batch.
pub const LARGEST_BATCH: usize = 25;

/// The most proposals about one item.
pub const MOST_PROPOSALS: usize = 20;

/// Why an event is refused: one line for each item that it is refused for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Refused(pub Vec<Refusal>);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, refusal) in self.0.iter().enumerate() {
            let end = if at + 1 < self.0.len() { "\n" } else { "" };
            write!(f, "{refusal}{end}")?;
        }
        Ok(())
    }
}

impl From<Why> for Refused {
    fn from(why: Why) -> Self {
        Self(vec![Refusal { item: None, why }])
    }
}

/// One reason, and the item that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The item; `None` if it is about the review as a whole.
    pub item: Option<ItemId>,
    /// Why.
    pub why: Why,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.item {
            Some(item) => write!(f, "item {item}: {}", self.why),
            None => self.why.fmt(f),
        }
    }
}

/// Why something is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The review has ended.
    #[error("the review is {state}; nothing can be decided any more. A correction needs a new review")]
    Ended {
        /// Its state.
        state: &'static str,
    },
    /// There is no such item.
    #[error("the review has no such item; `rolecall review show` lists the items")]
    NoItem,
    /// It is named twice.
    #[error("it is named twice")]
    Twice,
    /// No item is named.
    #[error("no item is named")]
    Nothing,
    /// The item was decided or assigned since.
    #[error("it has changed since you saw it (version {seen}, now {now}); look at it again")]
    Stale {
        /// The version that was seen.
        seen: u32,
        /// The version now.
        now: u32,
    },
    /// It is said to be of another audit.
    #[error("it is of the audit with the bag {expected}, not {seen}")]
    OtherBag {
        /// The bag of the review.
        expected: String,
        /// The bag that was seen.
        seen: String,
    },
    /// The person has no part in the review.
    #[error("{0} is not a reviewer or the owner of this review")]
    Stranger(Address),
    /// Only the owner may do that.
    #[error("only the owner of the review, {owner}, may do that, not {by}")]
    NotTheOwner {
        /// The owner.
        owner: Address,
        /// Who tried.
        by: Address,
    },
    /// Another person decides about the item.
    #[error("{reviewer} decides about it, not {by}; the owner can assign it to another reviewer")]
    NotYours {
        /// The reviewer.
        reviewer: Address,
        /// Who tried.
        by: Address,
    },
    /// It is the person's own account.
    #[error("it is the account of {0}, and nobody decides about their own account")]
    OwnAccount(Address),
    /// Two people would decide about each other.
    #[error(
        "{other} decided about the account of {by}, who therefore does not decide about theirs; assign it to {instead}"
    )]
    EachOther {
        /// The person whose account it is.
        other: Address,
        /// Who tried.
        by: Address,
        /// Who can decide.
        instead: Address,
    },
    /// A reason is required.
    #[error("a reason is required, because {0}")]
    NoReason(&'static str),
    /// The workspace has no such role or profile.
    #[error("the workspace {workspace} has no {target}")]
    NoTarget {
        /// The workspace.
        workspace: String,
        /// The role or profile.
        target: String,
    },
    /// Several roles and profiles have that name.
    #[error("several roles and profiles are named “{0}”; use an id")]
    Ambiguous(String),
    /// The account has it already.
    #[error("it has {0} already; to leave it as it is, decide `keep`")]
    SameTarget(String),
    /// The item already has this reviewer.
    #[error("{0} already decides about it")]
    SameReviewer(Address),
    /// It needs attention of its own.
    #[error("it cannot be decided together with others, because {0}")]
    NotTogether(&'static str),
    /// There are too many.
    #[error("{} at once are too many; decide about at most {LARGEST_BATCH}", count(*.0, "item"))]
    TooMany(usize),
    /// There are too many proposals.
    #[error("it has {MOST_PROPOSALS} proposals already, which are enough; a person has to decide")]
    Proposals,
    /// Something is missing before it can be closed, or attested.
    #[error("{0}")]
    Missing(String),
    /// The next review is not after today.
    #[error("the next review on {0} is not after today")]
    NextReview(chrono::NaiveDate),
    /// What is said to be the result is not.
    #[error("the result is not what is said: {0}")]
    Result(&'static str),
    /// Nothing is to be carried out.
    #[error("nothing is open about it that an audit could show")]
    NothingToProve,
    /// It does not follow from what is on record. Nobody can cause this but who changes records.
    #[error("it contradicts what is on record: {0}")]
    Contradiction(&'static str),
}
