//! Getting, keeping and renewing access tokens.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::json;
use wiremock::ResponseTemplate;

use super::support::{ids, json, raw, read, scripted, settings, settings_of, simulator};
use crate::{
    clock::Clock,
    connector::{Cause, Connector as _, zoho::ZohoBigin},
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
    // Nine tenths of a life of one second, and no call is ever refused.
    let options = Options { token_lifetime: Duration::from_secs(1), tokens_per_window: 100, ..Options::default() };
    let simulator = Simulator::start(options).unwrap();
    let connector = ZohoBigin::new(settings_of(&simulator), Clock::system()).unwrap();
    let started = std::time::Instant::now();
    while started.elapsed() < Duration::from_millis(1_500) {
        connector.organization().await.unwrap();
    }
    assert!(simulator.journal().calls().iter().all(|call| call.status != Some(401)));
    assert_eq!(simulator.journal().token_requests(), 2);
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
    assert!(tries.load(Ordering::Relaxed).is_multiple_of(3), "{tries:?}");
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
