//! What the mail shows, as texts and bounded lists; the two templates only lay it out.

use super::{
    Proof,
    facts::facts,
    lists::{Bounded, Limits, MAX_NAME},
};
use crate::{
    brief::{Action, Brief, Person, Point, Statement, Tone, points, title},
    mail::text::{name, one_line},
    model::{
        audit::Audit,
        finding::{Finding, Severity, Subject},
    },
    words,
};

/// The longest sentence, in characters.
const MAX_SENTENCE: usize = 300;
/// Findings of one rule that a mail looks at to say what was found, and of these the subjects that it names.
const FOUND: usize = 60;
/// Sentences on what one rule found.
const STATEMENTS: usize = 3;
/// Subjects that such a sentence names.
const NAMED: usize = 3;
/// The longest message of a finding, in characters: as long as on the page.
const MAX_MESSAGE: usize = 600;
/// The longest verdict, in characters.
const MAX_VERDICT: usize = 1_500;

/// What a mail is made of.
pub(super) struct Input<'a> {
    pub(super) audit: &'a Audit,
    pub(super) brief: &'a Brief,
    pub(super) proof: &'a Proof,
    /// The names of the attached files.
    pub(super) attached: &'a [&'a str],
    /// The files that did not fit, as sentences.
    pub(super) left_out: &'a [String],
}

/// What the templates show.
#[derive(Debug)]
pub(super) struct View {
    /// The workspace, and the company if it is known.
    pub(super) workspace: String,
    /// The job and the time.
    pub(super) trigger: String,
    /// The class of the banner's colour.
    pub(super) tone: &'static str,
    pub(super) state: &'static str,
    pub(super) verdict: String,
    /// The checks of the read that disagree; empty if it is complete.
    pub(super) problems: Bounded<String>,
    /// The incidents before this review.
    pub(super) incidents: Bounded<String>,
    pub(super) change_summary: String,
    pub(super) changes: Bounded<ChangeLine>,
    /// The file with the changes that are not shown.
    pub(super) all_changes: String,
    /// What to do, by when.
    pub(super) deadlines: Vec<Deadline>,
    /// Who should do what names nobody else; empty if each task names its own.
    pub(super) usual_who: String,
    /// Actions that are not shown.
    pub(super) more_actions: usize,
    /// Shown instead of actions if there are none.
    pub(super) nothing_to_do: &'static str,
    pub(super) administrators: Bounded<AdministratorLine>,
    /// The file with the administrators that are not shown.
    pub(super) all_administrators: String,
    /// How many findings are open and accepted.
    pub(super) finding_counts: String,
    /// Rules whose findings are only for information, with their subjects.
    pub(super) informative: Bounded<(String, String)>,
    /// How administrators and open findings developed; empty if there is no past audit.
    pub(super) trend: String,
    /// The file with the findings that are not shown.
    pub(super) all_findings: String,
    /// Titles of rules that were not evaluated, and why.
    pub(super) not_evaluated: Bounded<(String, String)>,
    /// Titles of rules that are switched off, and why.
    pub(super) switched_off: Bounded<(String, String)>,
    /// How the data was collected.
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) attached: Vec<String>,
    pub(super) left_out: Vec<String>,
}

/// One change.
#[derive(Debug)]
pub(super) struct ChangeLine {
    pub(super) sentence: String,
    pub(super) important: bool,
}

/// What is to be done by one time.
#[derive(Debug)]
pub(super) struct Deadline {
    pub(super) severity: Severity,
    pub(super) by: String,
    pub(super) tasks: Vec<Task>,
}

/// What to do about the findings of one rule.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) title: String,
    pub(super) subjects: String,
    /// How many of them are new; empty if none is.
    pub(super) news: String,
    /// Who should do it; empty if it is who is named for all.
    pub(super) who: String,
    pub(super) advice: String,
    /// What was found, each sentence once.
    pub(super) found: Vec<String>,
}

