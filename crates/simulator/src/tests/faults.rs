use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{Visit, ids_in};
use crate::{ALL_SCOPES, Fault, Options};

async fn visit(fault: Fault) -> Visit {
    let visit = Visit::start(Options { users: 450, every: 3, ..Options::default() }).await;
    visit.simulator.set_faults([fault]);
    visit
}

#[tokio::test]
async fn every_third_call_fails_in_the_way_that_was_switched_on() {
    let visit = visit(Fault::RateLimitSeconds).await;
    let cases = [
        (Fault::RateLimitSeconds, 429, Some(("retry-after", "1"))),
        (Fault::RateLimitReset, 429, Some(("ratelimit-reset", "1"))),
        (Fault::RateLimitBare, 429, None),
        (Fault::RateLimitOldShape, 429, None),
        (Fault::ServerError, 500, None),
        (Fault::BadGateway, 502, Some(("content-type", "text/html"))),
    ];
    for (fault, status, header) in cases {
        visit.simulator.set_faults([fault]);
        let mut statuses = Vec::new();
        for _ in 0..6 {
            let response = visit.get("/org").await;
            if let (429.., Some((name, value))) = (response.status().as_u16(), header) {
                assert_eq!(response.headers()[name], value, "{fault}");
            }
            statuses.push(response.status().as_u16());
        }
        assert_eq!(statuses, [200, 200, status, 200, 200, status], "{fault}");
    }
    visit.simulator.set_faults([Fault::RateLimitDate]);
    let answers = [visit.get("/org").await, visit.get("/org").await, visit.get("/org").await];
    let date = answers[2].headers()["retry-after"].to_str().unwrap();
    assert!(chrono::DateTime::parse_from_rfc2822(date).is_ok(), "{date}");
}

#[tokio::test]
async fn a_token_that_expires_is_refused_once_and_a_new_one_is_taken() {
    let mut visit = visit(Fault::TokenExpires).await;
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(visit.get("/org").await.status().as_u16());
    }
    assert_eq!(codes, [200, 200, 401, 401]);
    visit.token = visit.new_token().await;
    assert_eq!(visit.get("/org").await.status(), 200);
}

#[tokio::test]
async fn a_missing_scope_closes_its_resource_only() {
    let visit = visit(Fault::MissingScopeUsers).await;
    let paths = [
        (Fault::MissingScopeUsers, "/users"),
        (Fault::MissingScopeRoles, "/settings/roles"),
        (Fault::MissingScopeProfiles, "/settings/profiles"),
        (Fault::MissingScopeOrg, "/org"),
    ];
    for (fault, closed) in paths {
        visit.simulator.set_faults([fault]);
        for (_, path) in paths {
            let (status, body) = visit.get_json(path).await;
            assert_eq!(status == 401, path == closed, "{fault} {path}");
            assert_eq!(body["code"] == "OAUTH_SCOPE_MISMATCH", path == closed, "{fault} {path}");
        }
    }
}

#[tokio::test]
async fn a_missing_scope_narrows_a_scope_over_all_settings() {
    let scopes = ALL_SCOPES.iter().map(ToString::to_string).collect();
    let visit = Visit::start(Options { scopes, ..Options::default() }).await;
    for (fault, closed) in
        [(Fault::MissingScopeRoles, "/settings/roles"), (Fault::MissingScopeProfiles, "/settings/profiles")]
    {
        visit.simulator.set_faults([fault]);
        for path in ["/users", "/settings/roles", "/settings/profiles", "/settings/modules", "/org"] {
            assert_eq!(visit.get_json(path).await.0 == 401, path == closed, "{fault} {path}");
        }
    }
}

