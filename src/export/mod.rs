//! An export: one zip with the evidence of a period, for an auditor.

mod again;
mod bag;
pub mod certificate;
pub mod exchange;
pub mod pseudonymised;
mod remediation;
pub mod sample;
mod texts;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Duration, NaiveTime, Utc};

use self::texts::Texts;
pub use self::{
    again::{Remade, check},
    pseudonymised::Mapping,
};
use crate::{
    coverage::{self, Coverage, Question},
    evidence::{
        attestation::Attestation,
        consistency::ConsistencyReport,
        export::{self, Source},
        inventory,
        key::SigningKey,
        ledger::{Checkpoint, LEDGER},
        mail,
        period::{PERIOD, Period, Stated},
        source,
        storage::Storage,
        timestamps,
    },
    ledger::{Entry, Fact},
};

/// A review that is recorded later than this after its scheduled time is late.
const LATE_AFTER: Duration = Duration::hours(24);

/// An export cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is nothing to export.
    #[error("there is no evidence to export yet")]
    Nothing,
    /// The evidence was changed.
    #[error("the evidence has been changed and is not exported: {what}. `rolecall evidence verify` lists all problems")]
    Unsound {
        /// The first problem.
        what: String,
    },
    /// The evidence cannot be read.
    #[error("{place} cannot be read: {source}")]
    Unreadable {
        /// Where it is.
        place: String,
        /// The cause.
        source: io::Error,
    },
    /// A text cannot be written, which is a defect of rolecall.
    #[error("the export cannot be made: {0}")]
    Text(String),
    /// A text would still name somebody.
    #[error(
        "the export is not written: {file} would still name somebody ({pseudonym}) whose name cannot be replaced. This is a defect of rolecall; report it without the file"
    )]
    NameLeft {
        /// The file.
        file: String,
        /// The pseudonym of that person.
        pseudonym: String,
    },
    /// The file cannot be written.
    #[error("{path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// An export that is ready to be written.
#[derive(Debug)]
pub struct Export {
    /// The name of its folder, and of its file without the ending.
    pub name: String,
    /// How many bags are in it.
    pub bags: usize,
    /// How many reviews were due.
    pub due: usize,
    /// How many of them are gaps.
    pub gaps: usize,
    /// What the person who exports should know.
    pub notes: Vec<String>,
    period: Period,
    contents: Vec<(String, Source)>,
}

impl Export {
    /// Collects the evidence of a period, which must be sound. `is_signed` says whether the export will be signed, `made_by`
    /// names the program.
    ///
    /// # Errors
    /// [`ExportError`]
    pub fn of(
        storage: &dyn Storage,
        found: &ConsistencyReport,
        period: Period,
        is_signed: bool,
        made_by: &str,
        now: DateTime<Utc>,
    ) -> Result<Self, ExportError> {
        let notes = sound(storage, found, period)?;
        let last = covered_entries(&found.attestation)?.last().map(|last| last.at);
        let known_at = known_at(last, period.to, now);
        let stated = Stated { period, known_at: Some(known_at), made_by: Some(made_by.to_owned()) };
        let bags = inventory::digests(storage).map_err(unreadable(storage, ""))?;
        let mut export = Self::made(storage, found, &stated, &bags, is_signed, known_at)?;
        export.notes = notes;
        export.notes.extend(found.attestation.rest().map(|rest| format!("{rest}; not exported")));
        Ok(export)
    }

