//! Each fault that the simulator can produce, and how a read by a connector of each kind ends under it.

use futures::{StreamExt as _, stream};

use super::{
    ends::{End, end},
    subject::{ids, outcome, read, secrets, simulator},
};
use crate::{
    connector::ConnectorError,
    model::{directory::Directory, kind::ConnectorKind, reading::CheckOutcome},
};
use rolecall_simulator::{Fault, Simulator, World};

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

fn users(simulator: &Simulator) -> Vec<String> {
    sorted(simulator.world().read(World::user_ids))
}

#[tokio::test]
async fn a_read_ends_under_each_fault_as_it_must() {
    let cases = ConnectorKind::ALL.into_iter().flat_map(|kind| Fault::ALL.iter().map(move |fault| (kind, *fault)));
    // Several at a time: some of them wait.
    let ends = stream::iter(cases).map(async |(kind, fault)| (kind, fault, problem(kind, fault).await));
    let ends: Vec<_> = ends.buffer_unordered(4).collect().await;
    let wrong = ends.into_iter().filter_map(|(kind, fault, problem)| Some(format!("{kind}, {fault}: {}", problem?)));
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with a read under a fault.
async fn problem(kind: ConnectorKind, fault: Fault) -> Option<String> {
    let simulator = simulator(450);
    let before = users(&simulator);
    simulator.set_faults([fault]);
    match read(kind, &simulator).await {
        Ok(directory) => unexpected(&end(kind, fault), &directory, &before, &users(&simulator)),
        Err(error) => misses(&end(kind, fault), &error).or_else(|| badly_reported(&error, &simulator)),
    }
}

/// What is wrong with a read that must end so; `before` and `after` are the users when it began and when it ended.
fn unexpected(end: &End, directory: &Directory, before: &[String], after: &[String]) -> Option<String> {
    let reading = &directory.reading;
    let found = sorted(ids(directory));
    let is_right = match end {
        End::Whole => reading.is_complete() && (reading.attempts, reading.retries) == (1, 0) && found == before,
        End::AfterRetries => reading.is_complete() && reading.retries > 0 && found == before,
        End::Repaired(kind) => {
            let is_repaired = matches!(outcome(directory, *kind), CheckOutcome::Repaired { .. });
            reading.is_complete() && is_repaired && reading.attempts == 2 && found == after
        }
        End::Incomplete(kind) => {
            let disagrees = matches!(outcome(directory, *kind), CheckOutcome::Disagreed { .. });
            !reading.is_complete() && disagrees && reading.attempts == 3
        }
        End::NotEvaluated(kind) => {
            reading.is_complete() && matches!(outcome(directory, *kind), CheckOutcome::NotEvaluated { .. })
        }
        End::Unnoticed => reading.is_complete() && found != before,
        End::Fails(_) => false,
    };
    let checks: Vec<_> = reading.checks.iter().filter(|check| !check.outcome.detail().is_empty()).collect();
    (!is_right).then(|| format!("{} reads, {} retries, {checks:?}", reading.attempts, reading.retries))
}

/// What an error does not say that it must.
fn misses(end: &End, error: &ConnectorError) -> Option<String> {
    let End::Fails(words) = end else { return Some(error.to_string()) };
    let text = error.to_string();
    let missing: Vec<_> = words.iter().filter(|word| !text.contains(**word)).collect();
    (!missing.is_empty()).then(|| format!("{missing:?} not in “{text}”"))
}

/// What is wrong with any error of this kind: a secret in it, or no word on what to do about a cause that stays.
fn badly_reported(error: &ConnectorError, simulator: &Simulator) -> Option<String> {
    let text = format!("{error} {error:?}");
    if secrets(simulator).iter().any(|secret| text.contains(secret)) {
        return Some(format!("a secret in {text}"));
    }
    (!error.is_transient() && error.remedy.is_empty()).then(|| format!("no remedy: {error}"))
}
