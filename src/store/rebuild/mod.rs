//! Restores a store from the ledger beside the evidence and from what the bags have: the inverse of
//! [`facts`](super::facts). The rows are made here and then copied into an empty store as those of another store are, whichever
//! database it is.

mod outbox;
mod reviews;
mod runs;
mod table;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use self::{
    outbox::Outbox,
    reviews::Reviews,
    runs::Runs,
    table::{Restoring, Row, count, text},
};
pub use self::{outbox::Unsent, reviews::LostReview, table::Snapshots};
use super::copy::{Copied, CopyError, TABLES, Tables, copy};
use crate::{
    ledger::{
        Entry, Line,
        fact::{ReviewTerms, Terms},
    },
    review::item::Population,
};

/// The beginning of the name of the evidence, by which a store knows that it is not restored completely.
pub const EVIDENCE: &str = "the evidence ";

/// What the evidence has. Nothing is believed here that was not verified before.
pub struct Sources {
    /// The evidence as users know it.
    pub place: String,
    /// The entries of the ledger, from the first one on.
    pub entries: Vec<(Line, Entry)>,
    /// The open findings of audits by severity, most severe first.
    pub severities: BTreeMap<Uuid, [u64; 5]>,
    /// The snapshots of audits.
    pub snapshots: Box<dyn Snapshots>,
    /// What reviews by people are about.
    pub populations: BTreeMap<Uuid, Population>,
    /// A schedule as a store has it; `None` if it cannot be read.
    pub schedule: fn(&Terms) -> Option<String>,
    /// The same of a review by people.
    pub review_schedule: fn(&ReviewTerms) -> Option<String>,
}

/// A run that is still to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Open {
    /// The job.
    pub job: String,
    /// The workspace.
    pub workspace: String,
    /// When it was due.
    pub fire_at: DateTime<Utc>,
}

/// What was restored, and what could not be.
#[derive(Debug)]
pub struct Restored {
    /// The tables.
    pub tables: Vec<Copied>,
    /// Runs that are due and not done: a daemon does them.
    pub open: Vec<Open>,
    /// Messages of which nobody knows whether they were sent.
    pub unsent: Vec<Unsent>,
    /// Reviews by people that could not be restored.
    pub reviews: Vec<LostReview>,
}

/// Restores a store into an empty one, or goes on with that after an interruption.
///
/// # Errors
/// [`CopyError`]
pub async fn rebuild(sources: Sources, to: &dyn Tables) -> Result<Restored, CopyError> {
    let mut shapes = BTreeMap::new();
    for table in TABLES {
        shapes.insert(table.name, to.columns(table).await?);
    }
    let (mut runs, mut outbox, mut reviews) = (Runs::default(), Outbox::default(), Reviews::default());
    for (_, entry) in &sources.entries {
        runs.follow(entry, sources.schedule);
        outbox.follow(entry);
        reviews.follow(entry, sources.review_schedule);
    }
    let unsent = outbox.close(&mut runs);
    let people = reviews.rows(&sources.populations)?;
    let audits: Vec<Row> = runs.audits(sources.snapshots.audits(), &sources.severities).collect();
    let place = format!("{EVIDENCE}{}", sources.place);
    let mut from = Restoring::new(place.clone(), shapes, sources.snapshots);
    from.add("audit", audits);
    from.add("cursor", runs.cursors());
    from.add("gap", runs.gaps());
    from.add("run", runs.rows());
    from.add("attempt", runs.attempts());
    from.add("ledger", sources.entries.iter().map(|(line, entry)| ledger(line, entry)));
    from.add("notification", outbox.messages(&runs));
    from.add("review", people.reviews);
    from.add("review_event", people.events);
    from.add("review_plan", reviews.plans());
    from.add("combination", outbox.combinations());
    if let Some(column) = from.unknown() {
        return Err(CopyError::Shape(format!("{place} ({column})"), to.place().to_owned()));
    }
    let open = runs.due().map(|(_, run)| Open {
        job: run.job.clone(),
        workspace: run.workspace.clone(),
        fire_at: run.fire_at,
    });
    let open = open.collect();
    let tables = copy(&from, to).await?;
    Ok(Restored { tables, open, unsent, reviews: people.lost })
}

fn ledger(line: &Line, entry: &Entry) -> Row {
    Row::from([
        ("number", count(line.head.number)),
        ("kind", text(entry.fact.kind())),
        ("subject", text(entry.fact.subject())),
        ("sha256", text(&line.head.sha256)),
        ("line", text(&line.text)),
    ])
}
