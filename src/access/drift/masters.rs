//! The organization's primary user, and roles and profiles that were added, removed or changed.

use std::collections::{BTreeMap, BTreeSet};

use super::{About, Seen, SnapshotHeader};
use crate::model::{
    change::{Change, ChangeKind},
    directory::{Permission, Permissions, Profile, Role},
    id::{ProfileId, RoleId},
    unread::Field,
};

pub(super) fn compare(seen: &Seen<'_>, previous: &SnapshotHeader, changes: &mut Vec<Change>) {
    primary_user(seen, previous, changes);
    roles(seen, previous, changes);
    profiles(seen, previous, changes);
}

fn primary_user(seen: &Seen<'_>, previous: &SnapshotHeader, changes: &mut Vec<Change>) {
    let organization = &seen.matrix.directory().organization;
    // What the API did not say at one of the two audits cannot have changed.
    let (Some(before), Some(now)) = (&previous.primary_zuid, &organization.primary_zuid) else { return };
    if before != now {
        let id = organization.id.as_deref().unwrap_or(seen.workspace);
        let label = organization.company_name.as_deref().unwrap_or(seen.workspace);
        let before = previous.primary_email.as_deref().unwrap_or(before.as_str());
        let now = organization.primary_email.as_deref().unwrap_or(now.as_str());
        let about = About { kind: "organization", id, label };
        changes.push(about.change(ChangeKind::PrimaryUserChanged, "primary_user", before, now));
    }
}

fn roles(seen: &Seen<'_>, previous: &SnapshotHeader, changes: &mut Vec<Change>) {
    let (directory, before) = (seen.matrix.directory(), &previous.roles);
    let now = &directory.roles;
    let now_by_id: BTreeMap<&RoleId, &Role> = now.iter().map(|role| (&role.id, role)).collect();
    let before_by_id: BTreeMap<&RoleId, &Role> = before.iter().map(|role| (&role.id, role)).collect();
    for role in before_by_id.values().filter(|role| !now_by_id.contains_key(&role.id)) {
        changes.push(about_role(role).change(ChangeKind::RoleRemoved, "", &role.name, ""));
    }
    for role in now_by_id.values() {
        let about = about_role(role);
        let Some(old) = before_by_id.get(&role.id) else {
            changes.push(about.change(ChangeKind::RoleAdded, "", "", &role.name));
            continue;
        };
        // What was unknown before or is unknown now is not a change.
        let unread = directory.unread.role(&role.id).or(previous.unread.role(&role.id));
        if !unread.has(Field::Name) && old.name != role.name {
            changes.push(about.change(ChangeKind::RoleRenamed, "name", &old.name, &role.name));
        }
        if !unread.has(Field::ReportingTo) && old.reporting_to != role.reporting_to {
            let (from, to) = (parent(old, &before_by_id), parent(role, &now_by_id));
            changes.push(about.change(ChangeKind::RoleMoved, "reporting_to", from, to));
        }
        match (old.admin_user, role.admin_user) {
            (Some(false), Some(true)) => {
                changes.push(about.change(ChangeKind::PermissionAdded, "admin_user", "", "administrative role"));
            }
            (Some(true), Some(false)) => {
                changes.push(about.change(ChangeKind::PermissionRemoved, "admin_user", "administrative role", ""));
            }
            _ => {}
        }
    }
}

fn about_role(role: &Role) -> About<'_> {
    About { kind: "role", id: role.id.as_str(), label: &role.name }
}

/// The superior's name, else its id; empty at the top.
fn parent<'a>(role: &'a Role, known: &BTreeMap<&RoleId, &'a Role>) -> &'a str {
    let id = role.reporting_to.as_ref();
    id.map_or("", |id| known.get(id).map_or(id.as_str(), |parent| parent.name.as_str()))
}

fn profiles(seen: &Seen<'_>, previous: &SnapshotHeader, changes: &mut Vec<Change>) {
    let (directory, before) = (seen.matrix.directory(), &previous.profiles);
    let now = &directory.profiles;
    let now_by_id: BTreeMap<&ProfileId, &Profile> = now.iter().map(|profile| (&profile.id, profile)).collect();
    let before_by_id: BTreeMap<&ProfileId, &Profile> = before.iter().map(|profile| (&profile.id, profile)).collect();
    for profile in before_by_id.values().filter(|profile| !now_by_id.contains_key(&profile.id)) {
        changes.push(about_profile(profile).change(ChangeKind::ProfileRemoved, "", &profile.name, ""));
    }
    for profile in now_by_id.values() {
        let about = about_profile(profile);
        let Some(old) = before_by_id.get(&profile.id) else {
            changes.push(about.change(ChangeKind::ProfileAdded, "", "", &profile.name));
            continue;
        };
        let unread = directory.unread.profile(&profile.id).or(previous.unread.profile(&profile.id));
        if !unread.has(Field::Name) && old.name != profile.name {
            changes.push(about.change(ChangeKind::ProfileRenamed, "name", &old.name, &profile.name));
        }
        permissions(seen, profile, old, changes);
    }
}

fn about_profile(profile: &Profile) -> About<'_> {
    About { kind: "profile", id: profile.id.as_str(), label: &profile.name }
}

fn permissions(seen: &Seen<'_>, now: &Profile, before: &Profile, changes: &mut Vec<Change>) {
    let (Some(had), Some(has)) = (keys(&before.permissions), keys(&now.permissions)) else { return };
    if had == has {
        return;
    }
    let touched = seen.matrix.rows().filter(|row| {
        !row.user.status().is_deleted() && row.profile.is_some_and(|profile| profile.stated.id == now.id)
    });
    let label = format!("{} ({})", now.name, users(touched.count()));
    let about = About { kind: "profile", id: now.id.as_str(), label: &label };
    for key in has.difference(&had) {
        changes.push(about.change(ChangeKind::PermissionAdded, "permission", "", &shown(*key, &now.permissions)));
    }
    for key in had.difference(&has) {
        changes.push(about.change(ChangeKind::PermissionRemoved, "permission", &shown(*key, &before.permissions), ""));
    }
}

fn users(count: usize) -> String {
    format!("touches {}", crate::words::count(count, "user"))
}

/// A permission's name and the module that it is about.
type Key<'a> = (&'a str, Option<&'a str>);

fn key(permission: &Permission) -> Key<'_> {
    (permission.name.as_str(), permission.module.as_deref())
}

fn keys(permissions: &Permissions) -> Option<BTreeSet<Key<'_>>> {
    permissions.enabled().map(|enabled| enabled.map(key).collect())
}

/// The words that the product shows for a permission, and its module.
fn shown(wanted: Key<'_>, permissions: &Permissions) -> String {
    let found = permissions.enabled().and_then(|mut enabled| enabled.find(|permission| key(permission) == wanted));
    let label = found.and_then(|permission| permission.label.as_deref()).unwrap_or(wanted.0);
    wanted.1.map_or_else(|| label.to_owned(), |module| format!("{label} ({module})"))
}