#[tokio::test]
async fn bodies_are_cut_off_dropped_slowed_and_endless() {
    let visit =
        Visit::start(Options { every: 1, slow_body_pause: Duration::from_millis(20), ..Options::default() }).await;
    visit.simulator.set_faults([Fault::TruncatedJson]);
    let text = visit.get("/users").await.text().await.unwrap();
    assert!(text.starts_with("{\"users\":[") && serde_json::from_str::<serde_json::Value>(&text).is_err());

    visit.simulator.set_faults([Fault::ConnectionDropped]);
    let response = visit.get("/users").await;
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err());

    visit.simulator.set_faults([Fault::SlowBody]);
    let start = Instant::now();
    assert_eq!(ids_in(&visit.get_json("/users").await.1).len(), 50);
    assert!(start.elapsed() >= Duration::from_millis(160));

    visit.simulator.set_faults([Fault::EndlessBody]);
    let mut response = visit.get("/users").await;
    let mut size = 0;
    while size < 5_000_000 {
        size += response.chunk().await.unwrap().unwrap().len();
    }
}

#[tokio::test]
async fn a_user_inserted_during_the_read_shows_one_user_twice_and_the_next_read_is_clean() {
    let visit = visit(Fault::UserInsertedOnce).await;
    let ids = visit.all_ids().await;
    assert_eq!(ids.len(), 451);
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 450);
    let again = visit.all_ids().await;
    assert_eq!(again.iter().collect::<HashSet<_>>().len(), 451);
}

#[tokio::test]
async fn a_user_removed_during_the_read_hides_another_and_the_next_read_is_clean() {
    let visit = visit(Fault::UserRemovedOnce).await;
    let ids: HashSet<_> = visit.all_ids().await.into_iter().collect();
    assert_eq!(ids.len(), 449);
    let again: HashSet<_> = visit.all_ids().await.into_iter().collect();
    assert_eq!(again.difference(&ids).count(), 1);
}

#[tokio::test]
async fn a_list_that_always_shifts_is_never_read_the_same_twice() {
    let visit = visit(Fault::UsersShiftAlways).await;
    for _ in 0..3 {
        let (_, before) = visit.get_json("/users?page=1").await;
        visit.get("/users?page=2").await;
        let (_, after) = visit.get_json("/users?page=1").await;
        assert_ne!(ids_in(&before), ids_in(&after));
    }
}

#[tokio::test]
async fn pages_disagree_with_what_they_say() {
    let visit = visit(Fault::DuplicateRowOnce).await;
    let distinct = async || visit.all_ids().await.into_iter().collect::<HashSet<_>>().len();
    assert_eq!(distinct().await, 449);
    assert_eq!(distinct().await, 450);
    visit.simulator.set_faults([Fault::DuplicateRowAlways]);
    assert_eq!((distinct().await, distinct().await), (449, 449));

    visit.simulator.set_faults([Fault::ShortPageOnce]);
    let (_, short) = visit.get_json("/users").await;
    assert_eq!((ids_in(&short).len(), &short["info"]["count"]), (199, &200.into()));
    assert_eq!(distinct().await, 450);
    visit.simulator.set_faults([Fault::ShortPageAlways]);
    assert_eq!((distinct().await, distinct().await), (449, 449));

    visit.simulator.set_faults([Fault::MoreRecordsFalseTooEarly]);
    assert_eq!(distinct().await, 200);
    visit.simulator.set_faults([Fault::MoreRecordsTrueAtEnd]);
    assert_eq!(visit.get_json("/users?page=3").await.1["info"]["more_records"], true);
    visit.simulator.set_faults([Fault::EmptyUserList]);
    assert_eq!(visit.get_json("/users").await.0, 204);
    visit.simulator.set_faults([Fault::EmptyUserArray]);
    assert_eq!(distinct().await, 0);
    assert_eq!(visit.get_json("/users?type=CurrentUser").await.1["info"]["count"], 1);
}

