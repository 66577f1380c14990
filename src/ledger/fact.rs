//! What an entry of the ledger may say.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Something that happened, or was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// A ledger begins. What was before is in none.
    Begun {
        /// Which ledger it is: no two have the same.
        ledger: Uuid,
        /// The version of rolecall.
        version: String,
    },
    /// From now on a job is due by this schedule.
    Schedule {
        /// The job.
        job: String,
        /// The schedule; none where there is no such job any more.
        terms: Option<Terms>,
    },
    /// A fire time came, and is a run for each workspace.
    Due {
        /// The job.
        job: String,
        /// The fire time.
        fire_at: DateTime<Utc>,
        /// Whether somebody asked for it outside the schedule.
        by_hand: bool,
        /// The runs.
        runs: Vec<DueRun>,
    },
    /// Fire times that became no runs.
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
    /// A review was made and is kept.
    Recorded(Recorded),
    /// A run was given up.
    Failed {
        /// The run.
        #[serde(flatten)]
        run: RunName,
        /// Why.
        error: String,
    },
    /// A run that had failed is due again, or its refused messages are: somebody asked for it.
    Retried {
        /// The run.
        #[serde(flatten)]
        run: RunName,
    },
    /// A message was accepted by a server, or given up.
    Delivery(Delivery),
    /// A bag of a run that was cut off after it was sealed, and made again: it does not count.
    BagAbandoned {
        /// The run.
        run: Uuid,
        /// The bag.
        bag: BagName,
    },
    /// A bag was removed because it was older than evidence is to be kept.
    BagRemoved {
        /// The bag.
        bag: BagName,
        /// How long evidence is kept, in days.
        keep_days: u64,
    },
    /// From now on evidence is signed with this key.
    Key {
        /// Its fingerprint, as `ssh-keygen -l` shows it.
        fingerprint: String,
        /// Its line of an `allowed_signers` file.
        signer: String,
    },
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
    /// What happens to fire times that nobody could answer in time: `latest`, `all` or `skip`.
    pub missed: String,
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
    /// The job; none where it was asked for by hand without one.
    pub job: Option<String>,
    /// The workspace.
    pub workspace: String,
    /// When it was due; none where it was asked for by hand and not mailed.
    pub fire_at: Option<DateTime<Utc>>,
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
    /// Findings that count.
    pub open_findings: u64,
    /// Its evidence; none where none is kept.
    pub bag: Option<BagName>,
    /// Messages that are to be sent, by their `Message-ID`.
    pub messages: Vec<String>,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The run.
    pub run: Uuid,
    /// The kind of message.
    pub kind: String,
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
}

/// A bag of evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BagName {
    /// The name of its folder.
    pub folder: String,
    /// The SHA-256 of its sealed manifest: there is no other bag with this one.
    pub sha256: String,
}

impl Fact {
    /// The word for its kind, as it stands in the line.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Begun { .. } => "begun",
            Self::Schedule { .. } => "schedule",
            Self::Due { .. } => "due",
            Self::Skipped { .. } => "skipped",
            Self::Recorded(_) => "recorded",
            Self::Failed { .. } => "failed",
            Self::Retried { .. } => "retried",
            Self::Delivery(_) => "delivery",
            Self::BagAbandoned { .. } => "bag_abandoned",
            Self::BagRemoved { .. } => "bag_removed",
            Self::Key { .. } => "key",
        }
    }

    /// What a later fact of the same kind takes the place of: the job of a schedule, the folder of a bag; empty where
    /// all facts of a kind are about the same thing.
    pub fn subject(&self) -> &str {
        match self {
            Self::Schedule { job, .. } => job,
            Self::BagAbandoned { bag, .. } | Self::BagRemoved { bag, .. } => &bag.folder,
            _ => "",
        }
    }
}
