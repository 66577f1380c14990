//! `rolecall demo`: the whole product against a simulated workspace. It ends by itself and leaves only files; with `--serve`,
//! it serves the web console before it ends.
//!
//! It writes a configuration as a user would, and runs the daemon through a quarter of weekly reviews on a simulated
//! clock that the workspace shares. The reports are those of the evidence, the mail is what arrived in the built-in
//! inbox.

mod company;
mod private;
mod quarter;
mod serve;

use std::{
    fmt::Display,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use chrono::{DateTime, TimeDelta, Utc};
use rolecall_simulator::{Now, Options, Simulator};
use url::Url;

use self::{
    private::Private,
    quarter::{Story, WEEKS},
};
use super::{
    args::{CoverageArgs, DemoArgs, EvidenceCommand, ExportArgs, PeriodArgs},
    check, evidence,
    output::{self, Failure},
};
use crate::{
    app,
    clock::Clock,
    config::settings::Settings,
    daemon::Daemon,
    model::run::{Run, RunState},
    report::ReportFile,
    schedule::Schedule,
    store::{AuditRecord, Database},
    words::count,
};

const JOB: &str = "weekly-access-review";
const WORKSPACE: &str = "acme";
/// Access tokens that the simulated vendor issues: it counts real minutes, in which a simulated quarter passes.
const TOKENS: usize = 1_000;

pub(super) async fn run(args: DemoArgs) -> Result<(), Failure> {
    fs::create_dir_all(&args.out).map_err(failed(format!("cannot create the folder {}", args.out.display())))?;
    let time = SimulatedTime::new();
    let options =
        Options { users: args.users, now: time.of_simulator(), tokens_per_window: TOKENS, ..Options::default() };
    let simulator = Simulator::start(options).map_err(failed("the simulated workspace cannot listen on 127.0.0.1"))?;
    let private = Private::new().map_err(failed("cannot create a folder for the demo's configuration"))?;
    let proof = unused(&args.out);
    let directory = std::path::absolute(&proof).map_err(failed("cannot find the path of the output folder"))?;
    let people = args.out.join("people.csv");
    let roster = std::path::absolute(&people).map_err(failed("cannot find the path of the output folder"))?;
    let config = private
        .configure(&simulator, &directory, &roster, args.serve)
        .map_err(failed("cannot write the demo's configuration"))?;

    let settings = check::load(Some(&config))?;
    let schedule = &settings.jobs[JOB].schedule;
    let weeks = last(schedule, Clock::system().now());
    simulator.world().edit(company::found).map_err(failed("cannot change the simulated workspace"))?;
    // Between the third-last review and the second-last one.
    let last_day = weeks.iter().rev().nth(2).map_or_else(|| Clock::system().now().date_naive(), DateTime::date_naive);
    let known = simulator.world().read(|world| company::roster(world, last_day));
    let known = known.map_err(failed("cannot write the demo's list of people"))?;
    output::save(&people, known.as_bytes()).map_err(failed(format!("cannot write {}", people.display())))?;
    output::line(&format!(
        "Simulated Bigin workspace with {} users at {}.\nAudited every Monday for a quarter, on a simulated clock:\n",
        args.users,
        simulator.base_url()
    ));
    let demo = Demo {
        simulator: &simulator,
        store: app::store(&settings).await.map_err(failed("cannot open the demo's store"))?,
        time,
        evidence: &proof,
        out: &args.out,
    };
    demo.quarter(&settings, &weeks).await?;

    let (Some(first), Some(last)) = (weeks.first(), weeks.last()) else { return Ok(()) };
    output::line("");
    let period = || PeriodArgs { from: first.date_naive(), to: last.date_naive() };
    let coverage = args.out.join("coverage");
    cover(&config, period(), &coverage).await?;
    let zip = proof.with_added_extension("zip");
    let export = EvidenceCommand::Export(ExportArgs {
        period: period(),
        out: Some(zip.clone()),
        format: None,
        pseudonymise: false,
        mapping: None,
        encrypt_to: Vec::new(),
    });
    evidence::run(Some(&config), export).await?;
    let store = Arc::clone(&demo.store);
    simulator.stop().await;
    name_files(&args.out, &coverage, &proof, &zip);
    if args.serve {
        serve::serve(&config, &settings, &store).await?;
    }
    drop(private);
    Ok(())
}

/// The scheduled times of the demo: the latest ones before now.
fn last(schedule: &Schedule, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
    let long_before = now - TimeDelta::weeks(2 * i64::try_from(WEEKS).unwrap_or_default());
    let passed: Vec<DateTime<Utc>> = schedule.times(long_before).take_while(|time| *time < now).collect();
    passed[passed.len().saturating_sub(WEEKS)..].to_vec()
}

/// A clock that is set, and then runs on.
#[derive(Clone)]
struct SimulatedTime(Arc<Mutex<(DateTime<Utc>, Instant)>>);

impl SimulatedTime {
    fn new() -> Self {
        Self(Arc::new(Mutex::new((Clock::system().now(), Instant::now()))))
    }

    fn set(&self, at: DateTime<Utc>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (at, Instant::now());
    }

    fn now(&self) -> DateTime<Utc> {
        let (at, since) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        at + since.elapsed()
    }

    fn clock(&self) -> Clock {
        let time = self.clone();
        Clock::new(move || time.now())
    }

    fn of_simulator(&self) -> Now {
        let time = self.clone();
        Now::new(move || time.now())
    }
}

/// What the weeks share.
struct Demo<'a> {
    simulator: &'a Simulator,
    store: Arc<dyn Database>,
    time: SimulatedTime,
    /// The folder of the evidence.
    evidence: &'a Path,
    out: &'a Path,
}

