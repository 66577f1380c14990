//! How the policy changed, and how it differs from the one that rolecall comes with, in words.

use super::short;
use crate::{
    access::policy_drift::{Difference, differences},
    model::{
        audit::Audit,
        change::Change,
        policy::{Policy, RuleSetting},
    },
    words::{counted, list},
};

/// Entries that a summary names of each kind.
const NAMED: usize = 3;

/// One change of the policy as a sentence without a full stop: `max_administrators is 50 (was 5), looser`.
pub(super) fn sentence(change: &Change) -> String {
    let less = if change.subject.ends_with("(looser)") { ", looser" } else { "" };
    format!("{}{less}", words(&Words::of(change)))
}

/// Several changes in a few words: `2 rules switched off (no-role, no-profile), max_administrators is 50 (was 5)`.
pub(super) fn summary<'a>(changes: impl Iterator<Item = &'a Change>) -> String {
    let mut all: Vec<Words<'_>> = changes.map(Words::of).collect();
    all.sort_by_key(Words::group);
    let mut parts: Vec<String> = Vec::new();
    for group in all.chunk_by(|a, b| a.group() == b.group()) {
        match (group.len(), group.first().map(Words::group)) {
            (2.., Some(Some((one, many)))) => {
                let named: Vec<_> = group.iter().take(NAMED).map(|one| short(one.entry)).collect();
                parts.push(format!("{} ({})", counted(group.len(), one, many), list(&named, group.len())));
            }
            _ => parts.extend(group.iter().map(words)),
        }
    }
    parts.join(", ")
}

/// How the policy is looser than the one that rolecall comes with, apart from rules that are off, exceptions and lists of
/// the company's own: `max_administrators is 50 (default 5)`.
pub(super) fn looser_than_default(audit: &Audit) -> Vec<String> {
    let is_meant = |one: &Difference| {
        one.is_looser
            && !["accounts", "administrator_profiles", "exceptions", "planned_fixes", "separations"].contains(&one.key)
            && audit.policy.rules.get(&one.entry) != Some(&RuleSetting::Off)
    };
    let all = differences(&Policy::default(), &audit.policy, &audit.rules, &audit.workspace);
    let line = |one: &Difference| {
        let Difference { key, entry, before, after, .. } = one;
        let words = Words { key, entry, before, after };
        words_with(&words, "default")
    };
    all.iter().filter(|one| is_meant(one)).map(line).collect()
}

/// A difference, as it is worded.
struct Words<'a> {
    key: &'a str,
    entry: &'a str,
    before: &'a str,
    after: &'a str,
}

impl<'a> Words<'a> {
    fn of(change: &'a Change) -> Self {
        let entry = change.subject_id.strip_prefix(change.field).unwrap_or_default();
        Self {
            key: change.field,
            entry: entry.strip_prefix('.').unwrap_or(entry),
            before: &change.before,
            after: &change.after,
        }
    }

    /// What several of these are called, for one and for many; `None` if each is said on its own.
    fn group(&self) -> Option<(&'static str, &'static str)> {
        let is_added = self.before.is_empty();
        match (self.key, self.after) {
            ("rules", "off") => Some(("rule switched off", "rules switched off")),
            ("rules", _) if self.before == "off" => Some(("rule switched on", "rules switched on")),
            ("rules", _) => Some(("severity changed", "severities changed")),
            ("approved_administrators", _) if self.entry.is_empty() => None,
            ("approved_administrators", _) if is_added => Some(("administrator approved", "administrators approved")),
            ("approved_administrators", _) => Some(("approval removed", "approvals removed")),
            ("exceptions", "") => Some(("exception removed", "exceptions removed")),
            ("exceptions", _) if is_added => Some(("exception added", "exceptions added")),
            ("exceptions", _) => Some(("exception changed", "exceptions changed")),
            _ => None,
        }
    }
}

fn words(one: &Words<'_>) -> String {
    words_with(one, "was")
}

fn words_with(one: &Words<'_>, was: &str) -> String {
    let Words { key, .. } = one;
    let [entry, before, after] = [one.entry, one.before, one.after].map(short);
    match (*key, before.is_empty(), after.is_empty()) {
        ("rules", ..) if after == "off" => format!("rule {entry} is off ({was} {before})"),
        ("custom_rules", true, _) => format!("rule {entry} added"),
        ("custom_rules", _, true) => format!("rule {entry} removed"),
        ("rules" | "custom_rules", ..) => format!("rule {entry} is {after} ({was} {before})"),
        ("exceptions", true, _) => format!("exception to {entry} added, {after}"),
        ("exceptions", _, true) => format!("exception to {entry} removed"),
        ("exceptions", ..) => format!("exception to {entry} {after} ({was} {before})"),
        (key, true, _) if entry.is_empty() => format!("{key} lists {after} ({was} no list)"),
        (key, _, true) if entry.is_empty() => format!("{key} has no list any more ({was} {before})"),
        ("planned_fixes" | "separations", true, _) => format!("{entry} added to {key}, {after}"),
        (key, true, _) => format!("{entry} added to {key}"),
        (key, _, true) => format!("{entry} removed from {key}"),
        (key, ..) if !entry.is_empty() => format!("{entry} in {key} is {after} ({was} {before})"),
        (key, ..) => format!("{key} is {after} ({was} {before})"),
    }
}
