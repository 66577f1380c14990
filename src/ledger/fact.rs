//! What an entry of the ledger may say.

mod offboarding;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::offboarding::{
    DecidedRemoval, Leaver, OffboardingBegun, OffboardingDeclined, OffboardingEnded, OffboardingPlanned,
};
use super::Head;
pub use crate::model::bag::BagName;
use crate::{
    model::actor::Actor,
    review::{
        event::{Event, Via},
        person::Address,
    },
};

/// Something that happened, or was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// A ledger begins. Nothing earlier is recorded.
    Begun {
        /// The ledger's unique id.
        ledger: Uuid,
        /// The version of rolecall.
        version: String,
    },
    /// From now on a job is due by this schedule.
    Schedule {
        /// The job.
        job: String,
        /// The schedule; `None` if the job was removed.
        terms: Option<Terms>,
    },
    /// A fire time came: it has a run for each workspace.
    Due {
        /// The job.
        job: String,
        /// The fire time.
        fire_at: DateTime<Utc>,
        /// Whether it is on demand and not scheduled.
        by_hand: bool,
        /// The runs.
        runs: Vec<DueRun>,
    },
    /// Fire times without runs.
    Skipped {
        /// The job.
        job: String,
        /// The first.
        first: DateTime<Utc>,
        /// The last.
        last: DateTime<Utc>,
        /// How many.
        count: u64,
        /// Why.
        reason: String,
    },
    /// The schedule of a job was decided up to a time in the future, because a clock was ahead. It is taken back: what was
    /// skipped after `to` was not.
    ScheduleTakenBack {
        /// The job.
        job: String,
        /// Up to when it was decided.
        from: DateTime<Utc>,
        /// Up to when it is decided now.
        to: DateTime<Utc>,
        /// Why.
        reason: String,
    },
    /// A review was made and is kept.
    Recorded(Recorded),
    /// The reviews of one fire time were reported together. This holds, whatever messages their entries named.
    Combined {
        /// The job.
        job: String,
        /// The fire time.
        fire_at: DateTime<Utc>,
        /// The runs whose reviews are reported.
        runs: Vec<Uuid>,
        /// Messages that are to be sent, by their `Message-ID`.
        messages: Vec<String>,
        /// Why there are no messages; `None` if there are some.
        #[serde(rename = "unmailed", default, skip_serializing_if = "Option::is_none")]
        no_mail_reason: Option<NoMailReason>,
    },
    /// A run was given up.
    Failed {
        /// The run.
        #[serde(flatten)]
        run: RunName,
        /// Why.
        error: String,
    },
    /// A failed run, or its refused messages, are tried again on demand.
    Retried {
        /// The run.
        #[serde(flatten)]
        run: RunName,
    },
    /// A message was accepted by a server, or given up.
    Delivery(Delivery),
    /// A bag of a run that was interrupted after it was sealed, and repeated: the bag does not count.
    BagAbandoned {
        /// The run.
        run: Uuid,
        /// The bag.
        bag: BagName,
    },
    /// A bag of a run that failed: the answers of the API until then, and no review.
    BagOfFailure {
        /// The run.
        run: Uuid,
        /// The bag.
        bag: BagName,
    },
    /// A bag was removed after the retention period.
    BagRemoved {
        /// The bag.
        bag: BagName,
        /// How long evidence is kept, in days.
        keep_days: u64,
    },
    /// An authority confirmed that something existed at a time.
    Timestamped(Timestamped),
    /// A bag is stored in an object store that keeps versions: this one is meant, whatever is put in its place later.
    BagStored {
        /// The name of the bag.
        folder: String,
        /// The version of its object.
        version: String,
        /// The SHA-256 of the object.
        sha256: String,
    },
    /// The ledger's file beside the evidence was removed or cut, and was written again from the store.
    LedgerFileCut {
        /// The number of the last entry that it was known to have.
        had: u64,
        /// The number of the last entry that it still had; 0 if none.
        found: u64,
    },
    /// From now on evidence is signed with this key, or not signed.
    Key {
        /// Its fingerprint, as `ssh-keygen -l` shows it; `None` if evidence is not signed.
        fingerprint: Option<String>,
        /// Its line of an `allowed_signers` file; `None` if evidence is not signed.
        signer: Option<String>,
    },
    /// A removal of users was planned; another person may confirm it.
    OffboardingPlanned(OffboardingPlanned),
    /// The person who was asked to confirm a removal refused.
    OffboardingDeclined(OffboardingDeclined),
    /// A user is about to be removed. The outcome follows; if it does not, it is unknown.
    OffboardingBegun(OffboardingBegun),
    /// What became of a removal.
    OffboardingEnded(OffboardingEnded),
    /// Something happened to a review by people.
    Review(ReviewEvent),
    /// A closed review by people is kept as a bag.
    ReviewSealed(ReviewSealed),
    /// From now on a review by people is opened by this schedule.
    ReviewSchedule {
        /// Its name in the configuration.
        name: String,
        /// The schedule; `None` if it has none any more.
        terms: Option<ReviewTerms>,
    },
    /// A review by people that was due could not be opened yet.
    ReviewNotOpened {
        /// Its name in the configuration.
        name: String,
        /// When it was due.
        fire_at: DateTime<Utc>,
        /// Why.
        reason: String,
    },
    /// Scheduled times for which no review by people is opened any more.
    ReviewSkipped {
        /// Its name in the configuration.
        name: String,
        /// The first.
        first: DateTime<Utc>,
        /// The last.
        last: DateTime<Utc>,
        /// How many.
        count: u64,
        /// Why.
        reason: String,
    },
    /// A one-time link was made that signs a person in to the console.
    SignInLink {
        /// The person's address.
        address: Address,
        /// How it reaches the person.
        via: Via,
        /// Until when it can be used.
        valid_until: DateTime<Utc>,
        /// Who asked for it.
        by: Actor,
    },
    /// A person signed in to the console.
    SignedIn {
        /// The person's address.
        address: Address,
        /// How.
        via: Via,
        /// The identity provider; `None` after a link.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        issuer: Option<String>,
        /// How that provider knows the person; `None` after a link.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<String>,
    },
}

