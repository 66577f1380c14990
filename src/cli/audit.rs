//! `rolecall audit`: one run now.

mod plan;

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures::future::join_all;
use uuid::Uuid;

use self::plan::{Target, plan, targets};
use super::{
    args::{AuditArgs, ReportKind},
    check,
    output::{self, Failure},
    progress::Line,
    summary,
};
use crate::{
    app,
    clock::{Clock, time_delta},
    config::settings::{Job, Settings},
    fetch::Rosters,
    model::{audit::Audit, finding::Severity, notification::Notification, run::Claim},
    notify::{channel::Channels, closing, dispatch},
    report::{
        ReportFile,
        people::{PeopleFile, PeopleInput},
    },
    run::{
        Env,
        across::{self, End},
        deliver::{Mail, Recipients},
        lease,
        ledger::{self, WriteError},
        perform::{AuditRun, Commit, Performed, Reports, Step},
        receipts, timestamps, together,
        vault::Vault,
    },
    store::{Database, StoreError, queue::Sent},
};

/// How long a run stays claimed by a process that no longer renews its lease.
const LEASE: Duration = Duration::from_mins(1);

pub(super) async fn run(named: Option<&Path>, args: AuditArgs) -> Result<(), Failure> {
    let settings = check::load(named)?;
    let plan = plan(&settings, &args)?;
    let usage = |error: app::AppError| Failure::usage(error.to_string());
    let channel = plan.mail.map(|(_, smtp)| app::email_channel(smtp)).transpose().map_err(usage)?;
    let channels = channel.map(|email| Channels::default().with(email));
    let clock = Clock::system();
    let targets = targets(&settings, &plan.workspaces, args.out.as_deref(), &clock)?;
    let vault = app::vault(&settings).map_err(usage)?;
    let store = app::store_to_write(&settings, vault.as_ref(), &clock).await;
    let store = store.map_err(|error| Failure::failed(error.to_string()))?;
    // Audits that another scheduler starts are held to the schedules of the configuration, too.
    let schedules: Vec<_> = settings.jobs.iter().map(|(name, job)| (name.clone(), app::terms(job))).collect();
    store.publish_schedules(&schedules, &[], clock.now()).await.map_err(|error| Failure::failed(error.to_string()))?;
    let rosters = app::rosters(&settings);
    let session = Session {
        settings: &settings,
        rosters: &rosters,
        store: &*store,
        vault: vault.as_ref(),
        clock: &clock,
        job: plan.job,
        reports: &args.reports.iter().map(|kind| kind.file()).collect::<Vec<_>>(),
        people: &args.reports.iter().filter_map(|kind| kind.people()).collect::<Vec<_>>(),
        post: plan.mail.zip(channels.as_ref()).map(|((email, smtp), channels)| Post {
            recipients: app::recipients(email, smtp),
            timeout: smtp.timeout,
            channels,
        }),
        is_clock_reported: AtomicBool::new(false),
    };
    let audited = session.audit_all(&targets).await;
    let across = session.across(&audited, args.out.as_deref()).await?;
    session.stamp().await?;
    let worst = worst(audited)?.max(across);
    match plan.fail_on.zip(worst) {
        Some((limit, worst)) if worst >= limit => {
            Err(Failure::Findings(format!("there are findings of severity {worst}, and --fail-on is {limit}")))
        }
        _ => Ok(()),
    }
}

/// The way to the recipients, if `--send` is given.
struct Post<'a> {
    recipients: Recipients,
    /// How long an exchange with the server may take.
    timeout: Duration,
    channels: &'a Channels,
}

/// How the audit of a workspace ended: its id and the highest severity of an open finding, or why it failed.
struct Audited {
    workspace: String,
    ended: Result<(Uuid, Option<Severity>), String>,
}

/// The highest severity of an open finding in any workspace.
fn worst(audited: Vec<Audited>) -> Result<Option<Severity>, Failure> {
    let mut failures = Vec::new();
    let mut worst = None;
    for one in audited {
        match one.ended {
            Ok((_, severity)) => worst = worst.max(severity),
            Err(error) => failures.push(error),
        }
    }
    if failures.is_empty() { Ok(worst) } else { Err(Failure::failed(failures.join("\nrolecall: "))) }
}

