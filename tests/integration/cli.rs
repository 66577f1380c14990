//! The command line itself: help, rules, manual page, completions, colours, output that is cut off.

use std::{
    ffi::OsString,
    io::Write as _,
    process::{Command, Stdio},
    time::Duration,
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

/// The commands that a help page lists. Lists of commands are the blocks before the options whose lines are indented.
fn listed(help: &str) -> Vec<String> {
    let before_options = help.split("Global options:").next().unwrap();
    let mut blocks = before_options.split("\n\n");
    let is_list = |block: &&str| {
        let (heading, _) = block.split_once('\n').unwrap_or_default();
        ["Get started:", "Audit:", "Look up:", "Evidence:", "Operate:", "Agents:", "Develop:", "Commands:"]
            .contains(&heading)
    };
    let lines = blocks.by_ref().filter(is_list).flat_map(|block| block.lines().skip(1));
    lines
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

/// Snapshots the help of a command and of everything below it, and gives their paths.
fn help_below(path: &[String]) -> Vec<String> {
    let arguments: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
    let help = says(&arguments);
    insta::assert_snapshot!(format!("help {}", path.join(" ")).trim().replace(' ', "-"), help);
    assert_eq!(says(&[&["help"], &arguments[..path.len()]].concat()), help, "`help {}`", path.join(" "));
    let below = listed(&help).into_iter().flat_map(|name| help_below(&[path, &[name]].concat()));
    [path.join(" ")].into_iter().chain(below).collect()
}

#[test]
fn every_command_explains_itself() {
    let paths = help_below(&[]);
    for path in
        ["audit", "users show", "evidence coverage", "evidence export", "evidence recompute", "runs retry", "man"]
    {
        assert!(paths.iter().any(|found| found == path), "{path} is missing: {paths:?}");
    }
}

#[test]
fn the_options_of_a_command_come_before_the_global_ones_and_examples_last() {
    let help = says(&["audit", "--help"]);
    let place = |text: &str| help.find(text).unwrap_or_else(|| panic!("{text} is not in {help}"));
    let order = [
        "\nOptions:\n",
        "--job",
        "--fail-on",
        "\nGlobal options:\n",
        "--config",
        "--verbose",
        "--help",
        "\nExamples:\n",
    ];
    assert!(order.map(place).is_sorted(), "{help}");
}

#[test]
fn what_people_read_fits_eighty_columns() {
    // clap does not wrap the line with the usage.
    let is_wide = |line: &&str| textwrap::core::display_width(line) > 80 && !line.starts_with("Usage: ");
    let wide = |said: &str| said.lines().find(is_wide).map(str::to_owned);
    for path in help_paths().into_iter().chain([String::new()]) {
        let arguments: Vec<&str> = path.split_whitespace().chain(["--help"]).collect();
        let output = rolecall().args(&arguments).env("COLUMNS", "80").output().unwrap();
        assert_eq!(wide(&printed(&output).0), None, "{path}");
    }
    let bench = Bench::new(options(48));
    bench.configure("[evidence]\ndirectory = \"bags\"\n");
    bench.audit(&[]);
    let coverage = ["evidence", "coverage", "--from", "2026-01-01", "--to", "2026-01-31"];
    for arguments in [
        &["audit"][..],
        &["check"],
        &["preflight"],
        &["who-can", "export"],
        &["findings"],
        &["users"],
        &["roles"],
        &["profiles"],
        &["org"],
        &["me"],
        &["runs"],
        &["schedule"],
        &["rules"],
        &["evidence", "list"],
        &["evidence", "verify", "bags"],
        &coverage,
        &["policy", "show"],
        &["mail", "test", "--to", "ana@example.com"],
    ] {
        let output = bench.rolecall(arguments).env("COLUMNS", "80").output().unwrap();
        let (stdout, stderr) = printed(&output);
        assert!(!stdout.is_empty() && matches!(output.status.code(), Some(0 | 3)), "{arguments:?}: {stdout}{stderr}");
        assert_eq!(wide(&stdout), None, "{arguments:?}");
    }
}

#[test]
fn help_for_an_unknown_command_names_the_nearest() {
    let output = rolecall().args(["help", "audits"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(printed(&output).1.contains("'audit'"), "{}", printed(&output).1);
}

#[test]
fn an_empty_variable_names_no_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let output = rolecall().arg("check").env("ROLECALL_CONFIG", "").current_dir(&folder).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(printed(&output).1.contains("no configuration found"), "{}", printed(&output).1);
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
fn the_manual_page_has_every_command_and_section() {
    let page = says(&["man"]);
    assert!(page.contains(".TH rolecall 1"));
    for path in help_paths() {
        assert!(page.contains(&format!(".SH \"ROLECALL {}\"", path.to_uppercase())), "{path}");
    }
    for section in [".SH EXAMPLES", ".SH FILES", ".SH \"EXIT STATUS\"", ".SH ENVIRONMENT", ".SH \"SEE ALSO\""] {
        assert!(page.contains(section), "{section}");
    }
    assert!(page.contains("\\-\\-fail\\-on"));
}

/// Every command that does something.
fn help_paths() -> Vec<String> {
    fn below(path: &[String], found: &mut Vec<String>) {
        let arguments: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
        let names = listed(&says(&arguments));
        if names.is_empty() {
            found.push(path.join(" "));
        }
        for name in names {
            below(&[path, &[name]].concat(), found);
        }
    }
    let mut found = Vec::new();
    below(&[], &mut found);
    found
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
fn a_reader_that_goes_away_is_not_an_error() {
    for command in ["rules", "man", "completions bash", "schema", "--help"] {
        let script = format!("set -o pipefail; \"$0\" {command} | head -n 1");
        let output = Command::new("bash").args(["-c", &script, env!("CARGO_BIN_EXE_rolecall")]).output().unwrap();
        assert_eq!((output.status.code(), printed(&output).1.as_str()), (Some(0), ""), "{command}");
    }
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    for command in ["rules", "man", "completions zsh", "schema", "tools", "--help"] {
        let script = format!("\"$0\" {command} >/dev/full");
        let output = Command::new("bash").args(["-c", &script, env!("CARGO_BIN_EXE_rolecall")]).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{command}");
        assert!(printed(&output).1.contains("cannot write to stdout"), "{command}: {}", printed(&output).1);
    }
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
    for environment in ["NO_COLOR=1", "TERM=dumb"] {
        let without = on_a_terminal(&bench, environment);
        assert!(without.contains("company_domain") && !without.contains('\u{1b}'), "{environment}: {without:?}");
    }
    let (_, _, stderr) = bench.run(&["check"]);
    assert!(stderr.contains("company_domain") && !stderr.contains('\u{1b}'), "{stderr:?}");
}

#[test]
fn nothing_of_the_progress_stays_on_the_screen() {
    let slow = Duration::from_millis(300);
    let bench = Bench::new(rolecall_simulator::Options { latency: slow, ..options(450) });
    bench.configure("[evidence]\ndirectory = \"evidence\"\n");
    let credentials = bench.simulator.credentials();
    let fault = [rolecall_simulator::Fault::UserInsertedOnce];
    for (faults, command) in [(&fault[..], "audit"), (&[], "users"), (&fault, "users")] {
        bench.simulator.set_faults(faults.iter().copied());
        let arguments: Vec<OsString> = vec![
            "env".into(),
            "TERM=xterm".into(),
            format!("TEST_CLIENT_SECRET={}", credentials.client_secret).into(),
            format!("TEST_REFRESH_TOKEN={}", credentials.refresh_token).into(),
            env!("CARGO_BIN_EXE_rolecall").into(),
            "--config".into(),
            bench.path("rolecall.toml").into(),
            command.into(),
        ];
        let shown: serde_json::Value = serde_json::from_slice(&run_script("screen.py", &arguments)).unwrap();
        let written = shown["written"].as_str().unwrap();
        assert_eq!(shown["code"], 0, "{written}");
        assert!(written.contains("acme: reading"), "{written:?}");
        let lines: Vec<&str> = shown["screen"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
        let screen = lines.join("\n");
        assert!(!screen.contains("acme: reading") && !screen.contains("acme: the list"), "{screen}");
        assert!(!lines.iter().any(|line| line.starts_with("acme: ") && line.contains(" users read, ")), "{screen}");
        assert!(!lines.iter().any(|line| line.starts_with(['⠁', '⠙', '⠚', '⠋', '⠴'])), "{screen}");
        assert_eq!(screen.contains("WARN"), !faults.is_empty(), "{screen}");
        assert!(lines.iter().any(|line| line.starts_with("acme: ") || line.contains(" users; ")), "{screen}");
    }
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
