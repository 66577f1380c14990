//! Truto's side: the same workspace through a proxy API, with Truto's envelopes, cursors and errors.
//!
//! A proxied call is made of the vendor's own answer ([`users`], [`settings`]) and put into Truto's envelope, so that
//! what goes wrong on the vendor's side goes wrong here too.

mod account;
mod envelope;
mod quota;

use std::{borrow::Cow, collections::BTreeMap};

use axum::{
    body::Body,
    http::{HeaderMap, Response, header, request::Parts},
};
use serde_json::{Value, json};
use url::form_urlencoded;

pub(super) use self::quota::Quota;
use super::{Answer, Shared, api, sabotage, settings, users};
use crate::{faults::Fault, world::World};

/// Whether a path is Truto's.
pub(super) fn is_path(path: &str) -> bool {
    path == "/ping"
        || path.starts_with("/proxy/")
        || path == "/integrated-account"
        || path.starts_with("/integrated-account/")
}

/// Answers a call of Truto's API.
pub(super) async fn call(shared: &Shared, request: &Parts) -> Response<Body> {
    let in_flight = shared.journal.enter();
    shared.wait_latency().await;
    let number = shared.faults.count_call();
    let path = request.uri.path();
    let answer = if let Some(refusal) = refuse(shared, &request.headers) {
        refusal
    } else if path == "/ping" {
        Answer::json(200, &json!({"status": "ok"}))
    } else if let Some(below) = path.strip_prefix("/integrated-account") {
        account::answer(shared, below.trim_matches('/'), &query(request))
    } else if in_flight.simultaneous > shared.max_concurrent {
        envelope::remote(&Answer::too_many_at_once(), shared)
    } else {
        proxied(shared, request, number)
    };
    sabotage::respond(shared, answer, number, path)
}

