//! What must hold after every history.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};
use mailparse::MailHeaderMap as _;
use serde_json::Value;

use super::world::{RECIPIENTS, WORKSPACES, World};
use crate::{
    coverage::{Coverage, NONE_FOREIGN, Question, State},
    ledger::{Entry, Fact, chain, fact::Terms},
    mail::{message::Email, notice::Notice, report_mail::ReportMail},
    model::run::{MessageState, Run, RunState},
    schedule::Schedule,
    store::Database,
};

/// When each workspace of each job was due, by the schedules that the ledger says were in force one after another.
struct Promised(BTreeMap<(String, String), BTreeSet<DateTime<Utc>>>);

impl Promised {
    /// Those after the begin of a history that are decided.
    async fn of(world: &World<impl Database + Clone + 'static>, began: DateTime<Utc>) -> Self {
        let lines = world.store.entries(0, u32::MAX).await.unwrap();
        let entries = lines.iter().map(|line| serde_json::from_str::<Entry>(&line.text).unwrap());
        let mut schedules: BTreeMap<String, Vec<(DateTime<Utc>, Terms)>> = BTreeMap::new();
        for entry in entries {
            if let Fact::Schedule { job, terms } = entry.fact {
                schedules.entry(job).or_default().push((entry.at, terms.unwrap()));
            }
        }
        let mut promised = Self(BTreeMap::new());
        for (job, schedules) in schedules {
            let decided = world.store.cursor(&job).await.unwrap().unwrap().at;
            for (number, (since, terms)) in schedules.iter().enumerate() {
                let until = schedules.get(number + 1).map_or(decided, |(next, _)| decided.min(*next));
                let schedule = Schedule::of_terms(terms, *since).unwrap();
                let times: Vec<_> = schedule.times(began.max(*since)).take_while(|time| *time <= until).collect();
                for workspace in &terms.workspaces {
                    promised.0.entry((job.clone(), workspace.clone())).or_default().extend(&times);
                }
            }
        }
        promised
    }

    /// Those of all workspaces of a job.
    fn of_job(&self, job: &str) -> BTreeSet<DateTime<Utc>> {
        self.0.iter().filter(|((of, _), _)| of == job).flat_map(|(_, times)| times).copied().collect()
    }

    fn jobs(&self) -> BTreeSet<&String> {
        self.0.keys().map(|(job, _)| job).collect()
    }
}

/// The complete reviews of each job and workspace: fire time and id, the oldest first.
type Reviews = BTreeMap<(String, String), Vec<(DateTime<Utc>, String)>>;

/// Checks everything; gives how many runs there were.
pub(super) async fn all(world: &World<impl Database + Clone + 'static>, began: DateTime<Utc>) -> u64 {
    let runs = world.store.runs(u32::MAX).await.unwrap();
    every_fire_time_is_a_run_or_on_record(world, &runs, began).await;
    let mail = Mail::read(&world.shared.post.lock().unwrap());
    let mut last_complete = Reviews::new();
    for run in runs.iter().rev() {
        assert!(matches!(run.state, RunState::Closed | RunState::Failed), "{run:?}");
        assert!(run.finished_at.is_some() && run.started_at.is_some(), "{run:?}");
        let attempts = world.store.attempts(run.id).await.unwrap();
        assert!(attempts.len() >= run.attempt as usize, "{run:?} {attempts:?}");
        assert!(run.attempt <= 10 || run.state == RunState::Failed, "{run:?} {attempts:?}");
        let audit = world.store.audit(run.id).await.unwrap();
        assert_eq!(audit.is_some(), run.state == RunState::Closed, "{run:?}");
        everybody_got_one_message(world, run, &mail).await;
        if let Some(audit) = audit.filter(|audit| audit.complete) {
            let key = (run.job.clone(), run.workspace.clone());
            last_complete.entry(key).or_default().push((run.fire_at, audit.id.to_string()));
        }
    }
    drift_is_against_the_review_before(&runs, &mail, &last_complete);
    the_ledger_tells_the_same(world, &runs, began).await;
    runs.len() as u64
}

/// The chain holds, and the coverage that is worked out from it alone knows what became of each promised fire time.
async fn the_ledger_tells_the_same(world: &World<impl Database + Clone + 'static>, runs: &[Run], began: DateTime<Utc>) {
    let lines = world.store.entries(0, u32::MAX).await.unwrap();
    let text = lines.iter().fold(String::new(), |text, line| text + &line.text + "\n");
    let chain = chain::read(&text);
    assert_eq!(chain.faults, []);
    assert_eq!(chain.head(), world.store.head().await.unwrap());
    let now = world.now();
    let question = Question {
        from: began,
        to: now,
        job: None,
        late_after: Duration::zero(),
        now,
        bags: None,
        foreign: &NONE_FOREIGN,
    };
    let coverage = Coverage::of(chain.entries.iter().map(|(entry, _)| entry), &question);
    let rows: BTreeMap<_, _> =
        coverage.rows.iter().map(|row| ((row.job.clone().unwrap(), row.workspace.clone(), row.fire_at), row)).collect();
    assert_eq!(rows.len(), coverage.rows.len(), "a fire time twice");
    for ((job, workspace), times) in &Promised::of(world, began).await.0 {
        for fire_at in times.iter().copied().filter(|time| *time < now) {
            let row = rows.get(&(job.clone(), workspace.clone(), fire_at));
            let row = row.unwrap_or_else(|| panic!("{job} {workspace} {fire_at} is not covered"));
            let run = runs.iter().find(|run| run.job == *job && run.workspace == *workspace && run.fire_at == fire_at);
            let is_made = run.is_some_and(|run| run.state == RunState::Closed);
            assert_eq!(row.state != State::Missing, is_made, "{row:?} {run:?}");
            assert_eq!(row.run, run.map(|run| run.id), "{row:?}");
            assert!(!row.reason.is_empty(), "no evidence was kept, and no reason given: {row:?}");
        }
    }
}

