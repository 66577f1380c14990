//! Roles, profiles and rules.

use std::collections::HashMap;

use super::text::{Budget, LABEL, PROSE, Part, date, shown};
use crate::{
    access::hierarchy::{self, Top},
    model::{
        directory::{Permission, Permissions},
        finding::RuleResult,
        rule_name::RuleName,
    },
    report::{ReportInput, cell::UNKNOWN, holders::Holders},
    words::{list, number},
};

/// Roles, and profiles, that the page shows.
const ENTRIES: usize = 500;
/// Bytes that the roles may take, and the profiles.
const BYTES: usize = 400_000;
/// Dangerous permissions that a profile's row names.
const PERMISSIONS_NAMED: usize = 6;
/// Roles that the tree shows at once, and paper too; the others are folded.
const TREE: usize = 24;
/// Levels that the drawing indents; deeper roles are at the last of them.
const LEVELS: usize = 12;

/// One role of the tree.
pub(super) struct RoleRow {
    pub(super) name: String,
    /// The id, if several roles have the name; empty otherwise.
    pub(super) id: String,
    pub(super) depth: usize,
    /// The level for assistive technology, from 1.
    pub(super) level: usize,
    pub(super) holders: String,
    /// The length of its bar, of 100 for the role that the most users hold.
    pub(super) bar: usize,
    pub(super) admin: bool,
    pub(super) broken: String,
}

/// The tree of roles.
pub(super) struct Roles {
    pub(super) first: Vec<RoleRow>,
    /// The rest, folded.
    pub(super) others: Vec<RoleRow>,
    /// How many there are and are shown.
    pub(super) count: Part<()>,
}

pub(super) fn roles(input: &ReportInput<'_>) -> Roles {
    let mut rows = role_rows(input);
    let others = rows.rows.split_off(rows.rows.len().min(TREE));
    Roles { first: rows.rows, others, count: Part { rows: Vec::new(), all: rows.all, hidden: rows.hidden } }
}

fn role_rows(input: &ReportInput<'_>) -> Part<RoleRow> {
    let holders = Holders::count(input.matrix);
    let roles = &input.audit.directory.roles;
    let most = roles.iter().map(|role| holders.of_role(&role.id)).max().unwrap_or(0).max(1);
    let mut names: HashMap<&str, usize> = HashMap::new();
    for role in roles {
        *names.entry(&role.name).or_default() += 1;
    }
    Part::of(
        hierarchy::tree(roles).into_iter(),
        ENTRIES,
        Budget::new(BYTES),
        |branch| RoleRow {
            name: shown(&branch.role.name, LABEL),
            id: if names.get(branch.role.name.as_str()).is_some_and(|times| *times > 1) {
                shown(branch.role.id.as_str(), LABEL)
            } else {
                String::new()
            },
            bar: (holders.of_role(&branch.role.id) * 100).div_ceil(most),
            depth: branch.depth.min(LEVELS),
            level: branch.depth + 1,
            holders: number(holders.of_role(&branch.role.id)),
            admin: branch.role.admin_user == Some(true),
            broken: match branch.top {
                None | Some(Top::Root) => String::new(),
                Some(Top::MissingParent(id)) => {
                    format!("reports to {}, which does not exist", shown(id.as_str(), LABEL))
                }
                Some(Top::Cycle(ids)) if ids.len() == 1 => "reports to itself".to_owned(),
                Some(Top::Cycle(ids)) => {
                    let ids: Vec<&str> = ids.iter().map(AsRef::as_ref).collect();
                    format!("reports to itself through {}", shown(&ids.join(", "), PROSE))
                }
            },
        },
        |row| vec![&row.name, &row.id, &row.broken],
    )
}

/// One profile.
pub(super) struct ProfileRow {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) administrator: bool,
    pub(super) kind: &'static str,
    pub(super) holders: String,
    pub(super) enabled: String,
    pub(super) dangerous: String,
    pub(super) modified: String,
}

pub(super) fn profiles(input: &ReportInput<'_>) -> Part<ProfileRow> {
    let holders = Holders::count(input.matrix);
    Part::of(
        input.audit.directory.profiles.iter(),
        ENTRIES,
        Budget::new(BYTES),
        |profile| {
            let (enabled, dangerous) = permissions(input, &profile.permissions);
            ProfileRow {
                name: shown(&profile.name, LABEL),
                id: shown(profile.id.as_str(), LABEL),
                administrator: input.audit.administrator_profiles.contains(&profile.id),
                kind: match profile.custom {
                    Some(true) => "custom",
                    Some(false) => "built in",
                    None => UNKNOWN,
                },
                holders: number(holders.of_profile(&profile.id)),
                enabled,
                dangerous,
                modified: match (profile.modified, profile.custom) {
                    (Some(time), _) => date(time),
                    (None, Some(false)) => "not applicable".to_owned(),
                    (None, _) => UNKNOWN.to_owned(),
                },
            }
        },
        |row| vec![&row.name, &row.id, &row.enabled, &row.dangerous],
    )
}

