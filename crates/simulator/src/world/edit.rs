//! Changes to a workspace, as an administrator or an accident makes them.

use std::sync::Arc;

use serde_json::{Value, json};
use thiserror::Error;

use super::{
    World,
    seeds::ADMINISTRATOR,
    user::{RawUser, User},
};

/// Why a workspace was not changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WorldError {
    /// The user is not in the workspace.
    #[error("no user {0} in the simulated workspace")]
    NoSuchUser(String),
    /// The role is not in the list of roles.
    #[error("no role {0} in the simulated workspace")]
    NoSuchRole(String),
    /// The profile is not in the list of profiles.
    #[error("no profile {0} in the simulated workspace")]
    NoSuchProfile(String),
    /// The profile has no such permission.
    #[error("profile {profile} has no permission {permission} in the simulated workspace")]
    NoSuchPermission {
        /// The profile's id.
        profile: String,
        /// The permission's name.
        permission: String,
    },
}

/// Users.
impl World {
    /// Gives a user the built-in Administrator profile.
    pub fn promote(&mut self, user: &str) -> Result<(), WorldError> {
        self.set_profile(user, ADMINISTRATOR.id)
    }

    /// Gives a user another profile of the list.
    pub fn set_profile(&mut self, user: &str, profile: &str) -> Result<(), WorldError> {
        let name = super::name_in(&self.profiles, profile)
            .ok_or_else(|| WorldError::NoSuchProfile(profile.to_owned()))?
            .to_owned();
        self.patch_user(user, &json!({"profile": {"name": name, "id": profile}}))
    }

    /// Gives a user another role of the list.
    pub fn set_role(&mut self, user: &str, role: &str) -> Result<(), WorldError> {
        let name = super::name_in(&self.roles, role).ok_or_else(|| WorldError::NoSuchRole(role.to_owned()))?.to_owned();
        self.patch_user(user, &json!({"role": {"name": name, "id": role}}))
    }

    /// Deactivates a user.
    pub fn disable(&mut self, user: &str) -> Result<(), WorldError> {
        self.patch_user(user, &json!({"status": "disabled", "Isonline": false}))
    }

    /// Deletes a user as the API does: the record stays, with the status `deleted`.
    pub fn delete(&mut self, user: &str) -> Result<(), WorldError> {
        self.patch_user(user, &json!({"status": "deleted", "Isonline": false}))
    }

    /// Takes a user's record out of the list altogether.
    pub fn remove_user(&mut self, user: &str) -> Result<(), WorldError> {
        let place = self.place(user)?;
        self.users.remove(place);
        Ok(())
    }

    /// Removes the record at an index from the list, if there is one.
    pub(crate) fn remove_at(&mut self, place: usize) {
        if place < self.users.len() {
            self.users.remove(place);
        }
    }

    /// Adds an active, confirmed user with the Standard profile at the end of the list and returns
    /// the new id. `changes` is laid over the record as [`World::patch_user`] does.
    pub fn add_user(&mut self, changes: &Value) -> String {
        self.insert_user(self.users.len(), changes)
    }

    /// As [`World::add_user`], at a place in the list (0 is the first).
    pub fn insert_user(&mut self, place: usize, changes: &Value) -> String {
        let id = self.next_id;
        self.next_id += 1;
        let number = id % 1_000_000_000;
        let mut record = json!({
            "id": id.to_string(), "zuid": (700_100_001 + number).to_string(),
            "first_name": "New", "last_name": format!("Colleague {number}"),
            "full_name": format!("New Colleague {number}"),
            "email": format!("new.colleague.{number}@example.com"),
            "status": "active", "confirm": true, "category": "regular_user", "Isonline": false,
            "status_reason__s": null,
            "role": {"name": "Sales Rep", "id": "5820190000000413001"},
            "profile": {"name": "Standard", "id": "5820190000000026014"},
            "created_by": null, "Modified_By": null,
            "created_time": "2026-09-28T09:00:00+00:00", "Modified_Time": "2026-09-28T09:00:00+00:00",
        });
        merge(&mut record, changes);
        let user = RawUser::new(&record);
        let id = record["id"].as_str().map_or_else(|| id.to_string(), str::to_owned);
        self.users.insert(place.min(self.users.len()), User::Raw(Arc::new(user)));
        id
    }

    /// Lays `changes` over a user's record: objects are merged, everything else replaces what was
    /// there, null included.
    pub fn patch_user(&mut self, user: &str, changes: &Value) -> Result<(), WorldError> {
        self.change_user(user, |record| merge(record, changes))
    }

    /// Takes a key out of a user's record.
    pub fn remove_user_field(&mut self, user: &str, key: &str) -> Result<(), WorldError> {
        self.change_user(user, |record| {
            if let Some(fields) = record.as_object_mut() {
                fields.remove(key);
            }
        })
    }

