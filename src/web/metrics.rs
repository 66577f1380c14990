//! The daemon's metrics in Prometheus' text format. No label names a user.

use std::{collections::BTreeSet, fmt::Write as _, sync::atomic::AtomicU64};

use chrono::{DateTime, Utc};
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use crate::{
    daemon::{Count, Daemon, Membership},
    model::{finding::Severity, trigger::IncidentKind},
    store::{StoreError, history::Backlog},
};

/// The media type of the page.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

type Labels = Vec<(&'static str, String)>;
type Numbers = Family<Labels, Gauge<f64, AtomicU64>>;
type Counts = Family<Labels, Counter>;

/// A registry that is filled and encoded once.
struct Page(Registry);

impl Page {
    fn numbers(&mut self, name: &str, help: &str) -> Numbers {
        let numbers = Numbers::default();
        self.0.register(name, help, numbers.clone());
        numbers
    }

    fn seconds(&mut self, name: &str, help: &str) -> Numbers {
        let numbers = Numbers::default();
        self.0.register_with_unit(name, help, Unit::Seconds, numbers.clone());
        numbers
    }

    fn counts(&mut self, name: &str, help: &str) -> Counts {
        let counts = Counts::default();
        self.0.register(name, help, counts.clone());
        counts
    }
}

/// The whole page. Without the store it has what the process knows.
pub(super) async fn page(daemon: &Daemon) -> String {
    let mut page = Page(Registry::with_prefix("rolecall"));
    let build = page.numbers("build_info", "The running version");
    build.get_or_create(&vec![("version", env!("CARGO_PKG_VERSION").to_owned())]).set(1.0);
    of_the_process(&mut page, daemon);
    let is_readable =
        matches!(tokio::time::timeout(super::PATIENCE, of_the_store(&mut page, daemon)).await, Ok(Ok(())));
    let readable: Gauge = Gauge::default();
    readable.set(i64::from(is_readable));
    page.0.register(
        "store_readable",
        "Whether the store answered; without it, what it knows is missing here",
        readable,
    );
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = encode(&mut text, &page.0);
    plain(&text)
}

async fn of_the_store(page: &mut Page, daemon: &Daemon) -> Result<(), StoreError> {
    of_the_jobs(page, daemon).await?;
    of_incidents(page, daemon).await?;
    of_reviews(page, daemon).await
}

/// Converts it to the older text format, which every version of Prometheus reads: there the help of a counter is under the
/// name of its samples, with `_total`, and units and the end mark are left out
/// (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
fn plain(open_metrics: &str) -> String {
    let counter = |line: &str| Some(line.strip_prefix("# TYPE ")?.strip_suffix(" counter")?.to_owned());
    let counters: BTreeSet<String> = open_metrics.lines().filter_map(counter).collect();
    let mut text = String::with_capacity(open_metrics.len());
    for line in open_metrics.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("UNIT"), ..) | (Some("#"), Some("EOF"), None, None) => {}
            (Some("#"), Some(what), Some(name), Some(rest)) if counters.contains(name) => {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "# {what} {name}_total {rest}");
            }
            _ => {
                let _ = writeln!(text, "{line}");
            }
        }
    }
    text
}

fn of_the_process(page: &mut Page, daemon: &Daemon) {
    let attempts = page.counts("run_attempts", "Finished attempts at runs, by outcome: done, retried, failed");
    let messages = page.counts("message_attempts", "Delivery attempts, by outcome: accepted, retried, rejected");
    for (count, number) in daemon.counts() {
        match count {
            Count::Attempt { job, workspace, outcome } => {
                let labels = vec![("job", job), ("workspace", workspace), ("outcome", outcome.to_owned())];
                attempts.get_or_create(&labels).inc_by(number);
            }
            Count::Message { kind, outcome } => {
                messages.get_or_create(&vec![("kind", kind), ("outcome", outcome.to_owned())]).inc_by(number);
            }
        }
    }
    let problems: Gauge = Gauge::default();
    problems.set(i64::try_from(daemon.configuration_problems()).unwrap_or(i64::MAX));
    page.0.register(
        "configuration_problems",
        "Workspaces whose own file cannot be used, and a configuration that could not be reloaded",
        problems,
    );
    let alive: Gauge = Gauge::default();
    alive.set(i64::from(daemon.is_alive()));
    page.0.register("alive", "Whether the daemon makes progress", alive);
    of_the_replica(page, daemon);
    let unstored = daemon.unstored();
    page.numbers("evidence_unstored_bags", "Bags that wait for the object store")
        .get_or_create(&Labels::new())
        .set(number(unstored.bags));
    page.numbers("evidence_unstored_bytes", "Size of the bags that wait for the object store")
        .get_or_create(&Labels::new())
        .set(number(unstored.bytes));
    page.seconds("evidence_unstored_age", "How long the oldest bag waits for the object store")
        .get_or_create(&Labels::new())
        .set(unstored.age.as_secs_f64());
}

