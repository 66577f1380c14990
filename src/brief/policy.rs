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
    format!("{}{less}", words(&Words::of(change), "was"))
}

/// Several changes in a few words: `2 rules switched off (no-role, no-profile), max_administrators is 50 (was 5)`.
pub(super) fn summary<'a>(changes: impl Iterator<Item = &'a Change>) -> String {
    grouped(changes.map(Words::of).collect(), "was", Words::group).join(", ")
}

/// Differences in words, those of one group together.
fn grouped<'a>(mut all: Vec<Words<'a>>, was: &str, group: impl Fn(&Words<'a>) -> Group<'a>) -> Vec<String> {
    all.sort_by_key(&group);
    let mut parts: Vec<String> = Vec::new();
    for together in all.chunk_by(|a, b| group(a) == group(b)) {
        let kind = together.first().map_or(Group::Alone, &group);
        let many = together.len();
        let counted = match kind {
            Group::Called(one, several) if many > 1 => counted(many, one, several),
            Group::Added(key) if many > 1 => format!("{} added to {key}", counted(many, "entry", "entries")),
            Group::Removed(key) if many > 1 => format!("{} removed from {key}", counted(many, "entry", "entries")),
            _ => {
                parts.extend(together.iter().map(|one| words(one, was)));
                continue;
            }
        };
        let named: Vec<_> = together.iter().take(NAMED).map(|one| short(one.entry)).collect();
        parts.push(format!("{counted} ({})", list(&named, many)));
    }
    parts
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
    let meant = all.iter().filter(|one| is_meant(one));
    let meant = meant.map(|Difference { key, entry, before, after, .. }| Words { key, entry, before, after });
    // Of a severity, the new one is said.
    grouped(meant.collect(), "default", |one| match one.group() {
        Group::Called(..) => Group::Alone,
        group => group,
    })
}

/// Differences that are said together if there are several.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Group<'a> {
    /// Each is said on its own.
    Alone,
    /// What one of them and several are called.
    Called(&'static str, &'static str),
    /// Entries that were added to the list of this name.
    Added(&'a str),
    /// Entries that were removed from it.
    Removed(&'a str),
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

    /// What this difference is said together with.
    fn group(&self) -> Group<'a> {
        let is_added = self.before.is_empty();
        match (self.key, self.after) {
            ("rules", "off") => Group::Called("rule switched off", "rules switched off"),
            ("rules", _) if self.before == "off" => Group::Called("rule switched on", "rules switched on"),
            ("rules", _) => Group::Called("severity changed", "severities changed"),
            ("approved_administrators", _) if self.entry.is_empty() => Group::Alone,
            ("approved_administrators", _) if is_added => {
                Group::Called("administrator approved", "administrators approved")
            }
            ("approved_administrators", _) => Group::Called("approval removed", "approvals removed"),
            ("exceptions", "") => Group::Called("exception removed", "exceptions removed"),
            ("exceptions", _) if is_added => Group::Called("exception added", "exceptions added"),
            ("exceptions", _) => Group::Called("exception changed", "exceptions changed"),
            _ if self.entry.is_empty() => Group::Alone,
            ("custom_rules" | "off_reasons" | "planned_fixes" | "separations", _) => Group::Alone,
            (key, _) if is_added => Group::Added(key),
            (key, "") => Group::Removed(key),
            _ => Group::Alone,
        }
    }
}

fn words(one: &Words<'_>, was: &str) -> String {
    let Words { key, .. } = one;
    let [entry, before, after] = [one.entry, one.before, one.after].map(short);
    match (*key, before.is_empty(), after.is_empty()) {
        ("rules", ..) if after == "off" => format!("rule {entry} is off ({was} {before})"),
        ("custom_rules", true, _) => format!("rule {entry} added"),
        ("custom_rules", _, true) => format!("rule {entry} removed"),
        ("rules" | "custom_rules", ..) => format!("rule {entry} is {after} ({was} {before})"),
        ("off_reasons", true, _) => format!("rule {entry}, which is off, has a reason now: “{after}”"),
        ("off_reasons", _, true) => format!("rule {entry}, which is off, has no reason any more (was “{before}”)"),
        ("off_reasons", ..) => format!("rule {entry} is off for another reason: “{after}” (was “{before}”)"),
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
