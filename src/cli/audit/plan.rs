//! What an audit is asked to do, from its arguments and the configuration.

use std::path::{Path, PathBuf};

use crate::{
    app,
    cli::{args::AuditArgs, output::Failure, workspaces},
    clock::Clock,
    config::settings::{Email, Job, Settings, Smtp},
    connector::Connector,
    model::finding::Severity,
    run::files,
};

/// The work to do, checked in full before the first call.
pub(super) struct Plan<'a> {
    pub(super) job: Option<(&'a str, &'a Job)>,
    pub(super) workspaces: Vec<&'a str>,
    pub(super) mail: Option<(&'a Email, &'a Smtp)>,
    pub(super) fail_on: Option<Severity>,
}

/// A workspace to audit.
pub(super) struct Target<'a> {
    pub(super) workspace: &'a str,
    pub(super) connector: Box<dyn Connector>,
    /// Where its reports are written; `None` if nowhere.
    pub(super) folder: Option<PathBuf>,
}

/// The workspaces with their connectors and folders, all of which can be written to.
pub(super) fn targets<'a>(
    settings: &Settings,
    workspaces: &[&'a str],
    out: Option<&Path>,
    clock: &Clock,
) -> Result<Vec<Target<'a>>, Failure> {
    let mut targets = Vec::with_capacity(workspaces.len());
    for workspace in workspaces.iter().copied() {
        let connector = app::connector(settings, workspace, clock);
        let connector = connector.map_err(|error| Failure::usage(error.to_string()))?;
        let folder = out.map(|out| if workspaces.len() > 1 { out.join(workspace) } else { out.to_owned() });
        targets.push(Target { workspace, connector, folder });
    }
    for folder in targets.iter().filter_map(|target| target.folder.as_deref()) {
        files::probe(folder).map_err(|error| Failure::failed(error.to_string()))?;
    }
    Ok(targets)
}

/// Checks the arguments against the configuration.
pub(super) fn plan<'a>(settings: &'a Settings, args: &AuditArgs) -> Result<Plan<'a>, Failure> {
    let job = match &args.job {
        Some(name) => Some(settings.jobs.get_key_value(name).ok_or_else(|| {
            let known: Vec<&str> = settings.jobs.keys().map(String::as_str).collect();
            Failure::usage(format!("unknown job `{name}`; the configured jobs are: {}", known.join(", ")))
        })?),
        // Without arguments, the only job is meant.
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
            let known = workspaces::known(settings);
            Failure::usage(format!("unknown workspace `{name}`; the configured workspaces are: {known}"))
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
            "--send needs a job with recipients: an [email] table in the job, and an [smtp] table",
        ));
    }
    Ok(Plan {
        job: job.map(|(name, job)| (name.as_str(), job)),
        workspaces,
        mail,
        fail_on: args.fail_on.or_else(|| job.and_then(|(_, job)| job.fail_on)),
    })
}
