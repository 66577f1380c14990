use std::time::Duration;

use serde_json::{Value, json};

use super::{Visit, read};
use crate::{Fault, Options};

#[tokio::test]
async fn a_token_is_given_for_parameters_in_the_query_a_form_and_a_multipart_body() {
    let visit = Visit::start(Options::default()).await;
    let parameters = visit.refresh_parameters();
    let mut multipart = String::new();
    for (name, value) in &parameters {
        multipart.push_str("--invented\r\nContent-Disposition: form-data; name=\"");
        multipart.push_str(name);
        multipart.push_str("\"\r\n\r\n");
        multipart.push_str(value);
        multipart.push_str("\r\n");
    }
    multipart.push_str("--invented--\r\n");
    let post = || visit.client.post(visit.url("/oauth/v2/token"));
    let requests = [
        post().query(&parameters),
        post().form(&parameters),
        post().header("Content-Type", "multipart/form-data; boundary=invented").body(multipart),
    ];
    for request in requests {
        let (status, body) = read(request.send().await.unwrap()).await;
        assert_eq!(status, 200);
        assert!(body["access_token"].as_str().unwrap().starts_with("1000."), "{body}");
        assert_eq!(body["api_domain"], visit.simulator.base_url());
        assert_eq!(body["expires_in"], 3600);
        assert_eq!(body["refresh_token"], Value::Null);
    }
    assert_eq!(visit.simulator.journal().token_requests(), 4);
    let journal = format!("{:?}", visit.simulator.journal().calls());
    assert!(!journal.contains(&visit.simulator.credentials().refresh_token), "{journal}");
    assert!(!journal.contains(&visit.simulator.credentials().client_secret), "{journal}");
}

#[tokio::test]
async fn wrong_credentials_are_errors_with_status_200() {
    let visit = Visit::start(Options::default()).await;
    let expected = [
        ("client_id", "invalid_client"),
        ("client_secret", "invalid_client_secret"),
        ("refresh_token", "invalid_code"),
    ];
    for (name, error) in expected {
        let mut parameters = visit.refresh_parameters();
        parameters.iter_mut().find(|parameter| parameter.0 == name).unwrap().1 = "wrong".to_owned();
        assert_eq!(read(visit.post_token(&parameters).await).await, (200, json!({"error": error})));
    }
}

#[tokio::test]
async fn a_grant_code_gives_a_refresh_token_once() {
    let visit = Visit::start(Options::default()).await;
    let mut parameters = visit.refresh_parameters();
    parameters[0].1 = "authorization_code".to_owned();
    parameters.push(("code", visit.simulator.credentials().grant_code.clone()));
    let (_, first) = read(visit.post_token(&parameters).await).await;
    assert!(first["refresh_token"].as_str().unwrap().starts_with("1000."), "{first}");
    assert_eq!(read(visit.post_token(&parameters).await).await.1, json!({"error": "invalid_code"}));
}

#[tokio::test]
async fn a_revoked_refresh_token_is_worth_nothing() {
    let visit = Visit::start(Options::default()).await;
    let token = visit.simulator.credentials().refresh_token.clone();
    let revoke = visit.client.post(visit.url("/oauth/v2/token/revoke")).query(&[("token", &token)]);
    assert_eq!(read(revoke.send().await.unwrap()).await, (200, json!({"status": "success"})));
    assert_eq!(visit.new_token().await, "");
    assert_eq!(visit.get_json("/org").await.1["code"], "INVALID_TOKEN");
    assert_eq!(visit.simulator.journal().calls()[1].path, "/oauth/v2/token/revoke?token=***");
}

#[tokio::test]
async fn too_many_tokens_are_refused_with_access_denied() {
    let visit = Visit::start(Options { tokens_per_window: 1, ..Options::default() }).await;
    let (status, body) = read(visit.post_token(&visit.refresh_parameters()).await).await;
    assert_eq!(status, 400);
    assert_eq!(body["error"], "Access Denied");
    assert_eq!(body["status"], "failure");
}

#[tokio::test]
async fn a_token_ends_after_its_lifetime() {
    let visit = Visit::start(Options { token_lifetime: Duration::ZERO, ..Options::default() }).await;
    assert_eq!(visit.get_json("/org").await.1["code"], "INVALID_TOKEN");
}

#[tokio::test]
async fn the_token_endpoint_fails_in_the_ways_that_were_switched_on() {
    let visit = Visit::start(Options { tokens_per_window: 100, ..Options::default() }).await;
    let answer = async |fault| {
        visit.simulator.set_faults([fault]);
        let response = visit.post_token(&visit.refresh_parameters()).await;
        (response.status().as_u16(), response.text().await.unwrap())
    };
    assert_eq!(answer(Fault::WrongDataCentre).await, (200, r#"{"error":"invalid_client"}"#.to_owned()));
    assert_eq!(answer(Fault::Revoked).await, (200, r#"{"error":"invalid_code"}"#.to_owned()));
    assert_eq!(answer(Fault::TokenThrottled).await.0, 400);
    let (status, localised) = answer(Fault::TokenThrottledLocalised).await;
    assert_eq!(status, 400);
    assert!(!localised.contains("Access Denied"), "{localised}");
    assert!(localised.contains("error_description"), "{localised}");
    assert!(answer(Fault::ForeignApiDomain).await.1.contains("https://www.zohoapis.invalid"));
    assert_eq!(answer(Fault::TokenServerError).await.0, 500);
    assert_ne!(visit.new_token().await, "");
    assert_eq!(answer(Fault::TokenThrottledOnce).await.0, 400);
    assert_ne!(visit.new_token().await, "");
}