async fn every_fire_time_is_a_run_or_on_record(
    world: &World<impl Database + Clone + 'static>,
    runs: &[Run],
    began: DateTime<Utc>,
) {
    let gaps = world.store.gaps(u32::MAX).await.unwrap();
    let promised = Promised::of(world, began).await;
    for job in promised.jobs() {
        let of_job = promised.of_job(job);
        let mut skipped = BTreeSet::new();
        for gap in gaps.iter().filter(|gap| gap.job == *job) {
            let times: Vec<_> = of_job.iter().filter(|time| (gap.first..=gap.last).contains(time)).copied().collect();
            assert_eq!(times.len() as u64, gap.count, "{gap:?}");
            assert!(!gap.reason.is_empty() && times.iter().all(|time| skipped.insert(*time)), "skipped twice: {gap:?}");
        }
        for workspace in WORKSPACES {
            let of_this = runs.iter().filter(|run| run.job == *job && run.workspace == workspace);
            let made: BTreeSet<_> = of_this.clone().map(|run| run.fire_at).collect();
            assert_eq!(made.len(), of_this.count(), "two runs for one fire time");
            assert!(made.is_disjoint(&skipped), "a fire time is a run and on record as skipped");
            let promised = promised.0.get(&(job.clone(), workspace.to_owned())).cloned().unwrap_or_default();
            let decided: BTreeSet<_> =
                made.union(&skipped).filter(|time| made.contains(time) || promised.contains(time)).copied().collect();
            assert_eq!(decided, promised, "{job} for {workspace}");
        }
    }
}

/// What the mail server has accepted.
struct Mail {
    /// The bytes of each Message-ID, and how often they came.
    accepted: BTreeMap<String, (Email, usize)>,
    /// The report of each run, by recipient.
    reports: BTreeMap<(String, String), Value>,
}

impl Mail {
    fn read(post: &[Email]) -> Self {
        let mut mail = Self { accepted: BTreeMap::new(), reports: BTreeMap::new() };
        for email in post {
            let (first, times) = mail.accepted.entry(email.message_id.clone()).or_insert_with(|| (email.clone(), 0));
            assert_eq!(first, email, "two messages with one id");
            *times += 1;
            if *times > 1 {
                continue;
            }
            let parsed = mailparse::parse_mail(&email.bytes).unwrap();
            assert_eq!(parsed.headers.get_first_value("Message-ID").unwrap(), email.message_id);
            let attached = parsed.parts().find(|part| part.ctype.mimetype == "application/json");
            let Some(report) = attached else { continue };
            let report: Value = serde_json::from_slice(&report.get_body_raw().unwrap()).unwrap();
            let key = (report["audit_id"].as_str().unwrap().to_owned(), email.to.clone());
            assert!(mail.reports.insert(key, report).is_none(), "one report as two messages");
        }
        mail
    }
}

async fn everybody_got_one_message(world: &World<impl Database + Clone + 'static>, run: &Run, mail: &Mail) {
    let messages = world.store.messages(run.id).await.unwrap();
    let kind = if run.state == RunState::Closed { ReportMail::KIND } else { Notice::FAILURE };
    for recipient in RECIPIENTS {
        let of_kind: Vec<_> =
            messages.iter().filter(|message| message.kind == kind && message.address == recipient).collect();
        assert_eq!(of_kind.len(), 1, "{kind} to {recipient}: {messages:?}");
    }
    for message in &messages {
        match message.state {
            MessageState::Waiting => panic!("{message:?}"),
            MessageState::Accepted => {
                assert!(mail.accepted.contains_key(message.message_id.as_ref().unwrap()), "{message:?}");
            }
            // The others hear of it, where there are others; somebody in the dark may have got it all the same.
            MessageState::Rejected => {
                let others = messages.iter().filter(|other| {
                    other.kind != Notice::UNDELIVERED
                        && other.address != message.address
                        && other.state == MessageState::Accepted
                });
                if message.kind != Notice::UNDELIVERED && others.count() > 0 {
                    assert!(messages.iter().any(|notice| notice.kind == Notice::UNDELIVERED), "{messages:?}");
                }
            }
        }
    }
    if run.state == RunState::Failed {
        let never_reported =
            RECIPIENTS.iter().all(|to| !mail.reports.contains_key(&(run.id.to_string(), (*to).to_owned())));
        assert!(run.error.is_some() && never_reported, "{run:?}");
    }
}

fn drift_is_against_the_review_before(runs: &[Run], mail: &Mail, complete: &Reviews) {
    for run in runs {
        for recipient in RECIPIENTS {
            let Some(report) = mail.reports.get(&(run.id.to_string(), recipient.to_owned())) else { continue };
            let earlier = complete.get(&(run.job.clone(), run.workspace.clone()));
            let earlier = earlier.into_iter().flatten().rev().find(|(fire_at, _)| *fire_at < run.fire_at);
            assert_eq!(report["previous"]["audit_id"].as_str(), earlier.map(|(_, id)| id.as_str()), "{run:?}");
        }
    }
}
