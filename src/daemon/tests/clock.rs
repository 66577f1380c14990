//! Time that passes without a daemon, clocks that jump, and schedules that change.

use super::*;

#[tokio::test]
async fn a_clock_that_was_set_back_is_not_silent() {
    let bench = Bench::new(Missed::Latest).await;
    bench.at(WEEK_2).await;
    bench.dates_its_calls();
    bench.at(SUNDAY).await;
    let incidents = bench.daemon.health().await.unwrap().incidents;
    assert!(incidents.iter().any(|incident| incident.kind == IncidentKind::ClockSetBack), "{incidents:?}");
}

#[tokio::test]
async fn after_weeks_of_silence_the_latest_review_is_made_and_the_others_are_on_record() {
    let bench = Bench::new(Missed::Latest).await;
    bench.at("2026-03-24T12:00:00Z").await;
    assert_eq!(bench.run().await.fire_at, time("2026-03-23T07:00:00Z"));
    let gaps = bench.daemon.store.gaps(9).await.unwrap();
    assert_eq!(gaps.len(), 1);
    assert_eq!((gaps[0].first, gaps[0].last, gaps[0].count), (time(WEEK_1), time("2026-03-16T07:00:00Z"), 3));
    assert!(gaps[0].reason.contains("no daemon was able to run it in time"));
}

#[tokio::test]
async fn a_clock_that_is_set_back_makes_no_second_review_of_the_same_week() {
    let bench = Bench::new(Missed::All).await;
    bench.at(WEEK_2).await;
    bench.at(SUNDAY).await;
    bench.at(WEEK_1).await;
    bench.at("2026-03-09T08:00:00Z").await;
    let fire_at: Vec<_> = bench.runs().await.into_iter().map(|run| run.fire_at).collect();
    assert_eq!(fire_at, [time(WEEK_2), time(WEEK_1)]);
}

#[tokio::test]
async fn a_changed_schedule_does_not_replay_the_past() {
    let bench = Bench::new(Missed::All).await;
    bench.at(WEEK_1).await;
    let changed =
        daemon(&bench.simulator, &bench.post, &bench.watcher, &bench.now, bench.folder.path(), Missed::All).await;
    {
        let mut setup = changed.setup.write().unwrap();
        let job = Arc::get_mut(&mut setup).unwrap().jobs.get_mut("weekly").unwrap();
        job.schedule = Schedule::parse("0 * * * *", chrono_tz::Tz::UTC, time(SUNDAY)).unwrap();
    }
    let bench = Bench { daemon: changed, ..bench };
    bench.at("2026-03-05T10:30:00Z").await;
    assert_eq!(bench.runs().await.len(), 1);
    bench.at("2026-03-05T11:00:00Z").await;
    assert_eq!(bench.runs().await.len(), 2);
}

#[tokio::test]
async fn a_jump_of_the_clock_does_not_make_it_take_up_its_own_run() {
    let bench = Bench::new(Missed::Latest).await;
    bench.simulator.set_latency(Duration::from_millis(300));
    *bench.now.lock().unwrap() = time(WEEK_1);
    let (mut workers, mut senders) = (JoinSet::new(), JoinSet::new());
    let shutdown_now = CancellationToken::new();
    bench.daemon.step(&mut workers, &mut senders, &shutdown_now).await.unwrap();
    assert_eq!(workers.len(), 1);
    *bench.now.lock().unwrap() = time(WEEK_1) + chrono::Duration::hours(1);
    bench.daemon.step(&mut workers, &mut senders, &shutdown_now).await.unwrap();
    assert_eq!(workers.len(), 1, "it knows its own claim");
    while workers.join_next().await.is_some() {}
    let attempts = bench.daemon.store.attempts(bench.run().await.id).await.unwrap();
    assert_eq!(attempts.len(), 1, "{attempts:?}");
}
