//! Why a call has no answer: what happened, and what the caller can do.

use serde_json::{Value, json};

use super::Question;
use crate::{
    connector::ConnectorError,
    lookup::LookupError,
    model::plain::plain,
    offboard::Refusal,
    preflight::ExpectationError,
    run::{RunError, past::PastError, reviews::ReviewError},
    store::StoreError,
};

/// Characters of a sentence, which may quote the API.
const SENTENCE: usize = 2_000;
/// Characters of a name from a caller.
const NAME: usize = 80;

/// Why a call has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The arguments are not as the schema says.
    #[error("invalid arguments: {0}")]
    Arguments(String),
    /// There is no such tool.
    #[error("unknown tool {}; the tools are: {known}", plain(.name, NAME))]
    NoTool {
        /// What was asked for.
        name: String,
        /// The tools.
        known: String,
    },
    /// There is no such workspace.
    #[error("unknown workspace {name}; the workspaces are: {known}")]
    NoWorkspace {
        /// What was asked for.
        name: String,
        /// The workspaces.
        known: String,
    },
    /// No workspace was named, and there are several.
    #[error("there are several workspaces; name one as `workspace`: {0}")]
    SeveralWorkspaces(String),
    /// There is no such job for this workspace.
    #[error("no job {name} reviews this workspace; those that do: {known}")]
    NoJob {
        /// What was asked for.
        name: String,
        /// The jobs.
        known: String,
    },
    /// No job was named, and there are several.
    #[error("several jobs review this workspace; name one as `job`: {0}")]
    SeveralJobs(String),
    /// There is no such rule.
    #[error("unknown rule {name}; the rules are: {known}")]
    NoRule {
        /// What was asked for.
        name: String,
        /// The rules.
        known: String,
    },
    /// The list changed since the cursor was given.
    #[error("the list changed since this cursor was given, so rows could be missing; start again without `cursor`")]
    StaleCursor,
    /// The requested item does not exist, or did not when the workspace was read.
    #[error("{error}{}", as_read(*.age_seconds))]
    Lookup {
        /// What does not exist.
        error: LookupError,
        /// How long ago the workspace was read.
        age_seconds: u64,
    },
    /// An expectation is invalid.
    #[error(transparent)]
    Expectation(#[from] ExpectationError),
    /// The workspace could not be read.
    #[error("{message}. This attempt was {age_seconds} s ago; the next one is possible in {again_seconds} s")]
    NotRead {
        /// Why not.
        message: String,
        /// How long ago it was tried.
        age_seconds: u64,
        /// When it is tried again.
        again_seconds: u64,
    },
    /// The audit failed.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The workspace could not be asked.
    #[error(transparent)]
    Connector(#[from] ConnectorError),
    /// The credentials do not reach it.
    #[error("the credentials cannot read {0}; the tool `preflight` says why")]
    NotReached(&'static str),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The record could not be written.
    #[error("the record could not be written: {0}")]
    Evidence(String),
    /// This process may not remove users.
    #[error(
        "this server cannot remove users: rolecall was started without --allow-offboarding. A person can run `rolecall offboard`"
    )]
    OffboardingOff,
    /// The workspace does not allow removing users.
    #[error(
        "workspace {0} does not allow offboarding: its configuration does not set `allow_offboarding = true`. Nobody was removed"
    )]
    NotAllowed(String),
    /// This user may not be removed, or not with this plan.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// There is no such review, or it does not take the proposal.
    #[error(transparent)]
    Review(#[from] ReviewError),
    /// What earlier audits saw does not answer the question, or cannot be read.
    #[error(transparent)]
    Past(#[from] PastError),
    /// No audit listed the user.
    #[error("no kept audit of {workspace} listed the user {}; expected an id or an exact address", plain(.user, NAME))]
    NeverListed {
        /// The workspace.
        workspace: String,
        /// Who was asked for.
        user: String,
    },
    /// The person did not agree.
    #[error("the person who was asked declined; nobody was removed. Ask again only if that person says so")]
    Declined,
    /// The person typed something else. What was to be typed is for that person alone.
    #[error("the person who was asked typed something else than the question asks for; nobody was removed. {}", again(*.left))]
    NotConfirmed {
        /// How many more attempts this plan has.
        left: u32,
    },
    /// A person is already being asked.
    #[error("a person is already being asked about this plan; wait for that call. Nobody was removed now")]
    AlreadyAsked,
    /// There is no person to ask.
    #[error("a person has to confirm this, but nobody can be asked: {0}. Nobody was removed")]
    NobodyToAsk(String),
    /// Nothing is wrong: a person is being asked.
    #[error("a person is being asked")]
    Waiting(Box<Question>),
}

impl Problem {
    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Arguments(_) | Self::Expectation(_) => "wrong_arguments",
            Self::NoTool { .. } => "no_such_tool",
            Self::NoWorkspace { .. } | Self::SeveralWorkspaces(_) => "no_such_workspace",
            Self::NoJob { .. } | Self::SeveralJobs(_) => "no_such_job",
            Self::NoRule { .. } => "no_such_rule",
            Self::StaleCursor => "stale_cursor",
            Self::Lookup { error, .. } => error.code(),
            Self::Run(RunError::Store { .. } | RunError::Evidence(_))
            | Self::Store(_)
            | Self::Evidence(_)
            | Self::Review(ReviewError::Store(_))
            | Self::Past(PastError::Store(_)) => "record_failed",
            Self::NotRead { .. } | Self::NotReached(_) | Self::Run(_) | Self::Connector(_) => "workspace_not_read",
            Self::OffboardingOff | Self::NotAllowed(_) => "offboarding_not_allowed",
            Self::Refused(refusal) => refusal.code(),
            Self::Review(ReviewError::Unknown(_)) => "no_such_review",
            Self::Review(_) => "review_refused",
            Self::Past(PastError::Unknown(_)) => "no_such_audit",
            Self::Past(_) => "no_answer",
            Self::NeverListed { .. } => "no_such_user",
            Self::Declined => "declined",
            Self::NotConfirmed { .. } => "not_confirmed",
            Self::AlreadyAsked => "already_asked",
            Self::NobodyToAsk(_) => "nobody_to_ask",
            Self::Waiting(_) => "waiting",
        }
    }

    /// The problem as an answer: `{"error": {"code": …, "message": …}}`.
    pub fn to_json(&self) -> Value {
        json!({ "error": { "code": self.code(), "message": plain(&self.to_string(), SENTENCE) } })
    }
}

/// Whether a plan can still be confirmed.
fn again(left: u32) -> String {
    match left {
        0 => "This plan is withdrawn; make another only if the person you work for says so".to_owned(),
        1 => "This plan can be confirmed once more".to_owned(),
        left => format!("This plan can be confirmed {left} more times"),
    }
}

/// The age of an answer, if the caller may need it.
fn as_read(age_seconds: u64) -> String {
    match age_seconds {
        0 => String::new(),
        age => format!(" (in the workspace as it was read {age} s ago; a later change shows when it is read again)"),
    }
}