    /// Makes an export from evidence that is sound. `there` are the bags that are there, by folder, with their digests.
    fn made(
        storage: &dyn Storage,
        found: &ConsistencyReport,
        stated: &Stated,
        there: &BTreeMap<String, String>,
        is_signed: bool,
        known_at: DateTime<Utc>,
    ) -> Result<Self, ExportError> {
        let (attestation, period) = (&found.attestation, stated.period);
        let checkpoint = attestation.checkpoint.as_ref().ok_or(ExportError::Nothing)?;
        let entries = covered_entries(attestation)?;
        let foreign = source::all_foreign(storage).map_err(unreadable(storage, ""))?;
        let question = Question {
            from: period.from,
            to: period.to,
            job: None,
            late_after: LATE_AFTER,
            now: known_at,
            bags: Some(there),
            foreign: &foreign,
        };
        let mut answer = Coverage::of(entries.iter().copied(), &question);
        answer.remarks.push(format!("{}.", signed(attestation)));
        let bags = bags(&entries, period, &answer, found)?;
        let (due, gaps) = (answer.due(), answer.gaps().count());

        let mut contents = Vec::new();
        let mut text = |name: &str, text: Vec<u8>| contents.push((name.to_owned(), Source::Text(text)));
        let covered = coverage::files(&answer, &question, &checkpoint.head).map_err(defect)?;
        let decisions = covered.iter().any(|(name, _)| *name == coverage::DECISIONS);
        for (name, content) in covered {
            text(name, content);
        }
        let proven = remediation::tables(storage, &entries, &bags).map_err(unreadable(storage, ""))?;
        for (name, content) in proven {
            text(&name, content);
        }
        text(PERIOD, (serde_json::to_string(&stated).map_err(defect)? + "\n").into_bytes());
        text("allowed_signers", keys(&entries).into_bytes());
        text(LEDGER, ledger(storage, checkpoint).map_err(unreadable(storage, LEDGER))?);
        text(&checkpoint.name, checkpoint.text.clone());
        if let Some(signature) = &checkpoint.signature {
            text(&checkpoint.signature_name(), signature.clone());
        }
        let foreign = foreign.into_iter().filter(|(bag, _)| bags.contains(bag)).map(|(_, address)| address).collect();
        let here = bags.iter().map(String::as_str).collect();
        let stamps = timestamps::named(entries.iter().copied(), &here, Some(period));
        let timestamps = stamps.len();
        let checkpoint = &*checkpoint.name;
        let texts = Texts { period, due, gaps, bags: &bags, foreign, checkpoint, decisions, is_signed, timestamps };
        text("README.txt", texts.readme().map_err(defect)?.into_bytes());
        text("verify.sh", texts.script().map_err(defect)?.into_bytes());
        contents.extend(mail::named(entries.iter().copied(), Some(period)).into_keys().map(|sha256| {
            let key = mail::key(sha256);
            (key.clone(), Source::Object(key))
        }));
        let keys = timestamps::keys(storage, &stamps).map_err(unreadable(storage, timestamps::FOLDER))?;
        contents.extend(keys.into_iter().map(|key| (key.clone(), Source::Object(key))));
        contents.extend(bags.iter().map(|bag| (bag.clone(), Source::Folder(bag.clone()))));
        let (first, last) = period.days();
        let name = format!("evidence_{first}_{last}");
        Ok(Self { name, bags: bags.len(), due, gaps, notes: Vec::new(), period, contents })
    }

    /// Writes the zip, whole or not at all.
    ///
    /// # Errors
    /// [`ExportError::Write`], also if the file exists.
    pub fn write(&self, storage: &dyn Storage, path: &Path, key: Option<&SigningKey>) -> Result<(), ExportError> {
        let written = export::write(storage, path, &self.name, &self.contents, key);
        written.map_err(|source| ExportError::Write { path: path.to_owned(), source })
    }
}

/// What the verified entries of a ledger cover, and who signed them.
pub fn covered(attestation: &Attestation, question: &Question<'_>) -> Coverage {
    let mut coverage = Coverage::of(attestation.verified(), question);
    let rest = attestation.rest().map(|rest| format!("; {rest}")).unwrap_or_default();
    coverage.remarks.push(format!("{}{rest}.", signed(attestation)));
    coverage
}

fn signed(attestation: &Attestation) -> String {
    match &attestation.signed {
        Some(signed) => format!("The ledger is {signed}"),
        None => "The ledger is not signed".to_owned(),
    }
}

/// The entries that an export has: those up to its checkpoint.
fn covered_entries(attestation: &Attestation) -> Result<Vec<&Entry>, ExportError> {
    let checkpoint = attestation.checkpoint.as_ref().ok_or(ExportError::Nothing)?;
    Ok(attestation.verified().take_while(|entry| entry.number <= checkpoint.head.number).collect())
}

fn unreadable(storage: &dyn Storage, key: &str) -> impl FnOnce(io::Error) -> ExportError {
    let place = storage.place(key);
    move |source| ExportError::Unreadable { place, source }
}

fn defect(error: impl std::fmt::Display) -> ExportError {
    ExportError::Text(error.to_string())
}

/// Until when an export covers a period that ends with `to`. What is found out later does not change a period that is over:
/// the same evidence gives the same export. In a period that is not over it is the time of the ledger's last entry, but
/// not before today: an audit that was not made leaves no entry, and is a gap too.
fn known_at(last: Option<DateTime<Utc>>, to: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
    let today = now.date_naive().and_time(NaiveTime::MIN).and_utc();
    last.map_or(today, |last| last.max(today)).min(to + LATE_AFTER)
}

