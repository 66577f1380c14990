//! From the audits of the workspaces to the people.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use super::{
    Account, Activity, Listed, People, Person, Standing, Workspace,
    conflicts::{Conflicts, Terms, conflicts},
};
use crate::{
    access::{
        drift::{SnapshotHeader, SnapshotUser},
        power::{Power, Yardstick},
    },
    model::{
        change::Departed,
        directory::{Profile, Role},
        email,
        id::numeric_order,
        policy::Policy,
        status::{Status, StatusKind},
        unread::Field,
        users::Stated,
    },
};

/// The status of an account that is not listed any more.
const REMOVED: &str = "removed";

/// The workspaces of a job as they come, in any order.
#[derive(Debug, Default)]
pub struct Gathering {
    workspaces: Vec<(Workspace, Vec<Account>, Terms)>,
    /// The address that stands for a person, by another address of the person. `None` if two audits say different ones.
    aliases: BTreeMap<String, Option<String>>,
}

/// The roles or profiles of a workspace, by id.
struct Places<Id, Master> {
    listed: Vec<Listed<Id, Master>>,
    places: HashMap<String, usize>,
}

impl<Id: for<'a> From<&'a str>, Master: Clone> Places<Id, Master> {
    fn of(masters: &[Master], id: impl Fn(&Master) -> &str) -> Self {
        let listed = |master: &Master| Listed {
            stated: Stated { id: Id::from(id(master)), name: None },
            master: Some(master.clone()),
        };
        let places = masters.iter().enumerate().map(|(place, master)| (id(master).to_owned(), place)).collect();
        let listed = masters.iter().map(listed).collect();
        Self { listed, places }
    }

    fn place(&mut self, id: &str) -> usize {
        if let Some(place) = self.places.get(id) {
            return *place;
        }
        self.listed.push(Listed { stated: Stated { id: Id::from(id), name: None }, master: None });
        self.places.insert(id.to_owned(), self.listed.len() - 1);
        self.listed.len() - 1
    }
}

impl Gathering {
    /// A workspace without an audit, and why.
    pub fn missing(&mut self, name: &str, reason: &str) {
        let workspace = Workspace {
            name: name.to_owned(),
            standing: Standing::Missing(reason.to_owned()),
            read_at: None,
            roles: Vec::new(),
            profiles: Vec::new(),
        };
        self.workspaces.push((workspace, Vec::new(), Terms::default()));
    }

    /// A workspace with what its audit left behind, and whether its read was complete.
    ///
    /// # Errors
    /// The first error of `users`; the workspace is then not part of the answer.
    pub fn add<'u, E>(
        &mut self,
        name: &str,
        is_complete: bool,
        header: &SnapshotHeader,
        users: impl IntoIterator<Item = Result<SnapshotUser<'u>, E>>,
    ) -> Result<(), E> {
        let mut roles = Places::of(&header.roles, |role: &Role| role.id.as_str());
        let mut profiles = Places::of(&header.profiles, |profile: &Profile| profile.id.as_str());
        let default = Policy::default();
        let dangerous = &header.policy.as_ref().unwrap_or(&default).dangerous_permissions;
        let yardstick = Yardstick::new(&header.profiles, &header.roles, &header.administrator_profiles, dangerous);
        let mut statuses: HashSet<Arc<str>> = HashSet::new();
        let mut accounts = Vec::with_capacity(usize::try_from(header.users).unwrap_or(0).min(1 << 20));
        for user in users {
            let user = user?;
            accounts.push(Account {
                workspace: 0,
                id: (&*user.id).into(),
                name: user.full_name.as_deref().map(Into::into),
                email: user.email.as_deref().map(Into::into),
                status: interned(&mut statuses, &user.status),
                activity: activity(&user),
                confirmed: user.confirmed,
                role: user.role_id.as_deref().map(|id| roles.place(id)),
                profile: user.profile_id.as_deref().map(|id| profiles.place(id)),
                power: yardstick.of_user(user.profile_id.as_deref(), user.role_id.as_deref(), user.unread),
                missed_at: None,
            });
        }
        // Somebody whom an incomplete read does not list may have come back.
        if is_complete {
            accounts.extend(header.departed.iter().map(|one| departed(one, interned(&mut statuses, REMOVED))));
        }
        let standing = if is_complete { Standing::Complete } else { Standing::Incomplete };
        let workspace = Workspace {
            name: name.to_owned(),
            standing,
            read_at: Some(header.finished_at),
            roles: roles.listed,
            profiles: profiles.listed,
        };
        for (alias, address) in &header.aliases {
            let known = self.aliases.entry(alias.clone()).or_insert_with(|| Some(address.clone()));
            if known.as_ref() != Some(address) {
                *known = None;
            }
        }
        let terms = header.policy.as_ref().map(Terms::of).unwrap_or_default();
        self.workspaces.push((workspace, accounts, terms));
        Ok(())
    }

    /// The people.
    pub fn people(mut self) -> People {
        self.workspaces.sort_by(|(one, ..), (other, ..)| one.name.cmp(&other.name));
        let (mut workspaces, mut terms) = (Vec::with_capacity(self.workspaces.len()), Vec::new());
        let mut by_address: BTreeMap<String, Vec<Account>> = BTreeMap::new();
        let mut alone = Vec::new();
        for (place, (workspace, accounts, of_policy)) in self.workspaces.into_iter().enumerate() {
            workspaces.push(workspace);
            terms.push(of_policy);
            for account in accounts {
                let account = Account { workspace: place, ..account };
                match address(&account, &self.aliases) {
                    Some(address) => by_address.entry(address).or_default().push(account),
                    None => alone.push(account),
                }
            }
        }
        let mut persons: Vec<Person> =
            by_address.into_iter().filter_map(|(address, accounts)| person(Some(address), accounts)).collect();
        // By workspace and id already, except that the ids are numbers.
        alone.sort_by(in_order);
        persons.extend(alone.into_iter().filter_map(|account| person(None, vec![account])));
        let Conflicts { found: conflicts, unknown: undecided } = conflicts(&workspaces, &persons, &terms);
        People { workspaces, persons, conflicts, undecided }
    }
}

