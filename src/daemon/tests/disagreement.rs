//! Two configurations in force at once, and clocks that the vendor's answers contradict.

use super::*;
use crate::{
    ledger::Fact,
    model::run::Gap,
    store::queue::{Cursor, Decided},
};

/// A second daemon on the store of a bench, with another schedule.
pub(super) async fn rival(bench: &Bench, pattern: &str) -> Bench {
    let daemon =
        daemon(&bench.simulator, &bench.post, &bench.watcher, &bench.now, bench.folder.path(), Missed::All).await;
    {
        let mut setup = daemon.setup.write().unwrap();
        let job = Arc::get_mut(&mut setup).unwrap().jobs.get_mut("weekly").unwrap();
        job.schedule = Schedule::parse(pattern, chrono_tz::Tz::UTC, time(SUNDAY)).unwrap();
    }
    Bench {
        simulator: Simulator::start(Options::default()).unwrap(),
        post: bench.post.clone(),
        watcher: bench.watcher.clone(),
        now: Arc::clone(&bench.now),
        folder: tempfile::tempdir().unwrap(),
        daemon,
    }
}

#[tokio::test]
async fn of_two_configurations_the_newer_one_holds_and_the_older_daemon_says_so() {
    let older = Bench::new(Missed::All).await;
    let newer = rival(&older, "30 * * * *").await;
    for moment in ["2026-03-01T12:00:01Z", "2026-03-01T12:30:00Z", "2026-03-01T13:29:59Z", "2026-03-01T13:30:00Z"] {
        older.at(moment).await;
        newer.at(moment).await;
    }
    // The newer one stops, and the older one goes on by its schedule.
    for moment in ["2026-03-01T14:30:00Z", "2026-03-01T15:30:00Z"] {
        older.at(moment).await;
    }
    let fire_at: Vec<String> =
        older.runs().await.iter().rev().map(|run| run.fire_at.format("%H:%M").to_string()).collect();
    assert_eq!(fire_at, ["12:30", "13:30", "14:30", "15:30"]);
    assert_eq!(older.daemon.store.gaps(9).await.unwrap(), []);
    let health = older.daemon.health().await.unwrap();
    assert_eq!(health.warnings.len(), 1, "{health:?}");
    assert!(health.warnings[0].contains("a newer configuration is in force"), "{health:?}");
    assert!(health.warnings[0].contains("“30 * * * *” in UTC is followed"), "{health:?}");
    assert_eq!(newer.daemon.health().await.unwrap().warnings, Vec::<String>::new());
    assert_eq!(older.daemon.pulses().await.unwrap()[0].next, Some(time("2026-03-01T16:30:00Z")));
    // Reloaded, its own configuration is the newest.
    older.daemon.forget();
    older.at(WEEK_1).await;
    assert_eq!(older.daemon.health().await.unwrap().warnings, Vec::<String>::new());
    newer.at("2026-03-02T07:00:01Z").await;
    assert_eq!(newer.daemon.health().await.unwrap().warnings, Vec::<String>::new(), "it may be about to follow");
    newer.at("2026-03-02T07:00:30Z").await;
    assert!(newer.daemon.health().await.unwrap().warnings[0].contains("“0 8 * * MON” in Europe/Berlin"));
}

#[tokio::test]
async fn what_an_earlier_schedule_promised_is_not_lost_when_it_changes() {
    let bench = Bench::new(Missed::All).await;
    let changed = rival(&bench, "0 0 1 1 *").await;
    changed.at("2026-03-09T08:00:00Z").await;
    let fire_at: Vec<_> = changed.runs().await.into_iter().map(|run| run.fire_at).collect();
    assert_eq!(fire_at, [time(WEEK_2), time(WEEK_1)]);
}

#[tokio::test]
async fn a_clock_that_the_vendor_contradicts_decides_nothing() {
    let bench = Bench::new(Missed::Latest).await;
    let cursor = bench.daemon.store.cursor("weekly").await.unwrap();
    bench.dates_its_calls();
    bench.at("2236-03-01T12:00:00Z").await;
    assert_eq!((bench.runs().await, bench.daemon.store.cursor("weekly").await.unwrap()), (vec![], cursor));
    let warnings = bench.daemon.health().await.unwrap().warnings;
    assert!(warnings[0].contains("the clock says 2236-03-01 12:00 UTC, but the vendor's answers say"), "{warnings:?}");
    let next = async || bench.daemon.pulses().await.unwrap()[0].next;
    assert_eq!(next().await, None, "nothing is due while it says so");
    // It is right again.
    bench.at(WEEK_1).await;
    assert_eq!(bench.run().await.fire_at, time(WEEK_1));
    assert_eq!(bench.daemon.store.gaps(9).await.unwrap(), []);
    assert_eq!(bench.daemon.health().await.unwrap().warnings, Vec::<String>::new());
    assert_eq!(next().await, Some(time(WEEK_2)));
}

#[tokio::test]
async fn a_schedule_that_was_decided_into_the_future_is_taken_back_on_record() {
    let bench = Bench::new(Missed::Latest).await;
    let now = Utc::now();
    bench.at(&now.to_rfc3339()).await;
    let store = &bench.daemon.store;
    let from = store.cursor("weekly").await.unwrap().unwrap();
    let year = chrono::Duration::days(365);
    let to = Cursor { at: now + year * 10, ..from.clone() };
    let gap =
        Gap { job: "weekly".into(), first: now + year / 365, last: now + year * 10, count: 520, reason: "x".into() };
    let ahead = Decided {
        job: "weekly",
        workspaces: &["acme".into()],
        due: &[],
        gap: Some(&gap),
        from: Some(&from),
        to: &to,
        now: now + year * 10,
    };
    assert_eq!(store.decide(&[ahead]).await.unwrap(), [true]);
    bench.daemon.state().checks.clear();
    let later = now + chrono::Duration::seconds(1);
    bench.at(&later.to_rfc3339()).await;
    let cursor = store.cursor("weekly").await.unwrap().unwrap();
    assert!(cursor.at <= later && cursor.schedule == from.schedule, "{cursor:?}");
    assert!(store.gaps(9).await.unwrap().iter().all(|gap| gap.last <= now));
    let entry = store.last("schedule_taken_back", "").await.unwrap().unwrap();
    assert!(matches!(entry.fact, Fact::ScheduleTakenBack { job, .. } if job == "weekly"));
    let health = bench.daemon.health().await.unwrap();
    assert!(health.incidents.iter().all(|incident| incident.kind != IncidentKind::ClockSetBack), "{health:?}");
    let next = bench.daemon.pulses().await.unwrap()[0].next.unwrap();
    assert!(next - now < chrono::Duration::days(8), "{next}");
}
