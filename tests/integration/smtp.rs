//! Through a mail server that is not ours: STARTTLS with a company's own certificate authority, and a login.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    support::{Bench, options},
    tools::{read_mail, script, tool},
};

const PASSWORD: &str = "of the mail server, with ünicode";

/// A certificate authority and a certificate of the server, made by OpenSSL.
fn certificates() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let openssl = |arguments: &str| {
        let output = Command::new("openssl").args(arguments.split(' ')).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let new = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    openssl(&format!("{new} -keyout ca.key -out ca.pem -subj /CN=Company-CA -addext keyUsage=keyCertSign"));
    openssl(&format!(
        "{new} -keyout server.key -out server.pem -subj /CN=localhost -CA ca.pem -CAkey ca.key \
         -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE"
    ));
    folder
}

/// aiosmtpd, for as long as a test runs.
struct Server {
    child: Child,
    port: u16,
    /// Its certificate, and what it received.
    folder: TempDir,
}

impl Server {
    fn start(mechanism: &str) -> Self {
        let folder = certificates();
        let mut child = Command::new(tool("python"))
            .arg(script("smtp_server.py"))
            .args([folder.path(), Path::new(mechanism), Path::new(PASSWORD)])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap_or_else(|_| panic!("the server says {line:?}"));
        Self { child, port, folder }
    }

    /// What is known of the message of this number, and its file.
    fn message(&self, number: usize) -> (Value, PathBuf) {
        let told = fs::read(self.folder.path().join(format!("{number}.json"))).unwrap();
        (serde_json::from_slice(&told).unwrap(), self.folder.path().join(format!("{number}.eml")))
    }

    /// A configuration that mails through this server, trusting the authority or not.
    fn bench(&self, trusting: bool) -> Bench {
        let bench = Bench::new(options(20));
        fs::copy(self.folder.path().join("ca.pem"), bench.path("ca.pem")).unwrap();
        let trust = if trusting { "ca_file = \"ca.pem\"\n" } else { "" };
        let inbox = bench.simulator.inbox().address();
        bench.reconfigure(
            &format!("host = \"{}\"\nport = {}\nsecurity = \"none\"", inbox.ip(), inbox.port()),
            &format!(
                "host = \"localhost\"\nport = {}\nsecurity = \"starttls\"\nusername = \"rolecall\"\n\
                 password = {{ env = \"TEST_PASSWORD\" }}\n{trust}",
                self.port
            ),
        );
        bench
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(bench: &Bench, arguments: &[&str], password: &str) -> (i32, String) {
    let output = bench.rolecall(arguments).env("TEST_PASSWORD", password).output().unwrap();
    let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (output.status.code().unwrap(), printed)
}

#[test]
fn a_report_goes_out_encrypted_and_authenticated_to_every_recipient() {
    for mechanism in ["PLAIN", "LOGIN"] {
        let server = Server::start(mechanism);
        let bench = server.bench(true);
        let (code, printed) = run(&bench, &["audit", "--send"], PASSWORD);
        assert_eq!(code, 0, "{mechanism}: {printed}");
        for (number, recipient) in (1..).zip(["security@example.com", "compliance@example.com"]) {
            assert!(printed.contains(&format!("mailed    {recipient}")), "{printed}");
            let (told, file) = server.message(number);
            let expected = json!({"from": "audit@example.com", "to": [recipient], "tls": true, "mechanism": mechanism});
            assert_eq!(told, expected);
            assert_eq!(read_mail(&file)["structure"][1], "multipart/alternative");
        }
    }
}

#[test]
fn mail_test_passes_every_stage_and_quotes_the_server() {
    let server = Server::start("PLAIN");
    let (code, printed) = run(&server.bench(true), &["mail", "test", "--to", "ana@example.com"], PASSWORD);
    assert_eq!(code, 0, "{printed}");
    let stages: Vec<&str> = printed.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(stages, ["resolve", "connect", "TLS", "authentication", "sender", "recipient", "data"]);
    assert!(
        printed.lines().skip(1).all(|line| line.starts_with("ok ")) && printed.contains("queued as test-1"),
        "{printed}"
    );
    assert_eq!(server.message(1).0["to"][0], "ana@example.com");
}

#[test]
fn a_certificate_of_an_authority_that_nobody_trusts_is_refused_before_the_password_is_sent() {
    let server = Server::start("PLAIN");
    let (code, printed) = run(&server.bench(false), &["mail", "test"], PASSWORD);
    assert_eq!(code, 1);
    assert!(printed.contains("FAILED   TLS") && printed.contains("–        authentication  not reached"), "{printed}");
    assert!(printed.ends_with("rolecall: the message was not delivered: TLS failed\n"), "{printed}");
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let server = Server::start("PLAIN");
    let bench = server.bench(true);
    bench.reconfigure("host = \"localhost\"", "host = \"127.0.0.1\"");
    let (code, printed) = run(&bench, &["mail", "test"], PASSWORD);
    assert!(code == 1 && printed.contains("FAILED   TLS"), "{printed}");
}

#[test]
fn a_wrong_password_fails_at_authentication() {
    let server = Server::start("LOGIN");
    let (code, printed) = run(&server.bench(true), &["mail", "test"], "wrong");
    assert_eq!(code, 1);
    assert!(printed.contains("ok       TLS") && printed.contains("FAILED   authentication"), "{printed}");
    assert!(printed.contains("535") && printed.contains("fix: check `username` and `password`"), "{printed}");
}
