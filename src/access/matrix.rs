//! The access matrix: one row per user, with the role and the profile joined by id against the role and profile lists.
//!
//! Users share few distinct roles and profiles, so each of those is joined once and a row is a view: the matrix of a
//! million users needs no memory beyond the directory.

use std::collections::HashMap;

use crate::model::{
    audit::Audit,
    directory::{Directory, Profile, Role},
    id::{ProfileId, RoleId},
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
    profiles: Vec<(JoinedProfile<'a>, bool)>,
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

    /// Whether this user is active and has an administrator profile.
    pub fn is_active_administrator(&self) -> bool {
        self.administrator && self.user.status().is_active()
    }
}

impl<'a> AccessMatrix<'a> {
    /// The access matrix of what an audit read.
    pub fn of(audit: &'a Audit) -> Self {
        Self::new(&audit.directory, &audit.administrator_profiles)
    }

    /// Joins a directory.
    pub fn new(directory: &'a Directory, administrator_profiles: &[ProfileId]) -> Self {
        let roles: HashMap<&RoleId, &Role> = directory.roles.iter().map(|role| (&role.id, role)).collect();
        let profiles: HashMap<&ProfileId, &Profile> =
            directory.profiles.iter().map(|profile| (&profile.id, profile)).collect();
        let users = &directory.users;
        Self {
            directory,
            roles: users
                .stated_roles()
                .iter()
                .map(|stated| Joined { stated, master: roles.get(&stated.id).copied() })
                .collect(),
            profiles: users
                .stated_profiles()
                .iter()
                .map(|stated| {
                    let joined = Joined { stated, master: profiles.get(&stated.id).copied() };
                    (joined, administrator_profiles.contains(&stated.id))
                })
                .collect(),
        }
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
        let profile = user.profile_place().map(|place| self.profiles[place]);
        MatrixRow {
            user,
            role: user.role_place().map(|place| self.roles[place]),
            profile: profile.map(|(joined, _)| joined),
            administrator: profile.is_some_and(|(_, administrator)| administrator),
        }
    }
}
