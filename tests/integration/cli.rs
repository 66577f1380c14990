//! The command line itself: help, rules, manual page, completions, colours.

use std::{
    ffi::OsString,
    io::Write as _,
    process::{Command, Stdio},
};

use crate::{
    support::{Bench, options, printed, rolecall},
    tools::run_script,
};

/// What a command prints on stdout; it must succeed and say nothing on stderr.
fn says(arguments: &[&str]) -> String {
    let output = rolecall().args(arguments).output().unwrap();
    let (stdout, stderr) = printed(&output);
    assert_eq!((output.status.code(), stderr.as_str()), (Some(0), ""), "{arguments:?}");
    stdout
}

#[test]
fn every_command_explains_itself() {
    for command in [
        "",
        "demo",
        "init",
        "check",
        "audit",
        "evidence",
        "evidence init-key",
        "evidence list",
        "evidence verify",
        "preflight",
        "users",
        "users show",
        "roles",
        "profiles",
        "org",
        "me",
        "offboard",
        "mcp",
        "tools",
        "tools call",
        "tools serve",
        "daemon",
        "runs",
        "runs show",
        "runs retry",
        "rules",
        "mail",
        "mail test",
        "simulate",
        "schema",
        "completions",
        "man",
    ] {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        insta::assert_snapshot!(format!("help {command}").trim().replace(' ', "-"), says(&arguments));
    }
    let listed = says(&["--help"]);
    let commands = listed.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = commands.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    assert_eq!(names.count(), 22, "a command is missing above");
}

#[test]
fn the_rules_are_listed_and_each_has_its_documentation() {
    let list = says(&["rules"]);
    insta::assert_snapshot!("rules", list);
    insta::assert_snapshot!("rules-administrator-clone", says(&["rules", "administrator-clone"]));
    for line in list.lines() {
        let name = line.split_whitespace().next().unwrap();
        let text = says(&["rules", name]);
        assert!(text.starts_with(&format!("# {name}\n")), "{text}");
        for heading in ["## What it means", "## Why an auditor asks", "## How to fix it", "## Criteria"] {
            assert!(text.contains(heading), "{name} lacks {heading}");
        }
    }
}

#[test]
fn an_unknown_rule_is_wrong_usage_and_the_likeliest_is_named() {
    for (name, said) in [
        (
            "administratr",
            "unknown rule `administratr` (did you mean `administrator`?); run `rolecall rules` for the list",
        ),
        ("xyz", "unknown rule `xyz`; run `rolecall rules` for the list"),
    ] {
        let output = rolecall().args(["rules", name]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert_eq!(printed(&output), (String::new(), format!("rolecall: {said}\n")));
    }
}

#[test]
fn the_manual_page_has_every_command_and_exit_code() {
    let page = says(&["man"]);
    assert!(page.contains(".TH rolecall 1"));
    for command in ["DEMO", "CHECK", "AUDIT", "RULES", "MAIL TEST", "SIMULATE", "SCHEMA", "COMPLETIONS", "MAN"] {
        assert!(page.contains(&format!(".SH \"ROLECALL {command}\"")), "{command}");
    }
    assert!(page.contains("\\-\\-fail\\-on") && page.contains(".SH \"EXIT STATUS\""));
}

#[test]
fn completions_come_for_every_shell_and_bash_can_read_its_own() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(says(&["completions", shell]).contains("fail-on"), "{shell}");
    }
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    bash.stdin.take().unwrap().write_all(says(&["completions", "bash"]).as_bytes()).unwrap();
    let output = bash.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let script = "set -o pipefail; \"$0\" rules | head -n 1";
    let output = Command::new("bash").args(["-c", script, env!("CARGO_BIN_EXE_rolecall")]).output().unwrap();
    assert_eq!((output.status.code(), printed(&output).1.as_str()), (Some(0), ""));
}

/// What `check` writes to a stderr that is a terminal, with a configuration that has a mistake.
fn on_a_terminal(bench: &Bench, environment: &str) -> String {
    let arguments: Vec<OsString> = vec![
        "env".into(),
        environment.into(),
        env!("CARGO_BIN_EXE_rolecall").into(),
        "--config".into(),
        bench.path("rolecall.toml").into(),
        "check".into(),
    ];
    String::from_utf8(run_script("on_a_terminal.py", &arguments)).unwrap()
}

#[test]
fn colours_are_for_terminals_whose_owner_wants_them() {
    let bench = Bench::new(options(12));
    bench.reconfigure("company_domains", "company_domain");
    assert!(on_a_terminal(&bench, "TERM=xterm").contains('\u{1b}'), "a terminal gets colours");
    let without = on_a_terminal(&bench, "NO_COLOR=1");
    assert!(without.contains("company_domain") && !without.contains('\u{1b}'), "{without:?}");
    let (_, _, stderr) = bench.run(&["check"]);
    assert!(stderr.contains("company_domain") && !stderr.contains('\u{1b}'), "{stderr:?}");
}

#[test]
fn without_a_terminal_an_audit_shows_no_progress_and_its_logs_have_no_colours() {
    let bench = Bench::new(options(450));
    bench.simulator.set_faults([rolecall_simulator::Fault::UserInsertedOnce]);
    let (code, stdout, stderr) = bench.run(&["audit"]);
    assert_eq!(code, 0);
    assert!(stderr.contains("WARN") && !(stdout + &stderr).contains(['\u{1b}', '\r']), "{stderr:?}");
    let (_, _, quiet) = bench.run(&["audit"]);
    assert_eq!(quiet, "", "a good read needs no words");
    bench.simulator.set_faults([rolecall_simulator::Fault::UserInsertedOnce]);
    let (_, _, json) = bench.run(&["--log-format", "json", "audit"]);
    assert!(json.lines().count() > 0);
    for line in json.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["level"], "WARN");
    }
}
