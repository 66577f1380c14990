//! The store is lost and the evidence is kept: `store rebuild --from-evidence` restores what the evidence has, says what it
//! has not, and the daemon goes on without doing anything twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::Instant,
};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use rolecall::{
    app,
    audit::RuleSet,
    clock::Clock,
    config,
    daemon::Daemon,
    ledger::{Fact, Head},
    schedule::Schedule,
    store::{
        copy::{Rows as _, TABLES, Value as Cell},
        sqlite::SqliteStore,
    },
};
use rolecall_simulator::{Now, Options};
use serde_json::{Value, json};

use crate::{
    daemon::runs,
    support::{Bench, options},
};

const REBUILD: [&str; 3] = ["store", "rebuild", "--from-evidence"];

/// A clock that is set, and then runs on.
#[derive(Clone)]
struct Time(Arc<Mutex<(DateTime<Utc>, Instant)>>);

impl Time {
    fn now(&self) -> DateTime<Utc> {
        let (at, since) = *self.0.lock().unwrap();
        at + since.elapsed()
    }

    fn set(&self, at: DateTime<Utc>) {
        *self.0.lock().unwrap() = (at, Instant::now());
    }
}

/// A bench whose daemon runs in this process, by a clock that is set.
struct Weeks {
    bench: Bench,
    time: Time,
}

impl Weeks {
    fn new() -> Self {
        let time = Time(Arc::new(Mutex::new((Utc::now(), Instant::now()))));
        let now = {
            let time = time.clone();
            Now::new(move || time.now())
        };
        let bench = crate::review::bench_with(Options { now, ..options(30) });
        let credentials = bench.simulator.credentials();
        fs::write(bench.path("client-secret"), &credentials.client_secret).unwrap();
        fs::write(bench.path("refresh-token"), &credentials.refresh_token).unwrap();
        bench.reconfigure("{ env = \"TEST_CLIENT_SECRET\" }", "{ file = \"client-secret\" }");
        bench.reconfigure("{ env = \"TEST_REFRESH_TOKEN\" }", "{ file = \"refresh-token\" }");
        // Opened on the first Tuesday.
        bench.reconfigure("\"0 9 1 1,4,7,10 *\"", "\"0 9 * * TUE\"");
        Self { bench, time }
    }

    /// The daemon of a process that has just started.
    async fn daemon(&self) -> Arc<Daemon> {
        let rules = RuleSet::built_in();
        let rules: Vec<&str> = rules.list().names().collect();
        let settings = config::load(&self.bench.path("rolecall.toml"), &rules, Utc::now()).unwrap().settings;
        let clock = {
            let time = self.time.clone();
            Clock::new(move || time.now())
        };
        let store = app::store(&settings).await.unwrap();
        let setup = app::daemon_setup(&settings, &clock, &app::Links::new(clock.clone())).unwrap();
        Daemon::new(store, clock, setup)
    }

    /// Changes the access of an ordinary user.
    fn promote_somebody(&self) -> String {
        self.bench.simulator.world().edit(|world| {
            let users = world.users();
            let ordinary = |user: &&Value| {
                user["status"] == "active" && user["confirm"] == true && user["profile"]["name"] == "Standard"
            };
            let user = users.iter().find(ordinary).unwrap();
            world.promote(user["id"].as_str().unwrap()).unwrap();
            user["email"].as_str().unwrap().to_owned()
        })
    }
}

/// The last scheduled times before now.
fn mondays(many: usize) -> Vec<DateTime<Utc>> {
    let schedule = Schedule::parse("0 8 * * MON", chrono_tz::Europe::Berlin, Utc::now()).unwrap();
    let now = Utc::now();
    let passed: Vec<_> = schedule.times(now - TimeDelta::weeks(20)).take_while(|time| *time < now).collect();
    passed[passed.len() - many..].to_vec()
}

/// What a command prints; it must end with this code.
fn said(bench: &Bench, code: i32, arguments: &[&str]) -> String {
    let (found, stdout, stderr) = bench.run(arguments);
    assert_eq!(found, code, "{arguments:?}: {stdout}{stderr}");
    stdout
}

