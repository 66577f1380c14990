//! Restores a lost store from the evidence: verifies all of it first, then takes what the bags have of each audit and review.
//! What a store does with that is in [`store::rebuild`](crate::store::rebuild).

mod reviews;
mod snapshots;

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::Arc,
};

use uuid::Uuid;

use self::snapshots::OfEvidence;
use crate::{
    access::matrix::AccessMatrix,
    brief::Brief,
    evidence::{
        consistency::{self, ConsistencyReport},
        ledger::LEDGER,
        sealed,
        signers::Allowed,
        storage::{Storage, read},
    },
    ledger::{
        Entry, Fact, Head, Line,
        fact::{Recorded, ReviewTerms, Terms},
    },
    model::{audit::Audit, bag::BagName, finding::Severity},
    report::json::kept,
    review::open::Terms as Configured,
    schedule::Schedule,
    store::{
        copy::{CopyError, Tables},
        rebuild::{Restored, Sources, rebuild},
        snapshot,
    },
};

/// The report in a bag.
const REPORT: &str = "data/reports/report.json";
/// The word of a finding that counts.
const OPEN: &str = "open";

/// A store cannot be restored.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The evidence cannot be read.
    #[error("{place} cannot be read: {source}")]
    Unreadable {
        /// The evidence.
        place: String,
        /// Why not.
        source: io::Error,
    },
    /// There is no ledger.
    #[error("{0} has no ledger, so there is nothing that a store can be restored from")]
    NoLedger(String),
    /// The ledger is not as it was written.
    #[error(
        "the ledger {place} is not as it was written, so nothing of it is believed: {}. Restore it from a copy; `rolecall evidence verify` says more",
        problems.join("; ")
    )]
    Ledger {
        /// The file.
        place: String,
        /// What is wrong.
        problems: Vec<String>,
    },
    /// The end of the ledger is not signed.
    #[error(
        "{rest}: anybody who can write to {place} may have appended to it. A process that died between two writes leaves such entries, too. To take them all the same, add --accept-unsigned"
    )]
    Unsigned {
        /// The file.
        place: String,
        /// Which entries.
        rest: String,
    },
    /// The store cannot be written.
    #[error(transparent)]
    Copy(#[from] CopyError),
}

/// Makes an audit again from the recorded answers in its bag.
#[async_trait::async_trait]
pub trait Remake: Send + Sync {
    /// The audit of a bag.
    ///
    /// # Errors
    /// Why it cannot be made again, in words.
    async fn audit(&self, folder: &str) -> Result<Audit, String>;
}

/// What a store is restored from.
pub struct Rebuilding<'a> {
    /// The evidence.
    pub storage: Arc<dyn Storage>,
    /// The trusted keys.
    pub allowed: Allowed,
    /// Entries that were recorded elsewhere, such as in a mail.
    pub witnesses: &'a [Head],
    /// Whether entries that nobody signed are taken.
    pub accepts_unsigned: bool,
    /// Makes audits again.
    pub remake: &'a dyn Remake,
    /// The configured reviews by people, to find out who reviews what in one that is not closed.
    pub reviews: &'a BTreeMap<String, Configured>,
}

/// What was restored, and what was not.
#[derive(Debug)]
pub struct RebuildReport {
    /// What the store has now.
    pub restored: Restored,
    /// The last entry of the ledger.
    pub head: Head,
    /// Audits with everything that the store had of them.
    pub snapshots: usize,
    /// Bags that are not as they were sealed, each with what is wrong: nothing of them was taken.
    pub left_out: Vec<(String, Vec<String>)>,
    /// Bags that are missing.
    pub missing: Vec<String>,
    /// Complete audits without what the store had of their accounts, and why.
    pub without_snapshot: Vec<(Uuid, String)>,
    /// Other problems of the evidence, and remarks.
    pub remarks: Vec<String>,
}

