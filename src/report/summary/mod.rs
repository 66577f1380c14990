//! The words that the HTML report, the mail and the terminal share: the verdict, the counts, who can
//! administer, what changed, what to do.

mod words;

use std::collections::{BTreeSet, HashMap};

pub use words::{INCOMPLETE, change_sentence};

use crate::{
    access::matrix::{AccessMatrix, MatrixRow},
    model::{
        audit::Audit,
        change::ChangeKind,
        finding::{RuleResult, Severity},
        rule::RuleName,
        status::StatusKind,
    },
};

/// How many administrators a headline names.
pub const ADMINISTRATORS_NAMED: usize = 20;
/// How many changes a headline phrases.
pub const CHANGES_NAMED: usize = 12;
/// How many subjects an action names.
pub const SUBJECTS_NAMED: usize = 3;

/// The answer of an audit, in words and numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    /// What kind of answer it is.
    pub state: State,
    /// The answer in one or two sentences. That of an incomplete audit begins with “Incomplete”.
    pub verdict: String,
    /// The result in a few words, for a subject line: `1 critical, 2 high (3 new), +1 administrator`.
    pub subject_result: String,
    /// The numbers behind it.
    pub counts: Counts,
    /// Who can administer: new ones first, then by name. At most [`ADMINISTRATORS_NAMED`] of
    /// [`Counts::administrators`].
    pub administrators: Vec<Person>,
    /// The weightiest changes as sentences. At most [`CHANGES_NAMED`] of [`Counts::changes`].
    pub changes: Vec<String>,
    /// What to do, the gravest first: one entry for each rule with open findings above `info`.
    pub actions: Vec<Action>,
}

/// What kind of answer an audit gives, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The read is incomplete: what was found holds, what was not found proves nothing.
    Incomplete,
    /// There are open findings of severity critical or high.
    Act,
    /// There are open findings, none above medium.
    Review,
    /// There is no open finding above info.
    Clear,
}

impl State {
    /// The state in a word or two, for badges and terminals: colour never stands alone.
    pub fn word(self) -> &'static str {
        match self {
            Self::Incomplete => "Incomplete",
            Self::Act => "Action needed",
            Self::Review => "To review",
            Self::Clear => "Nothing to act on",
        }
    }
}

/// The numbers of an audit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Users, deleted ones included.
    pub users: usize,
    /// Active users, invited ones included.
    pub active: usize,
    /// Active users who did not accept the invitation yet.
    pub unconfirmed: usize,
    /// Users that are switched off.
    pub inactive: usize,
    /// Users that the vendor lists as deleted.
    pub deleted: usize,
    /// Users with a status word that rolecall does not know.
    pub other: usize,
    /// Active users with an administrator profile.
    pub administrators: usize,
    /// How many more of them than at the previous audit; none where there was none.
    pub administrators_gained: Option<i64>,
    /// Open findings by severity, gravest first.
    pub open: Vec<(Severity, usize)>,
    /// Open findings of every severity.
    pub open_total: usize,
    /// Open findings that the previous audit did not have; none where there was no previous audit.
    pub new: Option<usize>,
    /// Findings that somebody accepted.
    pub excepted: usize,
    /// Changes since the previous audit.
    pub changes: usize,
    /// Rules that could not be evaluated, or not for everything.
    pub rules_not_evaluated: usize,
    /// Rules that the policy switches off.
    pub rules_off: usize,
}

impl Counts {
    /// Open findings of one severity.
    pub fn severity(&self, severity: Severity) -> usize {
        self.open.iter().find(|(of, _)| *of == severity).map_or(0, |(_, count)| *count)
    }
}

/// A user with an administrator profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The user's id.
    pub id: String,
    /// The user as a person would name it.
    pub label: String,
    /// The address; none where the API gave none.
    pub email: Option<String>,
    /// The profile's name on the master list; its id where it is not there.
    pub profile: String,
    /// Whether the invitation was accepted; none where the API did not say.
    pub confirmed: Option<bool>,
    /// Whether the power is new since the previous audit.
    pub new: bool,
}

/// What a rule's open findings ask for. The advice on how is the rule's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// The rule's name.
    pub rule: RuleName,
    /// The gravest severity among its open findings.
    pub severity: Severity,
    /// How many open findings it has.
    pub open: usize,
    /// How many of them the previous audit did not have; 0 where there was none.
    pub new: usize,
    /// The first subjects, new ones before the rest; at most [`SUBJECTS_NAMED`].
    pub subjects: Vec<String>,
}

impl Action {
    /// The subjects as one phrase: `Dana Reyes, Ola Berg and 3 more`.
    pub fn whom(&self) -> String {
        crate::words::list(&self.subjects, self.open)
    }
}

/// The answer of an audit.
pub fn headline(audit: &Audit, matrix: &AccessMatrix<'_>) -> Headline {
    let (counts, administrators) = count(audit, matrix);
    let state = state(audit, &counts);
    Headline {
        state,
        verdict: words::verdict(audit, state, &counts),
        subject_result: words::subject_result(state, &counts),
        administrators,
        changes: audit.drift.changes.iter().take(CHANGES_NAMED).map(change_sentence).collect(),
        actions: actions(audit),
        counts,
    }
}

