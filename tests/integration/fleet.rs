//! The store in PostgreSQL: every command works on it, a process may die anywhere, and several daemons share it.

use std::{
    fs,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use crate::{
    crash,
    daemon::{Daemon, eventually},
    operation::ask,
    postgres_server::{PASSWORD, PostgresServer, USER, server},
    support::{Bench, options},
};

/// Longer than a daemon that stands still can hold up the others.
const STILL: Duration = Duration::from_mins(1);

/// A new database of the server that the tests of this process share.
fn database() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("fleet_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    psql("postgres", &format!("CREATE DATABASE {name} TEMPLATE template0"));
    name
}

/// What a statement answers, row by row.
pub(crate) fn psql(database: &str, sql: &str) -> String {
    let output = Command::new("psql")
        .args(["-h", "127.0.0.1", "-p", &server().port.to_string(), "-U", USER, "-d", database])
        .args(["-v", "ON_ERROR_STOP=1", "-qAtc", sql])
        .env("PGPASSWORD", PASSWORD)
        .output()
        .unwrap();
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Moves a configuration to a new database, whose name it gives.
pub(crate) fn move_to_postgres(bench: &Bench) -> String {
    let (port, name) = (server().port, database());
    fs::write(bench.path("store-password"), PASSWORD).unwrap();
    bench.reconfigure(
        "url = \"sqlite:rolecall.db\"",
        &format!("url = \"postgres://{USER}@127.0.0.1:{port}/{name}\"\npassword = {{ file = \"store-password\" }}"),
    );
    name
}

#[test]
fn every_command_works_on_a_database() {
    let bench = crate::evidence::bench(5);
    let name = move_to_postgres(&bench);
    let place = format!("postgres://{USER}@127.0.0.1:{}/{name}", server().port);
    let (code, _, said) = bench.run(&["history", "7"]);
    assert!(code == 1 && said.contains(&format!("there is no store yet: {place}")), "{said}");
    for (command, answer) in [
        (&["runs"][..], "No runs yet."),
        (&["runs", "replicas"], "No daemon is running."),
        (&["review", "list"], "No reviews yet."),
    ] {
        let (code, printed, said) = bench.run(command);
        assert!(code == 0 && printed.trim() == answer, "{command:?}: {printed}{said}");
        assert!(said.contains(&format!("there is no store yet: {place}; the first audit")), "{said}");
    }
    assert_eq!(bench.run(&["findings", "acme"]).0, 0);
    let schemas = "SELECT count(*) FROM pg_namespace WHERE nspname = 'rolecall'";
    assert_eq!(psql(&name, schemas).trim(), "0", "who only reads creates no store");
    bench.audit(&["--job", "weekly", "--send"]);
    bench.audit(&["--job", "weekly"]);
    for command in [
        &["check"][..],
        &["runs"],
        &["findings", "acme"],
        &["access", "--as-of", "2099-12-31"],
        &["evidence", "verify"],
        &["evidence", "list"],
        &["evidence", "coverage", "--from", "2026-01-01", "--to", "2026-02-01"],
        &["review", "list"],
    ] {
        let (code, printed, said) = bench.run(command);
        assert_eq!(code, 0, "{command:?}: {printed}{said}");
        assert!(!printed.contains(PASSWORD) && !said.contains(PASSWORD), "{command:?}: {printed}{said}");
    }
    assert_eq!(psql(&name, "SELECT count(*) FROM rolecall.run WHERE state = 'closed'").trim(), "1");
    assert!(!bench.path("rolecall.db").exists());
}

#[test]
fn an_error_names_the_database_and_never_the_password() {
    let bench = Bench::new(options(5));
    move_to_postgres(&bench);
    fs::write(bench.path("store-password"), "hunter2-is-wrong").unwrap();
    let (code, printed, said) = bench.run(&["audit"]);
    assert_eq!(code, 1, "{printed}");
    assert!(said.contains("the store postgres://postgres@127.0.0.1:") && said.contains("cannot be opened"), "{said}");
    assert!(said.contains("password authentication failed"), "{said}");
    assert!(!said.contains("hunter2") && !printed.contains("hunter2"), "{said}{printed}");
}

fn killed_before_and_after(write: &str) {
    for moment in ["before", "after"] {
        let bench = crash::bench();
        move_to_postgres(&bench);
        crash::killed_at(&bench, &format!("{write}.{moment}"));
    }
}

#[test]
fn a_process_dies_while_it_decides_what_is_due() {
    killed_before_and_after("decide");
}

#[test]
fn a_process_dies_while_it_takes_up_a_run() {
    killed_before_and_after("claim");
}

#[test]
fn a_process_dies_while_an_audit_is_recorded() {
    killed_before_and_after("record");
}

#[test]
fn a_process_dies_while_a_message_is_taken_out_of_the_outbox() {
    killed_before_and_after("take_message");
}

#[test]
fn a_process_dies_when_the_mail_server_has_accepted_a_message() {
    killed_before_and_after("sent");
}

#[test]
fn a_process_dies_while_a_run_is_closed() {
    killed_before_and_after("close");
}

#[test]
fn a_daemon_that_stood_still_longer_than_its_lease_does_nothing_twice() {
    let bench = crash::bench();
    let name = move_to_postgres(&bench);
    let in_work = "SELECT count(*) FROM rolecall.run WHERE state IN ('claimed', 'read', 'judged')";
    let victim = Daemon::start(&bench);
    eventually("its first review", || crash::closed(&bench) > 0);
    // It stands still while it works on a run.
    eventually("that it is stopped in the middle of a run", || {
        victim.signal("-STOP");
        let is_working = psql(&name, in_work).trim() == "1";
        if !is_working {
            victim.signal("-CONT");
        }
        is_working
    });
    let others = [Daemon::start(&bench), Daemon::start(&bench)];
    let wanted = crash::closed(&bench) + 3;
    let begun = Instant::now();
    eventually("that the others take over", || {
        let (one, other) = (&others[0], &others[1]);
        assert!(begun.elapsed() < STILL, "the others do not take over:\n{}\n{}", one.said(), other.said());
        crash::closed(&bench) >= wanted
    });
    victim.signal("-CONT");
    eventually("that it learns that its run was taken", || {
        victim.said().contains("another process has claimed this run")
    });
    let wanted = crash::closed(&bench) + 3;
    eventually("more reviews", || crash::closed(&bench) >= wanted);
    for daemon in others.into_iter().chain([victim]) {
        let (code, said) = daemon.stop();
        assert_eq!(code, Some(0), "{said}");
    }
    assert_eq!(psql(&name, "SELECT count(*) FROM rolecall.replica").trim(), "0", "all of them have left");
    crash::check(&bench, "SIGSTOP");
}

#[test]
fn replicas_that_do_not_agree_are_refused_or_named() {
    let bench = crash::bench();
    let name = move_to_postgres(&bench);
    let first = Daemon::start(&bench);
    first.address();
    // Another key.
    let mine = bench.read("rolecall.toml");
    let (code, _, said) = bench.run(&["evidence", "init-key", "--out", "other-key"]);
    assert_eq!(code, 0, "{said}");
    bench.reconfigure("{ file = \"key\" }", "{ file = \"other-key\" }");
    let (code, said) = Daemon::start(&bench).wait();
    assert!(code == Some(1) && said.contains("which runs on the same store, signs evidence with SHA256:"), "{said}");
    for command in
        [&["audit"][..], &["review", "open", "quarterly"], &["tools", "call", "run_access_audit", "--arguments", "{}"]]
    {
        let (code, printed, said) = bench.run(command);
        let said = format!("{printed}{said}");
        assert!(
            code == 1 && said.contains("which runs on the same store, signs evidence with SHA256:"),
            "{command:?}: {said}"
        );
    }
    let keys = "SELECT count(*) FROM rolecall.ledger WHERE kind = 'key'";
    assert_eq!(psql(&name, keys).trim(), "1", "the other key has signed nothing");
    // Another configuration: it runs, and both say so.
    fs::write(bench.path("rolecall.toml"), mine).unwrap();
    bench.reconfigure("[daemon]", "[daemon]\nreplica = \"second\"");
    bench.reconfigure("attach = [\"csv\", \"xlsx\"]", "attach = [\"csv\"]");
    let second = Daemon::start(&bench);
    eventually("that the second names the first", || second.said().contains("has another configuration"));
    eventually("that the first names the second", || {
        first.said().contains("the replica second has another configuration")
    });
    assert!(!first.said().contains(PASSWORD) && !second.said().contains(PASSWORD));
    // Neither a copy of the store nor one into it is made while they use it.
    let url = format!("postgres://{USER}@127.0.0.1:{}/{name}", server().port);
    for (from, to) in [(&*url, "sqlite:copy.db"), ("sqlite:copy.db", &*url)] {
        fs::write(bench.path("copy.db"), "").unwrap();
        let (code, _, said) = bench.run(&["store", "copy", "--from", from, "--to", to]);
        assert!(
            code == 1 && said.contains("second") && said.contains(" use it. Stop all daemons on both stores first"),
            "{said}"
        );
    }
    // Both are listed, and one that is killed is not taken for one that left.
    let listed = || {
        let (code, printed, said) = bench.run(&["runs", "replicas", "--format", "json"]);
        assert_eq!(code, 0, "{said}");
        serde_json::from_str::<Vec<serde_json::Value>>(&printed).unwrap()
    };
    let both = listed();
    assert_eq!(both.len(), 2, "{both:?}");
    let named = both.iter().find(|one| one["name"] == "second").unwrap();
    assert_eq!((&named["version"], &named["gone"]), (&env!("CARGO_PKG_VERSION").into(), &false.into()));
    assert!(named["clock_ahead_seconds"].as_f64().unwrap().abs() < 2.0, "{named}");
    let readyz: serde_json::Value = serde_json::from_str(&ask(&second.address(), "/readyz").1).unwrap();
    assert_eq!((&readyz["replica"]["name"], &readyz["replica"]["of"]), (&"second".into(), &2.into()));
    let metrics = ask(&second.address(), "/metrics").1;
    for line in [
        "rolecall_replicas{} 2.0",
        "rolecall_replica_runs{replica=\"second\"} ",
        "rolecall_replica_clock_ahead_seconds{",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    second.signal("-KILL");
    second.wait();
    psql(&name, "UPDATE rolecall.replica SET seen_at = seen_at - 60000 WHERE name = 'second'");
    let (code, printed, said) = bench.run(&["runs", "replicas"]);
    assert!(code == 0 && printed.contains("second  rolecall ") && printed.contains(", GONE"), "{printed}{said}");
}

/// Waits until more runs are closed: longer than a run waits whose attempt met the restart.
fn closes(bench: &Bench, daemon: &Daemon, more: usize) {
    let (wanted, deadline) = (crash::closed(bench) + more, Instant::now() + Duration::from_secs(100));
    while crash::closed(bench) < wanted {
        assert!(Instant::now() < deadline, "no more reviews: {}", daemon.said());
        std::thread::park_timeout(Duration::from_millis(100));
    }
}

#[test]
fn a_server_that_restarts_holds_up_and_loses_nothing() {
    let mut process = PostgresServer::start();
    let bench = crash::bench();
    fs::write(bench.path("store-password"), PASSWORD).unwrap();
    bench.reconfigure(
        "url = \"sqlite:rolecall.db\"",
        &format!(
            "url = \"postgres://{USER}@127.0.0.1:{}/postgres\"\npassword = {{ file = \"store-password\" }}",
            process.port
        ),
    );
    let daemon = Daemon::start(&bench);
    for command in ["stop", "kill"] {
        closes(&bench, &daemon, 2);
        process.tell(command);
        eventually("that the daemon says so", || daemon.said().contains("the store or the ledger failed"));
        let (status, metrics) = ask(&daemon.address(), "/metrics");
        let has = ["rolecall_alive ", "rolecall_store_readable 0", "rolecall_replica_runs{"];
        assert!(status == 200 && has.iter().all(|line| metrics.contains(line)), "{metrics}");
        let asked = Instant::now();
        let (status, page) = ask(&daemon.address(), "/");
        assert!(asked.elapsed() < Duration::from_secs(12), "it waits for 5 seconds, and not as long as a connection");
        let has = ["The store cannot be read", "<td>weekly</td><td>acme</td><td>unknown</td>"];
        assert!(status == 503 && has.iter().all(|part| page.contains(part)), "{page}");
        process.tell("start");
    }
    closes(&bench, &daemon, 2);
    let (code, said) = daemon.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains(PASSWORD), "{said}");
    crash::check(&bench, "a restart of the server");
}

#[test]
fn a_store_is_moved_from_a_file_to_a_database_and_goes_on_there() {
    let bench = crate::evidence::bench(5);
    bench.audit(&["--job", "weekly", "--send"]);
    let (port, name) = (server().port, database());
    fs::write(bench.path("store-password"), PASSWORD).unwrap();
    fs::write(bench.path("db-ca.pem"), &server().certificate).unwrap();
    let url = format!("postgres://{USER}@localhost:{port}/{name}?sslmode=verify-full");
    let copy = ["store", "copy", "--from", "sqlite:rolecall.db", "--to", &url];
    let secrets = ["--to-password-file", "store-password", "--root-certificate", "db-ca.pem"];
    let (code, printed, said) = bench.run(&[&copy[..], &secrets].concat());
    assert_eq!(code, 0, "{printed}{said}");
    assert!(printed.contains("ok       ledger") && printed.contains("Both stores hold the same"), "{printed}");
    bench.reconfigure(
        "url = \"sqlite:rolecall.db\"",
        &format!("url = \"{url}\"\npassword = {{ file = \"store-password\" }}\nroot_certificate = \"db-ca.pem\""),
    );
    fs::remove_file(bench.path("rolecall.db")).unwrap();
    let (code, printed, said) = bench.run(&["store", "check"]);
    assert_eq!(code, 0, "{printed}{said}");
    assert_eq!(printed.lines().filter(|line| line.starts_with("ok ")).count(), 9, "{printed}");
    assert!(printed.contains("the authority and the name are verified (TLSv1"), "{printed}");
    let (code, printed, said) = bench.run(&["runs"]);
    assert!(code == 0 && printed.contains("weekly"), "{printed}{said}");
    bench.audit(&["--job", "weekly", "--send"]);
    let (code, printed, said) = bench.run(&["evidence", "verify"]);
    assert_eq!(code, 0, "{printed}{said}");
    // The configuration knows the password now; the target has something.
    let (code, _, said) = bench.run(&["store", "copy", "--from", "sqlite:other.db", "--to", &url]);
    assert!(code == 2 && said.contains("there is no store at"), "{said}");
    let back = ["store", "copy", "--from", &url, "--to", "sqlite:back.db"];
    assert_eq!(bench.run(&back).0, 0);
    let (code, _, said) = bench.run(&back);
    assert!(code == 1 && said.contains("back.db is not empty"), "{said}");
}

#[test]
fn a_file_that_a_daemon_uses_is_not_copied() {
    let bench = crate::evidence::bench(5);
    bench.audit(&["--job", "weekly"]);
    let daemon = Daemon::start(&bench);
    daemon.address();
    let copy = ["store", "copy", "--from", "sqlite:rolecall.db", "--to", "sqlite:copy.db"];
    let (code, _, said) = bench.run(&copy);
    assert!(
        code == 1 && said.contains("rolecall.db cannot be opened: another process uses it. Stop all daemons"),
        "{said}"
    );
    fs::write(bench.path("other.db"), "").unwrap();
    let (code, _, said) = bench.run(&["store", "copy", "--from", "sqlite:other.db", "--to", "sqlite:rolecall.db"]);
    assert!(code == 1 && said.contains("another process uses it"), "{said}");
    let (code, said) = daemon.stop();
    assert_eq!(code, Some(0), "{said}");
    let (code, printed, said) = bench.run(&copy);
    assert_eq!(code, 0, "{printed}{said}");
}

#[test]
fn a_stage_that_fails_says_what_to_do() {
    let bench = Bench::new(options(5));
    move_to_postgres(&bench);
    fs::write(bench.path("store-password"), "hunter2-is-wrong").unwrap();
    let (code, printed, said) = bench.run(&["store", "check"]);
    assert!(code == 1 && said.contains("sign-in failed"), "{printed}{said}");
    assert!(printed.contains("FAILED   sign-in") && printed.contains("pg_hba.conf"), "{printed}");
    assert!(printed.contains("schema          not reached") && !printed.contains("hunter2"), "{printed}");
}

#[test]
fn processes_share_an_access_token_which_the_database_keeps_encrypted() {
    let bench = crate::evidence::bench(5);
    let name = move_to_postgres(&bench);
    bench.audit(&["--job", "weekly"]);
    fs::write(bench.path("token-key"), "too short").unwrap();
    bench.reconfigure(
        "{ file = \"store-password\" }",
        "{ file = \"store-password\" }\ntoken_key = { file = \"token-key\" }",
    );
    let (code, _, said) = bench.run(&["audit", "--job", "weekly"]);
    assert!(code != 0 && said.contains("`store.token_key` has fewer than 32 characters"), "{said}");
    fs::write(bench.path("token-key"), "the same for all replicas, thirty-two at least").unwrap();
    let asked_for = || bench.simulator.journal().token_requests();
    let before = asked_for();
    for _ in 0..3 {
        bench.audit(&["--job", "weekly"]);
    }
    assert_eq!(asked_for() - before, 1);
    let kept = psql(&name, "SELECT held_until || ' ' || encode(sealed, 'escape') FROM rolecall.access_token");
    assert!(kept.starts_with("0 ") && kept.len() > 100 && !kept.contains("expires_at"), "{kept}");
    // With another key it cannot be read; a process that died with the turn holds nobody up for longer than its time.
    fs::write(bench.path("token-key"), "another one for all replicas, thirty-two at least").unwrap();
    psql(&name, "UPDATE rolecall.access_token SET holder = '\\x01', held_until = 1");
    let (code, _, said) = bench.run(&["audit", "--job", "weekly"]);
    assert!(code == 0 && said.contains("an access token in the store cannot be decrypted"), "{said}");
    assert_eq!(asked_for() - before, 2);
    bench.audit(&["--job", "weekly"]);
    assert_eq!(asked_for() - before, 2);
}

#[test]
fn a_daemon_need_not_own_the_tables() {
    let bench = crate::evidence::bench(5);
    let name = move_to_postgres(&bench);
    let port = server().port;
    let role = format!("app {name}");
    psql("postgres", &format!("CREATE ROLE \"{role}\" LOGIN PASSWORD 'of the daemon'"));
    fs::write(bench.path("owner-password"), PASSWORD).unwrap();
    fs::write(bench.path("store-password"), "of the daemon").unwrap();
    bench.reconfigure(&format!("postgres://{USER}@"), &format!("postgres://{}@", role.replace(' ', "%20")));
    let (code, _, said) = bench.run(&["audit", "--job", "weekly"]);
    assert!(code == 1 && said.contains("rolecall store migrate --url"), "{said}");
    let url = |database: &str| format!("postgres://{USER}@127.0.0.1:{port}/{database}");
    let migrate =
        |database: &str| bench.run(&["store", "migrate", "--url", &url(database), "--password-file", "owner-password"]);
    let (code, printed, said) = migrate(&name);
    assert!(code == 0 && printed.contains(&format!("{role} may read and write every table")), "{printed}{said}");
    assert_eq!(migrate(&name).0, 0, "again");
    let (code, _, said) = migrate("postgres");
    assert!(code == 2 && said.contains("another database"), "{said}");
    bench.audit(&["--job", "weekly", "--send"]);
    let (code, printed, said) = bench.run(&["store", "check"]);
    assert!(code == 0 && printed.contains("another role owns them"), "{printed}{said}");
    for (right, is_given) in [("INSERT", "t"), ("UPDATE", "f"), ("DELETE", "f"), ("TRUNCATE", "f")] {
        let sql = format!("SELECT has_table_privilege('{role}', 'rolecall.ledger', '{right}')");
        assert_eq!(psql(&name, &sql).trim(), is_given, "{right}");
    }
}
