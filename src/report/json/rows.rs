//! The rows of the access matrix, joined one by one as they are written.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::{access::power::Power, model::users::UserIndex, report::ReportInput};

/// The access matrix, joined row by row as it is written.
pub(super) struct Rows<'a>(pub(super) &'a ReportInput<'a>);

impl Serialize for Rows<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(input) = self;
        serializer.collect_seq(input.matrix.rows().map(|row| Row {
            user_id: row.user.id(),
            zuid: row.user.zuid(),
            full_name: row.user.full_name(),
            email: row.user.email(),
            status: row.user.status().word(),
            confirmed: row.user.confirmed(),
            role: row.role.map(|role| Held {
                id: role.stated.id.as_str(),
                name: role.master.map(|role| role.name.as_str()),
                name_in_record: role.stated.name.as_deref(),
            }),
            profile: row.profile.map(|profile| Held {
                id: profile.stated.id.as_str(),
                name: profile.master.map(|profile| profile.name.as_str()),
                name_in_record: profile.stated.name.as_deref(),
            }),
            administrator: row.administrator,
            power: row.power(),
            findings: RuleNames(input, row.user.index()),
            created_time: row.user.created(),
            modified_time: row.user.modified(),
        }))
    }
}

/// The rules that found something about one user.
pub(super) struct RuleNames<'a>(&'a ReportInput<'a>, UserIndex);

impl Serialize for RuleNames<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.flagged.of(self.1))
    }
}

/// One row of the access matrix.
#[derive(Serialize, JsonSchema)]
pub(super) struct Row<'a> {
    /// The user's id.
    pub(super) user_id: &'a str,
    /// The person's id across the vendor's products.
    pub(super) zuid: Option<&'a str>,
    /// The display name.
    pub(super) full_name: Option<&'a str>,
    /// The address, with which the user signs in.
    pub(super) email: Option<&'a str>,
    /// The status word of the API.
    pub(super) status: &'a str,
    /// Whether the invitation was accepted.
    pub(super) confirmed: Option<bool>,
    /// The role; null if the user has none.
    pub(super) role: Option<Held<'a>>,
    /// The profile; null if the user has none.
    pub(super) profile: Option<Held<'a>>,
    /// Whether the profile makes an administrator, decided by profile id.
    pub(super) administrator: bool,
    /// How much power the user has, by profile and role.
    pub(super) power: Power,
    /// The rules that found something about this user.
    #[schemars(with = "Vec<String>")]
    pub(super) findings: RuleNames<'a>,
    /// When the user record was created.
    pub(super) created_time: Option<DateTime<Utc>>,
    /// When it last changed.
    pub(super) modified_time: Option<DateTime<Utc>>,
}

/// A role or profile that a user holds.
#[derive(Serialize, JsonSchema)]
pub(super) struct Held<'a> {
    /// The id in the user record.
    pub(super) id: &'a str,
    /// The name on the master list; null if the id is not there.
    pub(super) name: Option<&'a str>,
    /// The name in the user record, which may be stale.
    pub(super) name_in_record: Option<&'a str>,
}
