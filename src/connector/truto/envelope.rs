//! Truto's envelopes: what is in an answer, and what an error says.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    connector::{
        ConnectorError,
        bigin::{
            page,
            parse::{ParseError, clean, parse},
        },
    },
    model::users::UserBlock,
};

/// A page of users. Without its list it is a wrong shape, and not a page without users.
#[derive(Debug, Deserialize)]
pub(super) struct UsersPage {
    #[serde(rename = "result", alias = "results", deserialize_with = "page::users")]
    pub(super) users: UserBlock,
    #[serde(default)]
    next_cursor: Option<String>,
    #[serde(default)]
    is_partial_response: Option<bool>,
}

impl UsersPage {
    /// The cursor of the page after it; none at the end.
    pub(super) fn next(&self) -> Option<&str> {
        self.next_cursor.as_deref().filter(|cursor| !cursor.is_empty())
    }

    /// Whether Truto says that something is missing.
    pub(super) fn is_partial(&self) -> bool {
        self.is_partial_response == Some(true)
    }
}

/// A page of any other list.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    #[serde(rename = "result", alias = "results")]
    pub(super) rows: Vec<T>,
    #[serde(default)]
    pub(super) next_cursor: Option<String>,
}

/// The one record of an answer, in whatever way it is wrapped: in a `result`, as the vendor wraps it, or not at all; by
/// itself, or as the only one of a list. None where the list is empty.
pub(super) fn one<T>(body: &[u8], read: impl Fn(&[u8]) -> Result<T, ParseError>) -> Result<Option<T>, ParseError> {
    let value: Value = parse(body, "record")?;
    let wrapped = ["result", "results", "users", "org", "profiles"].into_iter().find_map(|name| value.get(name));
    let record = match wrapped.unwrap_or(&value) {
        Value::Array(rows) => match rows.first() {
            Some(record) => record,
            None => return Ok(None),
        },
        record => record,
    };
    // Numbers beyond 64 bits are refused by the id's own reader, which sees them as fractions.
    read(record.to_string().as_bytes()).map(Some)
}

/// An error as Truto writes it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Problem {
    error: Value,
    message: Value,
    truto_is_remote_error: Value,
    raw_response: Value,
    details: Value,
    truto_error_insight: Value,
}

impl Problem {
    pub(super) fn parse(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// Whether it is Truto's own, and not the vendor's.
    pub(super) fn is_own(&self) -> bool {
        self.truto_is_remote_error != true && !self.error.is_null()
    }

    /// What the vendor said; older answers have it in `details`.
    fn vendors(&self) -> &Value {
        let raw = if self.raw_response.is_null() { &self.details } else { &self.raw_response };
        // An error that is about a single record stands in a list of records.
        raw.get("users").and_then(|users| users.get(0)).unwrap_or(raw)
    }

    /// The vendor's word, or Truto's.
    pub(super) fn code(&self) -> String {
        let word = self.vendors()["code"].as_str().or(self.error.as_str()).unwrap_or("without a code");
        clean(word, 60)
    }

    fn message(&self) -> String {
        let own = self.message.as_str().filter(|message| !message.is_empty());
        clean(own.or(self.vendors()["message"].as_str()).unwrap_or("without a message"), 200)
    }

    fn missing_scopes(&self) -> String {
        let scopes = self.truto_error_insight["forbidden_error"]["value"]["missing_scopes"].as_array();
        let named: Vec<&str> = scopes.into_iter().flatten().filter_map(Value::as_str).collect();
        clean(&named.join(", "), 200)
    }

    /// The error that it is for whoever reads it.
    pub(super) fn into_error(self, call: String, status: u16) -> ConnectorError {
        let message = self.message();
        match (status, self.is_own()) {
            (401, true) => ConnectorError::TrutoToken { call },
            (401, false) => ConnectorError::TrutoNeedsReauth { call, code: self.code() },
            (403, false) => match (self.missing_scopes(), self.code()) {
                (scopes, _) if !scopes.is_empty() => ConnectorError::TrutoScopes { call, scopes },
                (_, code) if code == "OAUTH_SCOPE_MISMATCH" => ConnectorError::TrutoScopes { call, scopes: code },
                _ => ConnectorError::MissingRight { call, permissions: String::new() },
            },
            (403, true) => ConnectorError::TrutoForbidden { call, message },
            (404, true) => ConnectorError::TrutoUnknown { call, message },
            (405, true) => ConnectorError::TrutoSandbox { call },
            (503, true) => ConnectorError::TrutoBlocked { call },
            _ => ConnectorError::Refused { call, status, code: self.code(), message },
        }
    }
}