    /// Puts another record in the place of a user's, whatever it looks like.
    pub fn replace_user(&mut self, user: &str, record: &Value) -> Result<(), WorldError> {
        self.change_user(user, |old| old.clone_from(record))
    }

    fn change_user(&mut self, user: &str, change: impl FnOnce(&mut Value)) -> Result<(), WorldError> {
        let place = self.place(user)?;
        let mut record = self.record(&self.users[place]);
        change(&mut record);
        self.users[place] = User::Raw(Arc::new(RawUser::new(&record)));
        Ok(())
    }

    fn place(&self, user: &str) -> Result<usize, WorldError> {
        self.users.iter().position(User::has_id(user)).ok_or_else(|| WorldError::NoSuchUser(user.to_owned()))
    }
}

/// Roles, profiles, organization.
impl World {
    /// Renames a role; the records of its holders follow.
    pub fn rename_role(&mut self, role: &str, name: &str) -> Result<(), WorldError> {
        let old = rename(&mut self.roles, role, name).ok_or_else(|| WorldError::NoSuchRole(role.to_owned()))?;
        self.rename_in_users("role", role, &old, name);
        Ok(())
    }

    /// Renames a profile; the records of its holders follow.
    pub fn rename_profile(&mut self, profile: &str, name: &str) -> Result<(), WorldError> {
        let old =
            rename(&mut self.profiles, profile, name).ok_or_else(|| WorldError::NoSuchProfile(profile.to_owned()))?;
        if let Some(detail) = self.profile_details.get_mut(profile) {
            detail["name"] = json!(name);
            detail["display_label"] = json!(name);
        }
        self.rename_in_users("profile", profile, &old, name);
        Ok(())
    }

    /// Switches one permission of a profile on or off.
    pub fn set_permission(&mut self, profile: &str, permission: &str, enabled: bool) -> Result<(), WorldError> {
        let detail =
            self.profile_details.get_mut(profile).ok_or_else(|| WorldError::NoSuchProfile(profile.to_owned()))?;
        let found = detail["permissions_details"]
            .as_array_mut()
            .and_then(|all| all.iter_mut().find(|candidate| candidate["name"] == permission));
        match found {
            Some(found) => {
                found["enabled"] = json!(enabled);
                Ok(())
            }
            None => {
                Err(WorldError::NoSuchPermission { profile: profile.to_owned(), permission: permission.to_owned() })
            }
        }
    }

    /// Replaces the rows of `/settings/roles`.
    pub fn set_roles(&mut self, roles: Vec<Value>) {
        self.roles = roles;
    }

    /// Replaces the rows of `/settings/profiles`. Details stay as they are.
    pub fn set_profiles(&mut self, profiles: Vec<Value>) {
        self.profiles = profiles;
    }

    /// Replaces what `/settings/profiles/{id}` answers; `None` leaves the row of the list, without
    /// permissions.
    pub fn set_profile_detail(&mut self, profile: &str, detail: Option<Value>) {
        match detail {
            Some(detail) => self.profile_details.insert(profile.to_owned(), detail),
            None => self.profile_details.remove(profile),
        };
    }

    /// Lays `changes` over the organization, as [`World::patch_user`] does over a user.
    pub fn patch_org(&mut self, changes: &Value) {
        merge(&mut self.org, changes);
    }

    /// Lets the token belong to another user.
    pub fn set_caller(&mut self, user: &str) -> Result<(), WorldError> {
        self.place(user)?;
        user.clone_into(&mut self.caller);
        Ok(())
    }

    /// Generated records take the name from the list when they are written; kept ones are changed
    /// here, except those that already had a stale name.
    fn rename_in_users(&mut self, key: &str, id: &str, old: &str, new: &str) {
        for user in &mut self.users {
            let User::Raw(raw) = user else { continue };
            let Ok(mut record) = serde_json::from_str::<Value>(&raw.json) else {
                continue;
            };
            if record[key]["id"] == id && record[key]["name"] == old {
                record[key]["name"] = json!(new);
                *user = User::Raw(Arc::new(RawUser::new(&record)));
            }
        }
    }
}

/// Renames a row and returns its old name.
fn rename(rows: &mut [Value], id: &str, name: &str) -> Option<String> {
    let row = rows.iter_mut().find(|row| row["id"] == id)?;
    let old = row["name"].as_str().unwrap_or_default().to_owned();
    row["name"] = json!(name);
    row["display_label"] = json!(name);
    Some(old)
}

fn merge(target: &mut Value, changes: &Value) {
    match (target, changes) {
        (Value::Object(target), Value::Object(changes)) => {
            for (key, change) in changes {
                merge(target.entry(key.clone()).or_insert(Value::Null), change);
            }
        }
        (target, change) => target.clone_from(change),
    }
}
