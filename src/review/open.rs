//! Opens a review: from the snapshots of complete audits to numbered items with their reviewers.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap},
};

use chrono::{DateTime, Days, SubsecRound as _, Utc};

use super::{
    assign::{Assigning, Need, NoReviewer, Rule},
    event::{Basis, Opening, RemediationDays, Scope},
    item::{Flag, Item, ItemId, Last, Masters, Named, Population, canonical_sha256},
    person::{Address, Worker},
    staff::Staff,
    state::Review,
};
use crate::{
    access::{
        drift::{SnapshotHeader, SnapshotUser},
        power::{Power, Yardstick},
    },
    model::{
        actor::Actor,
        directory::Profile,
        id::{ProfileId, RoleId},
        policy::Policy,
        roster::Roster,
        status::{Status, StatusKind},
        unread::Field,
    },
};

/// A review as it is configured.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Its name.
    pub name: String,
    /// The job whose latest complete audits it is about.
    pub job: String,
    /// Which accounts.
    pub scope: Scope,
    /// Days from the opening until every decision is due.
    pub due_days: u32,
    /// Who opens, assigns and closes.
    pub owner: Address,
    /// Who decides.
    pub reviewers: Vec<Rule>,
    /// Whether a removal is to be carried out by another person than who decided it.
    pub four_eyes: bool,
    /// Until when a decision has to be carried out.
    pub remediation_days: RemediationDays,
    /// Who is told when it is overdue.
    pub escalate_to: Option<Address>,
}

/// The audit of one workspace.
#[derive(Debug)]
pub struct Source {
    /// Which.
    pub basis: Basis,
    /// What was kept of it.
    pub header: SnapshotHeader,
    /// The users, by id.
    pub users: Vec<SnapshotUser<'static>>,
    /// Who works for the company, as the audit read it. `None` if its policy has no roster.
    pub roster: Option<Roster>,
}

/// Why and for what a review is opened.
#[derive(Debug, Clone)]
pub struct Occasion {
    /// Now.
    pub at: DateTime<Utc>,
    /// The scheduled time; `None` on demand.
    pub fire_at: Option<DateTime<Utc>>,
    /// Who opens it.
    pub by: Actor,
}

/// An account that cannot be reviewed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{workspace}: {account}: {}", reason(*.why))]
pub struct Unassigned {
    /// The workspace.
    pub workspace: String,
    /// The account.
    pub account: String,
    /// Why.
    pub why: NoReviewer,
}

fn reason(why: NoReviewer) -> &'static str {
    match why {
        NoReviewer::NoRule => {
            "no entry of `reviewers` matches; add one without a condition at the end, such as { reviewer = \"ana@example.com\" }"
        }
        NoReviewer::OnlySelf => {
            "everybody who could decide about it is its own user; name an `alternate`, or another owner"
        }
    }
}

/// A review that cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// Accounts have no reviewer.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Unassigned(Vec<Unassigned>),
    /// The roster does not say what `reviewers` needs.
    #[error("workspace {workspace}: `reviewers` {needs}, but {because}; correct the roster, and run the audit again")]
    Roster {
        /// The workspace.
        workspace: String,
        /// What is needed.
        needs: &'static str,
        /// Why it is not known.
        because: String,
    },
}

