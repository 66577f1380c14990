//! What users share: the values of roles and profiles, worked out once for all rules.

use std::collections::HashMap;

use super::population::Population;
use crate::{
    access::{hierarchy, matrix::AccessMatrix},
    cel::Texts,
    model::{
        directory::{Permission, Profile, Role},
        id::{ProfileId, RoleId},
    },
};

/// The values of roles and profiles.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) roles: Vec<RoleFacts<'a>>,
    pub(super) profiles: Vec<ProfileFacts<'a>>,
    /// By the place of the stated role: its place in the role list.
    pub(super) role_of: Vec<Option<usize>>,
    pub(super) profile_of: Vec<Option<usize>>,
}

#[derive(Debug)]
pub(super) struct RoleFacts<'a> {
    pub(super) role: &'a Role,
    pub(super) parent: Option<&'a str>,
    pub(super) path: Texts,
    pub(super) depth: usize,
    pub(super) users: usize,
}

#[derive(Debug)]
pub(super) struct ProfileFacts<'a> {
    pub(super) profile: &'a Profile,
    /// `None` if the API did not return them.
    pub(super) permissions: Option<Texts>,
    pub(super) permission_names: Option<Texts>,
    pub(super) users: usize,
}

impl<'a> Facts<'a> {
    pub(super) fn of(matrix: &AccessMatrix<'a>, population: &Population) -> Self {
        let directory = matrix.directory();
        let users = &directory.users;
        let place_of_role: HashMap<&RoleId, usize> =
            directory.roles.iter().enumerate().map(|(place, role)| (&role.id, place)).collect();
        let place_of_profile: HashMap<&ProfileId, usize> =
            directory.profiles.iter().enumerate().map(|(place, profile)| (&profile.id, place)).collect();
        let role_of: Vec<Option<usize>> =
            users.stated_roles().iter().map(|stated| place_of_role.get(&stated.id).copied()).collect();
        let profile_of: Vec<Option<usize>> =
            users.stated_profiles().iter().map(|stated| place_of_profile.get(&stated.id).copied()).collect();
        let mut holders = vec![0; directory.roles.len()];
        for (place, held) in role_of.iter().zip(&population.roles) {
            if let Some(place) = place {
                holders[*place] += held.active;
            }
        }
        let profile = |profile: &'a Profile| {
            let enabled = || profile.permissions.enabled();
            let shown = |permission: &'a Permission| permission.label.as_deref().unwrap_or(&permission.name);
            ProfileFacts {
                profile,
                permissions: enabled().map(|all| Texts::new(all.map(shown))),
                permission_names: enabled().map(|all| Texts::new(all.map(|permission| permission.name.as_str()))),
                users: population.holders_of_profile(matrix, &profile.id).active,
            }
        };
        Self {
            roles: roles(&directory.roles, &place_of_role, &holders),
            profiles: directory.profiles.iter().map(profile).collect(),
            role_of,
            profile_of,
        }
    }

    /// The length of the longest list that a rule can name.
    pub(super) fn longest_list(&self) -> usize {
        let permissions = self.profiles.iter().filter_map(|profile| profile.permissions.as_ref());
        let lists = permissions.chain(self.roles.iter().map(|role| &role.path));
        lists.map(Texts::len).max().unwrap_or(0)
    }
}

fn roles<'a>(roles: &'a [Role], places: &HashMap<&RoleId, usize>, holders: &[usize]) -> Vec<RoleFacts<'a>> {
    let mut depths = vec![0; roles.len()];
    let mut paths: Vec<Vec<&str>> = vec![Vec::new(); roles.len()];
    let mut above: Vec<&str> = Vec::new();
    // Depth first: what is above a role was met before it.
    for branch in hierarchy::tree(roles) {
        above.truncate(branch.depth);
        above.push(&branch.role.name);
        if let Some(place) = places.get(&branch.role.id) {
            depths[*place] = branch.depth;
            paths[*place].clone_from(&above);
        }
    }
    let facts = |(place, role): (usize, &'a Role)| RoleFacts {
        role,
        parent: role.reporting_to.as_ref().and_then(|id| places.get(id)).map(|place| roles[*place].name.as_str()),
        path: Texts::new(paths[place].iter().copied()),
        depth: depths[place],
        users: holders[place],
    };
    roles.iter().enumerate().map(facts).collect()
}
