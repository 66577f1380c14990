//! A page of users: its JSON goes straight into a [`UserBlock`], one user at a time.

use chrono::{DateTime, Utc};
use serde::de::{Deserialize, Deserializer, Error as _, SeqAccess};

use super::{
    PER_PAGE,
    field::{self, Field, Id, Json, Text, is_blank, record, required},
};
use crate::model::{
    unread::{self, Fields},
    users::{NewUser, UserBlock},
};

/// A page of users.
#[derive(Debug, Default)]
pub(in crate::connector) struct UsersPage {
    /// The users.
    pub(in crate::connector) users: PageUsers,
    /// What the API says of the page.
    pub(in crate::connector) info: Option<Info>,
}

/// The users of a page.
#[derive(Debug, Default)]
pub(in crate::connector) struct PageUsers {
    /// Those who have an id.
    pub(in crate::connector) block: UserBlock,
    /// How many records have none.
    pub(in crate::connector) unidentified: u32,
}

impl PageUsers {
    /// How many records the page holds.
    pub(in crate::connector) fn rows(&self) -> u64 {
        self.block.len() as u64 + u64::from(self.unidentified)
    }
}

impl PartialEq for PageUsers {
    fn eq(&self, other: &Self) -> bool {
        self.unidentified == other.unidentified && self.block == other.block
    }
}

/// What the API says of a page.
#[derive(Debug, Clone, Copy)]
pub(in crate::connector) struct Info {
    /// How many users a page holds.
    pub(in crate::connector) per_page: Option<u64>,
    /// How many users this page holds.
    pub(in crate::connector) count: Option<u64>,
    /// Whether another page follows.
    pub(in crate::connector) more_records: bool,
}

record! {
    /// What the API says of a page, as it writes it.
    RawInfo {
        per_page: u64 = "per_page",
        count: u64 = "count",
        more_records: bool = "more_records",
    }
}

impl RawInfo<'_> {
    /// Whether another page follows decides whether a list is complete.
    pub(in crate::connector) fn read<E: serde::de::Error>(self) -> Result<Info, E> {
        let more_records = required(self.more_records, "info.more_records")?;
        Ok(Info { per_page: self.per_page.given(), count: self.count.given(), more_records })
    }
}

record! {
    /// A page as the API writes it.
    RawPage {
        users: PageUsers = "users",
        info: RawInfo<'a> = "info",
    }
}

impl<'de> Deserialize<'de> for UsersPage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let page: RawPage<'de> = field::whole(deserializer, "users")?;
        let info = match page.info {
            Field::Absent => None,
            info => Some(required::<_, D::Error>(info, "info")?.read()?),
        };
        Ok(Self { users: required(page.users, "users")?, info })
    }
}

/// A role or profile inside a user record. Without its id it says nothing.
#[derive(Debug, PartialEq)]
pub(in crate::connector) struct Stated<'a> {
    pub(in crate::connector) id: Id<'a>,
    name: Option<Text<'a>>,
}

record! {
    /// The same, as the API writes it.
    RawStated {
        id: Id<'a> = "id",
        name: Text<'a> = "name",
    }
}

impl<'a> Json<'a> for Stated<'a> {
    fn object<A: serde::de::MapAccess<'a>>(map: A) -> Result<Option<Self>, A::Error> {
        let stated = RawStated::object(map)?;
        Ok(stated.and_then(|raw| Some(Self { id: raw.id.given()?, name: raw.name.given() })))
    }

    fn join(self, other: Self) -> Option<Self> {
        let is_same = self.id == other.id && (self.name.is_none() || other.name.is_none() || self.name == other.name);
        is_same.then(|| Self { id: self.id, name: self.name.or(other.name) })
    }
}

record! {
    /// What is read of a user record.
    RawUser {
        id: Id<'a> = "id",
        status: Text<'a> = "status",
        zuid: Id<'a> = "zuid",
        full_name: Text<'a> = "full_name",
        email: Text<'a> = "email",
        confirm: bool = "confirm",
        role: Stated<'a> = "role",
        profile: Stated<'a> = "profile",
        created_time: DateTime<Utc> = "created_time",
        modified: DateTime<Utc> = "Modified_Time",
        modified_time: DateTime<Utc> = "modified_time",
    }
}

