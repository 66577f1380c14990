//! `rolecall init` against the simulated workspace: what it writes, what it refuses, what it never prints.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use rolecall_simulator::{Fault, Options, Simulator};
use tempfile::TempDir;

use crate::support::{options, rolecall};

/// A simulated workspace and an empty folder to set up in, with the secrets beside it.
struct Desk {
    simulator: Simulator,
    folder: TempDir,
    given: TempDir,
}

struct Said {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Desk {
    fn new(options: Options) -> Self {
        let desk = Self {
            simulator: Simulator::start(options).unwrap(),
            folder: tempfile::tempdir().unwrap(),
            given: tempfile::tempdir().unwrap(),
        };
        let credentials = desk.simulator.credentials();
        fs::write(desk.given("secret"), format!("{}\n", credentials.client_secret)).unwrap();
        fs::write(desk.given("code"), format!("{}\n", credentials.grant_code)).unwrap();
        desk
    }

    fn given(&self, name: &str) -> PathBuf {
        self.given.path().join(name)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Said {
        let output = rolecall().current_dir(self.folder.path()).args(arguments).output().unwrap();
        let said = Said {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        let credentials = self.simulator.credentials();
        for secret in [&credentials.client_secret, &credentials.grant_code, &credentials.refresh_token] {
            assert!(
                !said.stdout.contains(secret.as_str()) && !said.stderr.contains(secret.as_str()),
                "{}{}",
                said.stdout,
                said.stderr
            );
        }
        said
    }

    /// `init` without a terminal and with every needed argument, except where the credential comes from.
    fn init(&self, more: &[&str]) -> Said {
        let secret = self.given("secret");
        let url = self.simulator.base_url();
        let mut arguments = vec!["init", "--workspace", "acme", "--data-center", "us", "--accounts-url", url];
        let id = &self.simulator.credentials().client_id;
        arguments.extend(["--client-id", id, "--client-secret-file", secret.to_str().unwrap()]);
        arguments.extend(["--company-domain", "example.com"]);
        arguments.extend(more);
        self.run(&arguments)
    }

    fn with_code(&self, more: &[&str]) -> Said {
        let code = self.given("code");
        let credential = ["--grant-code-file", code.to_str().unwrap()];
        self.init(&[&credential, more].concat())
    }

    /// The names of all files under the folder.
    fn files(&self) -> Vec<String> {
        fn walk(folder: &Path, top: &Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, top, found);
                } else {
                    found.push(path.strip_prefix(top).unwrap().display().to_string());
                }
            }
        }
        let mut found = Vec::new();
        walk(self.folder.path(), self.folder.path(), &mut found);
        found.sort();
        found
    }
}

const WRITTEN: [&str; 5] = [
    "rolecall.toml",
    "secrets/acme-client-secret",
    "secrets/acme-refresh-token",
    "secrets/evidence_ed25519",
    "secrets/evidence_ed25519.pub",
];

#[test]
fn a_grant_code_becomes_a_configuration_that_checks_clean_and_audits() {
    let desk = Desk::new(options(30));
    let said = desk.with_code(&["--no-mail"]);
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    assert_eq!(desk.files(), WRITTEN);
    for secret in &WRITTEN[1..4] {
        assert_eq!(fs::metadata(desk.path(secret)).unwrap().permissions().mode() & 0o777, 0o600, "{secret}");
    }
    let text = fs::read_to_string(desk.path("rolecall.toml")).unwrap();
    let token = fs::read_to_string(desk.path("secrets/acme-refresh-token")).unwrap();
    for secret in [&token, &desk.simulator.credentials().client_secret] {
        assert!(!text.contains(secret.as_str()) && !said.stdout.contains(secret.as_str()));
    }
    assert!(text.contains("\n# approved_administrators = [\""), "{text}");

    let check = desk.run(&["check"]);
    assert_eq!((check.code, check.stderr.as_str()), (Some(0), ""), "{}", check.stdout);
    let audit = desk.run(&["audit", "--out", "reports"]);
    assert_eq!(audit.code, Some(0), "{}{}", audit.stdout, audit.stderr);
    assert!(desk.path("reports/report.html").exists() && desk.path("rolecall.db").exists());
    let verify = desk.run(&["evidence", "verify"]);
    assert_eq!(verify.code, Some(0), "{}{}", verify.stdout, verify.stderr);
}

