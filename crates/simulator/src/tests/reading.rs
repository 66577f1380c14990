use std::{collections::HashSet, time::Duration};

use serde_json::{Value, json};

use super::{Visit, ids_in, read};
use crate::{ALL_SCOPES, Answer, Options, World, WorldJson};

/// Whom a type should list.
type Test<'a> = &'a dyn Fn(&Value) -> bool;

fn all_scopes() -> Vec<String> {
    ALL_SCOPES.iter().map(|scope| (*scope).to_owned()).collect()
}

#[tokio::test]
async fn users_come_in_pages_of_200_and_nothing_comes_after_the_last() {
    let visit = Visit::start(Options { users: 450, ..Options::default() }).await;
    let (_, first) = visit.get_json("/users").await;
    assert_eq!(first["info"], json!({"per_page": 200, "count": 200, "page": 1, "more_records": true}));
    let (_, last) = visit.get_json("/users?page=3").await;
    assert_eq!(last["info"], json!({"per_page": 200, "count": 50, "page": 3, "more_records": false}));
    assert_eq!(visit.get_json("/users?page=4").await, (204, Value::Null));
    let ids: HashSet<_> = visit.all_ids().await.into_iter().collect();
    assert_eq!(ids.len(), 450);
    assert_eq!(visit.get_json("/users?per_page=500").await.1["info"]["per_page"], 200);
    assert_eq!(ids_in(&visit.get_json("/users?per_page=7&page=2").await.1).len(), 7);
}

