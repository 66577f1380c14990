//! `rolecall evidence coverage`: every fire time of a period, and what answers it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Days, Duration, NaiveDate, NaiveTime, Utc};

use super::{configured, signers, signers_of, unreadable};
use crate::{
    cli::{
        args::{CoverageArgs, PeriodArgs},
        output::{self, Failure},
    },
    clock::Clock,
    coverage::{self, Coverage, Question},
    digest::sha256,
    evidence::{SEALED, inventory, signers::Allowed, testimony::Testimony},
    ledger::Head,
};

/// Gaps that are printed; the table has all of them.
const MOST_PRINTED: usize = 50;
/// The longest reason that is printed, in characters.
const REASON: usize = 300;

pub(super) fn run(named: Option<&Path>, args: &CoverageArgs) -> Result<(), Failure> {
    let evidence = if args.path.is_some() { None } else { Some(configured(named)?.1) };
    let allowed = match (&args.allowed_signers, &evidence) {
        (Some(file), _) => signers_of(file)?,
        (None, Some(evidence)) => signers(evidence)?,
        (None, None) => Allowed::default(),
    };
    let folder = args.path.clone().or(evidence.map(|evidence| evidence.directory)).unwrap_or_default();
    let testimony = testimony(&folder, allowed)?;
    let (from, to) = period(&args.period)?;
    let late_after = Duration::hours(i64::from(args.late_after));
    let bags = sealed(&folder)?;
    let question =
        Question { from, to, job: args.job.as_deref(), late_after, now: Clock::system().now(), bags: Some(&bags) };
    let coverage = answer(&testimony, &question);
    if let Some(job) = args.job.as_deref().filter(|_| coverage.rows.is_empty()) {
        output::note(&format!("rolecall: the ledger has nothing of a job `{job}` in this period"));
    }
    print(&coverage, &args.period);
    if let Some(out) = &args.out {
        fs::create_dir_all(out).map_err(|error| Failure::failed(format!("{}: {error}", out.display())))?;
        for (name, content) in files_of(&coverage, &question, &testimony.head())? {
            let path = out.join(name);
            fs::write(&path, content).map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
            output::line(&format!("  wrote     {}", path.display()));
        }
    }
    match coverage.gaps().count() {
        0 => Ok(()),
        1 => Err(Failure::Findings("there is a gap".to_owned())),
        gaps => Err(Failure::Findings(format!("there are {gaps} gaps"))),
    }
}

/// The ledger of a folder; one that is not whole proves nothing.
fn testimony(folder: &Path, allowed: Allowed) -> Result<Testimony, Failure> {
    let testimony = Testimony::of(folder, allowed).map_err(|error| unreadable(folder, &error))?;
    match testimony.problems.first() {
        None => Ok(testimony),
        Some(problem) => {
            Err(Failure::failed(format!("{}: {problem}. `rolecall evidence verify` says more", folder.display())))
        }
    }
}

/// What the believed entries of a ledger answer, and who signed for them.
pub(super) fn answer(testimony: &Testimony, question: &Question<'_>) -> Coverage {
    let mut coverage = Coverage::of(testimony.believed(), question);
    let signed = match &testimony.vouched {
        Some(vouched) => format!("The ledger is {vouched}"),
        None => "Nobody signed the ledger".to_owned(),
    };
    let rest = testimony.rest().map(|rest| format!("; {rest}")).unwrap_or_default();
    coverage.remarks.push(format!("{signed}{rest}."));
    coverage
}

/// The bags that are there: by their folders, the SHA-256 of their sealed manifests; empty where one has none. Whether
/// they are whole is for `verify` to say.
pub(super) fn sealed(folder: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let bags = inventory::bags(folder).map_err(|error| unreadable(folder, &error))?;
    let named = |bag: PathBuf| {
        let name = bag.file_name()?.to_str()?.to_owned();
        Some((name, fs::read(bag.join(SEALED)).map_or_else(|_| String::new(), |bytes| sha256(&bytes))))
    };
    Ok(bags.into_iter().filter_map(named).collect())
}

/// The first moment of a period, and the first after it. Days are whole, in UTC.
pub(super) fn period(period: &PeriodArgs) -> Result<(DateTime<Utc>, DateTime<Utc>), Failure> {
    let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
    let after = period.to.checked_add_days(Days::new(1)).filter(|_| period.from <= period.to);
    let after = after.ok_or_else(|| Failure::usage("--to is before --from"))?;
    Ok((midnight(period.from), midnight(after)))
}

/// The page and the table, by their names.
pub(super) fn files_of(
    coverage: &Coverage,
    question: &Question<'_>,
    head: &Head,
) -> Result<[(&'static str, Vec<u8>); 2], Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::failed(format!("the coverage cannot be written: {error}"));
    let page = coverage::page(coverage, question, head).map_err(|error| failed(&error))?;
    let mut table = Vec::new();
    coverage::table(coverage, question, &mut table).map_err(|error| failed(&error))?;
    Ok([("coverage.html", page.into_bytes()), ("coverage.csv", table)])
}

fn print(coverage: &Coverage, period: &PeriodArgs) {
    let counts: Vec<String> = coverage.counts().iter().map(|(state, count)| format!("{count} {state}")).collect();
    let counts = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
    output::line(&format!("{} to {}, days in UTC: {} due{counts}", period.from, period.to, coverage.due()));
    for remark in &coverage.remarks {
        output::line(&format!("  note      {}", output::plain(remark, REASON)));
    }
    for row in coverage.gaps().take(MOST_PRINTED) {
        output::line(&format!(
            "  {:<11} {}  {} · {}: {}",
            row.state,
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
}
