//! The access matrix: one row per user, with the role and the profile joined by id against the master lists.
//!
//! Users share few distinct role and profile statements, so each of those is joined once, and a row is a
//! view: the matrix of a million users costs nothing beyond the directory.

use std::collections::HashMap;

use crate::model::{
    directory::{Directory, Profile, Role},
    id::{ProfileId, RoleId},
    users::{Stated, User, UserIndex},
};

/// What a user record states, beside what the master list says of it.
#[derive(Debug)]
pub struct Joined<'a, Id, Master> {
    /// What the user record states.
    pub stated: &'a Stated<Id>,
    /// The master list's entry of that id; none where the id dangles.
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
    /// The role; none where the user record has none.
    pub role: Option<JoinedRole<'a>>,
    /// The profile; none where the user record has none.
    pub profile: Option<JoinedProfile<'a>>,
    /// Whether the profile makes an administrator, decided by profile id.
    pub administrator: bool,
}

impl MatrixRow<'_> {
    /// The role's name on the master list; none where there is no role or its id is not there.
    pub fn role_name(&self) -> Option<&str> {
        self.role.and_then(|role| role.master).map(|role| role.name.as_str())
    }

    /// The profile's name on the master list; none where there is no profile or its id is not there.
    pub fn profile_name(&self) -> Option<&str> {
        self.profile.and_then(|profile| profile.master).map(|profile| profile.name.as_str())
    }

    /// Whether this user can administer now: an administrator profile and an active status.
    pub fn is_active_administrator(&self) -> bool {
        self.administrator && self.user.status().is_active()
    }
}

impl<'a> AccessMatrix<'a> {
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
