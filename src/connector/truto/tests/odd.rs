//! Answers that no simulator gives: gateways, other words, and servers that echo what they were sent.

use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

use super::*;

const TOKEN: &str = "the-api-token";

/// A server that answers like a small workspace, but for what a test says of a method and path.
async fn scripted(answer: impl Fn(&str) -> Option<ResponseTemplate> + Send + Sync + 'static) -> MockServer {
    let server = MockServer::start().await;
    let respond = move |request: &Request| {
        let asked = format!("{} {}", request.method, request.url.path());
        answer(&asked).unwrap_or_else(|| usual(request.url.path()))
    };
    Mock::given(any()).respond_with(respond).mount(&server).await;
    server
}

fn usual(path: &str) -> ResponseTemplate {
    rows(path).map_or_else(
        || json_answer(200, &json!({"id": "acc", "status": "active"})),
        |rows| json_answer(200, &list(&rows)),
    )
}

/// The rows of a small workspace at a path; none where there is no list.
fn rows(path: &str) -> Option<Value> {
    let user = json!({
        "id": "1", "full_name": "Ada", "email": "ada@example.com", "status": "active", "confirm": true, "zuid": "71",
        "role": {"id": "1", "name": "CEO"}, "profile": {"id": "9", "name": "Administrator"},
    });
    Some(match path {
        "/proxy/users" | "/proxy/me" => json!([user]),
        "/proxy/roles" => json!([{"id": "1", "name": "CEO"}]),
        "/proxy/profiles" | "/proxy/profiles/9" => json!([{"id": "9", "name": "Administrator"}]),
        "/proxy/current_organization" => json!([{"id": "5", "company_name": "Example"}]),
        "/integrated-account/acc/tools" => json!([]),
        _ => return None,
    })
}

fn list(rows: &Value) -> Value {
    json!({"result": rows, "next_cursor": null, "result_count": rows.as_array().map_or(0, Vec::len)})
}

fn json_answer(status: u16, body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(body)
}

fn html(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw("<html>gateway</html>", "text/html")
}

fn remote(status: u16, code: &str, message: &str) -> ResponseTemplate {
    let raw = json!({"code": code, "message": message, "status": "error"});
    let body = json!({"statusCode": status, "error": "E", "message": message, "truto_is_remote_error": true, "raw_response": raw});
    json_answer(status, &body)
}

fn to(server: &MockServer) -> Truto {
    Truto::new(
        TrutoSettings {
            integrated_account_id: "acc".to_owned(),
            api_token: TOKEN.into(),
            api_url: server.uri().parse().unwrap(),
            resources: Resources::default(),
            limits: Limits { attempts: 2, backoff: Duration::from_millis(2), ..Limits::default() },
            reads: 1,
            pause_between_reads: Duration::ZERO,
        },
        Clock::system(),
    )
    .unwrap()
}

#[tokio::test]
async fn only_the_vendor_s_own_word_says_that_there_is_no_such_user() {
    type Answer = fn() -> ResponseTemplate;
    let cases: [(Answer, bool); 7] = [
        (|| remote(404, "INVALID_DATA", "no such user"), true),
        (|| remote(400, "ID_ALREADY_DELETED", "User is already deleted"), true),
        (|| html(404), false),
        (|| remote(404, "INVALID_URL_PATTERN", "no such address"), false),
        (
            || json_answer(404, &json!({"statusCode": 404, "error": "Not Found", "message": "Resource not found"})),
            false,
        ),
        (|| json_answer(404, &json!({"raw_response": {"code": "INVALID_DATA"}})), false),
        (|| remote(400, "INVALID_DATA", "a wrong parameter"), false),
    ];
    for (number, (answer, is_gone)) in cases.into_iter().enumerate() {
        let server = scripted(move |asked| asked.contains("/proxy/users/7").then(answer)).await;
        let (connector, id) = (to(&server), UserId::from("7"));
        let user = connector.user(&id).await;
        assert_eq!(matches!(user, Ok(None)), is_gone, "case {number}: {user:?}");
        let removal = connector.remove(&id).await;
        assert_eq!(removal == Ok(Removal::AlreadyGone), is_gone, "case {number}: {removal:?}");
    }
}

#[tokio::test]
async fn what_does_not_say_what_was_done_is_unknown_and_a_refusal_is_one_in_every_form() {
    for (status, words) in [(302, "a redirect, HTTP 302"), (308, "a redirect"), (408, "HTTP 408"), (403, "403")] {
        let server = scripted(move |asked| asked.starts_with("DELETE").then(|| html(status))).await;
        match to(&server).remove(&UserId::from("7")).await {
            Ok(Removal::Unknown(how)) => assert!(how.contains(words), "{how}"),
            other => panic!("{status}: {other:?}"),
        }
    }
    let refused = json!({"users": [{"code": "INVALID_REQUEST", "status": "error", "message": "Primary contact"}]});
    for body in [refused.clone(), json!({"result": refused}), refused["users"][0].clone()] {
        let server = scripted(move |asked| asked.starts_with("DELETE").then(|| json_answer(200, &body))).await;
        let error = to(&server).remove(&UserId::from("7")).await.unwrap_err();
        assert!(error.to_string().contains("Primary contact"), "{error}");
    }
}

