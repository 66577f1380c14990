//! The policy that was applied.

use super::{
    provenance::{Fact, fact},
    text::{PROSE, shown},
};
use crate::{
    access::accounts::DeclaredAccounts,
    model::users::UserIndex,
    report::ReportInput,
    words::{counted, number},
};

/// Accounts and rules that are named; reports are short, and report.json has them all.
const NAMED: usize = 50;

/// The policy, as far as it decides what is a finding.
pub(super) fn policy(input: &ReportInput<'_>) -> Vec<Fact> {
    let policy = &input.audit.policy;
    let off: Vec<String> = policy.rules_off().map(|(rule, reason)| format!("{rule} ({reason})")).collect();
    let mut facts = vec![
        fact("Policy", format!("{}, SHA-256 {}", shown(&policy.name, PROSE), policy.sha256())),
        fact("Administrator profiles", shown(&policy.administrator_profiles.join(", "), PROSE)),
        fact(
            "Approved administrators",
            policy.approved_administrators.as_ref().map_or_else(
                || "no list".to_owned(),
                |list| format!("a list of {}", counted(list.len(), "address", "addresses")),
            ),
        ),
        fact(
            "Company domains",
            if policy.company_domains.is_empty() {
                "none configured".to_owned()
            } else {
                shown(&policy.company_domains.join(", "), PROSE)
            },
        ),
        fact(
            "Administrators allowed",
            format!(
                "at most {}, and at most {} % of active users",
                number(policy.max_administrators),
                policy.max_administrator_percent
            ),
        ),
        fact(
            "Rules switched off",
            if off.is_empty() { "none".to_owned() } else { shown(&off.join("; "), off.len() * PROSE) },
        ),
        fact("Exceptions", number(policy.exceptions.len())),
    ];
    facts.extend(accounts(input));
    facts
}

/// The users that are declared as not being people, each with what it can do.
fn accounts(input: &ReportInput<'_>) -> Vec<Fact> {
    let audit = input.audit;
    let today = audit.judged_at.date_naive();
    let declared = DeclaredAccounts::of(input.matrix, &audit.policy, &audit.workspace, today);
    let power = |user: UserIndex| {
        let row = input.matrix.row(user);
        if row.power().is_full() { format!("; full power by {}", row.full_power_by()) } else { String::new() }
    };
    let account = |(user, account): (UserIndex, &crate::model::account::Account)| {
        let one = audit.directory.users.get(user);
        let text = format!(
            "{} (id {}): {} account of {}, until {}: {}{}",
            one.email().unwrap_or(one.label()),
            one.id(),
            account.kind,
            account.owner,
            account.until,
            account.reason,
            power(user)
        );
        fact("Not a person", shown(&text, PROSE))
    };
    let all = declared.users().len();
    let mut facts: Vec<Fact> = declared.users().take(NAMED).map(account).collect();
    if all > NAMED {
        facts.push(fact("Not a person", format!("{} more, which report.json has", number(all - NAMED))));
    }
    facts
}
