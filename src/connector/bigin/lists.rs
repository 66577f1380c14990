//! Organization, current user, roles and profiles: small answers, each parsed into the model.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use super::text::{Id, Text};
use crate::model::{
    directory::{Organization, Permission, Permissions, Profile, Role, UserRecord},
    id::{PersonId, ProfileId, RoleId, UserId},
};

/// A text or a number, as a text; anything else counts as not given.
fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Option::<Value>::deserialize(deserializer)? {
        Some(Value::String(text)) => Some(text),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    })
}

/// A whole number, however it is written.
pub(in crate::connector) fn lenient_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u64>, D::Error> {
    Ok(lenient(deserializer)?.and_then(|text| text.parse().ok()))
}

/// A yes or no; anything else counts as not given.
fn lenient_bool<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(Option::<Value>::deserialize(deserializer)?.and_then(|value| value.as_bool()))
}

/// Whether a text counts as not given.
pub(in crate::connector) fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn owned(text: Option<Text<'_>>) -> Option<String> {
    text.map(|text| text.0.into_owned())
}

#[derive(Deserialize)]
pub(in crate::connector) struct OrganizationAnswer {
    org: Vec<RawOrganization>,
}

#[derive(Deserialize)]
pub(in crate::connector) struct RawOrganization {
    #[serde(default, deserialize_with = "lenient")]
    id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    company_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    zgid: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    domain_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    primary_zuid: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    primary_email: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    country_code: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    time_zone: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    iso_code: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    currency_locale: Option<String>,
    #[serde(default)]
    license_details: Option<RawLicense>,
}

#[derive(Deserialize)]
struct RawLicense {
    #[serde(default, deserialize_with = "lenient")]
    paid_type: Option<String>,
    #[serde(default, deserialize_with = "lenient_number")]
    users_license_purchased: Option<u64>,
}

impl OrganizationAnswer {
    pub(in crate::connector) fn into_organization(self) -> Option<Organization> {
        self.org.into_iter().next().map(Organization::from)
    }
}

impl From<RawOrganization> for Organization {
    fn from(raw: RawOrganization) -> Self {
        let (paid_type, users_license_purchased) =
            raw.license_details.map_or((None, None), |license| (license.paid_type, license.users_license_purchased));
        Self {
            id: raw.id,
            company_name: raw.company_name,
            zgid: raw.zgid,
            domain_name: raw.domain_name,
            primary_zuid: raw.primary_zuid.map(|zuid| PersonId::from(zuid.as_str())),
            primary_email: raw.primary_email,
            country_code: raw.country_code,
            time_zone: raw.time_zone,
            iso_code: raw.iso_code,
            currency_locale: raw.currency_locale,
            paid_type,
            users_license_purchased,
        }
    }
}

#[derive(Deserialize)]
pub(in crate::connector) struct UserAnswer<'a> {
    #[serde(borrow)]
    users: Vec<RawRecord<'a>>,
}

/// One user's record.
#[derive(Deserialize)]
pub(in crate::connector) struct RawRecord<'a> {
    #[serde(borrow)]
    id: Id<'a>,
    #[serde(borrow, default)]
    full_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    email: Option<Text<'a>>,
    #[serde(borrow, default)]
    zuid: Option<Id<'a>>,
    #[serde(borrow, default)]
    status: Option<Text<'a>>,
    #[serde(default, deserialize_with = "lenient_bool")]
    confirm: Option<bool>,
    #[serde(borrow, default)]
    role: Option<RawReference<'a>>,
    #[serde(borrow, default)]
    profile: Option<RawReference<'a>>,
}

#[derive(Deserialize)]
struct RawReference<'a> {
    #[serde(borrow)]
    id: Id<'a>,
}

impl UserAnswer<'_> {
    pub(in crate::connector) fn into_user(self) -> Option<UserRecord> {
        self.users.into_iter().next().map(UserRecord::from)
    }
}

impl From<RawRecord<'_>> for UserRecord {
    fn from(raw: RawRecord<'_>) -> Self {
        Self {
            id: UserId::from(&*raw.id.0),
            full_name: owned(raw.full_name),
            // A blank address identifies nobody, and a user to be removed must be identified.
            email: owned(raw.email).filter(|email| !is_blank(email)),
            status: owned(raw.status),
            confirmed: raw.confirm,
            zuid: raw.zuid.map(|zuid| PersonId::from(&*zuid.0)),
            role: raw.role.map(|role| RoleId::from(&*role.id.0)),
            profile: raw.profile.map(|profile| ProfileId::from(&*profile.id.0)),
        }
    }
}

#[derive(Deserialize)]
pub(in crate::connector) struct RolesAnswer<'a> {
    #[serde(borrow)]
    roles: Vec<RawRole<'a>>,
}

