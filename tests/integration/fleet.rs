//! The store in PostgreSQL: every command works on it, a process may die anywhere, and several daemons share it.

use std::{
    fs,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use crate::{
    crash,
    postgres_server::{PASSWORD, USER, server},
    support::{Bench, options},
};

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