#[tokio::test]
async fn a_token_that_a_server_echoes_is_in_no_message() {
    let raw = |code: &str, message: &str| remote(409, code, message);
    let scopes = json!({
        "statusCode": 403, "error": "Forbidden", "message": "", "truto_is_remote_error": true, "raw_response": {},
        "truto_error_insight": {"forbidden_error": {"value": {"missing_scopes": [format!("scope of {TOKEN}")]}}},
    });
    let refused = json!({"users": [{"code": TOKEN, "status": "error", "message": TOKEN}]});
    for answer in [
        raw("NO", &format!("not with {TOKEN}")),
        raw(TOKEN, "no"),
        json_answer(403, &scopes),
        json_answer(500, &json!({"error": TOKEN, "message": TOKEN})),
        json_answer(200, &refused),
        html(401).set_body_raw(TOKEN, "text/html"),
    ] {
        let server = scripted(move |asked| asked.contains("/proxy/users/7").then(|| answer.clone())).await;
        let (connector, id) = (to(&server), UserId::from("7"));
        let said = format!("{:?} {:?}", connector.user(&id).await, connector.remove(&id).await);
        assert!(!said.contains(TOKEN), "{said}");
    }
}

async fn read_of(server: &MockServer) -> Directory {
    let request = ReadRequest {
        administrator_profiles: vec!["Administrator".into()],
        deadline: Duration::from_mins(1),
        recorder: None,
    };
    to(server).read(&request, &()).await.unwrap()
}

#[tokio::test]
async fn whatever_truto_calls_partial_makes_the_read_incomplete() {
    for path in ["users", "roles", "profiles", "me", "current_organization"] {
        let path = format!("/proxy/{path}");
        let partial = path.clone();
        let server = scripted(move |asked| {
            let mut body = list(&rows(&partial)?);
            body["is_partial_response"] = json!(true);
            (asked == format!("GET {partial}")).then(|| json_answer(200, &body))
        })
        .await;
        let directory = read_of(&server).await;
        let outcome = outcome(&directory, CheckKind::SourceComplete);
        assert!(matches!(outcome, CheckOutcome::Disagreed { .. }), "{path}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_page_that_holds_another_number_of_users_than_it_says_makes_the_read_incomplete() {
    for (count, word) in [(json!(1), "agrees"), (json!(3), "disagrees"), (Value::Null, "not evaluated")] {
        let server = scripted(move |asked| {
            let mut body = list(&rows("/proxy/users")?);
            body["result_count"] = count.clone();
            (asked == "GET /proxy/users").then(|| json_answer(200, &body))
        })
        .await;
        assert_eq!(outcome(&read_of(&server).await, CheckKind::PageLength).word(), word);
    }
}

#[tokio::test]
async fn a_gateway_s_refusal_is_not_told_as_the_vendor_s() {
    let server = scripted(|asked| asked.ends_with("/proxy/current_organization").then(|| html(401))).await;
    let error = to(&server).organization().await.unwrap_err();
    assert!(matches!(error.cause, Cause::Refused { status: 401, .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_failed_is_asked_again_when_it_says() {
    let calls = std::sync::atomic::AtomicU32::new(0);
    let server = scripted(move |asked| {
        let first = asked.ends_with("organization") && calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        // When the limit is lifted is no answer to when it works again.
        first.then(|| html(502).insert_header("retry-after", "1").insert_header("ratelimit-reset", "60"))
    })
    .await;
    let began = std::time::Instant::now();
    assert_eq!(to(&server).organization().await.unwrap().id.as_deref(), Some("5"));
    assert!((Duration::from_secs(1)..Duration::from_secs(30)).contains(&began.elapsed()));
}

#[tokio::test]
async fn what_an_account_can_do_beside_reading_is_named_and_so_is_that_nobody_says() {
    let tools = json!([
        {"resource": "users", "method": "list"}, {"resource": "users", "method": "delete"},
        {"resource": "users", "method": "create"}, {"resource": "contacts", "method": "delete"},
        {"resource": "users", "method": "search"}, {"resource": "users", "method": "search"},
    ]);
    let server = MockServer::start().await;
    let respond = move |request: &Request| {
        let asks_for_all = request.url.query_pairs().any(|(name, value)| name == "has_description" && value == "false");
        let is_tools = request.url.path().ends_with("/tools") && asks_for_all;
        if is_tools { json_answer(200, &json!({"result": tools})) } else { usual(request.url.path()) }
    };
    Mock::given(any()).respond_with(respond).mount(&server).await;
    let survey = to(&server).survey().await.unwrap();
    let writing: Vec<_> = survey.grants.iter().filter(|grant| grant.purpose != Purpose::Audit).collect();
    assert!(writing.iter().all(|grant| grant.state == GrantState::Granted), "{writing:?}");
    let named: Vec<_> = writing.iter().map(|grant| (grant.name.as_str(), grant.purpose)).collect();
    assert_eq!(
        named,
        [
            ("contacts.delete", Purpose::Nothing),
            ("users.create", Purpose::Nothing),
            ("users.delete", Purpose::Offboarding),
            ("users.search", Purpose::Nothing)
        ]
    );

    let forbidden = json!({"statusCode": 403, "error": "Forbidden", "message": "no"});
    let server = scripted(move |asked| asked.ends_with("/tools").then(|| json_answer(403, &forbidden))).await;
    let survey = to(&server).survey().await.unwrap();
    let untold: Vec<_> = survey.grants.iter().filter(|g| matches!(g.state, GrantState::Unknown(_))).collect();
    assert_eq!(untold.iter().map(|g| g.name.as_str()).collect::<Vec<_>>(), ["users.delete", "other methods"]);
}
