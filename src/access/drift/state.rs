//! A user at the time of one of two audits, in the form in which both are compared.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};

use super::{About, Seen, SnapshotHeader, SnapshotUser};
use crate::{
    access::{
        matrix::MatrixRow,
        power::{Power, Yardstick},
    },
    model::{
        change::{Departed, LastPower},
        directory::Role,
        id::{ProfileId, RoleId},
        status::{Status, StatusKind},
        unread::{Field, Fields},
    },
};

/// What is shown of a value that could not be read.
pub(super) const UNKNOWN: &str = "unknown";

/// The names that ids had at the previous audit, and the power that they gave.
pub(super) struct Names<'a> {
    roles: HashMap<&'a str, &'a str>,
    profiles: HashMap<&'a str, &'a str>,
    yardstick: Yardstick<'a>,
    /// Whether the API said which roles are administrative now or earlier, and not then: then it is not known for any role.
    is_silent_on_roles: bool,
    /// What was known earlier of users whose power the API did not tell then.
    untold: HashMap<&'a str, LastPower>,
    /// The users whose full power was new and not approved.
    undecided: HashSet<&'a str>,
}

/// A user of the previous audit, and what the ids meant then.
pub(super) struct Before<'p, 'a> {
    pub(super) user: SnapshotUser<'p>,
    status: StatusKind,
    role_name: Option<&'a str>,
    profile_name: Option<&'a str>,
    profile_power: Power,
    role_power: Power,
}

impl<'a> Names<'a> {
    pub(super) fn of(header: &'a SnapshotHeader, seen: &Seen<'_>) -> Self {
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
            is_silent_on_roles: !marks(&header.roles) && (marks(&seen.matrix.directory().roles) || header.untold.roles),
            untold: header.untold.users.iter().map(|(id, last)| (id.as_str(), *last)).collect(),
            undecided: header.undecided.iter().map(String::as_str).collect(),
        }
    }

    /// What is known of a user's power then, or before that if the API did not tell it. `None` if it never did.
    pub(super) fn last_power(&self, before: &State<'_>) -> Option<LastPower> {
        if before.can_administer() {
            let is_undecided = self.undecided.contains(before.id);
            Some(if is_undecided { LastPower::Undecided } else { LastPower::Full })
        } else if before.is_untold() {
            self.untold.get(before.id).copied()
        } else {
            Some(LastPower::Less)
        }
    }

    pub(super) fn user<'p>(&self, user: SnapshotUser<'p>) -> Before<'p, 'a> {
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
pub(super) fn marks(roles: &[Role]) -> bool {
    roles.iter().any(|role| role.admin_user.is_some())
}

/// All of a user that can change, whether from a store or from a directory.
pub(super) struct State<'a> {
    pub(super) id: &'a str,
    pub(super) label: &'a str,
    pub(super) full_name: Option<&'a str>,
    pub(super) email: Option<&'a str>,
    pub(super) status: &'a str,
    pub(super) kind: StatusKind,
    pub(super) confirmed: Option<bool>,
    pub(super) role: Option<Held<'a>>,
    pub(super) profile: Option<Held<'a>>,
    pub(super) profile_power: Power,
    pub(super) role_power: Power,
    pub(super) unread: Fields,
}

/// A role or profile as it is compared, by id, and shown, by name.
#[derive(Clone, Copy)]
pub(super) struct Held<'a> {
    pub(super) id: &'a str,
    pub(super) name: &'a str,
}

/// A way to full power: a profile or a role, by id, with what it gives.
pub(super) struct Way<'a> {
    pub(super) power: Power,
    pub(super) id: Option<&'a str>,
    pub(super) field: Field,
}

impl Before<'_, '_> {
    pub(super) fn state(&self) -> State<'_> {
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
    pub(super) fn of(row: &MatrixRow<'a>, yardstick: &Yardstick<'_>, is_silent_on_roles: bool) -> Self {
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
            profile_power: match row.profile_power {
                power if yardstick.may_be_full(power, Power::Ordinary) => Power::Unknown,
                power => power,
            },
            role_power: if row.role.is_some() && is_silent_on_roles { Power::Unknown } else { row.role_power },
            unread: user.unread(),
        }
    }

    pub(super) fn about(&self) -> About<'a> {
        About { kind: "user", id: self.id, label: self.label }
    }

    pub(super) fn is_deleted(&self) -> bool {
        self.kind == StatusKind::Deleted
    }

    /// What is remembered of a user who is not listed any more; `None` without an address, by which it would be found.
    pub(super) fn departed(&self, missed_at: DateTime<Utc>) -> Option<Departed> {
        let email = self.email.filter(|email| !email.trim().is_empty())?.to_owned();
        Some(Departed { email, name: self.full_name.map(str::to_owned), missed_at })
    }

    pub(super) fn power(&self) -> Power {
        self.profile_power.with_role(self.role_power)
    }

    /// What can give full power.
    pub(super) fn ways(&self) -> [Way<'a>; 2] {
        [
            Way { power: self.profile_power, id: id(self.profile), field: Field::Profile },
            Way { power: self.role_power, id: id(self.role), field: Field::Role },
        ]
    }

    /// Whether this user is active and has full power.
    pub(super) fn can_administer(&self) -> bool {
        self.power().is_full() && self.kind == StatusKind::Active
    }

    /// Whether the API does not tell whether a user can administer who is not known to.
    pub(super) fn is_untold(&self) -> bool {
        let powers = [self.profile_power, self.role_power];
        let is_open = powers.iter().any(|power| power.is_full() || *power == Power::Unknown);
        is_open && if self.unread.has(Field::Status) { !self.is_deleted() } else { self.kind == StatusKind::Active }
    }

    /// A user who had full power when it was last told, by what may still have given it.
    pub(super) fn presumed(&self) -> State<'a> {
        let full = |power| if power == Power::Unknown { Power::Equivalent } else { power };
        // Only an active user has full power; a status that could not be read is taken for the last one.
        let kind = if self.unread.has(Field::Status) { StatusKind::Active } else { self.kind };
        Self { kind, profile_power: full(self.profile_power), role_power: full(self.role_power), ..*self }
    }

    /// The profile that this user has. Deleted users have none.
    pub(super) fn profile_held(&self) -> &'a str {
        if self.unread.has(Field::Profile) {
            return UNKNOWN;
        }
        self.profile.filter(|_| !self.is_deleted()).map_or("", |profile| profile.name)
    }

    /// Status, profile and role in a few words.
    pub(super) fn access(&self) -> String {
        let profile = self.profile.map_or("no profile", |profile| profile.name);
        let role = self.role.map_or("no role", |role| role.name);
        format!("{}, {profile}, {role}", self.status)
    }
}

pub(super) fn id(held: Option<Held<'_>>) -> Option<&str> {
    held.map(|held| held.id)
}

pub(super) fn name(held: Option<Held<'_>>) -> &str {
    held.map_or("", |held| held.name)
}
