//! The schedule of a job is changed, and the daemon that published it dies before it decides anything.

use super::{disagreement::rival, *};
use crate::{ledger::Fact, model::run::Run, store::queue::Cursor};

/// The fire times of the runs, the earliest first, without the day.
fn hours(runs: &[Run]) -> Vec<String> {
    runs.iter().rev().map(|run| run.fire_at.format("%H:%M").to_string()).collect()
}

/// Publishes the configuration of a daemon at a moment, and no more.
async fn publishes_and_dies(daemon: &Daemon, at: &str) {
    let setup = daemon.setup();
    let own: Vec<_> = setup.jobs.iter().map(|(name, job)| (name.clone(), Daemon::own_terms(job))).collect();
    let begins: Vec<_> = setup
        .jobs
        .iter()
        .map(|(name, job)| (name.clone(), Cursor { schedule: job.schedule.text(), at: time(at) }))
        .collect();
    daemon.store.publish_schedules(&own, &begins, time(at)).await.unwrap();
}

#[tokio::test]
async fn each_schedule_is_decided_for_the_time_in_which_it_was_in_force() {
    let bench = Bench::new(Missed::All).await;
    let edited = rival(&bench, "30 * * * *").await;
    // The weekly one was due at 07:00, and no daemon ran.
    publishes_and_dies(&edited.daemon, "2026-03-02T08:10:00Z").await;
    edited.at("2026-03-02T10:00:00Z").await;
    assert_eq!(hours(&edited.runs().await), ["07:00", "08:30", "09:30"]);
    assert_eq!(edited.daemon.store.gaps(9).await.unwrap(), []);
    let cursor = edited.daemon.store.cursor("weekly").await.unwrap().unwrap();
    assert_eq!((cursor.at, cursor.schedule.as_str()), (time("2026-03-02T10:00:00Z"), "30 * * * * UTC"));
    edited.at("2026-03-02T10:30:00Z").await;
    assert_eq!(edited.runs().await.len(), 4);
}

#[tokio::test]
async fn of_several_schedules_only_the_latest_time_is_caught_up() {
    let bench = Bench::new(Missed::All).await;
    let edited = rival(&bench, "30 * * * *").await;
    {
        let mut setup = edited.daemon.setup.write().unwrap();
        Arc::get_mut(&mut setup).unwrap().jobs.get_mut("weekly").unwrap().missed = Missed::Latest;
    }
    publishes_and_dies(&edited.daemon, "2026-03-02T08:10:00Z").await;
    edited.at("2026-03-02T10:00:00Z").await;
    assert_eq!(hours(&edited.runs().await), ["09:30"]);
    let mut gaps = edited.daemon.store.gaps(9).await.unwrap();
    gaps.sort_by_key(|gap| gap.first);
    let gaps: Vec<_> = gaps.iter().map(|gap| (gap.first, gap.last, gap.count)).collect();
    let (first, second) = (time(WEEK_1), time("2026-03-02T08:30:00Z"));
    assert_eq!(gaps, [(first, first, 1), (second, second, 1)]);
}

#[tokio::test]
async fn a_new_job_is_due_from_the_moment_at_which_it_was_published() {
    let bench = Bench::new(Missed::All).await;
    let edited = rival(&bench, "30 * * * *").await;
    {
        let mut setup = edited.daemon.setup.write().unwrap();
        let jobs = &mut Arc::get_mut(&mut setup).unwrap().jobs;
        let job = jobs.remove("weekly").unwrap();
        jobs.insert("hourly".into(), job);
    }
    publishes_and_dies(&edited.daemon, "2026-03-01T12:10:00Z").await;
    edited.at("2026-03-01T13:00:00Z").await;
    let runs = edited.runs().await;
    assert_eq!((runs[0].job.as_str(), hours(&runs)), ("hourly", vec!["12:30".to_owned()]));
}

#[tokio::test]
async fn a_job_that_no_configuration_had_for_a_while_was_not_due_then() {
    let bench = Bench::new(Missed::All).await;
    let store = &bench.daemon.store;
    let weekly = store.last("schedule", "weekly").await.unwrap().unwrap().fact;
    let Fact::Schedule { terms: Some(weekly), .. } = weekly else { panic!("{weekly:?}") };
    store.publish_schedules(&[], &[], time("2026-03-01T20:00:00Z")).await.unwrap();
    store.publish_schedules(&[("weekly".into(), weekly)], &[], time("2026-03-03T20:00:00Z")).await.unwrap();
    bench.daemon.forget();
    bench.at("2026-03-09T08:00:00Z").await;
    let fire_at: Vec<_> = bench.runs().await.into_iter().map(|run| run.fire_at).collect();
    assert_eq!(fire_at, [time(WEEK_2)]);
    assert_eq!(store.gaps(9).await.unwrap(), []);
}