/// The opening of a review, and its accounts: those that can sign in, in the order of workspaces and user ids. `before` is
/// the last closed review of this name.
///
/// # Errors
/// [`NotOpened`]
pub fn open(
    terms: &Terms,
    sources: &[Source],
    before: Option<&Review>,
    occasion: Occasion,
) -> Result<(Opening, Population), NotOpened> {
    let last = before.map(last_of).unwrap_or_default();
    let mut assigning = Assigning::new(&terms.reviewers, &terms.owner);
    let (mut population, mut unassigned) = (Population::default(), Vec::new());
    for source in sources {
        let standard = Policy::default();
        let policy = source.header.policy.as_ref().unwrap_or(&standard);
        let staff = Staff::new(source.roster.as_ref(), policy, occasion.at);
        is_known(terms, source, &staff)?;
        let seen = SeenWorkspace::of(source);
        let masters = seen.masters(policy);
        for user in source.users.iter().filter(|user| can_sign_in(&user.status)) {
            let number = u32::try_from(population.items.len() + 1).unwrap_or(u32::MAX);
            let worker = user.email.as_deref().map(|email| staff.worker(&Address::of(email))).unwrap_or_default();
            let before = last.get(&(&*source.basis.workspace, &*user.id));
            let mut item = seen.item(ItemId(number), user, before, (terms, &worker));
            let is_meant = match terms.scope {
                Scope::All => true,
                Scope::Privileged => item.is_privileged(),
                Scope::Changed => item.changed,
            };
            if !is_meant {
                continue;
            }
            match assigning.next(&item, &worker, (&masters, &staff)) {
                Ok((reviewer, alternates)) => {
                    (item.reviewer, item.alternates) = (reviewer, alternates);
                    population.items.push(item);
                }
                Err(why) => unassigned.push(Unassigned {
                    workspace: item.workspace.clone(),
                    account: item.label().to_owned(),
                    why,
                }),
            }
        }
        population.masters.insert(source.basis.workspace.clone(), masters);
    }
    if !unassigned.is_empty() {
        return Err(NotOpened::Unassigned(unassigned));
    }
    let at = occasion.at.trunc_subsecs(3);
    let opening = Opening {
        name: terms.name.clone(),
        job: terms.job.clone(),
        scope: terms.scope,
        bases: sources.iter().map(|source| source.basis.clone()).collect(),
        owner: terms.owner.clone(),
        due: at.checked_add_days(Days::new(u64::from(terms.due_days))).unwrap_or(at),
        fire_at: occasion.fire_at,
        four_eyes: terms.four_eyes,
        remediation_days: terms.remediation_days,
        escalate_to: terms.escalate_to.clone(),
        by: occasion.by,
        items: u32::try_from(population.items.len()).unwrap_or(u32::MAX),
        population_sha256: population.sha256(),
    };
    Ok((opening, population))
}

/// Whether the roster of an audit says what the rules read of it.
fn is_known(terms: &Terms, source: &Source, staff: &Staff<'_>) -> Result<(), NotOpened> {
    for need in terms.reviewers.iter().filter_map(Rule::need) {
        let (needs, is_said, lacks) = match need {
            Need::Manager => ("needs managers", staff.has_managers(), "the roster does not say who is whose manager"),
            Need::Department => {
                ("needs departments", staff.has_departments(), "the roster does not say who is in which department")
            }
        };
        let because = match unreliable(source) {
            Some(why) => why,
            None if is_said => continue,
            None => lacks.to_owned(),
        };
        return Err(NotOpened::Roster { workspace: source.basis.workspace.clone(), needs, because });
    }
    Ok(())
}

/// Why the roster of an audit cannot be relied on. `None` if it can.
fn unreliable(source: &Source) -> Option<String> {
    let Some(roster) = &source.roster else {
        return Some("the audit read no roster; add `roster` to its policy".to_owned());
    };
    let found = source.header.findings.iter().find(|finding| &*finding.rule == "unreliable-roster");
    let problem = roster.sources.iter().find_map(|read| {
        let problem = read.problem.as_ref()?;
        Some(format!("the roster “{}” cannot be read: {problem}", read.name))
    });
    let found = || found.map(|finding| format!("the audit says: {}", finding.message.trim_end_matches('.')));
    problem.or_else(found)
}

/// Whether an account with this status can sign in, or may be able to.
fn can_sign_in(status: &str) -> bool {
    matches!(Status::from(status).kind(), StatusKind::Active | StatusKind::Other)
}

/// What was decided in a review, by workspace and user, with what the account could do then.
fn last_of(review: &Review) -> HashMap<(&str, &str), (Last, &str)> {
    let last = |(item, course): (&'_ Item, &'_ super::state::Course)| {
        let made = course.decided()?;
        Some(Last {
            review: review.id(),
            decision: made.decision.word().to_owned(),
            by: made.by.clone(),
            at: made.at,
            role: item.role.clone(),
            profile: item.profile.clone(),
        })
    };
    let mut all = HashMap::new();
    for (item, course) in review.items() {
        if let Some(last) = last((item, course)) {
            all.insert((item.workspace.as_str(), item.user_id.as_str()), (last, item.access.as_str()));
        }
    }
    all
}

/// A workspace as an audit saw it, ready to be asked about accounts.
struct SeenWorkspace<'a> {
    source: &'a Source,
    yardstick: Yardstick<'a>,
    roles: HashMap<&'a str, &'a str>,
    profiles: HashMap<&'a str, &'a Profile>,
    flags: HashMap<&'a str, Vec<Flag>>,
    /// The digests of what roles and profiles let an account do, by their ids: there are far fewer than accounts.
    accesses: RefCell<HashMap<[Option<String>; 2], String>>,
}

