//! A page of users: its JSON goes straight into a [`UserBlock`], one user at a time.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{
    Deserialize,
    de::{Deserializer, Error as _, SeqAccess, Visitor},
};
use serde_json::Value;

use super::{
    PER_PAGE,
    lists::{is_blank, lenient_number},
    text::{Id, Text},
};
use crate::model::users::{NewUser, UserBlock};

/// A page of users.
#[derive(Debug, Deserialize)]
pub(in crate::connector) struct UsersPage {
    /// The users.
    #[serde(deserialize_with = "users")]
    pub(in crate::connector) users: UserBlock,
    /// What the API says of the page.
    #[serde(default)]
    pub(in crate::connector) info: Option<Info>,
}

/// What the API says of a page.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(in crate::connector) struct Info {
    /// How many users a page holds.
    #[serde(default, deserialize_with = "lenient_number")]
    pub(in crate::connector) per_page: Option<u64>,
    /// How many users this page holds.
    #[serde(default, deserialize_with = "lenient_number")]
    pub(in crate::connector) count: Option<u64>,
    /// Whether another page follows.
    #[serde(deserialize_with = "yes_or_no")]
    pub(in crate::connector) more_records: bool,
}

/// A role or profile inside a user record.
#[derive(Debug, Deserialize)]
struct Stated<'a> {
    #[serde(borrow)]
    id: Id<'a>,
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
}

/// What we read of a user record. `id`, `status`, and the id of a role or profile that is there are essential.
#[derive(Debug, Deserialize)]
struct RawUser<'a> {
    #[serde(borrow)]
    id: Id<'a>,
    #[serde(borrow)]
    status: Text<'a>,
    #[serde(borrow, default)]
    zuid: Option<Id<'a>>,
    #[serde(borrow, default)]
    full_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    email: Option<Text<'a>>,
    #[serde(default)]
    confirm: Option<bool>,
    #[serde(borrow, default)]
    role: Option<Stated<'a>>,
    #[serde(borrow, default)]
    profile: Option<Stated<'a>>,
    #[serde(borrow, default)]
    created_time: Option<Text<'a>>,
    #[serde(borrow, default, rename = "Modified_Time", alias = "modified_time")]
    modified_time: Option<Text<'a>>,
}

impl RawUser<'_> {
    fn as_new(&self) -> NewUser<'_> {
        fn stated<'s>(stated: &'s Stated<'_>) -> (&'s str, Option<&'s str>) {
            (&stated.id.0, stated.name.as_ref().map(|name| &*name.0))
        }
        NewUser {
            id: &self.id.0,
            zuid: self.zuid.as_ref().map(|zuid| &*zuid.0),
            full_name: self.full_name.as_ref().map(|name| &*name.0),
            email: self.email.as_ref().map(|email| &*email.0).filter(|email| !is_blank(email)),
            status: &self.status.0,
            confirmed: self.confirm,
            role: self.role.as_ref().map(stated),
            profile: self.profile.as_ref().map(stated),
            created: self.created_time.as_ref().and_then(time),
            modified: self.modified_time.as_ref().and_then(time),
        }
    }
}

/// A boolean, also if it is written as text. Anything else is an error: it decides whether a list is complete.
fn yes_or_no<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Bool(answer) => Ok(answer),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(D::Error::custom("expected true or false")),
    }
}

fn time(text: &Text<'_>) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(&text.0).ok().map(|time| time.with_timezone(&Utc))
}

