//! `rolecall audit --from`: judges what an earlier audit read by another policy, offline, and shows what differs from what
//! was found then.

mod difference;
mod source;

use std::{fs::File, path::Path};

use uuid::Uuid;

pub(super) use self::{
    difference::{Change, Difference, SHOWN, differences},
    source::{Again, Judge, OF_REPORT},
};
use super::{
    args::AuditArgs,
    check,
    output::{self, Failure, plain},
};
use crate::{
    access::matrix::AccessMatrix,
    brief::NotEvaluated,
    evidence::storage::{bounded, folder::Folder},
    model::audit::Audit,
    report::{
        JudgedAgain, ReportFile, ReportInput,
        json::kept::{self, KeptReport},
    },
    run::files,
    words::count,
};

pub(super) async fn run(named: Option<&Path>, args: &AuditArgs, from: &Path) -> Result<(), Failure> {
    let settings = check::load_quietly(named)?;
    let judge = Judge { settings: &settings, policy: args.policy.as_deref() };
    let shown = from.display().to_string();
    let mut again = if from.is_dir() {
        let storage = Folder::open(from).map_err(|error| Failure::failed(format!("{shown}: {error}")))?;
        judge.bag(&storage, "", &shown).await?
    } else {
        let again = judge.report(report(from)?)?;
        output::note(
            "rolecall: a report.json has neither the previous audit nor the roster, so rules that need them are not \
             evaluated",
        );
        again
    };
    show(&again);
    if let Some(folder) = &args.out {
        // This judgement is another one than that of the audit, so it has an id of its own, and names the audit.
        let earlier = JudgedAgain { audit: again.audit.id, policy: again.policy_then };
        again.audit.id = Uuid::now_v7();
        write(&again.audit, earlier, folder, &args.reports.iter().map(|kind| kind.file()).collect::<Vec<_>>())?;
    }
    let worst = again.audit.open_findings().map(|finding| finding.severity).max();
    match args.fail_on.zip(worst) {
        Some((limit, worst)) if worst >= limit => {
            Err(Failure::Findings(format!("there are findings of severity {worst}, and --fail-on is {limit}")))
        }
        _ => Ok(()),
    }
}

/// The largest report.json that is read, in bytes: that of millions of users.
pub(super) const LARGEST: u64 = 2 << 30;

/// Reads a report.json.
pub(super) fn report(path: &Path) -> Result<KeptReport, Failure> {
    let unusable = |error: &dyn std::fmt::Display| Failure::failed(format!("{}: {error}", path.display()));
    let text = File::open(path).and_then(|file| bounded(file, LARGEST)).map_err(|error| unusable(&error))?;
    kept::read(&text).map_err(|error| unusable(&error))
}

fn write(audit: &Audit, earlier: JudgedAgain, folder: &Path, wanted: &[ReportFile]) -> Result<(), Failure> {
    let matrix = AccessMatrix::of(audit);
    let input = ReportInput::new(audit, &matrix).judged_again(earlier);
    for path in files::write(&input, folder, wanted).map_err(|error| Failure::failed(error.to_string()))? {
        output::line(&format!("wrote {}", path.display()));
    }
    Ok(())
}

fn show(again: &Again) {
    let audit = &again.audit;
    output::line(&format!(
        "{}, judged at {} by the policy `{}`; below by the policy `{}` (SHA-256 {})\n",
        plain(&audit.workspace, SHOWN),
        audit.judged_at.format("%Y-%m-%d %H:%M UTC"),
        plain(&again.policy_then, SHOWN),
        audit.policy.name,
        audit.policy.sha256()
    ));
    let all = differences(&again.recorded, audit);
    for difference in all.iter().filter(|difference| difference.change != Change::Same) {
        output::line(&difference.line());
    }
    output::line(&format!("\n{}", totals(&all)));
    not_evaluated(audit);
}

/// How many findings changed in which way.
pub(super) fn totals(all: &[Difference]) -> String {
    let of = |change| all.iter().filter(|difference| difference.change == change).count();
    let mut parts = vec![
        format!("{} by this policy only (+)", count(of(Change::New), "finding")),
        format!("{} no longer found (-)", of(Change::Gone)),
        format!("{} with another severity or status (~)", of(Change::Changed)),
        format!("{} the same", of(Change::Same)),
    ];
    let unknown = of(Change::Unknown);
    if unknown > 0 {
        parts.insert(2, format!("{unknown} of rules that could not be evaluated in full (?)"));
    }
    parts.join(", ")
}

fn not_evaluated(audit: &Audit) {
    let not_evaluated = NotEvaluated::of(audit);
    for (check, detail) in &not_evaluated.problems {
        output::line(&format!("incomplete: {check}: {}", plain(detail, SHOWN)));
    }
    for rule in &not_evaluated.rules {
        output::line(&format!("not evaluated: {}: {}", plain(&rule.title, SHOWN), plain(&rule.reason, SHOWN)));
    }
    for (rule, reason) in audit.policy.rules_off() {
        output::line(&format!("off: {rule}: {}", plain(reason, SHOWN)));
    }
}