impl<'a> SeenWorkspace<'a> {
    fn of(source: &'a Source) -> Self {
        let header = &source.header;
        let dangerous = header.policy.as_ref().map_or(&[][..], |policy| &policy.dangerous_permissions);
        let mut flags: HashMap<&str, Vec<Flag>> = HashMap::new();
        for finding in header.findings.iter().filter(|finding| finding.open && &*finding.subject_type == "user") {
            let flag = Flag { rule: finding.rule.to_string(), message: finding.message.to_string() };
            flags.entry(&finding.subject_id).or_default().push(flag);
        }
        Self {
            source,
            yardstick: Yardstick::new(&header.profiles, &header.roles, &header.administrator_profiles, dangerous),
            roles: header.roles.iter().map(|role| (role.id.as_str(), role.name.as_str())).collect(),
            profiles: header.profiles.iter().map(|profile| (profile.id.as_str(), profile)).collect(),
            flags,
            accesses: RefCell::default(),
        }
    }

    fn masters(&self, policy: &Policy) -> Masters {
        let header = &self.source.header;
        let named = |id: &str, name: &str| Named { id: id.to_owned(), name: Some(name.to_owned()) };
        Masters {
            roles: header.roles.iter().map(|role| named(role.id.as_str(), &role.name)).collect(),
            profiles: header.profiles.iter().map(|profile| named(profile.id.as_str(), &profile.name)).collect(),
            company_domains: policy.company_domains.clone(),
            domain_aliases: policy.domain_aliases.clone(),
        }
    }

    fn power(&self, user: &SnapshotUser<'_>) -> Power {
        let profile = match user.profile_id.as_deref() {
            Some(id) => self.yardstick.of_profile(&ProfileId::from(id)),
            None if user.unread.has(Field::Profile) => Power::Unknown,
            None => Power::Ordinary,
        };
        let role = match user.role_id.as_deref() {
            Some(id) => self.yardstick.of_role(&RoleId::from(id)),
            None if user.unread.has(Field::Role) => self.yardstick.of_unlisted_role(),
            None => Power::Ordinary,
        };
        profile.with_role(role)
    }

    /// An account as an item that has no reviewer yet.
    fn item(
        &self,
        number: ItemId,
        user: &SnapshotUser<'_>,
        last: Option<&(Last, &str)>,
        (terms, worker): (&Terms, &Worker),
    ) -> Item {
        let role = user
            .role_id
            .as_deref()
            .map(|id| Named { id: id.to_owned(), name: self.roles.get(id).map(|name| (*name).to_owned()) });
        let profile = user
            .profile_id
            .as_deref()
            .map(|id| Named { id: id.to_owned(), name: self.profiles.get(id).map(|profile| profile.name.clone()) });
        let access = self.access(role.as_ref(), profile.as_ref());
        Item {
            item: number,
            workspace: self.source.basis.workspace.clone(),
            user_id: user.id.clone().into_owned(),
            full_name: user.full_name.as_deref().map(str::to_owned),
            email: user.email.as_deref().map(str::to_owned),
            aliases: worker.addresses.clone(),
            status: user.status.clone().into_owned(),
            power: self.power(user),
            has_left: worker.has_left,
            findings: self.flags.get(&*user.id).cloned().unwrap_or_default(),
            changed: last.is_none_or(|(_, before)| *before != access),
            access,
            last: last.map(|(last, _)| last.clone()),
            role,
            profile,
            reviewer: terms.owner.clone(),
            alternates: Vec::new(),
        }
    }

    /// The digest of what a role and a profile let an account do.
    fn access(&self, role: Option<&Named>, profile: Option<&Named>) -> String {
        let ids = [role, profile].map(|named| named.map(|named| named.id.clone()));
        let mut accesses = self.accesses.borrow_mut();
        accesses.entry(ids).or_insert_with(|| self.digest(role, profile)).clone()
    }

    fn digest(&self, role: Option<&Named>, profile: Option<&Named>) -> String {
        let permits = profile.and_then(|profile| self.profiles.get(profile.id.as_str()));
        let permits = permits
            .and_then(|profile| profile.permissions.enabled())
            .map(|enabled| enabled.map(|one| (one.name.as_str(), one.module.as_deref())).collect::<BTreeSet<_>>());
        let id = |named: Option<&Named>| named.map(|named| named.id.clone());
        let parts: BTreeMap<&str, serde_json::Value> = BTreeMap::from([
            ("role", serde_json::json!(id(role))),
            ("profile", serde_json::json!(id(profile))),
            ("permits", serde_json::json!(permits)),
        ]);
        canonical_sha256(&parts)
    }
}
