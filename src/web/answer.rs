//! What the status page says is wrong. It names no person: whoever reaches the port can read it.

use chrono::TimeDelta;
use serde::Serialize;

use crate::{
    daemon::{Health, Membership},
    store::{StoreError, history::Backlog},
};

/// The answer of `/readyz`.
#[derive(Serialize)]
pub(super) struct Answer {
    pub(super) ready: bool,
    /// One sentence per problem; empty if ready.
    problems: Vec<String>,
    #[serde(rename = "lapses")]
    incidents: Vec<Incident>,
    /// `None` if the store cannot be read.
    queue: Option<Queue>,
    replica: Replica,
}

/// This daemon among those on its store.
#[derive(Serialize)]
struct Replica {
    name: String,
    runs: usize,
    /// `None` if the store has no clock.
    clock_ahead_seconds: Option<f64>,
    /// How many there are, this one included; `None` if the store does not keep them.
    of: Option<usize>,
}

impl From<Membership> for Replica {
    fn from(membership: Membership) -> Self {
        let Membership { name, replicas, ahead, holds } = membership;
        Self { name, runs: holds, clock_ahead_seconds: ahead.map(TimeDelta::as_seconds_f64), of: replicas }
    }
}

/// The runs that wait or are worked on, by all replicas.
#[derive(Serialize)]
struct Queue {
    due: u64,
    in_progress: u64,
    oldest_due_at: Option<String>,
}

#[derive(Serialize)]
struct Incident {
    kind: &'static str,
    job: String,
    workspace: Option<String>,
    run: Option<String>,
    at: String,
}

impl Answer {
    pub(super) fn of(health: Result<Health, StoreError>, replica: Membership) -> Self {
        let health = match health {
            Ok(health) => health,
            Err(error) => return Self::without_health(error.to_string(), replica),
        };
        let problems = problems(&health);
        let Backlog { due, in_progress, oldest_due } = health.backlog;
        let oldest_due_at = oldest_due.map(|oldest| oldest.to_rfc3339());
        let queue = Some(Queue { due, in_progress, oldest_due_at });
        let incidents = health.incidents.into_iter().map(|incident| Incident {
            kind: incident.kind.word(),
            job: incident.job,
            workspace: incident.workspace,
            run: incident.run.map(|run| run.to_string()),
            at: incident.at.to_rfc3339(),
        });
        Self { ready: problems.is_empty(), problems, incidents: incidents.collect(), queue, replica: replica.into() }
    }

    /// The answer if the store does not tell how the reviews are.
    pub(super) fn without_health(problem: String, replica: Membership) -> Self {
        Self { ready: false, problems: vec![problem], incidents: Vec::new(), queue: None, replica: replica.into() }
    }
}

/// One sentence per problem if the store does not tell how the reviews are: why not, and what the process knows without it.
pub(super) fn problems_without_store(why: String, known: Vec<String>) -> Vec<String> {
    let known = known.into_iter().filter(|problem| *problem != why).collect::<Vec<_>>();
    std::iter::once(why).chain(known).map(|problem| without_addresses(&problem)).collect()
}

/// One sentence per problem.
pub(super) fn problems(health: &Health) -> Vec<String> {
    let stuck = (!health.is_alive).then(|| "the daemon has made no progress recently; see its log".to_owned());
    let sentences = health.incidents.iter().map(|incident| {
        let workspace = incident.workspace.as_ref().map(|workspace| format!(" {workspace}")).unwrap_or_default();
        format!("{}{workspace}: {}", incident.job, incident.sentence())
    });
    let known = health.failure.iter().chain(&health.warnings).cloned();
    stuck.into_iter().chain(known).chain(sentences).map(|problem| without_addresses(&problem)).collect()
}

/// A text without e-mail addresses; `rolecall runs` has them.
fn without_addresses(text: &str) -> String {
    let mask = |word: &str| {
        let end = word.trim_end_matches([':', ',', '.', ';', ')', '>']).len();
        if word.contains('@') { format!("(address){}", &word[end..]) } else { word.to_owned() }
    };
    text.split(' ').map(mask).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_left_out() {
        let text = "weekly acme: not delivered: report to ana@example.com: 550 <bo@example.com> unknown";
        assert_eq!(without_addresses(text), "weekly acme: not delivered: report to (address): 550 (address)> unknown");
    }
}
