//! The access matrix: one row per user, with the role and the profile joined by id against the role and profile lists.
//!
//! Users share few distinct roles and profiles, so each of those is joined once and a row is a view: the matrix of a
//! million users needs no memory beyond the directory.

use std::collections::HashMap;

use super::power::{Power, Yardstick};
use crate::model::{
    audit::Audit,
    directory::{Directory, Profile, Role},
    id::{ProfileId, RoleId},
    unread::Field,
    users::{Stated, User, UserIndex},
};

/// A role or profile as a user record states it, beside its entry in the role or profile list.
#[derive(Debug)]
pub struct Joined<'a, Id, Master> {
    /// What the user record states.
    pub stated: &'a Stated<Id>,
    /// The entry with that id in the role or profile list. `None` if there is none.
    pub master: Option<&'a Master>,
}

impl<Id, Master> Clone for Joined<'_, Id, Master> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Id, Master> Copy for Joined<'_, Id, Master> {}

/// A user's role.
pub type JoinedRole<'a> = Joined<'a, RoleId, Role>;
/// A user's profile.
pub type JoinedProfile<'a> = Joined<'a, ProfileId, Profile>;

/// The access matrix of a directory.
#[derive(Debug)]
pub struct AccessMatrix<'a> {
    directory: &'a Directory,
    roles: Vec<JoinedRole<'a>>,
    profiles: Vec<JoinedProfile<'a>>,
    /// What each stated role and profile gives, in the same order.
    role_powers: Vec<Power>,
    profile_powers: Vec<Power>,
    yardstick: Yardstick<'a>,
}

/// One row of the access matrix.
#[derive(Debug, Clone, Copy)]
pub struct MatrixRow<'a> {
    /// The user.
    pub user: User<'a>,
    /// `None` if the user record has no role.
    pub role: Option<JoinedRole<'a>>,
    /// `None` if the user record has no profile.
    pub profile: Option<JoinedProfile<'a>>,
    /// What the profile gives.
    pub profile_power: Power,
    /// What the role gives.
    pub role_power: Power,
    /// Whether the profile is an administrator profile, by id.
    pub administrator: bool,
}

impl MatrixRow<'_> {
    /// The role's name in the role list. `None` if there is no role or the list does not have it.
    pub fn role_name(&self) -> Option<&str> {
        self.role.and_then(|role| role.master).map(|role| role.name.as_str())
    }

    /// The profile's name in the profile list. `None` if there is no profile or the list does not have it.
    pub fn profile_name(&self) -> Option<&str> {
        self.profile.and_then(|profile| profile.master).map(|profile| profile.name.as_str())
    }

    /// How much power the user has, by profile and role together.
    pub fn power(&self) -> Power {
        self.profile_power.with_role(self.role_power)
    }

    /// Whether this user is active and has full power, however it is held.
    pub fn can_administer(&self) -> bool {
        self.power().is_full() && self.user.status().is_active()
    }

    /// How the user holds full power, in words: `profile “Administrator”`. Empty if the user does not.
    pub fn full_power_by(&self) -> String {
        let profile = || self.profile.map_or("", |profile| profile.stated.id.as_str());
        let role = || self.role.map_or("", |role| role.stated.id.as_str());
        if self.profile_power.is_full() {
            format!("the profile “{}”", self.profile_name().unwrap_or_else(profile))
        } else if self.role_power.is_full() {
            format!("the administrative role “{}”", self.role_name().unwrap_or_else(role))
        } else {
            String::new()
        }
    }

    /// Whether this user is active and has an administrator profile, by id.
    pub fn is_active_administrator(&self) -> bool {
        self.administrator && self.user.status().is_active()
    }
}

impl<'a> AccessMatrix<'a> {
    /// The access matrix of what an audit read.
    pub fn of(audit: &'a Audit) -> Self {
        Self::new(&audit.directory, &audit.administrator_profiles, &audit.policy.dangerous_permissions)
    }

    /// Joins a directory. The ids of administrator profiles and the policy's dangerous permissions decide about power.
    pub fn new(
        directory: &'a Directory,
        administrator_profiles: &[ProfileId],
        dangerous_permissions: &[String],
    ) -> Self {
        let roles: HashMap<&RoleId, &Role> = directory.roles.iter().map(|role| (&role.id, role)).collect();
        let profiles: HashMap<&ProfileId, &Profile> =
            directory.profiles.iter().map(|profile| (&profile.id, profile)).collect();
        let (stated_roles, stated_profiles) = (directory.users.stated_roles(), directory.users.stated_profiles());
        let yardstick =
            Yardstick::new(&directory.profiles, &directory.roles, administrator_profiles, dangerous_permissions);
        Self {
            directory,
            roles: stated_roles
                .iter()
                .map(|stated| Joined { stated, master: roles.get(&stated.id).copied() })
                .collect(),
            profiles: stated_profiles
                .iter()
                .map(|stated| Joined { stated, master: profiles.get(&stated.id).copied() })
                .collect(),
            role_powers: stated_roles.iter().map(|stated| yardstick.of_role(&stated.id)).collect(),
            profile_powers: stated_profiles.iter().map(|stated| yardstick.of_profile(&stated.id)).collect(),
            yardstick,
        }
    }

    /// What decides about power here.
    pub fn yardstick(&self) -> &Yardstick<'a> {
        &self.yardstick
    }

    /// Whether nobody knows if a user can administer: a field could not be read, or the API does not tell what the profile
    /// or the role gives.
    pub fn may_administer(&self, row: &MatrixRow<'_>) -> bool {
        let status = row.user.status();
        let is_open = row.power().is_full() || self.yardstick.may_be_full(row.profile_power, row.role_power);
        let is_active = if row.user.unread().has(Field::Status) { !status.is_deleted() } else { status.is_active() };
        is_open && is_active && !row.can_administer()
    }

    /// The directory that it was joined from.
    pub fn directory(&self) -> &'a Directory {
        self.directory
    }

    /// All rows, by user id.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = MatrixRow<'a>> + Clone + '_ {
        self.directory.users.iter().map(|user| self.join(user))
    }

    /// The row of one user.
    pub fn row(&self, index: UserIndex) -> MatrixRow<'a> {
        self.join(self.directory.users.get(index))
    }

    fn join(&self, user: User<'a>) -> MatrixRow<'a> {
        // What could not be read may be anything.
        let unread = user.unread();
        let profile_power = match user.profile_place() {
            Some(place) => self.profile_powers[place],
            None if unread.has(Field::Profile) => Power::Unknown,
            None => Power::Ordinary,
        };
        let role_power = match user.role_place() {
            Some(place) => self.role_powers[place],
            None if unread.has(Field::Role) => self.yardstick.of_unlisted_role(),
            None => Power::Ordinary,
        };
        MatrixRow {
            user,
            role: user.role_place().map(|place| self.roles[place]),
            profile: user.profile_place().map(|place| self.profiles[place]),
            profile_power,
            role_power,
            administrator: profile_power == Power::Administrator,
        }
    }
}
