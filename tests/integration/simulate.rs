//! `rolecall simulate` as a process: its first line, and how it ends.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::support::{printed, rolecall};

/// A process that is not left behind by a test that fails.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail where it has ended, as it should.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A simulator of its own, and the line that it announced itself with.
fn start(arguments: &[&str]) -> (Process, BufReader<std::process::ChildStdout>, Value) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rolecall"))
        .arg("simulate")
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let announced = serde_json::from_str(&line).unwrap_or_else(|_| panic!("the first line is no JSON: {line:?}"));
    (Process(child), stdout, announced)
}

#[tokio::test]
async fn it_announces_itself_serves_and_ends_cleanly_on_either_signal() {
    for signal in ["-TERM", "-INT"] {
        let (mut process, mut stdout, announced) = start(&["--users", "15", "--seed", "3"]);
        let told = |key: &str| announced[key].as_str().unwrap_or_else(|| panic!("{key} is missing")).to_owned();
        let base = told("base_url");
        let form = [
            ("grant_type", "refresh_token".to_owned()),
            ("client_id", told("client_id")),
            ("client_secret", told("client_secret")),
            ("refresh_token", told("refresh_token")),
        ];
        let client = rolecall::tls::http().build().unwrap();
        let token: Value =
            client.post(format!("{base}/oauth/v2/token")).form(&form).send().await.unwrap().json().await.unwrap();
        assert_eq!(token["api_domain"], base.as_str());
        let call = client.get(format!("{base}/bigin/v2/users?type=AllUsers"));
        let call = call.header("Authorization", format!("Zoho-oauthtoken {}", token["access_token"].as_str().unwrap()));
        let users: Value = call.send().await.unwrap().json().await.unwrap();
        assert_eq!(users["users"].as_array().unwrap().len(), 15);
        let mut greeting = String::new();
        BufReader::new(TcpStream::connect(told("smtp")).unwrap()).read_line(&mut greeting).unwrap();
        assert!(greeting.starts_with("220 "), "{greeting}");

        assert!(
            Command::new("sh")
                .args(["-c", "kill \"$0\" \"$1\"", signal, &process.0.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
        assert_eq!(process.0.wait().unwrap().code(), Some(0), "{signal}");
        let (mut rest, mut stderr) = (String::new(), String::new());
        stdout.read_to_string(&mut rest).unwrap();
        process.0.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!((rest.as_str(), stderr.as_str()), ("", ""));
        for address in [base.trim_start_matches("http://"), &told("smtp")] {
            assert!(TcpStream::connect(address).is_err(), "{address} is still open after {signal}");
        }
    }
}

#[test]
fn a_port_that_is_taken_and_a_fault_that_is_none_are_clear_errors() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = rolecall().args(["simulate", "--port", &port]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(printed(&output).1.contains("cannot listen on 127.0.0.1"), "{}", printed(&output).1);
    let output = rolecall().args(["simulate", "--fault", "gremlins"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(printed(&output).1.contains("`rolecall simulate --fault list` shows all"), "{}", printed(&output).1);
}

#[test]
fn the_list_of_faults_is_printed_and_nothing_is_served() {
    let output = rolecall().args(["simulate", "--fault", "list"]).output().unwrap();
    let (stdout, _) = printed(&output);
    assert!(output.status.success() && stdout.lines().count() > 40);
    assert!(stdout.contains("rate-limit-seconds ") && stdout.contains("smtp-data-refused "), "{stdout}");
}
