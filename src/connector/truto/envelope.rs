//! Truto's envelopes: what is in an answer, and what an error says.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::{
    connector::{
        bigin::{
            field::{self, Field, Json, Word, record, required},
            page::PageUsers,
            removal::{self, ALREADY_DELETED},
        },
        contract::Removal,
        error::{Cause, Credential},
        kit::{Entry, NO_CODE, NO_MESSAGE, Notes, ParseError, clean, parse},
    },
    model::reading::CheckKind,
};

record! {
    /// A page as Truto writes it.
    RawUsersPage {
        users: PageUsers = "result" | "results",
        next_cursor: Word<'a> = "next_cursor",
        is_partial_response: bool = "is_partial_response",
        result_count: u64 = "result_count",
    }
}

/// A page of users. Without its list it is a wrong shape, and not a page without users.
#[derive(Debug)]
pub(super) struct UsersPage {
    pub(super) users: PageUsers,
    /// The cursor of the page after it; `None` at the end.
    pub(super) next: Option<String>,
    /// Whether Truto says that something is missing.
    pub(super) is_partial: bool,
    /// How many users the page holds, as Truto counts; `None` if it does not say.
    pub(super) count: Option<u64>,
}

impl<'de> Deserialize<'de> for UsersPage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let page: RawUsersPage<'de> = field::whole(deserializer, "result")?;
        Ok(Self {
            next: cursor(page.next_cursor)?,
            is_partial: is_partial(&page.is_partial_response),
            count: page.result_count.given(),
            users: required(page.users, "result")?,
        })
    }
}

/// A cursor decides whether a list is complete.
fn cursor<E: serde::de::Error>(cursor: Field<Word<'_>>) -> Result<Option<String>, E> {
    match cursor {
        Field::Absent => Ok(None),
        cursor => Ok(Some(required::<_, E>(cursor, "next_cursor")?.0.into_owned()).filter(|cursor| !cursor.is_empty())),
    }
}

/// Whether Truto says that something is missing, or says it in a way that cannot be read.
fn is_partial(said: &Field<bool>) -> bool {
    said.is_unreadable() || said.get() == Some(&true)
}

record! {
    /// A page of any other list as Truto writes it.
    RawListPage<R> {
        rows: Vec<Field<R>> = "result" | "results",
        next_cursor: Word<'a> = "next_cursor",
        is_partial_response: bool = "is_partial_response",
    }
}

/// A page of any other list.
#[derive(Debug)]
struct ListPage<R> {
    rows: Vec<Field<R>>,
    next: Option<String>,
    is_partial: bool,
}

impl<'de, R: Json<'de> + Default + PartialEq> Deserialize<'de> for ListPage<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let page: RawListPage<'de, R> = field::whole(deserializer, "result")?;
        Ok(Self {
            next: cursor(page.next_cursor)?,
            is_partial: is_partial(&page.is_partial_response),
            rows: required(page.rows, "result")?,
        })
    }
}

/// The entries of a page, and the cursor of the page after it.
pub(super) type Entries<T> = Enveloped<(Vec<Entry<T>>, Option<String>)>;

/// The entries of a page of any other list, each read by `read`, and the cursor of the page after it.
pub(super) fn entries<'a, R: Json<'a> + Default + PartialEq, T>(
    body: &'a [u8],
    what: &str,
    read: fn(R) -> Entry<T>,
) -> Result<Entries<T>, ParseError> {
    let ListPage { rows, next, is_partial } = parse::<ListPage<R>>(body, what)?;
    let entries = rows.into_iter().map(|row| row.given().and_then(read)).collect();
    Ok(Enveloped { value: (entries, next), is_partial })
}

/// What an answer holds, and whether Truto says that it is a part of what there is.
#[derive(Debug)]
pub(super) struct Enveloped<T> {
    pub(super) value: T,
    pub(super) is_partial: bool,
}

impl<T> Enveloped<T> {
    pub(super) fn into_value(self) -> T {
        self.value
    }

    /// What it holds. If Truto says that it is a part, that is noted of what is called `what`.
    pub(super) fn noted(self, what: &str, notes: &mut Notes) -> T {
        if self.is_partial {
            notes.disagree(CheckKind::SourceComplete, partial(what));
        }
        self.value
    }
}

impl<T> Enveloped<Option<T>> {
    /// The same, if it holds anything.
    pub(super) fn some(self) -> Option<Enveloped<T>> {
        self.value.map(|value| Enveloped { value, is_partial: self.is_partial })
    }
}

