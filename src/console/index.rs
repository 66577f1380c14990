//! An audit, indexed once, so that a page of 100,000 users is a walk over memory: searched, filtered, sorted and cut to a
//! page.

mod texts;

use std::{
    borrow::Cow,
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    sync::{Arc, OnceLock},
};

use self::texts::Texts;
use crate::{
    access::{
        drift::{KnownFinding, SnapshotHeader, SnapshotUser},
        power::{Power, Yardstick},
    },
    audit::RuleSet,
    model::{
        directory::{Profile, Role},
        finding::Severity,
        id::numeric_order,
        policy::{Policy, RuleSetting},
        rule::RuleList,
        status::{Status, StatusKind},
    },
    store::AuditRecord,
};

/// Users on one page.
pub const PAGE: usize = 100;

/// A complete audit, ready to be asked.
#[derive(Debug)]
pub struct Indexed {
    /// What is known of it.
    pub record: AuditRecord,
    /// Everything of it but the users.
    pub header: SnapshotHeader,
    accounts: Vec<Account>,
    roles: HashMap<Box<str>, usize>,
    profiles: HashMap<Box<str>, usize>,
    /// The places of findings about a user.
    findings: HashMap<Box<str>, Vec<usize>>,
    /// How many users hold a role or a profile, without deleted ones.
    holders: [HashMap<Box<str>, usize>; 2],
    orders: [OnceLock<Box<[u32]>>; Sort::ALL.len()],
    rules: OnceLock<Rules>,
    statuses: OnceLock<BTreeMap<Box<str>, usize>>,
    texts: Texts,
}

/// The rules that judged an audit, and its findings in the order of their severity.
#[derive(Debug)]
pub struct Rules {
    /// The rules.
    pub list: Arc<RuleList>,
    /// The places of the findings: the most severe rules first, the findings of a rule in their order.
    pub order: Box<[u32]>,
}

/// A user.
#[derive(Debug)]
pub struct Account {
    /// The id.
    pub id: Box<str>,
    /// The display name.
    pub name: Option<Box<str>>,
    /// The address.
    pub email: Option<Box<str>>,
    /// The status as the API wrote it.
    pub status: Box<str>,
    /// What the status means.
    pub kind: StatusKind,
    /// Whether the invitation was accepted. `None` if the API did not say.
    pub confirmed: Option<bool>,
    /// The role's id.
    pub role: Option<Box<str>>,
    /// The profile's id.
    pub profile: Option<Box<str>>,
    /// How much power the user has.
    pub power: Power,
    /// How many findings are open about the user.
    pub open: u32,
}

impl Account {
    /// How a person would name this user.
    pub fn label(&self) -> &str {
        let text = |text: &&str| !text.trim().is_empty();
        let name = self.name.as_deref().filter(text);
        name.or(self.email.as_deref().filter(text)).unwrap_or(&self.id)
    }
}

/// What the users are sorted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// The name.
    #[default]
    Name,
    /// The address.
    Email,
    /// The status.
    Status,
    /// The role's name.
    Role,
    /// The profile's name.
    Profile,
    /// How much power, the most first.
    Power,
    /// How many open findings, the most first.
    Findings,
}

impl Sort {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Name, Self::Email, Self::Status, Self::Role, Self::Profile, Self::Power, Self::Findings];

    /// Its name in an address.
    pub fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Email => "email",
            Self::Status => "status",
            Self::Role => "role",
            Self::Profile => "profile",
            Self::Power => "power",
            Self::Findings => "findings",
        }
    }
}

/// Which users, and in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// A part of the name, the address or the id. Empty for any.
    pub text: String,
    /// The status as the API wrote it. Empty for any.
    pub status: String,
    /// How much power, as a word. Empty for any.
    pub power: String,
    /// The role's id. Empty for any.
    pub role: String,
    /// The profile's id. Empty for any.
    pub profile: String,
    /// Whether only users with open findings are wanted.
    pub flagged: bool,
    /// The order.
    pub sort: Sort,
    /// Whether it is reversed.
    pub reversed: bool,
    /// The page, from 1.
    pub page: usize,
}

