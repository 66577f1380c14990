//! No secret in an error, in what a debugger prints, or in a log at its most talkative.

use std::{
    fmt::Write as _,
    io,
    sync::{Arc, Mutex},
};

use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;
use wiremock::ResponseTemplate;

use super::support::{ACCESS_TOKEN, Asked, CLIENT_SECRET, REFRESH_TOKEN, json, raw, request, scripted, settings};
use crate::{
    clock::Clock,
    connector::{
        Connector as _, Exchange, ReadRequest, Recorder,
        zoho::{ZohoBigin, ZohoSettings},
    },
};

/// Takes every line of the log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Keeps what it is told of.
#[derive(Debug, Default)]
struct Kept(Mutex<Vec<Exchange>>);

impl Recorder for Kept {
    fn answered(&self, exchange: &Exchange) {
        self.0.lock().unwrap().push(exchange.clone());
    }
}

#[tokio::test]
async fn answers_are_kept_as_they_came_but_for_a_token_that_they_echo() {
    let server = scripted(|asked| {
        (asked.path == "org").then(|| {
            let escaped = ACCESS_TOKEN.replace("the-", "\\u0074he\\u002D");
            let body = json!({"org": [{"id": "1", "company_name": "x"}], "echo": format!("[\"{ACCESS_TOKEN}\"]")});
            raw(200, body.to_string().replace("\"x\"", &format!("\"{escaped}\""))).insert_header("etag", ACCESS_TOKEN)
        })
    })
    .await;
    let kept = Arc::new(Kept::default());
    let recorder: Arc<dyn Recorder> = Arc::clone(&kept) as _;
    let connector = ZohoBigin::new(settings(&server.uri()), Clock::system()).unwrap();
    let read = connector.read(&ReadRequest { recorder: Some(recorder), ..request() }, &()).await.unwrap();
    assert_eq!(read.organization.company_name.as_deref(), Some("[masked]"));
    let kept = kept.0.lock().unwrap();
    for exchange in kept.iter() {
        let told = format!("{exchange:?} {}", String::from_utf8_lossy(&exchange.body));
        assert!(
            !told.contains(ACCESS_TOKEN) && !told.contains(CLIENT_SECRET) && !told.contains(REFRESH_TOKEN),
            "{told}"
        );
        assert!(exchange.request.starts_with("GET http") && !exchange.request.contains("oauth"), "{told}");
        let is_org = exchange.request.ends_with("/bigin/v2/org");
        assert_eq!(exchange.masked, is_org, "{told}");
        assert!(!is_org || exchange.headers.contains(&("etag", "[masked]".to_owned())), "{told}");
    }
    let numbers: std::collections::BTreeSet<u64> = kept.iter().map(|exchange| exchange.number).collect();
    assert!(numbers.len() == kept.len() && kept.len() > 5, "{numbers:?}");
}

#[tokio::test]
async fn a_token_answer_that_echoes_secrets_or_is_damaged_where_it_is_not_needed_is_used_and_shows_none() {
    let api = scripted(|_| None).await;
    let server = scripted(|asked| {
        // A line feed in a text is no JSON.
        let scope = format!("ZohoBigin.users.ALL,{CLIENT_SECRET},{REFRESH_TOKEN},\n{ACCESS_TOKEN}");
        let text = format!("{{\"access_token\": \"{ACCESS_TOKEN}\", \"expires_in\": 3600, \"scope\": \"{scope}\"}}");
        is_token(asked).then(|| raw(200, text))
    })
    .await;
    let settings = ZohoSettings { api_url: Some(api.uri().parse().unwrap()), ..settings(&server.uri()) };
    let connector = ZohoBigin::new(settings, Clock::system()).unwrap();
    let directory = connector.read(&request(), &()).await.unwrap();
    let scopes = format!("{:?}", directory.source.scopes);
    assert!(scopes.contains("ZohoBigin.users.ALL") && scopes.contains("[masked]"), "{scopes}");
    for secret in [CLIENT_SECRET, REFRESH_TOKEN, ACCESS_TOKEN] {
        assert!(!scopes.contains(secret), "{scopes}");
    }
    let asked = server.received_requests().await.unwrap();
    assert_eq!(asked.iter().filter(|request| request.url.path() == "/oauth/v2/token").count(), 1);
}

