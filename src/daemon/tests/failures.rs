//! An API, a mail server and a store that fail.

use super::*;

#[tokio::test]
async fn an_outage_of_the_api_is_waited_out() {
    let bench = Bench::new(Missed::Latest).await;
    bench.simulator.set_faults([Fault::ServerErrorAlways]);
    bench.at(WEEK_1).await;
    let run = bench.run().await;
    assert_eq!((run.state, run.not_before), (RunState::Due, Some(time("2026-03-02T07:01:00Z"))));
    assert!(run.error.unwrap().contains("HTTP 500"));
    bench.simulator.set_faults([]);
    bench.at("2026-03-02T07:00:59Z").await;
    assert_eq!(bench.run().await.state, RunState::Due);
    bench.at("2026-03-02T07:01:00Z").await;
    let run = bench.run().await;
    assert_eq!((run.state, run.attempt, run.error), (RunState::Closed, 2, None));
}

#[tokio::test]
async fn a_run_that_keeps_failing_is_given_up_after_five_attempts_and_said_so() {
    let bench = Bench::new(Missed::Latest).await;
    bench.simulator.set_faults([Fault::ServerErrorAlways]);
    for moment in
        [WEEK_1, "2026-03-02T07:01:00Z", "2026-03-02T07:06:00Z", "2026-03-02T07:21:00Z", "2026-03-02T08:01:00Z"]
    {
        assert!(bench.accepted().is_empty());
        bench.at(moment).await;
    }
    let run = bench.run().await;
    assert_eq!((run.state, run.attempt), (RunState::Failed, 5));
    let [(to, notice)] = <[_; 1]>::try_from(bench.accepted()).unwrap();
    assert_eq!(to, "security@example.com");
    assert!(
        notice.contains("FAILED acme: access was not reviewed") && notice.contains(&run.id.to_string()),
        "{notice}"
    );
}

#[tokio::test]
async fn what_only_a_person_can_mend_is_told_at_once_and_can_be_tried_again() {
    let bench = Bench::new(Missed::Latest).await;
    bench.simulator.set_faults([Fault::Revoked]);
    bench.at(WEEK_1).await;
    let run = bench.run().await;
    assert_eq!((run.state, run.attempt), (RunState::Failed, 1));
    assert!(bench.accepted()[0].1.contains("revoked"));
    bench.simulator.set_faults([]);
    assert!(bench.daemon.store.retry(run.id, time("2026-03-02T09:00:00Z")).await.unwrap());
    bench.at("2026-03-02T09:00:00Z").await;
    assert_eq!(bench.run().await.state, RunState::Closed);
    assert_eq!(bench.accepted().len(), 2);
}

#[tokio::test]
async fn a_report_waits_for_the_mail_server_and_is_the_same_message_every_time() {
    let bench = Bench::new(Missed::Latest).await;
    bench.post.down.store(true, Ordering::Relaxed);
    for moment in [WEEK_1, "2026-03-02T07:01:00Z", "2026-03-02T07:03:00Z"] {
        bench.at(moment).await;
        assert_eq!(bench.run().await.state, RunState::Recorded);
    }
    // Another process, after this one died.
    bench.post.down.store(false, Ordering::Relaxed);
    let heir =
        daemon(&bench.simulator, &bench.post, &bench.watcher, &bench.now, bench.folder.path(), Missed::Latest).await;
    let bench = Bench { daemon: heir, ..bench };
    bench.at("2026-03-02T07:07:00Z").await;
    assert_eq!(bench.run().await.state, RunState::Closed);
    let mut seen = bench.post.seen.lock().unwrap().clone();
    assert_eq!(seen.len(), 9, "four attempts for each, and the notice that one was refused");
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 3, "one Message-ID for each recipient, and the notice");
}

#[tokio::test]
async fn a_store_that_fails_is_named_until_it_works_again_and_the_daemon_stays_alive() {
    let bench = Bench::new(Missed::Latest).await;
    let full = || StoreError::Full {
        place: "store.db".into(),
        reason: "disk is full".into(),
        advice: "Make room on its disk",
    };
    bench.daemon.stepped(Err(full().into()));
    bench.daemon.stepped(Err(full().into()));
    let health = bench.daemon.health().await.unwrap();
    assert!(health.is_alive && health.failure.unwrap().contains("Make room on its disk"));
    bench.daemon.stepped(Ok(()));
    assert!(bench.daemon.health().await.unwrap().failure.is_none());
}

#[tokio::test]
async fn a_daemon_that_ends_while_its_store_fails_does_not_say_that_it_works_again() {
    let bench = Bench::new(Missed::Latest).await;
    bench.daemon.stepped(Err(StoreError::Replaced { place: "store.db".into() }.into()));
    let stop = CancellationToken::new();
    stop.cancel();
    bench.daemon.run(stop).await.unwrap();
    assert!(bench.daemon.state().failure.is_some());
}
