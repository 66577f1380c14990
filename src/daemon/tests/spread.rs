//! A job whose fire times are spread over a window.

use super::*;
use crate::{ledger::Fact, schedule::Place};

/// Names that are due one after another, with their times in the window of an hour on Monday from 07:00 UTC on.
fn in_order(names: [&str; 3]) -> [(String, DateTime<Utc>); 3] {
    let mut times = names.map(|name| (name.to_owned(), due(name)));
    times.sort_by_key(|(_, time)| *time);
    times
}

fn schedule() -> Schedule {
    let weekly = Schedule::parse("0 8 * * MON", "Europe/Berlin".parse().unwrap(), time(SUNDAY)).unwrap();
    weekly.spread_over(chrono::Duration::hours(1))
}

fn due(workspace: &str) -> DateTime<Utc> {
    schedule().times_at(Place::of("weekly", workspace), time(SUNDAY)).next().unwrap()
}

/// Workspaces of the job `weekly`, all read from the simulator of the bench.
fn spread(bench: &Bench, workspaces: &[&str]) {
    let names: Vec<String> = workspaces.iter().map(|name| (*name).to_owned()).collect();
    {
        let mut setup = bench.daemon.setup.write().unwrap();
        let setup = Arc::get_mut(&mut setup).unwrap();
        let job = setup.jobs.get_mut("weekly").unwrap();
        (job.schedule, job.workspaces, job.heartbeat, job.email) = (schedule(), names.clone(), None, None);
        for name in names {
            let connector = Box::new(connector(&bench.simulator, Clock::system()));
            setup.policies.insert(("weekly".into(), name.clone()), Arc::new(Policy::default()));
            setup.workspaces.insert(name, Workspace { connector, deadline: Duration::from_mins(1) });
        }
    }
    bench.daemon.forget();
}

impl Bench {
    async fn at_moment(&self, moment: DateTime<Utc>) {
        self.at(&moment.to_rfc3339()).await;
    }

    async fn fire_times(&self) -> Vec<(String, DateTime<Utc>)> {
        let runs = self.runs().await.into_iter().rev();
        runs.map(|run| (run.workspace, run.fire_at)).collect()
    }
}

#[tokio::test]
async fn each_workspace_runs_at_its_own_time_and_that_is_when_it_was_due() {
    let bench = Bench::new(Missed::Latest).await;
    spread(&bench, &["acme", "beta", "gamma"]);
    let times = in_order(["acme", "beta", "gamma"]);
    assert!(times.windows(2).all(|pair| pair[0].1 < pair[1].1), "{times:?}");
    bench.at(SUNDAY).await;
    let pulses: Vec<_> =
        bench.daemon.pulses().await.unwrap().into_iter().map(|pulse| (pulse.workspace, pulse.next)).collect();
    assert!(times.iter().all(|(name, at)| pulses.contains(&(name.clone(), Some(*at)))), "{pulses:?}");
    for (number, (_, at)) in times.iter().enumerate() {
        bench.at_moment(*at - chrono::Duration::seconds(1)).await;
        assert_eq!(bench.runs().await.len(), number);
        // A restart changes nothing.
        bench.daemon.forget();
        bench.at_moment(*at).await;
        assert_eq!(bench.fire_times().await, times[..=number]);
    }
    bench.at("2026-03-02T09:00:00Z").await;
    assert_eq!(bench.fire_times().await, times);
    assert!(bench.daemon.health().await.unwrap().incidents.is_empty());
    let published = bench.facts().await.into_iter().rev().find_map(|fact| match fact {
        Fact::Schedule { terms, .. } => terms,
        _ => None,
    });
    assert_eq!(published.unwrap().splay_minutes, Some(60));
}

#[tokio::test]
async fn after_a_late_start_each_workspace_is_caught_up_at_the_time_that_was_its_own() {
    let bench = Bench::new(Missed::Latest).await;
    spread(&bench, &["acme", "beta", "gamma"]);
    bench.at(SUNDAY).await;
    bench.at("2026-03-02T08:10:00Z").await;
    assert_eq!(bench.fire_times().await, in_order(["acme", "beta", "gamma"]));
}

#[tokio::test]
async fn a_workspace_that_comes_after_its_place_is_due_in_the_next_window() {
    let bench = Bench::new(Missed::Latest).await;
    let times = in_order(["acme", "beta", "gamma"]);
    let [early, middle, last] = &times;
    spread(&bench, &[&early.0, &last.0]);
    bench.at(SUNDAY).await;
    bench.at_moment(early.1).await;
    // The middle one comes when its own time has passed.
    let now = middle.1 + (last.1 - middle.1) / 2;
    *bench.now.lock().unwrap() = now;
    spread(&bench, &[&early.0, &middle.0, &last.0]);
    bench.at_moment(now).await;
    bench.at_moment(last.1 + chrono::Duration::minutes(1)).await;
    assert_eq!(bench.fire_times().await, [early.clone(), last.clone()]);
    let pulses = bench.daemon.pulses().await.unwrap();
    let next = pulses.iter().find(|pulse| pulse.workspace == middle.0).unwrap().next;
    assert_eq!(next, Some(middle.1 + chrono::Duration::weeks(1)));
}