/// This daemon among those on its store.
fn of_the_replica(page: &mut Page, daemon: &Daemon) {
    let Membership { name, replicas, ahead, holds } = daemon.membership();
    let own: Labels = vec![("replica", name)];
    page.numbers("replica_runs", "Runs that this replica works on").get_or_create(&own).set(holds as f64);
    if let Some(ahead) = ahead {
        let clock = page.seconds("replica_clock_ahead", "How far this replica's clock is ahead of the store's");
        clock.get_or_create(&own).set(ahead.as_seconds_f64());
    }
    if let Some(replicas) = replicas {
        let all = page.numbers("replicas", "Daemons on the store, this one included");
        all.get_or_create(&Labels::new()).set(replicas as f64);
    }
}

async fn of_the_jobs(page: &mut Page, daemon: &Daemon) -> Result<(), StoreError> {
    let next = page.seconds("next_due_timestamp", "Next scheduled time of a job");
    let due = page.seconds("last_run_due_timestamp", "Scheduled time of the latest recorded run");
    let read = page.seconds("last_run_read_timestamp", "When the latest recorded run finished reading the workspace");
    let took = page.seconds("last_run_duration", "Duration of the latest closed run, from its first attempt");
    let complete = page.numbers("last_run_complete", "Whether the latest recorded run read the workspace completely");
    let users = page.numbers("users", "Users in the latest recorded run");
    let administrators = page.numbers("administrators", "Active administrators in the latest recorded run");
    let findings = page.numbers("open_findings", "Open findings in the latest recorded run, by severity");
    for pulse in daemon.pulses().await? {
        let labels: Labels = vec![("job", pulse.job), ("workspace", pulse.workspace)];
        if let Some(at) = pulse.next {
            next.get_or_create(&labels).set(timestamp(at));
        }
        let Some(last) = pulse.last else { continue };
        due.get_or_create(&labels).set(timestamp(last.run.fire_at));
        read.get_or_create(&labels).set(timestamp(last.audit.finished_at));
        complete.get_or_create(&labels).set(if last.audit.complete { 1.0 } else { 0.0 });
        users.get_or_create(&labels).set(number(last.audit.users));
        administrators.get_or_create(&labels).set(number(last.audit.administrators));
        if let Some((from, to)) = last.run.started_at.zip(last.run.finished_at) {
            took.get_or_create(&labels).set((to - from).as_seconds_f64());
        }
        for (severity, open) in Severity::ALL.into_iter().zip(last.audit.by_severity.into_iter().flatten()) {
            let mut labels = labels.clone();
            labels.push(("severity", severity.word().to_owned()));
            findings.get_or_create(&labels).set(number(open));
        }
    }
    Ok(())
}

async fn of_incidents(page: &mut Page, daemon: &Daemon) -> Result<(), StoreError> {
    let incidents = page.numbers(
        "lapses",
        "Open incidents (missed, late, failed, incomplete or undelivered reviews), by kind; at most 20 of a kind",
    );
    let health = daemon.health().await?;
    of_the_queue(page, daemon, health.backlog);
    let known = health.incidents;
    for kind in IncidentKind::ALL {
        let some = known.iter().filter(|incident| incident.kind == kind).count();
        incidents.get_or_create(&vec![("kind", kind.word().to_owned())]).set(some as f64);
    }
    Ok(())
}

/// The queue of all replicas: each says the same.
fn of_the_queue(page: &mut Page, daemon: &Daemon, backlog: Backlog) {
    let due = page.numbers("runs_due", "Runs that are due or held back, and that no process works on");
    let in_progress = page.numbers("runs_in_progress", "Runs that processes work on");
    let age = page.seconds("oldest_due_age", "How long ago the oldest run that waits was due; 0 if none waits");
    due.get_or_create(&Labels::new()).set(number(backlog.due));
    in_progress.get_or_create(&Labels::new()).set(number(backlog.in_progress));
    let waited = backlog.oldest_due.map_or(0.0, |oldest| (daemon.now() - oldest).as_seconds_f64().max(0.0));
    age.get_or_create(&Labels::new()).set(waited);
}

async fn of_reviews(page: &mut Page, daemon: &Daemon) -> Result<(), StoreError> {
    let open = page.numbers("reviews_open", "Reviews by people that are not closed");
    let undecided = page.numbers("review_items_undecided", "Accounts in open reviews by people that are not decided");
    let overdue = page.numbers("reviews_overdue", "Reviews by people that are not closed in time");
    let late = page.numbers("review_items_overdue", "Accounts in overdue reviews by people that are not decided");
    let unproven =
        page.numbers("review_decisions_unproven", "Decisions to change or remove that no audit has proven yet");
    let not_carried_out =
        page.numbers("review_decisions_overdue", "Decisions to change or remove that are not carried out in time");
    let next = page.seconds("next_review_timestamp", "When the next review by people is opened");
    for review in daemon.reviews().await? {
        let labels: Labels = vec![("review", review.name)];
        for (numbers, value) in [
            (&open, review.open),
            (&undecided, review.undecided),
            (&overdue, review.overdue),
            (&late, review.overdue_items),
            (&unproven, review.unproven),
            (&not_carried_out, review.not_carried_out),
        ] {
            numbers.get_or_create(&labels).set(number(value));
        }
        if let Some(at) = review.next {
            next.get_or_create(&labels).set(timestamp(at));
        }
    }
    Ok(())
}

fn timestamp(time: DateTime<Utc>) -> f64 {
    time.timestamp_millis() as f64 / 1000.0
}

fn number(number: u64) -> f64 {
    number as f64
}
