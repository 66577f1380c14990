//! Why nobody is removed.

use crate::{connector::ConnectorError, lookup::LookupError, store::StoreError};

/// Why nobody is removed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Whom is not clear.
    #[error(transparent)]
    Whom(#[from] LookupError),
    /// The same user is named twice.
    #[error("{0} is named more than once; nobody was removed")]
    Twice(String),
    /// It is whoever the credentials belong to.
    #[error(
        "{0} is the user in whose name rolecall works; removing it would lock rolecall out. Use the credentials of somebody else; nobody was removed"
    )]
    Oneself(String),
    /// It is the organization's primary contact.
    #[error(
        "{0} is the organization's primary contact, whom the vendor does not let go. Make somebody else the primary contact first; nobody was removed"
    )]
    PrimaryContact(String),
    /// The organization does not tell who its primary contact is.
    #[error(
        "the organization does not tell who its primary contact is, so that nobody can be shown not to be it; nobody was removed"
    )]
    UnknownPrimary,
    /// Nobody could administer the workspace any more.
    #[error(
        "{0} is the last active administrator: nobody could let anybody in again. Make somebody else an administrator first; nobody was removed"
    )]
    LastAdministrator(String),
    /// The credentials belong to another organization.
    #[error("the credentials belong to {found}, and not to {expected}; nobody was removed")]
    AnotherOrganization {
        /// What was expected.
        expected: String,
        /// What is there.
        found: String,
    },
    /// Nobody can be called an administrator.
    #[error(
        "none of `policy.administrator_profiles` ({0}) is a profile of this workspace, so that the last administrator cannot be told; nobody was removed"
    )]
    NoAdministratorProfile(String),
    /// The workspace was not read completely.
    #[error(
        "the workspace could not be read completely ({detail}), so that the last administrator cannot be told; try again. Nobody was removed"
    )]
    Incomplete {
        /// What disagrees.
        detail: String,
    },
    /// The pre-flight check failed.
    #[error("the pre-flight check failed: {0}. `rolecall preflight` shows all of it; nobody was removed")]
    Preflight(String),
    /// Nobody confirmed it.
    #[error("not confirmed: what was typed is not “{asked}”; nobody was removed")]
    NotConfirmed {
        /// What had to be typed.
        asked: String,
    },
    /// There is no such plan.
    #[error("there is no plan {0}; make one for exactly this user, and use its id. Nobody was removed")]
    NoPlan(String),
    /// The plan is for somebody else.
    #[error(
        "the plan {plan} is not for user {user} of this workspace; make one for exactly this user. Nobody was removed"
    )]
    OtherPlan {
        /// The plan.
        plan: String,
        /// The user.
        user: String,
    },
    /// The plan is too old.
    #[error("the plan {0} is too old; make a new one. Nobody was removed")]
    OldPlan(String),
    /// The plan was used.
    #[error("the plan {0} was used already; make a new one. Nobody was removed now")]
    UsedPlan(String),
    /// Somebody said no to it.
    #[error(
        "somebody was asked about {0} a short time ago and said no; ask them first, and again in ten minutes at the earliest. Nobody was removed"
    )]
    Declined(String),
    /// What was planned is not what is there any more.
    #[error("{0} is not as it was when the plan was made; make a new one. Nobody was removed")]
    Changed(String),
    /// Somebody else is being removed from the same place, or nobody knows how that ended.
    #[error(
        "the removal of {user} from this workspace was begun at {since}, and its end is not on record. Wait until it has ended; where its process died, run it again for that user, which settles it by reading. Nobody was removed"
    )]
    UnderWay {
        /// Who is being removed.
        user: String,
        /// Since when.
        since: String,
    },
    /// The ledger cannot be kept beside the store.
    #[error("the ledger cannot be written out: {0}. What cannot be kept on record is not done; nobody was removed")]
    Unwritten(String),
    /// The workspace could not be read.
    #[error("{0}. Nobody was removed")]
    Read(#[from] ConnectorError),
    /// The store failed.
    #[error("{0}. Nobody was removed")]
    Store(#[from] StoreError),
}

impl Refusal {
    /// One stable word for it, for programs.
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
            Self::UnderWay { .. } => "another_under_way",
            Self::Unwritten(_) => "evidence_failed",
            Self::Read(_) => "workspace_not_read",
            Self::Store(_) => "store_failed",
        }
    }
}
