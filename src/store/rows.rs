//! Rows of a database as plain values, whichever database it is: both adapters have the same tables, columns and encodings.

use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Row as _, postgres::PgRow, sqlite::SqliteRow};
use uuid::Uuid;

use super::{
    AuditRecord, Kept,
    history::{Backlog, MessageRecord},
    queue::{Cursor, Outgoing},
    reviews::ReviewPlan,
    sessions::{Link, SecretDigest, Session},
    together::Combination,
};
use crate::{
    ledger::{Entry, Fact, Head, Line, fact::BagName},
    model::{
        change::Past,
        notification::{Notification, Subject},
        run::{Attempt, Claim, Gap, MessageState, Run, RunState},
        trigger::{Incident, IncidentKind},
    },
    review::{
        event::Event,
        person::Address,
        state::{State, Summary},
    },
};

type Result<T, E = sqlx::Error> = std::result::Result<T, E>;

/// A row whose columns are read by name. Both databases keep text, 64-bit numbers and bytes, and nothing else.
pub(super) trait Columns {
    /// A text.
    fn text(&self, column: &str) -> Result<String>;
    /// A text that may be missing.
    fn text_if_any(&self, column: &str) -> Result<Option<String>>;
    /// A number.
    fn number(&self, column: &str) -> Result<i64>;
    /// A number that may be missing.
    fn number_if_any(&self, column: &str) -> Result<Option<i64>>;
    /// Bytes.
    fn bytes(&self, column: &str) -> Result<Vec<u8>>;
    /// Bytes that may be missing.
    fn bytes_if_any(&self, column: &str) -> Result<Option<Vec<u8>>>;

    /// A moment.
    fn moment(&self, column: &str) -> Result<DateTime<Utc>> {
        self.number(column).map(moment)
    }

    /// A moment that may be missing.
    fn moment_if_any(&self, column: &str) -> Result<Option<DateTime<Utc>>> {
        Ok(self.number_if_any(column)?.map(moment))
    }

    /// A number that is never negative.
    fn count(&self, column: &str) -> Result<u64> {
        self.number(column).map(i64::unsigned_abs)
    }

    /// An id.
    fn id(&self, column: &str) -> Result<Uuid> {
        uuid(&self.bytes(column)?)
    }
}

macro_rules! columns {
    ($row:ty) => {
        impl Columns for $row {
            fn text(&self, column: &str) -> Result<String> {
                self.try_get(column)
            }

            fn text_if_any(&self, column: &str) -> Result<Option<String>> {
                self.try_get(column)
            }

            fn number(&self, column: &str) -> Result<i64> {
                self.try_get(column)
            }

            fn number_if_any(&self, column: &str) -> Result<Option<i64>> {
                self.try_get(column)
            }

            fn bytes(&self, column: &str) -> Result<Vec<u8>> {
                self.try_get(column)
            }

            fn bytes_if_any(&self, column: &str) -> Result<Option<Vec<u8>>> {
                self.try_get(column)
            }
        }
    };
}

columns!(SqliteRow);
columns!(PgRow);

/// A moment as a store writes it.
pub(super) fn millis(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}

/// A moment as a store wrote it.
pub(super) fn moment(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::UNIX_EPOCH)
}

/// A count as a store writes it.
pub(super) fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// An id as a store wrote it.
pub(super) fn uuid(bytes: &[u8]) -> Result<Uuid> {
    Uuid::from_slice(bytes).map_err(|error| sqlx::Error::Decode(error.into()))
}

/// A value as JSON.
pub(super) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| sqlx::Error::Encode(error.into()))
}

/// A value from JSON.
pub(super) fn of_json<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(error.into()))
}

fn unknown(what: &str, value: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("unknown {what} “{value}”").into())
}

