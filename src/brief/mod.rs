//! What an audit says: its state, the verdict, the counts, what changed, who should do what, and what was not
//! evaluated. Pure, and worked out once; the HTML report, `report.json`, the mail and the terminal only lay it out.
//!
//! - [`Counts`]: the numbers;
//! - [`People`]: who can administer;
//! - [`Changes`]: what changed since the previous audit, as sentences;
//! - [`Action`]: what the open findings of one rule ask for, by when, and of whom ([`Who`]);
//! - [`Point`]: what the findings of one rule say, and about whom;
//! - [`NotEvaluated`]: what the audit did not evaluate;
//! - `verdict`: the sentences that say all of it in short.
//!
//! A brief has the texts of the workspace unchanged, except for their length: each rendering cleans them for its
//! own medium.

mod accounts;
mod actions;
mod actors;
mod changes;
mod counts;
mod deadlines;
mod not_evaluated;
mod people;
mod points;
mod policy;
mod roster;
mod trend;
mod verdict;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use self::{
    actions::{Action, By},
    actors::Who,
    changes::{ChangeLine, Changes, sentence as change_sentence},
    counts::Counts,
    deadlines::Deadlines,
    not_evaluated::{NotEvaluated, UnevaluatedRule},
    people::{People, Person},
    points::{Point, Statement, points},
    roster::roster,
    trend::{Trend, TrendPoint},
};
use crate::{
    access::{drift::Said, matrix::AccessMatrix},
    model::{
        audit::Audit,
        finding::{Finding, Severity},
    },
};

/// What the API exposes for no user, so that it was not evaluated.
pub const NOT_EXPOSED: &str = "last sign-in and MFA status: the API does not expose them";

/// What an audit says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brief {
    /// The workspace's name in the configuration.
    pub workspace: String,
    /// What kind of answer it is.
    pub state: State,
    /// How the answer is coloured. Colour is never the only sign: [`State::word`] is always beside it.
    pub tone: Tone,
    /// The answer in a few sentences.
    pub verdict: String,
    /// The result and the change in one line, for a subject line.
    pub headline: String,
    /// The numbers behind it.
    pub counts: Counts,
    /// Who can administer.
    pub administrators: People,
    /// What changed since the previous audit; `None` for a first one.
    pub changes: Option<Changes>,
    /// What to do, the most urgent first: one entry for each rule with an open finding above `info`.
    pub actions: Vec<Action>,
    /// What was not evaluated.
    pub not_evaluated: NotEvaluated,
    /// The incidents since a report was last delivered, as sentences.
    pub incidents: Vec<String>,
    /// Exceptions that end soon, and fixes that are planned or overdue.
    pub deadlines: Deadlines,
    /// The accounts that are not people; `None` if the policy declares none.
    pub accounts: Option<String>,
    /// How the numbers developed; `None` if there is no past audit.
    pub trend: Option<Trend>,
}

impl Brief {
    /// What an audit says.
    pub fn of(audit: &Audit, matrix: &AccessMatrix<'_>) -> Self {
        let counts = Counts::of(audit, matrix);
        let not_evaluated = NotEvaluated::of(audit);
        let state = State::of(audit, &counts);
        let changes = Changes::of(audit);
        let brief = Self {
            workspace: short(&audit.workspace).into_owned(),
            state,
            tone: Tone::of(state, &counts, &not_evaluated),
            verdict: String::new(),
            headline: String::new(),
            administrators: People::of(audit, matrix),
            actions: actions::actions(audit, matrix),
            incidents: audit.incident_sentences(),
            deadlines: Deadlines::of(audit),
            accounts: accounts::accounts(audit, matrix),
            trend: Trend::of(audit, &counts),
            counts,
            changes,
            not_evaluated,
        };
        Self { verdict: verdict::verdict(&brief), headline: verdict::headline(&brief), ..brief }
    }

    /// Shown if [`actions`](Self::actions) is empty.
    pub fn nothing_to_do(&self) -> &'static str {
        match self.state {
            State::Incomplete => "Run the audit again, until the read is complete.",
            _ => "No open finding asks for action.",
        }
    }

    /// Who should resolve most points, if several have the same: this is said once, and each other point says its own.
    pub fn usual_who(&self) -> Option<&Who> {
        let times = |who: &Who| self.actions.iter().filter(|action| action.who == *who).count();
        let usual = self.actions.iter().map(|action| &action.who).rev().max_by_key(|who| times(who))?;
        (times(usual) > 1).then_some(usual)
    }

    /// What changed, in one sentence or two.
    pub fn change_summary(&self) -> String {
        self.changes.as_ref().map_or_else(|| changes::FIRST.to_owned(), Changes::summary)
    }

    /// How a page shows it: the name of a class of its stylesheet.
    pub fn class(&self) -> &'static str {
        match (self.state, self.tone) {
            (State::Incomplete, _) => "incomplete",
            (State::Act, _) => "act",
            (State::Review, _) => "review",
            (State::Clear, Tone::Good) => "clear",
            (State::Clear, _) => "neutral",
        }
    }

    /// What it says first, as it is kept.
    pub fn said(&self) -> Said {
        Said { state: self.state.word().to_owned(), class: self.class().to_owned(), verdict: self.verdict.clone() }
    }

    /// Whether every check of the read agreed.
    pub fn is_complete(&self) -> bool {
        self.state != State::Incomplete
    }
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
    fn of(audit: &Audit, counts: &Counts) -> Self {
        if !audit.directory.reading.is_complete() {
            return Self::Incomplete;
        }
        match counts.most_severe() {
            Some(Severity::Critical | Severity::High) => Self::Act,
            Some(Severity::Medium | Severity::Low) => Self::Review,
            Some(Severity::Info) | None => Self::Clear,
        }
    }

    /// The state in two or three words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Incomplete => "Incomplete",
            Self::Act => "Action needed",
            Self::Review => "Review needed",
            Self::Clear => "No action needed",
        }
    }
}

/// The colour of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// That of the most severe open finding; at least high if the read is incomplete.
    Severity(Severity),
    /// Nothing needs action: every rule looked at everything, it is known of everybody whether they can administer, the policy
    /// is not looser than the default, and nothing is accepted.
    Good,
    /// Nothing needs action, as far as the policy looks.
    Neutral,
}

impl Tone {
    fn of(state: State, counts: &Counts, not_evaluated: &NotEvaluated) -> Self {
        match (state, counts.most_severe()) {
            (State::Incomplete, Some(Severity::Critical)) => Self::Severity(Severity::Critical),
            (State::Incomplete, _) => Self::Severity(Severity::High),
            (State::Act | State::Review, Some(severity)) => Self::Severity(severity),
            _ if not_evaluated.is_empty() && counts.accepted == 0 && counts.power_unknown() == 0 => Self::Good,
            _ => Self::Neutral,
        }
    }
}

/// Characters of a name or value inside a sentence.
const IN_A_SENTENCE: usize = 80;

/// A name or value short enough that it does not push the rest of a sentence out of sight.
fn short(text: &str) -> Cow<'_, str> {
    cut(text, IN_A_SENTENCE)
}

fn cut(text: &str, limit: usize) -> Cow<'_, str> {
    match text.char_indices().nth(limit) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}

/// The title of a rule; its name if the audit does not know the rule.
pub fn title<'a>(audit: &'a Audit, rule: &'a str) -> &'a str {
    audit.rules.get(rule).map_or(rule, |rule| &rule.title)
}

/// Whether there was a previous audit and it did not have the finding.
fn is_new(finding: &Finding) -> bool {
    finding.continuing == Some(false)
}
