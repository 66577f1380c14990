//! Users that were added, removed or changed.

use std::{cmp::Ordering, collections::HashMap};

use chrono::{DateTime, Utc};

use super::{About, Seen, SnapshotHeader, SnapshotUser};
use crate::{
    access::{
        matrix::MatrixRow,
        power::{Power, Yardstick},
    },
    model::{
        change::{Change, ChangeKind, Departed},
        directory::Role,
        email,
        id::{ProfileId, RoleId, numeric_order},
        status::{Status, StatusKind},
        unread::{Field, Fields},
        users::UserIndex,
    },
};

/// What the comparison of users adds to the changes.
pub(super) struct Compared {
    /// How many users of the previous audit could administer.
    pub(super) administrators: u64,
    /// The users who can administer now and could not before.
    pub(super) granted: Vec<UserIndex>,
    /// How many users can administer now of whom that was not known before.
    pub(super) newly_known: usize,
    /// The users who are not listed any more.
    pub(super) departed: Vec<Departed>,
}

/// Joins both populations by id while they pass by.
pub(super) fn compare<'p, E>(
    seen: &Seen<'_>,
    previous: &SnapshotHeader,
    previous_users: impl IntoIterator<Item = Result<SnapshotUser<'p>, E>>,
    changes: &mut Vec<Change>,
) -> Result<Compared, E> {
    let complete = seen.matrix.directory().reading.is_complete();
    let names = Names::of(previous, seen);
    let mut compared = Compared { administrators: 0, granted: Vec::new(), newly_known: 0, departed: Vec::new() };
    let mut rows = seen.matrix.rows().peekable();
    let roles = &seen.matrix.directory().roles;
    let is_silent_on_roles = marks(&previous.roles) && !marks(roles);
    let added = |row: &MatrixRow<'_>, changes: &mut Vec<Change>, granted: &mut Vec<UserIndex>| {
        let now = State::of(row, is_silent_on_roles);
        if now.can_administer() {
            granted.push(row.user.index());
            let (field, held) = held_by(&now);
            changes.push(now.about().change(granted_as(&now), field, "", held));
        }
        changes.push(now.about().change(ChangeKind::UserAdded, "", "", &now.access()));
    };
    for before in previous_users {
        let before = names.user(before?);
        let state = before.state();
        compared.administrators += u64::from(state.can_administer());
        while let Some(row) = rows.next_if(|row| numeric_order(row.user.id(), &before.user.id).is_lt()) {
            added(&row, changes, &mut compared.granted);
        }
        match rows.next_if(|row| numeric_order(row.user.id(), &before.user.id) == Ordering::Equal) {
            Some(row) => {
                let now = State::of(&row, is_silent_on_roles);
                let is_granted = changed(&state, &now, changes);
                compared.granted.extend(is_granted.then(|| row.user.index()));
                let is_newly_known = !is_granted && now.can_administer() && !state.can_administer();
                compared.newly_known += usize::from(is_newly_known);
            }
            // A user that an incomplete read does not list may still be there.
            None if complete => {
                removed(&state, "", changes);
                compared.departed.extend(state.departed(seen.matrix.directory().reading.finished_at));
            }
            None => {}
        }
    }
    rows.for_each(|row| added(&row, changes, &mut compared.granted));
    Ok(compared)
}

/// The names that ids had at the previous audit, and the power that they gave.
struct Names<'a> {
    roles: HashMap<&'a str, &'a str>,
    profiles: HashMap<&'a str, &'a str>,
    yardstick: Yardstick<'a>,
    /// Whether the API said which roles are administrative now and not then: then it is not known for any role.
    is_silent_on_roles: bool,
}

/// A user of the previous audit, and what the ids meant then.
struct Before<'p, 'a> {
    user: SnapshotUser<'p>,
    status: StatusKind,
    role_name: Option<&'a str>,
    profile_name: Option<&'a str>,
    profile_power: Power,
    role_power: Power,
}

