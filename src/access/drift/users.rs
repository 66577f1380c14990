//! Users that were added, removed or changed.

use std::{cmp::Ordering, collections::HashMap};

use super::{About, Current, SnapshotHeader, SnapshotUser};
use crate::{
    access::matrix::MatrixRow,
    model::{
        change::{Change, ChangeKind},
        email,
        id::numeric_order,
        status::{Status, StatusKind},
        unread::{Field, Fields},
    },
};

/// Joins both populations by id while they pass by.
pub(super) fn compare<'p, E>(
    current: &Current<'_>,
    previous: &SnapshotHeader,
    previous_users: impl IntoIterator<Item = Result<SnapshotUser<'p>, E>>,
    changes: &mut Vec<Change>,
) -> Result<(), E> {
    let complete = current.matrix.directory().reading.is_complete();
    let names = Names::of(previous);
    let mut rows = current.matrix.rows().peekable();
    for before in previous_users {
        let before = names.user(before?);
        while let Some(row) = rows.next_if(|row| numeric_order(row.user.id(), &before.user.id).is_lt()) {
            added(&State::of(&row), changes);
        }
        match rows.next_if(|row| numeric_order(row.user.id(), &before.user.id) == Ordering::Equal) {
            Some(row) => changed(&before.state(), &State::of(&row), changes),
            // A user that an incomplete read does not list may still be there.
            None if complete => removed(&before.state(), "", changes),
            None => {}
        }
    }
    rows.for_each(|row| added(&State::of(&row), changes));
    Ok(())
}

/// The names that ids had at the previous audit.
struct Names<'a> {
    roles: HashMap<&'a str, &'a str>,
    profiles: HashMap<&'a str, (&'a str, bool)>,
    header: &'a SnapshotHeader,
}

/// A user of the previous audit, and what the ids meant then.
struct Before<'p, 'a> {
    user: SnapshotUser<'p>,
    status: StatusKind,
    role_name: Option<&'a str>,
    profile_name: Option<&'a str>,
    administrator: bool,
}

impl<'a> Names<'a> {
    fn of(header: &'a SnapshotHeader) -> Self {
        let administrator = |profile| header.administrator_profiles.contains(profile);
        let roles = header.roles.iter().map(|role| (role.id.as_str(), role.name.as_str())).collect();
        let profile = header.profiles.iter();
        let profiles = profile.map(|one| (one.id.as_str(), (one.name.as_str(), administrator(&one.id)))).collect();
        Self { roles, profiles, header }
    }

    fn user<'p>(&self, user: SnapshotUser<'p>) -> Before<'p, 'a> {
        let profile = user.profile_id.as_deref().and_then(|id| self.profiles.get(id));
        // An administrator profile that dangled then still made an administrator.
        let dangling = |id: &str| self.header.administrator_profiles.iter().any(|profile| profile.as_str() == id);
        let administrator = match (profile, user.profile_id.as_deref()) {
            (Some((_, administrator)), _) => *administrator,
            (None, id) => id.is_some_and(dangling),
        };
        Before {
            status: Status::from(&*user.status).kind(),
            role_name: user.role_id.as_deref().and_then(|id| self.roles.get(id)).copied(),
            profile_name: profile.map(|(name, _)| *name),
            administrator,
            user,
        }
    }
}

/// All of a user that can change, whether from a store or from a directory.
struct State<'a> {
    id: &'a str,
    label: &'a str,
    full_name: Option<&'a str>,
    email: Option<&'a str>,
    status: &'a str,
    kind: StatusKind,
    confirmed: Option<bool>,
    role: Option<Held<'a>>,
    profile: Option<Held<'a>>,
    administrator: bool,
    unread: Fields,
}

/// A role or profile as it is compared, by id, and shown, by name.
#[derive(Clone, Copy)]
struct Held<'a> {
    id: &'a str,
    name: &'a str,
}

impl Before<'_, '_> {
    fn state(&self) -> State<'_> {
        let role = self.user.role_id.as_deref().map(|id| Held { id, name: self.role_name.unwrap_or(id) });
        let profile = self.user.profile_id.as_deref().map(|id| Held { id, name: self.profile_name.unwrap_or(id) });
        State {
            id: &self.user.id,
            label: self.user.label(),
            full_name: self.user.full_name.as_deref(),
            email: self.user.email.as_deref(),
            status: &self.user.status,
            kind: self.status,
            confirmed: self.user.confirmed,
            role,
            profile,
            administrator: self.administrator,
            unread: self.user.unread,
        }
    }
}