pub(super) fn record(row: &impl Columns) -> Result<AuditRecord> {
    let (folder, sha256) = (row.text_if_any("bag_folder")?, row.text_if_any("bag_sha256")?);
    let severities = ["critical", "high", "medium", "low", "info"];
    let mut by_severity = [0; 5];
    let mut known = true;
    for (at, severity) in severities.into_iter().enumerate() {
        match row.number_if_any(severity)? {
            Some(open) => by_severity[at] = open.unsigned_abs(),
            None => known = false,
        }
    }
    Ok(AuditRecord {
        id: row.id("id")?,
        job: row.text_if_any("job")?,
        workspace: row.text("workspace")?,
        started_at: row.moment("started_at")?,
        finished_at: row.moment("finished_at")?,
        complete: row.number("complete")? != 0,
        users: row.count("users")?,
        administrators: row.count("administrators")?,
        open_findings: row.count("open_findings")?,
        by_severity: known.then_some(by_severity),
        bag: folder.zip(sha256).map(|(folder, sha256)| BagName { folder, sha256 }),
        no_mail_reason: None,
        policy_changes: Vec::new(),
    })
}

/// An audit with the parts of its snapshot.
pub(super) fn kept(record: AuditRecord, parts: &[impl Columns]) -> Result<Kept> {
    Ok(Kept { record, parts: parts.iter().map(|row| row.bytes("body")).collect::<Result<_>>()? })
}

pub(super) fn past(row: &impl Columns) -> Result<Past> {
    Ok(Past {
        finished_at: row.moment("finished_at")?,
        administrators: row.count("administrators")?,
        open_findings: row.count("open_findings")?,
    })
}

pub(super) fn cursor(row: &impl Columns) -> Result<Cursor> {
    Ok(Cursor { schedule: row.text("schedule")?, at: row.moment("at")? })
}

pub(super) fn run(row: &impl Columns) -> Result<Run> {
    let state = row.text("state")?;
    Ok(Run {
        id: row.id("id")?,
        job: row.text("job")?,
        workspace: row.text("workspace")?,
        fire_at: row.moment("fire_at")?,
        state: RunState::of_word(&state).ok_or_else(|| unknown("state", &state))?,
        attempt: attempts(row)?,
        started_at: row.moment_if_any("started_at")?,
        finished_at: row.moment_if_any("finished_at")?,
        not_before: row.moment_if_any("not_before")?,
        error: row.text_if_any("error")?,
    })
}

pub(super) fn claim(row: &impl Columns) -> Result<Claim> {
    Ok(Claim { run: run(row)?, fence: row.count("fence")? })
}

fn attempts(row: &impl Columns) -> Result<u32> {
    Ok(u32::try_from(row.number("attempt")?).unwrap_or(u32::MAX))
}

pub(super) fn attempt(row: &impl Columns) -> Result<Attempt> {
    Ok(Attempt {
        began_at: row.moment("began_at")?,
        ended_at: row.moment_if_any("ended_at")?,
        error: row.text_if_any("error")?,
    })
}

pub(super) fn backlog(row: &impl Columns) -> Result<Backlog> {
    Ok(Backlog {
        due: row.count("due")?,
        in_progress: row.count("in_progress")?,
        oldest_due: row.moment_if_any("oldest_due")?,
    })
}

pub(super) fn gap(row: &impl Columns) -> Result<Gap> {
    Ok(Gap {
        job: row.text("job")?,
        first: row.moment("first_at")?,
        last: row.moment("last_at")?,
        count: row.count("count")?,
        reason: row.text("reason")?,
    })
}

pub(super) fn message(row: &impl Columns) -> Result<MessageRecord> {
    let state = row.text("state")?;
    Ok(MessageRecord {
        channel: row.text("channel")?,
        kind: row.text("kind")?,
        address: row.text("address")?,
        message_id: row.text_if_any("message_id")?,
        state: MessageState::of_word(&state).ok_or_else(|| unknown("state", &state))?,
        attempt: attempts(row)?,
        answer: row.text_if_any("answer")?,
        finished_at: row.moment_if_any("finished_at")?,
    })
}

pub(super) fn outgoing(row: &impl Columns) -> Result<Outgoing> {
    let (kind, id) = (row.text("subject_kind")?, row.text("subject_id")?);
    Ok(Outgoing {
        notification: Notification {
            subject: Subject::parse(&kind, &id).ok_or_else(|| unknown("subject", &format!("{kind} {id}")))?,
            channel: row.text("channel")?,
            kind: row.text("kind")?,
            about: row.text("about")?,
            address: row.text("address")?,
            sender: row.text_if_any("sender")?,
            message_id: row.text_if_any("message_id")?,
            bytes: row.bytes("body")?,
        },
        id: row.number("id")?,
        attempt: attempts(row)?,
        created_at: row.moment("created_at")?,
        fence: row.count("fence")?,
        kept: false,
    })
}

