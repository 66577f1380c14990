//! The simulated workspace: its users, roles, profiles and organization.
//!
//! A [`World`] is generated from a number of users and a seed, or given as JSON ([`WorldJson`]).
//! While it is served it sits behind a [`WorldHandle`], through which it can be changed as an
//! administrator, or an accident, would change the real one.

mod edit;
mod filter;
mod names;
mod permissions;
mod population;
mod seeds;
mod user;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use serde::Deserialize;
use serde_json::{Value, json};

pub use self::edit::WorldError;
pub(crate) use self::{
    filter::{Stretch, UserFilter},
    permissions::{MANAGE_PROFILES, MANAGE_ROLES, MANAGE_USERS},
    user::User,
};
use self::{
    population::{FIRST_ZUID, Population},
    user::{RawUser, generated_id, push_reference},
};

/// A workspace as the API shows it.
#[derive(Debug)]
pub struct World {
    population: Population,
    users: Vec<User>,
    roles: Vec<Value>,
    profiles: Vec<Value>,
    /// Profiles with permissions, by id.
    profile_details: BTreeMap<String, Value>,
    org: Value,
    caller: String,
    /// The user who created and modified the generated records, as a JSON reference.
    author: String,
    /// The id of the next user that is added.
    next_id: u64,
}

/// A workspace spelled out, for odd cases that the generator does not make.
///
/// Records are served as they are, complete or not.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WorldJson {
    /// The rows of `/users`.
    pub users: Vec<Value>,
    /// The rows of `/settings/roles`.
    pub roles: Vec<Value>,
    /// The rows of `/settings/profiles`.
    pub profiles: Vec<Value>,
    /// Profiles with `permissions_details`. A profile that is not here is answered without them.
    pub profile_details: Vec<Value>,
    /// The one row of `/org`.
    pub org: Value,
    /// The id of the user to whom the token belongs.
    pub caller: String,
}

impl World {
    /// A workspace of that many users. The same numbers always give the same workspace.
    ///
    /// From twelve users on it contains most of what an access review looks for, among it
    /// a disabled administrator, a clone of the Administrator profile, a role id that leads nowhere
    /// and a name that is a spreadsheet formula.
    pub fn generate(users: u32, seed: u64) -> Self {
        let population = Population { users, seed };
        let name = population.name(population.member(0));
        let caller = generated_id(0);
        let mut author = String::new();
        push_reference(&mut author, &name.full(), &caller);
        let (profiles, details) = seeds::profiles(&json!({"name": name.full(), "id": caller}));
        Self {
            population,
            users: (0..users).map(User::Generated).collect(),
            roles: seeds::roles(),
            profiles,
            profile_details: by_id(details),
            org: org(users, &name.email),
            caller,
            author,
            next_id: population::FIRST_USER_ID + u64::from(users),
        }
    }

    /// The caller's id; every call is made as this user.
    pub fn caller(&self) -> &str {
        &self.caller
    }

    /// The ids of all users, in the order of the API.
    pub fn user_ids(&self) -> Vec<String> {
        self.users.iter().map(|user| user.id().into_owned()).collect()
    }

    /// A user's record as the API would send it.
    pub fn user(&self, id: &str) -> Option<Value> {
        self.find(id).map(|user| self.record(user))
    }

    /// All users' records. For small workspaces: this is the tree that serving avoids.
    pub fn users(&self) -> Vec<Value> {
        self.users.iter().map(|user| self.record(user)).collect()
    }

    /// The rows of `/settings/roles`.
    pub fn roles(&self) -> &[Value] {
        &self.roles
    }

    /// The rows of `/settings/profiles`.
    pub fn profiles(&self) -> &[Value] {
        &self.profiles
    }

    /// One profile, with its permissions if they are known.
    pub fn profile_detail(&self, id: &str) -> Option<&Value> {
        self.profile_details.get(id).or_else(|| self.profiles.iter().find(|profile| profile["id"] == id))
    }