impl<'a> State<'a> {
    fn of(row: &MatrixRow<'a>) -> Self {
        let user = row.user;
        let role = row.role.map(|role| {
            let id = role.stated.id.as_str();
            Held { id, name: role.master.map_or(id, |master| &master.name) }
        });
        let profile = row.profile.map(|profile| {
            let id = profile.stated.id.as_str();
            Held { id, name: profile.master.map_or(id, |master| &master.name) }
        });
        Self {
            id: user.id(),
            label: user.label(),
            full_name: user.full_name(),
            email: user.email(),
            status: user.status().word(),
            kind: user.status().kind(),
            confirmed: user.confirmed(),
            role,
            profile,
            administrator: row.administrator,
            unread: user.unread(),
        }
    }

    fn about(&self) -> About<'a> {
        About { kind: "user", id: self.id, label: self.label }
    }

    fn is_deleted(&self) -> bool {
        self.kind == StatusKind::Deleted
    }

    /// Whether this user has an administrator profile. Deleted users have nothing.
    fn administers(&self) -> bool {
        self.administrator && !self.is_deleted()
    }

    /// The profile that this user has. Deleted users have none.
    fn profile_held(&self) -> &'a str {
        self.profile.filter(|_| !self.is_deleted()).map_or("", |profile| profile.name)
    }

    /// Status, profile and role in a few words.
    fn access(&self) -> String {
        let profile = self.profile.map_or("no profile", |profile| profile.name);
        let role = self.role.map_or("no role", |role| role.name);
        format!("{}, {profile}, {role}", self.status)
    }
}

/// What is shown of a value that could not be read.
const UNKNOWN: &str = "unknown";

fn added(now: &State<'_>, changes: &mut Vec<Change>) {
    if now.administers() {
        changes.push(now.about().change(ChangeKind::AdministratorGranted, "profile", "", now.profile_held()));
    }
    changes.push(now.about().change(ChangeKind::UserAdded, "", "", &now.access()));
}

fn removed(before: &State<'_>, after: &str, changes: &mut Vec<Change>) {
    if before.is_deleted() {
        return;
    }
    if before.administrator {
        changes.push(before.about().change(ChangeKind::AdministratorRevoked, "profile", before.profile_held(), ""));
    }
    changes.push(before.about().change(ChangeKind::UserRemoved, "", &before.access(), after));
}

fn changed(before: &State<'_>, now: &State<'_>, changes: &mut Vec<Change>) {
    if now.is_deleted() {
        return removed(before, now.status, changes);
    }
    let about = now.about();
    // What was unknown before or is unknown now is not a change. Only power that was not known before is.
    let unread = before.unread.or(now.unread);
    let is_known = |field| !unread.has(field);
    let mut push = |kind, field, before: &str, now: &str| changes.push(about.change(kind, field, before, now));
    match (before.administers(), now.administers()) {
        (false, true) if !is_known(Field::Profile) => {
            push(ChangeKind::AdministratorGranted, "profile", UNKNOWN, now.profile_held());
        }
        _ if !is_known(Field::Profile) => {}
        (false, true) => push(ChangeKind::AdministratorGranted, "profile", before.profile_held(), now.profile_held()),
        (true, false) => push(ChangeKind::AdministratorRevoked, "profile", before.profile_held(), now.profile_held()),
        _ if id(before.profile) != id(now.profile) => {
            push(ChangeKind::ProfileChanged, "profile", name(before.profile), name(now.profile));
        }
        _ => {}
    }
    if is_known(Field::Role) && id(before.role) != id(now.role) {
        push(ChangeKind::RoleChanged, "role", name(before.role), name(now.role));
    }
    if is_known(Field::Status) && before.status != now.status {
        let back = matches!(before.kind, StatusKind::Inactive | StatusKind::Deleted) && now.kind == StatusKind::Active;
        let kind = if back { ChangeKind::UserReactivated } else { ChangeKind::StatusChanged };
        push(kind, "status", before.status, now.status);
    }
    // Case says nothing in an address: both lead to the same person.
    if is_known(Field::Email)
        && before.email != now.email
        && before.email.map(email::comparable) != now.email.map(email::comparable)
    {
        push(ChangeKind::EmailChanged, "email", before.email.unwrap_or(""), now.email.unwrap_or(""));
    }
    match (before.confirmed, now.confirmed) {
        (Some(false), Some(true)) => push(ChangeKind::Confirmed, "confirmed", "false", "true"),
        (Some(true), Some(false)) => push(ChangeKind::StatusChanged, "confirmed", "true", "false"),
        _ => {}
    }
    if is_known(Field::FullName) && before.full_name != now.full_name {
        push(ChangeKind::NameChanged, "full_name", before.full_name.unwrap_or(""), now.full_name.unwrap_or(""));
    }
}

fn id(held: Option<Held<'_>>) -> Option<&str> {
    held.map(|held| held.id)
}

fn name(held: Option<Held<'_>>) -> &str {
    held.map_or("", |held| held.name)
}