/// The status of a user whose record does not give one that can be read.
pub(super) const UNKNOWN_STATUS: &str = "unknown";

impl RawUser<'_> {
    /// What a block takes; `None` without an id.
    fn as_new(&self) -> Option<(NewUser<'_>, Fields)> {
        fn stated<'s>(stated: &'s Stated<'_>) -> (&'s str, Option<&'s str>) {
            (&stated.id.0, stated.name.as_deref())
        }
        let modified = if self.modified == Field::Absent { &self.modified_time } else { &self.modified };
        let id = &self.id.get()?.0;
        let status = self.status.get().filter(|status| !is_blank(status));
        let mut unread = Fields::default();
        for (is_unread, field) in [
            (status.is_none(), unread::Field::Status),
            (self.zuid.is_unreadable(), unread::Field::Zuid),
            (self.full_name.is_unreadable(), unread::Field::FullName),
            (self.email.is_unreadable(), unread::Field::Email),
            (self.confirm.is_unreadable(), unread::Field::Confirmed),
            (self.role.is_unreadable(), unread::Field::Role),
            (self.profile.is_unreadable(), unread::Field::Profile),
            (self.created_time.is_unreadable(), unread::Field::Created),
            (modified.is_unreadable(), unread::Field::Modified),
        ] {
            if is_unread {
                unread.add(field);
            }
        }
        let user = NewUser {
            id,
            zuid: self.zuid.get().map(|zuid| &*zuid.0),
            full_name: self.full_name.get().map(|name| &**name),
            email: self.email.get().map(|email| &**email).filter(|email| !is_blank(email)),
            status: status.map_or(UNKNOWN_STATUS, |status| status),
            confirmed: self.confirm.get().copied(),
            role: self.role.get().map(stated),
            profile: self.profile.get().map(stated),
            created: self.created_time.get().copied(),
            modified: modified.get().copied(),
        };
        Some((user, unread))
    }
}

