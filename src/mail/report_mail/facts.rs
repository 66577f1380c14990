//! How the data was obtained: what an auditor asks first.

use super::actions::MAX_NAME;
use crate::{
    mail::{
        report_mail::Proof,
        text::{name, one_line},
    },
    model::{
        audit::Audit,
        directory::Directory,
        reading::{CheckOutcome, Reading},
        status::StatusKind,
    },
    words::{count, number},
};

/// What was read, where, with which account, when, and how completely.
pub(super) fn facts(audit: &Audit, proof: &Proof) -> Vec<(&'static str, String)> {
    let directory = &audit.directory;
    let reading = &directory.reading;
    let reader = &directory.current_user;
    let reader = reader.email.as_deref().or(reader.full_name.as_deref()).unwrap_or(reader.id.as_str());
    let due = audit.trigger.as_ref().map(|trigger| ("Due", trigger.sentence()));
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
        ("Users", users(directory)),
        ("Completeness", completeness(reading)),
        ("Not evaluated", "last login and second factor: the API does not give them".to_owned()),
        ("Audit", format!("{}, rolecall {}", audit.id, audit.version)),
    ];
    let bag = proof.bag.as_ref().map(|bag| ("Evidence", format!("{}, sha256 {}", bag.folder, bag.sha256)));
    let ledger = proof.ledger.as_ref().map(|head| ("Ledger", head.to_string()));
    due.into_iter().chain(facts).chain(bag).chain(ledger).collect()
}

/// How many users were read, and how many of them have which status.
fn users(directory: &Directory) -> String {
    let reading = &directory.reading;
    let of_kind = |kind| directory.users.iter().filter(|user| user.status().kind() == kind).count();
    let mut users = format!("{} read on {}", number(reading.users), count(reading.pages, "page"));
    let kinds = [
        (StatusKind::Active, "active"),
        (StatusKind::Inactive, "inactive"),
        (StatusKind::Deleted, "deleted"),
        (StatusKind::Other, "of another status"),
    ];
    let kinds: Vec<String> = kinds
        .into_iter()
        .map(|(kind, word)| (of_kind(kind), word))
        .filter(|(number, _)| *number > 0)
        .map(|(users, word)| format!("{} {word}", number(users)))
        .collect();
    if !kinds.is_empty() {
        users = format!("{users}: {}", kinds.join(", "));
    }
    users
}

/// What the checks of the read say.
fn completeness(reading: &Reading) -> String {
    let outcomes = |word: fn(&CheckOutcome) -> bool| reading.checks.iter().filter(|c| word(&c.outcome)).count();
    let repaired = outcomes(|outcome| matches!(outcome, CheckOutcome::Repaired { .. }));
    let unmade = outcomes(|outcome| matches!(outcome, CheckOutcome::NotEvaluated { .. }));
    let disagree = reading.problems().count();
    let mut completeness = if disagree == 0 {
        format!("{} made, none disagrees", count(reading.checks.len() - unmade, "check"))
    } else {
        format!("INCOMPLETE: {} of {} disagree", disagree, count(reading.checks.len(), "check"))
    };
    if repaired > 0 {
        completeness = format!("{completeness}, {repaired} repaired by reading again");
    }
    if unmade > 0 {
        completeness = format!("{completeness}, {unmade} could not be made");
    }
    completeness
}