/// What Truto says about missing parts of `what`.
pub(super) fn partial(what: &str) -> String {
    format!("Truto says that its answer of {what} is a part of what there is")
}

/// The one record of an answer, in whatever way it is wrapped: in a `result`, as the vendor wraps it, or not at all; by
/// itself, or as the only one of a list. `None` if the list is empty.
pub(super) fn one<T>(
    body: &[u8],
    read: impl Fn(&[u8]) -> Result<T, ParseError>,
) -> Result<Enveloped<Option<T>>, ParseError> {
    let value: Value = parse(body, "record")?;
    let is_partial = value["is_partial_response"] == true;
    let wrapped = ["result", "results", "users", "org", "profiles"].into_iter().find_map(|name| value.get(name));
    let record = match wrapped.unwrap_or(&value) {
        Value::Array(rows) => rows.first(),
        record => Some(record),
    };
    // Numbers beyond 64 bits are refused by the id's own reader, which sees them as fractions.
    let value = record.map(|record| read(record.to_string().as_bytes())).transpose()?;
    Ok(Enveloped { value, is_partial })
}

/// What an answer of success says of a deletion. The words differ; only reading proves it.
pub(super) fn removal(body: &[u8]) -> Result<Removal, Cause> {
    if body.is_empty() {
        return Ok(Removal::Accepted);
    }
    let Ok(answer) = serde_json::from_slice::<Value>(body) else {
        return Ok(Removal::Unknown(removal::NOT_JSON.to_owned()));
    };
    let answer = ["result", "results"].into_iter().find_map(|name| answer.get(name)).unwrap_or(&answer);
    removal::verdict(answer).unwrap_or(Ok(Removal::Accepted))
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
        !self.is_remote() && !self.error.is_null()
    }

    /// Whether it is the vendor's, which Truto passes on.
    fn is_remote(&self) -> bool {
        self.truto_is_remote_error == true
    }

    /// Whether it is in Truto's words or the vendor's, and not a gateway's.
    pub(super) fn is_legible(&self) -> bool {
        self.is_remote() || self.is_own()
    }

    /// Whether the vendor says that the record does not exist any more. No other answer proves that: a resource that is
    /// called otherwise, another account or a gateway are answered with 404, too.
    pub(super) fn is_gone(&self, status: u16) -> bool {
        let code = self.vendors()["code"].as_str().unwrap_or_default();
        self.is_remote() && (code == ALREADY_DELETED || (status == 404 && code == "INVALID_DATA"))
    }

    /// What the vendor said; older answers have it in `details`.
    fn vendors(&self) -> &Value {
        let raw = if self.raw_response.is_null() { &self.details } else { &self.raw_response };
        // An error about a single record is in a list of records.
        raw.get("users").and_then(|users| users.get(0)).unwrap_or(raw)
    }

    /// The vendor's word, or Truto's.
    pub(super) fn code(&self) -> String {
        let word = self.vendors()["code"].as_str().or(self.error.as_str()).unwrap_or(NO_CODE);
        clean(word, 60)
    }

    fn message(&self) -> String {
        let own = self.message.as_str().filter(|message| !message.is_empty());
        clean(own.or(self.vendors()["message"].as_str()).unwrap_or(NO_MESSAGE), 200)
    }

    fn missing_scopes(&self) -> String {
        let scopes = self.truto_error_insight["forbidden_error"]["value"]["missing_scopes"].as_array();
        let named: Vec<&str> = scopes.into_iter().flatten().filter_map(Value::as_str).collect();
        clean(&named.join(", "), 200)
    }

    /// Why the call is refused.
    pub(super) fn cause(&self, status: u16) -> Cause {
        let (code, message) = (self.code(), self.message());
        let missing = |scopes| Cause::MissingScope { holder: Credential::StoredCredentials, scopes };
        let unauthorized = |credential, code| Cause::Unauthorized { credential, code };
        match (status, self.is_legible(), self.is_own()) {
            (401, true, true) => unauthorized(Credential::ApiToken, code),
            (401, true, false) => unauthorized(Credential::StoredCredentials, code),
            (403, true, false) => match self.missing_scopes() {
                scopes if !scopes.is_empty() => missing(scopes),
                _ if code == "OAUTH_SCOPE_MISMATCH" => missing(code),
                _ => Cause::MissingRight(String::new()),
            },
            (403, true, true) => Cause::Forbidden(message),
            (404, true, true) => Cause::NotFound(message),
            (405, true, true) => Cause::ReadOnly,
            (503, true, true) => Cause::Blocked,
            _ => Cause::Refused { status, code, message },
        }
    }
}
