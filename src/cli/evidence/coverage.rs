//! `rolecall evidence coverage`: every scheduled time of a period, and what covers it.

use std::{fs, path::Path};

use chrono::Duration;

use super::{configured, existing, located, period, signers, signers_of, unreadable, whole};
use crate::{
    cli::{
        args::{CoverageArgs, PeriodArgs},
        output::{self, Failure},
    },
    clock::Clock,
    coverage::{self, Coverage, Question},
    evidence::{attestation::Attestation, inventory, signers::Allowed, source, storage::Storage},
    export,
    run::anchor,
    words::count,
};

/// Gaps that are printed; the table has all of them.
const MOST_PRINTED: usize = 50;
/// The longest reason that is printed, in characters.
const REASON: usize = 300;

pub(super) async fn run(named: Option<&Path>, args: &CoverageArgs) -> Result<(), Failure> {
    let evidence = if args.path.is_some() { None } else { Some(configured(named)?.1) };
    let allowed = match (&args.allowed_signers, &evidence) {
        (Some(file), _) => signers_of(file)?,
        (None, Some(evidence)) => signers(evidence)?,
        (None, None) => Allowed::default(),
    };
    let storage = match (&args.path, &evidence) {
        (Some(path), _) => whole(located(named, path)?)?,
        (None, Some(evidence)) => existing(evidence)?,
        // Without a path the configuration has been read.
        (None, None) => return Ok(()),
    };
    let (storage, place) = (&*storage, storage.place(""));
    let attestation = attestation(storage, allowed).await?;
    let period = period(&args.period)?;
    let late_after = Duration::hours(i64::from(args.late_after));
    let bags = inventory::digests(storage).map_err(|error| unreadable(&place, &error))?;
    let foreign = source::all_foreign(storage).map_err(|error| unreadable(&place, &error))?;
    let (from, to, now) = (period.from, period.to, Clock::system().now());
    let question =
        Question { from, to, job: args.job.as_deref(), late_after, now, bags: Some(&bags), foreign: &foreign };
    let coverage = export::covered(&attestation, &question);
    if let Some(job) = args.job.as_deref().filter(|_| coverage.rows.is_empty() && coverage.reviews.is_empty()) {
        output::note(&format!("rolecall: the ledger has no entry of the job `{job}` in this period"));
    }
    print(&coverage, &args.period);
    if let Some(out) = &args.out {
        let failed =
            |path: &Path, error: &dyn std::fmt::Display| Failure::failed(format!("{}: {error}", path.display()));
        fs::create_dir_all(out).map_err(|error| failed(out, &error))?;
        let files = coverage::files(&coverage, &question, &attestation.head());
        for (name, content) in files.map_err(|error| Failure::failed(error.to_string()))? {
            let path = out.join(name);
            output::save(&path, content.as_ref()).map_err(|error| failed(&path, &error))?;
            output::line(&format!("  wrote     {}", path.display()));
        }
    }
    match coverage.gaps().count() + coverage.review_gaps().count() {
        0 => Ok(()),
        1 => Err(Failure::Findings("there is 1 gap".to_owned())),
        gaps => Err(Failure::Findings(format!("there are {}", count(gaps, "gap")))),
    }
}

/// The ledger of a storage; a damaged one proves nothing.
async fn attestation(storage: &dyn Storage, allowed: Allowed) -> Result<Attestation, Failure> {
    let place = storage.place("");
    let attestation = anchor::attestation(storage, allowed).await.map_err(|error| unreadable(&place, &error))?;
    match attestation.problems.first() {
        None => Ok(attestation),
        Some(problem) => {
            Err(Failure::failed(format!("{place}: {problem}. `rolecall evidence verify` lists all problems")))
        }
    }
}

fn print(coverage: &Coverage, period: &PeriodArgs) {
    let counts: Vec<String> =
        coverage.counts().iter().map(|(state, count)| format!("{count} {}", state.label())).collect();
    let counts = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
    output::line(&format!("{} to {}, days in UTC: {} due{counts}", period.from, period.to, coverage.due()));
    for remark in &coverage.remarks {
        output::line(&format!("  note      {}", output::plain(remark, REASON)));
    }
    for row in coverage.gaps().take(MOST_PRINTED) {
        output::line(&format!(
            "  {:<13} {}  {} · {}: {}",
            row.state.label(),
            row.fire_at.with_timezone(&row.zone).format("%a %Y-%m-%d %H:%M %Z"),
            row.job.as_deref().unwrap_or_default(),
            row.workspace,
            output::plain(&row.reason, REASON)
        ));
    }
    let more = coverage.gaps().count().saturating_sub(MOST_PRINTED);
    if more > 0 {
        output::line(&format!("  … and {more} more"));
    }
    if !coverage.reviews.is_empty() {
        output::line(&format!("reviews by people: {}", coverage.reviews.len()));
    }
    for row in coverage.reviews.iter().take(MOST_PRINTED) {
        output::line(&format!(
            "  {:<13} {}  {}{}{}",
            row.state.label(),
            row.fire_at.with_timezone(&row.zone).format("%a %Y-%m-%d %H:%M %Z"),
            row.name,
            if row.reason.is_empty() { "" } else { ": " },
            output::plain(&row.reason, REASON)
        ));
    }
    let more = coverage.reviews.len().saturating_sub(MOST_PRINTED);
    if more > 0 {
        output::line(&format!("  … and {more} more"));
    }
}