type Script = fn(&Asked) -> Option<ResponseTemplate>;

fn is_token(asked: &Asked) -> bool {
    asked.path == "/oauth/v2/token"
}

/// Answers that echo what they were sent, or break in ways whose errors might.
const SCRIPTS: [Script; 14] = [
    |_| None,
    |asked| is_token(asked).then(|| json(400, &json!({"error": "invalid_client", "echo": CLIENT_SECRET}))),
    |asked| is_token(asked).then(|| raw(500, format!("<p>{REFRESH_TOKEN}</p>"))),
    |asked| is_token(asked).then(|| json(200, &json!({"access_token": [ACCESS_TOKEN]}))),
    |asked| {
        is_token(asked).then(|| json(200, &json!({"access_token": ACCESS_TOKEN, "api_domain": "https://x.example"})))
    },
    |asked| (asked.path == "org").then(|| json(401, &json!({"code": "INVALID_TOKEN", "message": ACCESS_TOKEN}))),
    |asked| (asked.path == "org").then(|| json(200, &json!({"org": ACCESS_TOKEN}))),
    |asked| (asked.path == "org").then(|| ResponseTemplate::new(302).insert_header("location", ACCESS_TOKEN)),
    |asked| (asked.page()? == 1).then(|| json(200, &json!({"users": [{"id": {"x": ACCESS_TOKEN}}]}))),
    |asked| is_token(asked).then(|| json(200, &json!({"error": format!("bad {REFRESH_TOKEN}")}))),
    |asked| is_token(asked).then(|| json(200, &json!({"error": format!("bad {CLIENT_SECRET}")}))),
    |asked| (asked.path == "org").then(|| json(400, &json!({"code": ACCESS_TOKEN, "message": "no"}))),
    |asked| (asked.path == "org").then(|| json(400, &json!({"code": "NO", "message": format!("of {ACCESS_TOKEN}")}))),
    |asked| {
        let body = json!({"code": "NO_PERMISSION", "details": {"permissions": [ACCESS_TOKEN]}});
        (asked.path == "org").then(|| json(403, &body))
    },
];

#[test]
fn no_secret_is_told_whatever_happens() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    let mut said = String::new();
    // One thread, so that every line of every task and library comes to this log.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tracing::subscriber::with_default(subscriber, || {
        // Places in the code that other tests have passed may be remembered as of no interest to anybody; and while only
        // one log is registered, a place that another test passes first is remembered by what that test's thread wants.
        let _second = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(io::sink).finish());
        tracing::callsite::rebuild_interest_cache();
        for script in SCRIPTS {
            runtime.block_on(async {
                let server = scripted(script).await;
                let settings = settings(&server.uri());
                write!(said, "{settings:?}").unwrap();
                let connector = ZohoBigin::new(settings, Clock::system()).unwrap();
                let result = connector.read(&request(), &()).await;
                write!(said, "{connector:?}").unwrap();
                if let Err(error) = result {
                    write!(said, "{error} {error:?}").unwrap();
                    let mut source = std::error::Error::source(&error);
                    while let Some(cause) = source {
                        write!(said, "{cause} {cause:?}").unwrap();
                        source = cause.source();
                    }
                }
            });
        }
    });
    let log = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(log.contains("hyper") || log.contains("reqwest"), "the libraries log here too");
    for secret in [CLIENT_SECRET, REFRESH_TOKEN, ACCESS_TOKEN] {
        assert!(!said.contains(secret), "{said}");
        assert!(!log.contains(secret), "{}", log.lines().find(|line| line.contains(secret)).unwrap_or_default());
    }
}