impl Demo<'_> {
    async fn quarter(&self, settings: &Settings, weeks: &[DateTime<Utc>]) -> Result<(), Failure> {
        let clock = self.time.clock();
        let setup = app::daemon_setup(settings, &clock, &app::Links::new(clock.clone()))
            .map_err(failed("cannot set up the demo"))?;
        let daemon = Daemon::new(Arc::clone(&self.store), clock, setup);
        let mut story = Story::default();
        if let Some(first) = weeks.first() {
            // The schedule is in force before the first review is due.
            self.time.set(*first - TimeDelta::days(1));
            daemon.settle().await.map_err(failed("the simulated daemon failed"))?;
        }
        for (week, due) in (1..).zip(weeks) {
            let happened = self.simulator.world().edit(|world| story.happen(world, week, *due));
            let happened = happened.map_err(failed("cannot change the simulated workspace"))?;
            let result = match quarter::reviewed_at(week, *due) {
                None => "missed: the daemon was down".to_owned(),
                Some(at) => {
                    self.time.set(at);
                    daemon.settle().await.map_err(failed("the simulated daemon failed"))?;
                    let (run, audit) = self.reviewed(*due).await?;
                    self.save(week, &audit)?;
                    line_of(&run, &audit)
                }
            };
            let zone = settings.jobs[JOB].schedule.zone();
            output::line(&format!("  {:>2}  {}  {result}", week, due.with_timezone(&zone).format("%Y-%m-%d")));
            for sentence in happened {
                output::line(&format!("                  {sentence}"));
            }
        }
        Ok(())
    }

    /// The review of a scheduled time, which must have ended well.
    async fn reviewed(&self, due: DateTime<Utc>) -> Result<(Run, AuditRecord), Failure> {
        let run = self.store.runs(1).await.map_err(failed("cannot read the demo's store"))?.into_iter().next();
        let run =
            run.filter(|run| run.fire_at == due).ok_or_else(|| Failure::failed("a review of the demo is missing"))?;
        if run.state != RunState::Closed {
            let why = run.error.unwrap_or_else(|| run.state.word().to_owned());
            return Err(Failure::failed(format!("the review of {due} failed: {why}")));
        }
        let audit = self.store.audit(run.id).await.map_err(failed("cannot read the demo's store"))?;
        Ok((run, audit.ok_or_else(|| Failure::failed(format!("the review of {due} left no audit")))?))
    }

    /// Saves the reports of a week, as they are in its evidence, and the mail that arrived.
    fn save(&self, week: usize, audit: &AuditRecord) -> Result<(), Failure> {
        let folder = self.out.join(format!("week-{week}"));
        fs::create_dir_all(&folder).map_err(failed(format!("cannot create the folder {}", folder.display())))?;
        if let Some(bag) = &audit.bag {
            for file in ReportFile::ALL.map(ReportFile::file_name) {
                let report = self.evidence.join(&bag.folder).join("data/reports").join(file);
                let report = fs::read(&report).map_err(failed(format!("cannot read {}", report.display())))?;
                let copy = folder.join(file);
                output::save(&copy, &report).map_err(failed(format!("cannot write {}", copy.display())))?;
            }
        }
        if let Some(message) = self.simulator.inbox().messages().last() {
            let path = self.out.join(format!("week-{week}.eml"));
            output::save(&path, &message.bytes).map_err(failed(format!("cannot write {}", path.display())))?;
        }
        Ok(())
    }
}