/// The parameters of a query; one without a value is ignored.
fn query(request: &Parts) -> BTreeMap<String, String> {
    let pairs = form_urlencoded::parse(request.uri.query().unwrap_or_default().as_bytes());
    pairs.filter(|(_, value)| !value.is_empty()).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn refuse(shared: &Shared, headers: &HeaderMap) -> Option<Answer> {
    let token = headers.get(header::AUTHORIZATION).and_then(|header| header.to_str().ok());
    let token = token.and_then(|header| header.strip_prefix("Bearer "));
    (token != Some(&shared.truto.api_token)).then(|| envelope::own(401, "Unauthorized", "Invalid token"))
}

fn proxied(shared: &Shared, request: &Parts, number: crate::faults::CallNumber) -> Answer {
    let faults = &shared.faults;
    let query = query(request);
    let Some(account) = query.get("integrated_account_id") else {
        return envelope::own(400, "Bad Request", "integrated_account_id is required");
    };
    if *account != shared.truto.integrated_account_id {
        return envelope::own(404, "Not Found", "Integrated account not found");
    }
    if faults.is_on(Fault::TrutoBlocked) {
        return envelope::own(503, "Service Unavailable", "Integrated account is blocked");
    }
    if faults.is_on(Fault::TrutoTier) && number.is_struck() {
        let seconds = shared.retry_after.as_secs().to_string();
        return envelope::own(429, "Too Many Requests", "Rate limit exceeded").header("retry-after", seconds);
    }
    if faults.is_on(Fault::TrutoBadGateway) && number.is_struck() {
        return Answer::html(502, "Bad Gateway");
    }
    let spent = quota::spend(shared);
    let mut answer = if spent.is_refused {
        envelope::remote(&Answer::out_of_credits(), shared)
    } else {
        resource(shared, request, &query, number)
    };
    answer.headers.extend(spent.headers);
    answer
}

fn resource(
    shared: &Shared,
    request: &Parts,
    query: &BTreeMap<String, String>,
    number: crate::faults::CallNumber,
) -> Answer {
    if let Some(answer) = api::fault(shared, number).or_else(|| shared.override_for(request.uri.path())) {
        return if answer.status >= 400 { envelope::remote(&answer, shared) } else { answer };
    }
    let faults = &shared.faults;
    if faults.is_on(Fault::TrutoNeedsReauth) {
        return envelope::remote(&Answer::invalid_token(), shared);
    }
    let path = request.uri.path().trim_start_matches("/proxy/");
    let (name, id) = path.split_once('/').map_or((path, None), |(name, id)| (name, Some(decoded(id))));
    let method = request.method.as_str();
    if method != "GET" && faults.is_on(Fault::TrutoSandbox) {
        return envelope::own(405, "Method Not Allowed", "Sandbox integrated accounts are read-only");
    }
    let missing = [
        ("users", Fault::MissingScopeUsers),
        ("me", Fault::MissingScopeUsers),
        ("roles", Fault::MissingScopeRoles),
        ("profiles", Fault::MissingScopeProfiles),
        ("current_organization", Fault::MissingScopeOrg),
    ];
    if missing.iter().any(|(of, fault)| *of == name && faults.is_on(*fault)) {
        return envelope::missing_scope(name, shared);
    }
    match (method, name, id) {
        ("GET", "users", None) => users_page(shared, query),
        ("GET", "users", Some(id)) => envelope::single(users::one(shared, &id), shared),
        ("DELETE", "users", Some(id)) => envelope::deleted(users::delete(shared, &id), &id, shared),
        ("GET", "me", None) => envelope::list(&users::list(shared, "type=CurrentUser"), None, shared),
        ("GET", "roles", None) => envelope::list(&shared.world.read(settings::roles), None, shared),
        ("GET", "profiles", None) => {
            envelope::list(&shared.world.read(|world| settings::profiles(shared, world)), None, shared)
        }
        ("GET", "profiles", Some(id)) if !faults.is_on(Fault::TrutoNoProfileDetails) => {
            envelope::single(shared.world.read(|world| settings::profile(shared, world, &id)), shared)
        }
        ("GET", "current_organization", None) => {
            let org = shared.world.read(|world: &World| Answer::json(200, &json!({"org": [world.org()]})));
            envelope::list(&org, None, shared)
        }
        _ => envelope::own(404, "Not Found", "Resource or method not found"),
    }
}

fn decoded(text: &str) -> String {
    // `+` is a plus in a path.
    let text: Cow<'_, str> = text.replace('+', "%2B").into();
    form_urlencoded::parse(format!("id={text}").as_bytes()).next().map(|(_, id)| id.into_owned()).unwrap_or_default()
}

/// A page of users: the cursor holds the number of the next one, in a form that clients should not rely on.
fn users_page(shared: &Shared, query: &BTreeMap<String, String>) -> Answer {
    let faults = &shared.faults;
    let page = match query.get("next_cursor").map(|cursor| envelope::page_of(cursor)) {
        None => 1,
        Some(Some(page)) => page,
        Some(None) => return envelope::remote(&Answer::bad_parameter("next_cursor"), shared),
    };
    let kind = query.get("type").filter(|_| !faults.is_on(Fault::TrutoNoFilter)).map_or("AllUsers", String::as_str);
    // An empty page in the middle is legal: the cursor says that the list continues.
    if faults.is_on(Fault::TrutoEmptyPage)
        && page == 2
        && !query.get("next_cursor").is_some_and(|cursor| cursor.ends_with("+="))
    {
        return envelope::empty_page(page);
    }
    let vendors: String = form_urlencoded::Serializer::new(String::new())
        .append_pair("type", kind)
        .append_pair("page", &page.to_string())
        .append_pair("per_page", query.get("limit").map_or("200", String::as_str))
        .finish();
    envelope::list(&users::list(shared, &vendors), Some(page), shared)
}

/// The rows of the vendor's answer; `None` if it has none.
fn rows(answer: &Answer) -> Vec<Value> {
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let rows = ["users", "roles", "profiles", "org"].iter().find_map(|name| body[*name].as_array());
    rows.cloned().unwrap_or_default()
}
