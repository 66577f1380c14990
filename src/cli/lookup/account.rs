//! `rolecall org` and `rolecall me`: one record, one line for each field.

use super::table::{self, Column, text};
use crate::{
    cli::{args::LookupFormat, output::Failure},
    model::{directory::Organization, policy::Policy, survey::Survey},
    preflight::{Me, OrganizationFacts},
};

const ORGANIZATION: [Column<OrganizationFacts>; 10] = [
    ("name", |row| text(row.name.as_ref())),
    ("id", |row| text(row.id.as_ref())),
    ("zgid", |row| text(row.zgid.as_ref())),
    ("domain_name", |row| text(row.domain_name.as_ref())),
    ("country", |row| text(row.country.as_ref())),
    ("currency", |row| text(row.currency.as_ref())),
    // Zoho gives the currency as the locale, too.
    ("locale", |row| text(row.locale.as_ref().filter(|locale| Some(*locale) != row.currency.as_ref()))),
    ("time_zone", |row| text(row.time_zone.as_ref())),
    ("licence", |row| text(row.licence.as_ref())),
    ("licensed_users", |row| text(row.licensed_users.as_ref())),
];

pub(super) fn organization(organization: &Organization, format: LookupFormat) -> Result<(), Failure> {
    table::one(&OrganizationFacts::from(organization), format, &ORGANIZATION)
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
    let me = Me::of(survey, policy).ok_or_else(|| {
        Failure::failed("the API does not say whose credentials these are; run `rolecall preflight` for the reason")
    })?;
    table::one(&me, format, &ME)
}
