//! Builds small worlds for tests from terse parts.

use std::sync::{Arc, LazyLock};

use chrono::{DateTime, TimeDelta, TimeZone, Utc};

use super::{JudgeInput, Judgement, Lacking, RuleSet, context::Context, judge, registry, rule::Rule, sink::Sink};
use crate::{
    access::{drift::SnapshotHeader, matrix::AccessMatrix},
    model::{
        self,
        change::Change,
        directory::{Directory, Organization, Permission, Permissions, Profile, Role},
        finding::{Finding, RuleResult, Severity, Subject},
        id::{PersonId, ProfileId},
        policy::Policy,
        reading::{Check, CheckKind},
        reviewed::Reviewed,
        roster::Roster,
        rule::{RuleInfo, RuleList},
        unread::{Fields, Unread},
        users::{NewUser, UserBlock, UserIndex, Users},
    },
};

/// The workspace of all worlds.
pub(crate) const WORKSPACE: &str = "acme";
/// The Administrator profile of the quiet world.
pub(crate) const ADMINISTRATOR: &str = "11";
/// The Standard profile of the quiet world.
pub(crate) const STANDARD: &str = "14";
/// The role of the quiet world.
pub(crate) const LEVEL_1: &str = "21";

/// What the built-in rules are.
pub(crate) fn rules() -> &'static RuleList {
    static RULES: LazyLock<Arc<RuleList>> = LazyLock::new(|| Arc::clone(RuleSet::built_in().list()));
    &RULES
}

/// When all worlds are judged.
pub(crate) fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 10, 5, 8, 0, 0).unwrap()
}

/// A user, owned, so that a test can change one thing.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) zuid: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) email: Option<String>,
    pub(crate) status: String,
    pub(crate) confirmed: Option<bool>,
    pub(crate) role: Option<(String, Option<String>)>,
    pub(crate) profile: Option<(String, Option<String>)>,
    pub(crate) created: Option<DateTime<Utc>>,
    pub(crate) modified: Option<DateTime<Utc>>,
    pub(crate) unread: Fields,
}

impl Person {
    fn record(&self) -> NewUser<'_> {
        NewUser {
            id: &self.id,
            zuid: self.zuid.as_deref(),
            full_name: self.name.as_deref(),
            email: self.email.as_deref(),
            status: &self.status,
            confirmed: self.confirmed,
            role: self.role.as_ref().map(|(id, name)| (id.as_str(), name.as_deref())),
            profile: self.profile.as_ref().map(|(id, name)| (id.as_str(), name.as_deref())),
            created: self.created,
            modified: self.modified,
        }
    }
}

/// An active, confirmed user with the role of the quiet world.
pub(crate) fn person(id: u32, profile: &str) -> Person {
    Person {
        id: id.to_string(),
        zuid: Some(format!("7{id}")),
        name: Some(format!("User Number{id}")),
        email: Some(format!("user{id}@example.com")),
        status: "active".into(),
        confirmed: Some(true),
        role: Some((LEVEL_1.into(), None)),
        profile: Some((profile.into(), None)),
        created: Some(now() - TimeDelta::days(400)),
        modified: None,
        unread: Fields::default(),
    }
}

/// A role at the top.
pub(crate) fn role(id: &str, name: &str) -> Role {
    let name = name.to_owned();
    let admin_user = Some(false);
    Role { id: id.into(), name, reporting_to: None, admin_user, share_with_peers: None, description: None }
}

/// A profile with these permissions switched on.
pub(crate) fn profile(id: &str, name: &str, custom: bool, enabled: &[&str]) -> Profile {
    let permission = |name: &&str| Permission { name: (*name).into(), module: None, label: None, enabled: true };
    let permissions = Permissions::Known(enabled.iter().map(permission).collect());
    let custom = Some(custom);
    Profile { id: id.into(), name: name.into(), custom, description: None, modified: None, permissions }
}

/// What a test judges.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) people: Vec<Person>,
    pub(crate) roles: Vec<Role>,
    pub(crate) profiles: Vec<Profile>,
    pub(crate) organization: Organization,
    pub(crate) checks: Vec<Check>,
    pub(crate) policy: Policy,
    pub(crate) unmatched_profiles: Vec<String>,
    pub(crate) unread: Unread,
    pub(crate) previous: Option<SnapshotHeader>,
    pub(crate) previous_users: Option<super::PreviousUsers>,
    pub(crate) undecided: Vec<UserIndex>,
    pub(crate) roster: Option<Roster>,
    /// What people decided in reviews.
    pub(crate) reviewed: Option<Reviewed>,
    pub(crate) changes: Vec<Change>,
    pub(crate) lacking: Lacking,
}

/// A world of which no rule says anything: two approved administrators and eight others.
pub(crate) fn quiet() -> World {
    let mut people: Vec<Person> = (1..=2).map(|id| person(id, ADMINISTRATOR)).collect();
    people.extend((3..=10).map(|id| person(id, STANDARD)));
    let everything = ["view", "edit", "manage users", "export contacts"];
    let approved = ["user1@example.com", "user2@example.com"].map(str::to_owned);
    World {
        people,
        roles: vec![role(LEVEL_1, "Level 1")],
        profiles: vec![
            profile(ADMINISTRATOR, "Administrator", false, &everything),
            profile(STANDARD, "Standard", false, &["view"]),
        ],
        organization: Organization { primary_zuid: Some(PersonId::from("71")), ..Organization::default() },
        checks: vec![model::testing::agreed(CheckKind::MoreRecords)],
        policy: Policy {
            approved_administrators: Some(approved.into()),
            company_domains: vec!["example.com".into()],
            ..Policy::default()
        },
        unmatched_profiles: Vec::new(),
        unread: Unread::default(),
        previous: None,
        previous_users: None,
        undecided: Vec::new(),
        roster: None,
        reviewed: None,
        changes: Vec::new(),
        lacking: Lacking::default(),
    }
}

