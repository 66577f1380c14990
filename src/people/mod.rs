//! Everybody across the workspaces of a job: one person is one address and its aliases. Who can do what in which
//! workspace, who can administer where, and which accounts were left behind when the others of a person were removed.
//!
//! It works from what audits leave behind ([`SnapshotHeader`] and its users), so the audits may be of different processes
//! and times. A workspace that could not be read is part of the answer, and nothing follows from what it did not list.

mod conflicts;
mod gather;
mod said;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use chrono::{DateTime, Utc};

pub use self::{
    conflicts::{Conflict, RULE},
    gather::Gathering,
};
#[cfg(doc)]
use crate::access::drift::SnapshotHeader;
use crate::{
    access::power::Power,
    model::{
        directory::{Profile, Role},
        id::{ProfileId, RoleId},
        users::Stated,
    },
};

/// Everybody, and what is known of each workspace.
#[derive(Debug)]
pub struct People {
    /// The workspaces, by name.
    pub workspaces: Vec<Workspace>,
    /// The people, by address; then accounts without an address, each as a person of its own.
    pub persons: Vec<Person>,
    /// Who holds, in different workspaces, rights that one person must not hold together: the most severe first.
    pub conflicts: Vec<Conflict>,
    /// What could not be decided about that, as sentences without a full stop.
    pub undecided: Vec<String>,
}

/// One workspace of the job.
#[derive(Debug)]
pub struct Workspace {
    /// Its name in the configuration.
    pub name: String,
    /// Whether its users are known.
    pub standing: Standing,
    /// When the last answer of its read arrived; `None` if there was no read.
    pub read_at: Option<DateTime<Utc>>,
    /// The role list, and the roles that users state and the list does not have.
    pub roles: Vec<Listed<RoleId, Role>>,
    /// The profile list, and the profiles that users state and the list does not have.
    pub profiles: Vec<Listed<ProfileId, Profile>>,
}

/// Whether the users of a workspace are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// All of them.
    Complete,
    /// Those that were read. Somebody who is not among them may still have an account.
    Incomplete,
    /// None; with the reason.
    Missing(String),
}

/// A role or a profile that users state.
#[derive(Debug)]
pub struct Listed<Id, Master> {
    /// Its id.
    pub stated: Stated<Id>,
    /// Its entry in the list; `None` if the list does not have it.
    pub master: Option<Master>,
}

/// What an account allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Activity {
    /// Its holder can sign in.
    Active,
    /// It is disabled, or listed as deleted.
    Inactive,
    /// An earlier audit listed it, and this one does not.
    Removed,
    /// The API does not say, or says something unknown.
    Unknown,
}

impl Activity {
    /// The word in files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Removed => "removed",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the holder can certainly not sign in.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Inactive | Self::Removed)
    }
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The place of its workspace in [`People::workspaces`].
    pub workspace: usize,
    /// The user's id; empty for one that is not listed any more.
    pub id: Box<str>,
    /// The display name.
    pub name: Option<Box<str>>,
    /// The address.
    pub email: Option<Box<str>>,
    /// The status as the API wrote it; `removed` for one that is not listed any more.
    pub status: Arc<str>,
    /// What the status means.
    pub activity: Activity,
    /// Whether the invitation was accepted.
    pub confirmed: Option<bool>,
    /// The place of the role in [`Workspace::roles`].
    pub role: Option<usize>,
    /// The place of the profile in [`Workspace::profiles`].
    pub profile: Option<usize>,
    /// How much power it gives.
    pub power: Power,
    /// When the account was no longer listed; `None` for one that is listed.
    pub missed_at: Option<DateTime<Utc>>,
}

impl Account {
    /// Whether it is active and gives full power.
    pub fn can_administer(&self) -> bool {
        self.power.is_full() && self.activity == Activity::Active
    }
}

/// One person.
#[derive(Debug, PartialEq, Eq)]
pub struct Person {
    /// The address that stands for the person; `None` if the account has no address.
    pub address: Option<String>,
    /// Name, else address, else id.
    pub label: String,
    /// The accounts, by workspace and id. There is at least one.
    pub accounts: Vec<Account>,
}

impl Person {
    /// The places of the workspaces in which the person can administer, in their order.
    pub fn administers(&self) -> Vec<usize> {
        places(self.accounts.iter().filter(|account| account.can_administer()))
    }

    /// The places of the workspaces in which the person can sign in.
    pub fn active_in(&self) -> Vec<usize> {
        places(self.accounts.iter().filter(|account| account.activity == Activity::Active))
    }

    /// The places of the workspaces in which every account of the person is disabled or removed.
    pub fn gone_from(&self) -> Vec<usize> {
        let of_one = self.accounts.chunk_by(|one, other| one.workspace == other.workspace);
        let over = of_one.filter(|accounts| accounts.iter().all(|account| account.activity.is_over()));
        over.map(|accounts| accounts[0].workspace).collect()
    }

    /// Whether an account stayed active in one workspace after those in another one were removed or disabled.
    pub fn is_left_behind(&self) -> bool {
        !self.gone_from().is_empty() && !self.active_in().is_empty()
    }
}

fn places<'a>(accounts: impl Iterator<Item = &'a Account>) -> Vec<usize> {
    let mut places: Vec<usize> = accounts.map(|account| account.workspace).collect();
    places.dedup();
    places
}

impl People {
    /// The people who can administer at least one workspace: those with the most workspaces first.
    pub fn administrators(&self) -> Vec<&Person> {
        let mut found: Vec<(usize, &Person)> = self
            .persons
            .iter()
            .map(|person| (person.administers().len(), person))
            .filter(|(all, _)| *all > 0)
            .collect();
        // Stable: the people of one number stay in their order.
        found.sort_by_key(|(all, _)| std::cmp::Reverse(*all));
        found.into_iter().map(|(_, person)| person).collect()
    }

    /// The people with accounts that were left behind.
    pub fn left_behind(&self) -> impl Iterator<Item = &Person> {
        self.persons.iter().filter(|person| person.is_left_behind())
    }

    /// The workspaces whose users are known, at least some of them.
    pub fn read(&self) -> impl Iterator<Item = &Workspace> {
        self.workspaces.iter().filter(|workspace| !matches!(workspace.standing, Standing::Missing(_)))
    }

    /// How many accounts have no address: each stands for itself.
    pub fn without_address(&self) -> usize {
        self.persons.iter().filter(|person| person.address.is_none()).count()
    }

    /// The name of the workspace at a place.
    pub fn name(&self, place: usize) -> &str {
        &self.workspaces[place].name
    }

    /// The names of the workspaces at some places.
    pub fn names(&self, places: &[usize]) -> Vec<&str> {
        places.iter().map(|place| self.name(*place)).collect()
    }

    /// The name of an account's role; its id if the role list does not have it; empty without a role.
    pub fn role(&self, account: &Account) -> &str {
        let role = account.role.map(|place| &self.workspaces[account.workspace].roles[place]);
        role.map_or("", |role| role.master.as_ref().map_or(role.stated.id.as_str(), |master| &master.name))
    }

    /// The name of an account's profile; its id if the profile list does not have it; empty without a profile.
    pub fn profile(&self, account: &Account) -> &str {
        let profile = account.profile.map(|place| &self.workspaces[account.workspace].profiles[place]);
        profile.map_or("", |profile| profile.master.as_ref().map_or(profile.stated.id.as_str(), |master| &master.name))
    }
}
