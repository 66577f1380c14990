//! Histories that nobody could write by hand: schedules, downtimes, clock jumps, faults of the API, of the mail server
//! and of the store, processes that die at any write or hang, two daemons on one store. After each one the same must
//! hold, over each database. A history is its seed: `ROLECALL_HISTORY=SEED cargo test histories` plays that one again, and
//! `ROLECALL_HISTORIES=N` plays N others.

mod check;
mod world;

use std::env;

use futures::future::join_all;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use tokio::runtime::Runtime;

use self::world::{Process, World};
use crate::store::{Database, postgres, testing as store_testing};

/// Histories that every test run plays; `tests/histories` plays ten thousand.
const HISTORIES: u64 = 30;
/// The same over PostgreSQL, where each takes longer.
const OVER_POSTGRES: u64 = 4;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn whatever_happens_every_review_is_made_once_and_mailed_once_or_it_is_on_record_why_not() {
    histories(HISTORIES, |seed| {
        let folder = tempfile::tempdir().unwrap();
        runtime().block_on(async { history(seed, store_testing::open(folder.path()).await).await })
    });
}

#[test]
fn the_same_holds_over_postgresql() {
    // One database for all, emptied for each: a new one would take longer than most histories.
    let runtime = runtime();
    let store = runtime.block_on(async { postgres::testing::open(&postgres::testing::database().await).await });
    histories(OVER_POSTGRES, |seed| {
        runtime.block_on(async {
            postgres::testing::empty(&store).await;
            history(seed, store.clone()).await
        })
    });
}

/// Plays histories, each of which gives how many runs and crashes there were.
fn histories(most: u64, play: impl Fn(u64) -> (u64, u64)) {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let one = number("ROLECALL_HISTORY");
    let first = one.unwrap_or_else(|| rand::rng().random_range(0..1 << 48));
    let histories = if one.is_some() { 1 } else { number("ROLECALL_HISTORIES").unwrap_or(most) };
    let (mut runs, mut crashes) = (0, 0);
    for seed in first..first + histories {
        let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| play(seed)));
        let Ok(played) = played else { panic!("ROLECALL_HISTORY={seed} plays this history again") };
        runs += played.0;
        crashes += played.1;
    }
    // A few histories may have no crash.
    let is_anything = runs > histories && (crashes > 0 || histories < HISTORIES);
    assert!(histories == 1 || is_anything, "{runs} runs, {crashes} crashes: nothing was tested");
}

/// Plays one history over an empty store; gives how many runs and crashes there were.
async fn history(seed: u64, store: impl Database + Clone + 'static) -> (u64, u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let world = World::new(&mut random, store);
    let mut processes = vec![world.process()];
    let mut crashes = 0;
    // Sets every cursor; what is promised begins here.
    world.calm(true);
    processes[0].settle().await;
    let began = world.now();
    world.calm(false);

    for _ in 0..random.random_range(5..25) {
        world.pass(&mut random);
        match random.random_range(0..10) {
            0 if processes.len() < 2 => processes.push(world.process()),
            // Killed while nothing was under way, and some time without anybody.
            1 if processes.len() == 1 => {
                processes.clear();
                world.pass(&mut random);
                processes.push(world.process());
            }
            2 => world.trouble(&mut random),
            // An old process may go on beside those with the new configuration.
            3 if !world.is_edited() => {
                world.edit().await;
                // A process that knows no job of that name could tell nobody why it fails.
                if world.has_a_new_job() || random.random_bool(0.7) {
                    processes.clear();
                    if random.random_bool(0.5) {
                        world.pass(&mut random);
                    }
                }
                processes.push(world.process());
            }
            _ => {}
        }
        let live = join_all(processes.iter_mut().map(Process::settle)).await;
        let before = processes.len();
        let mut lives = live.into_iter();
        processes.retain(|_| lives.next().unwrap_or_default());
        crashes += (before - processes.len()) as u64;
        world.go_on();
        if processes.is_empty() {
            processes.push(world.process());
        }
    }

    // Everything is well again, and there is time. Nobody runs the old configuration any more: it would take up runs of
    // workspaces that it does not have.
    if world.is_edited() {
        processes.clear();
    }
    world.calm(true);
    world.go_on();
    let mut last: Process = world.process();
    world.catch_up().await;
    for _ in 0..400 {
        world.wait(chrono::Duration::minutes(61));
        for process in processes.iter_mut().chain([&mut last]) {
            assert!(process.settle().await, "nothing can crash now");
        }
        if world.is_idle().await {
            break;
        }
    }
    let runs = check::all(&world, began).await;
    (runs, crashes)
}
