//! The sentences that say what an audit found.

use super::{Brief, Changes, Counts, People, State, cut, short};
use crate::{
    model::finding::Severity,
    words::{count, counted, form, list, number},
};

/// Characters of the reason why a read is incomplete.
const REASON: usize = 200;
/// Characters of a name in the headline.
const IN_HEADLINE: usize = 40;
/// Settings looser than the default that the verdict names.
const LOOSENED: usize = 4;
/// The severities that ask for action before the next review.
const URGENT: [Severity; 2] = [Severity::Critical, Severity::High];
/// The severities that ask for a look.
const OTHERS: [Severity; 2] = [Severity::Medium, Severity::Low];

/// The answer in a few short sentences.
pub(super) fn verdict(brief: &Brief) -> String {
    let counts = &brief.counts;
    let mut sentences = match brief.state {
        State::Incomplete => incomplete(brief),
        _ => Vec::new(),
    };
    sentences.extend(new_power(brief));
    sentences.extend(new_primary(brief));
    sentences.extend(still_undecided(brief));
    sentences.extend(brief.deadlines.overdue_sentence.clone());
    sentences.extend(loosened(brief));
    if brief.is_complete() {
        sentences.push(first_sentence(&power(brief)));
        sentences.extend(newly_known(counts));
        sentences.push(found(brief.state, counts));
    }
    if brief.is_complete() {
        sentences.extend(new_findings(brief.state, counts));
        sentences.extend(reopened(brief));
    }
    sentences.extend(looser(brief));
    if counts.accepted > 0 {
        sentences.push(format!("{} accepted by an exception.", counted(counts.accepted, "finding is", "findings are")));
    }
    sentences.extend(brief.deadlines.planned_sentence.clone());
    sentences.extend(brief.deadlines.ending_sentence.clone());
    if counts.rules_not_evaluated > 0 {
        sentences.push(format!("{} could not be evaluated in full.", count(counts.rules_not_evaluated, "rule")));
    }
    if counts.not_looked_for > 0 {
        sentences.push(format!(
            "{} of an earlier audit could not be looked for, and {} neither open nor resolved.",
            count(counts.not_looked_for, "open finding"),
            form(counts.not_looked_for, "is", "are")
        ));
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

fn first_sentence(power: &str) -> String {
    power.strip_prefix("at least").map_or_else(|| format!("{power}."), |rest| format!("At least{rest}."))
}

fn power(brief: &Brief) -> String {
    let counts = &brief.counts;
    let ways = counts.ways();
    let ways = if ways.is_empty() { ways } else { format!(" ({ways})") };
    let unknown = match counts.unknown() {
        unknown if unknown.is_empty() => unknown,
        unknown => format!("; {unknown}"),
    };
    format!(
        "{}{} of {} can administer {}{ways}{unknown}",
        counts.at_least(),
        number(counts.administrators),
        count(counts.active, "active user"),
        brief.workspace
    )
}

/// How many are counted who were not counted at the previous audit, although nothing changed.
fn newly_known(counts: &Counts) -> Option<String> {
    let known = counts.newly_known;
    let they = form(known, "this user", "these users");
    (known > 0).then(|| {
        format!(
            "{} of them {} now known and may not be new: at the previous audit, the API did not say whether {they} could administer.",
            number(known),
            form(known, "is", "are")
        )
    })
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
            format!("{} {verb} action{rest}{}.", of_severities(counts, &URGENT), informative(counts))
        }
        State::Review => {
            let verb = form(total(counts, &OTHERS), "needs", "need");
            let others = of_severities(counts, &OTHERS);
            format!("No finding is critical or high; {others} {verb} review{}.", informative(counts))
        }
        State::Clear => format!("No finding above info is open{}.", informative(counts)),
    }
}

/// The open findings that ask for nothing, so that the verdict adds up to all that are open.
fn informative(counts: &Counts) -> String {
    match counts.severity(Severity::Info) {
        0 => String::new(),
        info => format!("; {} {} for information", number(info), form(info, "is", "are")),
    }
}

/// How the policy is looser than at the previous audit, and what is therefore no longer counted.
fn loosened(brief: &Brief) -> Option<String> {
    let changes = brief.changes.as_ref()?;
    let loosened = (!changes.loosened.is_empty())
        .then(|| format!("The policy is looser than at the previous audit: {}.", changes.loosened));
    let not_counted = (changes.not_counted > 0).then(|| {
        let count = counted(changes.not_counted, "finding is", "findings are");
        format!("{count} no longer counted because the policy changed; nothing of that is resolved.")
    });
    let said: Vec<String> = loosened.into_iter().chain(not_counted).collect();
    (!said.is_empty()).then(|| said.join(" "))
}

