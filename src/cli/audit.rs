//! `rolecall audit`: one run now.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};

use super::{
    args::{AuditArgs, ReportKind},
    check,
    output::{self, Failure},
    progress::Line,
    summary,
};
use crate::{
    access::matrix::AccessMatrix,
    app,
    clock::Clock,
    config::settings::{Email, Job, Settings, Smtp},
    connector::{Connector, Recorder},
    ledger::fact::{BagName, NoMailReason},
    mail::report_mail::{Proof, ReportMail},
    model::{audit::Audit, finding::Severity, notification::Notification, run::Run, trigger::Trigger},
    notify::{self, channel::Channels, closing, dispatch},
    report::{ReportFile, ReportInput},
    run::{
        self, Env, RunError, RunRequest,
        bag::{
            Beginning, Recording, Vault,
            failure::{self, Failure as FailedRun},
        },
        clock,
        deliver::{self, Letter, When},
        files::{self, FileError},
        lease,
    },
    store::{Database, Kept, StoreError, queue::Sent},
};

/// How long a run belongs to a process of which nothing is heard.
const LEASE: Duration = Duration::from_mins(1);
/// Characters of an error, which may quote what the workspace holds.
const ERROR: usize = 4_000;

/// What is to be done, all of it checked before the first call.
struct Plan<'a> {
    job: Option<(&'a str, &'a Job)>,
    workspaces: Vec<&'a str>,
    mail: Option<(&'a Email, &'a Smtp)>,
    fail_on: Option<Severity>,
}

pub(super) async fn run(named: Option<&Path>, args: AuditArgs) -> Result<(), Failure> {
    let settings = check::load(named)?;
    let plan = plan(&settings, &args)?;
    let usage = |error: app::AppError| Failure::usage(error.to_string());
    let channel = plan.mail.map(|(_, smtp)| app::email_channel(smtp)).transpose().map_err(usage)?;
    let channels = channel.map(|email| Channels::default().with(email));
    let mut connectors = Vec::with_capacity(plan.workspaces.len());
    for name in &plan.workspaces {
        let connector = app::connector(name, &settings.workspaces[*name]).map_err(usage)?;
        connectors.push((*name, connector));
    }
    let folder_of =
        |name: &str| args.out.as_ref().map(|out| if connectors.len() > 1 { out.join(name) } else { out.clone() });
    for folder in connectors.iter().filter_map(|(name, _)| folder_of(name)) {
        files::probe(&folder).map_err(|error| Failure::failed(error.to_string()))?;
    }
    let store = app::store(&settings).await.map_err(|error| Failure::failed(error.to_string()))?;
    let vault = app::vault(&settings).map_err(usage)?;
    let now = Utc::now();
    let failed = |error: StoreError| Failure::failed(error.to_string());
    let ahead = clock::ahead(&*store, now).await.map_err(failed)?;
    if let Some(ahead) = &ahead {
        output::note(&format!("rolecall: {}", clock::warning(*ahead, now)));
    }
    // Whoever starts reviews by another scheduler than the daemon is held to the schedules of the configuration too.
    let promised: Vec<_> = settings.jobs.iter().map(|(name, job)| (name.clone(), app::terms(job))).collect();
    store.publish_schedules(&promised, now).await.map_err(failed)?;
    let mut failures = Vec::new();
    let mut worst = None;
    for (name, connector) in &connectors {
        let job = plan.job.map(|(name, _)| name);
        let request = RunRequest {
            id: uuid::Uuid::now_v7(),
            trigger: None,
            job,
            workspace: name,
            policy: settings.policy_for(job, name),
            deadline: settings.workspaces[*name].deadline,
        };
        let folder = folder_of(name);
        let mail = plan.mail.zip(channels.as_ref());
        let step = Step {
            store: &*store,
            vault: vault.as_ref(),
            folder,
            reports: &args.reports,
            jobs: &settings.jobs,
            when: plan.job.and_then(|(_, job)| job.email.as_ref()).map(|email| app::when(email.when)),
            ahead,
        };
        // A workspace that fails does not hold back the others.
        match step.run(connector.as_ref(), &request, mail).await {
            Ok(severity) => worst = worst.max(severity),
            Err(error) => failures.push(error),
        }
    }
    if !failures.is_empty() {
        return Err(Failure::failed(failures.join("\nrolecall: ")));
    }
    match plan.fail_on.zip(worst) {
        Some((limit, worst)) if worst >= limit => {
            Err(Failure::Findings(format!("there are findings of severity {worst}, and --fail-on is {limit}")))
        }
        _ => Ok(()),
    }
}

