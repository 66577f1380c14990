//! What the mail says about one workspace. It is kept as JSON between the end of its run and the end of the last one.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::{
    brief::{Action, Brief, State, Tone},
    ledger::fact::BagName,
    mail::text::{name, one_line},
    model::{audit::Audit, finding::Severity},
};

/// The longest name of anything, in characters.
pub(super) const MAX_NAME: usize = 80;
/// The longest sentence, in characters.
pub(super) const MAX_SENTENCE: usize = 300;
/// The longest verdict, in characters.
const MAX_VERDICT: usize = 900;
/// The longest headline, in characters.
const MAX_HEADLINE: usize = 200;
/// How much of each list is kept.
const KEPT: usize = 12;

/// One workspace that was reviewed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// The workspace.
    pub workspace: String,
    /// How urgent it is, 0 for an incomplete read, higher for less urgent states.
    urgency: u8,
    /// Open findings of each severity, most severe first.
    open: [usize; 5],
    pub(super) state: String,
    /// The class of the badge's colour.
    pub(super) tone: String,
    pub(super) verdict: String,
    pub(super) headline: String,
    /// The checks of the read that disagree.
    pub(super) problems: Vec<String>,
    pub(super) incidents: Vec<String>,
    pub(super) change_summary: String,
    /// Changes as sentences, and whether they are about who can administer.
    pub(super) changes: Vec<(String, bool)>,
    /// Changes that are not kept.
    pub(super) more_changes: usize,
    pub(super) tasks: Vec<Task>,
    /// Tasks that are not kept.
    pub(super) more_tasks: usize,
    pub(super) nothing_to_do: String,
    /// The evidence bag; `None` if no evidence is kept.
    pub(super) bag: Option<BagName>,
    /// Whether the job's `when` asks for a mail about this workspace.
    pub wanted: bool,
}

/// What to do about the findings of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Task {
    /// The class of the badge's colour.
    pub(super) severity: String,
    pub(super) by: String,
    pub(super) title: String,
    pub(super) subjects: String,
    /// How many of them are new; empty if none is.
    pub(super) news: String,
    pub(super) who: String,
}

impl Section {
    /// What a mail says of an audit. `wanted` is whether the job's `when` asks for a mail about it.
    pub fn new(audit: &Audit, brief: &Brief, bag: Option<BagName>, wanted: bool) -> Self {
        let sentence = |text: &String| one_line(text, MAX_SENTENCE);
        let changes = brief.changes.as_ref();
        let lines = changes.map_or(&[][..], |changes| &changes.lines);
        let shown: Vec<(String, bool)> =
            lines.iter().take(KEPT).map(|line| (name(&line.sentence, MAX_SENTENCE), line.important)).collect();
        Self {
            workspace: name(&audit.workspace, MAX_NAME),
            urgency: urgency(brief.state),
            open: audit.open_by_severity().map(|(_, open)| open),
            state: brief.state.word().to_owned(),
            tone: tone(brief.tone).to_owned(),
            verdict: name(&brief.verdict, MAX_VERDICT),
            headline: name(&brief.headline, MAX_HEADLINE),
            problems: (brief.not_evaluated.problems.iter().take(KEPT))
                .map(|(check, detail)| format!("{check}: {}", one_line(detail, MAX_SENTENCE)))
                .collect(),
            incidents: brief.incidents.iter().take(KEPT).map(sentence).collect(),
            change_summary: one_line(&brief.change_summary(), MAX_SENTENCE),
            more_changes: changes.map_or(0, |changes| changes.access.saturating_sub(shown.len())),
            changes: shown,
            tasks: brief.actions.iter().take(KEPT).map(task).collect(),
            more_tasks: brief.actions.len().saturating_sub(KEPT),
            nothing_to_do: brief.nothing_to_do().to_owned(),
            bag,
            wanted,
        }
    }

    /// Orders sections: the most urgent first, then by open findings, then by what changed, then by name.
    pub fn order(&self) -> impl Ord + '_ {
        let important = self.changes.iter().filter(|(_, important)| *important).count();
        let changes = (important, self.changes.len() + self.more_changes);
        (self.urgency, Reverse(self.open), Reverse(changes), &self.workspace)
    }

    /// Whether every check of the read agreed.
    pub(super) fn is_complete(&self) -> bool {
        self.urgency > urgency(State::Incomplete)
    }
}

fn urgency(state: State) -> u8 {
    match state {
        State::Incomplete => 0,
        State::Act => 1,
        State::Review => 2,
        State::Clear => 3,
    }
}

fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Severity(severity) => Severity::word(severity),
        Tone::Good => "good",
        Tone::Neutral => "neutral",
    }
}

fn task(action: &Action) -> Task {
    Task {
        severity: action.severity.word().to_owned(),
        by: action.by().to_string(),
        title: name(&action.title, MAX_NAME),
        subjects: name(&action.subjects, MAX_SENTENCE),
        news: action.news(),
        who: name(&action.who.to_string(), MAX_SENTENCE),
    }
}
