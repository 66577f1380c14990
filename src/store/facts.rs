//! The ledger facts that belong to each write of a store, as functions of plain values.
//!
//! A store calls the function of a write inside that write's transaction and appends what it returns, in order. Writes
//! without a function here (`claim`, `prolong`, `advance`, `release`, `take_message`, `close`, `prune`, `use_session`, `end_session`, `end_sessions_of`) make no facts.

use std::collections::BTreeMap;

use chrono::{DateTime, SubsecRound as _, Utc};
use uuid::Uuid;

use super::{
    AuditRecord,
    queue::{Decided, Outgoing, Sent},
    reviews::PlannedReview,
    sessions::{Link, SignedIn},
    together::Combined,
};
use crate::{
    digest::sha256,
    ledger::{
        Fact,
        fact::{Delivery, DueRun, OffboardingBegun, Recorded, ReviewEvent, RunName, Terms},
    },
    model::{
        actor::Actor,
        notification::Notification,
        run::{Claim, Gap, Run},
    },
    review::event::Event,
};

/// The fact that comes before the first one of an empty ledger.
pub fn opening(ledger: Uuid) -> Fact {
    Fact::Begun { ledger, version: env!("CARGO_PKG_VERSION").to_owned() }
}

/// `Store::keep`: an audit that belongs to no run.
pub fn keep(audit: &AuditRecord) -> Vec<Fact> {
    vec![recorded(audit, None, Vec::new())]
}

/// `Queue::record`: the audit of a run, with the notifications that report it.
pub fn record(audit: &AuditRecord, run: &Run, notifications: &[Notification]) -> Vec<Fact> {
    let on_record = notifications.iter().filter(|notification| notification.is_on_record());
    vec![recorded(audit, Some(run), on_record.filter_map(|notification| notification.message_id.clone()).collect())]
}

/// `Together::record_share`: the audit of a run, with the messages that will report it.
pub fn record_share(audit: &AuditRecord, run: &Run, messages: &[String]) -> Vec<Fact> {
    vec![recorded(audit, Some(run), messages.to_vec())]
}

/// `Together::combine`: which messages report these runs, whatever was expected when they were recorded.
pub fn combine(combined: &Combined<'_>) -> Vec<Fact> {
    vec![Fact::Combined {
        job: combined.job.to_owned(),
        fire_at: combined.fire_at,
        runs: combined.runs.to_vec(),
        messages: combined.notifications.iter().filter_map(|one| one.message_id.clone()).collect(),
        no_mail_reason: combined.no_mail_reason,
    }]
}

fn recorded(audit: &AuditRecord, run: Option<&Run>, messages: Vec<String>) -> Fact {
    Fact::Recorded(Recorded {
        run: audit.id,
        job: audit.job.clone(),
        workspace: audit.workspace.clone(),
        fire_at: run.map(|run| run.fire_at),
        attempt: run.map(|run| run.attempt).filter(|attempt| *attempt > 1),
        read_from: audit.started_at.trunc_subsecs(3),
        read_to: audit.finished_at.trunc_subsecs(3),
        complete: audit.complete,
        users: audit.users,
        administrators: audit.administrators,
        open_findings: audit.open_findings,
        bag: audit.bag.clone(),
        messages,
        no_mail_reason: audit.no_mail_reason,
        policy_changes: audit.policy_changes.clone(),
    })
}

/// A run that `Queue::decide` has created. A fire time that already had its run creates none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// The fire time.
    pub fire_at: DateTime<Utc>,
    /// The workspace.
    pub workspace: String,
    /// The new run's id.
    pub run: Uuid,
}

/// `Queue::decide`: each fire time with its new runs, then the gap. `planned` is in the order of fire times.
pub fn decide(decided: &Decided<'_>, planned: &[Planned]) -> Vec<Fact> {
    let due = planned.chunk_by(|one, other| one.fire_at == other.fire_at).map(|runs| {
        let run = |planned: &Planned| DueRun { workspace: planned.workspace.clone(), run: planned.run };
        Fact::Due {
            job: decided.job.to_owned(),
            fire_at: runs[0].fire_at,
            by_hand: false,
            runs: runs.iter().map(run).collect(),
        }
    });
    let skipped = decided.gap.map(|gap| {
        let Gap { job, first, last, count, reason } = gap.clone();
        Fact::Skipped { job, first, last, count, reason }
    });
    due.chain(skipped).collect()
}

