//! `rolecall findings`: a workspace as it is now, read and judged like an audit; nothing is recorded.

use std::collections::BTreeSet;

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use serde::Serialize;
use uuid::Uuid;

use super::table::{self, Column, text};
use crate::{
    app,
    audit::RuleSet,
    brief::NotEvaluated,
    cli::{
        args::{FindingsArgs, LookupFormat},
        output::{self, Failure, plain},
        progress::Line,
        workspaces,
    },
    clock::Clock,
    config::settings::Settings,
    exceptions::{self, Acceptance},
    lookup::findings::FindingRow,
    model::{
        audit::Audit,
        email::comparable,
        finding::{Finding, FindingStatus, Subject},
    },
    run::{self, Env, RunRequest},
    store::Kept,
    words::count,
};

/// Columns of the table if stdout is not a terminal.
const WIDTH: u16 = 80;
/// Maximum length of a subject and of a message in the table.
const SUBJECT: usize = 60;
const MESSAGE: usize = 400;

/// The first columns of `findings.csv`, with the same values, without the workspace.
const COLUMNS: [Column<Row>; 7] = [
    ("severity", |row| row.finding.severity.to_owned()),
    ("rule", |row| row.finding.rule.clone()),
    ("subject_type", |row| row.finding.subject_type.to_owned()),
    ("subject_id", |row| row.finding.subject_id.clone()),
    ("subject", |row| row.finding.subject.clone()),
    ("message", |row| row.finding.message.clone()),
    ("status", |row| row.finding.status.to_owned()),
];

/// A finding, and what would accept it.
#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    finding: FindingRow,
    /// The lines of the configuration that would accept it; null if it is accepted, or must not be.
    accept_with: Option<String>,
}

pub(super) async fn run(settings: &Settings, args: &FindingsArgs) -> Result<(), Failure> {
    let (workspace, _) = workspaces::named(settings, args.of.workspace.as_deref())?;
    let job = job(settings, workspace, args.job.as_deref())?;
    let rules = RuleSet::for_policy(settings.policy_for(job, workspace));
    if let Some(rule) = args.rule.as_ref().filter(|rule| rules.list().get(rule).is_none()) {
        return Err(Failure::usage(format!("unknown rule `{rule}`; `rolecall rules` lists the rules")));
    }
    let audit = audit(settings, workspace, job).await?;
    // “No findings” about a name that nobody has would be taken for an answer.
    if let Some(wanted) = args.subject.as_ref().filter(|wanted| !subjects(&audit).any(|one| is(&audit, &one, wanted))) {
        return Err(super::failed(&format!(
            "no user, role or profile has the id, name or address “{wanted}”; to search by part of a name, use `rolecall \
             users --search TEXT`"
        )));
    }
    let findings: Vec<&Finding> = audit.findings.iter().filter(|finding| is_wanted(args, &audit, finding)).collect();
    let acceptance = exceptions::acceptance(&audit);
    match args.of.format {
        _ if args.toml => accept(&acceptance, &findings),
        LookupFormat::Table => show(&audit, &findings),
        format => {
            let row = |finding: &&Finding| Row {
                finding: FindingRow::of(&audit, finding),
                accept_with: acceptance.lines(finding),
            };
            let rows: Vec<Row> = findings.iter().map(row).collect();
            table::print(&rows, format, &COLUMNS, &[])?;
        }
    }
    super::completely(workspace, &audit.directory)
}

/// The job whose policy and history apply: the named one, or the only one that has the workspace.
pub(super) fn job<'s>(
    settings: &'s Settings,
    workspace: &str,
    named: Option<&str>,
) -> Result<Option<&'s str>, Failure> {
    let mut of_workspace = settings.jobs.iter().filter(|(_, job)| job.workspaces.iter().any(|name| name == workspace));
    let Some(named) = named else {
        return Ok(match (of_workspace.next(), of_workspace.next()) {
            (Some((only, _)), None) => Some(only),
            _ => None,
        });
    };
    let found = of_workspace.find(|(name, _)| *name == named).map(|(name, _)| name.as_str());
    found.map(Some).ok_or_else(|| Failure::usage(format!("no job `{named}` with the workspace `{workspace}`")))
}

pub(super) async fn audit(settings: &Settings, workspace: &str, job: Option<&str>) -> Result<Audit, Failure> {
    audit_with_previous(settings, workspace, job).await.map(|(audit, _)| audit)
}

/// A workspace as it is now, judged, and the kept audit that it is compared with.
pub(super) async fn audit_with_previous(
    settings: &Settings,
    workspace: &str,
    job: Option<&str>,
) -> Result<(Audit, Option<Kept>), Failure> {
    let clock = Clock::system();
    let configured = &settings.workspaces[workspace];
    let connector = app::connector(settings, workspace, &clock).map_err(|error| Failure::usage(error.to_string()))?;
    let failed = |error: app::AppError| Failure::failed(error.to_string());
    // Without a store there is nothing to compare with, and nothing is kept either.
    let store = match app::existing_store(settings).await.map_err(failed)? {
        Some(store) => store,
        None => app::empty_store().await.map_err(failed)?,
    };
    let request = RunRequest {
        id: Uuid::now_v7(),
        trigger: None,
        job,
        workspace,
        policy: settings.policy_for(job, workspace),
        deadline: configured.deadline,
    };
    let progress = Line::new(workspace);
    let rosters = app::rosters(settings);
    let env = Env {
        connector: &*connector,
        store: &*store,
        vault: None,
        clock: &clock,
        progress: &progress,
        rosters: &rosters,
    };
    let read = run::read(&env, &request, None).await.map_err(|error| super::failed(&error))?;
    let previous = read.previous().cloned();
    let audit = run::judge(&request, read, clock.now()).map_err(|error| super::failed(&error))?;
    Ok((audit, previous))
}

