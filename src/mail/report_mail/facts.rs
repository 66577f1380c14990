//! How the data was collected: what an auditor asks first.

use super::{Proof, lists::MAX_NAME};
use crate::{
    brief::{Brief, NOT_EXPOSED, roster},
    mail::text::{name, one_line},
    model::{
        audit::Audit,
        reading::{CheckOutcome, Reading},
    },
    words::{count, number},
};

/// What was read, where, with which account, when, and how completely.
pub(super) fn facts(audit: &Audit, brief: &Brief, proof: &Proof) -> Vec<(&'static str, String)> {
    let directory = &audit.directory;
    let reading = &directory.reading;
    let reader = &directory.current_user;
    let reader = reader.email.as_deref().or(reader.full_name.as_deref()).unwrap_or(reader.id.as_str());
    let due = audit.trigger.as_ref().map(|trigger| ("Scheduled", trigger.sentence()));
    let facts = vec![
        ("Source", format!("{}, {}", directory.source.connector, one_line(&directory.source.api_url, MAX_NAME))),
        ("Read with", name(reader, MAX_NAME)),
        (
            "Read at",
            format!(
                "{} to {} UTC",
                reading.started_at.format("%Y-%m-%d %H:%M:%S"),
                reading.finished_at.format("%H:%M:%S")
            ),
        ),
        (
            "Users",
            format!("{}; read on {}", one_line(&brief.counts.population, MAX_NAME * 2), count(reading.pages, "page")),
        ),
        ("Completeness", completeness(reading)),
        ("Not evaluated", NOT_EXPOSED.to_owned()),
        ("Audit", format!("{}, rolecall {}", audit.id, audit.version)),
    ];
    let bag = proof.bag.as_ref().map(|bag| ("Evidence", format!("{}, sha256 {}", bag.folder, bag.sha256)));
    let ledger = proof.ledger.as_ref().map(|head| ("Ledger", head.to_string()));
    let roster = roster(audit).map(|text| ("Roster", one_line(&text, MAX_NAME * 4)));
    let accounts = brief.accounts.as_ref().map(|text| ("Not people", one_line(text, MAX_NAME * 4)));
    due.into_iter().chain(facts).chain(roster).chain(accounts).chain(bag).chain(ledger).collect()
}

/// What the checks of the read say.
fn completeness(reading: &Reading) -> String {
    let outcomes = |word: fn(&CheckOutcome) -> bool| reading.checks.iter().filter(|c| word(&c.outcome)).count();
    let repaired = outcomes(|outcome| matches!(outcome, CheckOutcome::Repaired { .. }));
    let unmade = outcomes(|outcome| matches!(outcome, CheckOutcome::NotEvaluated { .. }));
    let disagree = reading.problems().count();
    let mut completeness = if disagree == 0 {
        format!("{} made, all agree", count(reading.checks.len() - unmade, "check"))
    } else {
        format!("INCOMPLETE: {} of {} disagree", number(disagree), count(reading.checks.len(), "check"))
    };
    if repaired > 0 {
        completeness = format!("{completeness}, {repaired} repaired by reading again");
    }
    if unmade > 0 {
        completeness = format!("{completeness}, {unmade} could not be made");
    }
    completeness
}
