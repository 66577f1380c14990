//! The stages of a call of the API, in their order: latency, concurrency, token, credits, path,
//! method, scope, permission. Only then the resource answers.

use std::sync::atomic::Ordering;

use axum::{
    body::Body,
    http::{HeaderMap, Response, header, request::Parts},
};
use chrono::{DateTime, Duration, SecondsFormat, Utc};
use serde_json::json;

use super::{Answer, Shared, route::Route, sabotage, settings, users};
use crate::{
    faults::{CallNumber, Fault},
    world::{MANAGE_PROFILES, MANAGE_ROLES, World},
};

/// The call at which [`Fault::TokenExpires`] strikes.
const EXPIRING_CALL: u64 = 3;

/// A token that was accepted.
struct Session {
    expires: DateTime<Utc>,
}

/// Answers a call of the API.
pub(super) async fn call(shared: &Shared, request: &Parts) -> Response<Body> {
    let in_flight = shared.journal.enter();
    shared.wait_latency().await;
    let number = shared.faults.count_call();
    let (answer, session) = if in_flight.simultaneous > shared.max_concurrent {
        (Answer::too_many_at_once(), None)
    } else {
        match authenticate(shared, &request.headers, number) {
            Ok(session) => (authenticated(shared, request, number), Some(session)),
            Err(refusal) => (refusal, None),
        }
    };
    let answer = with_usual_headers(shared, answer, session.as_ref());
    sabotage::respond(shared, answer, number, request.uri.path())
}

/// The scopes of every token, without those that a fault takes away. A scope over all settings is narrowed to what is left.
pub(super) fn granted(shared: &Shared) -> Vec<String> {
    let missing = [
        (Fault::MissingScopeUsers, "ZohoBigin.users."),
        (Fault::MissingScopeRoles, "ZohoBigin.settings.roles."),
        (Fault::MissingScopeProfiles, "ZohoBigin.settings.profiles."),
        (Fault::MissingScopeOrg, "ZohoBigin.org."),
    ]
    .map(|(fault, prefix)| shared.faults.is_on(fault).then_some(prefix));
    let is_missing = |scope: &str| missing.iter().flatten().any(|prefix| scope.starts_with(prefix));
    let narrowed = |scope: &String| match scope.strip_prefix("ZohoBigin.settings.") {
        Some(right) if !right.contains('.') && missing.iter().flatten().any(|prefix| prefix.contains(".settings.")) => {
            ["roles", "profiles", "modules"].map(|area| format!("ZohoBigin.settings.{area}.{right}")).to_vec()
        }
        _ => vec![scope.clone()],
    };
    shared.scopes.iter().flat_map(narrowed).filter(|scope| !is_missing(scope)).collect()
}

fn authenticate(shared: &Shared, headers: &HeaderMap, number: CallNumber) -> Result<Session, Answer> {
    let header = headers.get(header::AUTHORIZATION).ok_or_else(Answer::authentication_failure)?;
    let (scheme, token) =
        header.to_str().ok().and_then(|header| header.split_once(' ')).ok_or_else(Answer::invalid_request)?;
    if !scheme.eq_ignore_ascii_case("Zoho-oauthtoken") {
        return Err(Answer::invalid_request());
    }
    let mut tokens = shared.tokens();
    if number.number >= EXPIRING_CALL && shared.faults.once(Fault::TokenExpires) {
        tokens.expire(token.trim());
    }
    if shared.faults.is_on(Fault::TokenNeverAccepted) {
        return Err(Answer::invalid_token());
    }
    let expires = tokens.expiry(token.trim(), shared.now.now()).ok_or_else(Answer::invalid_token)?;
    Ok(Session { expires })
}

fn authenticated(shared: &Shared, request: &Parts, number: CallNumber) -> Answer {
    let used = shared.credits_used.fetch_add(1, Ordering::Relaxed);
    if used >= shared.daily_credits {
        return Answer::out_of_credits();
    }
    let path = request.uri.path();
    if let Some(answer) = fault(shared, number).or_else(|| shared.override_for(path)) {
        return answer;
    }
    let Some(route) = Route::parse(path) else {
        return Answer::unknown_path();
    };
    let Some(right) = route.right(request.method.as_str()) else {
        return Answer::wrong_method();
    };
    if !route.is_open_to(&granted(shared), right) {
        return Answer::scope_mismatch();
    }
    let query = request.uri.query().unwrap_or_default();
    match route {
        Route::Users => users::list(shared, query),
        Route::User(id) if right == super::route::DELETE => users::delete(shared, id),
        Route::User(id) => users::one(shared, id),
        Route::Roles => permitted(shared, MANAGE_ROLES, settings::roles),
        Route::Role(id) => permitted(shared, MANAGE_ROLES, |world| settings::role(world, id)),
        Route::Profiles => permitted(shared, MANAGE_PROFILES, |world| settings::profiles(shared, world)),
        Route::Profile(_) if shared.faults.is_on(Fault::ProfileDetailsRefused) => {
            Answer::no_permission(MANAGE_PROFILES)
        }
        Route::Profile(id) => permitted(shared, MANAGE_PROFILES, |world| settings::profile(shared, world, id)),
        Route::Modules => shared.world.read(settings::modules),
        Route::Org => shared.world.read(|world| Answer::json(200, &json!({"org": [world.org()]}))),
    }
}