/// A list of users, read into a block.
pub(in crate::connector) fn users<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UserBlock, D::Error> {
    struct Users;

    impl<'de> Visitor<'de> for Users {
        type Value = UserBlock;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of users")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<UserBlock, A::Error> {
            let mut block = UserBlock::with_capacity(PER_PAGE as usize);
            while let Some(user) = list.next_element::<RawUser<'_>>()? {
                block.push(&user.as_new()).map_err(A::Error::custom)?;
            }
            // At once: what a million users did not need would be 20 MB.
            block.shrink();
            Ok(block)
        }
    }

    deserializer.deserialize_seq(Users)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::kit::parse;
    use crate::model::users::Users;

    const MINIMAL: &str = r#"{"users":[{"id":"7","status":"active"}],"info":{"more_records":false}}"#;

    fn page(json: &str) -> UsersPage {
        parse::<UsersPage>(json.as_bytes(), "GET /users").unwrap()
    }

    fn problem(json: &str) -> String {
        parse::<UsersPage>(json.as_bytes(), "GET /users").unwrap_err().to_string()
    }

    #[test]
    fn ids_may_be_strings_or_numbers_and_unknown_keys_are_passed_over() {
        let json = r#"{"users":[
            {"id":5820190000000627001,"status":"active","zuid":700,"role":{"id":12,"name":"CEO"},"new":{"a":[1,{}]}},
            {"id":"5820190000000627002","status":"deleted","full_name":"A \"B\" \u00e9","confirm":false,"profile":{"id":"9","name":null}}
        ],"info":{"per_page":200,"count":2,"page":1,"more_records":false},"more":1}"#;
        let (users, _) = Users::from_blocks(vec![page(json).users]);
        let users: Vec<_> = users
            .iter()
            .map(|u| {
                (u.id(), u.zuid(), u.full_name(), u.role().map(|r| r.id.as_str()), u.profile().map(|p| p.id.as_str()))
            })
            .collect();
        assert_eq!(users[0], ("5820190000000627001", Some("700"), None, Some("12"), None));
        assert_eq!(users[1], ("5820190000000627002", None, Some("A \"B\" é"), None, Some("9")));
    }

    #[test]
    fn what_is_optional_may_be_missing_or_null() {
        assert_eq!(page(MINIMAL).users.len(), 1);
        let nulls = r#"{"users":[{"id":"7","status":"active","zuid":null,"full_name":null,"email":null,"confirm":null,"role":null,"profile":null,"created_time":null,"Modified_Time":null}]}"#;
        assert_eq!(page(nulls).users.len(), 1);
    }

    #[test]
    fn a_blank_address_is_none() {
        let json = r#"{"users":[{"id":"7","status":"active","email":""},{"id":"8","status":"active","email":" \t"}]}"#;
        let (users, _) = Users::from_blocks(vec![page(json).users]);
        assert!(users.iter().all(|user| user.email().is_none()));
    }

    #[test]
    fn a_missing_essential_names_the_path_and_the_user() {
        let role =
            problem(r#"{"users":[{"id":"6","status":"active"},{"id":"7","status":"active","role":{"name":"CEO"}}]}"#);
        assert!(role.contains("`users[1].role.id` (user 7)"), "{role}");
        let status = problem(r#"{"users":[{"id":7}]}"#);
        assert!(status.contains("`users[0].status` (user 7)"), "{status}");
        let mistyped = problem(r#"{"users":[{"id":"7","status":5}]}"#);
        assert!(mistyped.contains("`users[0].status` (user 7)"), "{mistyped}");
        let id = problem(r#"{"users":[{"status":"active"}]}"#);
        assert!(id.contains("`users[0].id`"), "{id}");
        let none = problem(r#"{"info":{"more_records":false}}"#);
        assert!(none.contains("`users`"), "{none}");
    }

    #[test]
    fn a_number_that_is_not_exact_is_no_id() {
        let error = problem(r#"{"users":[{"id":58201900000006270015820190000000627001,"status":"active"}]}"#);
        assert!(error.contains("not exact"), "{error}");
    }

    #[test]
    fn errors_do_not_repeat_what_people_are_called() {
        let error = problem(r#"{"users":[{"id":"7","status":"active","full_name":{"secret":"Somebody Private"}}]}"#);
        assert!(!error.contains("Private"), "{error}");
        let error = problem(r#"{"users":[{"id":"7","status":"active","confirm":"Somebody Private"}]}"#);
        assert!(!error.contains("Private"), "{error}");
    }
}
