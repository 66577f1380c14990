//! The policy that was applied.

use super::{
    provenance::{Fact, fact},
    text::{PROSE, shown},
};
use crate::{
    report::ReportInput,
    words::{counted, number},
};

/// The policy, as far as it decides what is a finding.
pub(super) fn policy(input: &ReportInput<'_>) -> Vec<Fact> {
    let policy = &input.audit.policy;
    let off: Vec<String> = policy.rules_off().map(|(rule, reason)| format!("{rule} ({reason})")).collect();
    vec![
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
    ]
}