#[test]
fn administrators_are_approved_only_on_request_and_mail_is_sent_as_answered() {
    let desk = Desk::new(options(30));
    let inbox = desk.simulator.inbox().address();
    let port = inbox.port().to_string();
    let mail = ["--mail-to", "security@example.com", "--mail-from", "audit@example.com", "--smtp-host", "127.0.0.1"];
    let more =
        ["--smtp-port", &port, "--smtp-security", "none", "--approve-administrators", "--time-zone", "Asia/Tokyo"];
    let said = desk.with_code(&[&mail[..], &more[..]].concat());
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    let text = fs::read_to_string(desk.path("rolecall.toml")).unwrap();
    assert!(text.contains("\napproved_administrators = [\"") && text.contains("time_zone = \"Asia/Tokyo\""), "{text}");
    let audit = desk.run(&["audit", "--job", "weekly-access-review", "--send"]);
    assert_eq!(audit.code, Some(0), "{}{}", audit.stdout, audit.stderr);
    assert_eq!(desk.simulator.inbox().messages().len(), 1);
}

#[test]
fn a_wrong_or_used_code_leaves_nothing() {
    let desk = Desk::new(options(20));
    let code = fs::read_to_string(desk.given("code")).unwrap();
    fs::write(desk.given("code"), "1000.wrong").unwrap();
    let wrong = desk.with_code(&["--no-mail"]);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains("the grant code was rejected (invalid_code)"), "{}", wrong.stderr);
    assert_eq!(desk.files(), Vec::<String>::new());
    assert!(!desk.path("secrets").exists());

    fs::write(desk.given("code"), code).unwrap();
    assert_eq!(desk.with_code(&["--no-mail"]).code, Some(0));
    let second = desk.with_code(&["--no-mail", "--config", "other/rolecall.toml"]);
    assert!(second.stderr.contains("was used before"), "{}", second.stderr);
    assert!(!desk.path("other").exists());
}

#[test]
fn wrong_credentials_name_what_to_check_and_leave_nothing() {
    let desk = Desk::new(options(20));
    desk.simulator.set_faults([Fault::WrongDataCentre]);
    let data_center = desk.with_code(&["--no-mail"]);
    assert_eq!(data_center.code, Some(1));
    assert!(data_center.stderr.contains("Check the client id and the data center"), "{}", data_center.stderr);
    desk.simulator.set_faults([]);
    fs::write(desk.given("secret"), "wrong").unwrap();
    let secret = desk.with_code(&["--no-mail"]);
    assert!(secret.stderr.contains("the client secret was rejected (invalid_client_secret)"), "{}", secret.stderr);
    let unknown = desk.with_code(&["--no-mail", "--data-center", "uk"]);
    assert_eq!(unknown.code, Some(2), "{}", unknown.stderr);
    assert_eq!(desk.files(), Vec::<String>::new());
}

#[test]
fn if_the_workspace_is_not_ready_the_refresh_token_is_kept_and_used_again() {
    let desk = Desk::new(options(20));
    desk.simulator.set_faults([Fault::MissingScopeUsers]);
    let failed = desk.with_code(&["--no-mail"]);
    assert_eq!(failed.code, Some(1));
    assert!(failed.stdout.contains("NOT READY"), "{}", failed.stdout);
    assert_eq!(desk.files(), ["secrets/acme-refresh-token"]);
    let hint = "--refresh-token-file secrets/acme-refresh-token";
    assert!(failed.stderr.contains(hint), "{}", failed.stderr);
    let token = fs::read_to_string(desk.path("secrets/acme-refresh-token")).unwrap();

    let again = desk.with_code(&["--no-mail"]);
    assert_eq!(again.code, Some(2));
    assert!(again.stderr.contains(hint), "{}", again.stderr);

    desk.simulator.set_faults([]);
    let said = desk.init(&["--no-mail", "--refresh-token-file", "secrets/acme-refresh-token"]);
    assert_eq!(said.code, Some(0), "{}{}", said.stdout, said.stderr);
    assert_eq!(desk.files(), WRITTEN);
    assert_eq!(fs::read_to_string(desk.path("secrets/acme-refresh-token")).unwrap(), token);
}

