//! What to do: the findings, one entry for each rule, by deadline.

use std::collections::HashMap;

use super::text::{Budget, LABEL, PROSE, Part, Span, shown, spans};
use crate::{
    brief::{Action, By, Point, Statement, Who, points},
    exceptions::{Acceptance, acceptance},
    model::{
        exception::{AboutFindings as _, PlannedFix},
        finding::{Finding, FindingStatus, Severity, Subject},
        rule::RuleInfo,
    },
    report::ReportInput,
    words,
};

/// Findings of one rule that the page shows.
const FINDINGS: usize = 100;
/// Findings of one rule that paper shows.
const PRINTED: usize = 6;
/// Subjects that an entry names in its title.
const NAMED: usize = 3;
/// The bytes of markup around one name of a list, generously.
const NAME_MARKUP: usize = 150;
/// Bytes that the findings may take.
const FINDINGS_BYTES: usize = 1_150_000;
/// Bytes that the lines which would accept findings may take.
const ACCEPTANCE_BYTES: usize = 250_000;

/// Entries with the same deadline, or that need no action.
pub(super) struct Section {
    /// The severity, for the colour; `None` if the entries need no action.
    pub(super) severity: Option<Severity>,
    pub(super) heading: String,
    pub(super) entries: Vec<Entry>,
}

/// The findings of one rule.
pub(super) struct Entry {
    pub(super) rule: String,
    pub(super) title: String,
    pub(super) criterion: String,
    pub(super) subjects: String,
    pub(super) news: String,
    /// Who should resolve it; empty if it is who the list names above.
    pub(super) who: String,
    /// How to resolve it.
    pub(super) advice: Vec<Span>,
    /// What the rule looks for, in a sentence.
    pub(super) meaning: String,
    pub(super) open: usize,
    pub(super) accepted: usize,
    /// What paper shows too.
    pub(super) lines: Vec<Line>,
    /// What only a screen shows.
    pub(super) rest: Vec<Line>,
    /// Findings that paper leaves out.
    pub(super) unprinted: usize,
    /// Findings that the page leaves out.
    pub(super) hidden: usize,
}

/// What was found, and about whom.
pub(super) struct Line {
    pub(super) subjects: Vec<Named>,
    pub(super) message: String,
    /// If it is not the severity of the entry.
    pub(super) severity: Option<Severity>,
    /// Who accepted it, why and until when, or when it is planned to be fixed; empty if it is just open.
    pub(super) accepted: String,
}

/// A subject: one name, and what tells it from another of that name.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) detail: String,
    pub(super) new: bool,
    /// The lines of the configuration that would accept the finding; empty if the page has no room for them, or if it is
    /// accepted or must not be.
    pub(super) accept_with: String,
}

impl Line {
    /// The lines that would accept its findings, one after the other.
    pub(super) fn accept_with(&self) -> String {
        let texts: Vec<&str> = self.subjects.iter().map(|subject| subject.accept_with.as_str()).collect();
        texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n")
    }
}

/// The room for texts, and what writes the lines that accept a finding.
struct Room<'a> {
    findings: Budget,
    acceptances: Budget,
    acceptance: Acceptance<'a>,
}

/// The entries by deadline; and how many findings there are and are shown.
pub(super) fn sections(input: &ReportInput<'_>) -> (Vec<Section>, Part<()>) {
    let brief = &input.brief;
    let usual = brief.usual_who();
    let actions: HashMap<&str, &Action> = brief.actions.iter().map(|action| (action.rule.as_str(), action)).collect();
    let mut room = Room {
        findings: Budget::new(FINDINGS_BYTES),
        acceptances: Budget::new(ACCEPTANCE_BYTES),
        acceptance: acceptance(input.audit),
    };
    let mut sections: Vec<Section> = Vec::new();
    let mut hidden = 0;
    for point in points(input.audit, FINDINGS) {
        let action = actions.get(point.rule).copied();
        let (severity, heading) = heading(&point, action.map(Action::by));
        if sections.last().is_none_or(|section| section.heading != heading) {
            sections.push(Section { severity, heading, entries: Vec::new() });
        }
        let entry = entry(input, &point, action, usual, &mut room);
        hidden += entry.hidden;
        if let Some(section) = sections.last_mut() {
            section.entries.push(entry);
        }
    }
    (sections, Part { rows: Vec::new(), all: input.audit.findings.len(), hidden })
}

fn heading(point: &Point<'_>, by: Option<By>) -> (Option<Severity>, String) {
    match by {
        Some(by) => (Some(by.severity()), by.to_string()),
        None if point.open > 0 => (None, "For information".to_owned()),
        None => (None, "Accepted by an exception".to_owned()),
    }
}

fn entry(
    input: &ReportInput<'_>,
    point: &Point<'_>,
    action: Option<&Action>,
    usual: Option<&Who>,
    room: &mut Room<'_>,
) -> Entry {
    let mut lines = Lines { printed: Vec::new(), rest: Vec::new(), room: PRINTED, unprinted: 0 };
    let mut hidden = point.hidden;
    for statement in &point.statements {
        let all = statement.findings.len();
        let shown = lines.add(input, point, statement, room);
        hidden += all - shown;
    }
    let advice = input.advice(point.rule).unwrap_or_default();
    Entry {
        rule: point.rule.to_owned(),
        title: input.rule(point.rule).map_or(point.rule, |rule| &rule.title).to_owned(),
        criterion: input.rule(point.rule).map(RuleInfo::criteria_text).unwrap_or_default().into_owned(),
        subjects: action.map_or_else(|| subjects(input, point), |action| shown(&action.subjects, PROSE)),
        news: action.map_or_else(String::new, Action::news),
        who: action
            .filter(|action| Some(&action.who) != usual)
            .map_or_else(String::new, |action| shown(&action.who.to_string(), PROSE)),
        // What is accepted has been decided.
        advice: if point.open > 0 { spans(&advice) } else { Vec::new() },
        meaning: input.rule(point.rule).map(meaning).unwrap_or_default(),
        open: point.open,
        accepted: point.accepted,
        unprinted: lines.unprinted + hidden,
        lines: lines.printed,
        rest: lines.rest,
        hidden,
    }
}