pub(super) fn combination(row: &impl Columns) -> Result<Combination> {
    Ok(Combination {
        job: row.text("job")?,
        fire_at: row.moment("fire_at")?,
        terms: row.bytes("terms")?,
        since: row.moment("since")?,
    })
}

pub(super) fn incident(kind: IncidentKind, row: &impl Columns) -> Result<Incident> {
    Ok(Incident {
        kind,
        job: row.text("job")?,
        workspace: row.text_if_any("workspace")?,
        run: row.bytes_if_any("run")?.map(|run| uuid(&run)).transpose()?,
        at: row.moment("at")?,
        detail: match kind {
            IncidentKind::Skipped => skipped(row)?,
            IncidentKind::ClockSetBack => {
                "the schedule is decided up to this time, so nothing is due before it".to_owned()
            }
            _ => row.text("detail")?,
        },
    })
}

fn skipped(row: &impl Columns) -> Result<String> {
    let (count, reason) = (row.number("count")?, row.text("reason")?);
    if count == 1 {
        return Ok(reason);
    }
    let last = row.moment("last_at")?.format("%a %-d %b %Y, %H:%M UTC");
    Ok(format!("nor at {} more scheduled times up to {last}: {reason}", count - 1))
}

pub(super) fn line(row: &impl Columns) -> Result<Line> {
    let (number, sha256) = (row.count("number")?, row.text("sha256")?);
    Ok(Line { head: Head { number, sha256 }, text: row.text("line")? })
}

pub(super) fn entry(line: &str) -> Result<Entry> {
    of_json(line)
}

pub(super) fn fact(line: &str) -> Result<Fact> {
    entry(line).map(|entry| entry.fact)
}

pub(super) fn plan(row: &impl Columns) -> Result<ReviewPlan> {
    Ok(ReviewPlan {
        name: row.text("name")?,
        cursor: cursor(row)?,
        due: row.moment_if_any("due_at")?,
        reason: row.text_if_any("reason")?,
    })
}

pub(super) fn event(row: &impl Columns) -> Result<(DateTime<Utc>, Event)> {
    Ok((row.moment("at")?, of_json(&row.text("body")?)?))
}

pub(super) fn summary(row: &impl Columns) -> Result<Summary> {
    let word = row.text("state")?;
    let small = |column| Ok::<_, sqlx::Error>(u32::try_from(row.number(column)?).unwrap_or(u32::MAX));
    Ok(Summary {
        id: row.id("id")?,
        name: row.text("name")?,
        job: row.text("job")?,
        state: State::of_word(&word).ok_or_else(|| unknown("state", &word))?,
        opened_at: row.moment("opened_at")?,
        due: row.moment("due_at")?,
        items: small("items")?,
        undecided: small("undecided")?,
        unproven: small("unproven")?,
        work_due: row.moment_if_any("work_due")?,
        fire_at: row.moment_if_any("fire_at")?,
        events: row.count("events")?,
    })
}

pub(super) fn link(row: &impl Columns) -> Result<Link> {
    Ok(Link {
        address: Address::of(&row.text("address")?),
        via: of_json(&row.text("body")?)?,
        valid_until: row.moment("valid_until")?,
        used_at: row.moment_if_any("used_at")?,
    })
}

pub(super) fn named_session(row: &impl Columns) -> Result<(SecretDigest, Session)> {
    let id = SecretDigest::from_bytes(&row.bytes("id")?);
    let id = id.ok_or_else(|| sqlx::Error::Decode("the id of a session has another length".into()))?;
    Ok((id, session(row)?))
}

pub(super) fn session(row: &impl Columns) -> Result<Session> {
    Ok(Session {
        who: of_json(&row.text("body")?)?,
        began_at: row.moment("began_at")?,
        seen_at: row.moment("seen_at")?,
    })
}
