//! What one audit saw of every account.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::{
    access::{
        matrix::{AccessMatrix, MatrixRow},
        power::Power,
    },
    model::{
        directory::{Permission, Profile},
        id::ProfileId,
    },
};

/// A complete read of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// The audit's id.
    pub audit: Uuid,
    /// When the last answer arrived.
    pub at: DateTime<Utc>,
    /// The folder of its evidence bag. `None` if no evidence was kept.
    pub bag: Option<String>,
}

/// What a read saw.
#[derive(Debug, Clone)]
pub struct Look {
    /// The read.
    pub read: Read,
    /// The accounts. Looks that saw the same share them.
    pub accounts: Arc<Accounts>,
}

/// The accounts of a workspace, by the user's id.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Accounts(BTreeMap<String, State>);

/// A role or profile that a user holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its id.
    pub id: String,
    /// Its name; `None` if the id is not in the master list.
    pub name: Option<String>,
}

/// An account and its access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The display name.
    pub full_name: Option<String>,
    /// The address.
    pub email: Option<String>,
    /// The vendor's word for the status.
    pub status: String,
    /// Whether the status is active.
    pub is_active: bool,
    /// The role.
    pub role: Option<Held>,
    /// The profile.
    pub profile: Option<Held>,
    /// How much power the role and the profile give, by the policy of that audit.
    pub power: Power,
    /// The permissions of the profile. `None` if they are not known.
    pub permissions: Option<Arc<BTreeSet<String>>>,
}

impl State {
    fn of(row: &MatrixRow<'_>, permissions: Option<Arc<BTreeSet<String>>>) -> Self {
        let user = row.user;
        let held = |id: &str, name: Option<&str>| Held { id: id.to_owned(), name: name.map(str::to_owned) };
        Self {
            full_name: user.full_name().map(str::to_owned),
            email: user.email().map(str::to_owned),
            status: user.status().word().to_owned(),
            is_active: user.status().is_active(),
            role: user.role().map(|role| held(role.id.as_str(), row.role_name())),
            profile: user.profile().map(|profile| held(profile.id.as_str(), row.profile_name())),
            power: row.power(),
            permissions,
        }
    }

    /// Whether two states give the same access: the status, the role and the profile by id, what the profile permits, and
    /// full power. Names and addresses may differ.
    pub fn is_same_access(&self, other: &Self) -> bool {
        let id = |held: &Option<Held>| held.as_ref().map(|held| held.id.clone());
        self.status == other.status
            && id(&self.role) == id(&other.role)
            && id(&self.profile) == id(&other.profile)
            && self.permissions == other.permissions
            && self.power.is_full() == other.power.is_full()
    }

    /// Whether this is the user's address, without regard to the case of ASCII letters.
    pub fn has_address(&self, address: &str) -> bool {
        self.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(address))
    }
}

impl Accounts {
    /// The accounts of a directory.
    pub fn of(matrix: &AccessMatrix<'_>) -> Self {
        let profiles = &matrix.directory().profiles;
        let permissions: BTreeMap<&ProfileId, Option<Arc<BTreeSet<String>>>> =
            profiles.iter().map(|profile| (&profile.id, permits(profile).map(Arc::new))).collect();
        let state = |row: MatrixRow<'_>| {
            let permits = row.user.profile().and_then(|profile| permissions.get(&profile.id).cloned()).flatten();
            (row.user.id().to_owned(), State::of(&row, permits))
        };
        Self(matrix.rows().map(state).collect())
    }

    /// One account. `None` if it was not listed.
    pub fn get(&self, id: &str) -> Option<&State> {
        self.0.get(id)
    }

    /// Every account, by the user's id.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &State)> {
        self.0.iter().map(|(id, state)| (id.as_str(), state))
    }

    /// The id of a user who is named by id or by address. `None` if nobody is, or if several have the address.
    pub fn named(&self, user: &str) -> Option<&str> {
        if let Some((id, _)) = self.0.get_key_value(user) {
            return Some(id);
        }
        let mut found = self.iter().filter(|(_, state)| state.has_address(user)).map(|(id, _)| id);
        found.next().filter(|_| found.next().is_none())
    }
}

/// What a profile permits: the labels of the product, else the names of the API. `None` if it is not known.
fn permits(profile: &Profile) -> Option<BTreeSet<String>> {
    let shown = |permission: &Permission| {
        let label = permission.label.as_deref().unwrap_or(&permission.name);
        match &permission.module {
            Some(module) => format!("{label} ({module})"),
            None => label.to_owned(),
        }
    };
    profile.permissions.enabled().map(|enabled| enabled.map(shown).collect())
}
