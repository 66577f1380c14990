//! What a token reaches, and the one call that removes a user.

use serde_json::json;

use super::support::{ACCESS_TOKEN, json, raw, scripted, settings, settings_of, simulator};
use crate::{
    clock::Clock,
    connector::{
        Cause, Connector as _, Credential, Removal, Remover as _,
        zoho::{ZohoBigin, ZohoSettings},
    },
    model::{
        id::UserId,
        survey::{GrantState, Purpose},
    },
};
use rolecall_simulator::{ALL_SCOPES, Fault, Options, Simulator};

fn powerful() -> Simulator {
    let scopes = ALL_SCOPES.iter().map(|scope| (*scope).to_owned()).collect();
    Simulator::start(Options { users: 20, scopes, tokens_per_window: 10_000, ..Options::default() }).unwrap()
}

#[tokio::test]
async fn a_removal_is_refused_without_the_scope() {
    let simulator = simulator(20);
    let connector = ZohoBigin::new(settings_of(&simulator), Clock::system()).unwrap();
    let id = UserId::from(simulator.world().read(|world| world.user_ids()[5].clone()).as_str());
    let error = connector.remove(&id).await.unwrap_err();
    assert!(error.to_string().contains("lacks the scope ZohoBigin.users.DELETE. Generate"), "{error}");
}

#[tokio::test]
async fn a_removal_that_never_left_is_not_called_unknown() {
    let server = scripted(|_| None).await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let api_url = Some(format!("http://{closed}").parse().unwrap());
    let connector = ZohoBigin::new(ZohoSettings { api_url, ..settings(&server.uri()) }, Clock::system()).unwrap();
    let error = connector.remove(&UserId::from("77")).await.unwrap_err().to_string();
    assert!(error.contains(" times, the last time with no connection"), "{error}");
}

#[tokio::test]
async fn only_a_limit_or_an_expired_token_repeats_a_removal() {
    let id = UserId::from("77");
    for (status, body, expected) in [
        (500, "{}", "HTTP 500 Internal Server Error (no code)"),
        (502, "<html>", "HTTP 502 Bad Gateway (no code)"),
        (200, "<html>", "an answer that is not JSON"),
        (200, "{}", "an answer that says neither success nor error"),
        (302, "", "a redirect, HTTP 302"),
        (408, "<html>", "HTTP 408 Request Timeout (no code)"),
        (404, "<html>", "DELETE /bigin/v2/users/77: the API refused the call (HTTP 404, no code): no message"),
    ] {
        let server = scripted(move |asked| (asked.method == "DELETE").then(|| raw(status, body))).await;
        let outcome = ZohoBigin::new(settings(&server.uri()), Clock::system()).unwrap().remove(&id).await;
        assert_eq!(outcome, Ok(Removal::Unknown(expected.to_owned())), "{status} {body}");
        let deletions =
            server.received_requests().await.unwrap().iter().filter(|r| r.method.as_str() == "DELETE").count();
        assert_eq!(deletions, 1);
    }
    let calls = std::sync::atomic::AtomicU32::new(0);
    let server = scripted(move |asked| {
        (asked.method == "DELETE").then(|| match calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
            0 => json(429, &json!({"code": "TOO_MANY_REQUESTS"})),
            1 => json(401, &json!({"code": "INVALID_TOKEN"})),
            _ => json(200, &json!({"users": [{"code": "SUCCESS", "status": "success", "details": {"id": "77"}}]})),
        })
    })
    .await;
    assert_eq!(
        ZohoBigin::new(settings(&server.uri()), Clock::system()).unwrap().remove(&id).await,
        Ok(Removal::Accepted)
    );
}

#[tokio::test]
async fn a_refusal_with_success_as_its_status_is_a_refusal() {
    let server = scripted(|asked| {
        let body = json!({"users": [{"code": "INVALID_REQUEST", "status": "error", "message": "Primary contact"}]});
        (asked.method == "DELETE").then(|| json(200, &body))
    })
    .await;
    let error = ZohoBigin::new(settings(&server.uri()), Clock::system())
        .unwrap()
        .remove(&UserId::from("77"))
        .await
        .unwrap_err();
    assert!(matches!(error.cause, Cause::Refused { code, .. } if code == "INVALID_REQUEST"));
}

