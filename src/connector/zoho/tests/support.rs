//! A connector that does not wait long, and the ways to let it read.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use url::Url;
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

use crate::{
    clock::Clock,
    connector::{
        Connector as _, ConnectorError, Limits, ReadRequest,
        zoho::{ZohoBigin, ZohoSettings},
    },
    model::{
        directory::Directory,
        kind::DataCenter,
        reading::{CheckKind, CheckOutcome},
    },
};
use rolecall_simulator::{Options, Simulator};

pub(super) const CLIENT_SECRET: &str = "the-client-secret";
pub(super) const REFRESH_TOKEN: &str = "the-refresh-token";
pub(super) const ACCESS_TOKEN: &str = "1000.the-access-token";

/// Settings with waits that a test can afford.
pub(super) fn settings(base_url: &str) -> ZohoSettings {
    ZohoSettings {
        data_center: DataCenter::Eu,
        client_id: "1000.CLIENT".into(),
        client_secret: CLIENT_SECRET.into(),
        refresh_token: REFRESH_TOKEN.into(),
        accounts_url: Some(Url::parse(base_url).unwrap()),
        api_url: None,
        limits: Limits {
            concurrency: 4,
            attempts: 6,
            backoff: Duration::from_millis(2),
            backoff_cap: Duration::from_millis(10),
            call_timeout: Duration::from_secs(5),
            max_body: 1 << 20,
            max_read: 1 << 30,
        },
        reads: 3,
        pause_between_reads: Duration::ZERO,
    }
}

/// Settings for a simulator, with its credentials.
pub(super) fn settings_of(simulator: &Simulator) -> ZohoSettings {
    let credentials = simulator.credentials();
    ZohoSettings {
        client_id: credentials.client_id.clone(),
        client_secret: credentials.client_secret.clone().into(),
        refresh_token: credentials.refresh_token.clone().into(),
        ..settings(simulator.base_url())
    }
}

/// A simulator in whose rate limits no test runs by accident.
pub(super) fn simulator(users: u32) -> Simulator {
    let options = Options {
        users,
        every: 7,
        tokens_per_window: 10_000,
        retry_after: Duration::ZERO,
        slow_body_pause: Duration::from_millis(1),
        ..Options::default()
    };
    Simulator::start(options).unwrap()
}

pub(super) fn request() -> ReadRequest {
    ReadRequest {
        administrator_profiles: vec!["Administrator".into()],
        deadline: Duration::from_mins(1),
        recorder: None,
    }
}

pub(super) async fn read(settings: ZohoSettings) -> Result<Directory, ConnectorError> {
    ZohoBigin::new(settings, Clock::system())?.read(&request(), &()).await
}

/// The ids of a directory, in its order.
pub(super) fn ids(directory: &Directory) -> Vec<String> {
    directory.users.iter().map(|user| user.id().to_owned()).collect()
}

/// What came of a check.
pub(super) fn outcome(directory: &Directory, kind: CheckKind) -> &CheckOutcome {
    &directory.reading.checks.iter().find(|check| check.kind == kind).unwrap().outcome
}

/// What a scripted server is asked: the path below the API, and the query.
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) path: String,
    query: BTreeMap<String, String>,
}

impl Asked {
    pub(super) fn query(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    /// The page of the list of all users; `None` for any other call.
    pub(super) fn page(&self) -> Option<usize> {
        (self.path == "users" && self.query("type") == "AllUsers").then(|| self.query("page").parse().unwrap())
    }
}

/// A server that answers like a small workspace, but for what a test says otherwise.
pub(super) async fn scripted(
    answer: impl Fn(&Asked) -> Option<ResponseTemplate> + Send + Sync + 'static,
) -> MockServer {
    let server = MockServer::builder().start().await;
    let url = server.uri();
    let respond = move |request: &Request| {
        let path = request.url.path().trim_start_matches("/bigin/v2/").to_owned();
        let asked =
            Asked { method: request.method.to_string(), path, query: request.url.query_pairs().into_owned().collect() };
        answer(&asked).unwrap_or_else(|| usual(&asked, &url))
    };
    Mock::given(any()).respond_with(respond).mount(&server).await;
    server
}

pub(super) fn json(status: u16, body: &Value) -> ResponseTemplate {
    raw(status, body.to_string())
}

pub(super) fn raw(status: u16, body: impl Into<Vec<u8>>) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body, "application/json")
}

/// A user of the scripted workspace; user 1 holds the administrators' profile.
pub(super) fn user(id: usize) -> Value {
    let profile = if id == 1 { "9" } else { "10" };
    json!({
        "id": id.to_string(), "full_name": format!("User {id}"), "email": format!("user{id}@example.com"),
        "status": "active", "confirm": true, "zuid": format!("7{id}"),
        "role": {"id": "1", "name": "CEO"}, "profile": {"id": profile, "name": "P"},
    })
}

/// A page of users as the API writes it.
pub(super) fn page(users: &[Value], more: bool) -> Value {
    json!({"users": users, "info": {"per_page": 200, "count": users.len(), "page": 1, "more_records": more}})
}

fn usual(asked: &Asked, url: &str) -> ResponseTemplate {
    let profiles = json!([{"id": "9", "name": "Administrator", "category": false}, {"id": "10", "name": "Standard"}]);
    let body = match asked.path.as_str() {
        "/oauth/v2/token" => json!({"access_token": ACCESS_TOKEN, "api_domain": url, "expires_in": 3600}),
        "org" => json!({"org": [{"id": "5", "company_name": "Example"}]}),
        "settings/roles" => json!({"roles": [{"id": "1", "name": "CEO"}]}),
        "settings/profiles/9" | "settings/profiles/10" | "settings/profiles" => json!({"profiles": profiles}),
        "users" => match (asked.query("type"), asked.query("page")) {
            ("CurrentUser", _) | ("AdminUsers", "1") => page(&[user(1)], false),
            ("AllUsers", "1") => page(&[user(1), user(2)], false),
            _ => return ResponseTemplate::new(204),
        },
        _ => return ResponseTemplate::new(404),
    };
    json(200, &body)
}