fn plan<'a>(settings: &'a Settings, args: &AuditArgs) -> Result<Plan<'a>, Failure> {
    let job = match &args.job {
        Some(name) => Some(settings.jobs.get_key_value(name).ok_or_else(|| {
            let known: Vec<&str> = settings.jobs.keys().map(String::as_str).collect();
            Failure::usage(format!("there is no job `{name}`; the configuration has: {}", known.join(", ")))
        })?),
        // The only job is meant where nothing else is said.
        None if args.workspaces.is_empty() && settings.jobs.len() == 1 => settings.jobs.iter().next(),
        None if args.workspaces.is_empty() && !settings.jobs.is_empty() => {
            let known: Vec<&str> = settings.jobs.keys().map(String::as_str).collect();
            return Err(Failure::usage(format!("there are several jobs; name one with --job: {}", known.join(", "))));
        }
        None => None,
    };
    let of_job = job.map(|(_, job)| &job.workspaces);
    let mut workspaces: Vec<&str> = Vec::new();
    for name in &args.workspaces {
        let (name, _) = settings.workspaces.get_key_value(name).ok_or_else(|| {
            let known: Vec<&str> = settings.workspaces.keys().map(String::as_str).collect();
            Failure::usage(format!("there is no workspace `{name}`; the configuration has: {}", known.join(", ")))
        })?;
        if of_job.is_some_and(|workspaces| !workspaces.contains(name)) {
            return Err(Failure::usage(format!("workspace `{name}` is not part of that job")));
        }
        if !workspaces.contains(&name.as_str()) {
            workspaces.push(name);
        }
    }
    if workspaces.is_empty() {
        workspaces = match of_job {
            Some(names) => names.iter().map(String::as_str).collect(),
            None => settings.workspaces.keys().map(String::as_str).collect(),
        };
    }
    if workspaces.is_empty() {
        return Err(Failure::usage("the configuration has no workspace to audit"));
    }
    let email = job.and_then(|(_, job)| job.email.as_ref());
    let mail = email.zip(settings.smtp.as_ref()).filter(|_| args.send);
    if args.send && mail.is_none() {
        return Err(Failure::usage(
            "--send needs a job with an [email] table and an [smtp] table: there is nobody to mail",
        ));
    }
    Ok(Plan {
        job: job.map(|(name, job)| (name.as_str(), job)),
        workspaces,
        mail,
        fail_on: args.fail_on.or_else(|| job.and_then(|(_, job)| job.fail_on)),
    })
}

/// What one workspace's run needs beside its connector.
struct Step<'a> {
    store: &'a dyn Database,
    vault: Option<&'a Vault>,
    folder: Option<PathBuf>,
    reports: &'a [ReportKind],
    jobs: &'a BTreeMap<String, Job>,
    /// When the job's recipients are mailed; none where it has none.
    when: Option<When>,
    /// The moment to which the ledger had come, where the clock stands before it.
    ahead: Option<DateTime<Utc>>,
}

type Mail<'a> = ((&'a Email, &'a Smtp), &'a Channels);