/// The first sentence of what a rule's document says that it means.
fn meaning(rule: &RuleInfo) -> String {
    let part = rule.part("What it means");
    let end = part.find(". ").map_or(part.len(), |end| end + 1);
    shown(&part[..end].replace('`', ""), PROSE)
}

/// The first subjects of a rule that asks for no action.
fn subjects(input: &ReportInput<'_>, point: &Point<'_>) -> String {
    let findings = || point.statements.iter().flat_map(|statement| &statement.findings);
    if point.hidden == 0 && findings().all(|finding| finding.subject == Subject::Workspace) {
        return "the workspace as a whole".to_owned();
    }
    let named: Vec<String> =
        findings().take(NAMED).map(|finding| shown(&input.audit.subject_label(&finding.subject).0, LABEL)).collect();
    words::list(&named, point.open + point.accepted)
}

/// The lines of an entry: those that paper shows, and the others.
struct Lines {
    printed: Vec<Line>,
    rest: Vec<Line>,
    /// How many more findings paper has room for.
    room: usize,
    unprinted: usize,
}

impl Lines {
    /// Adds as many findings of a statement as the budget allows, and says how many.
    fn add(
        &mut self,
        input: &ReportInput<'_>,
        point: &Point<'_>,
        statement: &Statement<'_>,
        room: &mut Room<'_>,
    ) -> usize {
        let Some(first) = statement.first() else { return 0 };
        let empty = line(input, point, first);
        if !room.findings.take(&[&empty.message, &empty.accepted]) {
            return 0;
        }
        let mut named = Vec::new();
        for finding in &statement.findings {
            let mut subject = named_subject(input, finding);
            if !room.findings.take_with(NAME_MARKUP, &[&subject.name, &subject.detail]) {
                break;
            }
            let lines = room.acceptance.lines(finding).unwrap_or_default();
            if room.acceptances.take_with(NAME_MARKUP, &[&lines]) {
                subject.accept_with = lines;
            }
            named.push(subject);
        }
        let shown = named.len();
        let rest = named.split_off(shown.min(self.room));
        self.room -= named.len();
        self.unprinted += rest.len();
        for (subjects, lines) in [(named, &mut self.printed), (rest, &mut self.rest)] {
            if !subjects.is_empty() {
                lines.push(Line { subjects, ..line(input, point, first) });
            }
        }
        shown
    }
}

/// A line without its subjects.
fn line(input: &ReportInput<'_>, point: &Point<'_>, finding: &Finding) -> Line {
    let planned = finding.planned.and_then(|place| input.audit.policy.planned_fixes.get(place));
    let exception = match finding.status {
        FindingStatus::Open => None,
        FindingStatus::Excepted(place) => Some(input.audit.policy.exceptions.get(place)),
    };
    let accepted = exception.map(|exception| match exception {
        Some(exception) => format!(
            "Accepted by {} until {}: {}{}",
            shown(&exception.approved_by, LABEL),
            exception.until,
            shown(&exception.reason, PROSE),
            noted(exception.owner.as_deref(), exception.ticket.as_deref())
        ),
        None => "Accepted by an exception that the policy no longer has".to_owned(),
    });
    Line {
        subjects: Vec::new(),
        message: shown(&finding.message, PROSE),
        severity: (finding.severity != point.severity).then_some(finding.severity),
        accepted: accepted.or_else(|| planned.map(|fix| planned_fix(input, fix))).unwrap_or_default(),
    }
}

/// Until when a finding is planned to be fixed, and by whom.
fn planned_fix(input: &ReportInput<'_>, fix: &PlannedFix) -> String {
    let overdue = if fix.is_over(input.audit.judged_at.date_naive()) { " (overdue)" } else { "" };
    let noted = noted(None, fix.ticket.as_deref());
    let (owner, reason) = (shown(&fix.owner, LABEL), shown(&fix.reason, PROSE));
    format!("Planned, due {}{overdue}, by {owner}: {reason}{noted}", fix.until)
}

/// Who looks after an exception, and its ticket, in brackets. Empty if neither is known.
fn noted(owner: Option<&str>, ticket: Option<&str>) -> String {
    let parts: Vec<String> = [("owner", owner), ("ticket", ticket)]
        .into_iter()
        .filter_map(|(what, text)| Some(format!("{what} {}", shown(text?, LABEL))))
        .collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}

fn named_subject(input: &ReportInput<'_>, finding: &Finding) -> Named {
    let (name, id) = input.audit.subject_label(&finding.subject);
    let detail = match &finding.subject {
        // A workspace has no other id than its name.
        Subject::Workspace => String::new(),
        Subject::User(index) => {
            let address = input.audit.directory.users.get(*index).email().filter(|address| *address != name);
            address.map_or(id, ToOwned::to_owned)
        }
        Subject::Role(_) | Subject::Profile(_) => format!("{} {id}", finding.subject.kind()),
    };
    Named {
        name: shown(&name, LABEL),
        detail: shown(&detail, LABEL),
        new: finding.continuing == Some(false) && finding.is_open(),
        accept_with: String::new(),
    }
}
