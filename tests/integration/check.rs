//! `rolecall check`: every error with its place; otherwise when each job is due.

use std::fs;

use chrono::{DateTime, Datelike as _, Timelike as _, Utc, Weekday};
use chrono_tz::Europe::Berlin;

use crate::support::{Bench, options, printed, rolecall};

#[test]
fn a_valid_configuration_shows_the_next_fire_times_in_the_job_s_zone_and_in_utc() {
    let bench = Bench::new(options(12));
    let (code, stdout, stderr) = bench.run(&["check"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(
        stdout.starts_with("The configuration is valid.\n\nJob weekly: “0 8 * * MON” in Europe/Berlin, acme\n"),
        "{stdout}"
    );
    let times: Vec<DateTime<Utc>> =
        stdout.lines().skip(3).map(|line| line.split_whitespace().last().unwrap().parse().unwrap()).collect();
    assert_eq!(times.len(), 5);
    assert!(times[0] > Utc::now() && times.is_sorted());
    for (time, line) in times.iter().zip(stdout.lines().skip(3)) {
        let there = time.with_timezone(&Berlin);
        assert_eq!((there.weekday(), there.hour(), there.minute()), (Weekday::Mon, 8, 0), "{line}");
        assert!(line.trim_start().starts_with(&there.format("Mon %Y-%m-%d 08:00:00").to_string()), "{line}");
    }
    assert!(bench.simulator.journal().calls().is_empty(), "check calls nobody");
}

#[test]
fn every_error_is_reported_in_one_pass_with_file_line_column_and_what_was_expected() {
    let bench = Bench::new(options(12));
    bench.reconfigure("company_domains", "company_domain");
    bench.reconfigure("0 8 * * MON", "0 8 * * MOO");
    bench.reconfigure("data_center = \"us\"", "data_center = \"usa\"");
    let (code, stdout, stderr) = bench.run(&["check"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    let text = bench.read("rolecall.toml");
    let line = text.lines().position(|line| line.starts_with("company_domain = ")).unwrap() + 1;
    assert!(stderr.contains(&format!("rolecall.toml:{line}:1]")), "{stderr}");
    assert!(stderr.contains("did you mean `company_domains`?"), "{stderr}");
    // Errors of meaning are reported in the same pass.
    assert!(
        stderr.contains("MOO") && stderr.contains("usa") && stderr.ends_with("rolecall.toml: 3 errors\n"),
        "{stderr}"
    );
}

#[test]
fn an_audit_refuses_a_configuration_with_a_mistake_before_any_call() {
    let bench = Bench::new(options(12));
    bench.reconfigure("[policy]", "[policy]\nmax_administrator = 3");
    let (code, _, stderr) = bench.run(&["audit", "--out", "out"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("did you mean `max_administrators`?"), "{stderr}");
    assert!(bench.simulator.journal().calls().is_empty() && !bench.path("out").exists());
}

#[test]
fn a_missing_secret_is_reported_by_check_and_stops_an_audit() {
    let bench = Bench::new(options(12));
    for (arguments, words) in [
        (&["check"][..], "workspaces.acme.client_secret: the environment variable TEST_CLIENT_SECRET is not set"),
        (&["audit"], "`workspaces.acme.client_secret`: the environment variable TEST_CLIENT_SECRET is not set"),
    ] {
        let output = bench.rolecall(arguments).env_remove("TEST_CLIENT_SECRET").output().unwrap();
        let (stdout, stderr) = printed(&output);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(!stdout.contains("is valid"), "{stdout}");
        assert!((stdout + &stderr).contains(words), "{stderr}");
    }
}

/// What `check` prints on stderr, without the line breaks inside of sentences.
fn said(bench: &Bench) -> (i32, String) {
    let (code, stdout, stderr) = bench.run(&["check", "--offline"]);
    assert_eq!(stdout.contains("is valid"), code == 0, "{stdout}");
    (code, stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" "))
}

#[test]
fn a_file_that_is_needed_and_not_there_is_reported_at_its_place_before_a_run_needs_it() {
    let bench = Bench::new(options(12));
    bench.reconfigure("[policy]", "[rosters.hr]\nsource = { file = \"people.csv\" }\nformat = \"csv\"\n\n[policy]");
    let (code, stderr) = said(&bench);
    assert_eq!(code, 2, "{stderr}");
    let text = bench.read("rolecall.toml");
    let line = text.lines().position(|line| line.contains("people.csv")).unwrap() + 1;
    assert!(stderr.contains("`rosters.hr.source.file`: ") && stderr.contains("people.csv cannot be read"), "{stderr}");
    assert!(
        stderr.contains(&format!("rolecall.toml:{line}:19]")) && stderr.contains("help: expected a file"),
        "{stderr}"
    );
    fs::create_dir(bench.path("people.csv")).unwrap();
    assert!(said(&bench).1.contains("people.csv cannot be read: it is a folder"));
    fs::remove_dir(bench.path("people.csv")).unwrap();
    fs::write(bench.path("people.csv"), "email,status\n").unwrap();
    assert_eq!(said(&bench).0, 0);
}

#[test]
fn a_file_of_certificates_that_has_none_is_reported_at_its_place() {
    let bench = Bench::new(options(12));
    fs::write(bench.path("empty.pem"), "").unwrap();
    fs::write(bench.path("key.pem"), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
    fs::write(bench.path("broken.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let before = bench.read("rolecall.toml");
    let bucket = |file: &str| {
        format!(
            "[evidence]\nurl = \"s3://bags\"\n[evidence.s3]\nendpoint = \"https://s3.example.com\"\nca_file = \"{file}\"\n"
        )
    };
    let stamps = |file: &str| {
        format!(
            "[evidence]\ndirectory = \"bags\"\n[evidence.timestamps]\nurl = \"https://tsa.example.com\"\nca_file = \"{file}\"\n"
        )
    };
    let store = |file: &str| {
        format!("[store]\nurl = \"postgres://rolecall@db.example.com/rolecall\"\nroot_certificate = \"{file}\"\n")
    };
    let smtp = |file: &str| format!("[smtp]\nca_file = \"{file}\"\n");
    let console = |file: &str| format!("[console]\ncertificate = \"{file}\"\nkey = {{ file = \"key.pem\" }}\n");
    for (key, table) in [
        ("smtp.ca_file", &smtp as &dyn Fn(&str) -> String),
        ("store.root_certificate", &store),
        ("evidence.timestamps.ca_file", &stamps),
        ("evidence.s3.ca_file", &bucket),
        ("console.certificate", &console),
    ] {
        // The console presents what it has: whether it is a certificate is seen with its key.
        let broken = if key.starts_with("console") { "empty.pem" } else { "broken.pem" };
        for file in ["missing.pem", "empty.pem", "key.pem", broken, "."] {
            let table = table(file);
            let (name, rest) = table.split_once('\n').unwrap();
            let text = match name {
                "[smtp]" => before.replace("[smtp]\n", &table),
                "[store]" => before.replace("url = \"sqlite:rolecall.db\"\n", rest),
                _ => format!("{before}\n{table}"),
            };
            fs::write(bench.path("rolecall.toml"), &text).unwrap();
            let line = text.lines().position(|line| line.ends_with(&format!("= \"{file}\""))).unwrap() + 1;
            let (code, stderr) = said(&bench);
            assert!(code == 2 && stderr.ends_with("1 file cannot be used"), "{key} {file}: {stderr}");
            assert!(stderr.contains(&format!("`{key}`: ")), "{key} {file}: {stderr}");
            assert!(stderr.contains(&format!("rolecall.toml:{line}:")), "{key} {file}: {stderr}");
            assert!(stderr.contains("help: expected"), "{key} {file}: {stderr}");
        }
    }
}

#[test]
fn a_place_for_evidence_that_cannot_be_a_folder_is_reported_before_an_audit_needs_it() {
    let bench = Bench::new(options(12));
    std::fs::write(bench.path("evidence"), "a file").unwrap();
    bench.reconfigure("[policy]", "[evidence]\ndirectory = \"evidence\"\n\n[policy]");
    let (code, stdout, stderr) = bench.run(&["check"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stdout.trim_start().starts_with("Job weekly") && !stdout.contains("is valid"), "{stdout}");
    assert!(
        stderr.contains("error: `evidence.directory`: ") && stderr.contains("evidence is not a folder"),
        "{stderr}"
    );
    assert!(stderr.ends_with("1 folder cannot be used\n"), "{stderr}");
    std::fs::remove_file(bench.path("evidence")).unwrap();
    assert_eq!(bench.run(&["check"]).0, 0);
    assert!(!bench.path("evidence").exists(), "check creates nothing");
}

#[test]
fn without_a_configuration_the_places_searched_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let output = rolecall().arg("check").current_dir(&folder).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(printed(&output).1.contains("looked for rolecall.toml and /etc/rolecall/rolecall.toml"));
    let output = rolecall().arg("check").env("ROLECALL_CONFIG", folder.path().join("mine.toml")).output().unwrap();
    assert!(
        printed(&output).1.contains("cannot read the configuration") && printed(&output).1.contains("mine.toml"),
        "{}",
        printed(&output).1
    );
}

#[test]
fn a_configuration_that_is_not_utf_8_is_named_with_what_to_do() {
    let bench = Bench::new(options(5));
    let text = bench.read("rolecall.toml");
    let utf_16: Vec<u8> = "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let latin_1 = [b"# first\n# Jos\xe9\n", text.as_bytes()].concat();
    for (bytes, expected) in [(utf_16, "it is UTF-16; save it as UTF-8"), (latin_1, "it is not UTF-8 (line 2)")] {
        fs::write(bench.path("rolecall.toml"), bytes).unwrap();
        let (code, _, stderr) = bench.run(&["check", "--offline"]);
        assert!(code == 2 && stderr.contains(expected), "{stderr}");
    }
}
