//! The role hierarchy as a tree that contains every role exactly once, whatever the API says.
//!
//! A role whose parent is not in the role list is at the top, marked. A cycle is entered at its smallest id, marked too,
//! so that no role below it is hidden.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::model::{directory::Role, id::RoleId};

/// Why a role is at the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Top {
    /// It reports to no role.
    Root,
    /// It reports to a role that is not in the role list.
    MissingParent(RoleId),
    /// It reports to itself through these roles.
    Cycle(Vec<RoleId>),
}

/// A role at its depth in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch<'a> {
    /// The role.
    pub role: &'a Role,
    /// Levels below the top; 0 at the top.
    pub depth: usize,
    /// Why it is at the top. `None` if it is not.
    pub top: Option<Top>,
}

/// All roles, depth first, each once, siblings by name and id.
pub fn tree(roles: &[Role]) -> Vec<Branch<'_>> {
    let known: HashMap<&RoleId, &Role> = roles.iter().map(|role| (&role.id, role)).collect();
    let mut children: BTreeMap<&RoleId, Vec<&Role>> = BTreeMap::new();
    let mut tops: Vec<(&Role, Top)> = Vec::new();
    for role in known.values().copied() {
        match &role.reporting_to {
            None => tops.push((role, Top::Root)),
            Some(parent) if known.contains_key(parent) => children.entry(parent).or_default().push(role),
            Some(parent) => tops.push((role, Top::MissingParent(parent.clone()))),
        }
    }
    for cycle in cycles(&known) {
        if let Some(first) = cycle.first().and_then(|id| known.get(id)) {
            tops.push((first, Top::Cycle(cycle)));
        }
    }
    let by_name = |a: &&Role, b: &&Role| (&a.name, &a.id).cmp(&(&b.name, &b.id));
    for siblings in children.values_mut() {
        siblings.sort_by(by_name);
    }
    tops.sort_by(|a, b| by_name(&a.0, &b.0));

    let mut branches = Vec::with_capacity(known.len());
    let mut seen = HashSet::new();
    let mut stack: Vec<Branch<'_>> =
        tops.into_iter().rev().map(|(role, top)| Branch { role, depth: 0, top: Some(top) }).collect();
    while let Some(branch) = stack.pop() {
        if !seen.insert(&branch.role.id) {
            continue;
        }
        let below = children.get(&branch.role.id).into_iter().flatten().rev();
        stack.extend(below.map(|role| Branch { role, depth: branch.depth + 1, top: None }));
        branches.push(branch);
    }
    branches
}

/// Every cycle of roles, each once, beginning at its smallest id.
fn cycles(known: &HashMap<&RoleId, &Role>) -> Vec<Vec<RoleId>> {
    let mut settled: HashSet<&RoleId> = HashSet::new();
    let mut found = Vec::new();
    for start in known.values() {
        let mut path: Vec<&RoleId> = Vec::new();
        let mut on_path: HashMap<&RoleId, usize> = HashMap::new();
        let mut next = Some(&start.id);
        while let Some(id) = next {
            if let Some(from) = on_path.get(id) {
                let mut cycle: Vec<RoleId> = path[*from..].iter().map(|id| (*id).clone()).collect();
                let smallest = cycle.iter().enumerate().min_by_key(|(_, id)| *id).map_or(0, |(place, _)| place);
                cycle.rotate_left(smallest);
                found.push(cycle);
                break;
            }
            if settled.contains(id) {
                break;
            }
            let Some(role) = known.get(id) else { break };
            on_path.insert(id, path.len());
            path.push(id);
            next = role.reporting_to.as_ref();
        }
        settled.extend(path);
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn role(id: &str, parent: Option<&str>) -> Role {
        Role {
            id: RoleId::from(id),
            name: format!("role {id}"),
            reporting_to: parent.map(RoleId::from),
            admin_user: None,
            share_with_peers: None,
            description: None,
        }
    }

    #[test]
    fn a_cycle_and_a_missing_parent_hide_no_role() {
        let roles =
            [role("1", None), role("2", Some("1")), role("3", Some("4")), role("4", Some("3")), role("5", Some("9"))];
        let tree = tree(&roles);
        let shown: Vec<_> = tree.iter().map(|branch| (branch.role.id.as_str(), branch.depth)).collect();
        assert_eq!(shown, [("1", 0), ("2", 1), ("3", 0), ("4", 1), ("5", 0)]);
        assert_eq!(tree[2].top, Some(Top::Cycle(vec![RoleId::from("3"), RoleId::from("4")])));
        assert_eq!(tree[4].top, Some(Top::MissingParent(RoleId::from("9"))));
    }

    #[test]
    fn a_role_that_reports_to_itself_is_a_cycle_of_one() {
        let roles = [role("7", Some("7"))];
        assert_eq!(tree(&roles)[0].top, Some(Top::Cycle(vec![RoleId::from("7")])));
    }

    proptest! {
        #[test]
        fn every_role_is_in_the_tree_exactly_once(parents in proptest::collection::vec(proptest::option::of(0_u8..24), 0..20)) {
            let roles: Vec<_> = parents.iter().enumerate()
                .map(|(id, parent)| role(&id.to_string(), parent.map(|p| p.to_string()).as_deref()))
                .collect();
            let mut shown: Vec<_> = tree(&roles).iter().map(|branch| branch.role.id.clone()).collect();
            shown.sort();
            let mut all: Vec<_> = roles.iter().map(|role| role.id.clone()).collect();
            all.sort();
            prop_assert_eq!(shown, all);
        }
    }
}
