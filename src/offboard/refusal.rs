//! Why nobody is removed: each refusal says what to do about it.

use uuid::Uuid;

use crate::{connector::ConnectorError, lookup::LookupError, store::StoreError};

/// Why nobody is removed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The user is unknown or ambiguous.
    #[error(transparent)]
    Whom(#[from] LookupError),
    /// The same user is named twice.
    #[error("{0} is named more than once; nobody was removed")]
    Twice(String),
    /// The user is the account that the credentials belong to.
    #[error(
        "{0} is the account rolecall signs in with; removing it would lock rolecall out. Use the credentials of another user; nobody was removed"
    )]
    Oneself(String),
    /// The user is the organization's primary contact.
    #[error(
        "{0} is the organization's primary contact, and the vendor does not allow removing the primary contact. Make another user the primary contact first; nobody was removed"
    )]
    PrimaryContact(String),
    /// The API does not report the organization's primary contact.
    #[error(
        "the organization does not report its primary contact, so rolecall cannot rule out that it is this user; nobody was removed"
    )]
    UnknownPrimary,
    /// Nobody could administer the workspace any more.
    #[error(
        "{0} is the last active administrator; without one, nobody could manage users. Make another user an administrator first; nobody was removed"
    )]
    LastAdministrator(String),
    /// The credentials belong to another organization.
    #[error("the credentials belong to {found}; expected {expected}. Nobody was removed")]
    AnotherOrganization {
        /// What was expected.
        expected: String,
        /// What is there.
        found: String,
    },
    /// No administrator profile exists, so administrators cannot be recognised.
    #[error(
        "none of `policy.administrator_profiles` ({0}) is a profile of this workspace, so the last administrator cannot be determined; nobody was removed"
    )]
    NoAdministratorProfile(String),
    /// The workspace was not read completely.
    #[error(
        "the workspace could not be read completely ({detail}), so the last administrator cannot be determined; try again. Nobody was removed"
    )]
    Incomplete {
        /// Which check disagrees, and how.
        detail: String,
    },
    /// The pre-flight check failed.
    #[error("the pre-flight check failed: {0}. `rolecall preflight` shows all of it; nobody was removed")]
    Preflight(String),
    /// Nobody confirmed it.
    #[error("not confirmed: the typed text is not “{asked}”; nobody was removed")]
    NotConfirmed {
        /// What had to be typed.
        asked: String,
    },
    /// There is no such plan.
    #[error("unknown plan {0}; make a plan for exactly this user and use its id. Nobody was removed")]
    NoPlan(String),
    /// The plan is for another user.
    #[error(
        "plan {plan} is not for user {user} of this workspace; make a plan for exactly this user. Nobody was removed"
    )]
    OtherPlan {
        /// The plan.
        plan: String,
        /// The user.
        user: String,
    },
    /// The plan is too old.
    #[error("the plan {0} has expired; make a new one. Nobody was removed")]
    OldPlan(String),
    /// The plan was used.
    #[error("the plan {0} was already used; make a new one. Nobody was removed now")]
    UsedPlan(String),
    /// A person recently declined it.
    #[error(
        "a person was asked to confirm the removal of {0} a short time ago and refused; talk to them, and try again in ten minutes at the earliest. Nobody was removed"
    )]
    Declined(String),
    /// The user changed since the plan was made.
    #[error("{0} changed since the plan was made; make a new one. Nobody was removed")]
    Changed(String),
    /// Who decided may not carry it out.
    #[error(
        "{decided_by} decided in {place} to remove {user}, and another person has to carry it out (`four_eyes`). Nobody was removed"
    )]
    SamePerson {
        /// Who would be removed.
        user: String,
        /// Who decided.
        decided_by: String,
        /// The review and the item.
        place: String,
    },
    /// It is not known who would carry it out.
    #[error(
        "{decided_by} decided in {place} to remove {user}, and another person has to carry it out (`four_eyes`): say who you are, with `rolecall offboard --as ADDRESS`. Nobody was removed"
    )]
    Unnamed {
        /// Who would be removed.
        user: String,
        /// Who decided.
        decided_by: String,
        /// The review and the item.
        place: String,
    },
    /// The review that was named did not decide it.
    #[error(
        "the review {review} has no open decision to remove {user}; `rolecall review work {review}` lists the open ones. Nobody was removed"
    )]
    NotDecided {
        /// Who would be removed.
        user: String,
        /// The review.
        review: Uuid,
    },
    /// Another removal from the same place is in progress, or its outcome is unknown.
    #[error(
        "the removal of {user} from this workspace began at {since}, and its outcome is not recorded. Wait until it has ended; if its process died, run it again for that user to find out. Nobody was removed"
    )]
    UnderWay {
        /// Who is being removed.
        user: String,
        /// Since when.
        since: String,
    },
    /// The ledger cannot be copied out of the store.
    #[error("the ledger's file cannot be written: {0}. Nothing is changed without a record; nobody was removed")]
    Unwritten(String),
    /// The workspace could not be read.
    #[error("{0}. Nobody was removed")]
    Read(#[from] ConnectorError),
    /// The store failed.
    #[error("{0}. Nobody was removed")]
    Store(#[from] StoreError),
}

impl Refusal {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Whom(error) => error.code(),
            Self::Twice(_) => "user_named_twice",
            Self::Oneself(_) => "oneself",
            Self::PrimaryContact(_) | Self::UnknownPrimary => "primary_contact",
            Self::LastAdministrator(_) | Self::NoAdministratorProfile(_) => "last_administrator",
            Self::AnotherOrganization { .. } => "another_organization",
            Self::Incomplete { .. } => "incomplete_read",
            Self::Preflight(_) => "preflight_failed",
            Self::NotConfirmed { .. } => "not_confirmed",
            Self::NoPlan(_) => "no_such_plan",
            Self::OtherPlan { .. } => "plan_for_another_user",
            Self::OldPlan(_) => "plan_expired",
            Self::UsedPlan(_) => "plan_used",
            Self::Declined(_) => "declined",
            Self::Changed(_) => "user_changed",
            Self::SamePerson { .. } => "same_person",
            Self::Unnamed { .. } => "person_not_named",
            Self::NotDecided { .. } => "not_decided",
            Self::UnderWay { .. } => "another_under_way",
            Self::Unwritten(_) => "evidence_failed",
            Self::Read(_) => "workspace_not_read",
            Self::Store(_) => "store_failed",
        }
    }
}
