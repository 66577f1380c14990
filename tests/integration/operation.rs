//! What the daemon tells those who watch it: health, numbers, the service manager, a watcher elsewhere.

use std::{
    os::unix::net::UnixDatagram,
    process::{Command, Stdio},
    time::Duration,
};

use rolecall_simulator::Fault;
use serde_json::Value;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use crate::{
    daemon::{Daemon, eventually, runs},
    support::{Bench, options},
};

fn bench() -> Bench {
    let bench = Bench::new(options(20));
    bench.reconfigure("0 8 * * MON", "* * * * * *");
    bench
}

/// Asks the daemon: the status and the body.
pub(crate) fn ask(address: &str, path: &str) -> (u16, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let response =
            rolecall::tls::http().build().unwrap().get(format!("http://{address}{path}")).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    })
}

#[test]
fn numbers_are_what_promtool_takes_and_name_nobody() {
    let bench = bench();
    let daemon = Daemon::start(&bench);
    let address = daemon.address();
    eventually("a review", || runs(&bench).iter().any(|run| run["state"] == "closed"));
    let (status, page) = ask(&address, "/metrics");
    assert_eq!(status, 200, "{page}");
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut promtool.stdin.take().unwrap(), page.as_bytes()).unwrap();
    let judged = promtool.wait_with_output().unwrap();
    assert!(judged.status.success() && judged.stderr.is_empty(), "{}", String::from_utf8_lossy(&judged.stderr));
    for line in [
        "rolecall_alive 1",
        "rolecall_users{job=\"weekly\",workspace=\"acme\"} 20.0",
        "rolecall_last_run_complete{job=\"weekly\",workspace=\"acme\"} 1.0",
        "rolecall_lapses{kind=\"failed\"} 0.0",
        "# TYPE rolecall_message_attempts_total counter",
    ] {
        assert!(page.lines().any(|other| other == line), "{line} is not in\n{page}");
    }
    for file in ["deploy/prometheus/alerts.yml", "deploy/grafana/rolecall.json"] {
        let text = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let names =
            text.split(|c: char| !(c.is_ascii_lowercase() || c == '_')).filter(|name| name.starts_with("rolecall_"));
        // Only a store that daemons share has replicas: see `fleet`.
        for name in names.filter(|name| !name.starts_with("rolecall_replica")) {
            assert!(page.lines().any(|line| line.starts_with(&format!("# TYPE {name} "))), "{file}: no metric {name}");
        }
    }
    serde_json::from_str::<Value>(include_str!("../../deploy/grafana/rolecall.json")).unwrap();
    assert!(page.contains("rolecall_run_attempts_total{job=\"weekly\",workspace=\"acme\",outcome=\"done\"}"), "{page}");
    assert!(!page.contains('@'), "{page}");
}

#[test]
fn a_daemon_that_cannot_do_its_work_is_alive_and_not_ready_and_says_why() {
    let bench = bench();
    bench.simulator.set_faults([Fault::Revoked]);
    let daemon = Daemon::start(&bench);
    let address = daemon.address();
    eventually("that it is alive", || ask(&address, "/healthz") == (200, "ok\n".to_owned()));
    eventually("that it is not ready", || ask(&address, "/readyz").0 == 503);
    let answer: Value = serde_json::from_str(&ask(&address, "/readyz").1).unwrap();
    assert_eq!((&answer["ready"], &answer["lapses"][0]["kind"]), (&false.into(), &"failed".into()), "{answer}");
    assert!(answer["problems"][0].as_str().unwrap().starts_with("weekly acme: "), "{answer}");
    let (_, listed, _) = bench.run(&["runs"]);
    assert!(listed.contains("ATTENTION: weekly acme: ") && listed.contains("the review failed"), "{listed}");
    bench.simulator.set_faults([]);
    eventually("that it is ready again", || ask(&address, "/readyz").0 == 200);
}

#[test]
fn the_status_page_names_nobody_and_answers_only_to_this_host() {
    let bench = bench();
    let daemon = Daemon::start(&bench);
    let address = daemon.address();
    eventually("a review", || ask(&address, "/").1.contains("20 users"));
    let (status, page) = ask(&address, "/");
    assert_eq!(status, 200, "{page}");
    assert!(
        page.contains("<td>weekly</td><td>acme</td>") && page.contains("Every scheduled review took place"),
        "{page}"
    );
    assert!(!page.contains("@example.com") && !page.contains("<script"), "{page}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for path in ["/", "/healthz", "/readyz", "/metrics"] {
        let request = rolecall::tls::http()
            .build()
            .unwrap()
            .get(format!("http://{address}{path}"))
            .header("host", "evil.example");
        let response = runtime.block_on(async { request.send().await.unwrap().status().as_u16() });
        assert_eq!(response, 403, "{path}");
    }
}

