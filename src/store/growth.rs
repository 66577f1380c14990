//! What a run, the list of runs, the health and the metrics cost does not depend on how many runs there were. An adapter
//! implements [`Archive`] for its tests.

use std::time::{Duration as Span, Instant};

use chrono::{DateTime, Duration, Utc};

use super::{
    AuditRecord, Database, Kept, Store as _, StoreError,
    conformance::record,
    history::{History as _, MOST_INCIDENTS},
    ledger::Ledger as _,
    queue::{Cursor, Decided, Queue as _, Sent},
    rows::moment,
};
use crate::{
    ledger::fact::Terms,
    model::{
        notification::{Notification, Subject},
        run::RunState,
    },
};

/// How one adapter says what the other says otherwise.
pub(crate) struct Dialect {
    /// An id at random.
    pub(crate) random_id: &'static str,
    /// An id in hexadecimal.
    pub(crate) hex: &'static str,
    /// No bytes.
    pub(crate) no_bytes: &'static str,
}

/// A new store, and what its questions cost.
pub(crate) trait Archive: Sized {
    /// The adapter.
    type Store: Database;

    /// Its words.
    const DIALECT: Dialect;

    /// A store that is new and empty.
    async fn new() -> Self;

    /// The store.
    fn store(&self) -> &Self::Store;

    /// Runs statements in one transaction, and lets the store take notice of how large its tables are now.
    async fn fill(&self, statements: Vec<String>);

    /// The cost since the last call, in a unit of the adapter.
    async fn cost(&self) -> u64;
}

/// Shapes of a history, each the worst for some question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Every run was closed and its report accepted.
    Fine,
    /// Nobody was ever mailed.
    Unmailed,
    /// Every run failed.
    Failed,
    /// Every audit was incomplete, and every report rejected.
    Incomplete,
    /// Every fire time was skipped.
    Skipped,
    /// The schedule changed before each run.
    Rescheduled,
}

/// The time between two fire times.
const STEP: i64 = 3_600_000;

/// What makes a history of `runs` runs of two workspaces.
fn history(words: &Dialect, shape: Shape, runs: i64) -> Vec<String> {
    let Dialect { random_id, hex, no_bytes } = words;
    let (state, complete, message, answer) = match shape {
        Shape::Failed => ("failed", 1, "accepted", "250"),
        Shape::Incomplete => ("closed", 0, "rejected", "550"),
        _ => ("closed", 1, "accepted", "250"),
    };
    let numbers =
        format!("WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < {runs})");
    let workspace = "CASE i % 2 WHEN 0 THEN 'acme' ELSE 'globex' END";
    let mut sql = vec![format!(
        "INSERT INTO run (id, job, workspace, fire_at, state, attempt, fence, planned_at, started_at, finished_at, error)
         {numbers} SELECT {random_id}, 'weekly', {workspace}, i / 2 * {STEP}, '{state}', 1, 1, i / 2 * {STEP},
         i / 2 * {STEP}, i / 2 * {STEP}, NULL FROM n"
    )];
    if shape == Shape::Skipped {
        sql = vec![format!(
            "INSERT INTO gap (job, first_at, last_at, count, reason, recorded_at)
             {numbers} SELECT 'weekly', i / 2 * {STEP}, i / 2 * {STEP}, 1, 'x', 1 FROM n"
        )];
    }
    sql.push("INSERT INTO attempt SELECT id, 1, fire_at, fire_at, NULL FROM run".to_owned());
    if shape != Shape::Failed {
        sql.push(format!(
            "INSERT INTO audit (id, job, workspace, started_at, finished_at, complete, users, administrators,
                                open_findings, fire_at, has_snapshot, bag_folder, bag_sha256)
             SELECT id, job, workspace, fire_at, fire_at, {complete}, 3, 1, 2, fire_at, 0, {hex}, '' FROM run"
        ));
    }
    if shape != Shape::Unmailed {
        sql.push(format!(
            "INSERT INTO notification (subject_kind, subject_id, run, channel, kind, address, body, state, not_before,
                                       created_at, answer, job, workspace, fire_at)
             SELECT 'run', lower({hex}), id, 'email', 'report', 'a@example.com', {no_bytes}, '{message}', 1, 1, '{answer}', job,
                    workspace, fire_at FROM run"
        ));
    }
    sql.push(format!(
        "INSERT INTO ledger (number, kind, subject, sha256, line) {numbers} SELECT i, 'recorded', '', 'x', 'x' FROM n"
    ));
    if shape == Shape::Rescheduled {
        let job = r#"{"number":1,"at":"2026-03-02T07:00:00.000Z","fact":"schedule","job":"weekly","terms":null,"previous":""}"#;
        sql.push(format!(
            "INSERT INTO ledger (number, kind, subject, sha256, line)
             SELECT number + {runs}, 'schedule', 'weekly', '', '{job}' FROM ledger"
        ));
    }
    sql.push("INSERT INTO cursor VALUES ('weekly', '0 * * * * UTC', 1)".to_owned());
    sql
}

/// A store whose questions are counted.
struct Meter<'a, A> {
    archive: &'a A,
    /// The cost of each question so far.
    laps: Vec<(&'static str, u64)>,
}

impl<A: Archive> Meter<'_, A> {
    /// Awaits a question and notes what it cost.
    async fn of<T>(&mut self, name: &'static str, question: impl Future<Output = Result<T, StoreError>>) -> T {
        let answer = question.await.unwrap();
        self.laps.push((name, self.archive.cost().await));
        answer
    }
}