fn interned(known: &mut HashSet<Arc<str>>, text: &str) -> Arc<str> {
    if let Some(known) = known.get(text) {
        return Arc::clone(known);
    }
    let new: Arc<str> = text.into();
    known.insert(Arc::clone(&new));
    new
}

fn activity(user: &SnapshotUser<'_>) -> Activity {
    if user.unread.has(Field::Status) {
        return Activity::Unknown;
    }
    match Status::from(&*user.status).kind() {
        StatusKind::Active => Activity::Active,
        StatusKind::Inactive | StatusKind::Deleted => Activity::Inactive,
        StatusKind::Other => Activity::Unknown,
    }
}

fn departed(one: &Departed, status: Arc<str>) -> Account {
    Account {
        workspace: 0,
        id: Box::default(),
        name: one.name.as_deref().map(Into::into),
        email: Some(one.email.as_str().into()),
        status,
        activity: Activity::Removed,
        confirmed: None,
        role: None,
        profile: None,
        power: Power::Ordinary,
        missed_at: Some(one.missed_at),
    }
}

/// The address that stands for the person; `None` without an address.
fn address(account: &Account, aliases: &BTreeMap<String, Option<String>>) -> Option<String> {
    let address = email::comparable(account.email.as_deref()?);
    if address.is_empty() {
        return None;
    }
    Some(aliases.get(&address).cloned().flatten().unwrap_or(address))
}

fn in_order(one: &Account, other: &Account) -> std::cmp::Ordering {
    let by_id = || numeric_order(&one.id, &other.id);
    (one.workspace.cmp(&other.workspace)).then_with(by_id).then_with(|| one.email.cmp(&other.email))
}

/// A person with these accounts; `None` if every account is removed.
fn person(address: Option<String>, mut accounts: Vec<Account>) -> Option<Person> {
    if accounts.iter().all(|account| account.activity == Activity::Removed) {
        return None;
    }
    accounts.sort_by(in_order);
    let text = |text: &&str| !text.trim().is_empty();
    let named = |account: &Account| account.name.as_deref().filter(text).map(str::to_owned);
    let active = accounts.iter().filter(|account| account.activity == Activity::Active).find_map(named);
    let label = active.or_else(|| accounts.iter().find_map(named)).or_else(|| address.clone());
    let label = label.or_else(|| accounts.first().map(|account| account.id.to_string()))?;
    Some(Person { address, label, accounts })
}