/// A review in one line.
fn line_of(run: &Run, audit: &AuditRecord) -> String {
    let late = run.started_at.map(|started| started - run.fire_at).filter(|wait| *wait > TimeDelta::hours(1));
    let late =
        late.map(|wait| format!(", {} late: the daemon was back", count(wait.num_hours().unsigned_abs(), "hour")));
    format!(
        "{}, {}, {}{}",
        count(audit.users, "user"),
        count(audit.administrators, "administrator"),
        count(audit.open_findings, "open finding"),
        late.unwrap_or_default()
    )
}

/// Writes the coverage of a period. That a review is missing is part of the demo.
async fn cover(config: &Path, period: PeriodArgs, out: &Path) -> Result<(), Failure> {
    let args = CoverageArgs {
        period,
        job: None,
        late_after: 24,
        out: Some(out.to_owned()),
        allowed_signers: None,
        path: None,
    };
    match evidence::run(Some(config), EvidenceCommand::Coverage(args)).await {
        Err(Failure::Findings(_)) => Ok(()),
        other => other,
    }
}

/// The address of a file, which terminals open at a click.
fn link(path: &Path) -> Option<String> {
    let path = std::path::absolute(path).ok()?;
    Url::from_file_path(path).ok().map(String::from)
}

fn name_files(out: &Path, coverage: &Path, proof: &Path, zip: &Path) {
    let latest = out.join(format!("week-{WEEKS}"));
    let line = |path: &Path, what: &str| output::line(&format!("  {:<44} {what}", path.display().to_string()));
    output::line("\nOpen:");
    let report = latest.join("report.html");
    line(&report, "the latest report, in a browser");
    if let Some(link) = link(&report) {
        output::line(&format!("  {link}"));
    }
    line(&latest.with_added_extension("eml"), "the mail as it arrived, in a mail program");
    line(&latest.join("report.xlsx"), "the tables, in a spreadsheet");
    line(&coverage.join("coverage.html"), "which reviews took place in the quarter");
    line(&out.join("week-1"), "the first reports; one folder for each week");
    line(&out.join("people.csv"), "who works for the company: the list that accounts are compared with");
    line(proof, "the evidence: a signed folder for each audit");
    line(zip, "the same evidence as one file for an auditor");
    output::line("\nVerify the evidence without rolecall, with sha256sum and ssh-keygen:");
    output::line(&format!("  for bag in {0}/2*/; do sh \"$bag/verify.sh\" {0}/allowed_signers; done", proof.display()));
}

/// The folder for the evidence: a new one each time, because the store of an earlier demo, which could extend its ledger,
/// is gone.
fn unused(out: &Path) -> PathBuf {
    let first = out.join("evidence");
    if !first.exists() {
        return first;
    }
    let later = (2_u32..).map(|number| out.join(format!("evidence-{number}")));
    later.into_iter().find(|folder| !folder.exists()).unwrap_or(first)
}

/// A failure that says what was being done.
fn failed<E: Display>(what: impl Into<String>) -> impl FnOnce(E) -> Failure {
    let what = what.into();
    move |error| Failure::failed(format!("{what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_a_file_is_whole_whatever_its_name() {
        let of = |path: &str| link(Path::new(path)).unwrap();
        assert_eq!(of("/reports/a b/é.html"), "file:///reports/a%20b/%C3%A9.html");
        assert!(
            of("demo/report.html").starts_with("file:///") && of("demo/report.html").ends_with("/demo/report.html")
        );
    }
}
