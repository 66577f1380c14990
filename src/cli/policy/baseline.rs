//! `rolecall policy baseline`: the exceptions for what is open today.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Deserialize;

use crate::{
    cli::{
        again,
        args::BaselineArgs,
        check, lookup,
        output::{self, Failure},
        workspaces,
    },
    clock::Clock,
    evidence::storage::bounded,
    exceptions::{Baseline, OpenFinding, baseline},
    model::{audit::Audit, email},
};

/// What is open, and what the policy says of exceptions.
struct Open {
    findings: Vec<OpenFinding>,
    on: NaiveDate,
    max_exception_days: i64,
    is_complete: bool,
}

pub(super) async fn run(named: Option<&Path>, args: BaselineArgs) -> Result<(), Failure> {
    if email::domain(&args.approved_by).is_none() {
        return Err(Failure::usage(format!(
            "invalid address `{}` for --approved-by; expected the address of the person who accepts these findings",
            args.approved_by
        )));
    }
    let open = match &args.from {
        Some(file) => from_report(file)?,
        None => from_workspaces(named, &args).await?,
    };
    if !open.is_complete {
        output::note("rolecall: the read was incomplete, so findings that were not seen are not accepted");
    }
    if args.days > open.max_exception_days {
        output::note(&format!(
            "rolecall: the exceptions last {} days, because the policy allows no more (max_exception_days)",
            open.max_exception_days
        ));
    }
    let of = Baseline {
        approved_by: args.approved_by.trim(),
        open_on: open.on,
        today: Clock::system().now().date_naive(),
        days: args.days,
        max_exception_days: open.max_exception_days,
    };
    let text = baseline(&open.findings, &of);
    match &args.out {
        None => output::write(text.as_bytes()),
        Some(path) => {
            // Never over a configuration.
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
            file.and_then(|mut file| file.write_all(text.as_bytes()))
                .map_err(|error| Failure::failed(format!("cannot write {}: {error}", path.display())))?;
            output::line(&format!("wrote {}; append it to the configuration", path.display()));
        }
    }
    Ok(())
}

async fn from_workspaces(named: Option<&Path>, args: &BaselineArgs) -> Result<Open, Failure> {
    let settings = check::load_quietly(named)?;
    let chosen: Vec<&str> = match (&args.job, &args.workspace) {
        (Some(job), None) => {
            let job = settings.jobs.get(job).ok_or_else(|| Failure::usage(format!("unknown job `{job}`")))?;
            job.workspaces.iter().map(String::as_str).collect()
        }
        (_, workspace) => vec![workspaces::named(&settings, workspace.as_deref())?.0],
    };
    let mut open: Option<Open> = None;
    for workspace in chosen {
        let audit = lookup::judged(&settings, workspace, args.job.as_deref()).await?;
        let found = Open::of(&audit);
        open = Some(match open {
            None => found,
            Some(before) => before.and(found),
        });
    }
    open.ok_or_else(|| Failure::usage("the job has no workspace"))
}

impl Open {
    fn of(audit: &Audit) -> Self {
        let finding = |finding: &crate::model::finding::Finding| {
            let (label, id) = audit.subject_label(&finding.subject);
            OpenFinding::new(&finding.rule, finding.subject.kind(), &id, &label, &audit.workspace)
        };
        Self {
            findings: audit.open_findings().map(finding).collect(),
            on: audit.judged_at.date_naive(),
            max_exception_days: audit.policy.max_exception_days,
            is_complete: audit.directory.reading.is_complete(),
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.findings.extend(other.findings);
        Self {
            findings: self.findings,
            on: self.on.min(other.on),
            max_exception_days: self.max_exception_days.min(other.max_exception_days),
            is_complete: self.is_complete && other.is_complete,
        }
    }
}

/// What a baseline needs of `report.json`.
#[derive(Deserialize)]
struct Report {
    workspace: String,
    judged_at: DateTime<Utc>,
    complete: bool,
    findings: Vec<Reported>,
    policy: ReportedPolicy,
}

#[derive(Deserialize)]
struct Reported {
    rule: String,
    subject_type: String,
    subject_id: String,
    subject: String,
    status: String,
}

#[derive(Deserialize)]
struct ReportedPolicy {
    max_exception_days: i64,
}

fn from_report(file: &Path) -> Result<Open, Failure> {
    let shown = file.display();
    let text = File::open(file).and_then(|opened| bounded(opened, again::LARGEST));
    let text = text.map_err(|error| Failure::failed(format!("cannot read {shown}: {error}")))?;
    let report: Report = serde_json::from_slice(&text).map_err(|error| {
        Failure::failed(format!("{shown} is not a report.json: {error}; `rolecall audit --out DIR` writes one"))
    })?;
    let open = report.findings.iter().filter(|finding| finding.status == "open");
    let finding = |one: &Reported| {
        OpenFinding::new(&one.rule, &one.subject_type, &one.subject_id, &one.subject, &report.workspace)
    };
    Ok(Open {
        findings: open.map(finding).collect(),
        on: report.judged_at.date_naive(),
        max_exception_days: report.policy.max_exception_days,
        is_complete: report.complete,
    })
}