impl Rebuilding<'_> {
    /// Verifies the evidence, and restores an empty store from it.
    ///
    /// # Errors
    /// [`RebuildError`]
    pub async fn into_store(self, to: &dyn Tables) -> Result<RebuildReport, RebuildError> {
        let place = self.storage.place("");
        let unreadable = |source| RebuildError::Unreadable { place: place.clone(), source };
        let found = consistency::in_use(&*self.storage, self.allowed.clone(), self.witnesses, &BTreeSet::new(), None);
        let found = found.map_err(unreadable)?;
        self.believe(&found)?;
        let text = read(&*self.storage, LEDGER).map_err(unreadable)?;
        let entries = entries(&found, &String::from_utf8_lossy(&text));
        let is_sound = |folder: &str| found.bags.iter().any(|bag| bag.folder == folder && bag.is_sound());
        let audits: Vec<(&Recorded, Option<&BagName>)> = entries
            .iter()
            .filter_map(|(_, entry)| match &entry.fact {
                Fact::Recorded(recorded) => Some((recorded, recorded.bag.as_ref().filter(|bag| is_sound(&bag.folder)))),
                _ => None,
            })
            .collect();
        let severities = audits.iter().filter_map(|(audit, bag)| Some((audit.run, self.by_severity((*bag)?)?)));
        let severities = severities.collect();
        let (snapshots, without_snapshot) = self.snapshots(&audits).await;
        let populations = reviews::populations(&*self.storage, &entries, &snapshots, self.reviews, &is_sound);
        let count = snapshots.len();
        let sources = Sources {
            place,
            entries,
            severities,
            snapshots: Box::new(snapshots),
            populations,
            schedule: of_job,
            review_schedule: of_review,
        };
        let restored = rebuild(sources, to).await?;
        Ok(report(&found, restored, count, without_snapshot))
    }

    /// Whether the ledger is as it was written and signed.
    fn believe(&self, found: &ConsistencyReport) -> Result<(), RebuildError> {
        let (attestation, place) = (&found.attestation, self.storage.place(LEDGER));
        if attestation.chain.entries.is_empty() && attestation.chain.faults.is_empty() {
            return Err(RebuildError::NoLedger(self.storage.place("")));
        }
        let witnessed = self.witnesses.iter().filter_map(|head| attestation.contradiction(head, "the witness"));
        let problems: Vec<String> = attestation.problems.iter().cloned().chain(witnessed).collect();
        if !problems.is_empty() {
            return Err(RebuildError::Ledger { place, problems });
        }
        match attestation.rest() {
            Some(rest) if !self.accepts_unsigned => Err(RebuildError::Unsigned { place, rest }),
            _ => Ok(()),
        }
    }

    /// The open findings of an audit by severity, as its report has them. `None` if it cannot be read: they are only for
    /// lists.
    fn by_severity(&self, bag: &BagName) -> Option<[u64; 5]> {
        let report = sealed::file(&*self.storage, bag, REPORT).ok()??;
        let mut open = [0; 5];
        for finding in kept::recorded(&report).ok()?.findings {
            let severity = finding.severity.as_deref();
            let at = Severity::ALL.iter().position(|known| Some(known.word()) == severity);
            if let Some(at) = at.filter(|_| finding.status == OPEN) {
                open[at] += 1;
            }
        }
        Some(open)
    }

    /// The snapshots of complete audits: as the bag of the next audit has them, or made again from the answers in their own;
    /// and those that nothing can restore.
    async fn snapshots(&self, audits: &[(&Recorded, Option<&BagName>)]) -> (OfEvidence, Vec<(Uuid, String)>) {
        let mut found = OfEvidence::new(Arc::clone(&self.storage));
        for bag in audits.iter().filter_map(|(_, bag)| *bag) {
            found.look_into(bag);
        }
        found.keep_only(&audits.iter().map(|(audit, _)| audit.run).collect());
        let mut lost = Vec::new();
        for (audit, bag) in audits.iter().filter(|(audit, _)| audit.complete) {
            if found.has(audit.run) {
                continue;
            }
            let Some(bag) = bag else {
                lost.push((audit.run, "it has no bag that is as it was sealed".to_owned()));
                continue;
            };
            let parts = match self.remake.audit(&bag.folder).await {
                Ok(made) => {
                    let matrix = AccessMatrix::of(&made);
                    let parts: Result<Vec<_>, _> =
                        snapshot::parts(&made, &matrix, Brief::of(&made, &matrix).said()).collect();
                    parts.map_err(|error| error.to_string())
                }
                Err(why) => Err(why),
            };
            match parts {
                Ok(parts) => found.add(audit.run, parts),
                Err(why) => lost.push((audit.run, why)),
            }
        }
        (found, lost)
    }
}

/// The lines of a ledger whose chain was checked, each with its entry.
fn entries(found: &ConsistencyReport, text: &str) -> Vec<(Line, Entry)> {
    let lines = text.lines().zip(&found.attestation.chain.entries);
    let line = |(text, (entry, sha256)): (&str, &(Entry, String))| {
        let head = Head { number: entry.number, sha256: sha256.clone() };
        (Line { head, text: text.to_owned() }, entry.clone())
    };
    lines.map(line).collect()
}

fn report(
    found: &ConsistencyReport,
    restored: Restored,
    snapshots: usize,
    without_snapshot: Vec<(Uuid, String)>,
) -> RebuildReport {
    let broken = found.bags.iter().filter(|bag| !bag.is_sound());
    let left_out = broken.map(|bag| {
        let own = bag.found.problems.iter().map(ToString::to_string);
        (bag.folder.clone(), own.chain(bag.problems.iter().cloned()).collect())
    });
    RebuildReport {
        restored,
        head: found.attestation.chain.head(),
        snapshots,
        left_out: left_out.collect(),
        missing: found.missing.iter().map(ToString::to_string).collect(),
        without_snapshot,
        remarks: found.problems.iter().chain(&found.remarks).cloned().collect(),
    }
}

/// The schedule of a job, as a store has it.
fn of_job(terms: &Terms) -> Option<String> {
    Schedule::of_terms(terms, chrono::DateTime::UNIX_EPOCH).map(|schedule| schedule.text())
}

/// The schedule of a review by people, as a store has it.
fn of_review(terms: &ReviewTerms) -> Option<String> {
    let schedule = Schedule::parse(&terms.pattern, terms.time_zone.parse().ok()?, chrono::DateTime::UNIX_EPOCH);
    schedule.ok().map(|schedule| schedule.text())
}
