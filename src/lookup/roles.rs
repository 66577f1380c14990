//! Roles: which records their holders see, who reports to whom, and how many users hold them.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{LookupError, same};
use crate::{
    access::{
        hierarchy::{self, Top},
        matrix::AccessMatrix,
    },
    model::{directory::Role, id::RoleId},
};

/// A role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RoleRow {
    /// The role's id.
    pub role_id: String,
    /// The role's name.
    pub role_name: String,
    /// The id of the parent role, whose holders see the records of this role's holders; null at the top.
    pub reports_to_role_id: Option<String>,
    /// The parent's name; null at the top, or if its id is not in the list.
    pub reports_to_role_name: Option<String>,
    /// Levels below the top; 0 at the top.
    pub depth: usize,
    /// Why it is at the top although it has a parent: a cycle, or a missing role.
    pub irregular: Option<String>,
    /// Whether holders see each other's records; null if the API does not say.
    pub shares_with_peers: Option<bool>,
    /// Active holders.
    pub active_users: usize,
    /// Active holders of this role and of all roles below it.
    pub active_users_with_below: usize,
    /// Holders of any status.
    pub all_users: usize,
    /// The description.
    pub description: Option<String>,
}

/// All roles, depth first: each below its parent.
pub fn roles(matrix: &AccessMatrix<'_>) -> Vec<RoleRow> {
    let directory = matrix.directory();
    let mut held: HashMap<&RoleId, (usize, usize)> = HashMap::new();
    for row in matrix.rows() {
        if let Some(role) = row.role {
            let (active, all) = held.entry(&role.stated.id).or_default();
            *active += usize::from(row.user.status().is_active());
            *all += 1;
        }
    }
    let names: HashMap<&RoleId, &str> = directory.roles.iter().map(|role| (&role.id, role.name.as_str())).collect();
    let branches = hierarchy::tree(&directory.roles);
    let mut rows: Vec<RoleRow> = branches
        .iter()
        .map(|branch| {
            let role = branch.role;
            let (active_users, all_users) = held.get(&role.id).copied().unwrap_or_default();
            RoleRow {
                role_id: role.id.to_string(),
                role_name: role.name.clone(),
                reports_to_role_id: role.reporting_to.as_ref().map(ToString::to_string),
                reports_to_role_name: role.reporting_to.as_ref().and_then(|id| names.get(id)).map(|&name| name.into()),
                depth: branch.depth,
                irregular: branch.top.as_ref().and_then(irregular),
                shares_with_peers: role.share_with_peers,
                active_users,
                active_users_with_below: active_users,
                all_users,
                description: role.description.clone(),
            }
        })
        .collect();
    // In depth-first order the roles below a role follow it directly.
    for place in 0..rows.len() {
        let below = rows[place + 1..].iter().take_while(|row| row.depth > rows[place].depth);
        rows[place].active_users_with_below += below.map(|row| row.active_users).sum::<usize>();
    }
    rows
}

fn irregular(top: &Top) -> Option<String> {
    match top {
        Top::Root => None,
        Top::MissingParent(id) => Some(format!("reports to {id}, which is not in the list of roles")),
        Top::Cycle(_) => Some("reports to itself in a cycle".to_owned()),
    }
}

/// The roles below some roles, however deep, without those themselves.
pub fn below(roles: &[Role], above: &RoleId) -> Vec<RoleId> {
    let mut found: Vec<RoleId> = Vec::new();
    let mut next = vec![above];
    while let Some(id) = next.pop() {
        for role in roles.iter().filter(|role| role.reporting_to.as_ref() == Some(id)) {
            // A cycle leads back to a role that was found.
            if role.id != *above && !found.contains(&role.id) {
                found.push(role.id.clone());
                next.push(&role.id);
            }
        }
    }
    found
}

/// The roles with an id or name; names are not unique.
pub(super) fn named(roles: &[Role], text: &str) -> Result<Vec<RoleId>, LookupError> {
    let found: Vec<RoleId> = roles
        .iter()
        .filter(|role| role.id.as_str() == text.trim() || same(&role.name, text))
        .map(|role| role.id.clone())
        .collect();
    if found.is_empty() {
        let known = roles.iter().map(|role| role.name.as_str()).collect::<Vec<_>>().join(", ");
        return Err(LookupError::NoRole { text: text.to_owned(), known });
    }
    Ok(found)
}