#[test]
fn connections_that_ask_nothing_keep_it_from_nothing() {
    let bench = bench();
    let daemon = Daemon::start(&bench);
    let address = daemon.address();
    let half = |number: usize| {
        let mut stream = std::net::TcpStream::connect(&address).unwrap();
        if number.is_multiple_of(2) {
            std::io::Write::write_all(&mut stream, b"GET /readyz HTTP/1.1\r\nHost: local").unwrap();
        }
        stream
    };
    let held: Vec<_> = (0..300).map(half).collect();
    assert_eq!(ask(&address, "/healthz"), (200, "ok\n".to_owned()));
    let before = runs(&bench).len();
    eventually("more reviews", || runs(&bench).iter().filter(|run| run["state"] == "closed").count() > before + 1);
    let process = std::fs::read_dir(format!("/proc/{}/fd", daemon.id())).unwrap().count();
    assert!(process < 150, "{process} open files with {} connections", held.len());
}

#[test]
fn a_store_that_is_removed_or_replaced_is_noticed() {
    store_is_noticed_after(|bench| {
        for file in std::fs::read_dir(bench.path("")).unwrap().map(|entry| entry.unwrap().path()) {
            if file.is_file() && file.file_name().unwrap().to_string_lossy().contains(".db") {
                std::fs::remove_file(file).unwrap();
            }
        }
    });
}

#[test]
fn a_store_whose_write_ahead_log_is_removed_is_noticed() {
    store_is_noticed_after(|bench| std::fs::remove_file(bench.path("rolecall.db-wal")).unwrap());
}

#[test]
fn a_store_that_is_emptied_is_noticed() {
    let empty = |bench: &Bench| std::fs::File::options().write(true).open(bench.path("rolecall.db"))?.set_len(0);
    store_is_noticed_after(|bench| empty(bench).unwrap());
}

fn store_is_noticed_after(remove: impl FnOnce(&Bench)) {
    let bench = bench();
    let daemon = Daemon::start(&bench);
    let address = daemon.address();
    eventually("that it is ready", || ask(&address, "/readyz").0 == 200 && ask(&address, "/").1.contains("20 users"));
    remove(&bench);
    eventually("that it is said", || {
        let (status, answer) = ask(&address, "/readyz");
        status == 503 && answer.contains("was removed or replaced while this process runs")
    });
    eventually("that it is logged", || daemon.said().contains("was removed or replaced"));
}

#[test]
fn two_daemons_at_one_address_are_a_mistake_that_is_told() {
    let bench = bench();
    let daemon = Daemon::start(&bench);
    bench.reconfigure("127.0.0.1:0", &daemon.address());
    let (code, _, said) = bench.run(&["daemon"]);
    assert!(code == 1 && said.contains("cannot listen on") && said.contains("`[daemon] listen`"), "{said}");
}

#[test]
fn the_service_manager_is_told_every_state_and_that_the_daemon_lives() {
    let bench = bench();
    let path = bench.path("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let environment = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "900000")];
    let daemon = Daemon::start_with(&bench, &environment);
    let hear = |wanted: &str| {
        let mut told = [0; 4096];
        loop {
            let length = manager.recv(&mut told).unwrap_or_else(|error| panic!("{wanted} was not told: {error}"));
            let told = String::from_utf8_lossy(&told[..length]).into_owned();
            if told.contains(wanted) {
                return told;
            }
        }
    };
    hear("READY=1");
    hear("WATCHDOG=1");
    daemon.signal("-HUP");
    assert!(hear("RELOADING=1").contains("MONOTONIC_USEC="));
    hear("READY=1");
    daemon.signal("-TERM");
    hear("STOPPING=1");
    assert_eq!(daemon.wait().0, Some(0));
}

#[test]
fn a_watcher_elsewhere_hears_of_start_and_success_and_then_of_failure() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let watcher = runtime.block_on(MockServer::start());
    runtime.block_on(Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&watcher));
    let bench = bench();
    bench.reconfigure("[jobs.weekly.email]", "heartbeat = { env = \"HEARTBEAT\" }\n[jobs.weekly.email]");
    let daemon = Daemon::start_with(&bench, &[("HEARTBEAT", &format!("{}/a-secret-uuid", watcher.uri()))]);
    let heard = |path: &str| {
        let requests = runtime.block_on(watcher.received_requests()).unwrap();
        requests.iter().any(|request| request.url.path() == path)
    };
    eventually("start and success", || heard("/a-secret-uuid/start") && heard("/a-secret-uuid"));
    bench.simulator.set_faults([Fault::TokenNeverAccepted]);
    eventually("failure", || heard("/a-secret-uuid/fail"));
    let (_, said) = daemon.stop();
    assert!(!said.contains("a-secret-uuid"), "{said}");
}

#[test]
fn the_log_is_one_json_object_a_line_and_names_the_run() {
    let bench = bench();
    let mut command = bench.rolecall(&["--log-format", "json", "daemon"]);
    command.timeout(Duration::from_secs(4));
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let recorded = lines.iter().find(|line| line["fields"]["message"] == "recorded the audit").unwrap();
    let run = recorded["fields"]["run"].as_str().unwrap();
    assert!(runs(&bench).iter().any(|known| known["id"] == run), "{said}");
}