/// How the policy is looser than the default, apart from what [`loosened`] just said.
fn looser(brief: &Brief) -> Option<String> {
    let said = brief.changes.as_ref().map_or("", |changes| changes.loosened.as_str());
    let setting = |sentence: &str| sentence.split(" (").next().unwrap_or_default().to_owned();
    let loosened = brief.not_evaluated.loosened.iter().filter(|sentence| !said.contains(&setting(sentence)));
    let all: Vec<&String> = loosened.collect();
    let named = &all[..all.len().min(LOOSENED)];
    (!all.is_empty()).then(|| format!("The policy is looser than the default: {}.", list(named, all.len())))
}

/// Who can administer since the previous audit, and how.
fn new_power(brief: &Brief) -> Option<String> {
    let changes = brief.changes.as_ref()?;
    let mut who: Vec<String> = changes.new_power.iter().map(|new| format!("“{}” {}", new.name, new.how)).collect();
    let more = changes.granted - who.len();
    if more > 0 {
        who.push(format!("{} got full power", counted(more, "more user", "more users")));
    }
    match who.as_slice() {
        [] => None,
        [only] => Some(format!("{only} since the previous audit.")),
        several => Some(format!("Since the previous audit: {}.", several.join("; "))),
    }
}

/// The primary user, who can do everything, if it is another one.
fn new_primary(brief: &Brief) -> Option<String> {
    let sentence = brief.changes.as_ref()?.new_primary.as_ref()?;
    Some(format!("{sentence}."))
}

/// Who got full power earlier, if it has not been approved since.
fn still_undecided(brief: &Brief) -> Option<String> {
    let People { undecided, all_undecided, .. } = &brief.administrators;
    let names: Vec<String> = undecided.iter().map(|name| format!("“{}”", short(name))).collect();
    (*all_undecided > 0).then(|| {
        format!("Full power that was new at an earlier audit has not been approved: {}.", list(&names, *all_undecided))
    })
}

fn new_findings(state: State, counts: &Counts) -> Option<String> {
    match (counts.new?, state) {
        (0, State::Clear) => None,
        (0, _) => Some("No finding is new since the previous audit.".to_owned()),
        (new, _) => {
            let because = match counts.newly_looked_for {
                0 => String::new(),
                all if all >= new => ", because the policy looks for more now".to_owned(),
                some => format!(", {} of them because the policy looks for more now", number(some)),
            };
            Some(format!("{} new since the previous audit{because}.", counted(new, "finding is", "findings are")))
        }
    }
}

/// The findings that an exception accepted at the previous audit.
fn reopened(brief: &Brief) -> Option<String> {
    let reopened = brief.changes.as_ref()?.reopened;
    let it = form(reopened, "it", "them");
    (reopened > 0).then(|| {
        format!("{} open again: no exception accepts {it} any more.", counted(reopened, "finding is", "findings are"))
    })
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

/// The change, beginning with who got full power: `+1 administrator (Orla Yarrow), 2 new findings`.
fn change(changes: &Changes) -> String {
    let mut phrases = changes.phrases();
    let named: Vec<_> = changes.new_power.iter().take(1).map(|new| cut(&new.name, IN_HEADLINE)).collect();
    if let (false, Some(first)) = (named.is_empty(), phrases.first_mut()) {
        *first = format!("{first} ({})", list(&named, changes.granted));
    }
    phrases.join(", ")
}

/// The result and the change in one line: `+1 administrator (Orla Yarrow), 2 new findings (open: 3 high), 1 rule off`.
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
        None => {
            let administrators = format!("{}{}", counts.at_least(), count(counts.administrators, "administrator"));
            vec!["first audit".to_owned(), administrators, standing]
        }
        Some(changes) if changes.is_none() => {
            vec![if complete { "no change" } else { "no change seen" }.to_owned(), standing]
        }
        Some(changes) if changes.new_findings > 0 && complete => {
            vec![format!("{}{}", change(changes), bracketed("open: "))]
        }
        Some(changes) => vec![change(changes), standing],
    };
    if brief.deadlines.overdue > 0 {
        parts.push(format!("{} overdue", counted(brief.deadlines.overdue, "fix", "fixes")));
    }
    if counts.rules_off > 0 {
        parts.push(format!("{} off", count(counts.rules_off, "rule")));
    }
    if counts.accepted > 0 {
        parts.push(format!("{} accepted", number(counts.accepted)));
    }
    let loosened = brief.not_evaluated.loosened.len();
    if loosened > 0 {
        parts.push(format!("{} looser than default", count(loosened, "setting")));
    }
    parts.join(", ")
}