/// `Queue::take_back`: a cursor that was in the future.
pub fn take_back(job: &str, from: DateTime<Utc>, to: DateTime<Utc>, reason: &str) -> Vec<Fact> {
    vec![Fact::ScheduleTakenBack { job: job.to_owned(), from, to, reason: reason.to_owned() }]
}

/// `Ledger::file_was_cut`.
pub fn file_was_cut(had: u64, found: u64) -> Vec<Fact> {
    vec![Fact::LedgerFileCut { had, found }]
}

/// `Queue::begin_all`: runs on demand, all of one job and moment.
pub fn begin(claims: &[Claim]) -> Vec<Fact> {
    let Some(first) = claims.first() else { return Vec::new() };
    let run = |claim: &Claim| DueRun { workspace: claim.run.workspace.clone(), run: claim.run.id };
    let runs = claims.iter().map(run).collect();
    vec![Fact::Due { job: first.run.job.clone(), fire_at: first.run.fire_at, by_hand: true, runs }]
}

/// `Queue::give_up`.
pub fn give_up(run: &Run, error: &str) -> Vec<Fact> {
    vec![Fact::Failed { run: name(run), error: error.to_owned() }]
}

/// `Queue::retry`.
pub fn retry(run: &Run) -> Vec<Fact> {
    vec![Fact::Retried { run: name(run) }]
}

fn name(run: &Run) -> RunName {
    RunName { run: run.id, job: run.job.clone(), workspace: run.workspace.clone(), fire_at: run.fire_at }
}

/// `Queue::sent`: the end of a delivery that is on record ([`Notification::is_on_record`]).
pub fn sent(outgoing: &Outgoing, outcome: &Sent, answer: &str) -> Vec<Fact> {
    let accepted = match outcome {
        Sent::Accepted => true,
        Sent::GivenUp => false,
        Sent::Again(_) => return Vec::new(),
    };
    let Notification { subject, kind, about, address, message_id, bytes, .. } = &outgoing.notification;
    let (run, review) = (subject.run(), subject.review());
    let (Some(_), Some(message_id)) = (run.or(review), message_id) else { return Vec::new() };
    vec![Fact::Delivery(Delivery {
        run,
        review,
        kind: kind.clone(),
        about: about.clone(),
        recipient: address.clone(),
        message_id: message_id.clone(),
        sha256: sha256(bytes),
        accepted,
        answer: answer.to_owned(),
        kept: outgoing.kept,
    })]
}

/// `Ledger::append`: the facts that say something new. `last` has, for each fact, the last entry of its kind and subject
/// that the ledger holds.
pub fn append(facts: &[Fact], last: &[Option<Fact>]) -> Vec<Fact> {
    let mut new: Vec<Fact> = Vec::new();
    for (fact, last) in facts.iter().zip(last) {
        let same = |earlier: &&Fact| earlier.kind() == fact.kind() && earlier.subject() == fact.subject();
        if new.iter().rev().find(same).or(last.as_ref()) != Some(fact) {
            new.push(fact.clone());
        }
    }
    new
}

/// `Ledger::publish_schedules`: the schedules that are new or changed, then the jobs that are gone. `in_force` has the
/// schedules that the ledger holds.
pub fn publish_schedules(in_force: &BTreeMap<String, Terms>, schedules: &[(String, Terms)]) -> Vec<Fact> {
    let changed = schedules.iter().filter(|(job, terms)| in_force.get(job) != Some(terms));
    let gone = in_force.keys().filter(|job| schedules.iter().all(|(kept, _)| kept != *job));
    let fact = |job: &String, terms: Option<&Terms>| Fact::Schedule { job: job.clone(), terms: terms.cloned() };
    changed.map(|(job, terms)| fact(job, Some(terms))).chain(gone.map(|job| fact(job, None))).collect()
}