#[tokio::test]
async fn records_have_other_shapes_than_expected() {
    let visit = visit(Fault::IdsAsNumbers).await;
    let (_, body) = visit.get_json("/users").await;
    assert_eq!(body["users"][0]["id"], 5_820_190_000_000_627_001_u64);
    assert!(body["users"][0]["role"]["id"].is_u64());
    visit.simulator.set_faults([Fault::MissingId]);
    let (_, body) = visit.get_json("/users").await;
    assert!(body["users"][0]["id"].is_string());
    assert!(body["users"][1].get("id").is_none());
    assert!(body["users"][1]["email"].is_string());
    visit.simulator.set_faults([Fault::ProfileCustomShape]);
    let (_, body) = visit.get_json("/settings/profiles").await;
    assert_eq!(body["profiles"][0].get("category"), None);
    assert_eq!(body["profiles"][0]["custom"], false);
    assert_eq!(body["profiles"][5]["custom"], true);
}

#[tokio::test]
async fn answers_contradict_each_other() {
    let visit = visit(Fault::AdminFilterDisagrees).await;
    assert_eq!(visit.get_json("/users?type=AdminUsers").await.1["info"]["count"], 5);
    visit.simulator.set_faults([Fault::WrongUserById]);
    assert_eq!(ids_in(&visit.get_json("/users/5820190000000627009").await.1), ["5820190000000627001"]);
    visit.simulator.set_faults([Fault::ProfileDetailsRefused]);
    assert_eq!(visit.get_json("/settings/profiles").await.0, 200);
    assert_eq!(visit.get_json("/settings/profiles/5820190000000026011").await.0, 403);
    visit.simulator.set_faults([Fault::Redirect]);
    let response = visit.get("/org").await;
    assert_eq!(response.status(), 302);
    assert_eq!(response.headers()["location"], visit.url("/elsewhere"));
    visit.simulator.set_faults([Fault::TokenNeverAccepted]);
    assert_eq!(visit.get_json("/org").await.1["code"], "INVALID_TOKEN");
    visit.simulator.set_faults([Fault::RateLimitAlways]);
    assert_eq!(visit.get("/org").await.status(), 429);
    visit.simulator.set_faults([Fault::ServerErrorAlways]);
    assert_eq!(visit.get("/org").await.status(), 500);
}

#[tokio::test]
async fn a_deletion_may_be_denied_feigned_or_leave_nothing_behind() {
    let scopes = crate::ALL_SCOPES.iter().map(|scope| (*scope).to_owned()).collect();
    let visit = Visit::start(Options { users: 12, scopes, ..Options::default() }).await;
    let ids = visit.all_ids().await;
    let cases = [
        (Fault::DeletionDenied, 400, json!("deleted")),
        (Fault::DeletionFeigned, 200, json!("active")),
        (Fault::DeletionVanishes, 200, Value::Null),
    ];
    for ((fault, status, left), id) in cases.into_iter().zip(&ids[3..]) {
        visit.simulator.world().edit(|world| world.patch_user(id, &json!({"status": "active"}))).unwrap();
        visit.simulator.set_faults([fault]);
        let answer = visit.request("DELETE", &format!("/users/{id}")).send().await.unwrap();
        assert_eq!(answer.status(), status, "{fault}");
        assert_eq!(visit.get_json(&format!("/users/{id}")).await.1["users"][0]["status"], left, "{fault}");
    }
}

#[tokio::test]
async fn a_sandbox_of_truto_takes_no_write_of_any_kind() {
    let visit = visit(Fault::TrutoSandbox).await;
    let credentials = visit.simulator.credentials();
    let account = &credentials.integrated_account_id;
    for (method, path) in [("POST", "users"), ("PATCH", "users/1"), ("DELETE", "users/1"), ("GET", "users")] {
        let url = visit.url(&format!("/proxy/{path}?integrated_account_id={account}"));
        let request = visit.client.request(method.parse().unwrap(), url).bearer_auth(&credentials.truto_api_token);
        let status = request.send().await.unwrap().status();
        assert_eq!(status, if method == "GET" { 200 } else { 405 }, "{method}");
    }
}
