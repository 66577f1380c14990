//! Rosters as written.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor},
};
use toml::Spanned;

use super::Secret;
use crate::model::roster::{Field, Format};

/// Who works for the company: where the list is, and how it is read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Roster {
    /// Where it is: `{ file = "PATH" }`, or `{ url = "https://…", token = { env = "NAME" } }`.
    #[schemars(with = "RosterSource")]
    pub(in crate::config) source: Spanned<RosterSource>,
    /// How it is written: csv, json or scim (default csv).
    #[schemars(with = "Option<String>")]
    pub(in crate::config) format: Option<Spanned<String>>,
    /// The columns; the usual names stand for those that are not named.
    #[serde(default)]
    pub(in crate::config) columns: Columns,
    /// How dates are written, such as "%d.%m.%Y"; needed if they can be read in two ways.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) date_format: Option<Spanned<String>>,
    /// The values of the status that mean: works here.
    #[schemars(with = "Option<Vec<String>>")]
    pub(in crate::config) current: Option<Spanned<Vec<String>>>,
    /// The encoding of the text, such as "windows-1252", if it is not to be detected.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) encoding: Option<Spanned<String>>,
    /// Days since its last change after which it is not relied on (default 31).
    #[schemars(with = "Option<i64>")]
    pub(in crate::config) max_age_days: Option<Spanned<i64>>,
    /// Percent of the current people that may be missing since the last audit (default 20).
    #[schemars(with = "Option<i64>")]
    pub(in crate::config) max_shrink_percent: Option<Spanned<i64>>,
    /// The IANA time zone in which a last day ends (default UTC).
    #[schemars(with = "Option<String>")]
    pub(in crate::config) time_zone: Option<Spanned<String>>,
}

/// Where a roster is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RosterSource {
    /// The file.
    pub(in crate::config) file: Option<String>,
    /// The https address.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) url: Option<Spanned<String>>,
    /// The bearer token for the address.
    #[schemars(with = "Option<Secret>")]
    pub(in crate::config) token: Option<Spanned<Secret>>,
}

/// The names of the columns that are read. All others are dropped while reading.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct Columns {
    /// The address at work.
    email: Option<String>,
    /// Other addresses of the person.
    aliases: Option<String>,
    /// The employee number.
    id: Option<String>,
    /// The name.
    name: Option<String>,
    /// The first name, if no column has the whole name.
    first: Option<String>,
    /// The last name, if no column has the whole name.
    last: Option<String>,
    /// Whether the person works here.
    status: Option<String>,
    /// The department.
    department: Option<String>,
    /// The job title.
    title: Option<String>,
    /// The manager, by address.
    manager: Option<String>,
    /// The first day.
    start: Option<String>,
    /// The last day, on which the person still works here.
    end: Option<String>,
}

impl Columns {
    /// The columns that are named.
    pub(in crate::config) fn named(&self) -> impl Iterator<Item = (Field, &str)> {
        Field::ALL.into_iter().filter_map(|field| Some((field, self.of(field)?)))
    }

    fn of(&self, field: Field) -> Option<&str> {
        match field {
            Field::Email => &self.email,
            Field::Aliases => &self.aliases,
            Field::Id => &self.id,
            Field::Name => &self.name,
            Field::First => &self.first,
            Field::Last => &self.last,
            Field::Status => &self.status,
            Field::Department => &self.department,
            Field::Title => &self.title,
            Field::Manager => &self.manager,
            Field::Start => &self.start,
            Field::End => &self.end,
        }
        .as_deref()
    }
}

/// Who may hold what, by the roster.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct ExpectedAccess {
    /// The department, or a pattern such as "Sales*".
    #[schemars(with = "Option<String>")]
    pub(in crate::config) department: Option<Spanned<String>>,
    /// The job title, or a pattern.
    #[schemars(with = "Option<String>")]
    pub(in crate::config) title: Option<Spanned<String>>,
    /// Names, ids or patterns of the profiles that are expected.
    #[schemars(with = "Option<Vec<String>>")]
    pub(in crate::config) profiles: Option<Vec<Spanned<String>>>,
    /// Names, ids or patterns of the roles that are expected.
    #[schemars(with = "Option<Vec<String>>")]
    pub(in crate::config) roles: Option<Vec<Spanned<String>>>,
}

/// One name, or a list of names.
#[derive(Debug)]
pub(in crate::config) struct Names(pub(in crate::config) Vec<String>);

impl JsonSchema for Names {
    fn schema_name() -> Cow<'static, str> {
        "Names".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"description": "One name, or a list of names.", "type": ["string", "array"], "items": {"type": "string"}})
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrSeveral;

        impl<'de> Visitor<'de> for OneOrSeveral {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or a list of names")
            }

            fn visit_str<E>(self, name: &str) -> Result<Names, E> {
                Ok(Names(vec![name.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<Names, A::Error> {
                let mut all = Vec::new();
                while let Some(name) = names.next_element()? {
                    all.push(name);
                }
                Ok(Names(all))
            }
        }

        deserializer.deserialize_any(OneOrSeveral)
    }
}

impl Format {
    /// The format of a word.
    pub(in crate::config) fn of(word: &str) -> Option<Self> {
        [Self::Csv, Self::Json, Self::Scim].into_iter().find(|format| format.word() == word)
    }
}
