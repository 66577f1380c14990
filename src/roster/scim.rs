//! SCIM 2.0 users (RFC 7643), as a list response or a list. SCIM says whether an account is active, and no last day.

use serde::Deserialize;

use super::{
    ReadError, json,
    rows::{Cells, Place, Rows},
    text,
};
use crate::model::roster::Field;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    #[serde(default)]
    id: Option<String>,
    #[serde(default, rename = "userName")]
    login: Option<String>,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    name: Option<Name>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    active: Option<Active>,
    #[serde(default)]
    emails: Option<Vec<Email>>,
    #[serde(default, rename = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")]
    enterprise: Option<Enterprise>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Name {
    formatted: Option<String>,
    #[serde(rename = "givenName")]
    given: Option<String>,
    #[serde(rename = "familyName")]
    family: Option<String>,
}

/// Some servers write the word.
#[derive(Deserialize)]
#[serde(untagged)]
enum Active {
    Is(bool),
    Word(String),
}

#[derive(Deserialize)]
struct Email {
    #[serde(default)]
    value: Option<String>,
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    primary: Option<bool>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Enterprise {
    department: Option<String>,
    manager: Option<Manager>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Manager {
    value: Option<String>,
    display_name: Option<String>,
}

/// What a page of a list response says about the whole list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many users it has.
    pub users: usize,
    /// How many users there are. `None` if it is not a page of a longer list.
    pub total: Option<u64>,
}

/// What a page of a list response says about the whole list.
///
/// # Errors
/// [`ReadError`]
pub fn page(bytes: &[u8]) -> Result<Page, ReadError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Response {
        total_results: Option<u64>,
    }
    let text = text::decode(bytes, Some("utf-8"))?.text;
    let total = serde_json::from_str::<Response>(&text).ok().and_then(|response| response.total_results);
    if total == Some(0) {
        return Ok(Page { users: 0, total });
    }
    Ok(Page { users: json::objects(&text)?.len(), total })
}

pub(super) fn read(text: &str, rows: &mut Rows<'_>) -> Result<(), ReadError> {
    let columns = [
        (Field::Email, "emails"),
        (Field::Aliases, "userName"),
        (Field::Id, "id"),
        (Field::Name, "name"),
        (Field::Status, "active"),
        (Field::Department, "department"),
        (Field::Title, "title"),
        (Field::Manager, "manager"),
    ];
    rows.columns = columns.map(|(field, name)| (field, vec![name.to_owned()])).into();
    if page(text.as_bytes())?.users == 0 {
        return Ok(());
    }
    for (at, object) in json::objects(text)?.into_iter().enumerate() {
        let user: User = serde_json::from_str(object.get()).map_err(|error| ReadError::Syntax {
            format: "SCIM",
            reason: format!("user {}: {}", at + 1, kind_of(&error)),
        })?;
        let mut row = Cells::at(Place::User(at + 1), user.active.is_some());
        for (field, cell) in cells(user) {
            row.set(field, cell.into());
        }
        rows.add(row)?;
    }
    Ok(())
}

/// The error without the value that caused it.
fn kind_of(error: &serde_json::Error) -> String {
    format!("a value of another type than expected at column {}", error.column())
}

fn cells(user: User) -> [(Field, String); 8] {
    let mut emails = user.emails.unwrap_or_default();
    // Never the address at home.
    emails.retain(|email| !email.r#type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("home")));
    let is_work = |email: &Email| email.r#type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("work"));
    emails.sort_by_key(|email| (!is_work(email), email.primary != Some(true)));
    let mut values: Vec<String> = emails.into_iter().filter_map(|email| email.value).collect();
    values.extend(user.login.filter(|name| name.contains('@')));
    let email = if values.is_empty() { String::new() } else { values.remove(0) };
    let name = user.name.unwrap_or_default();
    let given = format!("{} {}", name.given.unwrap_or_default(), name.family.unwrap_or_default());
    let given = Some(given.trim().to_owned()).filter(|given| !given.is_empty());
    let name = given.or(name.formatted).or(user.display_name).unwrap_or_default();
    let status = match user.active {
        Some(Active::Is(is)) => is.to_string(),
        Some(Active::Word(word)) => word,
        None => String::new(),
    };
    let enterprise = user.enterprise.unwrap_or_default();
    let manager =
        enterprise.manager.and_then(|manager| manager.value.filter(|id| !id.is_empty()).or(manager.display_name));
    [
        (Field::Email, email),
        (Field::Aliases, values.join(" ")),
        (Field::Id, user.id.unwrap_or_default()),
        (Field::Name, name),
        (Field::Status, status),
        (Field::Department, enterprise.department.unwrap_or_default()),
        (Field::Title, user.title.unwrap_or_default()),
        (Field::Manager, manager.unwrap_or_default()),
    ]
}