/// A page of the users that were asked for.
#[derive(Debug)]
pub struct Found<'a> {
    /// The users.
    pub accounts: Vec<&'a Account>,
    /// How many there are on all pages.
    pub all: usize,
    /// The page, from 1.
    pub page: usize,
    /// How many pages there are, at least 1.
    pub pages: usize,
}

impl Indexed {
    /// Indexes an audit.
    ///
    /// # Errors
    /// The first error of `users`.
    pub fn of<E>(
        record: AuditRecord,
        header: SnapshotHeader,
        users: impl IntoIterator<Item = Result<SnapshotUser<'static>, E>>,
    ) -> Result<Self, E> {
        let mut findings: HashMap<Box<str>, Vec<usize>> = HashMap::new();
        for (place, finding) in header.findings.iter().enumerate().filter(|(_, one)| &*one.subject_type == "user") {
            findings.entry(finding.subject_id.clone()).or_default().push(place);
        }
        let dangerous = header.policy.as_ref().map_or(&[][..], |policy| &policy.dangerous_permissions);
        let yardstick = Yardstick::new(&header.profiles, &header.roles, &header.administrator_profiles, dangerous);
        let open = |id: &str| {
            let places = findings.get(id).into_iter().flatten();
            u32::try_from(places.filter(|place| header.findings[**place].open).count()).unwrap_or(u32::MAX)
        };
        let (mut accounts, mut texts) = (Vec::new(), Texts::default());
        for user in users {
            let user = user?;
            texts.add([user.full_name.as_deref(), user.email.as_deref(), Some(&*user.id)].into_iter().flatten());
            accounts.push(account(&user, &yardstick, open(&user.id)));
        }
        let places = |ids: Vec<&str>| ids.into_iter().enumerate().map(|(place, id)| (id.into(), place)).collect();
        let roles = places(header.roles.iter().map(|role| role.id.as_str()).collect());
        let profiles = places(header.profiles.iter().map(|profile| profile.id.as_str()).collect());
        let mut holders: [HashMap<Box<str>, usize>; 2] = Default::default();
        for account in accounts.iter().filter(|account| account.kind != StatusKind::Deleted) {
            for (held, holders) in [&account.role, &account.profile].into_iter().zip(&mut holders) {
                if let Some(id) = held {
                    *holders.entry(id.clone()).or_default() += 1;
                }
            }
        }
        Ok(Self {
            record,
            accounts,
            roles,
            profiles,
            findings,
            header,
            holders,
            orders: Default::default(),
            rules: OnceLock::new(),
            statuses: OnceLock::new(),
            texts,
        })
    }

    /// How many users it has.
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether it has no users.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    /// All users, by id.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// A user.
    pub fn account(&self, id: &str) -> Option<&Account> {
        let found = self.accounts.binary_search_by(|account| numeric_order(&account.id, id));
        found.ok().map(|place| &self.accounts[place])
    }

    /// A role of the master list.
    pub fn role(&self, id: &str) -> Option<&Role> {
        self.roles.get(id).map(|place| &self.header.roles[*place])
    }

    /// A profile of the master list.
    pub fn profile(&self, id: &str) -> Option<&Profile> {
        self.profiles.get(id).map(|place| &self.header.profiles[*place])
    }

    /// How many users hold a role, without deleted ones.
    pub fn holders_of_role(&self, id: &str) -> usize {
        self.holders[0].get(id).copied().unwrap_or(0)
    }

    /// How many users hold a profile, without deleted ones.
    pub fn holders_of_profile(&self, id: &str) -> usize {
        self.holders[1].get(id).copied().unwrap_or(0)
    }

