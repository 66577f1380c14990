//! The accounts server: tokens for a refresh token or a grant code, and their revocation.
//!
//! Its errors are unlike the API's: nearly all come with status 200.

use std::collections::BTreeMap;

use axum::{
    body::to_bytes,
    extract::{FromRequest, Multipart, Request},
    http::header,
};
use serde_json::json;
use url::form_urlencoded;

use super::{
    Answer, Shared,
    tokens::{Issued, Refusal},
};
use crate::faults::Fault;

/// More than any request for a token needs.
const MAX_BODY: usize = 64 * 1024;

/// An API host that is not the vendor's. Nothing answers there: `.invalid` never resolves.
const FOREIGN_API_DOMAIN: &str = "https://www.zohoapis.invalid";

/// `POST /oauth/v2/token`
pub(super) async fn token(shared: &Shared, request: Request) -> Answer {
    if request.method() != "POST" {
        return Answer::html(405, "Method Not Allowed");
    }
    let parameters = parameters(request).await;
    if let Some(answer) = fault(shared) {
        return answer;
    }
    let mut tokens = shared.tokens();
    match tokens.issue(&parameters, shared.now.now()) {
        Ok(issued) => success(shared, issued, tokens.expires_in()),
        Err(refusal) => refused(refusal),
    }
}

/// `POST /oauth/v2/token/revoke`
pub(super) async fn revoke(shared: &Shared, request: Request) -> Answer {
    if request.method() != "POST" {
        return Answer::html(405, "Method Not Allowed");
    }
    let parameters = parameters(request).await;
    let token = parameters.get("token").map(String::as_str).unwrap_or_default();
    if shared.tokens().revoke(token, shared.now.now()) {
        Answer::json(200, &json!({"status": "success"}))
    } else {
        error("invalid_token")
    }
}

fn success(shared: &Shared, issued: Issued, expires_in: i64) -> Answer {
    let api_domain = if shared.faults.is_on(Fault::ForeignApiDomain) { FOREIGN_API_DOMAIN } else { &shared.base_url };
    let scopes = super::api::granted(shared);
    let mut body = json!({
        "access_token": issued.access_token,
        "scope": scopes.join(" "),
        "api_domain": api_domain,
        "token_type": "Bearer",
        "expires_in": expires_in,
    });
    if let Some(refresh_token) = issued.refresh_token {
        body["refresh_token"] = json!(refresh_token);
    }
    Answer::json(200, &body)
}

fn refused(refusal: Refusal) -> Answer {
    match refusal {
        Refusal::InvalidClient => error("invalid_client"),
        Refusal::InvalidClientSecret => error("invalid_client_secret"),
        Refusal::InvalidCode => error("invalid_code"),
        Refusal::UnsupportedGrant => error("unsupported_grant_type"),
        Refusal::Throttled => throttled(
            "Access Denied",
            "You have made too many requests continuously. Please try again after some time.",
        ),
    }
}

fn fault(shared: &Shared) -> Option<Answer> {
    let faults = &shared.faults;
    if faults.once(Fault::TokenServerError) {
        return Some(Answer::html(500, "Internal Server Error"));
    }
    if faults.is_on(Fault::TokenThrottledLocalised) {
        return Some(throttled("访问被拒绝", "您连续发出的请求过多，请稍后再试。"));
    }
    if faults.is_on(Fault::TokenThrottled) || faults.once(Fault::TokenThrottledOnce) {
        return Some(refused(Refusal::Throttled));
    }
    if faults.is_on(Fault::WrongDataCentre) {
        return Some(error("invalid_client"));
    }
    faults.is_on(Fault::Revoked).then(|| error("invalid_code"))
}

fn error(code: &str) -> Answer {
    Answer::json(200, &json!({"error": code}))
}

/// Both texts are in the language of the account's owner.
fn throttled(error: &str, description: &str) -> Answer {
    Answer::json(400, &json!({"error_description": description, "error": error, "status": "failure"}))
}

/// The parameters from wherever the client put them: query, urlencoded body or multipart body.
async fn parameters(request: Request) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    if let Some(query) = request.uri().query() {
        parameters.extend(form_urlencoded::parse(query.as_bytes()).into_owned());
    }
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if content_type.is_some_and(|value| value.starts_with("multipart/form-data")) {
        if let Ok(mut form) = Multipart::from_request(request, &()).await {
            while let Ok(Some(field)) = form.next_field().await {
                let name = field.name().unwrap_or_default().to_owned();
                parameters.insert(name, field.text().await.unwrap_or_default());
            }
        }
    } else if let Ok(body) = to_bytes(request.into_body(), MAX_BODY).await {
        parameters.extend(form_urlencoded::parse(&body).into_owned());
    }
    parameters
}
