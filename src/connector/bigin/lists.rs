//! Organization, current user, roles and profiles: small answers, each parsed into the model.

use chrono::{DateTime, Utc};
use serde::de::{Deserialize, Deserializer, Error};

use super::{
    field::{self, Field, Id, Text, Word, is_blank, record, required},
    page::{RawInfo, Stated},
};
use crate::{
    connector::kit::{Entry, Listed},
    model::{
        directory::{Organization, Permission, Permissions, Profile, Role, UserRecord},
        id::{PersonId, ProfileId, RoleId, UserId},
        unread::{self, Fields},
    },
};

/// Why the permissions of a profile are unknown if its record does not have them. The words are part of evidence.
const NO_PERMISSIONS: &str = "the API gave none";
/// The same if they cannot be read.
const UNREADABLE_PERMISSIONS: &str = "the API gives them in another shape";

fn owned(text: Field<Text<'_>>) -> Option<String> {
    text.given().map(Text::into_owned)
}

fn word(word: Field<Word<'_>>) -> Option<String> {
    word.given().map(|word| word.0.into_owned())
}

/// The fields that are unreadable.
fn unreadable<const N: usize>(fields: [(bool, unread::Field); N]) -> Fields {
    let mut unread = Fields::default();
    for (_, field) in fields.into_iter().filter(|(is_unreadable, _)| *is_unreadable) {
        unread.add(field);
    }
    unread
}

record! {
    /// The answer about the organization.
    RawOrganizations {
        org: Vec<Field<RawOrganization<'a>>> = "org",
    }
}

record! {
    /// The organization. What cannot be read counts as not given.
    RawOrganization {
        id: Word<'a> = "id",
        company_name: Word<'a> = "company_name",
        zgid: Word<'a> = "zgid",
        domain_name: Word<'a> = "domain_name",
        primary_zuid: Word<'a> = "primary_zuid",
        primary_email: Word<'a> = "primary_email",
        country_code: Word<'a> = "country_code",
        time_zone: Word<'a> = "time_zone",
        iso_code: Word<'a> = "iso_code",
        currency_locale: Word<'a> = "currency_locale",
        license_details: RawLicense<'a> = "license_details",
    }
}

record! {
    /// What the organization pays for.
    RawLicense {
        paid_type: Word<'a> = "paid_type",
        users_license_purchased: u64 = "users_license_purchased",
    }
}

/// The answer about the organization; `None` if it has none.
#[derive(Debug)]
pub(in crate::connector) struct OrganizationAnswer(pub(in crate::connector) Option<Organization>);

impl<'de> Deserialize<'de> for OrganizationAnswer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let answer: RawOrganizations<'de> = field::whole(deserializer, "org")?;
        let organizations = required::<_, D::Error>(answer.org, "org")?;
        Ok(Self(organizations.into_iter().find_map(Field::given).map(Organization::from)))
    }
}

impl<'de> Deserialize<'de> for RawOrganization<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        field::whole(deserializer, "id")
    }
}

impl From<RawOrganization<'_>> for Organization {
    fn from(raw: RawOrganization<'_>) -> Self {
        let license = raw.license_details.given().unwrap_or_default();
        Self {
            id: word(raw.id),
            company_name: word(raw.company_name),
            zgid: word(raw.zgid),
            domain_name: word(raw.domain_name),
            primary_zuid: word(raw.primary_zuid).map(|zuid| PersonId::from(zuid.as_str())),
            primary_email: word(raw.primary_email),
            country_code: word(raw.country_code),
            time_zone: word(raw.time_zone),
            iso_code: word(raw.iso_code),
            currency_locale: word(raw.currency_locale),
            paid_type: word(license.paid_type),
            users_license_purchased: license.users_license_purchased.given(),
        }
    }
}

record! {
    /// The answer about single users.
    RawUsers {
        users: Vec<Field<RawRecord<'a>>> = "users",
    }
}

record! {
    /// One user's record.
    RawRecord {
        id: Id<'a> = "id",
        full_name: Text<'a> = "full_name",
        email: Text<'a> = "email",
        zuid: Id<'a> = "zuid",
        status: Text<'a> = "status",
        confirm: bool = "confirm",
        role: Stated<'a> = "role",
        profile: Stated<'a> = "profile",
    }
}

