//! Users that were added, removed or changed.

use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashSet},
};

use super::{
    Seen, SnapshotHeader, SnapshotUser,
    state::{Names, State, Way, id, marks, name},
};
use crate::{
    access::{matrix::MatrixRow, power::Power},
    model::{
        change::{Change, ChangeKind, Departed, LastPower, Untold},
        directory::{Profile, Role},
        email,
        id::numeric_order,
        status::StatusKind,
        unread::Field,
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
    /// What was known earlier and is not now.
    pub(super) untold: Untold<UserIndex>,
    /// The users who are not listed any more.
    pub(super) departed: Vec<Departed>,
}

/// The profiles and roles of which the API told the power at an earlier audit and does not now.
fn untold_ids(seen: &Seen<'_>, previous: &SnapshotHeader) -> BTreeSet<String> {
    let directory = seen.matrix.directory();
    let told = |profile: &&Profile| profile.permissions.enabled().is_some();
    let marked = |role: &&Role| role.admin_user.is_some();
    let was_told = previous.profiles.iter().filter(told).map(|profile| profile.id.as_str());
    let was_marked = previous.roles.iter().filter(marked).map(|role| role.id.as_str());
    let earlier = previous.untold.ids.iter().map(String::as_str);
    let earlier: HashSet<&str> = was_told.chain(was_marked).chain(earlier).collect();
    let profiles = directory.profiles.iter().filter(|profile| !told(profile)).map(|profile| profile.id.as_str());
    let roles = directory.roles.iter().filter(|role| !marked(role)).map(|role| role.id.as_str());
    profiles.chain(roles).filter(|id| earlier.contains(id)).map(str::to_owned).collect()
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
    let mut rows = seen.matrix.rows().peekable();
    let yardstick = seen.matrix.yardstick();
    let told_of_roles = marks(&previous.roles) || previous.untold.roles;
    let is_silent_on_roles = told_of_roles && !marks(&seen.matrix.directory().roles);
    let mut compared = Compared {
        administrators: 0,
        granted: Vec::new(),
        newly_known: 0,
        untold: Untold { users: Vec::new(), roles: is_silent_on_roles, ids: untold_ids(seen, previous) },
        departed: Vec::new(),
    };
    let added = |row: &MatrixRow<'_>, changes: &mut Vec<Change>, compared: &mut Compared| {
        let now = State::of(row, yardstick, is_silent_on_roles);
        if now.can_administer() {
            compared.granted.push(row.user.index());
            let (field, held) = held_by(&now);
            changes.push(now.about().change(granted_as(&now), field, "", held));
        } else if now.is_untold() {
            compared.untold.users.push((row.user.index(), LastPower::Less));
        }
        changes.push(now.about().change(ChangeKind::UserAdded, "", "", &now.access()));
    };
    for before in previous_users {
        let before = names.user(before?);
        let state = before.state();
        compared.administrators += u64::from(state.can_administer());
        let last = names.last_power(&state);
        let state = match last {
            Some(LastPower::Full | LastPower::Undecided) if !state.can_administer() => state.presumed(),
            _ => state,
        };
        while let Some(row) = rows.next_if(|row| numeric_order(row.user.id(), &before.user.id).is_lt()) {
            added(&row, changes, &mut compared);
        }
        match rows.next_if(|row| numeric_order(row.user.id(), &before.user.id) == Ordering::Equal) {
            Some(row) => {
                let now = State::of(&row, yardstick, is_silent_on_roles);
                let power = changed(&state, &now, last, changes);
                compared.granted.extend((power == Some(ChangeOfPower::Granted)).then(|| row.user.index()));
                let is_newly_known = power.is_none() && now.can_administer() && last.is_none();
                compared.newly_known += usize::from(is_newly_known);
                if !now.can_administer() && now.is_untold() {
                    let last = match last {
                        _ if power == Some(ChangeOfPower::Revoked) => Some(LastPower::Less),
                        Some(LastPower::Undecided) if seen.policy.approves(now.email) == Some(true) => {
                            Some(LastPower::Full)
                        }
                        last => last,
                    };
                    compared.untold.users.extend(last.map(|last| (row.user.index(), last)));
                }
            }
            // A user that an incomplete read does not list may still be there.
            None if complete => {
                removed(&state, "", changes);
                compared.departed.extend(state.departed(seen.matrix.directory().reading.finished_at));
            }
            None => {}
        }
    }
    rows.for_each(|row| added(&row, changes, &mut compared));
    Ok(compared)
}

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

/// Whether all that gives a user full power now may have given it before: the API did not tell, of the same profile and
/// role.
fn may_have_had(before: &State<'_>, now: &State<'_>) -> bool {
    if before.unread.has(Field::Status) {
        return before.power().is_full();
    }
    let pairs = now.ways().into_iter().zip(before.ways());
    let is_unsaid = |(now, before): (Way<'_>, Way<'_>)| before.power == Power::Unknown && before.id == now.id;
    before.kind == now.kind && pairs.filter(|(now, _)| now.power.is_full()).all(is_unsaid)
}

/// Whether anything that gave a user full power may still give it: the API does not tell any more, of the same profile or
/// role or of one that could not be read.
fn may_still_have(before: &State<'_>, now: &State<'_>) -> bool {
    if now.unread.has(Field::Status) {
        return now.power().is_full();
    }
    let pairs = before.ways().into_iter().zip(now.ways());
    let is_unsaid = |(before, after): (Way<'_>, Way<'_>)| {
        after.power == Power::Unknown && (after.id == before.id || now.unread.has(after.field))
    };
    before.kind == now.kind && pairs.filter(|(before, _)| before.power.is_full()).any(is_unsaid)
}

/// What happened to a user's full power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ChangeOfPower {
    Granted,
    Revoked,
}

/// What happened to the power of a user, of whom `last` was last known.
fn change_of_power(before: &State<'_>, now: &State<'_>, last: Option<LastPower>) -> Option<ChangeOfPower> {
    let is_new = || last == Some(LastPower::Less) || !may_have_had(before, now);
    match (before.can_administer(), now.can_administer()) {
        (false, true) if is_new() => Some(ChangeOfPower::Granted),
        (true, false) if !may_still_have(before, now) => Some(ChangeOfPower::Revoked),
        _ => None,
    }
}

/// Adds what changed of a user, and returns what happened to the full power of one who is not deleted.
fn changed(
    before: &State<'_>,
    now: &State<'_>,
    last: Option<LastPower>,
    changes: &mut Vec<Change>,
) -> Option<ChangeOfPower> {
    if now.is_deleted() {
        removed(before, now.status, changes);
        return None;
    }
    let about = now.about();
    // What was unknown before or is unknown now is not a change. Only power that was not known before is.
    let unread = before.unread.or(now.unread);
    let is_known = |field| !unread.has(field);
    let mut push = |kind, field, before: &str, now: &str| changes.push(about.change(kind, field, before, now));
    let mut of_power = "";
    let power = change_of_power(before, now, last);
    match power {
        Some(ChangeOfPower::Granted) => {
            let (field, after, before) = cause(now, before);
            push(granted_as(now), field, before, after);
            of_power = field;
        }
        Some(ChangeOfPower::Revoked) => {
            let (field, value, after) = cause(before, now);
            push(revoked_as(before), field, value, after);
            of_power = field;
        }
        None => {}
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
    power
}
