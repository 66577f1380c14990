//! Getting, keeping and renewing access tokens.

use std::{
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::json;
use wiremock::{MockServer, ResponseTemplate};

use super::support::{ACCESS_TOKEN, ids, json, raw, read, scripted, settings, settings_of, simulator};
use crate::{
    clock::Clock,
    connector::{
        Cause, Commons, Connector as _, SharedTokens, TokenPlace,
        zoho::{ZohoBigin, ZohoSettings},
    },
};
use rolecall_simulator::{Fault, Options, Simulator};

#[tokio::test]
async fn one_token_serves_a_whole_read() {
    let simulator = simulator(1_000);
    read(settings_of(&simulator)).await.unwrap();
    assert_eq!(simulator.journal().token_requests(), 1);
}

#[tokio::test]
async fn a_token_that_expires_in_the_middle_is_renewed_once_however_many_calls_were_refused() {
    let simulator = simulator(2_000);
    simulator.set_latency(Duration::from_millis(5));
    simulator.set_faults([Fault::TokenExpires]);
    let directory = read(settings_of(&simulator)).await.unwrap();
    assert_eq!(ids(&directory).len(), 2_000);
    let refused = simulator.journal().calls().iter().filter(|call| call.status == Some(401)).count();
    assert!(refused > 1, "several calls were in flight with the old token: {refused}");
    assert_eq!(simulator.journal().token_requests(), 2);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires_not_after() {
    let options = Options { token_lifetime: Duration::from_secs(1), tokens_per_window: 100, ..Options::default() };
    let simulator = Simulator::start(options).unwrap();
    let connector = ZohoBigin::new(settings_of(&simulator), Clock::system()).unwrap();
    let (started, mut slow) = (Instant::now(), 0);
    while started.elapsed() < Duration::from_millis(1_500) {
        let begun = Instant::now();
        connector.organization().await.unwrap();
        // A tenth of a life is left when a token is renewed. On a busy machine it may pass before the call arrives.
        slow += usize::from(begun.elapsed() > Duration::from_millis(90));
    }
    let refused = simulator.journal().calls().iter().filter(|call| call.status == Some(401)).count();
    assert!(refused <= slow, "{refused} calls were refused, of which {slow} can have been late");
    assert!((2..=3 + slow).contains(&simulator.journal().token_requests()));
}

/// What the accounts server says, and what a user is told.
#[tokio::test]
async fn refusals_come_with_any_status_and_are_told_apart() {
    let cases = [
        (200, json!({"error": "invalid_code"}), "the refresh token was rejected (invalid_code)"),
        (400, json!({"error": "invalid_grant"}), "the refresh token was rejected (invalid_grant)"),
        (200, json!({"error": "invalid_client"}), "the client id was rejected"),
        (200, json!({"error": "invalid_client_secret"}), "the client secret was rejected"),
        (400, json!({"error": "Access Denied", "error_description": "You have made too many requests"}), "for now"),
        (400, json!({"error": "Zugriff verweigert", "error_description": "Zu viele Anfragen"}), "for now"),
        (429, json!({}), "for now"),
        (200, json!({"error": "something_new"}), "the error “something_new”"),
        (200, json!({"access_token": ""}), "HTTP 200"),
    ];
    for (status, body, words) in cases {
        let shown = body.to_string();
        let server = scripted(move |asked| (asked.path == "/oauth/v2/token").then(|| json(status, &body))).await;
        let error = read(settings(&server.uri())).await.unwrap_err().to_string();
        assert!(error.contains(words), "{shown}: {error}");
        assert_eq!(error.contains("was revoked"), words.contains("refresh token"), "{shown}: {error}");
    }
}

#[tokio::test]
async fn a_token_endpoint_that_is_something_else_is_named() {
    let server = scripted(|asked| (asked.path == "/oauth/v2/token").then(|| raw(200, "<html>Sign in</html>"))).await;
    let error = read(settings(&server.uri())).await.unwrap_err().to_string();
    assert!(error.contains(&server.uri()) && error.contains("not a token answer"), "{error}");
}

#[tokio::test]
async fn the_token_endpoint_is_tried_three_times_and_no_more() {
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tries);
    let server = scripted(move |asked| {
        (asked.path == "/oauth/v2/token").then(|| {
            counted.fetch_add(1, Ordering::Relaxed);
            ResponseTemplate::new(503)
        })
    })
    .await;
    assert!(matches!(read(settings(&server.uri())).await.unwrap_err().cause, Cause::TokenAnswer(_)));
    // Organization, current user, roles, profiles and users wait for a token at the same time; one of them asks.
    assert_eq!(tries.load(Ordering::Relaxed), 3);
}

/// How many tokens were asked for by a read that got these answers, the last of them again and again.
async fn asked_for(answers: Vec<ResponseTemplate>) -> (usize, String) {
    let api = scripted(|_| None).await;
    let asked_for = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked_for);
    let server = scripted(move |asked| {
        let number = (asked.path == "/oauth/v2/token").then(|| counted.fetch_add(1, Ordering::Relaxed))?;
        Some(answers[number.min(answers.len() - 1)].clone())
    })
    .await;
    let api_url = Some(api.uri().parse().unwrap());
    let ended = read(ZohoSettings { api_url, ..settings(&server.uri()) }).await;
    let said = ended.map_or_else(|error| error.to_string(), |directory| directory.reading.token_calls.to_string());
    (asked_for.load(Ordering::Relaxed), said)
}