/// One run from its fire time to its end, as the daemon makes it.
async fn run<A: Archive>(meter: &mut Meter<'_, A>, now: DateTime<Utc>) {
    let store = meter.archive.store();
    let terms = Terms {
        workspaces: vec!["acme".into()],
        pattern: "0 * * * *".into(),
        time_zone: "UTC".into(),
        missed: "latest".into(),
        splay_minutes: None,
    };
    meter.of("publish_schedules", store.publish_schedules(&[("weekly".into(), terms)], &[], now)).await;
    let from = meter.of("cursor", store.cursor("weekly")).await;
    let to = Cursor { schedule: "0 * * * * UTC".into(), at: now };
    let due = Decided {
        job: "weekly",
        workspaces: &["acme".into()],
        due: &[now],
        gap: None,
        from: from.as_ref(),
        to: &to,
        now,
    };
    assert_eq!(meter.of("decide", store.decide(&[due])).await, [true]);
    let claim = meter.of("claim", store.claim(now, Duration::minutes(1))).await.unwrap();
    let (job, workspace) = (claim.run.job.as_str(), claim.run.workspace.as_str());
    meter.of("incidents_before", store.incidents_before(job, workspace, claim.run.fire_at)).await;
    meter.of("last_complete", store.last_complete(Some(job), workspace)).await;
    meter.of("advance", store.advance(&claim, RunState::Read)).await;
    let audit = AuditRecord { id: claim.run.id, ..record(workspace, Some(job), now.timestamp()) };
    let mail = Notification {
        subject: Subject::Run(claim.run.id),
        channel: "email".into(),
        kind: "report".into(),
        about: String::new(),
        address: "a@example.com".into(),
        sender: None,
        message_id: None,
        bytes: vec![1],
    };
    let head = meter.of("head", store.head()).await;
    meter.of("entries", store.entries(head.number.saturating_sub(50), 50)).await;
    let kept = Kept { record: audit, parts: vec![vec![1]] };
    meter.of("record", store.record(&claim, &kept, &[mail], now)).await;
    let message = meter.of("take_message", store.take_message(Some(job), now, Duration::minutes(1))).await.unwrap();
    meter.of("sent", store.sent(&message, &Sent::Accepted, "250", &[], now)).await;
    for run in meter.of("delivered", store.delivered()).await {
        meter.of("siblings", store.siblings(&run.job, run.fire_at)).await;
        meter.of("close", store.close(run.id, &[], now)).await;
    }
    meter.of("prune", store.prune(now - Duration::days(400))).await;
}

/// What the list of runs, the health and the metrics read.
async fn look<A: Archive>(meter: &mut Meter<'_, A>, now: DateTime<Utc>) {
    let store = meter.archive.store();
    for run in meter.of("runs", store.runs(20)).await {
        meter.of("attempts", store.attempts(run.id)).await;
        meter.of("messages", store.messages(run.id)).await;
        meter.of("audit", store.audit(run.id)).await;
    }
    meter.of("backlog", store.backlog()).await;
    meter.of("gaps", store.gaps(MOST_INCIDENTS)).await;
    meter.of("incidents", store.incidents(now)).await;
    for workspace in ["acme", "globex"] {
        meter.of("last_done", store.last_done("weekly", workspace, now)).await;
    }
}

/// What each question costs, and the time of all, after a history.
pub(crate) async fn cost<A: Archive>(shape: Shape, runs: i64) -> (Vec<(&'static str, u64)>, Span) {
    let archive = A::new().await;
    archive.fill(history(&A::DIALECT, shape, runs)).await;
    archive.cost().await;
    let now = moment((runs / 2 + 10) * STEP);
    let mut meter = Meter { archive: &archive, laps: Vec::new() };
    let began = Instant::now();
    // Before the run, too: then what went wrong is still open.
    look(&mut meter, now).await;
    run(&mut meter, now).await;
    look(&mut meter, now).await;
    (meter.laps, began.elapsed())
}

pub(crate) const SHAPES: [Shape; 6] =
    [Shape::Fine, Shape::Unmailed, Shape::Failed, Shape::Incomplete, Shape::Skipped, Shape::Rescheduled];

/// The questions that cost more after 20,000 runs than `most` of what they cost after a hundred.
pub(crate) async fn dear<A: Archive>(most: impl Fn(u64) -> u64) -> Vec<String> {
    let mut dear = Vec::new();
    for shape in SHAPES {
        let (few, many) = (cost::<A>(shape, 100).await.0, cost::<A>(shape, 20_000).await.0);
        assert_eq!(few.len(), many.len());
        for ((question, few), (_, many)) in few.into_iter().zip(many) {
            if many > most(few) {
                dear.push(format!("{shape:?}, {question}: {few} after 100 runs, {many} after 20,000"));
            }
        }
    }
    dear
}

/// Prints the cost after 100 and after a million runs of each shape.
pub(crate) async fn print<A: Archive>(unit: &str) {
    for shape in SHAPES {
        for runs in [100, 1_000_000] {
            let (laps, time) = cost::<A>(shape, runs).await;
            let sum: u64 = laps.iter().map(|(_, cost)| cost).sum();
            let line = format!("{shape:?}, {runs} runs: {sum} {unit}, {:.1} ms\n", time.as_secs_f64() * 1e3);
            std::io::Write::write_all(&mut std::io::stdout(), line.as_bytes()).unwrap();
        }
    }
}