#[tokio::test]
async fn a_call_that_is_told_to_wait_holds_the_others_back_too() {
    let calls = std::sync::atomic::AtomicU32::new(0);
    let server = scripted(move |asked| {
        let is_first = asked.path == "org" && calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        is_first.then(|| json(429, &json!({"code": "TOO_MANY_REQUESTS"})).insert_header("retry-after", "1"))
    })
    .await;
    let connector = ZohoBigin::new(settings(&server.uri()), Clock::system()).unwrap();
    let began = std::time::Instant::now();
    let other = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        connector.current_user().await.unwrap();
        began.elapsed()
    };
    let (first, other) = tokio::join!(connector.organization(), other);
    first.unwrap();
    assert!(other >= std::time::Duration::from_millis(900), "{other:?}");
}

#[tokio::test]
async fn a_survey_says_what_the_token_may_and_what_is_more_than_it_needs() {
    let simulator = simulator(20);
    let survey = ZohoBigin::new(settings_of(&simulator), Clock::system()).unwrap().survey().await.unwrap();
    let state = |name: &str| {
        let grant = survey.grants.iter().find(|grant| grant.name == name).unwrap();
        (grant.purpose, grant.state.clone())
    };
    assert_eq!(state("ZohoBigin.users.READ"), (Purpose::Audit, GrantState::Granted));
    assert!(matches!(state("ZohoBigin.users.DELETE"), (Purpose::Offboarding, GrantState::Lacking(_))));
    assert!(matches!(state("ZohoBigin.settings.modules.READ"), (Purpose::Nothing, GrantState::Lacking(_))));
    assert!(survey.clock_ahead.is_some_and(|ahead| ahead.num_seconds().abs() <= 1), "{:?}", survey.clock_ahead);
    assert!(survey.organization.is_some() && survey.current_user.is_some_and(|user| user.role.is_some()));

    simulator.set_faults([Fault::MissingScopeRoles]);
    let survey = ZohoBigin::new(settings_of(&simulator), Clock::system()).unwrap().survey().await.unwrap();
    let lacking: Vec<_> = survey.grants.iter().filter(|grant| grant.purpose == Purpose::Audit).collect();
    assert!(matches!(lacking[1].state, GrantState::Lacking(_)), "{lacking:?}");
    assert!(survey.roles.is_none() && survey.profiles.is_some());

    let survey = ZohoBigin::new(settings_of(&powerful()), Clock::system()).unwrap().survey().await.unwrap();
    let more: Vec<_> = survey.grants.iter().filter(|grant| grant.purpose != Purpose::Audit).collect();
    assert!(more.iter().all(|grant| grant.state == GrantState::Granted), "{more:?}");
    assert!(more.iter().any(|grant| grant.name == "ZohoBigin.users.ALL"));

    let untold = async |scope: Option<&'static str>| -> Vec<String> {
        let server = scripted(move |asked| {
            let token = json!({"access_token": ACCESS_TOKEN, "expires_in": 3600, "scope": scope});
            (asked.path == "/oauth/v2/token").then(|| json(200, &token))
        })
        .await;
        let settings = ZohoSettings { api_url: Some(server.uri().parse().unwrap()), ..settings(&server.uri()) };
        let survey = ZohoBigin::new(settings, Clock::system()).unwrap().survey().await.unwrap();
        let untold = survey.grants.into_iter().filter(|grant| matches!(grant.state, GrantState::Unknown(_)));
        untold.map(|grant| grant.name).collect()
    };
    // The list of modules is answered with 404 here, which says nothing of the scope.
    let modules = "ZohoBigin.settings.modules.READ";
    assert_eq!(untold(None).await, ["ZohoBigin.users.DELETE", modules, "other scopes"]);
    assert_eq!(untold(Some("ZohoBigin.users.READ ZohoBigin.settings.roles.READ")).await, Vec::<String>::new());
    assert_eq!(untold(Some("ZohoBigin.settings.ALL")).await, [modules]);

    simulator.set_faults([Fault::Revoked]);
    let error = ZohoBigin::new(settings_of(&simulator), Clock::system()).unwrap().survey().await.unwrap_err();
    assert!(matches!(error.cause, Cause::Unauthorized { credential: Credential::RefreshToken, .. }), "{error}");
}