#[test]
fn files_that_exist_are_never_changed() {
    let desk = Desk::new(options(20));
    fs::write(desk.path("rolecall.toml"), "mine").unwrap();
    let said = desk.with_code(&["--no-mail"]);
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.contains("rolecall.toml exists already"), "{}", said.stderr);
    let elsewhere = desk.with_code(&["--no-mail", "--config", "second.toml"]);
    assert_eq!(elsewhere.code, Some(0), "the code was not used up: {}", elsewhere.stderr);
    assert_eq!(fs::read_to_string(desk.path("rolecall.toml")).unwrap(), "mine");
}

#[test]
fn without_a_terminal_it_names_the_arguments_that_are_missing() {
    let desk = Desk::new(options(20));
    let said = desk.run(&["init", "--workspace", "acme"]);
    assert_eq!(said.code, Some(2));
    for flag in ["--data-center", "--client-id", "--client-secret-file", "--grant-code-file", "--no-mail"] {
        assert!(said.stderr.contains(flag), "{}", said.stderr);
    }
    assert!(!said.stderr.contains("--workspace"), "{}", said.stderr);
}

#[test]
fn a_secret_given_in_place_of_a_name_is_not_repeated() {
    let desk = Desk::new(options(20));
    let secret = desk.simulator.credentials().client_secret.clone();
    let credentials = ["init", "--workspace", "acme", "--data-center", "us", "--client-id", "1000.A", "--no-mail"];
    for flag in ["--client-secret-env", "--client-secret-file"] {
        // `run` checks that neither output has it.
        let said = desk.run(&[&credentials[..], &[flag, &secret, "--grant-code-env", "NOT_SET"]].concat());
        assert_eq!(said.code, Some(2));
        assert!(said.stderr.contains("not the secret"), "{}", said.stderr);
    }
    assert_eq!(desk.files(), Vec::<String>::new());
}

#[test]
fn print_shows_a_valid_configuration_and_writes_nothing() {
    let desk = Desk::new(options(20));
    for more in [&[][..], &["--mail-to", "security@example.com", "--smtp-username", "rolecall"][..]] {
        let said = desk.run(&[&["init", "--print"], more].concat());
        assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
        let loaded =
            rolecall::config::parse(Path::new("rolecall.toml"), &said.stdout, &[], chrono::Utc::now()).unwrap();
        assert!(loaded.warnings.problems.is_empty(), "{:?}", loaded.warnings);
    }
    assert_eq!(desk.files(), Vec::<String>::new());
}