/// How many permissions are on, and which of those the policy calls dangerous.
fn permissions(input: &ReportInput<'_>, permissions: &Permissions) -> (String, String) {
    let all = match permissions {
        Permissions::Known(all) => all,
        Permissions::Unknown(why) => return (format!("{UNKNOWN}: {}", shown(why, LABEL)), UNKNOWN.to_owned()),
    };
    let on = || all.iter().filter(|permission| permission.enabled);
    let dangerous: Vec<&str> = on()
        .filter(|permission| is_dangerous(input, permission))
        .map(|permission| permission.label.as_deref().unwrap_or(&permission.name))
        .collect();
    (format!("{} of {}", on().count(), all.len()), named(&dangerous))
}

/// Whether the policy calls a permission dangerous.
pub(super) fn is_dangerous(input: &ReportInput<'_>, permission: &Permission) -> bool {
    let is_named = |text: &str| {
        let text = text.to_lowercase();
        input.audit.policy.dangerous_permissions.iter().any(|fragment| text.contains(fragment.as_str()))
    };
    is_named(&permission.name) || permission.label.as_deref().is_some_and(is_named)
}

/// Permissions by name, each name once: the API gives a permission once for each module.
fn named(permissions: &[&str]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for permission in permissions {
        match counts.iter_mut().find(|(name, _)| name == permission) {
            Some((_, count)) => *count += 1,
            None => counts.push((permission, 1)),
        }
    }
    if counts.is_empty() {
        return "none".to_owned();
    }
    let named: Vec<String> = counts
        .iter()
        .take(PERMISSIONS_NAMED)
        .map(|(name, modules)| match modules {
            1 => shown(name, LABEL),
            modules => format!("{} (in {modules} modules)", shown(name, LABEL)),
        })
        .collect();
    list(&named, counts.len())
}

/// The result of one rule.
pub(super) struct RuleRow {
    pub(super) rule: RuleName,
    pub(super) title: String,
    pub(super) criterion: String,
    pub(super) result: &'static str,
    pub(super) class: &'static str,
    pub(super) detail: String,
}

/// Rules that were not evaluated, or not in full, for one reason.
pub(super) struct BlindRules {
    pub(super) result: &'static str,
    pub(super) class: &'static str,
    /// Their titles; of those that failed with the number of findings.
    pub(super) titles: Vec<String>,
    pub(super) why: String,
}

/// The result of each rule.
pub(super) struct Rules {
    pub(super) all: Vec<RuleRow>,
    /// Those that were not evaluated, or not in full. After an incomplete read that can be all of them.
    pub(super) blind: Vec<BlindRules>,
    /// How many rules have which result.
    pub(super) counts: String,
    /// The titles of the rules that found nothing, for paper.
    pub(super) passed: String,
}

/// The result of each rule, and how many rules have which result.
pub(super) fn rules(input: &ReportInput<'_>) -> Rules {
    let mut rows = Vec::new();
    let mut groups: Vec<BlindRules> = Vec::new();
    let mut counts = [("passed", 0_usize), ("failed", 0), ("not evaluated", 0), ("switched off", 0)];
    for outcome in &input.audit.outcomes {
        let title = input.rule_title(&outcome.rule);
        let (place, class, detail, blind) = match &outcome.result {
            RuleResult::Passed => (0, "passed", String::new(), None),
            RuleResult::Failed { open, excepted, not_evaluated } => {
                let accepted = if *excepted == 0 {
                    String::new()
                } else {
                    format!(", {} accepted (by exception)", number(*excepted))
                };
                let found = format!("{} open{accepted}", number(*open));
                if not_evaluated.is_empty() {
                    (1, "failed", found, None)
                } else {
                    let why = format!("Not evaluated: {}", shown(not_evaluated, PROSE));
                    (1, "failed", format!("{found}. {why}"), Some((format!("{title} ({found})"), why)))
                }
            }
            RuleResult::NotEvaluated(why) => {
                let why = shown(why, PROSE);
                (2, "unevaluated", why.clone(), Some((title.to_owned(), why)))
            }
            RuleResult::SwitchedOff => {
                let reason = shown(input.audit.policy.off_reason(&outcome.rule), PROSE);
                let why = format!("by the policy: {reason}");
                (3, "off", why.clone(), Some((title.to_owned(), why)))
            }
        };
        counts[place].1 += 1;
        let result = counts[place].0;
        if let Some((title, why)) = blind {
            match groups.iter_mut().find(|group| group.class == class && group.why == why) {
                Some(group) => group.titles.push(title),
                None => groups.push(BlindRules { result, class, titles: vec![title], why }),
            }
        }
        rows.push(RuleRow {
            rule: outcome.rule.clone(),
            title: title.to_owned(),
            criterion: input.rule(&outcome.rule).map(|rule| rule.criteria_text().into_owned()).unwrap_or_default(),
            result,
            class,
            detail,
        });
    }
    let words: Vec<String> =
        counts.iter().filter(|(_, count)| *count > 0).map(|(word, count)| format!("{count} {word}")).collect();
    let passed: Vec<&str> = rows.iter().filter(|row| row.class == "passed").map(|row| row.title.as_str()).collect();
    Rules { passed: passed.join(", "), counts: words.join(", "), blind: groups, all: rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permission_of_several_modules_is_named_once_with_their_number() {
        assert_eq!(named(&["Export", "Backup", "Export"]), "Export (in 2 modules) and Backup");
        assert_eq!(named(&[]), "none");
        assert_eq!(named(&["a", "b", "c", "d", "e", "f", "g", "g"]), "a, b, c, d, e, f and 1 more");
    }
}