/// The answer about one user; `None` if it has none.
#[derive(Debug)]
pub(in crate::connector) struct UserAnswer(pub(in crate::connector) Option<UserRecord>);

impl<'de> Deserialize<'de> for UserAnswer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let answer: RawUsers<'de> = field::whole(deserializer, "users")?;
        let first = required::<_, D::Error>(answer.users, "users")?.into_iter().next();
        let user = first.map(|user| required::<_, D::Error>(user, "users[0]")?.read("users[0].id")).transpose()?;
        Ok(Self(user))
    }
}

/// One user's record by itself.
#[derive(Debug)]
pub(in crate::connector) struct OneUser(pub(in crate::connector) UserRecord);

impl<'de> Deserialize<'de> for OneUser {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        field::whole::<RawRecord<'de>, D>(deserializer, "id")?.read("id").map(Self)
    }
}

impl RawRecord<'_> {
    /// The record. Without an id it identifies nobody.
    fn read<E: Error>(self, id: &str) -> Result<UserRecord, E> {
        Ok(UserRecord {
            id: UserId::from(&*required(self.id, id)?.0),
            full_name: owned(self.full_name),
            // A blank address identifies nobody, and a user to be removed must be identified.
            email: owned(self.email).filter(|email| !is_blank(email)),
            status: owned(self.status),
            confirmed: self.confirm.given(),
            zuid: self.zuid.given().map(|zuid| PersonId::from(&*zuid.0)),
            role: self.role.given().map(|role| RoleId::from(&*role.id.0)),
            profile: self.profile.given().map(|profile| ProfileId::from(&*profile.id.0)),
        })
    }
}

record! {
    /// One role.
    RawRole {
        id: Id<'a> = "id",
        name: Text<'a> = "name",
        display_label: Text<'a> = "display_label",
        reporting_to: Stated<'a> = "reporting_to",
        // The second name is the older one of the vendor's own library.
        admin_user: bool = "admin_user" | "is_admin",
        share_with_peers: bool = "share_with_peers",
        description: Text<'a> = "description",
    }
}

impl RawRole<'_> {
    /// The role; `None` without an id.
    pub(in crate::connector) fn entry(self) -> Entry<Role> {
        let is_named = self.name.get().or(self.display_label.get()).is_some();
        let unread = unreadable([
            (!is_named && (self.name.is_unreadable() || self.display_label.is_unreadable()), unread::Field::Name),
            (self.reporting_to.is_unreadable(), unread::Field::ReportingTo),
            (self.admin_user.is_unreadable(), unread::Field::AdminUser),
            (self.description.is_unreadable() || self.share_with_peers.is_unreadable(), unread::Field::Other),
        ]);
        let role = Role {
            id: RoleId::from(&*self.id.given()?.0),
            name: owned(self.name).or(owned(self.display_label)).unwrap_or_default(),
            reporting_to: self.reporting_to.given().map(|parent| RoleId::from(&*parent.id.0)),
            admin_user: self.admin_user.given(),
            share_with_peers: self.share_with_peers.given(),
            description: owned(self.description),
        };
        Some((role, unread))
    }
}

record! {
    /// One profile.
    RawProfile {
        id: Id<'a> = "id",
        name: Text<'a> = "name",
        display_label: Text<'a> = "display_label",
        /// Older answers: true for a profile that the customer made.
        category: bool = "category",
        /// Newer answers: the same.
        custom: bool = "custom",
        description: Text<'a> = "description",
        modified_time: DateTime<Utc> = "modified_time",
        permissions_details: Vec<Field<RawPermission<'a>>> = "permissions_details",
    }
}

record! {
    /// One permission.
    RawPermission {
        name: Word<'a> = "name",
        display_label: Word<'a> = "display_label",
        module: Word<'a> = "module",
        enabled: bool = "enabled",
    }
}