impl World {
    /// The profiles that make an administrator.
    pub(crate) fn administrator_profiles(&self) -> Vec<ProfileId> {
        let named = |profile: &&Profile| self.policy.administrator_profiles.contains(&profile.name);
        self.profiles.iter().filter(named).map(|profile| profile.id.clone()).collect()
    }

    /// The user of an id.
    pub(crate) fn person(&mut self, id: u32) -> &mut Person {
        let id = id.to_string();
        self.people.iter_mut().find(|person| person.id == id).unwrap()
    }

    /// What a connector would have read.
    pub(crate) fn directory(&self) -> Directory {
        let users: Vec<NewUser<'_>> = self.people.iter().map(Person::record).collect();
        let mut directory = model::testing::directory(&users, now());
        directory.reading.checks.clone_from(&self.checks);
        let mut block = UserBlock::default();
        for person in &self.people {
            block.push_partly(&person.record(), person.unread).unwrap();
        }
        Directory {
            users: Users::from_blocks(vec![block]).0,
            unread: self.unread.clone(),
            organization: self.organization.clone(),
            roles: self.roles.clone(),
            profiles: self.profiles.clone(),
            ..directory
        }
    }

    /// What the rules find.
    pub(crate) fn judge(&self) -> Judged {
        let directory = self.directory();
        let administrators = self.administrator_profiles();
        let input = JudgeInput {
            matrix: &AccessMatrix::new(&directory, &administrators, &self.policy.dangerous_permissions),
            administrator_profiles: &administrators,
            unmatched_administrator_profiles: &self.unmatched_profiles,
            policy: &self.policy,
            workspace: WORKSPACE,
            roster: self.roster.as_ref(),
            reviewed: self.reviewed.as_ref(),
            now: now(),
            previous: self.previous.as_ref(),
            previous_users: self.previous_users.as_ref(),
            undecided: &self.undecided,
            changes: &self.changes,
            lacking: self.lacking,
        };
        let judgement = judge(&RuleSet::for_audit(&self.policy, self.reviewed.is_some()), &input);
        Judged { directory, judgement }
    }
}

/// The built-in rules under a policy, and one that is made now: it finds contractors by their addresses.
pub(crate) fn with_contractor_rule(name: &str, policy: &Policy) -> RuleSet {
    let info = RuleInfo {
        name: name.into(),
        title: "Contractor who may export".to_owned().into(),
        severity: Severity::High,
        criteria: ["CC6.1", "A.5.15"].map(|criterion| criterion.to_owned().into()).into(),
        doc: format!("# {name}\n\n## How to fix it\n\nGive a profile without export.\n").into(),
    };
    let fragment = "contractor".to_owned();
    let evaluate = move |context: &Context<'_>, sink: &mut Sink<'_>| {
        let is_contractor = |address: &str| address.contains(&fragment);
        for row in context.present().filter(|row| row.user.email().is_some_and(is_contractor)) {
            sink.report(Subject::User(row.user.index()), format!("{} may export data.", row.user.label()));
        }
        Ok(())
    };
    let rule = Rule { info: Arc::new(info), judges_population: true, evaluate: Box::new(evaluate) };
    let mut rules: Vec<Rule> = registry::under(policy, false).collect();
    // Rules about the policy look at what the others found.
    let place = rules.iter().position(|rule| rule.info.name == registry::FIRST_ABOUT_POLICY).unwrap();
    rules.insert(place, rule);
    RuleSet::of(rules, policy)
}

/// What the rules found, with the directory in which to look users up.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) directory: Directory,
    pub(crate) judgement: Judgement,
}

impl Judged {
    /// The findings of a rule.
    pub(crate) fn of<'a>(&'a self, rule: &'a str) -> impl Iterator<Item = &'a Finding> {
        self.judgement.findings.iter().filter(move |finding| finding.rule == rule)
    }

    /// Kind and id of what a rule found, in the order of findings.
    pub(crate) fn subjects(&self, rule: &str) -> Vec<String> {
        let shown = |finding: &Finding| match &finding.subject {
            Subject::Workspace => "workspace".to_owned(),
            Subject::User(index) => format!("user {}", self.directory.users.get(*index).id()),
            Subject::Role(id) => format!("role {id}"),
            Subject::Profile(id) => format!("profile {id}"),
        };
        self.of(rule).map(shown).collect()
    }

    /// The sentences of a rule.
    pub(crate) fn messages(&self, rule: &str) -> Vec<&str> {
        self.judgement.findings.iter().filter(|found| found.rule == rule).map(|found| &*found.message).collect()
    }

    /// What came of a rule.
    pub(crate) fn result(&self, rule: &str) -> &RuleResult {
        &self.judgement.outcomes.iter().find(|outcome| outcome.rule == rule).unwrap().result
    }

    /// Why a rule was not evaluated, or not for everything.
    pub(crate) fn not_evaluated(&self, rule: &str) -> &str {
        match self.result(rule) {
            RuleResult::NotEvaluated(reason) | RuleResult::Failed { not_evaluated: reason, .. } => reason,
            _ => "",
        }
    }
}
