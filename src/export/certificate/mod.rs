//! The certificate of a read: one page on which an auditor sees that a list of accounts is complete and accurate ("information
//! produced by the entity"), and where each number can be worked out again.
//!
//! It is made from a bag on demand, and not kept in it: whatever it says, the bag says, and the bag is signed. What can be
//! counted is counted again from the files of the bag.

mod counts;
mod page;
mod stated;

use std::io;

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use self::{counts::Counted, stated::Stated};
use crate::{
    evidence::{
        SIGNATURE,
        attestation::Attestation,
        sealed::SealedBag,
        signers::Allowed,
        source,
        storage::{Storage, has, join},
        verify::{self, Problem},
    },
    ledger::{
        Fact,
        fact::{BagName, Covers, Recorded, Timestamped},
    },
};

/// A certificate cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The bag was changed.
    #[error("{place} is not as it was sealed: {problem}")]
    Changed {
        /// The bag.
        place: String,
        /// The first problem.
        problem: String,
    },
    /// It holds no audit: a failed run, or a review by people.
    #[error("{place} has no audit in it: there is no read to certify")]
    NoAudit {
        /// The bag.
        place: String,
    },
    /// A file cannot be read.
    #[error("{place} cannot be read: {source}")]
    Unreadable {
        /// The bag.
        place: String,
        /// The cause.
        source: io::Error,
    },
    /// A template failed, which is a defect of rolecall.
    #[error("the certificate cannot be made: {0}")]
    Template(#[from] askama::Error),
}

/// What is known of the bag beside its own files.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The trusted keys; without any, a signature is not checked.
    pub allowed: &'a Allowed,
    /// The ledger beside the bag; `None` if there is none.
    pub ledger: Option<&'a Attestation>,
}

/// What the ledger says of an audit.
#[derive(Debug)]
struct InLedger {
    entry: u64,
    /// The number and digest of the last entry that is signed, and by whom.
    signed: String,
    /// Recipients whose servers accepted the report.
    delivered: Vec<String>,
    /// When and by whom a third party first proved that the bag existed, as the ledger says. `None` if nobody did.
    proven: Option<String>,
}

/// The page about the bag in a folder of a storage.
///
/// # Errors
/// [`CertificateError`]
pub fn certificate(
    storage: &dyn Storage,
    folder: &str,
    known: Known<'_>,
    now: DateTime<Utc>,
) -> Result<String, CertificateError> {
    let place = || storage.place(folder);
    let unreadable = |source| CertificateError::Unreadable { place: place(), source };
    // Keys that only the ledger names are trusted no more than the ledger.
    let named = known.ledger.filter(|_| !known.allowed.is_empty()).map(|ledger| &ledger.allowed);
    let allowed = named.unwrap_or(known.allowed);
    let found = verify::bag(storage, folder, allowed);
    // Without trusted keys every signature is a problem.
    let is_problem = |problem: &&Problem| !allowed.is_empty() || !matches!(problem, Problem::Signature { .. });
    if let Some(problem) = found.problems.iter().find(is_problem) {
        return Err(CertificateError::Changed { place: place(), problem: problem.to_string() });
    }
    let name = BagName { folder: folder.to_owned(), sha256: found.name.clone().unwrap_or_default() };
    let bag = SealedBag::open(storage, &name).map_err(unreadable)?;
    let stated = Stated::of(&bag).map_err(unreadable)?;
    let stated = stated.ok_or_else(|| CertificateError::NoAudit { place: place() })?;
    let counted = Counted::of(&bag, &stated).map_err(unreadable)?;
    let id = found.info.says("External-Identifier").and_then(|id| id.parse().ok());
    let ledger = known.ledger.and_then(|ledger| in_ledger(ledger, id?, &name));
    let foreign = source::foreign(storage, folder);
    let says = |name: &str| found.info.says(name).map(str::to_owned);
    let about = page::About {
        bag: &bag,
        // A bag may be all that a zip has in it.
        folder: if folder.is_empty() { place() } else { folder.to_owned() },
        stated: &stated,
        counted: &counted,
        says: &says,
        signer: found.signer.as_deref(),
        is_signed: has(storage, &join(folder, SIGNATURE)).map_err(unreadable)?,
        foreign: foreign.as_deref(),
        ledger: ledger.as_ref(),
        now,
    };
    Ok(page::render(&about)?)
}

/// What the verified entries say of the audit in a bag.
fn in_ledger(ledger: &Attestation, run: Uuid, bag: &BagName) -> Option<InLedger> {
    let is_it = |recorded: &Recorded| recorded.run == run && recorded.bag.as_ref() == Some(bag);
    let entry = ledger.verified().find(|entry| matches!(&entry.fact, Fact::Recorded(recorded) if is_it(recorded)))?;
    let Fact::Recorded(recorded) = &entry.fact else { return None };
    let mut messages: Vec<&str> = recorded.messages.iter().map(String::as_str).collect();
    messages.extend(
        ledger
            .verified()
            .filter_map(|entry| match &entry.fact {
                Fact::Combined { runs, messages, .. } if runs.contains(&run) => Some(messages),
                _ => None,
            })
            .flatten()
            .map(String::as_str),
    );
    let delivered = ledger.verified().filter_map(|entry| match &entry.fact {
        Fact::Delivery(one) if one.accepted && messages.contains(&one.message_id.as_str()) => Some(&one.recipient),
        _ => None,
    });
    let signed = match &ledger.signed {
        Some(signed) => signed.to_string(),
        None => "not signed by a key that is trusted here".to_owned(),
    };
    // A timestamp of the ledger covers every bag that an earlier entry names.
    let covers = |timestamped: &Timestamped| match &timestamped.covers {
        Covers::Bag(covered) => covered == bag,
        Covers::Ledger(head) => head.number >= entry.number,
    };
    let stamps = ledger.verified().filter_map(|entry| match &entry.fact {
        Fact::Timestamped(timestamped) if covers(timestamped) => Some(timestamped),
        _ => None,
    });
    let proven = stamps.min_by_key(|timestamped| timestamped.time).map(|first| {
        let time = first.time.to_rfc3339_opts(SecondsFormat::Secs, true);
        format!("{time}, by {}: timestamps/{}.tsr", first.authority, first.token)
    });
    Some(InLedger { entry: entry.number, signed, delivered: delivered.cloned().collect(), proven })
}

/// The folder of the bag of an audit, as the ledger names it; `None` if no entry does.
pub fn bag_of(ledger: &Attestation, audit: Uuid) -> Option<BagName> {
    ledger.verified().chain(ledger.unsigned()).find_map(|entry| match &entry.fact {
        Fact::Recorded(recorded) if recorded.run == audit => recorded.bag.clone(),
        _ => None,
    })
}