fn permitted(shared: &Shared, permission: &str, answer: impl FnOnce(&World) -> Answer) -> Answer {
    shared.world.read(
        |world| {
            if world.caller_may(permission) { answer(world) } else { Answer::no_permission(permission) }
        },
    )
}

/// An answer that a fault puts in the place of the true one.
pub(super) fn fault(shared: &Shared, number: CallNumber) -> Option<Answer> {
    let faults = &shared.faults;
    if faults.is_on(Fault::Redirect) {
        let location = format!("{}/elsewhere", shared.base_url);
        return Some(Answer::html(302, "Found").header("location", location));
    }
    let seconds = || shared.retry_after.as_secs().to_string();
    let limited = Answer::too_many_at_once;
    if faults.is_on(Fault::RateLimitAlways) {
        return Some(limited().header("retry-after", seconds()));
    }
    if faults.is_on(Fault::ServerErrorAlways) {
        return Some(Answer::error(500, "INTERNAL_SERVER_ERROR", &json!({}), "Internal Server Error"));
    }
    if !number.is_struck() {
        return None;
    }
    let strikes: [(Fault, &dyn Fn() -> Answer); 7] = [
        (Fault::RateLimitSeconds, &|| limited().header("retry-after", seconds())),
        (Fault::RateLimitDate, &|| limited().header("retry-after", http_date(shared.now.now(), shared.retry_after))),
        (Fault::RateLimitReset, &|| limited().header("ratelimit-reset", seconds())),
        (Fault::RateLimitBare, &Answer::out_of_credits),
        (Fault::RateLimitOldShape, &old_rate_limit),
        (Fault::ServerError, &|| Answer::error(500, "INTERNAL_ERROR", &json!({}), "Internal server error occurred.")),
        (Fault::BadGateway, &|| Answer::html(502, "Bad Gateway")),
    ];
    strikes.iter().find(|(fault, _)| faults.is_on(*fault)).map(|(_, answer)| answer())
}

fn old_rate_limit() -> Answer {
    let text = "Many requests fired than the allowed limit for the past 24 hours.";
    Answer::json(429, &json!({"code": 429, "error": "TOO_MANY_REQUESTS", "error_info": text, "details": []}))
}

/// An HTTP date has whole seconds; the next one is named, so that waiting for it is never too short.
fn http_date(now: DateTime<Utc>, wait: std::time::Duration) -> String {
    let wait = Duration::from_std(wait).unwrap_or(Duration::seconds(1)) + Duration::milliseconds(999);
    (now + wait).format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The headers that the API sends with everything.
fn with_usual_headers(shared: &Shared, answer: Answer, session: Option<&Session>) -> Answer {
    let mut answer = answer
        .header("cache-control", "no-store, no-cache, must-revalidate, private".to_owned())
        .header("x-content-type-options", "nosniff".to_owned())
        .header("content-language", "en-US".to_owned())
        .header("server", "ZGS".to_owned())
        .header("clientversion", "simulated".to_owned())
        .header("set-cookie", "simulated_session=1; Path=/; HttpOnly".to_owned())
        .header("set-cookie", "simulated_balancer=1; Path=/".to_owned());
    if answer.status == 200 {
        answer = answer.header("content-disposition", "attachment; filename=response.json".to_owned());
    }
    if let Some(session) = session {
        let reset = session.expires.to_rfc3339_opts(SecondsFormat::Secs, false);
        answer = answer.header("x-accesstoken-reset", reset);
    }
    let used = shared.credits_used.load(Ordering::Relaxed);
    let remaining = shared.daily_credits.saturating_sub(used);
    if remaining.saturating_mul(2) < shared.daily_credits {
        answer = answer.header("x-api-credits-remaining", remaining.to_string());
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_http_date_is_never_before_the_wait_is_over() {
        let now = DateTime::from_timestamp_millis(1_500).unwrap();
        assert_eq!(http_date(now, std::time::Duration::from_secs(1)), "Thu, 01 Jan 1970 00:00:03 GMT");
    }
}