/// The permissions. One that does not say what it is or whether it is switched on makes all of them unknown: the profile
/// cannot be judged without it.
fn permissions(raw: Field<Vec<Field<RawPermission<'_>>>>) -> Permissions {
    let permission = |raw: Field<RawPermission<'_>>| {
        let raw = raw.given()?;
        let label = word(raw.display_label);
        let name = word(raw.name).or_else(|| label.clone())?;
        Some(Permission { name, module: word(raw.module), label, enabled: raw.enabled.given()? })
    };
    let all = match raw {
        Field::Absent => return Permissions::Unknown(NO_PERMISSIONS.to_owned()),
        Field::Unreadable => None,
        Field::Given(raw) => raw.into_iter().map(permission).collect::<Option<Vec<_>>>(),
    };
    let Some(mut all) = all else { return Permissions::Unknown(UNREADABLE_PERMISSIONS.to_owned()) };
    all.sort();
    Permissions::Known(all)
}

impl RawProfile<'_> {
    /// The profile; `None` without an id. Permissions are unknown if the record has none: lists never have them.
    pub(in crate::connector) fn entry(self) -> Entry<Profile> {
        let is_named = self.name.get().or(self.display_label.get()).is_some();
        let is_custom_known = self.custom.get().or(self.category.get()).is_some();
        let unread = unreadable([
            (!is_named && (self.name.is_unreadable() || self.display_label.is_unreadable()), unread::Field::Name),
            (!is_custom_known && (self.custom.is_unreadable() || self.category.is_unreadable()), unread::Field::Custom),
            (self.modified_time.is_unreadable(), unread::Field::Modified),
            (self.description.is_unreadable(), unread::Field::Other),
        ]);
        let profile = Profile {
            id: ProfileId::from(&*self.id.given()?.0),
            name: owned(self.name).or(owned(self.display_label)).unwrap_or_default(),
            custom: self.custom.given().or(self.category.given()),
            description: owned(self.description),
            modified: self.modified_time.given(),
            permissions: permissions(self.permissions_details),
        };
        Some((profile, unread))
    }
}

impl<'de> Deserialize<'de> for RawProfile<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        field::whole(deserializer, "id")
    }
}

/// Roles by id, each once; `endless` says why there may be more.
pub(in crate::connector) fn roles(entries: Vec<Entry<Role>>, endless: Option<String>) -> Listed<Role, RoleId> {
    Listed::of("role", entries, endless, |role| &role.id)
}

/// Profiles by id, each once.
pub(in crate::connector) fn profiles(
    entries: Vec<Entry<Profile>>,
    endless: Option<String>,
) -> Listed<Profile, ProfileId> {
    Listed::of("profile", entries, endless, |profile| &profile.id)
}

/// A page of roles or profiles, and whether another follows.
#[derive(Debug)]
pub(in crate::connector) struct ListPage<T> {
    pub(in crate::connector) entries: Vec<Entry<T>>,
    pub(in crate::connector) more_records: bool,
}

record! {
    /// A page of roles as the API writes it.
    RawRoles {
        roles: Vec<Field<RawRole<'a>>> = "roles",
        info: RawInfo<'a> = "info",
    }
}

record! {
    /// A page of profiles as the API writes it.
    RawProfiles {
        profiles: Vec<Field<RawProfile<'a>>> = "profiles",
        info: RawInfo<'a> = "info",
    }
}

/// Whether another page follows. A list that does not say is whole: that is how these lists come.
fn more<E: Error>(info: Field<RawInfo<'_>>) -> Result<bool, E> {
    match info {
        Field::Given(RawInfo { more_records: Field::Absent, .. }) | Field::Absent => Ok(false),
        info => required::<_, E>(info, "info")?.read().map(|info| info.more_records),
    }
}

impl<'de> Deserialize<'de> for ListPage<Role> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let page: RawRoles<'de> = field::whole(deserializer, "roles")?;
        let rows = required::<_, D::Error>(page.roles, "roles")?;
        let entries = rows.into_iter().map(|row| row.given().and_then(RawRole::entry)).collect();
        Ok(Self { entries, more_records: more(page.info)? })
    }
}

impl<'de> Deserialize<'de> for ListPage<Profile> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let page: RawProfiles<'de> = field::whole(deserializer, "profiles")?;
        let rows = required::<_, D::Error>(page.profiles, "profiles")?;
        let entries = rows.into_iter().map(|row| row.given().and_then(RawProfile::entry)).collect();
        Ok(Self { entries, more_records: more(page.info)? })
    }
}