impl<'a> Names<'a> {
    fn of(header: &'a SnapshotHeader, seen: &Seen<'_>) -> Self {
        // Both populations are measured by today's policy: a profile that the policy has since added or removed changes
        // what is counted, and not what anybody can do.
        let known = |id: &&ProfileId| header.profiles.iter().any(|profile| profile.id == **id);
        let mut administrators: Vec<ProfileId> = seen.administrator_profiles.iter().filter(known).cloned().collect();
        if administrators.is_empty() {
            administrators.clone_from(&header.administrator_profiles);
        }
        Self {
            roles: header.roles.iter().map(|role| (role.id.as_str(), role.name.as_str())).collect(),
            profiles: header.profiles.iter().map(|one| (one.id.as_str(), one.name.as_str())).collect(),
            yardstick: Yardstick::new(&header.profiles, &header.roles, &administrators, &[]),
            is_silent_on_roles: !marks(&header.roles) && marks(&seen.matrix.directory().roles),
        }
    }

    fn user<'p>(&self, user: SnapshotUser<'p>) -> Before<'p, 'a> {
        let (profile, role) = (user.profile_id.as_deref(), user.role_id.as_deref());
        Before {
            status: Status::from(&*user.status).kind(),
            role_name: role.and_then(|id| self.roles.get(id)).copied(),
            profile_name: profile.and_then(|id| self.profiles.get(id)).copied(),
            profile_power: match profile {
                None if user.unread.has(Field::Profile) => Power::Unknown,
                None => Power::Ordinary,
                Some(id) => self.yardstick.of_profile(&ProfileId::from(id)),
            },
            role_power: match role {
                None if user.unread.has(Field::Role) => self.yardstick.of_unlisted_role(),
                None => Power::Ordinary,
                Some(_) if self.is_silent_on_roles => Power::Unknown,
                Some(id) => self.yardstick.of_role(&RoleId::from(id)),
            },
            user,
        }
    }
}

/// Whether the API says of any role whether it is administrative.
fn marks(roles: &[Role]) -> bool {
    roles.iter().any(|role| role.admin_user.is_some())
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
    profile_power: Power,
    role_power: Power,
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
            profile_power: self.profile_power,
            role_power: self.role_power,
            unread: self.user.unread,
        }
    }
}

impl<'a> State<'a> {
    /// A user of the directory. If the API no longer says which roles are administrative, it is not known for any.
    fn of(row: &MatrixRow<'a>, is_silent_on_roles: bool) -> Self {
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
            profile_power: row.profile_power,
            role_power: if row.role.is_some() && is_silent_on_roles { Power::Unknown } else { row.role_power },
            unread: user.unread(),
        }
    }

    fn about(&self) -> About<'a> {
        About { kind: "user", id: self.id, label: self.label }
    }

    fn is_deleted(&self) -> bool {
        self.kind == StatusKind::Deleted
    }

    /// What is remembered of a user who is not listed any more; `None` without an address, by which it would be found.
    fn departed(&self, missed_at: DateTime<Utc>) -> Option<Departed> {
        let email = self.email.filter(|email| !email.trim().is_empty())?.to_owned();
        Some(Departed { email, name: self.full_name.map(str::to_owned), missed_at })
    }

    fn power(&self) -> Power {
        self.profile_power.with_role(self.role_power)
    }

    /// Whether this user is active and has full power.
    fn can_administer(&self) -> bool {
        self.power().is_full() && self.kind == StatusKind::Active
    }

    /// The profile that this user has. Deleted users have none.
    fn profile_held(&self) -> &'a str {
        if self.unread.has(Field::Profile) {
            return UNKNOWN;
        }
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

fn removed(before: &State<'_>, after: &str, changes: &mut Vec<Change>) {
    if before.is_deleted() {
        return;
    }
    if before.can_administer() {
        let (field, held) = held_by(before);
        changes.push(before.about().change(revoked_as(before), field, held, ""));
    }
    changes.push(before.about().change(ChangeKind::UserRemoved, "", &before.access(), after));
}

fn granted_as(now: &State<'_>) -> ChangeKind {
    let is_administrator = now.power() == Power::Administrator;
    if is_administrator { ChangeKind::AdministratorGranted } else { ChangeKind::FullPowerGranted }
}