/// `Ledger::begin_offboarding`; `None` if one of the later facts begins another removal in the same place. The other users
/// of the same plan do not stand in its way.
pub fn begin_offboarding(begun: &OffboardingBegun, later: &[Fact]) -> Option<Vec<Fact>> {
    let is_rival = |other: &OffboardingBegun| {
        in_one_place(begun, other) && (other.plan != begun.plan || other.leaver.user == begun.leaver.user)
    };
    let is_free = later.iter().all(|fact| !matches!(fact, Fact::OffboardingBegun(other) if is_rival(other)));
    is_free.then(|| vec![Fact::OffboardingBegun(begun.clone())])
}

/// `Reviews::open_review` and `Reviews::change_review`: what happened, as it is.
pub fn review(review: Uuid, events: &[Event]) -> Vec<Fact> {
    events.iter().map(|event| Fact::Review(ReviewEvent { review, event: event.clone() })).collect()
}

/// `Sessions::keep_link`: for whom, and who asked for it.
pub fn keep_link(link: &Link, by: &Actor) -> Vec<Fact> {
    let Link { address, via, valid_until, .. } = link.clone();
    vec![Fact::SignInLink { address, via, valid_until: valid_until.trunc_subsecs(3), by: by.clone() }]
}

/// `Sessions::begin_session`: who, and how. Groups are not on record: decisions do not depend on them.
pub fn begin_session(who: &SignedIn) -> Vec<Fact> {
    let SignedIn { address, via, identity, .. } = who.clone();
    let (issuer, subject) = identity.map(|identity| (identity.issuer, identity.subject)).unzip();
    vec![Fact::SignedIn { address, via, issuer, subject }]
}

/// `Reviews::plan_review`: scheduled times for which no review is opened. One that becomes due is on record when it is opened.
pub fn plan_review(planned: &PlannedReview<'_>) -> Vec<Fact> {
    let skipped = |gap: &Gap| Fact::ReviewSkipped {
        name: planned.name.to_owned(),
        first: gap.first,
        last: gap.last,
        count: gap.count,
        reason: gap.reason.clone(),
    };
    planned.skipped.iter().map(skipped).collect()
}

/// `Reviews::review_not_opened`.
pub fn review_not_opened(name: &str, fire_at: DateTime<Utc>, reason: &str) -> Vec<Fact> {
    vec![Fact::ReviewNotOpened { name: name.to_owned(), fire_at, reason: reason.to_owned() }]
}

/// Whether two removals are in the same place: one workspace, or one organization that two workspaces lead to.
fn in_one_place(one: &OffboardingBegun, other: &OffboardingBegun) -> bool {
    one.workspace == other.workspace || (one.organization.is_some() && one.organization == other.organization)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(fingerprint: &str) -> Fact {
        Fact::Key { fingerprint: Some(fingerprint.into()), signer: None }
    }

    #[test]
    fn only_facts_that_differ_from_the_last_one_are_appended() {
        let facts = [key("a"), key("b"), key("b"), key("a")];
        let held = vec![Some(key("a")); 4];
        assert_eq!(append(&facts, &held), [key("b"), key("a")]);
        assert_eq!(append(&facts[..1], &[None]), [key("a")]);
    }

    #[test]
    fn schedules_are_published_when_they_are_new_changed_or_gone() {
        let terms = |pattern: &str| Terms {
            workspaces: vec!["acme".into()],
            pattern: pattern.into(),
            time_zone: "UTC".into(),
            missed: "latest".into(),
            splay_minutes: None,
        };
        let in_force = BTreeMap::from([
            ("changed".to_owned(), terms("0 8 * * *")),
            ("gone".to_owned(), terms("0 8 * * *")),
            ("same".to_owned(), terms("0 8 * * *")),
        ]);
        let now = [
            ("changed".to_owned(), terms("0 9 * * *")),
            ("new".to_owned(), terms("0 8 * * *")),
            ("same".to_owned(), terms("0 8 * * *")),
        ];
        let fact = |job: &str, terms| Fact::Schedule { job: job.into(), terms };
        assert_eq!(
            publish_schedules(&in_force, &now),
            [fact("changed", Some(terms("0 9 * * *"))), fact("new", Some(terms("0 8 * * *"))), fact("gone", None)]
        );
    }
}