/// One administrator.
#[derive(Debug)]
pub(super) struct AdministratorLine {
    pub(super) name: String,
    pub(super) email: String,
    pub(super) notes: String,
    pub(super) new: bool,
}

impl View {
    pub(super) fn new(input: &Input<'_>, limits: Limits) -> Self {
        let Input { audit, brief, attached, .. } = input;
        let sentence = |text: &String| one_line(text, MAX_SENTENCE);
        let points = points(audit, FOUND);
        let informative: Vec<&Point<'_>> =
            points.iter().filter(|point| point.open > 0 && !point.asks_for_action()).collect();
        let (lines, access) =
            brief.changes.as_ref().map_or((&[][..], 0), |changes| (&changes.lines[..], changes.access));
        let administrators = &brief.administrators;
        let shown_actions = brief.actions.len().min(limits.actions);
        let not_evaluated = &brief.not_evaluated;
        Self {
            workspace: workspace(audit),
            trigger: trigger(audit),
            tone: tone(brief.tone),
            state: brief.state.word(),
            verdict: name(&brief.verdict, MAX_VERDICT),
            problems: Bounded::new(&not_evaluated.problems, limits.notes, |(check, detail)| {
                format!("{check}: {}", one_line(detail, MAX_SENTENCE))
            }),
            incidents: Bounded::new(&brief.incidents, limits.notes, sentence),
            change_summary: brief.change_summary(),
            changes: Bounded::of(lines, access, limits.changes, |line| ChangeLine {
                sentence: name(&line.sentence, MAX_SENTENCE),
                important: line.important,
            }),
            all_changes: whole_list(attached, "changes.csv"),
            deadlines: deadlines(input, &brief.actions[..shown_actions], &points),
            usual_who: brief.usual_who().map_or_else(String::new, |who| name(&who.to_string(), MAX_SENTENCE)),
            more_actions: brief.actions.len() - shown_actions,
            nothing_to_do: brief.nothing_to_do(),
            administrators: Bounded::of(
                &administrators.named,
                administrators.all,
                limits.administrators,
                administrator_line,
            ),
            all_administrators: whole_list(attached, "access-matrix.csv"),
            finding_counts: brief.counts.findings(),
            informative: Bounded::new(&informative, limits.notes, |point| {
                (name(title(audit, point.rule), MAX_NAME), informed(input, point))
            }),
            trend: trend(brief),
            all_findings: whole_list(attached, "findings.csv"),
            not_evaluated: Bounded::new(&not_evaluated.rules, limits.notes, |rule| {
                (name(&rule.title, MAX_NAME), one_line(&rule.reason, MAX_SENTENCE))
            }),
            switched_off: Bounded::new(&not_evaluated.switched_off, limits.notes, |rule| {
                (name(&rule.title, MAX_NAME), name(&rule.reason, MAX_SENTENCE))
            }),
            facts: facts(audit, brief, input.proof),
            attached: attached.iter().map(|file| one_line(file, MAX_NAME)).collect(),
            left_out: input.left_out.to_vec(),
        }
    }
}

fn workspace(audit: &Audit) -> String {
    let workspace = name(&audit.workspace, MAX_NAME);
    let company = audit.directory.organization.company_name.as_deref().map(|company| name(company, MAX_NAME));
    match company {
        Some(company) if !company.is_empty() && company != workspace => format!("{workspace} ({company})"),
        _ => workspace,
    }
}

fn trigger(audit: &Audit) -> String {
    let time = audit.judged_at.format("%a %-d %b %Y, %H:%M UTC");
    let job = audit.job.as_deref().map_or_else(|| "on demand".to_owned(), |job| name(job, MAX_NAME));
    format!("{job} · {time}")
}

fn tone(tone: Tone) -> &'static str {
    match tone {
        Tone::Severity(severity) => severity.word(),
        Tone::Good => "good",
        Tone::Neutral => "neutral",
    }
}

