//! What the mail shows, as texts and bounded lists; the two templates only lay it out.

use chrono::{DateTime, Utc};

use super::{
    Proof,
    actions::{Deadline, MAX_NAME, actions, actors, title},
    facts::facts,
    lists::{Bounded, Limits},
    subject::{Delta, is_new},
};
use crate::{
    access::matrix::{AccessMatrix, MatrixRow},
    mail::text::{name, one_line},
    model::{
        audit::Audit,
        change::{Change, ChangeKind},
        finding::{Finding, RuleResult, Severity},
    },
    words::{count, number},
};

/// The longest message of a finding or reason, in characters.
const MAX_MESSAGE: usize = 300;

/// What a mail is made of.
pub(super) struct Input<'a> {
    pub(super) audit: &'a Audit,
    pub(super) matrix: &'a AccessMatrix<'a>,
    /// By what it can be checked later.
    pub(super) proof: &'a Proof,
    /// The names of the attached files.
    pub(super) attached: &'a [&'a str],
    /// What did not fit.
    pub(super) left_out: &'a [String],
}

/// What the templates show.
#[derive(Debug)]
pub(super) struct View {
    /// The workspace, and the company where it is known.
    pub(super) workspace: String,
    /// The job and the date.
    pub(super) trigger: String,
    pub(super) verdict: Verdict,
    /// The checks of the read that disagree; empty where it is complete.
    pub(super) problems: Bounded<String>,
    /// What went wrong before this review; empty where nothing did.
    pub(super) incidents: Bounded<String>,
    pub(super) changes: Changes,
    /// Things to do, by when.
    pub(super) actions: Vec<Deadline>,
    /// Things to do that are not shown.
    pub(super) more_actions: usize,
    /// Who can do them.
    pub(super) actors: String,
    pub(super) administrators: Administrators,
    /// Open findings of each severity that has any, gravest first.
    pub(super) severities: Vec<(&'static str, usize)>,
    pub(super) findings: Bounded<FindingLine>,
    /// Where the findings that are not shown stand.
    pub(super) rest: String,
    pub(super) not_evaluated: Bounded<(String, String)>,
    /// How the data was obtained.
    pub(super) facts: Vec<(&'static str, String)>,
    pub(super) attached: Vec<String>,
    pub(super) left_out: Vec<String>,
}

/// The result in one word and one sentence.
#[derive(Debug)]
pub(super) struct Verdict {
    /// The class of its colour.
    pub(super) tone: &'static str,
    pub(super) word: &'static str,
    pub(super) sentence: String,
}

/// What changed since the previous audit.
#[derive(Debug)]
pub(super) struct Changes {
    /// The change in one line.
    pub(super) summary: String,
    pub(super) lines: Bounded<ChangeLine>,
    /// Where the changes that are not shown stand.
    pub(super) rest: String,
}

/// One change.
#[derive(Debug)]
pub(super) struct ChangeLine {
    pub(super) subject: String,
    pub(super) phrase: &'static str,
    /// What it was and is; empty where the phrase says all.
    pub(super) detail: String,
    /// Whether it is about administrators.
    pub(super) weighty: bool,
}

/// Who can administer.
#[derive(Debug)]
pub(super) struct Administrators {
    pub(super) summary: String,
    pub(super) lines: Bounded<AdministratorLine>,
    /// Where those that are not shown stand.
    pub(super) rest: String,
}

/// One administrator.
#[derive(Debug)]
pub(super) struct AdministratorLine {
    pub(super) name: String,
    pub(super) email: String,
    /// Profile and marks.
    pub(super) notes: String,
    pub(super) new: bool,
}

/// One finding.
#[derive(Debug)]
pub(super) struct FindingLine {
    pub(super) severity: &'static str,
    pub(super) title: String,
    pub(super) subject: String,
    pub(super) message: String,
    pub(super) new: bool,
}

impl View {
    pub(super) fn new(input: &Input<'_>, limits: Limits) -> Self {
        let Input { audit, matrix, attached, .. } = input;
        let (actions, more_actions) = actions(audit, limits.actions);
        let directory = &audit.directory;
        let problems: Vec<_> = directory.reading.problems().collect();
        let open: Vec<&Finding> = audit.open_findings().collect();
        let company = directory.organization.company_name.as_deref().map(|company| name(company, MAX_NAME));
        let workspace = name(&audit.workspace, MAX_NAME);
        Self {
            workspace: match company {
                Some(company) if !company.is_empty() && company != workspace => format!("{workspace} ({company})"),
                _ => workspace,
            },
            trigger: match &audit.job {
                Some(job) => format!("{} · {}", name(job, MAX_NAME), date(audit.judged_at)),
                None => format!("asked for by hand · {}", date(audit.judged_at)),
            },
            verdict: verdict(audit),
            problems: Bounded::new(&problems, limits.notes, |(check, detail)| {
                format!("{}: {}", check.kind.title(), one_line(detail, MAX_MESSAGE))
            }),
            incidents: Bounded::new(&audit.incident_sentences(), limits.notes, |sentence| {
                one_line(sentence, MAX_MESSAGE)
            }),
            changes: changes(input, limits),
            actions,
            more_actions,
            actors: actors(audit, matrix),
            administrators: administrators(input, limits),
            severities: audit
                .open_by_severity()
                .into_iter()
                .filter(|(_, open)| *open > 0)
                .map(|(severity, open)| (severity.word(), open))
                .collect(),
            findings: Bounded::new(&open, limits.findings, |finding| FindingLine {
                severity: finding.severity.word(),
                title: name(title(audit, &finding.rule), MAX_NAME),
                subject: name(&audit.subject_label(&finding.subject).0, MAX_NAME),
                message: name(&finding.message, MAX_MESSAGE),
                new: is_new(finding),
            }),
            rest: rest(attached, "findings.csv"),
            not_evaluated: not_evaluated(input, limits),
            facts: facts(audit, input.proof),
            attached: attached.iter().map(|file| name(file, MAX_NAME)).collect(),
            left_out: input.left_out.to_vec(),
        }
    }
}

/// Where a list goes on.
fn rest(attached: &[&str], file: &str) -> String {
    if attached.contains(&file) { format!("the attached {file}") } else { format!("{file} of this audit") }
}

fn verdict(audit: &Audit) -> Verdict {
    let open = audit.open_findings().count();
    let excepted = audit.findings.len() - open;
    let severities: Vec<String> = audit
        .open_by_severity()
        .iter()
        .filter(|(_, open)| *open > 0)
        .map(|(severity, open)| format!("{} {severity}", number(*open)))
        .collect();
    let mut sentence = match open {
        0 => "No open findings.".to_owned(),
        _ => format!("{} open: {}.", count(open, "finding"), severities.join(", ")),
    };
    if excepted > 0 {
        let accepted =
            if excepted == 1 { "is accepted by an exception and does" } else { "are accepted by exceptions and do" };
        sentence = format!("{sentence} {} more {accepted} not count.", number(excepted));
    }
    if !audit.directory.reading.is_complete() {
        let so_far = if open == 0 {
            "What could be read shows no findings, which does not mean that there are none.".to_owned()
        } else {
            format!("In what could be read: {sentence}")
        };
        let sentence = format!("The workspace could not be read in full, so this review is not done. {so_far}");
        let critical = audit.open_findings().any(|finding| finding.severity == Severity::Critical);
        return Verdict { tone: if critical { "critical" } else { "high" }, word: "INCOMPLETE", sentence };
    }
    let (tone, word) = match audit.open_findings().map(|finding| finding.severity).max() {
        Some(Severity::Critical) => ("critical", "Act now"),
        Some(Severity::High) => ("high", "Act this week"),
        Some(Severity::Medium) => ("medium", "Look into it before the next review"),
        Some(Severity::Low) => ("low", "Tidy up when convenient"),
        Some(Severity::Info) => ("info", "Nothing to do"),
        None => ("good", "Nothing to do"),
    };
    Verdict { tone, word, sentence }
}

fn changes(input: &Input<'_>, limits: Limits) -> Changes {
    let audit = input.audit;
    let about_findings = |change: &&Change| matches!(change.kind, ChangeKind::FindingNew | ChangeKind::FindingResolved);
    let access: Vec<&Change> = audit.drift.changes.iter().filter(|change| !about_findings(change)).collect();
    let summary = match (Delta::of(audit), &audit.drift.previous) {
        (Some(delta), Some(previous)) => {
            let since = date(previous.finished_at);
            let unsure = if audit.directory.reading.is_complete() {
                ""
            } else {
                " As the workspace could not be read in full, what looks removed or resolved may still be there."
            };
            if delta.is_none() {
                format!("Nothing since {since}.{unsure}")
            } else {
                format!("Since {since}: {}.{unsure}", delta.phrases().join(", "))
            }
        }
        _ => "First audit: nothing to compare with. The next one will say here what changed.".to_owned(),
    };
    Changes {
        summary,
        lines: Bounded::new(&access, limits.changes, |change| change_line(change)),
        rest: rest(input.attached, "changes.csv"),
    }
}

fn change_line(change: &Change) -> ChangeLine {
    let (before, after) = (name(&change.before, MAX_NAME), name(&change.after, MAX_NAME));
    let values = match (before.is_empty(), after.is_empty()) {
        (true, true) => String::new(),
        (false, true) => format!("was {before}"),
        (true, false) => format!("now {after}"),
        (false, false) => format!("{before} → {after}"),
    };
    ChangeLine {
        subject: name(&change.subject, MAX_NAME),
        phrase: change.kind.phrase(),
        detail: values,
        weighty: matches!(
            change.kind,
            ChangeKind::AdministratorGranted | ChangeKind::AdministratorRevoked | ChangeKind::PrimaryUserChanged
        ),
    }
}

fn administrators(input: &Input<'_>, limits: Limits) -> Administrators {
    let Input { audit, matrix, .. } = input;
    let granted: std::collections::HashSet<&str> = audit
        .drift
        .changes
        .iter()
        .filter(|change| change.kind == ChangeKind::AdministratorGranted)
        .map(|change| change.subject_id.as_str())
        .collect();
    let primary = audit.directory.organization.primary_zuid.as_ref().map(AsRef::as_ref);
    let active = matrix.rows().filter(|row| row.user.status().is_active()).count();
    let mut rows: Vec<MatrixRow<'_>> = matrix.rows().filter(MatrixRow::is_active_administrator).collect();
    // New ones first: they are what the reader has not seen yet.
    rows.sort_by_key(|row| !granted.contains(row.user.id()));
    let before =
        audit.drift.previous.as_ref().map_or_else(String::new, |previous| {
            format!(", {} at the previous audit", number(previous.administrators))
        });
    let at_least = if audit.directory.reading.is_complete() { "" } else { "At least " };
    Administrators {
        summary: format!("{at_least}{} of {}{before}.", number(rows.len()), count(active, "active user")),
        lines: Bounded::new(&rows, limits.administrators, |row| {
            let mut notes =
                vec![row.profile_name().map_or_else(|| "profile unknown".to_owned(), |p| name(p, MAX_NAME))];
            if row.user.zuid().is_some() && row.user.zuid() == primary {
                notes.push("primary user".to_owned());
            }
            if row.user.confirmed() == Some(false) {
                notes.push("invitation not accepted yet".to_owned());
            }
            let email = name(row.user.email().unwrap_or("address unknown"), MAX_NAME);
            AdministratorLine {
                name: name(row.user.label(), MAX_NAME),
                email,
                notes: notes.join(", "),
                new: granted.contains(row.user.id()),
            }
        }),
        rest: rest(input.attached, "access-matrix.csv"),
    }
}

fn not_evaluated(input: &Input<'_>, limits: Limits) -> Bounded<(String, String)> {
    let notes: Vec<(&str, &str)> = input
        .audit
        .outcomes
        .iter()
        .filter_map(|outcome| match &outcome.result {
            RuleResult::NotEvaluated(reason) => Some((outcome.rule.as_str(), reason.as_str())),
            RuleResult::Failed { not_evaluated, .. } if !not_evaluated.is_empty() => {
                Some((outcome.rule.as_str(), not_evaluated.as_str()))
            }
            RuleResult::SwitchedOff => Some((outcome.rule.as_str(), "switched off by the policy")),
            RuleResult::Passed | RuleResult::Failed { .. } => None,
        })
        .collect();
    Bounded::new(&notes, limits.notes, |(rule, reason)| {
        (name(title(input.audit, rule), MAX_NAME), one_line(reason, MAX_MESSAGE))
    })
}

/// A day and a time for people.
fn date(time: DateTime<Utc>) -> String {
    time.format("%a %-d %b %Y, %H:%M UTC").to_string()
}