/// Zoho issues ten tokens in ten minutes: an answer of success that is of no use has cost one.
#[tokio::test]
async fn a_damaged_token_answer_costs_no_more_tokens() {
    let token = |rest: &str| format!("{{\"access_token\": \"{ACCESS_TOKEN}\", {rest}}}");
    let latin = token("\"scope\": \"M\u{fc}ller\"").chars().map(|letter| letter as u8).collect::<Vec<u8>>();
    let read = [
        token("\"scope\": \"\\ud83d\"").into_bytes(),
        token("\"scope\": \"a\nb\"").into_bytes(),
        token("\"expires_in\": 1e400").into_bytes(),
        latin,
    ];
    for body in read {
        let shown = String::from_utf8_lossy(&body).into_owned();
        assert_eq!(asked_for(vec![raw(200, body)]).await, (1, "1".to_owned()), "{shown}");
    }
    for body in ["<html>Sign in</html>", "{}", "[]", "{\"access_token\": 5} junk"] {
        let (asked_for, said) = asked_for(vec![raw(200, body)]).await;
        assert_eq!(asked_for, 1, "{body}: {said}");
    }
    // An error costs no token. One that is not known may pass.
    let error = || raw(200, "{\"error\": \"something_new\"}");
    assert_eq!(asked_for(vec![error()]).await.0, 2);
    assert_eq!(asked_for(vec![error(), raw(200, token("\"expires_in\": 3600"))]).await, (2, "2".to_owned()));
    let broken_off = || raw(200, "{\"access_token\": \"1000.");
    let (asked, said) = asked_for(vec![broken_off()]).await;
    assert_eq!(asked, 2, "{said}");
    assert!(said.contains("breaks off"), "{said}");
    let whole = raw(200, token("\"expires_in\": 3600"));
    assert_eq!(asked_for(vec![broken_off(), whole.clone()]).await, (2, "2".to_owned()));
    assert_eq!(asked_for(vec![raw(502, "<html>"), raw(502, ""), whole]).await, (3, "3".to_owned()));
}

#[tokio::test]
async fn calls_that_wait_for_one_token_share_its_failure() {
    let server = scripted(|asked| {
        let token = raw(200, "<html>").set_delay(Duration::from_millis(50));
        (asked.path == "/oauth/v2/token").then_some(token)
    })
    .await;
    let connector = ZohoBigin::new(settings(&server.uri()), Clock::system()).unwrap();
    let requests = async || server.received_requests().await.unwrap().len();
    let look = async || connector.organization().await.unwrap_err().to_string();
    let failures = futures::future::join_all((0..8).map(|_| look())).await;
    assert_eq!(requests().await, 1);
    assert!(failures.iter().all(|failure| *failure == failures[0]), "{failures:?}");
    // A later call asks again.
    look().await;
    assert_eq!(requests().await, 2);
}