/// The file with the rest of a list.
fn whole_list(attached: &[&str], file: &str) -> String {
    if attached.contains(&file) { format!("the attached {file}") } else { format!("{file} of this audit") }
}

fn deadlines(input: &Input<'_>, actions: &[Action], points: &[Point<'_>]) -> Vec<Deadline> {
    let groups = actions.chunk_by(|a, b| a.severity == b.severity);
    let deadline = |actions: &[Action]| {
        let by = actions.first()?.by();
        let point = |action: &Action| points.iter().find(|point| point.rule == action.rule);
        let tasks = actions.iter().map(|action| task(input, action, point(action))).collect();
        Some(Deadline { severity: by.severity(), by: by.to_string(), tasks })
    };
    groups.filter_map(deadline).collect()
}

fn task(input: &Input<'_>, action: &Action, point: Option<&Point<'_>>) -> Task {
    let is_usual = input.brief.usual_who() == Some(&action.who);
    Task {
        title: name(&action.title, MAX_NAME),
        subjects: name(&action.subjects, MAX_SENTENCE),
        news: action.news(),
        who: if is_usual { String::new() } else { name(&action.who.to_string(), MAX_SENTENCE) },
        // Backticks around names of settings are for pages.
        advice: one_line(&action.advice.replace('`', ""), MAX_SENTENCE),
        found: point.map_or_else(Vec::new, |point| found(input, point)),
    }
}

fn administrator_line(person: &Person) -> AdministratorLine {
    AdministratorLine {
        name: name(&person.label, MAX_NAME),
        email: name(person.email.as_deref().unwrap_or("address unknown"), MAX_NAME),
        notes: name(&person.notes(), MAX_NAME * 2),
        new: person.new,
    }
}

/// What the open findings of a rule say. If they all say the same, the title of the task has their subjects.
fn found(input: &Input<'_>, point: &Point<'_>) -> Vec<String> {
    let open: Vec<&Statement<'_>> =
        point.statements.iter().filter(|statement| statement.first().is_some_and(Finding::is_open)).collect();
    let message = |statement: &Statement<'_>| {
        let message = statement.first().map_or("", |first| &first.message);
        name(message, MAX_MESSAGE)
    };
    if let ([only], 0) = (&open[..], point.hidden) {
        return vec![message(only)];
    }
    let told: Vec<&&Statement<'_>> = open.iter().take(STATEMENTS).collect();
    let left = point.open - told.iter().map(|statement| statement.findings.len()).sum::<usize>();
    let mut said: Vec<String> =
        told.iter().map(|statement| format!("{}: {}", subjects(input, statement), message(statement))).collect();
    if left > 0 {
        said.push(format!("{} in {}", super::lists::and_more(left), whole_list(input.attached, "findings.csv")));
    }
    said
}

/// The first subjects of a statement, and how many more there are.
fn subjects(input: &Input<'_>, statement: &Statement<'_>) -> String {
    let label = |subject: &Subject| name(&input.audit.subject_label(subject).0, MAX_NAME);
    let named: Vec<String> = statement.findings.iter().take(NAMED).map(|finding| label(&finding.subject)).collect();
    words::list(&named, statement.findings.len())
}

/// The subjects of a rule whose findings are only for information.
fn informed(input: &Input<'_>, point: &Point<'_>) -> String {
    let findings = point.statements.iter().flat_map(|statement| &statement.findings);
    let open = findings.filter(|finding| finding.is_open());
    let named: Vec<String> =
        open.take(NAMED).map(|finding| name(&input.audit.subject_label(&finding.subject).0, MAX_NAME)).collect();
    words::list(&named, point.open)
}

/// `12 audits since 2 March 2026: administrators 5 → 6; lowest 4, highest 6. Open findings 24 → 26; …`.
fn trend(brief: &Brief) -> String {
    brief.trend.as_ref().map_or_else(String::new, |trend| {
        format!("{}: administrators {}. Open findings {}.", trend.period(), trend.administrators(), trend.findings())
    })
}