/// One role.
#[derive(Deserialize)]
pub(in crate::connector) struct RawRole<'a> {
    #[serde(borrow)]
    id: Id<'a>,
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(borrow, default)]
    display_label: Option<Text<'a>>,
    #[serde(borrow, default)]
    reporting_to: Option<RawReference<'a>>,
    // The second name is the older one of the vendor's own library.
    #[serde(default, alias = "is_admin", deserialize_with = "lenient_bool")]
    admin_user: Option<bool>,
    #[serde(default, deserialize_with = "lenient_bool")]
    share_with_peers: Option<bool>,
    #[serde(borrow, default)]
    description: Option<Text<'a>>,
}

impl From<RawRole<'_>> for Role {
    fn from(raw: RawRole<'_>) -> Self {
        Self {
            id: RoleId::from(&*raw.id.0),
            name: owned(raw.name.or(raw.display_label)).unwrap_or_default(),
            reporting_to: raw.reporting_to.map(|parent| RoleId::from(&*parent.id.0)),
            admin_user: raw.admin_user,
            share_with_peers: raw.share_with_peers,
            description: owned(raw.description),
        }
    }
}

/// Records in the order of their ids, each once.
fn each_once<R, T: From<R>, I: Ord>(raw: impl IntoIterator<Item = R>, id: impl Fn(&T) -> &I) -> Vec<T> {
    let mut all: Vec<T> = raw.into_iter().map(T::from).collect();
    all.sort_by(|a, b| id(a).cmp(id(b)));
    all.dedup_by(|a, b| id(a) == id(b));
    all
}

/// Roles by id, each once.
pub(in crate::connector) fn roles<'a>(raw: impl IntoIterator<Item = RawRole<'a>>) -> Vec<Role> {
    each_once(raw, |role: &Role| &role.id)
}

impl RolesAnswer<'_> {
    pub(in crate::connector) fn into_roles(self) -> Vec<Role> {
        roles(self.roles)
    }
}

#[derive(Deserialize)]
pub(in crate::connector) struct ProfilesAnswer<'a> {
    #[serde(borrow)]
    profiles: Vec<RawProfile<'a>>,
}

/// One profile.
#[derive(Deserialize)]
pub(in crate::connector) struct RawProfile<'a> {
    #[serde(borrow)]
    id: Id<'a>,
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(borrow, default)]
    display_label: Option<Text<'a>>,
    /// Older answers: true for a profile that the customer made.
    #[serde(default, deserialize_with = "lenient_bool")]
    category: Option<bool>,
    /// Newer answers: the same.
    #[serde(default, deserialize_with = "lenient_bool")]
    custom: Option<bool>,
    #[serde(borrow, default)]
    description: Option<Text<'a>>,
    #[serde(borrow, default)]
    modified_time: Option<Text<'a>>,
    #[serde(default, deserialize_with = "permissions")]
    permissions_details: Option<Vec<Permission>>,
}

#[derive(Deserialize)]
struct RawPermission {
    #[serde(default, deserialize_with = "lenient")]
    name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    display_label: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    module: Option<String>,
    #[serde(default, deserialize_with = "lenient_bool")]
    enabled: Option<bool>,
}

/// The permissions. One that does not say whether it is switched on is an error: the profile cannot be judged without it.
fn permissions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Permission>>, D::Error> {
    let Some(raw) = Option::<Vec<RawPermission>>::deserialize(deserializer)? else { return Ok(None) };
    let permission = |raw: RawPermission| {
        let name = raw.name.or_else(|| raw.display_label.clone()).ok_or_else(|| D::Error::missing_field("name"))?;
        let enabled = raw.enabled.ok_or_else(|| D::Error::missing_field("enabled"))?;
        Ok(Permission { name, module: raw.module, label: raw.display_label, enabled })
    };
    let mut all = raw.into_iter().map(permission).collect::<Result<Vec<_>, D::Error>>()?;
    all.sort();
    Ok(Some(all))
}

impl From<RawProfile<'_>> for Profile {
    /// Permissions are unknown if the record has none: lists never have them.
    fn from(raw: RawProfile<'_>) -> Self {
        Self {
            id: ProfileId::from(&*raw.id.0),
            name: owned(raw.name.or(raw.display_label)).unwrap_or_default(),
            custom: raw.custom.or(raw.category),
            description: owned(raw.description),
            modified: raw
                .modified_time
                .and_then(|time| DateTime::parse_from_rfc3339(&time.0).ok())
                .map(|time| time.with_timezone(&Utc)),
            permissions: raw
                .permissions_details
                .map_or_else(|| Permissions::Unknown("the API gave none".to_owned()), Permissions::Known),
        }
    }
}

/// Profiles by id, each once.
pub(in crate::connector) fn profiles<'a>(raw: impl IntoIterator<Item = RawProfile<'a>>) -> Vec<Profile> {
    each_once(raw, |profile: &Profile| &profile.id)
}

impl ProfilesAnswer<'_> {
    pub(in crate::connector) fn into_profiles(self) -> Vec<Profile> {
        profiles(self.profiles)
    }
}