impl<'de> Json<'de> for PageUsers {
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let mut users = Self { block: UserBlock::with_capacity(PER_PAGE as usize), unidentified: 0 };
        while let Some(user) = list.next_element::<Field<RawUser<'_>>>()? {
            match user.get().and_then(RawUser::as_new) {
                Some((user, unread)) => users.block.push_partly(&user, unread).map_err(A::Error::custom)?,
                None => users.unidentified += 1,
            }
        }
        // At once: what a million users did not need would be 20 MB.
        users.block.shrink();
        Ok(Some(users))
    }

    fn join(self, other: Self) -> Option<Self> {
        if self.rows() == 0 {
            Some(other)
        } else if other.rows() == 0 {
            Some(self)
        } else {
            (self == other).then_some(self)
        }
    }
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
        let (users, _) = Users::from_blocks(vec![page(json).users.block]);
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
        assert_eq!(page(MINIMAL).users.rows(), 1);
        let nulls = r#"{"users":[{"id":"7","status":"active","zuid":null,"full_name":null,"email":null,"confirm":null,"role":null,"profile":null,"created_time":null,"Modified_Time":null}]}"#;
        assert_eq!(page(nulls).users.rows(), 1);
    }

    #[test]
    fn a_blank_address_is_none() {
        let json = r#"{"users":[{"id":"7","status":"active","email":""},{"id":"8","status":"active","email":" \t"}]}"#;
        let (users, _) = Users::from_blocks(vec![page(json).users.block]);
        assert!(users.iter().all(|user| user.email().is_none()));
    }

    /// The fields of the only user of a page that could not be read.
    fn unread(fields: &str) -> String {
        let page = page(&format!(r#"{{"users":[{{"id":"7",{fields}}}]}}"#));
        let (users, _) = Users::from_blocks(vec![page.users.block]);
        users.iter().next().unwrap().unread().words()
    }

    #[test]
    fn a_field_that_cannot_be_read_is_unknown_and_the_others_are_not() {
        for (fields, expected) in [
            (r#""status":"active""#, ""),
            (r#""status":null"#, "status"),
            (r#""full_name":"A""#, "status"),
            (r#""status":5"#, "status"),
            (r#""status":"active","zuid":"""#, "zuid"),
            (r#""status":"active","role":{"id":null,"name":"CEO"},"profile":{"name":"P"}"#, "role, profile"),
            (r#""status":"active","role":"CEO","profile":[{"id":"9"}]"#, "role, profile"),
            (r#""status":"active","created_time":1706774400000"#, "created_time"),
            (r#""status":"active","created_time":"2024-02-01T08:00:00+0100""#, ""),
            (r#""status":"active","Modified_Time":"soon","modified_time":"2024-02-01T08:00:00Z""#, "modified_time"),
            (r#""status":"active","Modified_Time":"2024-02-01T08:00:00Z","modified_time":"soon""#, ""),
            (r#""status":"active","email":{"address":"a@example.com"},"full_name":7"#, "email, full_name"),
            (r#""status":"active","confirm":"Somebody Private""#, "confirmed"),
            (r#""status":"active","status":"active""#, ""),
            (r#""status":"active","status":"deleted""#, "status"),
            (r#""status":"active","status":null"#, ""),
            (r#""status":"active","role":{"id":"5"},"role":{"id":5,"name":"CEO"}"#, ""),
            (r#""status":"active","role":{"id":"5"},"role":{"id":"6"}"#, "role"),
            (r#""status":"active","role":{"id":"5","name":"CEO"},"role":{"id":"5","name":"Intern"}"#, "role"),
            (r#""status":"active","zuid":1e300,"profile":{"id":-1}"#, "profile, zuid"),
        ] {
            assert_eq!(unread(fields), expected, "{fields}");
        }
        let long = format!(r#""status":"active","full_name":"{}""#, "x".repeat(60_000));
        assert_eq!(unread(&long), "full_name");
    }

    #[test]
    fn a_user_without_an_id_is_counted_and_a_page_without_its_list_is_an_error() {
        for user in [r#"{"status":"active"}"#, r#"{"id":""}"#, r#"{"id":null}"#, r#"{"id":1.5}"#, "7", "[]"] {
            let users = page(&format!(r#"{{"users":[{{"id":"6","status":"active"}},{user}]}}"#)).users;
            assert_eq!((users.block.len(), users.unidentified), (1, 1), "{user}");
        }
        for (json, place) in [
            (r#"{"info":{"more_records":false}}"#, "`users`"),
            (r#"{"users":{"id":"1"}}"#, "`users`"),
            (r#"{"users":[{"id":"1"}],"users":[{"id":"2"}]}"#, "`users`"),
            (r#"[{"id":"1"}]"#, "`users`"),
            (r#"{"users":[],"info":{"more_records":null}}"#, "`info.more_records`"),
            (r#"{"users":[],"info":{"more_records":true},"info":{"more_records":false}}"#, "`info.more_records`"),
            (r#"{"users":[{"id":"1","email":"a@b.c"}],"users":[{"id":"1","email":"d@b.c"}]}"#, "`users`"),
            (r#"{"users":[{"id":"1","role":{"id":"2"}}],"users":[{"id":"1","role":{"id":"3"}}]}"#, "`users`"),
        ] {
            let error = problem(json);
            assert!(error.contains(place), "{error}");
        }
        assert_eq!(page(r#"{"users":[],"users":[{"id":"2"}],"info":null}"#).users.rows(), 1);
    }

    #[test]
    fn what_a_page_gives_twice_without_a_contradiction_is_joined() {
        let user = r#"{"id":"1","status":"active","email":"a@example.com","role":{"id":"2","name":"CEO"}}"#;
        let given = |infos: &str| page(&format!(r#"{{"users":[{user}],{infos},"users":[{user}]}}"#));
        for infos in [
            r#""info":{"more_records":true,"count":1},"info":{"more_records":true,"count":1}"#,
            r#""info":{},"info":{"more_records":true,"count":1}"#,
            r#""info":{"count":1},"info":null,"info":{"more_records":"true"}"#,
        ] {
            let page = given(infos);
            let info = page.info.unwrap();
            assert_eq!((page.users.rows(), info.more_records, info.count), (1, true, Some(1)), "{infos}");
        }
        // A number that only counts is not needed.
        let info = given(r#""info":{"more_records":true,"count":1},"info":{"more_records":true,"count":2}"#).info;
        assert_eq!(info.unwrap().count, None);
    }

    #[test]
    fn a_number_that_is_not_exact_is_no_id() {
        let users = page(r#"{"users":[{"id":58201900000006270015820190000000627001,"status":"active"}]}"#).users;
        assert_eq!(users.unidentified, 1);
    }
}
