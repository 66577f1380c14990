//! How many users hold each role and profile.

use std::collections::HashMap;

use crate::{
    access::matrix::AccessMatrix,
    model::id::{ProfileId, RoleId},
};

/// Users who hold each role and profile and are not deleted.
pub(super) struct Holders<'a> {
    roles: HashMap<&'a RoleId, usize>,
    profiles: HashMap<&'a ProfileId, usize>,
}

impl<'a> Holders<'a> {
    /// Counts over the few distinct statements first: users share them, and a million need no hashing each.
    pub(super) fn count(matrix: &AccessMatrix<'a>) -> Self {
        let users = &matrix.directory().users;
        let mut by_role = vec![0; users.stated_roles().len()];
        let mut by_profile = vec![0; users.stated_profiles().len()];
        for user in users.iter().filter(|user| !user.status().is_deleted()) {
            if let Some(place) = user.role_place() {
                by_role[place] += 1;
            }
            if let Some(place) = user.profile_place() {
                by_profile[place] += 1;
            }
        }
        let mut holders = Self { roles: HashMap::new(), profiles: HashMap::new() };
        for (stated, count) in users.stated_roles().iter().zip(by_role) {
            *holders.roles.entry(&stated.id).or_default() += count;
        }
        for (stated, count) in users.stated_profiles().iter().zip(by_profile) {
            *holders.profiles.entry(&stated.id).or_default() += count;
        }
        holders
    }

    pub(super) fn of_role(&self, id: &RoleId) -> usize {
        self.roles.get(id).copied().unwrap_or(0)
    }

    pub(super) fn of_profile(&self, id: &ProfileId) -> usize {
        self.profiles.get(id).copied().unwrap_or(0)
    }
}
