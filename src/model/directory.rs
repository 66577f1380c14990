//! What one read of a workspace returned.

use chrono::{DateTime, Utc};

use super::{
    id::{PersonId, ProfileId, RoleId, UserId},
    kind::ConnectorKind,
    reading::Reading,
    status::Status,
    unread::Unread,
    users::Users,
};

/// What one read of a workspace returned: organization, current user, users, roles, profiles, and how
/// completely they were read.
#[derive(Debug)]
pub struct Directory {
    /// Where it was read.
    pub source: Source,
    /// The organization.
    pub organization: Organization,
    /// The account that it was read with.
    pub current_user: UserRecord,
    /// All users, of every status.
    pub users: Users,
    /// The master list of roles, by id.
    pub roles: Vec<Role>,
    /// The master list of profiles, by id.
    pub profiles: Vec<Profile>,
    /// What could not be read of the roles and profiles.
    pub unread: Unread,
    /// How it was read, and how completely.
    pub reading: Reading,
}

/// Where a directory was read.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Source {
    /// The kind of connector that read it.
    pub connector: ConnectorKind,
    /// The API's base address, without credentials.
    pub api_url: String,
    /// The vendor's data center, if it has several.
    pub data_center: Option<String>,
    /// The scopes that the token answer named; `None` if it named none.
    pub scopes: Option<Vec<String>>,
}

/// The organization that a workspace belongs to. What the API did not return is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Organization {
    /// The organization's id.
    pub id: Option<String>,
    /// The company's name.
    pub company_name: Option<String>,
    /// The vendor's account id (`zgid`).
    pub zgid: Option<String>,
    /// The domain name that the vendor gave it.
    pub domain_name: Option<String>,
    /// The primary user (super admin), by [`PersonId`].
    pub primary_zuid: Option<PersonId>,
    /// The primary user's address.
    pub primary_email: Option<String>,
    /// The country code.
    pub country_code: Option<String>,
    /// The IANA time zone.
    pub time_zone: Option<String>,
    /// The currency's ISO code.
    pub iso_code: Option<String>,
    /// The locale of the currency.
    pub currency_locale: Option<String>,
    /// The edition: `free`, `biginpremier` and the like.
    pub paid_type: Option<String>,
    /// Licensed seats.
    pub users_license_purchased: Option<u64>,
}

/// One user, read alone: the account that a directory was read with, or a user that was asked for by id.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct UserRecord {
    /// The user's id.
    pub id: UserId,
    /// The display name.
    pub full_name: Option<String>,
    /// The address.
    pub email: Option<String>,
    /// The API's word for the status; `None` if it gave none.
    pub status: Option<String>,
    /// Whether the invitation was accepted; `None` if the API did not say.
    pub confirmed: Option<bool>,
    /// The person's id across the vendor's products; `None` for a user who never confirmed.
    pub zuid: Option<PersonId>,
    /// The role's id.
    pub role: Option<RoleId>,
    /// The profile's id.
    pub profile: Option<ProfileId>,
}

impl UserRecord {
    /// Whether the record says that the user was deleted.
    pub fn is_deleted(&self) -> bool {
        self.status.as_deref().is_some_and(|word| Status::from(word).is_deleted())
    }
}

/// A role of the master list: row-level data access by hierarchy.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Role {
    /// The role's id.
    pub id: RoleId,
    /// The name.
    pub name: String,
    /// The role above; `None` at the top.
    pub reporting_to: Option<RoleId>,
    /// Whether the role carries administrative power; `None` if the API did not say.
    pub admin_user: Option<bool>,
    /// Whether holders see their peers' records; `None` if the API did not say.
    pub share_with_peers: Option<bool>,
    /// The description.
    pub description: Option<String>,
}

/// A profile of the master list: feature permissions.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Profile {
    /// The profile's id.
    pub id: ProfileId,
    /// The name.
    pub name: String,
    /// Whether the customer made it and not the vendor; `None` if the API did not say.
    pub custom: Option<bool>,
    /// The description.
    pub description: Option<String>,
    /// When it last changed; `None` for built-in profiles.
    pub modified: Option<DateTime<Utc>>,
    /// What it permits.
    pub permissions: Permissions,
}

/// What a profile permits, as far as the API says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permissions {
    /// The API returned them; ordered by name.
    Known(Vec<Permission>),
    /// The API did not return them; why, in words.
    Unknown(String),
}

impl Permissions {
    /// The permissions that are switched on; `None` if the API did not return them.
    pub fn enabled(&self) -> Option<impl Iterator<Item = &Permission>> {
        match self {
            Self::Known(all) => Some(all.iter().filter(|permission| permission.enabled)),
            Self::Unknown(_) => None,
        }
    }
}

/// One permission of a profile.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Permission {
    /// The name in the API.
    pub name: String,
    /// The module that it is about; `None` for the whole workspace.
    pub module: Option<String>,
    /// The label in the product.
    pub label: Option<String>,
    /// Whether it is switched on in the profile.
    pub enabled: bool,
}