#[tokio::test]
async fn a_request_that_does_not_leave_this_machine_is_not_counted() {
    let (simulator, folder) = (Simulator::start(Options::default()).unwrap(), tempfile::tempdir().unwrap());
    let folder = folder.path().join("tokens");
    let unreachable = {
        // A port that nobody listens on any more.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let tokens = SharedTokens { place: TokenPlace::Folder(folder.clone()), is_fresh: false };
    let settings = ZohoSettings { accounts_url: Some(unreachable.parse().unwrap()), ..settings_of(&simulator) };
    let connector = ZohoBigin::sharing(settings, Clock::system(), Some(&tokens), &Commons::default()).unwrap();
    let error = connector.organization().await.unwrap_err().to_string();
    assert!(error.contains("no connection"), "{error}");
    let shared = std::fs::read_to_string(shared_file(&folder)).unwrap();
    assert!(shared.contains("\"requests\":[]"), "{shared}");
}

#[tokio::test]
async fn no_token_goes_to_an_address_in_clear_text() {
    let mut plain = settings("http://192.0.2.1:9");
    let error = read(plain.clone()).await.unwrap_err().to_string();
    assert!(error.contains("is not an https address"), "{error}");
    plain.accounts_url = None;
    plain.api_url = Some("http://192.0.2.1:9".parse().unwrap());
    let server = scripted(|_| None).await;
    plain.accounts_url = Some(server.uri().parse().unwrap());
    let error = read(plain).await.unwrap_err().to_string();
    assert!(error.contains("http://192.0.2.1:9 is not an https address"), "{error}");
}

/// What a token answer says of its life does not matter to whether it is used.
#[tokio::test]
async fn a_token_is_used_however_the_rest_of_its_answer_is_written() {
    let lives = [json!("3600"), json!(3600.0), json!(-1), json!(0), json!(null), json!([1]), json!(1e300)];
    for (life, scope) in lives.into_iter().zip([json!("a b"), json!(["a", "b"])].into_iter().cycle()) {
        let shown = format!("{life} {scope}");
        let asked_for = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked_for);
        let server = MockServer::builder().start().await;
        let scripted = scripted(|_| None).await;
        let body = format!("\u{feff}{}", json!({"access_token": ACCESS_TOKEN, "expires_in": life, "scope": scope}));
        let respond = move |_: &wiremock::Request| {
            counted.fetch_add(1, Ordering::Relaxed);
            raw(200, body.clone())
        };
        wiremock::Mock::given(wiremock::matchers::any()).respond_with(respond).mount(&server).await;
        let api_url = Some(scripted.uri().parse().unwrap());
        let directory = read(ZohoSettings { api_url, ..settings(&server.uri()) }).await.unwrap();
        assert_eq!(asked_for.load(Ordering::Relaxed), 1, "{shown}");
        assert_eq!(directory.source.scopes.as_deref(), Some(&["a".to_owned(), "b".to_owned()][..]), "{shown}");
    }
}

fn sharing(simulator: &Simulator, folder: &Path) -> ZohoBigin {
    let tokens = SharedTokens { place: TokenPlace::Folder(folder.to_owned()), is_fresh: false };
    ZohoBigin::sharing(settings_of(simulator), Clock::system(), Some(&tokens), &Commons::default()).unwrap()
}

/// The only file of shared tokens in a folder.
fn shared_file(folder: &Path) -> PathBuf {
    let mut files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|extension| extension == "json")).unwrap()
}

#[tokio::test]
async fn connectors_with_the_same_folder_share_one_token() {
    let (simulator, folder) = (Simulator::start(Options::default()).unwrap(), tempfile::tempdir().unwrap());
    let folder = folder.path().join("tokens");
    let connectors: Vec<_> = (0..12).map(|_| sharing(&simulator, &folder)).collect();
    let looks = connectors.iter().map(ZohoBigin::organization);
    assert!(futures::future::join_all(looks).await.iter().all(Result::is_ok));
    assert_eq!(simulator.journal().token_requests(), 1);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&shared_file(&folder))), (0o700, 0o600));
    let name = shared_file(&folder).display().to_string();
    assert!(!name.contains(&simulator.credentials().client_id), "{name}");
}

#[tokio::test]
async fn a_shared_token_that_others_may_read_or_that_is_refused_or_garbage_is_replaced_once() {
    let (simulator, folder) = (Simulator::start(Options::default()).unwrap(), tempfile::tempdir().unwrap());
    let folder = folder.path().join("tokens");
    let look = async || sharing(&simulator, &folder).organization().await.unwrap();
    look().await;
    let file = shared_file(&folder);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    look().await;
    assert_eq!(simulator.journal().token_requests(), 2);
    assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    std::fs::write(&file, "{").unwrap();
    look().await;
    assert_eq!(simulator.journal().token_requests(), 3);
    simulator.set_faults([Fault::TokenExpires]);
    for _ in 0..5 {
        look().await;
    }
    assert_eq!(simulator.journal().token_requests(), 4, "the refused token was replaced, and the new one shared");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    look().await;
    assert_eq!(simulator.journal().token_requests(), 5, "a folder that others may read is not used");
}
