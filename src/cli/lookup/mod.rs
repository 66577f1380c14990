//! `rolecall who-can`, `findings`, `users`, `roles`, `profiles`, `org`, `me`: look-ups in the live workspace.

mod account;
mod findings;
mod people;
mod profiles;
mod roles;
pub(super) mod table;
mod who_can;

use std::{path::Path, sync::Arc};

use super::{
    args::{FindingsArgs, LookupArgs, ProfilesArgs, RolesArgs, UsersArgs, WhoCanArgs},
    check,
    output::{self, Failure, plain},
    progress::Line,
    workspaces,
};
use crate::{
    access::{administrators::resolve_administrator_profiles, matrix::AccessMatrix},
    app,
    clock::Clock,
    config::settings::Settings,
    connector::ReadRequest,
    lookup::LookupError,
    model::{audit::Audit, directory::Directory, id::ProfileId, policy::Policy},
    store::Kept,
};

/// A workspace as it is now, judged by the policy of a job and compared with its last audit; nothing is recorded.
pub(super) async fn judged(settings: &Settings, workspace: &str, job: Option<&str>) -> Result<Audit, Failure> {
    findings::audit(settings, workspace, findings::job(settings, workspace, job)?).await
}

/// The same, and the kept audit that it is compared with.
pub(super) async fn judged_with_previous(
    settings: &Settings,
    workspace: &str,
    job: Option<&str>,
) -> Result<(Audit, Option<Kept>), Failure> {
    findings::audit_with_previous(settings, workspace, findings::job(settings, workspace, job)?).await
}

/// Maximum length of a sentence that may quote the API.
const SENTENCE: usize = 2_000;

pub(super) async fn who_can(named: Option<&Path>, args: WhoCanArgs) -> Result<(), Failure> {
    let read = read(&check::load_quietly(named)?, args.of.workspace.as_deref()).await?;
    who_can::print(&read, &args)?;
    read.end()
}

pub(super) async fn findings(named: Option<&Path>, args: FindingsArgs) -> Result<(), Failure> {
    findings::run(&check::load_quietly(named)?, &args).await
}

pub(super) async fn users(named: Option<&Path>, args: UsersArgs) -> Result<(), Failure> {
    let settings = check::load_quietly(named)?;
    let workspace = people::workspace(&args);
    let read = read(&settings, workspace).await?;
    people::print(&read, &args)?;
    read.end()
}

pub(super) async fn roles(named: Option<&Path>, args: RolesArgs) -> Result<(), Failure> {
    let read = read(&check::load_quietly(named)?, args.of.workspace.as_deref()).await?;
    roles::print(&read, &args)?;
    read.end()
}

pub(super) async fn profiles(named: Option<&Path>, args: ProfilesArgs) -> Result<(), Failure> {
    let read = read(&check::load_quietly(named)?, args.of.workspace.as_deref()).await?;
    profiles::print(&read, &args)?;
    read.end()
}

pub(super) async fn organization(named: Option<&Path>, args: LookupArgs) -> Result<(), Failure> {
    let settings = check::load_quietly(named)?;
    let (name, _) = workspaces::named(&settings, args.workspace.as_deref())?;
    let connector =
        app::connector(&settings, name, &Clock::system()).map_err(|error| Failure::usage(error.to_string()))?;
    let organization = connector.organization().await.map_err(|error| failed(&error))?;
    account::organization(&organization, args.format)
}

pub(super) async fn me(named: Option<&Path>, args: LookupArgs) -> Result<(), Failure> {
    let settings = check::load_quietly(named)?;
    let (name, _) = workspaces::named(&settings, args.workspace.as_deref())?;
    let connector =
        app::connector(&settings, name, &Clock::system()).map_err(|error| Failure::usage(error.to_string()))?;
    let survey = connector.survey().await.map_err(|error| failed(&error))?;
    account::me(&survey, settings.policy_for(None, name), args.format)
}

/// A failure that may quote the API.
fn failed(error: &impl std::fmt::Display) -> Failure {
    Failure::failed(plain(&error.to_string(), SENTENCE))
}

fn not_found(error: &LookupError) -> Failure {
    let hint = if matches!(error, LookupError::NoUser(_)) {
        "; to search by name, use `rolecall users --search TEXT`"
    } else {
        ""
    };
    failed(&format!("{error}{hint}"))
}

/// A workspace read for a look-up.
struct Read {
    workspace: String,
    directory: Directory,
    administrators: Vec<ProfileId>,
    policy: Arc<Policy>,
}

async fn read(settings: &Settings, name: Option<&str>) -> Result<Read, Failure> {
    let (name, workspace) = workspaces::named(settings, name)?;
    let connector =
        app::connector(settings, name, &Clock::system()).map_err(|error| Failure::usage(error.to_string()))?;
    let policy = settings.policy_for(None, name);
    let request = ReadRequest {
        administrator_profiles: policy.administrator_profiles.clone(),
        deadline: workspace.deadline,
        recorder: None,
    };
    let progress = Line::new(name);
    let directory = connector.read(&request, &progress).await.map_err(|error| failed(&error))?;
    drop(progress);
    let (administrators, unmatched) =
        resolve_administrator_profiles(&policy.administrator_profiles, &directory.profiles);
    if administrators.is_empty() {
        output::note(&format!(
            "warning: {name} has no profile {}, so nobody is shown as an administrator",
            plain(&unmatched.join(", "), SENTENCE)
        ));
    }
    Ok(Read { workspace: name.to_owned(), directory, administrators, policy: Arc::clone(policy) })
}

impl Read {
    fn matrix(&self) -> AccessMatrix<'_> {
        AccessMatrix::new(&self.directory, &self.administrators, &self.policy.dangerous_permissions)
    }

    /// Fails if the read was incomplete, because the list may be too.
    fn end(&self) -> Result<(), Failure> {
        completely(&self.workspace, &self.directory)
    }
}

/// Fails if the read was incomplete, because the list may be too.
fn completely(workspace: &str, directory: &Directory) -> Result<(), Failure> {
    let problems: Vec<&str> = directory.reading.problems().map(|(_, detail)| detail).collect();
    if problems.is_empty() {
        return Ok(());
    }
    let why = plain(&problems.join("; "), SENTENCE);
    Err(Failure::failed(format!("{workspace} was not read completely, so the list may be incomplete: {why}")))
}