/// What the audits of all workspaces share.
struct Session<'a> {
    settings: &'a Settings,
    rosters: &'a Rosters,
    store: &'a dyn Database,
    vault: Option<&'a Vault>,
    clock: &'a Clock,
    job: Option<(&'a str, &'a Job)>,
    reports: &'a [ReportFile],
    /// The files with the view over the workspaces.
    people: &'a [PeopleFile],
    post: Option<Post<'a>>,
    /// Whether the user was warned about the clock: once is enough.
    is_clock_reported: AtomicBool,
}

impl Session<'_> {
    /// Audits all workspaces; a failure does not stop the others.
    async fn audit_all(&self, targets: &[Target<'_>]) -> Vec<Audited> {
        if let (Some(post), Some((job, _))) = (&self.post, self.job)
            && post.recipients.combine
            && targets.len() > 1
        {
            return self.audit_together(targets, job, post).await;
        }
        let mut audited = Vec::with_capacity(targets.len());
        for target in targets {
            audited.push(Audited { workspace: target.workspace.to_owned(), ended: self.audit(target).await });
        }
        audited
    }

    /// Audits all workspaces of a job as runs of one moment, and mails one message about them.
    async fn audit_together(&self, targets: &[Target<'_>], job: &str, post: &Post<'_>) -> Vec<Audited> {
        let names: Vec<&str> = targets.iter().map(|target| target.workspace).collect();
        let claims = match self.store.begin_all(job, &names, self.clock.now(), time_delta(LEASE)).await {
            Ok(claims) => claims,
            Err(error) => {
                let failed = |name: &&str| Audited { workspace: (*name).to_owned(), ended: Err(error.to_string()) };
                return names.iter().take(1).map(failed).collect();
            }
        };
        let mut audited = Vec::with_capacity(targets.len());
        for (place, target) in targets.iter().enumerate() {
            let ended = self.audit_one_of(target, &claims[place..], post).await;
            let ended = ended.map(|audit| (audit.id, audit.open_findings().map(|finding| finding.severity).max()));
            audited.push(Audited { workspace: target.workspace.to_owned(), ended });
        }
        if let Err(error) = self.send_together(job, post).await {
            audited.push(Audited { workspace: String::new(), ended: Err(error) });
        }
        audited
    }

    /// Audits the workspace of the first claim, and keeps the others for those that follow.
    async fn audit_one_of(&self, target: &Target<'_>, claims: &[Claim], post: &Post<'_>) -> Result<Audit, String> {
        let Some((claim, others)) = claims.split_first() else { return Err("there is nothing to audit".to_owned()) };
        let now = self.clock.now();
        for claim in claims {
            // One that another process has claimed meanwhile is noticed when it is its turn.
            let _ = self.store.prolong(claim, now, time_delta(LEASE)).await;
        }
        let others = async {
            join_all(others.iter().map(|claim| lease::keep(self.store, claim, LEASE, self.clock))).await;
            std::future::pending::<()>().await;
        };
        let commit = Commit::Record { claim, on_demand: true };
        let performed = tokio::select! {
            performed = self.perform(target, commit, Mail::To(&post.recipients)) => performed,
            lost = lease::keep(self.store, claim, LEASE, self.clock) => return Err(lost.to_string()),
            () = others => return Err("the audit was interrupted".to_owned()),
        };
        match performed {
            Ok(performed) => Ok(performed.audit),
            Err(error) => Err(self.give_up_together(claim, error, post).await),
        }
    }

    /// Writes the message about all workspaces and sends what waits.
    async fn send_together(&self, job: &str, post: &Post<'_>) -> Result<(), String> {
        let messages = together::combine(self.store, Some(job), self.clock).await.map_err(|error| error.to_string())?;
        if messages == 0 {
            output::line("  mail      not sent: the job's `when` does not ask for it");
        }
        let sent = self.send(job, post).await;
        if let Some(vault) = self.vault {
            self.write_out(vault).await.map_err(|error| error.to_string())?;
        }
        sent
    }

    /// Says who has access across several workspaces, and writes it beside the folders of the workspaces. Returns the highest
    /// severity of a finding across them.
    async fn across(&self, audited: &[Audited], out: Option<&Path>) -> Result<Option<Severity>, Failure> {
        let audited: Vec<&Audited> = audited.iter().filter(|one| !one.workspace.is_empty()).collect();
        if audited.len() < 2 {
            return Ok(None);
        }
        let end = |one: &&Audited| End {
            workspace: one.workspace.clone(),
            audit: one.ended.as_ref().map(|(audit, _)| *audit).map_err(Clone::clone),
        };
        let ends: Vec<End> = audited.iter().map(end).collect();
        let people = across::people(self.store, &ends).await.map_err(|error| Failure::failed(error.to_string()))?;
        summary::print_across(&people);
        let worst = people.open_conflicts().map(|conflict| conflict.severity).max();
        let Some(folder) = out else { return Ok(worst) };
        let input = PeopleInput { people: &people, job: self.job.map(|(name, _)| name), at: self.clock.now() };
        let written = across::write(&input, folder, self.people);
        for path in written.map_err(|error| Failure::failed(error.to_string()))? {
            output::line(&format!("  wrote     {}", path.display()));
        }
        Ok(worst)
    }

    /// Audits a workspace, prints, and mails; returns the audit's id and the highest severity of an open finding.
    async fn audit(&self, target: &Target<'_>) -> Result<(Uuid, Option<Severity>), String> {
        let audited = match (&self.post, self.job) {
            (Some(post), Some((job, _))) => self.audit_and_send(target, job, post).await,
            _ => self.audit_only(target).await,
        };
        // Also after a failure: what was recorded until then belongs into the file.
        let written = match self.vault {
            Some(vault) => self.write_out(vault).await,
            None => Ok(()),
        };
        let audit = audited?;
        written.map_err(|error| error.to_string())?;
        Ok((audit.id, audit.open_findings().map(|finding| finding.severity).max()))
    }

    /// Brings the ledger beside the evidence up to date.
    async fn write_out(&self, vault: &Vault) -> Result<(), WriteError> {
        receipts::settle(self.store, vault, self.clock.now()).await?;
        ledger::write_out(self.store, vault, self.clock.now()).await.map(|_| ())
    }

    async fn audit_only(&self, target: &Target<'_>) -> Result<Audit, String> {
        let when = self.job.and_then(|(_, job)| job.email.as_ref()).map(|email| email.when);
        let mail = when.map_or(Mail::NoRecipients, |when| Mail::NotAsked { when: Some(when) });
        let commit = Commit::Keep { job: self.job.map(|(name, _)| name) };
        self.perform(target, commit, mail).await.map(|performed| performed.audit)
    }

    /// Audits with mail. Such an audit is a recorded run like the daemon's, with its messages in the outbox.
    async fn audit_and_send(&self, target: &Target<'_>, job: &str, post: &Post<'_>) -> Result<Audit, String> {
        let claim = self.store.begin(job, target.workspace, self.clock.now(), time_delta(LEASE)).await;
        let claim = claim.map_err(|error| error.to_string())?;
        let commit = Commit::Record { claim: &claim, on_demand: true };
        let performed = tokio::select! {
            performed = self.perform(target, commit, Mail::To(&post.recipients)) => performed,
            lost = lease::keep(self.store, &claim, LEASE, self.clock) => return Err(lost.to_string()),
        };
        let performed = match performed {
            Ok(performed) => performed,
            Err(error) => return Err(self.give_up(&claim, error).await),
        };
        if performed.messages == 0 {
            output::line("  mail      not sent: the job's `when` does not ask for it");
        }
        self.send(job, post).await?;
        Ok(performed.audit)
    }

    async fn perform(&self, target: &Target<'_>, commit: Commit<'_>, mail: Mail<'_>) -> Result<Performed, String> {
        let progress = Line::new(target.workspace);
        let env = Env {
            connector: target.connector.as_ref(),
            store: self.store,
            vault: self.vault,
            clock: self.clock,
            progress: &progress,
            rosters: self.rosters,
        };
        let run = AuditRun {
            env,
            workspace: target.workspace,
            policy: self.settings.policy_for(self.job.map(|(name, _)| name), target.workspace),
            deadline: self.settings.workspaces[target.workspace].deadline,
            commit,
            mail,
            reports: target.folder.as_deref().map(|folder| Reports { folder, files: self.reports }),
            is_last_attempt: true,
        };
        run.perform(&|step| self.print(step)).await.map_err(|failed| failed.to_string())
    }

    fn print(&self, step: Step<'_>) {
        match step {
            Step::ClockBehind(behind) => {
                if !self.is_clock_reported.swap(true, Ordering::Relaxed) {
                    output::note(&format!("rolecall: {behind}"));
                }
            }
            Step::Judged(input) => summary::print(input.brief()),
            Step::Written(written) => {
                for path in written {
                    output::line(&format!("  wrote     {}", path.display()));
                }
            }
            Step::Sealed(sealed) => {
                output::line(&format!("  evidence  {}\n            sha256 {}", sealed.place, sealed.bag.sha256));
            }
        }
    }

    /// Gives up the run without a notice: the exit code informs the caller, and the next report names the failure.
    async fn give_up(&self, claim: &Claim, error: String) -> String {
        match self.store.give_up(claim, &error, &[], self.clock.now()).await {
            // Another process continues the run.
            Ok(()) | Err(StoreError::Lost { .. }) => error,
            Err(store) => format!("{error}\nrolecall: the failure could not be recorded: {store}"),
        }
    }

    /// Gives up a run whose failure the message about all workspaces says.
    async fn give_up_together(&self, claim: &Claim, error: String, post: &Post<'_>) -> String {
        let now = self.clock.now();
        let given_up = match together::terms(&post.recipients) {
            Ok(terms) => self.store.give_up_share(claim, &error, &terms, &[], now).await,
            Err(error) => Err(error),
        };
        match given_up {
            // Another process continues the run.
            Ok(true) | Err(StoreError::Lost { .. }) => error,
            Ok(false) => self.give_up(claim, error).await,
            Err(store) => format!("{error}\nrolecall: the failure could not be recorded: {store}"),
        }
    }

    /// Asks for timestamps of what is sealed, after everything else: an authority that does not answer delays nothing.
    async fn stamp(&self) -> Result<(), Failure> {
        let Some(vault) = self.vault else { return Ok(()) };
        let pass = timestamps::pass(self.store, vault, self.clock).await;
        let Some(pass) = pass.map_err(|error| Failure::failed(error.to_string()))? else { return Ok(()) };
        if let Some(given) = pass.given.last() {
            let time = given.time.format("%Y-%m-%d %H:%M:%S UTC");
            output::line(&format!("  timestamp {time}, by {}", given.authority));
        }
        if let Some(waits) = pass.waits {
            let again = "the daemon, or the next audit, asks again";
            output::note(&format!("rolecall: the evidence waits for a timestamp: {}; {again}", waits.reason));
        }
        Ok(())
    }

    /// Sends what waits in the outbox of a job: this report, and what earlier ones left.
    async fn send(&self, job: &str, post: &Post<'_>) -> Result<(), String> {
        let failed = |error: StoreError| error.to_string();
        let mut problems = Vec::new();
        let evidence = self.vault.map(|vault| &*vault.storage);
        let lease = time_delta(post.timeout + LEASE);
        while let Some(mut message) =
            self.store.take_message(Some(job), self.clock.now(), lease).await.map_err(failed)?
        {
            let done = dispatch::dispatch(self.store, evidence, post.channels, self.clock, &mut message).await;
            let done = done.map_err(failed)?;
            let Notification { kind, address: recipient, .. } = &message.notification;
            match done.outcome {
                Sent::Accepted => output::line(&format!("  mailed    {recipient}")),
                Sent::Again(_) => problems.push(format!(
                    "the {kind} was not delivered to {recipient}: {}. It stays in the outbox; the daemon, or the next `audit --send` of this job, tries again",
                    done.answer
                )),
                Sent::GivenUp => problems.push(format!("the {kind} was not delivered to {recipient}: {}", done.answer)),
            }
        }
        let is_watched = |job: &str| self.settings.jobs.get(job).is_some_and(|job| job.heartbeat.is_some());
        closing::close_delivered(self.store, &is_watched, self.clock.now()).await.map_err(failed)?;
        if problems.is_empty() { Ok(()) } else { Err(problems.join("\nrolecall: ")) }
    }
}

impl ReportKind {
    /// The same over several workspaces; `None` if there is no such file.
    fn people(self) -> Option<PeopleFile> {
        match self {
            Self::Matrix => Some(PeopleFile::Csv),
            Self::Html => Some(PeopleFile::Html),
            Self::Json => Some(PeopleFile::Json),
            Self::Findings | Self::Changes | Self::Xlsx | Self::Oscal | Self::Ocsf | Self::Junit => None,
        }
    }

    pub(super) fn file(self) -> ReportFile {
        match self {
            Self::Matrix => ReportFile::AccessMatrixCsv,
            Self::Findings => ReportFile::FindingsCsv,
            Self::Changes => ReportFile::ChangesCsv,
            Self::Html => ReportFile::Html,
            Self::Json => ReportFile::Json,
            Self::Xlsx => ReportFile::Xlsx,
            Self::Oscal => ReportFile::Oscal,
            Self::Ocsf => ReportFile::Ocsf,
            Self::Junit => ReportFile::Junit,
        }
    }
}
