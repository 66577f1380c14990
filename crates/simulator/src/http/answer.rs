//! An answer before it is put on the wire, and the errors in the API's words.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode, header},
};
use serde_json::{Value, json};

/// The content type of the API.
const JSON: &str = "application/json;charset=UTF-8";

/// Status, headers and body of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The content type; empty for an answer without body.
    pub content_type: &'static str,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// JSON that is ready as text.
    pub fn json_text(status: u16, body: String) -> Self {
        Self { status, content_type: JSON, headers: Vec::new(), body }
    }

    /// A JSON value.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::json_text(status, body.to_string())
    }

    /// 204, which the API sends if there is nothing.
    pub fn nothing() -> Self {
        Self { status: 204, content_type: "", headers: Vec::new(), body: String::new() }
    }

    /// A page of HTML, as proxies send.
    pub fn html(status: u16, title: &str) -> Self {
        Self {
            status,
            content_type: "text/html",
            headers: Vec::new(),
            body: format!("<html><body><h1>{status} {title}</h1></body></html>"),
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// An error of the API: always this one object.
    pub(super) fn error(status: u16, code: &str, details: &Value, message: &str) -> Self {
        let mut body = error_body(code, details, message);
        body["status"] = json!("error");
        Self::json(status, &body)
    }

    pub(super) fn invalid_token() -> Self {
        Self::error(401, "INVALID_TOKEN", &json!({}), "invalid oauth token")
    }

    pub(super) fn authentication_failure() -> Self {
        Self::error(401, "AUTHENTICATION_FAILURE", &json!({}), "Authentication failed")
    }

    pub(super) fn invalid_request() -> Self {
        let message = "unable to process your request. please verify whether you have entered proper method name, \
                       parameter and parameter values.";
        Self::error(400, "INVALID_REQUEST", &json!({}), message)
    }

    pub(super) fn scope_mismatch() -> Self {
        Self::error(401, "OAUTH_SCOPE_MISMATCH", &json!({}), "invalid oauth scope to access this URL")
    }

    pub(super) fn no_permission(permission: &str) -> Self {
        Self::error(403, "NO_PERMISSION", &json!({"permissions": [permission]}), "permission denied")
    }

    pub(super) fn unknown_path() -> Self {
        let message = "Please check if the URL trying to access is a correct one";
        Self::error(404, "INVALID_URL_PATTERN", &json!({}), message)
    }

    pub(super) fn wrong_method() -> Self {
        let message = "The http request method type is not a valid one";
        Self::error(400, "INVALID_REQUEST_METHOD", &json!({}), message)
    }

    pub(super) fn bad_parameter(name: &str) -> Self {
        let message = "Please check whether the input values are correct";
        Self::error(400, "PATTERN_NOT_MATCHED", &json!({"api_name": name}), message)
    }

    pub(super) fn bad_user_id() -> Self {
        let details = json!({"resource_path_index": 1});
        Self::error(400, "INVALID_DATA", &details, "the_id_given_seems_to_be_invalid")
    }

    pub(super) fn bad_profile_id() -> Self {
        let message = "the id given seems to be invalid or already deleted";
        Self::error(400, "INVALID_DATA", &json!({}), message)
    }

    pub(super) fn too_many_at_once() -> Self {
        Self::too_many("The concurrency limit of the user for the app is exceeded")
    }

    pub(super) fn out_of_credits() -> Self {
        Self::too_many("Number of API requests for the 24 hour period is exceeded")
    }

    fn too_many(message: &str) -> Self {
        Self::error(429, "TOO_MANY_REQUESTS", &json!({}), message)
    }

    /// The outcome of a deletion, in the envelope of users.
    pub(super) fn deletion(status: u16, code: &str, details: &Value, message: &str) -> Self {
        let mut outcome = error_body(code, details, message);
        outcome["status"] = json!(if status == 200 { "success" } else { "error" });
        Self::json(status, &json!({"users": [outcome]}))
    }

    /// The answer with this body instead of its own.
    pub(super) fn into_response(self, body: Option<Body>) -> Response<Body> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = Response::new(body.unwrap_or_else(|| Body::from(self.body)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        if !self.content_type.is_empty() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        }
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.append(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

fn error_body(code: &str, details: &Value, message: &str) -> Value {
    json!({"code": code, "details": details, "message": message})
}
