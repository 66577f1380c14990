//! The sentences that say what an audit found.

use super::{Brief, Counts, State, cut, short};
use crate::{
    model::finding::Severity,
    words::{count, counted, form, list, number},
};

/// Characters of the reason why a read is incomplete.
const REASON: usize = 200;
/// New administrators that the verdict names.
const NAMED: usize = 3;
/// The severities that ask for action before the next review.
const URGENT: [Severity; 2] = [Severity::Critical, Severity::High];
/// The severities that ask for a look.
const OTHERS: [Severity; 2] = [Severity::Medium, Severity::Low];

/// The answer in a few short sentences.
pub(super) fn verdict(brief: &Brief) -> String {
    let counts = &brief.counts;
    let mut sentences = match brief.state {
        State::Incomplete => incomplete(brief),
        _ => vec![format!("{}.", power(brief)), found(brief.state, counts)],
    };
    sentences.extend(new_administrators(brief));
    if brief.is_complete() {
        sentences.extend(new_findings(brief.state, counts));
    }
    if counts.accepted > 0 {
        sentences.push(format!("{} accepted by an exception.", counted(counts.accepted, "finding is", "findings are")));
    }
    if counts.rules_not_evaluated > 0 {
        sentences.push(format!("{} could not be evaluated in full.", count(counts.rules_not_evaluated, "rule")));
    }
    if counts.rules_off > 0 {
        sentences.push(format!(
            "{} of {} {} switched off by the policy.",
            number(counts.rules_off),
            count(counts.rules, "rule"),
            form(counts.rules_off, "is", "are")
        ));
    }
    sentences.join(" ")
}

fn power(brief: &Brief) -> String {
    let counts = &brief.counts;
    format!(
        "{} of {} can administer {}",
        number(counts.administrators),
        count(counts.active, "active user"),
        brief.workspace
    )
}

fn incomplete(brief: &Brief) -> Vec<String> {
    let problems = brief.not_evaluated.problems.first();
    let problem = problems.map_or("a check of the read disagrees", |(_, detail)| detail.as_str());
    let problem = cut(problem.trim_end_matches('.'), REASON);
    let counts = &brief.counts;
    vec![
        format!(
            "The user list of {} could not be read completely ({problem}), so this is not a full review.",
            brief.workspace
        ),
        format!(
            "In what was read, {}, and {} open.",
            power(brief),
            counted(counts.open_total, "finding is", "findings are")
        ),
        "Findings that are not listed here may still exist: run the audit again.".to_owned(),
    ]
}

fn found(state: State, counts: &Counts) -> String {
    match state {
        State::Incomplete => String::new(),
        State::Act => {
            let rest = match total(counts, &OTHERS) {
                0 => String::new(),
                rest => format!("; {} more {} review", number(rest), form(rest, "needs", "need")),
            };
            let verb = form(total(counts, &URGENT), "needs", "need");
            format!("{} {verb} action{rest}.", of_severities(counts, &URGENT))
        }
        State::Review => {
            let verb = form(total(counts, &OTHERS), "needs", "need");
            format!("No finding is critical or high; {} {verb} review.", of_severities(counts, &OTHERS))
        }
        State::Clear => "No finding above info is open.".to_owned(),
    }
}

fn new_administrators(brief: &Brief) -> Option<String> {
    let new: Vec<_> = brief.administrators.named.iter().filter(|person| person.new).collect();
    let all = brief.changes.as_ref().map_or(0, |changes| changes.granted).max(new.len());
    let names: Vec<_> = new.iter().take(NAMED).map(|person| format!("“{}”", short(&person.label))).collect();
    let became = form(all, "became an administrator", "became administrators");
    (!new.is_empty()).then(|| format!("Since the previous audit, {} {became}.", list(&names, all)))
}

fn new_findings(state: State, counts: &Counts) -> Option<String> {
    match (counts.new?, state) {
        (0, State::Clear) => None,
        (0, _) => Some("No finding is new since the previous audit.".to_owned()),
        (new, _) => Some(format!("{} new since the previous audit.", counted(new, "finding is", "findings are"))),
    }
}

/// `2 high findings`, or `3 findings (1 critical, 2 high)` if there are several severities.
fn of_severities(counts: &Counts, of: &[Severity]) -> String {
    let mut present = of.iter().filter(|severity| counts.severity(**severity) > 0);
    match (present.next(), present.next()) {
        (Some(only), None) => count(counts.severity(*only), &format!("{only} finding")),
        _ => format!("{} ({})", count(total(counts, of), "finding"), counts.severities(of)),
    }
}

fn total(counts: &Counts, of: &[Severity]) -> usize {
    of.iter().map(|severity| counts.severity(*severity)).sum()
}

/// The result and the change in one line: `+1 administrator, 2 findings new (open: 3 high), 1 rule off`.
pub(super) fn headline(brief: &Brief) -> String {
    let counts = &brief.counts;
    let urgent = counts.severities(&URGENT);
    let bracketed = |before: &str| if urgent.is_empty() { String::new() } else { format!(" ({before}{urgent})") };
    let complete = brief.is_complete();
    let standing = match counts.open_total {
        0 if complete => "no open findings".to_owned(),
        0 => "findings unknown".to_owned(),
        open => {
            let at_least = if complete { "" } else { "at least " };
            format!("{at_least}{} open{}", count(open, "finding"), bracketed(""))
        }
    };
    let mut parts = match &brief.changes {
        None => vec!["first audit".to_owned(), count(counts.administrators, "administrator"), standing],
        Some(changes) if changes.is_none() => {
            vec![if complete { "no change" } else { "no change seen" }.to_owned(), standing]
        }
        Some(changes) if changes.new_findings > 0 && complete => {
            vec![format!("{}{}", changes.phrases().join(", "), bracketed("open: "))]
        }
        Some(changes) => vec![changes.phrases().join(", "), standing],
    };
    if counts.rules_off > 0 {
        parts.push(format!("{} off", count(counts.rules_off, "rule")));
    }
    parts.join(", ")
}
