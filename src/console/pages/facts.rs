//! What a reviewer sees of an account. It depends on nothing but the review and two audits, and not on who looks: its digest
//! is what a decision records.

use askama::Template;

use super::text::{day, label, moment, prose};
use crate::{
    access::power::{Power, is_dangerous},
    console::index::{Account, Indexed},
    digest::sha256,
    model::directory::{Permission, Permissions},
    review::{
        event::Decision,
        item::{Item, Named},
        state::{Course, Review},
    },
    words::count,
};

/// Findings that are shown.
const FINDINGS: usize = 20;
/// Permissions that are shown.
const PERMISSIONS: usize = 400;
/// Proposals that are shown, the latest.
const PROPOSALS: usize = 5;

/// The part of a page that shows an account.
#[derive(Template)]
#[template(path = "console/facts.html")]
pub(in crate::console) struct Facts {
    email: String,
    name: String,
    user_id: String,
    workspace: String,
    status: String,
    role: String,
    profile: String,
    power: &'static str,
    is_privileged: bool,
    has_left: bool,
    findings: Vec<(String, String)>,
    more_findings: String,
    last: String,
    changed: String,
    since: Vec<String>,
    permits: Permits,
    proposals: Vec<Proposed>,
    audit: String,
}

struct Permits {
    said: String,
    dangerous: Vec<String>,
    others: Vec<String>,
    more: usize,
}

struct Proposed {
    decision: String,
    reason: String,
    by: String,
    at: String,
}

/// A rendered part, and its digest.
pub(in crate::console) struct Shown {
    /// The markup.
    pub(in crate::console) html: String,
    /// The SHA-256 of the markup.
    pub(in crate::console) sha256: String,
}

impl Facts {
    /// An account. `basis` is the audit that is reviewed, `now` the latest one of its workspace; `None` if it is not kept.
    pub(in crate::console) fn of(
        review: &Review,
        item: &Item,
        course: &Course,
        basis: Option<&Indexed>,
        now: Option<&Indexed>,
    ) -> Self {
        let name =
            |named: &Option<Named>| named.as_ref().map_or_else(|| "none".to_owned(), |one| label(&one.to_string()));
        let findings = item.findings.iter().take(FINDINGS).map(|flag| (label(&flag.rule), prose(&flag.message)));
        let read_at = review.opening().bases.iter().find(|one| one.workspace == item.workspace).map(|one| one.read_at);
        let proposals = course.proposals();
        Self {
            email: label(item.email.as_deref().unwrap_or("no address")),
            name: label(item.full_name.as_deref().unwrap_or_default()),
            user_id: label(&item.user_id),
            workspace: label(&item.workspace),
            status: label(&item.status),
            role: name(&item.role),
            profile: name(&item.profile),
            power: power(item.power),
            is_privileged: item.is_privileged(),
            has_left: item.has_left,
            findings: findings.collect(),
            more_findings: match item.findings.len().saturating_sub(FINDINGS) {
                0 => String::new(),
                more => format!("and {more} more"),
            },
            last: last(item),
            changed: changed(item).to_owned(),
            since: now
                .filter(|now| Some(now.record.finished_at) > read_at)
                .map(|now| since(item, now))
                .unwrap_or_default(),
            permits: permits(item, basis),
            proposals: proposals[proposals.len().saturating_sub(PROPOSALS)..]
                .iter()
                .map(|one| Proposed {
                    decision: decision(&one.decision),
                    reason: prose(&one.reason),
                    by: label(&one.by.to_string()),
                    at: moment(one.at),
                })
                .collect(),
            audit: read_at.map(moment).unwrap_or_default(),
        }
    }

    /// Renders it.
    pub(in crate::console) fn shown(&self) -> Shown {
        // The template has no fallible part.
        let html = self.render().unwrap_or_default();
        Shown { sha256: sha256(html.as_bytes()), html }
    }
}

/// A decision in words.
pub(in crate::console) fn decision(decision: &Decision) -> String {
    match decision {
        Decision::Keep => "keep".to_owned(),
        Decision::Change { to } => format!("change to {}", label(&to.to_string())),
        Decision::Remove => "remove".to_owned(),
    }
}

/// How much power an account has, as a sentence.
pub(in crate::console) fn power(power: Power) -> &'static str {
    match power {
        Power::Administrator => "Full power, by an administrator profile",
        Power::Equivalent => "Full power, by what its role or profile permits",
        Power::Dangerous => "A permission that the policy calls dangerous",
        Power::Ordinary => "Ordinary",
        Power::Unknown => "Unknown: the API does not say; it may be full power",
    }
}

