//! `rolecall org` and `rolecall me`: one thing, one line for each of its fields.

use serde::Serialize;

use super::table::{self, Column, text};
use crate::{
    access::administrators::resolve_administrator_profiles,
    cli::{args::LookupFormat, output::Failure},
    model::{directory::Organization, policy::Policy, survey::Survey},
    preflight::{AccountFacts, OrganizationFacts},
};

const ORGANIZATION: [Column<OrganizationFacts>; 10] = [
    ("name", |row| text(row.name.as_ref())),
    ("id", |row| text(row.id.as_ref())),
    ("zgid", |row| text(row.zgid.as_ref())),
    ("domain_name", |row| text(row.domain_name.as_ref())),
    ("country", |row| text(row.country.as_ref())),
    ("currency", |row| text(row.currency.as_ref())),
    ("locale", |row| text(row.locale.as_ref())),
    ("time_zone", |row| text(row.time_zone.as_ref())),
    ("licence", |row| text(row.licence.as_ref())),
    ("licensed_users", |row| text(row.licensed_users.as_ref())),
];

pub(super) fn organization(organization: &Organization, format: LookupFormat) -> Result<(), Failure> {
    table::one(&OrganizationFacts::from(organization), format, &ORGANIZATION)
}

/// Whoever the credentials belong to.
#[derive(Serialize)]
struct Me {
    #[serde(flatten)]
    account: AccountFacts,
    /// Null where the profiles cannot be read.
    administrator: Option<bool>,
}

const ME: [Column<Me>; 10] = [
    ("user_id", |row| row.account.user_id.clone()),
    ("full_name", |row| text(row.account.full_name.as_ref())),
    ("email", |row| text(row.account.email.as_ref())),
    ("status", |row| text(row.account.status.as_ref())),
    ("confirmed", |row| text(row.account.confirmed.as_ref())),
    ("role_id", |row| text(row.account.role_id.as_ref())),
    ("role_name", |row| text(row.account.role_name.as_ref())),
    ("profile_id", |row| text(row.account.profile_id.as_ref())),
    ("profile_name", |row| text(row.account.profile_name.as_ref())),
    ("administrator", |row| text(row.administrator.as_ref())),
];

pub(super) fn me(survey: &Survey, policy: &Policy, format: LookupFormat) -> Result<(), Failure> {
    let Some(user) = &survey.current_user else {
        return Err(Failure::failed(
            "the API does not tell whose credentials these are; `rolecall preflight` says why",
        ));
    };
    let administrator = survey.profiles.as_ref().zip(user.profile.as_ref()).map(|(profiles, held)| {
        resolve_administrator_profiles(&policy.administrator_profiles, profiles).0.contains(held)
    });
    table::one(&Me { account: AccountFacts::new(user, survey), administrator }, format, &ME)
}