fn revoked_as(before: &State<'_>) -> ChangeKind {
    let was_administrator = before.power() == Power::Administrator;
    if was_administrator { ChangeKind::AdministratorRevoked } else { ChangeKind::FullPowerRevoked }
}

/// What a user who comes or goes has full power by.
fn held_by<'s>(user: &State<'s>) -> (&'static str, &'s str) {
    if user.profile_power.is_full() { ("profile", user.profile_held()) } else { ("role", name(user.role)) }
}

/// What gave a user full power, as a field with its values: what the user holds, else the status, else what the profile
/// or the role gives. `one` has the power, and `other` has not.
fn cause<'s>(one: &State<'s>, other: &State<'s>) -> (&'static str, &'s str, &'s str) {
    if one.profile_power.is_full() && id(one.profile) != id(other.profile) {
        ("profile", one.profile_held(), other.profile_held())
    } else if one.role_power.is_full() && id(one.role) != id(other.role) {
        ("role", name(one.role), name(other.role))
    } else if one.kind != other.kind {
        ("status", one.status, other.status)
    } else if one.profile_power.is_full() {
        ("permissions", one.profile_held(), "")
    } else {
        ("admin_user", name(one.role), "")
    }
}

/// Whether the API did not say at the other audit whether what gives `one` full power gave it then too. With `unread`, a
/// role or profile that could not be read may be the same.
fn is_unsaid(one: &State<'_>, other: &State<'_>, unread: bool) -> bool {
    let is_unread = |field| unread && other.unread.has(field);
    let unsaid = |power: Power, then: Power, is_same: bool| !power.is_full() || (then == Power::Unknown && is_same);
    if other.unread.has(Field::Status) {
        return other.power().is_full();
    }
    one.kind == other.kind
        && unsaid(
            one.profile_power,
            other.profile_power,
            id(one.profile) == id(other.profile) || is_unread(Field::Profile),
        )
        && unsaid(one.role_power, other.role_power, id(one.role) == id(other.role) || is_unread(Field::Role))
}

/// Whether the user got full power.
fn changed(before: &State<'_>, now: &State<'_>, changes: &mut Vec<Change>) -> bool {
    if now.is_deleted() {
        removed(before, now.status, changes);
        return false;
    }
    let about = now.about();
    // What was unknown before or is unknown now is not a change. Only power that was not known before is.
    let unread = before.unread.or(now.unread);
    let is_known = |field| !unread.has(field);
    let mut push = |kind, field, before: &str, now: &str| changes.push(about.change(kind, field, before, now));
    let mut of_power = "";
    let granted = !before.can_administer() && now.can_administer() && !is_unsaid(now, before, false);
    if granted {
        let (field, after, before) = cause(now, before);
        push(granted_as(now), field, before, after);
        of_power = field;
    } else if before.can_administer() && !now.can_administer() && !is_unsaid(before, now, true) {
        let (field, before_value, after) = cause(before, now);
        push(revoked_as(before), field, before_value, after);
        of_power = field;
    }
    if is_known(Field::Profile) && id(before.profile) != id(now.profile) && of_power != "profile" {
        push(ChangeKind::ProfileChanged, "profile", name(before.profile), name(now.profile));
    }
    if is_known(Field::Role) && id(before.role) != id(now.role) && of_power != "role" {
        push(ChangeKind::RoleChanged, "role", name(before.role), name(now.role));
    }
    if is_known(Field::Status) && before.status != now.status {
        let back = matches!(before.kind, StatusKind::Inactive | StatusKind::Deleted) && now.kind == StatusKind::Active;
        let kind = if back { ChangeKind::UserReactivated } else { ChangeKind::StatusChanged };
        push(kind, "status", before.status, now.status);
    }
    // The case of a letter says nothing in an address: both lead to the same person.
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
    granted
}

fn id(held: Option<Held<'_>>) -> Option<&str> {
    held.map(|held| held.id)
}

fn name(held: Option<Held<'_>>) -> &str {
    held.map_or("", |held| held.name)
}