fn lose_the_store(bench: &Bench) {
    fs::create_dir(bench.path("lost")).unwrap();
    for file in ["rolecall.db", "rolecall.db-wal", "rolecall.db-shm"] {
        if bench.path(file).exists() {
            fs::rename(bench.path(file), bench.path("lost").join(file)).unwrap();
        }
    }
}

/// All rows of a table of a store in a file, without some columns.
async fn rows(store: &Path, table: &str, without: &[&str]) -> Vec<Vec<(String, Cell)>> {
    let store = SqliteStore::open_to_copy(store).await.unwrap();
    let table = TABLES.into_iter().find(|of| of.name == table).unwrap();
    let columns = store.columns(table).await.unwrap();
    let rows = store.rows(table, &columns, None, 100_000).await.unwrap();
    let row = |row: Vec<Cell>| {
        let named = columns.iter().map(|column| column.name.clone()).zip(row);
        named.filter(|(name, _)| !without.contains(&name.as_str())).collect()
    };
    rows.into_iter().map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_store_is_restored_from_weeks_of_evidence_and_nothing_is_done_twice() {
    let weeks = Weeks::new();
    let bench = &weeks.bench;
    let due = mondays(6);
    weeks.time.set(due[0] - TimeDelta::days(1));
    let daemon = weeks.daemon().await;
    daemon.settle().await.unwrap();
    let mut promoted = String::new();
    // A review that is overdue is told of once a week, at the moment of its opening. The last week begins a minute after that
    // moment, so that nothing is left to tell.
    let lateness = [1, 1, 1, 1, 30 * 3600, 61].map(TimeDelta::seconds);
    for (week, (monday, late)) in due.iter().zip(lateness).enumerate() {
        // The daemon is down for two weeks and comes back late.
        if matches!(week, 2 | 3) {
            continue;
        }
        if week == 1 {
            promoted = weeks.promote_somebody();
        }
        weeks.time.set(*monday + late);
        daemon.settle().await.unwrap();
    }
    drop(daemon);
    // Decisions of a review that goes on, which the daemon has opened.
    let reviews: Vec<Value> = serde_json::from_str(&said(bench, 0, &["review", "list", "--format", "json"])).unwrap();
    let review = reviews[0]["id"].as_str().unwrap().to_owned();
    let items = crate::review::items(bench, &review);
    let (item, reviewer) = (items[1]["item"].as_str().unwrap(), items[1]["reviewer"].as_str().unwrap());
    let decided = crate::review::decide(bench, &review, item, "keep", reviewer, &["--reason", "needed for the work"]);
    assert_eq!(decided.0, 0, "{}", decided.1);

    let (from, to) = (due[0].date_naive().to_string(), due[5].date_naive().to_string());
    let as_of = (due[1].date_naive() + TimeDelta::days(1)).to_string();
    let questions: Vec<Vec<&str>> = vec![
        vec!["evidence", "coverage", "--from", &from, "--to", &to],
        vec!["access", "--as-of", &as_of, "--format", "json"],
        vec!["history", &promoted, "--format", "json"],
        vec!["review", "show", &review, "--format", "json"],
        vec!["review", "list", "--format", "json"],
        vec!["evidence", "verify", "--all"],
    ];
    let codes = [3, 0, 0, 0, 0, 0];
    let ask =
        || -> Vec<String> { questions.iter().zip(codes).map(|(question, code)| said(bench, code, question)).collect() };
    let state = |run: &Value| json!([run["job"], run["workspace"], run["fire_at"], run["state"], run["id"]]);
    let (before, runs_before) = (ask(), runs(bench));
    assert_eq!(runs_before.len(), 4, "{runs_before:#?}");

    lose_the_store(bench);
    let printed = said(bench, 0, &REBUILD);
    assert!(printed.contains("Nothing that the ledger names is missing."), "{printed}");
    assert!(printed.contains("4 audits with all that they saw."), "{printed}");
    let (code, _, why) = bench.run(&REBUILD);
    assert!(code == 1 && why.contains("is not empty") && why.contains("Nothing was changed"), "{why}");

    for (question, (before, after)) in questions.iter().zip(before.iter().zip(ask())) {
        assert_eq!(*before, after, "{question:?}");
    }
    let runs_after = runs(bench);
    assert_eq!(runs_after.iter().map(state).collect::<Vec<_>>(), runs_before.iter().map(state).collect::<Vec<_>>());

    // What the store holds is the same, to the byte, but for what the evidence never had.
    let (lost, found) = (bench.path("lost/rolecall.db"), bench.path("rolecall.db"));
    let own: [(&str, &[&str]); 7] = [
        ("audit", &[]),
        ("snapshot_part", &[]),
        ("ledger", &[]),
        ("gap", &["recorded_at"]),
        ("review", &["next_message", "told_events"]),
        ("review_event", &[]),
        ("notification", &["sender", "created_at", "not_before", "finished_at", "id", "fence"]),
    ];
    for (table, without) in own {
        let (original, restored) = (rows(&lost, table, without).await, rows(&found, table, without).await);
        let mut both = [original, restored];
        for rows in &mut both {
            rows.sort();
        }
        assert_eq!(both[0], both[1], "{table}");
        assert!(!both[0].is_empty(), "{table}");
    }

    // The daemon starts on the restored store: nothing is due, nothing is sent.
    let mails = bench.simulator.inbox().messages().len();
    weeks.time.set(Utc::now().max(weeks.time.now()));
    let daemon = weeks.daemon().await;
    daemon.settle().await.unwrap();
    assert_eq!(bench.simulator.inbox().messages().len(), mails, "nothing is sent twice");
    assert_eq!(runs(bench).len(), 4, "nothing is done twice");
    assert!(said(bench, 0, &["evidence", "verify"]).contains("nothing has been changed"));
    // The next week is the next run, compared with the last one.
    weeks.time.set(due[5] + TimeDelta::weeks(1) + TimeDelta::seconds(1));
    daemon.settle().await.unwrap();
    let after = runs(bench);
    assert_eq!((after.len(), &after[0]["state"]), (5, &json!("closed")), "{after:#?}");
    let compared = runs_before[0]["id"].as_str().unwrap();
    let report = report_of(bench, after[0]["id"].as_str().unwrap());
    assert_eq!(report["previous"]["audit_id"], compared);

    // While this process has it open, nothing else is restored into it.
    let (code, _, why) = bench.run(&REBUILD);
    assert!(code == 1 && why.contains("another process uses it"), "{why}");
}

/// What an account is: status, role and profile by id.
type Account = [String; 3];

/// The reads of a workspace: when each ended, and what it must have seen.
type Truth = Vec<(DateTime<Utc>, BTreeMap<String, Account>)>;

impl Weeks {
    /// A few random changes of the workspace.
    fn change(&self, random: &mut StdRng) {
        self.bench.simulator.world().edit(|world| {
            let standard = "5820190000000026014";
            for _ in 0..random.random_range(2..5) {
                let users = world.user_ids();
                // The first one reads, and the next are named by the configuration of reviews.
                let user = &users[random.random_range(4..users.len())];
                let roles: Vec<String> =
                    world.roles().iter().map(|role| role["id"].as_str().unwrap().to_owned()).collect();
                match random.random_range(0..5) {
                    0 => world.promote(user).unwrap(),
                    1 => world.set_profile(user, standard).unwrap(),
                    2 => world.set_role(user, &roles[random.random_range(0..roles.len())]).unwrap(),
                    3 => world.disable(user).unwrap(),
                    _ => {
                        let name = random.random_range(0..u32::MAX);
                        world.add_user(&json!({"email": format!("user{name}@example.com")}));
                    }
                }
            }
        });
    }

    fn accounts(&self) -> BTreeMap<String, Account> {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let account = |user: &Value| {
            (text(&user["id"]), [text(&user["status"]), text(&user["role"]["id"]), text(&user["profile"]["id"])])
        };
        self.bench.simulator.world().read(|world| world.users().iter().map(account).collect())
    }
}

/// Compares what the store says of many moments with the truth: before the first read, at each read and a millisecond beside
/// it, in the weeks between, and after the last.
fn is_told_as_it_was(bench: &Bench, truth: &Truth, random: &mut StdRng) {
    let millisecond = TimeDelta::milliseconds(1);
    let mut moments: Vec<DateTime<Utc>> =
        truth.iter().flat_map(|(at, _)| [*at - millisecond, *at, *at + millisecond]).collect();
    let (first, last) = (truth[0].0, truth[truth.len() - 1].0);
    moments.extend([first - TimeDelta::days(400), last + TimeDelta::days(400)]);
    let minutes = (last - first).num_minutes();
    moments.extend((0..12).map(|_| first + TimeDelta::minutes(random.random_range(0..minutes))));
    for moment in moments {
        let as_of = moment.to_rfc3339_opts(SecondsFormat::Millis, true);
        let (code, out, said) = bench.run(&["access", "--as-of", &as_of, "--format", "json"]);
        let answer: Value = serde_json::from_str(&out).unwrap();
        let then = &answer["workspaces"][0];
        let place = truth.iter().rposition(|(at, _)| *at <= moment);
        let time = |value: &Value| value["at"].as_str().map(|at| at.parse::<DateTime<Utc>>().unwrap());
        assert_eq!(time(&then["read"]), place.map(|place| truth[place].0), "{as_of}");
        let next = place.map_or(0, |place| place + 1);
        assert_eq!(time(&then["next_read"]), truth.get(next).map(|(at, _)| *at), "{as_of}");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let accounts = then["accounts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| (text(&row["user_id"]), ["status", "role_id", "profile_id"].map(|key| text(&row[key]))));
        let accounts: BTreeMap<String, Account> = accounts.collect();
        match place {
            Some(place) => assert_eq!((code, &accounts), (0, &truth[place].1), "{as_of}: {said}"),
            None => assert!(code == 1 && accounts.is_empty(), "{as_of}: {said}"),
        }
    }
}

/// Compares the history of an account with the truth: at each read, the period that it falls into says what it saw.
fn is_the_history(bench: &Bench, truth: &Truth, user: &str) {
    let history: Value = serde_json::from_str(&said(bench, 0, &["history", user, "--format", "json"])).unwrap();
    let periods = history.as_array().unwrap();
    for (at, accounts) in truth {
        let time = |value: &Value| value["at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
        let period = periods.iter().find(|one| time(&one["first_seen"]) <= *at && *at <= time(&one["last_seen"]));
        let access = period.map(|one| &one["access"]).filter(|access| !access.is_null());
        let told = access.map(|access| {
            ["status", "role_id", "profile_id"].map(|key| access[key].as_str().unwrap_or_default().to_owned())
        });
        assert_eq!(told.as_ref(), accounts.get(user), "{user} {at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn random_days_are_told_as_they_were_also_by_a_store_that_was_restored() {
    let weeks = Weeks::new();
    let (bench, mut random) = (&weeks.bench, StdRng::seed_from_u64(16));
    let due = mondays(9);
    weeks.time.set(due[0] - TimeDelta::days(1));
    let daemon = weeks.daemon().await;
    daemon.settle().await.unwrap();
    let mut seen = Vec::new();
    for (week, monday) in due.iter().enumerate() {
        weeks.change(&mut random);
        // Nobody sees what is changed and changed back in these weeks.
        if matches!(week, 3 | 4) {
            continue;
        }
        weeks.time.set(*monday + TimeDelta::seconds(1));
        daemon.settle().await.unwrap();
        seen.push(weeks.accounts());
    }
    drop(daemon);
    let read = crate::review::facts(bench, "recorded");
    let read = read.iter().map(|fact| fact["read_to"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap());
    let read: Vec<DateTime<Utc>> = read.collect();
    assert_eq!(read.len(), seen.len());
    let truth: Truth = read.into_iter().zip(seen).collect();
    let users: BTreeSet<&String> = truth.iter().flat_map(|(_, accounts)| accounts.keys()).collect();
    let users: Vec<&String> = users.into_iter().rev().step_by(5).collect();
    let changed = truth.windows(2).filter(|reads| reads[0].1 != reads[1].1).count();
    assert!(changed > 3, "the weeks differ: {changed}");

    is_told_as_it_was(bench, &truth, &mut random);
    for user in &users {
        is_the_history(bench, &truth, user);
    }
    lose_the_store(bench);
    said(bench, 0, &REBUILD);
    is_told_as_it_was(bench, &truth, &mut random);
    for user in &users {
        is_the_history(bench, &truth, user);
    }
}

/// The report in the bag of a run.
fn report_of(bench: &Bench, run: &str) -> Value {
    let mut bags = fs::read_dir(bench.path("bags")).unwrap().map(|entry| entry.unwrap().path());
    let bag = bags.find(|bag| bag.to_string_lossy().contains(run)).unwrap();
    serde_json::from_slice(&fs::read(bag.join("data/reports/report.json")).unwrap()).unwrap()
}

/// Three audits of a job, each mailed.
fn audited() -> Bench {
    let bench = crate::evidence::bench(8);
    for _ in 0..3 {
        bench.audit(&["--job", "weekly", "--send"]);
    }
    bench
}

fn bags(bench: &Bench) -> Vec<String> {
    let listed = said(bench, 0, &["evidence", "list"]);
    let name = |line: &str| Path::new(line).file_name().unwrap().to_string_lossy().into_owned();
    listed.lines().filter(|line| !line.starts_with(' ')).map(name).collect()
}

#[test]
fn a_bag_that_was_changed_is_named_and_left_out_and_a_changed_ledger_is_not_believed() {
    let bench = audited();
    let before = runs(&bench);
    lose_the_store(&bench);
    let ledger = bench.read("bags/ledger.jsonl");

    fs::write(bench.path("bags/ledger.jsonl"), ledger.replacen("\"users\":8", "\"users\":9", 1)).unwrap();
    let (code, _, why) = bench.run(&REBUILD);
    assert!(code == 1 && why.contains("is not as it was written, so nothing of it is believed"), "{why}");

    // Somebody appends an entry with a correct chain.
    let last = serde_json::from_str::<Value>(ledger.lines().last().unwrap()).unwrap();
    let sha256 = rolecall::digest::sha256(ledger.lines().last().unwrap().as_bytes());
    let head = Head { number: last["number"].as_u64().unwrap(), sha256 };
    let forged = head.link(Utc::now(), Fact::Key { fingerprint: None, signer: None }).unwrap();
    fs::write(bench.path("bags/ledger.jsonl"), format!("{ledger}{}\n", forged.text)).unwrap();
    let (code, _, why) = bench.run(&REBUILD);
    assert!(code == 1 && why.contains("not signed yet: anybody") && why.contains("--accept-unsigned"), "{why}");
    fs::write(bench.path("bags/ledger.jsonl"), &ledger).unwrap();

    let witness = format!("{}:{}", head.number, "0".repeat(64));
    let (code, _, why) = bench.run(&[&REBUILD[..], &["--witness", &witness]].concat());
    assert!(code == 1 && why.contains("differs from the one that the witness knows"), "{why}");

    // The bag in the middle has what the first audit saw, which is then made again from its own answers.
    let middle = &bags(&bench)[1];
    let file = bench.path("bags").join(middle).join("data/reports/findings.csv");
    fs::write(&file, fs::read_to_string(&file).unwrap() + "added\n").unwrap();
    let printed = said(&bench, 0, &REBUILD);
    assert!(printed.contains(&format!("the bag {middle} is not as it was sealed")), "{printed}");
    assert!(printed.contains("3 audits with all that they saw."), "made again from the first bag: {printed}");
    let after = runs(&bench);
    assert_eq!(after.len(), 3);
    for (one, other) in before.iter().zip(&after) {
        assert_eq!((&one["id"], &one["state"]), (&other["id"], &other["state"]));
    }
}

#[test]
fn a_store_in_a_database_is_restored_and_the_next_audit_goes_on() {
    let bench = audited();
    let before = runs(&bench);
    lose_the_store(&bench);
    crate::fleet::move_to_postgres(&bench);
    let printed = said(&bench, 0, &REBUILD);
    assert!(printed.contains("Nothing that the ledger names is missing."), "{printed}");
    assert_eq!(before.len(), runs(&bench).len());
    bench.audit(&["--job", "weekly", "--send"]);
    assert_eq!(bench.simulator.inbox().messages().len(), 8, "two for each audit");
    assert!(said(&bench, 0, &["evidence", "verify"]).contains("nothing has been changed"));
    let today = Utc::now().date_naive().to_string();
    assert!(said(&bench, 0, &["access", "--as-of", &today, "--format", "json"]).contains("acme"));
}