/// Checks that the exported evidence is sound. Returns notes about damaged bags of other periods.
fn sound(storage: &dyn Storage, found: &ConsistencyReport, period: Period) -> Result<Vec<String>, ExportError> {
    let is_asked = |due: Option<DateTime<Utc>>| due.is_some_and(|due| period.contains(due));
    let broken = found.bags.iter().filter(|bag| !bag.is_sound()).map(|bag| (storage.place(&bag.folder), bag.due));
    let missing = found.missing.iter().map(|missing| (storage.place(&missing.folder), missing.due));
    let (inside, outside): (Vec<_>, Vec<_>) = broken.chain(missing).partition(|(_, due)| is_asked(*due));
    if let Some(what) = found.problems.first().or(inside.first().map(|(bag, _)| bag)) {
        return Err(ExportError::Unsound { what: what.clone() });
    }
    let note = |(bag, _)| format!("{bag} has been changed; it is not of this period and not exported");
    Ok(outside.into_iter().map(note).collect())
}

/// The ledger up to a checkpoint; what follows is not signed.
fn ledger(storage: &dyn Storage, checkpoint: &Checkpoint) -> io::Result<Vec<u8>> {
    let bytes = storage.read_from(LEDGER, 0)?;
    let lines = usize::try_from(checkpoint.head.number).unwrap_or(usize::MAX);
    Ok(bytes.split_inclusive(|byte| *byte == b'\n').take(lines).flatten().copied().collect())
}

/// The bags of the reviews of a period that are still kept, and those that its coverage names beside them: a review that
/// caught up on a scheduled time may have been made after the period.
fn bags(
    entries: &[&Entry],
    period: Period,
    answer: &Coverage,
    found: &ConsistencyReport,
) -> Result<BTreeSet<String>, ExportError> {
    let mut bags = BTreeSet::new();
    for entry in entries {
        match &entry.fact {
            Fact::Recorded(recorded) if period.holds(recorded) => {
                bags.extend(recorded.bag.as_ref().map(|bag| bag.folder.clone()));
            }
            Fact::BagOfFailure { bag, .. } if period.contains(entry.at) => {
                bags.insert(bag.folder.clone());
            }
            Fact::ReviewSealed(sealed) if period.contains(entry.at) => {
                bags.insert(sealed.bag.folder.clone());
            }
            _ => {}
        }
    }
    for row in &answer.rows {
        let review = row.review.as_ref().and_then(|review| review.bag.as_ref());
        for bag in review.into_iter().chain(&row.failures) {
            let Some(there) = found.bags.iter().find(|there| there.folder == bag.folder) else { continue };
            if !there.is_sound() {
                return Err(ExportError::Unsound { what: there.folder.clone() });
            }
            bags.insert(bag.folder.clone());
        }
    }
    for entry in entries {
        if let Fact::BagRemoved { bag, .. } = &entry.fact {
            bags.remove(&bag.folder);
        }
    }
    Ok(bags)
}

/// The keys that the ledger names, as an `allowed_signers` file.
fn keys(entries: &[&Entry]) -> String {
    let mut keys = String::new();
    for entry in entries {
        if let Fact::Key { signer: Some(signer), .. } = &entry.fact
            && !keys.lines().any(|line| line == signer)
        {
            keys = keys + signer + "\n";
        }
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_same_evidence_on_the_same_day_is_the_same_export_and_silence_does_not_end_it() {
        let to = time("2026-04-01T00:00:00Z");
        let at = |last: &str, now: &str| known_at(Some(time(last)), to, time(now)).to_rfc3339();
        assert_eq!(at("2026-03-09T08:00:01Z", "2026-03-09T09:10:11Z"), "2026-03-09T08:00:01+00:00");
        assert_eq!(at("2026-03-09T08:00:01Z", "2026-03-09T23:59:59Z"), "2026-03-09T08:00:01+00:00");
        // Two reviews that nobody made since.
        assert_eq!(at("2026-03-09T08:00:01Z", "2026-03-25T10:00:00Z"), "2026-03-25T00:00:00+00:00");
        for now in ["2026-04-02T00:00:00Z", "2026-11-25T10:00:00Z"] {
            assert_eq!(at("2026-03-30T08:00:01Z", now), "2026-04-02T00:00:00+00:00");
        }
        assert_eq!(at("2026-11-25T08:00:01Z", "2026-11-25T10:00:00Z"), "2026-04-02T00:00:00+00:00");
    }
}