    /// The row of `/org`.
    pub fn org(&self) -> &Value {
        &self.org
    }

    /// The record at a place in the list.
    pub(crate) fn user_at(&self, place: usize) -> Option<Value> {
        self.users.get(place).map(|user| self.record(user))
    }

    pub(crate) fn find(&self, id: &str) -> Option<&User> {
        let has_id = User::has_id(id);
        self.users.iter().find(|user| has_id(user))
    }

    /// Whether the caller's profile has a permission; true if its permissions are not known.
    pub(crate) fn caller_may(&self, permission: &str) -> bool {
        let details = self
            .find(&self.caller)
            .and_then(|user| self.profile_id_of(user))
            .and_then(|profile| self.profile_details.get(profile))
            .and_then(|profile| profile["permissions_details"].as_array());
        details.is_none_or(|details| {
            details
                .iter()
                .find(|candidate| candidate["name"] == permission)
                .is_none_or(|found| found["enabled"] == true)
        })
    }

    fn role_name<'a>(&'a self, id: &str, otherwise: &'a str) -> &'a str {
        name_in(&self.roles, id).unwrap_or(otherwise)
    }

    fn profile_name<'a>(&'a self, id: &str, otherwise: &'a str) -> &'a str {
        name_in(&self.profiles, id).unwrap_or(otherwise)
    }
}

impl From<WorldJson> for World {
    fn from(json: WorldJson) -> Self {
        Self {
            population: Population { users: 0, seed: 0 },
            users: json.users.iter().map(|user| User::Raw(Arc::new(RawUser::new(user)))).collect(),
            roles: json.roles,
            profiles: json.profiles,
            profile_details: by_id(json.profile_details),
            org: json.org,
            caller: json.caller,
            author: "null".to_owned(),
            next_id: population::FIRST_USER_ID + 900_000_000,
        }
    }
}

/// A [`World`] that is being served: cheap to clone, safe to change from anywhere.
#[derive(Debug, Clone)]
pub struct WorldHandle(Arc<RwLock<World>>);

impl WorldHandle {
    pub(crate) fn new(world: World) -> Self {
        Self(Arc::new(RwLock::new(world)))
    }

    /// Reads the world while nothing changes it.
    pub fn read<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        look(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes the world between two calls of the API.
    pub fn edit<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

fn name_in<'a>(rows: &'a [Value], id: &str) -> Option<&'a str> {
    rows.iter().find(|row| row["id"] == id).and_then(|row| row["name"].as_str())
}

fn by_id(rows: Vec<Value>) -> BTreeMap<String, Value> {
    rows.into_iter().filter_map(|row| row["id"].as_str().map(str::to_owned).map(|id| (id, row))).collect()
}

fn org(users: u32, primary_email: &str) -> Value {
    json!({
        "country": null, "hierarchy_preferences": {"type": "Role_Hierarchy"}, "photo_id": null,
        "city": null, "description": null, "mc_status": false, "gapps_enabled": false,
        "lite_users_enabled": false, "domain_name": "org700200001", "translation_enabled": false,
        "street": null, "alias": null, "currency": "US Dollar - USD", "deletable_org_account": true,
        "id": "5820190000000020005", "state": null, "fax": null, "employee_count": null, "zip": null,
        "website": "https://northwind.example.com", "currency_symbol": "$", "mobile": null,
        "currency_locale": "USD", "primary_zuid": FIRST_ZUID.to_string(), "zia_portal_id": null,
        "time_zone": "Etc/UTC", "zgid": "700200001", "country_code": "US",
        "license_details": {
            "paid_expiry": "2027-01-31T00:00:00+00:00", "users_license_purchased": users,
            "trial_type": null, "trial_expiry": null, "paid": true, "paid_type": "biginpremier",
            "portal_users_license_purchased": 0,
        },
        "phone": null, "company_name": "Northwind Example Ltd", "privacy_settings": false,
        "primary_email": primary_email, "hipaa_compliance_enabled": false, "iso_code": "USD",
    })
}