#[tokio::test]
async fn every_type_lists_those_that_it_names() {
    let visit = Visit::start(Options { users: 190, ..Options::default() }).await;
    let (_, everyone) = visit.get_json("/users?type=AllUsers").await;
    let admin = |user: &Value| user["profile"]["id"] == "5820190000000026011";
    let types: [(&str, Test<'_>); 9] = [
        ("ActiveUsers", &|user| user["status"] == "active"),
        ("DeactiveUsers", &|user| user["status"] == "disabled"),
        ("ConfirmedUsers", &|user| user["confirm"] == true),
        ("NotConfirmedUsers", &|user| user["confirm"] == false),
        ("DeletedUsers", &|user| user["status"] == "deleted"),
        ("ActiveConfirmedUsers", &|user| user["status"] == "active" && user["confirm"] == true),
        ("AdminUsers", &admin),
        ("ActiveConfirmedAdmins", &|user| user["status"] == "active" && user["confirm"] == true && admin(user)),
        ("CurrentUser", &|user| user["id"] == "5820190000000627001"),
    ];
    for (name, test) in types {
        let expected: Vec<_> = everyone["users"].as_array().unwrap().iter().filter(|user| test(user)).collect();
        let (_, answer) = visit.get_json(&format!("/users?type={name}")).await;
        assert!(!expected.is_empty(), "{name}");
        assert_eq!(answer["users"].as_array().unwrap().iter().collect::<Vec<_>>(), expected, "{name}");
        assert_eq!(answer["info"]["count"], expected.len(), "{name}");
    }
    for query in ["type=adminusers", "page=0", "per_page=many"] {
        let (status, body) = visit.get_json(&format!("/users?{query}")).await;
        assert_eq!((status, body["code"].as_str().unwrap()), (400, "PATTERN_NOT_MATCHED"), "{query}");
    }
}

#[tokio::test]
async fn one_user_comes_without_info_and_an_id_beyond_64_bits_is_the_caller() {
    let visit = Visit::start(Options::default()).await;
    let (_, one) = visit.get_json("/users/5820190000000627002").await;
    assert_eq!(ids_in(&one), ["5820190000000627002"]);
    assert_eq!(one["info"], Value::Null);
    assert_eq!(visit.get_json("/users/1").await, (204, Value::Null));
    assert_eq!(ids_in(&visit.get_json("/users/99999999999999999999").await.1), ["5820190000000627001"]);
    assert_eq!(visit.get_json("/users/me").await.0, 400);
}

#[tokio::test]
async fn roles_profiles_modules_and_org_are_served_under_both_versions() {
    let visit = Visit::start(Options { scopes: all_scopes(), ..Options::default() }).await;
    for (path, rows) in [
        ("/settings/roles", "roles"),
        ("/settings/profiles", "profiles"),
        ("/settings/modules", "modules"),
        ("/org", "org"),
    ] {
        let (status, body) = visit.get_json(path).await;
        assert_eq!(status, 200);
        assert!(!body[rows].as_array().unwrap().is_empty(), "{path}");
        let version_1 = visit.client.get(visit.url(&format!("/bigin/v1{path}")));
        let version_1 = version_1.header("Authorization", format!("Zoho-oauthtoken {}", visit.token));
        assert_eq!(read(version_1.send().await.unwrap()).await.1, body);
    }
    let (_, role) = visit.get_json("/settings/roles/5820190000000026008").await;
    assert_eq!(role["roles"][0]["reporting_to"]["name"], "CEO");
    assert_eq!(visit.get_json("/settings/roles/1").await.0, 204);
    let (_, profile) = visit.get_json("/settings/profiles/5820190000000412007").await;
    assert!(profile["profiles"][0]["permissions_details"].as_array().unwrap().len() > 20);
    let (status, body) = visit.get_json("/settings/profiles/1").await;
    assert_eq!((status, body["code"].as_str().unwrap()), (400, "INVALID_DATA"));
}

#[tokio::test]
async fn refusals_are_in_the_words_of_the_api() {
    let visit = Visit::start(Options::default()).await;
    let answer = async |method: &str, path: &str, authorization: Option<String>| {
        let mut request = visit.client.request(method.parse().unwrap(), visit.url(path));
        if let Some(authorization) = authorization {
            request = request.header("Authorization", authorization);
        }
        let (status, body) = read(request.send().await.unwrap()).await;
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    };
    let token = || Some(format!("Zoho-oauthtoken {}", visit.token));
    let users = "/bigin/v2/users";
    let cases = [
        (answer("GET", users, None).await, 401, "AUTHENTICATION_FAILURE"),
        (answer("GET", users, Some(format!("Bearer {}", visit.token))).await, 400, "INVALID_REQUEST"),
        (answer("GET", users, Some("Zoho-oauthtoken 1000.x.y".to_owned())).await, 401, "INVALID_TOKEN"),
        (answer("GET", "/bigin/v2/nothing", token()).await, 404, "INVALID_URL_PATTERN"),
        (answer("POST", users, token()).await, 400, "INVALID_REQUEST_METHOD"),
        (answer("GET", "/bigin/v2/settings/modules", token()).await, 401, "OAUTH_SCOPE_MISMATCH"),
        (answer("DELETE", "/bigin/v2/users/5820190000000627002", token()).await, 401, "OAUTH_SCOPE_MISMATCH"),
        (answer("GET", "/", None).await, 404, "INVALID_URL_PATTERN"),
    ];
    for ((status, code), expected_status, expected_code) in cases {
        assert_eq!((status, code.as_str()), (expected_status, expected_code));
    }
}

#[tokio::test]
async fn a_caller_without_the_permission_reads_users_but_not_profiles() {
    let visit = Visit::start(Options { scopes: all_scopes(), ..Options::default() }).await;
    let ids = visit.simulator.world().read(World::user_ids);
    visit.simulator.world().edit(|world| world.set_caller(&ids[3])).unwrap();
    assert_eq!(visit.get_json("/users").await.0, 200);
    let (status, body) = visit.get_json("/settings/profiles").await;
    assert_eq!(status, 403);
    assert_eq!(body["details"], json!({"permissions": ["Crm_Implied_Manage_Profiles"]}));
    let deletion = visit.request("DELETE", &format!("/users/{}", ids[5])).send().await.unwrap();
    assert_eq!(read(deletion).await.1["code"], "AUTHORIZATION_FAILED");
}

#[tokio::test]
async fn a_deleted_user_stays_in_the_list_and_cannot_be_deleted_again() {
    let visit = Visit::start(Options { scopes: all_scopes(), ..Options::default() }).await;
    let delete = async |id: &str| {
        let response = visit.request("DELETE", &format!("/users/{id}")).send().await.unwrap();
        let (status, body) = read(response).await;
        (status, body["users"][0].clone())
    };
    let id = "5820190000000627006";
    let success = json!({"code": "SUCCESS", "details": {"id": id}, "message": "User deleted", "status": "success"});
    assert_eq!(delete(id).await, (200, success));
    assert_eq!(visit.get_json(&format!("/users/{id}")).await.1["users"][0]["status"], "deleted");
    assert_eq!(delete(id).await.1["code"], "ID_ALREADY_DELETED");
    let (status, primary) = delete("5820190000000627001").await;
    assert_eq!((status, &primary["message"]), (400, &json!("Primary contact cannot be deleted")));
}

#[tokio::test]
async fn answers_carry_the_headers_of_the_real_api() {
    let visit = Visit::start(Options { daily_credits: 4, ..Options::default() }).await;
    let response = visit.get("/org").await;
    let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(header("content-type").unwrap(), "application/json;charset=UTF-8");
    assert_eq!(header("cache-control").unwrap(), "no-store, no-cache, must-revalidate, private");
    let reset = header("x-accesstoken-reset").unwrap();
    assert!(chrono::DateTime::parse_from_rfc3339(&reset).unwrap() > chrono::Utc::now(), "{reset}");
    assert_eq!(header("x-api-credits-remaining"), None);
    visit.get("/org").await;
    assert_eq!(visit.get("/org").await.headers()["x-api-credits-remaining"], "1");
    visit.get("/org").await;
    let (status, body) = visit.get_json("/org").await;
    assert_eq!((status, body["code"].as_str().unwrap()), (429, "TOO_MANY_REQUESTS"));
}

#[tokio::test]
async fn more_calls_at_one_time_than_allowed_are_refused() {
    let options = Options { max_concurrent: 2, latency: Duration::from_millis(200), ..Options::default() };
    let visit = Visit::start(options).await;
    let calls = futures::future::join_all((0..5).map(|_| visit.get("/org"))).await;
    let statuses: Vec<_> = calls.iter().map(|response| response.status().as_u16()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 2, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 3, "{statuses:?}");
    assert_eq!(visit.simulator.journal().max_in_flight(), 5);
}

#[tokio::test]
async fn a_world_given_as_json_is_served_as_it_stands() {
    let world = json!({
        "users": [{"id": 7, "status": "closed", "extra": {"kept": [1.50]}}, {"status": "active"}],
        "org": {"company_name": "Example"}, "caller": "7",
    });
    let world: WorldJson = serde_json::from_value(world.clone()).unwrap();
    let visit = Visit::start(Options { world: Some(world.clone().into()), ..Options::default() }).await;
    let (_, users) = visit.get_json("/users").await;
    assert_eq!(users["users"], json!(world.users));
    assert_eq!(visit.get_json("/org").await.1["org"][0], world.org);
    assert_eq!(visit.get_json("/settings/roles").await.0, 204);
}

#[tokio::test]
async fn an_answer_can_be_put_in_the_place_of_the_true_one() {
    let visit = Visit::start(Options::default()).await;
    let answer = Answer::json(418, &json!({"odd": true})).header("x-odd", "yes".to_owned());
    visit.simulator.override_answer("/bigin/v2/org", Some(answer));
    let response = visit.get("/org").await;
    assert_eq!(response.headers()["x-odd"], "yes");
    assert_eq!(read(response).await, (418, json!({"odd": true})));
    visit.simulator.override_answer("/bigin/v2/org", None);
    assert_eq!(visit.get_json("/org").await.0, 200);
}

#[tokio::test]
async fn nothing_answers_after_stop_even_if_a_body_was_still_coming() {
    let visit = Visit::start(Options { faults: vec![crate::Fault::EndlessBody], ..Options::default() }).await;
    let open = visit.get("/users").await;
    let (api, smtp) = (visit.url("/"), visit.simulator.inbox().address());
    visit.simulator.stop().await;
    assert!(open.bytes().await.is_err());
    assert!(visit.client.get(api).send().await.unwrap_err().is_connect());
    assert!(std::net::TcpStream::connect(smtp).is_err());
}