impl Step<'_> {
    /// Audits, prints, writes, keeps and mails; returns the gravest open finding.
    async fn run(
        &self,
        connector: &dyn Connector,
        request: &RunRequest<'_>,
        mail: Option<Mail<'_>>,
    ) -> Result<Option<Severity>, String> {
        let Some((mail, job)) = mail.zip(request.job) else {
            let (audit, mut kept, ()) = match self.review(connector, request, |_, _, _| Ok(())).await {
                Ok(reviewed) => reviewed,
                Err(error) => {
                    self.write_out().await?;
                    return Err(error);
                }
            };
            kept.record.no_mail_reason = deliver::no_mail_reason(self.when, &audit).or(Some(NoMailReason::NotAsked));
            run::keep(self.store, &kept, Utc::now()).await.map_err(|error| error.to_string())?;
            self.write_out().await?;
            return Ok(worst(&audit));
        };
        // A review that is mailed is a run like the daemon's: on record, with its messages in the outbox.
        let claim = self.store.begin(job, request.workspace, Utc::now(), lease::length(LEASE)).await;
        let claim = claim.map_err(|error| error.to_string())?;
        let Run { fire_at, attempt, .. } = claim.run;
        let mut incidents =
            self.store.incidents_before(job, request.workspace, fire_at).await.map_err(|error| error.to_string())?;
        incidents.extend(self.ahead.map(|ahead| clock::incident(job, ahead, fire_at)));
        let trigger = Trigger { fire_at, began_at: fire_at, attempt, by_hand: true, incidents };
        let request = RunRequest { id: claim.run.id, trigger: Some(&trigger), ..*request };
        let ledger = Some(self.store.head().await.map_err(|error| error.to_string())?);
        let also = |input: &ReportInput<'_>, written: &[PathBuf], bag: Option<BagName>| {
            messages(mail, input, written, Proof { bag, ledger })
        };
        let clock = Clock::system();
        let reviewed = tokio::select! {
            reviewed = self.review(connector, &request, also) => reviewed,
            lost = lease::keep(self.store, &claim, LEASE, &clock) => return Err(lost.to_string()),
        };
        let (audit, mut kept, messages) = match reviewed {
            Ok(reviewed) => reviewed,
            Err(error) => {
                // Whoever started this is told by the exit code; the next report names it.
                self.store.give_up(&claim, &error, &[], Utc::now()).await.map_err(|error| error.to_string())?;
                self.write_out().await?;
                return Err(error);
            }
        };
        kept.record.no_mail_reason = deliver::no_mail_reason(self.when, &audit);
        self.store.record(&claim, &kept, &messages, Utc::now()).await.map_err(|error| error.to_string())?;
        if messages.is_empty() {
            output::line("  mail      not sent: there is nothing that this job's `when` asks for");
        }
        let sent = self.send(job, mail).await;
        self.write_out().await?;
        sent.map(|()| worst(&audit))
    }

    /// Brings the ledger's file up to date.
    async fn write_out(&self) -> Result<(), String> {
        let Some(vault) = self.vault else { return Ok(()) };
        run::ledger::write_out(self.store, vault).await.map(|_| ()).map_err(|error| error.to_string())
    }

    /// Reads, judges, prints and writes; makes what is kept, and whatever else is made of the report.
    async fn review<T>(
        &self,
        connector: &dyn Connector,
        request: &RunRequest<'_>,
        also: impl FnOnce(&ReportInput<'_>, &[PathBuf], Option<BagName>) -> Result<T, String>,
    ) -> Result<(Audit, Kept, T), String> {
        let recording = match self.vault {
            Some(vault) => {
                let now = Utc::now();
                let beginning = Beginning { workspace: request.workspace, run: request.id, at: now };
                Some(Recording::begin(self.store, vault, beginning, now).await.map_err(|error| error.to_string())?)
            }
            None => None,
        };
        let audit = match self.read(connector, request, recording.as_ref()).await {
            Ok(audit) => audit,
            Err(error) => {
                if let (Some(recording), Some(vault)) = (&recording, self.vault) {
                    let RunRequest { id: run, job, workspace, trigger, .. } = *request;
                    let due_at = trigger.map(|trigger| trigger.fire_at);
                    let failure = FailedRun { run, job, workspace, due_at, at: Utc::now(), error: &error };
                    failure::keep(self.store, vault, recording, &failure).await;
                }
                return Err(error);
            }
        };
        let matrix = AccessMatrix::new(&audit.directory, &audit.administrator_profiles);
        let input = ReportInput::new(&audit, &matrix);
        summary::print(input.brief());
        let (written, kept) = rayon::join(|| self.write(&input), || run::pack(&audit, &matrix));
        let written = written.map_err(|error| error.to_string())?;
        for path in &written {
            output::line(&format!("  wrote     {}", path.display()));
        }
        // Only now, so that an audit whose reports nobody could read is not what the next one is compared with.
        let mut kept = kept.map_err(|error| error.to_string())?;
        if let (Some(recording), Some(vault)) = (&recording, self.vault) {
            let sealed = recording.seal(vault, &input).map_err(|error| error.to_string())?;
            output::line(&format!("  evidence  {}\n            sha256 {}", sealed.path.display(), sealed.digest));
            kept.record.bag = Some(sealed.name());
        }
        let more = also(&input, &written, kept.record.bag.clone())?;
        Ok((audit, kept, more))
    }

    /// Reads and judges.
    async fn read(
        &self,
        connector: &dyn Connector,
        request: &RunRequest<'_>,
        recording: Option<&Arc<Recording>>,
    ) -> Result<Audit, String> {
        let progress = Line::new(request.workspace);
        let recorder = recording.map(|recording| Arc::clone(recording) as Arc<dyn Recorder>);
        let env = Env { connector, store: self.store, progress: &progress, recorder };
        let failed = |error: RunError| output::plain(&error.to_string(), ERROR);
        let read = run::read(&env, request).await.map_err(failed)?;
        if let Some(recording) = recording {
            recording.compared_with(read.previous());
        }
        run::judge(request, read, Utc::now()).map_err(failed)
    }

    fn write(&self, input: &ReportInput<'_>) -> Result<Vec<PathBuf>, FileError> {
        let Some(folder) = &self.folder else { return Ok(Vec::new()) };
        let wanted: Vec<ReportFile> = self.reports.iter().map(|kind| kind.file()).collect();
        files::write(input, folder, &wanted)
    }

    /// Sends what waits in the outbox of a job: this report, and what earlier ones left.
    async fn send(&self, job: &str, ((_, smtp), channels): Mail<'_>) -> Result<(), String> {
        let failed = |error: StoreError| error.to_string();
        let mut problems = Vec::new();
        let lease = lease::length(smtp.timeout + LEASE);
        let evidence = self.vault.map(|vault| vault.bags.as_path());
        while let Some(mut message) = self.store.take_message(Some(job), Utc::now(), lease).await.map_err(failed)? {
            let done = dispatch::dispatch(self.store, evidence, channels, &Clock::system(), &mut message).await;
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
        let is_watched = |job: &str| self.jobs.get(job).is_some_and(|job| job.heartbeat.is_some());
        closing::close_delivered(self.store, &is_watched, Utc::now()).await.map_err(failed)?;
        if problems.is_empty() { Ok(()) } else { Err(problems.join("\nrolecall: ")) }
    }
}

fn worst(audit: &Audit) -> Option<Severity> {
    audit.open_findings().map(|finding| finding.severity).max()
}

/// The messages of an audit, where it is to be mailed.
fn messages(
    ((email, smtp), _): Mail<'_>,
    input: &ReportInput<'_>,
    written: &[PathBuf],
    proof: Proof,
) -> Result<Vec<Notification>, String> {
    if deliver::no_mail_reason(Some(app::when(email.when)), input.audit()).is_some() {
        return Ok(Vec::new());
    }
    // A reader of the mail does not know where it was started.
    let written: Vec<PathBuf> =
        written.iter().map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone())).collect();
    let attach = app::attachments(&email.attach);
    let letter =
        Letter { from: &smtp.from, recipients: &email.to, attach: &attach, written: &written, date: Utc::now(), proof };
    let messages = deliver::messages(input, &letter);
    let run = input.audit().id;
    let outgoing = |mail| notify::email::notification(run, ReportMail::KIND, "", mail);
    Ok(messages.map_err(|error| error.to_string())?.into_iter().map(outgoing).collect())
}

impl ReportKind {
    fn file(self) -> ReportFile {
        match self {
            Self::Matrix => ReportFile::AccessMatrixCsv,
            Self::Findings => ReportFile::FindingsCsv,
            Self::Changes => ReportFile::ChangesCsv,
            Self::Html => ReportFile::Html,
            Self::Json => ReportFile::Json,
            Self::Xlsx => ReportFile::Xlsx,
        }
    }
}