fn state(audit: &Audit, counts: &Counts) -> State {
    let found = |severities: &[Severity]| severities.iter().any(|severity| counts.severity(*severity) > 0);
    if !audit.directory.reading.is_complete() {
        State::Incomplete
    } else if found(&[Severity::Critical, Severity::High]) {
        State::Act
    } else if found(&[Severity::Medium, Severity::Low]) {
        State::Review
    } else {
        State::Clear
    }
}

fn count(audit: &Audit, matrix: &AccessMatrix<'_>) -> (Counts, Vec<Person>) {
    let mut counts =
        Counts { open: audit.open_by_severity().to_vec(), changes: audit.drift.changes.len(), ..Counts::default() };
    let granted: BTreeSet<&str> = audit
        .drift
        .changes
        .iter()
        .filter(|change| change.kind == ChangeKind::AdministratorGranted)
        .map(|change| change.subject_id.as_str())
        .collect();
    let mut administrators = Vec::new();
    for row in matrix.rows() {
        counts.users += 1;
        match row.user.status().kind() {
            StatusKind::Active => counts.active += 1,
            StatusKind::Inactive => counts.inactive += 1,
            StatusKind::Deleted => counts.deleted += 1,
            StatusKind::Other => counts.other += 1,
        }
        counts.unconfirmed += usize::from(row.user.status().is_active() && row.user.confirmed() == Some(false));
        if row.is_active_administrator() {
            counts.administrators += 1;
            administrators.push((!granted.contains(row.user.id()), row));
        }
    }
    // A workspace where everybody administers would otherwise be sorted and copied whole.
    let by_news_and_name = |a: &(bool, MatrixRow<'_>), b: &(bool, MatrixRow<'_>)| {
        (a.0, a.1.user.label()).cmp(&(b.0, b.1.user.label())).then_with(|| a.1.user.index().cmp(&b.1.user.index()))
    };
    if administrators.len() > ADMINISTRATORS_NAMED {
        administrators.select_nth_unstable_by(ADMINISTRATORS_NAMED, by_news_and_name);
        administrators.truncate(ADMINISTRATORS_NAMED);
    }
    administrators.sort_by(by_news_and_name);

    counts.open_total = counts.open.iter().map(|(_, count)| count).sum();
    counts.excepted = audit.findings.len() - counts.open_total;
    if let Some(previous) = &audit.drift.previous {
        let before = i64::try_from(previous.administrators).unwrap_or(i64::MAX);
        counts.administrators_gained = Some(i64::try_from(counts.administrators).unwrap_or(i64::MAX) - before);
        counts.new = Some(audit.open_findings().filter(|finding| finding.continuing == Some(false)).count());
    }
    for outcome in &audit.outcomes {
        match &outcome.result {
            RuleResult::NotEvaluated(_) => counts.rules_not_evaluated += 1,
            RuleResult::Failed { not_evaluated, .. } if !not_evaluated.is_empty() => counts.rules_not_evaluated += 1,
            RuleResult::SwitchedOff => counts.rules_off += 1,
            RuleResult::Passed | RuleResult::Failed { .. } => {}
        }
    }
    (counts, administrators.into_iter().map(|(known, row)| person(&row, !known)).collect())
}

fn person(row: &MatrixRow<'_>, new: bool) -> Person {
    let stated = || row.profile.map(|profile| profile.stated.id.to_string()).unwrap_or_default();
    Person {
        id: row.user.id().to_owned(),
        label: row.user.label().to_owned(),
        email: row.user.email().map(ToOwned::to_owned),
        profile: row.profile_name().map_or_else(stated, ToOwned::to_owned),
        confirmed: row.user.confirmed(),
        new,
    }
}

fn actions(audit: &Audit) -> Vec<Action> {
    let mut actions: Vec<Action> = Vec::new();
    // The subjects of each action that the previous audit did not have.
    let mut news: Vec<Vec<String>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for finding in audit.open_findings().filter(|finding| finding.severity > Severity::Info) {
        let place = *places.entry(&finding.rule).or_insert_with(|| {
            actions.push(Action {
                rule: finding.rule.clone(),
                severity: finding.severity,
                open: 0,
                new: 0,
                subjects: Vec::new(),
            });
            news.push(Vec::new());
            actions.len() - 1
        });
        let action = &mut actions[place];
        action.open += 1;
        let new = finding.continuing == Some(false);
        action.new += usize::from(new);
        let subjects = if new { &mut news[place] } else { &mut action.subjects };
        if subjects.len() < SUBJECTS_NAMED {
            subjects.push(audit.subject_label(&finding.subject).0);
        }
    }
    for (action, mut new) in actions.iter_mut().zip(news) {
        new.append(&mut action.subjects);
        new.truncate(SUBJECTS_NAMED);
        action.subjects = new;
    }
    // Findings come the gravest first, so the first of a rule is its gravest; the sort keeps that order.
    actions.sort_by_key(|action| std::cmp::Reverse(action.severity));
    actions
}

#[cfg(test)]
mod tests;