/// When a review by people is opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewTerms {
    /// The job whose audits it is about.
    pub job: String,
    /// The cron pattern.
    pub pattern: String,
    /// The IANA time zone that it is in.
    pub time_zone: String,
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The workspaces: each is reviewed at each fire time.
    pub workspaces: Vec<String>,
    /// The cron pattern.
    pub pattern: String,
    /// The IANA time zone that it is in.
    pub time_zone: String,
    /// What happens to missed fire times: `latest`, `all` or `skip`.
    pub missed: String,
    /// The minutes that each fire time is spread over, every workspace at its own place; `None` if all are due at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub splay_minutes: Option<u32>,
}

/// The run of one workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DueRun {
    /// The workspace.
    pub workspace: String,
    /// The run's id.
    pub run: Uuid,
}

/// A run, and the fire time that it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunName {
    /// Its id.
    pub run: Uuid,
    /// The job.
    pub job: String,
    /// The workspace.
    pub workspace: String,
    /// When it was due.
    pub fire_at: DateTime<Utc>,
}

/// A review that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// The run's id, which is also the audit's.
    pub run: Uuid,
    /// The job; `None` for a run on demand without one.
    pub job: Option<String>,
    /// The workspace.
    pub workspace: String,
    /// When it was due; `None` for a run on demand that is not mailed.
    pub fire_at: Option<DateTime<Utc>>,
    /// Which attempt it was, if earlier ones failed or were interrupted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// When the read began.
    pub read_from: DateTime<Utc>,
    /// When the read had ended.
    pub read_to: DateTime<Utc>,
    /// Whether the population was read completely.
    pub complete: bool,
    /// Distinct users.
    pub users: u64,
    /// Active administrators.
    pub administrators: u64,
    /// Open findings.
    pub open_findings: u64,
    /// Its evidence; `None` if none is kept.
    pub bag: Option<BagName>,
    /// Messages that are to be sent, by their `Message-ID`.
    pub messages: Vec<String>,
    /// Why there are no messages; `None` if there are some, and in entries of an older rolecall.
    #[serde(rename = "unmailed", default, skip_serializing_if = "Option::is_none")]
    pub no_mail_reason: Option<NoMailReason>,
    /// How the policy changed since the previous audit of the job and workspace: `max_administrators: 5 → 50`. Empty if it
    /// did not, and in entries of an older rolecall.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policy_changes: Vec<String>,
}

/// Why no mail of a review is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoMailReason {
    /// The configuration names no recipients.
    NoRecipients,
    /// The job's `when` did not apply.
    NothingToTell,
    /// There are recipients, but it was started without mail.
    NotAsked,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The run; `None` if it is about a review by people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Uuid>,
    /// The review by people; `None` if it is about a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Uuid>,
    /// The kind of message.
    pub kind: String,
    /// What tells it apart from others of its kind to the same recipient; empty if there is only one, and in entries of an
    /// older rolecall.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub about: String,
    /// The recipient.
    pub recipient: String,
    /// The `Message-ID`.
    pub message_id: String,
    /// The SHA-256 of the message as it was handed over.
    pub sha256: String,
    /// Whether a server accepted it; if not, it was given up.
    pub accepted: bool,
    /// What the server answered, or what broke.
    pub answer: String,
    /// Whether the message is kept as evidence, in a file named by its digest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
}

/// A third party's proof that something existed at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timestamped {
    /// What existed.
    pub covers: Covers,
    /// The SHA-256 of the file with the authority's answer.
    pub token: String,
    /// The time that the authority says.
    pub time: DateTime<Utc>,
    /// The address of the authority.
    pub authority: String,
    /// The SHA-256 of the trusted certificate that the authority's own leads to.
    pub root: String,
}

/// What a timestamp is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Covers {
    /// A bag: its signature, or its sealed manifest if it is not signed.
    Bag(BagName),
    /// The ledger up to an entry: the signature of its checkpoint, or the checkpoint if it is not signed.
    Ledger(Head),
}

