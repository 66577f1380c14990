//! A notification: what is to be delivered, over which channel, to which address, and what it is about.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

/// What a notification is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// One run of a job for a workspace.
    Run(Uuid),
    /// One fire time of a job, with all its runs.
    FireTime {
        /// The job.
        job: String,
        /// The fire time, in whole milliseconds.
        at: DateTime<Utc>,
    },
    /// A review by people.
    Review(Uuid),
}

impl Subject {
    const RUN: &'static str = "run";
    const FIRE_TIME: &'static str = "fire_time";
    const REVIEW: &'static str = "review";

    /// The kind of subject, as stores write it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Run(_) => Self::RUN,
            Self::FireTime { .. } => Self::FIRE_TIME,
            Self::Review(_) => Self::REVIEW,
        }
    }

    /// Identifies it among others of its kind, as stores write it. [`Subject::parse`] reads it.
    pub fn id(&self) -> String {
        match self {
            Self::Run(id) | Self::Review(id) => id.simple().to_string(),
            Self::FireTime { job, at } => format!("{} {job}", at.to_rfc3339_opts(SecondsFormat::Millis, true)),
        }
    }

    /// The subject with this kind and id; `None` if there is no such kind or the id is malformed.
    pub fn parse(kind: &str, id: &str) -> Option<Self> {
        match kind {
            Self::RUN => Uuid::try_parse(id).ok().map(Self::Run),
            Self::REVIEW => Uuid::try_parse(id).ok().map(Self::Review),
            Self::FIRE_TIME => {
                let (at, job) = id.split_once(' ')?;
                Some(Self::FireTime { job: job.to_owned(), at: at.parse().ok()? })
            }
            _ => None,
        }
    }

    /// The run; `None` if it is about something else.
    pub fn run(&self) -> Option<Uuid> {
        match self {
            Self::Run(run) => Some(*run),
            Self::FireTime { .. } | Self::Review(_) => None,
        }
    }

    /// The review; `None` if it is about something else.
    pub fn review(&self) -> Option<Uuid> {
        match self {
            Self::Review(review) => Some(*review),
            Self::Run(_) | Self::FireTime { .. } => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(run) => write!(f, "run {run}"),
            Self::Review(review) => write!(f, "review {review}"),
            Self::FireTime { job, at } => {
                write!(f, "{job} at {}", at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
            }
        }
    }
}

/// A notification on its way into the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// What it is about.
    pub subject: Subject,
    /// The name of the channel that delivers it: `email`, `heartbeat`.
    pub channel: String,
    /// What it says: `report`, `failure`, `undelivered`; of a heartbeat `success` or `failure`; of a review `invitation`,
    /// `reminder`, `opened`, `overdue`, `escalation`, `not-carried-out`, `summary`, `cancelled`, `undelivered`.
    pub kind: String,
    /// Identifies it among others of its subject, channel, kind and address; empty if there is only one.
    pub about: String,
    /// Where the channel delivers it: a mailbox; of a heartbeat the job, because the ping address is a secret.
    pub address: String,
    /// The sender's address, if the channel has senders.
    pub sender: Option<String>,
    /// The id by which receivers recognise a repetition, if the channel has one: a `Message-ID` with its angle brackets.
    pub message_id: Option<String>,
    /// The whole message, as it is delivered: only the secret of a sign-in link is put into its place when it is sent.
    pub bytes: Vec<u8>,
}

impl Notification {
    /// Whether the ledger and the evidence record its delivery: reports and notices of a run and messages
    /// about a review do, pings do not.
    pub fn is_on_record(&self) -> bool {
        (self.subject.run().is_some() || self.subject.review().is_some()) && self.message_id.is_some()
    }

    /// Whether it replaces earlier ones that still wait for the same channel and address. A ping reports the current state
    /// of a job: an older one that arrives later would be wrong.
    pub fn replaces_earlier(&self) -> bool {
        matches!(self.subject, Subject::FireTime { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_read_back_from_its_kind_and_id() {
        let at = "2026-03-02T07:00:00.250Z".parse().unwrap();
        for subject in [
            Subject::Run(Uuid::from_u128(7)),
            Subject::Review(Uuid::from_u128(7)),
            Subject::FireTime { job: "weekly review".into(), at },
        ] {
            assert_eq!(Subject::parse(subject.kind(), &subject.id()), Some(subject));
        }
        for (kind, id) in [("run", "7"), ("fire_time", "weekly"), ("fire_time", "today weekly"), ("moon", "7")] {
            assert_eq!(Subject::parse(kind, id), None);
        }
    }
}