fn last(item: &Item) -> String {
    let Some(last) = &item.last else { return String::new() };
    let name = |named: &Option<Named>| named.as_ref().map_or_else(|| "none".to_owned(), |one| label(&one.to_string()));
    format!(
        "{} by {} on {}, with the role {} and the profile {}",
        label(&last.decision),
        label(last.by.as_str()),
        day(last.at),
        name(&last.role),
        name(&last.profile)
    )
}

fn changed(item: &Item) -> &'static str {
    match (item.changed, &item.last) {
        (true, Some(_)) => "It can do something else than at the review before.",
        (true, None) => "It was not reviewed before.",
        (false, _) => "It can do the same as at the review before.",
    }
}

/// How an account differs now from what is reviewed.
fn since(item: &Item, now: &Indexed) -> Vec<String> {
    let at = day(now.record.finished_at);
    let Some(account) = now.account(&item.user_id) else {
        return vec![format!("The audit of {at} does not list this account any more.")];
    };
    let mut differences = Vec::new();
    let mut compare = |what: &str, before: String, after: String| {
        if before != after {
            differences.push(format!("At the audit of {at} the {what} is {after}, not {before}."));
        }
    };
    let id = |named: &Option<Named>| named.as_ref().map(|one| one.id.clone());
    compare("status", label(&item.status), label(&account.status));
    if id(&item.role).as_deref() != account.role.as_deref() {
        compare("role", held(item.role.as_ref()), named(now.role_name(account)));
    }
    if id(&item.profile).as_deref() != account.profile.as_deref() {
        compare("profile", held(item.profile.as_ref()), named(now.profile_name(account)));
    }
    compare(
        "address",
        label(item.email.as_deref().unwrap_or("none")),
        label(account.email.as_deref().unwrap_or("none")),
    );
    if item.power != account.power {
        compare("power", item.power.word().to_owned(), account.power.word().to_owned());
    }
    differences
}

fn held(role: Option<&Named>) -> String {
    role.map_or_else(|| "none".to_owned(), |one| format!("“{}”", label(&one.to_string())))
}

fn named(name: &str) -> String {
    if name.is_empty() { "none".to_owned() } else { format!("“{}”", label(name)) }
}

/// What the profile of an account permits, as the reviewed audit has it.
fn permits(item: &Item, basis: Option<&Indexed>) -> Permits {
    let nothing = |said: &str| Permits { said: said.to_owned(), dangerous: Vec::new(), others: Vec::new(), more: 0 };
    let Some(held) = &item.profile else { return nothing("It has no profile") };
    let Some(basis) = basis else {
        return nothing(
            "The audit that is reviewed is not in the store any more; its evidence bag has what the profile permits",
        );
    };
    let Some(profile) = basis.profile(&held.id) else { return nothing("The profile list does not have this profile") };
    let all = match &profile.permissions {
        Permissions::Known(all) => all,
        Permissions::Unknown(why) => return nothing(&format!("The API does not say: {}", prose(why))),
    };
    let fragments = basis.header.policy.as_ref().map_or(&[][..], |policy| &policy.dangerous_permissions);
    let enabled: Vec<&Permission> = all.iter().filter(|permission| permission.enabled).collect();
    let (dangerous, others): (Vec<&Permission>, Vec<&Permission>) =
        enabled.iter().partition(|permission| is_dangerous(permission, fragments));
    let said = match dangerous.len() {
        0 => count(enabled.len(), "permission"),
        some => format!("{}; the policy calls {some} of them dangerous", count(enabled.len(), "permission")),
    };
    let names = |permissions: &[&Permission]| permissions.iter().take(PERMISSIONS).map(|one| permission(one)).collect();
    let more = enabled.len() - dangerous.len().min(PERMISSIONS) - others.len().min(PERMISSIONS);
    Permits { said, dangerous: names(&dangerous), others: names(&others), more }
}

/// A permission in the product's words.
pub(in crate::console) fn permission(permission: &Permission) -> String {
    let name = label(permission.label.as_deref().unwrap_or(&permission.name));
    match &permission.module {
        Some(module) => format!("{name} ({})", label(module)),
        None => name,
    }
}

/// The name of the status of an account, and whether it is confirmed.
pub(in crate::console) fn status(account: &Account) -> String {
    let pending = if account.confirmed == Some(false) { ", invitation not accepted" } else { "" };
    format!("{}{pending}", label(&account.status))
}