/// Everything that a finding may be about.
fn subjects(audit: &Audit) -> impl Iterator<Item = Subject> {
    let directory = &audit.directory;
    let users = directory.users.iter().map(|user| Subject::User(user.index()));
    let roles = directory.roles.iter().map(|role| Subject::Role(role.id.clone()));
    let profiles = directory.profiles.iter().map(|profile| Subject::Profile(profile.id.clone()));
    // A finding may be about a role that is in no list.
    let found = audit.findings.iter().map(|finding| finding.subject.clone());
    found.chain([Subject::Workspace]).chain(users).chain(roles).chain(profiles)
}

/// Whether a subject has this id, name or address.
fn is(audit: &Audit, subject: &Subject, wanted: &str) -> bool {
    let (label, id) = audit.subject_label(subject);
    let email = match subject {
        Subject::User(user) => audit.directory.users.get(*user).email().map(comparable),
        _ => None,
    };
    id == wanted || label == wanted || email.is_some_and(|email| email == comparable(wanted))
}

fn is_wanted(args: &FindingsArgs, audit: &Audit, finding: &Finding) -> bool {
    (args.accepted || finding.status == FindingStatus::Open)
        && args.severity.is_none_or(|least| finding.severity >= least)
        && args.rule.as_ref().is_none_or(|rule| finding.rule.as_str() == rule)
        && args.subject.as_ref().is_none_or(|wanted| is(audit, &finding.subject, wanted))
}

/// The lines of the configuration that would accept the findings. Findings of one rule about one subject share them.
fn accept(acceptance: &Acceptance<'_>, findings: &[&Finding]) {
    let mut written = BTreeSet::new();
    for lines in findings.iter().filter_map(|finding| acceptance.lines(finding)) {
        if written.insert(lines.clone()) {
            output::line(&lines);
        }
    }
    let left = findings.iter().filter(|finding| finding.is_open() && acceptance.lines(finding).is_none()).count();
    if left > 0 {
        output::note(&format!(
            "rolecall: no lines for {}: an exception must not accept {} unless `may_except` of the policy names the rule",
            count(left, "finding"),
            if left == 1 { "it" } else { "them" }
        ));
    }
    output::note(
        "rolecall: fill in `approved_by` and `reason`; `rolecall check` refuses them as long as they are empty",
    );
}

/// The findings by rule, the most severe first, and what was not evaluated.
fn show(audit: &Audit, findings: &[&Finding]) {
    for group in findings.chunk_by(|a, b| (a.severity, &a.rule) == (b.severity, &b.rule)) {
        let Some(first) = group.first() else { continue };
        let title = audit.rules.get(first.rule.as_str()).map_or("", |rule| &rule.title);
        output::line(&format!("{}  {} ({}): {}", first.severity, plain(title, 200), first.rule, group.len()));
        for line in table(audit, group).lines() {
            output::line(line.trim_end());
        }
        output::line("");
    }
    let rules = findings.chunk_by(|a, b| (a.severity, &a.rule) == (b.severity, &b.rule)).count();
    output::line(&match findings.len() {
        0 => "No findings.".to_owned(),
        several => {
            format!("{} of {}. `rolecall rules NAME` explains one.", count(several, "finding"), count(rules, "rule"))
        }
    });
    let not_evaluated = NotEvaluated::of(audit);
    for rule in &not_evaluated.rules {
        output::line(&plain(&format!("Not evaluated in full: {}: {}", rule.title, rule.reason), MESSAGE));
    }
    if !not_evaluated.switched_off.is_empty() {
        output::line(&format!("{} switched off by the policy.", count(not_evaluated.switched_off.len(), "rule")));
    }
}

/// The findings of one rule: each subject with its message, and those with the same message together.
fn table(audit: &Audit, findings: &[&Finding]) -> String {
    let mut by_message: Vec<(String, Vec<String>)> = Vec::new();
    for finding in findings {
        let row = FindingRow::of(audit, finding);
        let accepted = row.exception.map(|accepted| format!(" Accepted until {}.", accepted.until));
        let planned = row.planned_fix.map(|fix| {
            let overdue = if fix.overdue { ", overdue" } else { "" };
            format!(" Planned, due {}{overdue} ({}).", fix.until, fix.owner)
        });
        let said = format!("{}{}{}", row.message, text(accepted.as_ref()), text(planned.as_ref()));
        let message = plain(&said, MESSAGE);
        let subject = plain(&row.subject, SUBJECT);
        match by_message.iter_mut().find(|(known, _)| *known == message) {
            Some((_, subjects)) => subjects.push(subject),
            None => by_message.push((message, vec![subject])),
        }
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    for (message, subjects) in by_message {
        match subjects.as_slice() {
            [one] => table.add_row([one, &message]),
            several => table.add_row([several.join("\n"), message]),
        };
    }
    if !table.is_tty() {
        table.set_width(WIDTH);
    }
    for (column, padding) in table.column_iter_mut().zip([(2, 2), (0, 0)]) {
        column.set_padding(padding);
    }
    if let Some(subject) = table.column_mut(0) {
        subject.set_constraint(ColumnConstraint::UpperBoundary(Width::Percentage(40)));
    }
    table.to_string()
}
