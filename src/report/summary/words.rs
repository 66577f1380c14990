//! The wording of summaries.

use std::borrow::Cow;

use super::{Counts, State};
use crate::{
    model::{
        audit::Audit,
        change::{Change, ChangeKind},
        finding::Severity,
    },
    words::{count, form, number},
};

/// Characters of a name or value in a sentence.
const TEXT: usize = 200;
/// What the verdict on an incomplete audit begins with.
pub const INCOMPLETE: &str = "Incomplete: ";

/// A change as one sentence without a full stop: `Dana Reyes became Administrator (was Standard)`.
///
/// Names are cut, so that no name is long enough to push what happened out of sight.
pub fn change_sentence(change: &Change) -> String {
    let [subject, before, after] = [&change.subject, &change.before, &change.after].map(|text| short(text));
    let field = change.field;
    let was = if before.is_empty() { String::new() } else { format!(" (was {before})") };
    match change.kind {
        ChangeKind::AdministratorGranted if after.is_empty() || after == "Administrator" => {
            format!("{subject} became Administrator{was}")
        }
        ChangeKind::AdministratorGranted => format!("{subject} became administrator through profile {after}{was}"),
        ChangeKind::AdministratorRevoked if after.is_empty() => format!("{subject} is no longer Administrator"),
        ChangeKind::AdministratorRevoked => format!("{subject} is no longer Administrator (now {after})"),
        ChangeKind::PermissionAdded => format!("Profile {subject} gained the permission {}", either(&after, field)),
        ChangeKind::PermissionRemoved => format!("Profile {subject} lost the permission {}", either(&before, field)),
        ChangeKind::FindingNew => format!("New finding: {subject}{}", detail(&after)),
        ChangeKind::FindingResolved => format!("Resolved: {subject}{}", detail(&before)),
        ChangeKind::ProfileAdded | ChangeKind::ProfileRemoved => {
            format!("Profile {subject} {}", change.kind.phrase())
        }
        ChangeKind::RoleAdded | ChangeKind::RoleRemoved => format!("Role {subject} {}", change.kind.phrase()),
        ChangeKind::ProfileRenamed => format!("Profile {} was renamed{was}", either(&after, &subject)),
        ChangeKind::RoleRenamed => format!("Role {} was renamed{was}", either(&after, &subject)),
        ChangeKind::RoleMoved if after.is_empty() => format!("Role {subject} now reports to nobody{was}"),
        ChangeKind::RoleMoved => format!("Role {subject} now reports to {after}{was}"),
        ChangeKind::PrimaryUserChanged if !after.is_empty() => {
            format!("{after} is now the primary user, the super admin{was}")
        }
        kind if after.is_empty() => format!("{subject} {}{was}", kind.phrase()),
        kind => format!("{subject} {}: {after}{was}", kind.phrase()),
    }
}

/// The beginning of a text, and `…` where it goes on.
fn short(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(TEXT) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}

fn either<'a>(first: &'a str, second: &'a str) -> &'a str {
    if first.is_empty() { second } else { first }
}

fn detail(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(" ({text})") }
}

/// `1 critical, 2 high`: the severities that occur among some.
fn severities(counts: &Counts, of: &[Severity]) -> String {
    let present = of.iter().map(|severity| (severity, counts.severity(*severity))).filter(|(_, count)| *count > 0);
    let words: Vec<String> = present.map(|(severity, count)| format!("{} {severity}", number(count))).collect();
    words.join(", ")
}

/// `2 high findings`, or `3 findings (1 critical, 2 high)` where there are several kinds.
fn of_severities(counts: &Counts, of: &[Severity]) -> String {
    let mut present = of.iter().filter(|severity| counts.severity(**severity) > 0);
    match (present.next(), present.next()) {
        (Some(only), None) => count(counts.severity(*only), &format!("{only} finding")),
        _ => format!("{} ({})", count(total(counts, of), "finding"), severities(counts, of)),
    }
}

/// The answer in a few short sentences; that of an incomplete audit begins with [`INCOMPLETE`].
pub(super) fn verdict(audit: &Audit, state: State, counts: &Counts) -> String {
    let workspace = &audit.workspace;
    let power = format!(
        "{} of {} can administer {workspace}",
        number(counts.administrators),
        count(counts.active, "active user")
    );
    let found = match state {
        State::Incomplete => {
            let problem = audit.directory.reading.problems().next().map_or("the read was not whole", |(_, why)| why);
            let problem = problem.trim_end_matches('.');
            return format!(
                "{INCOMPLETE}the user list of {workspace} could not be read reliably ({problem}). In what was read, \
                 {power}, and {} {} open. What is not reported here may still exist: run the audit again.",
                count(counts.open_total, "finding"),
                form(counts.open_total, "is", "are"),
            );
        }
        State::Act => {
            let grave = [Severity::Critical, Severity::High];
            let urgent = total(counts, &grave);
            let rest = match total(counts, &[Severity::Medium, Severity::Low]) {
                0 => String::new(),
                1 => "; 1 more is to review".to_owned(),
                rest => format!("; {} more are to review", number(rest)),
            };
            let verb = form(urgent, "needs", "need");
            format!("{} {verb} action{rest}.", of_severities(counts, &grave))
        }
        State::Review => {
            let some = [Severity::Medium, Severity::Low];
            let verb = form(total(counts, &some), "is", "are");
            format!("No finding is critical or high; {} {verb} to review.", of_severities(counts, &some))
        }
        State::Clear => "No finding above info is open.".to_owned(),
    };
    let news = match (counts.new, state) {
        (None, _) | (Some(0), State::Clear) => String::new(),
        (Some(0), _) => " No finding is new since the previous audit.".to_owned(),
        (Some(1), _) => " 1 finding is new since the previous audit.".to_owned(),
        (Some(new), _) => format!(" {} findings are new since the previous audit.", number(new)),
    };
    let blind = match counts.rules_not_evaluated {
        0 => String::new(),
        rules => format!(" {} could not be evaluated in full.", count(rules, "rule")),
    };
    format!("{power}. {found}{news}{blind}")
}

/// The result in a few words: `1 critical, 2 high (3 new), +1 administrator`.
pub(super) fn subject_result(state: State, counts: &Counts) -> String {
    let mut parts = Vec::new();
    if state == State::Incomplete {
        parts.push("INCOMPLETE".to_owned());
    }
    let mut found = severities(counts, &Severity::ALL[..4]);
    if found.is_empty() && state != State::Incomplete {
        "no finding above info".clone_into(&mut found);
    }
    match counts.new {
        Some(new) if new > 0 => parts.push(format!("{found} ({} new)", number(new))),
        _ => parts.push(found),
    }
    match counts.administrators_gained {
        Some(0) => {}
        Some(gained) => {
            parts.push(format!("{gained:+} administrator{}", if gained.abs() == 1 { "" } else { "s" }));
        }
        None => parts.push(count(counts.administrators, "administrator")),
    }
    parts.retain(|part| !part.trim().is_empty());
    parts.join(", ")
}

fn total(counts: &Counts, of: &[Severity]) -> usize {
    of.iter().map(|severity| counts.severity(*severity)).sum()
}