/// Something that happened to a review by people, at the time of the entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewEvent {
    /// The review.
    pub review: Uuid,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// The bag of a closed review by people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewSealed {
    /// The review.
    pub review: Uuid,
    /// The bag.
    pub bag: BagName,
}

impl Fact {
    /// The kind of [`Fact::ReviewSealed`].
    pub const REVIEW_SEALED: &str = "review_sealed";
    /// The kind of [`Fact::Timestamped`].
    pub const TIMESTAMPED: &str = "timestamped";
    /// The subject of a timestamp of the ledger.
    pub const LEDGER: &str = "ledger";
    /// The kind of [`Fact::LedgerFileCut`].
    pub const LEDGER_FILE_CUT: &str = "ledger_file_cut";
    /// The kind of [`Fact::Schedule`].
    pub const SCHEDULE: &str = "schedule";
    /// The kind of [`Fact::ReviewSchedule`].
    pub const REVIEW_SCHEDULE: &str = "review_schedule";
    /// The kind of [`Fact::Review`].
    pub const REVIEW: &str = "review";
    /// The kind of [`Fact::OffboardingPlanned`].
    pub const OFFBOARDING_PLANNED: &str = "offboarding_planned";
    /// The kind of [`Fact::OffboardingDeclined`].
    pub const OFFBOARDING_DECLINED: &str = "offboarding_declined";
    /// The kind of [`Fact::OffboardingBegun`].
    pub const OFFBOARDING_BEGUN: &str = "offboarding_begun";
    /// The kind of [`Fact::OffboardingEnded`].
    pub const OFFBOARDING_ENDED: &str = "offboarding_ended";

    /// The word for its kind, as it stands in the line.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Begun { .. } => "begun",
            Self::Schedule { .. } => Self::SCHEDULE,
            Self::Due { .. } => "due",
            Self::Skipped { .. } => "skipped",
            Self::ScheduleTakenBack { .. } => "schedule_taken_back",
            Self::Recorded(_) => "recorded",
            Self::Combined { .. } => "combined",
            Self::Failed { .. } => "failed",
            Self::Retried { .. } => "retried",
            Self::Delivery(_) => "delivery",
            Self::BagAbandoned { .. } => "bag_abandoned",
            Self::BagOfFailure { .. } => "bag_of_failure",
            Self::BagRemoved { .. } => "bag_removed",
            Self::Timestamped(_) => Self::TIMESTAMPED,
            Self::BagStored { .. } => "bag_stored",
            Self::LedgerFileCut { .. } => Self::LEDGER_FILE_CUT,
            Self::Key { .. } => "key",
            Self::OffboardingPlanned(_) => Self::OFFBOARDING_PLANNED,
            Self::OffboardingDeclined(_) => Self::OFFBOARDING_DECLINED,
            Self::OffboardingBegun(_) => Self::OFFBOARDING_BEGUN,
            Self::OffboardingEnded(_) => Self::OFFBOARDING_ENDED,
            Self::Review(_) => Self::REVIEW,
            Self::ReviewSealed(_) => Self::REVIEW_SEALED,
            Self::ReviewSchedule { .. } => Self::REVIEW_SCHEDULE,
            Self::ReviewNotOpened { .. } => "review_not_opened",
            Self::ReviewSkipped { .. } => "review_skipped",
            Self::SignInLink { .. } => "sign_in_link",
            Self::SignedIn { .. } => "signed_in",
        }
    }

    /// What a later fact of the same kind replaces: the job of a schedule, the folder of a bag or of its timestamp, the user of an offboarding;
    /// empty if all facts of a kind have the same subject.
    pub fn subject(&self) -> Cow<'_, str> {
        match self {
            Self::Schedule { job, .. } => job.into(),
            Self::BagAbandoned { bag, .. } | Self::BagOfFailure { bag, .. } | Self::BagRemoved { bag, .. } => {
                (&bag.folder).into()
            }
            Self::Timestamped(Timestamped { covers: Covers::Bag(bag), .. }) => (&bag.folder).into(),
            Self::Timestamped(Timestamped { covers: Covers::Ledger(_), .. }) => Self::LEDGER.into(),
            Self::BagStored { folder, .. } => folder.into(),
            Self::OffboardingPlanned(planned) => planned.plan.to_string().into(),
            Self::OffboardingDeclined(declined) => (&declined.user).into(),
            Self::OffboardingBegun(begun) => (&begun.leaver.user).into(),
            Self::OffboardingEnded(ended) => (&ended.user).into(),
            Self::Review(told) => told.review.to_string().into(),
            Self::ReviewSealed(sealed) => sealed.review.to_string().into(),
            Self::ReviewSchedule { name, .. }
            | Self::ReviewNotOpened { name, .. }
            | Self::ReviewSkipped { name, .. } => name.into(),
            Self::SignInLink { address, .. } | Self::SignedIn { address, .. } => address.as_str().into(),
            _ => "".into(),
        }
    }
}