/// `init` at a terminal, and what it shows.
fn at_a_terminal(desk: &Desk, answers: &[(&str, &str)]) -> (bool, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/python/terminal.py");
    let output = Command::new("python3")
        .arg(script)
        .args([env!("CARGO_BIN_EXE_rolecall"), "init", "--accounts-url", desk.simulator.base_url()])
        .env("ANSWERS", serde_json::to_string(answers).unwrap())
        .current_dir(desk.folder.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn a_refused_grant_code_is_asked_for_again_and_the_other_answers_are_kept() {
    let desk = Desk::new(options(20));
    let credentials = desk.simulator.credentials();
    let begin = [
        ("Name of the workspace", "acme"),
        ("Data center", "us"),
        ("Client id", &*credentials.client_id),
        ("Client secret", &*credentials.client_secret),
        ("Domains", "example.com"),
        ("Mail reports", ""),
        ("Grant code", "1000.wrong"),
    ];
    let wrong = ("Grant code (", "1000.wrong");
    let (succeeded, shown) = at_a_terminal(&desk, &[&begin[..], &[wrong, wrong, wrong]].concat());
    assert!(!succeeded && desk.files().is_empty(), "{shown}");
    assert_eq!(shown.matches("the grant code was rejected (invalid_code)").count(), 4, "{shown}");
    assert_eq!(shown.matches("choose Generate Code").count(), 4, "{shown}");
    assert!(shown.contains("3 tries are left") && shown.contains("1 try is left"), "{shown}");
    let right = [wrong, ("Grant code (", &*credentials.grant_code), ("Should all of them", "y")];
    let (succeeded, shown) = at_a_terminal(&desk, &[&begin[..], &right].concat());
    assert!(succeeded, "{shown}");
    assert_eq!(desk.files(), WRITTEN);
}

#[test]
fn a_refused_client_is_asked_for_again_and_the_grant_code_is_kept() {
    let desk = Desk::new(options(20));
    let credentials = desk.simulator.credentials();
    let answers = [
        ("Name of the workspace", "acme"),
        ("Data center", "eu"),
        ("Client id", "1000.WRONG"),
        ("Client secret", "wrong-client-secret"),
        ("Domains", "example.com"),
        ("Mail reports", ""),
        ("Grant code", &*credentials.grant_code),
        // The id is refused first, then the secret.
        ("[eu]", "us"),
        ("Client id [1000.WRONG]", &*credentials.client_id),
        ("Client secret (", &*credentials.client_secret),
        ("Should all of them", "y"),
    ];
    let (succeeded, shown) = at_a_terminal(&desk, &answers);
    assert!(succeeded, "{shown}");
    assert!(shown.contains("the client id was rejected") && shown.contains("3 tries are left"), "{shown}");
    assert!(shown.contains("the client secret was rejected") && shown.contains("2 tries are left"), "{shown}");
    assert!(!shown.contains(&*credentials.client_secret) && !shown.contains("wrong-client-secret"), "{shown}");
    assert_eq!(desk.files(), WRITTEN);
    let text = fs::read_to_string(desk.path("rolecall.toml")).unwrap();
    assert!(text.contains(&*credentials.client_id) && text.contains("data_center = \"us\""), "{text}");
    assert_eq!(desk.run(&["check"]).code, Some(0));
}

#[test]
fn at_a_terminal_it_asks_and_hides_secrets() {
    let desk = Desk::new(options(20));
    let credentials = desk.simulator.credentials();
    let answers = [
        ("Name of the workspace", "acme"),
        ("Data center", "uk"),
        ("Data center", "us"),
        ("Client id", &credentials.client_id),
        ("Client secret", &credentials.client_secret),
        ("Domains", "example.com"),
        ("Mail reports", ""),
        ("Grant code", &credentials.grant_code),
        ("Should all of them", "y"),
    ];
    let (succeeded, shown) = at_a_terminal(&desk, &answers);
    assert!(succeeded, "{shown}");
    assert_eq!(desk.files(), WRITTEN);
    for secret in [&credentials.client_secret, &credentials.grant_code] {
        assert!(!shown.contains(secret.as_str()), "{shown}");
    }
    assert!(shown.contains("us, eu, in"), "the wrong data center is explained: {shown}");
    let text = fs::read_to_string(desk.path("rolecall.toml")).unwrap();
    assert!(text.contains("\napproved_administrators = [\""), "{text}");
}

#[test]
fn without_a_configuration_every_command_names_the_ways_to_begin() {
    let desk = Desk::new(options(20));
    for command in
        [&["check"][..], &["audit"], &["users"], &["daemon"], &["preflight"], &["runs"], &["evidence", "list"]]
    {
        let said = desk.run(command);
        assert_eq!(said.code, Some(2), "{command:?}");
        assert!(said.stderr.contains("`rolecall init`") && said.stderr.contains("`rolecall demo`"), "{}", said.stderr);
    }
}