    /// The findings about a user.
    pub fn findings_of(&self, user: &str) -> impl Iterator<Item = &KnownFinding> {
        self.findings.get(user).into_iter().flatten().map(|place| &self.header.findings[*place])
    }

    /// The name of the role that a user holds, else its id; empty if there is none.
    pub fn role_name<'a>(&'a self, account: &'a Account) -> &'a str {
        account.role.as_deref().map_or("", |id| self.role(id).map_or(id, |role| role.name.as_str()))
    }

    /// The name of the profile that a user holds, else its id; empty if there is none.
    pub fn profile_name<'a>(&'a self, account: &'a Account) -> &'a str {
        account.profile.as_deref().map_or("", |id| self.profile(id).map_or(id, |profile| profile.name.as_str()))
    }

    /// The role that a user holds, as pages show it: a role that is not in the list is called unknown, with its id.
    pub fn shown_role(&self, account: &Account) -> String {
        match account.role.as_deref() {
            Some(id) if self.role(id).is_none() => format!("unknown role ({id})"),
            _ => self.role_name(account).to_owned(),
        }
    }

    /// The same of the profile.
    pub fn shown_profile(&self, account: &Account) -> String {
        match account.profile.as_deref() {
            Some(id) if self.profile(id).is_none() => format!("unknown profile ({id})"),
            _ => self.profile_name(account).to_owned(),
        }
    }

    /// What a profile gives.
    pub fn power_of_profile(&self, id: &str) -> Power {
        let dangerous = self.header.policy.as_ref().map_or(&[][..], |policy| &policy.dangerous_permissions);
        let SnapshotHeader { profiles, roles, administrator_profiles, .. } = &self.header;
        Yardstick::new(profiles, roles, administrator_profiles, dangerous).of_profile(&id.into())
    }

    /// The statuses that occur, with how often.
    pub fn statuses(&self) -> &BTreeMap<Box<str>, usize> {
        self.statuses.get_or_init(|| {
            let mut statuses = BTreeMap::new();
            for account in &self.accounts {
                *statuses.entry(account.status.clone()).or_default() += 1;
            }
            statuses
        })
    }

    /// The rules that judged it.
    pub fn rules(&self) -> &Rules {
        self.rules.get_or_init(|| {
            let list = Arc::clone(RuleSet::for_policy(&self.policy()).list());
            let findings = &self.header.findings;
            let mut order: Vec<u32> = (0..u32::try_from(findings.len()).unwrap_or(u32::MAX)).collect();
            order.sort_by_cached_key(|place| {
                let rule = &findings[*place as usize].rule;
                (Reverse(self.severity(&list, rule)), &**rule)
            });
            Rules { list, order: order.into_boxed_slice() }
        })
    }

