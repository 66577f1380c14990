//! Roles: which records their holders see, who reports to whom, how many hold them.

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
    /// The id of the role above, whose holders see the records of this one's holders; none at the top.
    pub reports_to_role_id: Option<String>,
    /// Its name; none at the top, or where the id is not on the list.
    pub reports_to_role_name: Option<String>,
    /// How far below the top, 0 at the top.
    pub depth: usize,
    /// Why it stands at the top although it reports to somebody: a circle, or a role that is not there.
    pub irregular: Option<String>,
    /// Whether holders see the records of those who hold the same role; none where the vendor did not say.
    pub shares_with_peers: Option<bool>,
    /// Active holders.
    pub active_users: usize,
    /// Active holders of this role and of all below it.
    pub active_users_with_below: usize,
    /// Holders of whatever status.
    pub all_users: usize,
    /// The description.
    pub description: Option<String>,
}

/// All roles, depth first: each below the one that it reports to.
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
    // Depth first, so that what is below a role follows it directly.
    for place in 0..rows.len() {
        let below = rows[place + 1..].iter().take_while(|row| row.depth > rows[place].depth);
        rows[place].active_users_with_below += below.map(|row| row.active_users).sum::<usize>();
    }
    rows
}

fn irregular(top: &Top) -> Option<String> {
    match top {
        Top::Root => None,
        Top::MissingParent(id) => Some(format!("reports to {id}, which is on no list")),
        Top::Cycle(_) => Some("reports to itself in a circle".to_owned()),
    }
}

/// The roles below some roles, however deep, without those themselves.
pub fn below(roles: &[Role], above: &RoleId) -> Vec<RoleId> {
    let mut found: Vec<RoleId> = Vec::new();
    let mut next = vec![above];
    while let Some(id) = next.pop() {
        for role in roles.iter().filter(|role| role.reporting_to.as_ref() == Some(id)) {
            // A circle comes back to where it began.
            if role.id != *above && !found.contains(&role.id) {
                found.push(role.id.clone());
                next.push(&role.id);
            }
        }
    }
    found
}

/// The roles of an id or a name; several where several have this name.
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