    /// The policy that it was judged by.
    pub fn policy(&self) -> Cow<'_, Policy> {
        self.header.policy.as_ref().map_or_else(|| Cow::Owned(Policy::default()), Cow::Borrowed)
    }

    /// The severity that the policy or else the rule itself gives its findings. `None` if the rule is not known.
    pub fn severity(&self, list: &RuleList, rule: &str) -> Option<Severity> {
        match self.header.policy.as_ref().and_then(|policy| policy.rules.get(rule)) {
            Some(RuleSetting::Severity(severity)) => Some(*severity),
            _ => list.get(rule).map(|info| info.severity),
        }
    }

    /// The users that are asked for. A page that is not there is the last one.
    pub fn find(&self, question: &Question) -> Found<'_> {
        let wanted = Wanted(question);
        let order = self.order(question.sort);
        let places = if wanted.is_anybody() {
            Cow::Borrowed(order)
        } else {
            // In the order in which they are in memory: to jump from one to another would take several times as long.
            let mut has = self.texts.that_have(&question.text, self.accounts.len());
            for (has, account) in has.iter_mut().zip(&self.accounts) {
                *has = *has && wanted.has(account);
            }
            Cow::Owned(order.iter().copied().filter(|place| has[*place as usize]).collect())
        };
        let all = places.len();
        let pages = all.div_ceil(PAGE).max(1);
        let page = question.page.clamp(1, pages);
        let shown = (page - 1) * PAGE..(page * PAGE).min(all);
        let place = |at: usize| if question.reversed { places[all - 1 - at] } else { places[at] };
        let accounts = shown.map(|at| &self.accounts[place(at) as usize]).collect();
        Found { accounts, all, page, pages }
    }

    /// The places of all users in an order. Users that are equal in it are in the order of their ids.
    fn order(&self, sort: Sort) -> &[u32] {
        let order = Sort::ALL.iter().position(|one| *one == sort).map_or(&self.orders[0], |place| &self.orders[place]);
        order.get_or_init(|| {
            let mut places: Vec<u32> = (0..u32::try_from(self.accounts.len()).unwrap_or(u32::MAX)).collect();
            match sort {
                Sort::Name => self.by_text(&mut places, |account| account.label().to_lowercase()),
                Sort::Email => {
                    self.by_text(&mut places, |account| account.email.as_deref().unwrap_or_default().to_lowercase());
                }
                Sort::Status => self.by_text(&mut places, |account| account.status.to_string()),
                Sort::Role => self.by_text(&mut places, |account| self.role_name(account).to_lowercase()),
                Sort::Profile => self.by_text(&mut places, |account| self.profile_name(account).to_lowercase()),
                Sort::Power => places.sort_by_key(|place| rank(self.accounts[*place as usize].power)),
                Sort::Findings => {
                    places.sort_by_key(|place| Reverse(self.accounts[*place as usize].open));
                }
            }
            places.into_boxed_slice()
        })
    }

    /// Sorts by a text; users without one come last.
    fn by_text(&self, places: &mut [u32], text: impl Fn(&Account) -> String) {
        places.sort_by_cached_key(|place| {
            let text = text(&self.accounts[*place as usize]);
            (text.is_empty(), text)
        });
    }
}

fn account(user: &SnapshotUser<'static>, yardstick: &Yardstick<'_>, open: u32) -> Account {
    let boxed = |text: &Option<std::borrow::Cow<'static, str>>| text.as_deref().map(Box::from);
    Account {
        id: user.id.as_ref().into(),
        name: boxed(&user.full_name),
        email: boxed(&user.email),
        status: user.status.as_ref().into(),
        kind: Status::from(&*user.status).kind(),
        confirmed: user.confirmed,
        role: boxed(&user.role_id),
        profile: boxed(&user.profile_id),
        power: yardstick.of_user(user.profile_id.as_deref(), user.role_id.as_deref(), user.unread),
        open,
    }
}

/// The order of powers, the most first. What is unknown may be full power.
fn rank(power: Power) -> u8 {
    match power {
        Power::Administrator => 0,
        Power::Equivalent => 1,
        Power::Unknown => 2,
        Power::Dangerous => 3,
        Power::Ordinary => 4,
    }
}

/// A question in the form in which it is asked of each user.
struct Wanted<'q>(&'q Question);

impl Wanted<'_> {
    /// Whether every user is wanted.
    fn is_anybody(&self) -> bool {
        let Question { text, status, power, role, profile, flagged, .. } = self.0;
        !flagged && text.trim().is_empty() && [status, power, role, profile].into_iter().all(String::is_empty)
    }

    /// Whether it wants a user whose text fits.
    fn has(&self, account: &Account) -> bool {
        let Question { status, power, role, profile, flagged, .. } = self.0;
        let is = |wanted: &str, value: &str| wanted.is_empty() || wanted == value;
        is(status, &account.status)
            && is(power, account.power.word())
            && is(role, account.role.as_deref().unwrap_or_default())
            && is(profile, account.profile.as_deref().unwrap_or_default())
            && (!flagged || account.open > 0)
    }
}

#[cfg(test)]
mod tests;
