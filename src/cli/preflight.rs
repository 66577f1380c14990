//! `rolecall preflight`: whether a workspace is ready; the exit code makes it a gate.

use std::path::Path;

use super::{
    args::{PreflightArgs, PreflightFormat},
    check,
    output::{self, Failure, plain},
    workspaces,
};
use crate::{
    app,
    clock::Clock,
    config::settings::{Settings, Workspace},
    preflight::{self, CheckResult, Expectation, Facts, Preflight, Question},
    words,
};

/// Maximum length of a sentence that may quote the API.
const SENTENCE: usize = 1_000;

pub(super) async fn run(named: Option<&Path>, args: PreflightArgs) -> Result<(), Failure> {
    let mut expectations = Vec::new();
    for text in &args.expect {
        expectations.extend(preflight::expectation::parse(text).map_err(|error| Failure::usage(error.to_string()))?);
    }
    let settings = check::load_quietly(named)?;
    let mut wanted = Vec::new();
    for name in &args.workspaces {
        wanted.push(workspaces::named(&settings, Some(name))?);
    }
    if wanted.is_empty() {
        wanted = settings.workspaces.iter().map(|(name, workspace)| (name.as_str(), workspace)).collect();
    }
    if wanted.is_empty() {
        return Err(Failure::usage("no workspace configured"));
    }
    let mut all = Vec::with_capacity(wanted.len());
    for (name, workspace) in wanted {
        all.push(one(&settings, name, workspace, &expectations).await?);
    }
    match args.format {
        PreflightFormat::Json => output::json(&all)?,
        PreflightFormat::Text => all.iter().for_each(print),
    }
    let red: Vec<&str> = all.iter().filter(|one| !one.ready).map(|one| one.workspace.as_str()).collect();
    if red.is_empty() { Ok(()) } else { Err(Failure::failed(format!("not ready: {}", red.join(", ")))) }
}

async fn one(
    settings: &Settings,
    name: &str,
    workspace: &Workspace,
    expectations: &[Expectation],
) -> Result<Preflight, Failure> {
    let connector =
        app::fresh_connector(settings, name, &Clock::system()).map_err(|error| Failure::usage(error.to_string()))?;
    Ok(match connector.survey().await {
        Err(error) => preflight::refused(name, error.to_string()),
        Ok(survey) => preflight::judge(&Question {
            workspace: name,
            survey: &survey,
            policy: settings.policy_for(None, name),
            allow_offboarding: workspace.allow_offboarding,
            organization: workspace.organization.as_deref(),
            expectations,
        }),
    })
}

/// Prints a workspace and how it was judged.
pub(super) fn print(found: &Preflight) {
    let failed = found.checks.iter().filter(|check| check.outcome == CheckResult::Failed).count();
    let warned = found.checks.iter().filter(|check| check.outcome == CheckResult::Warning).count();
    let verdict = match (failed, warned) {
        (0, 0) => "ready".to_owned(),
        (0, warned) => format!("ready, {}", words::count(warned, "warning")),
        (failed, _) => format!("NOT READY, {} failed", words::count(failed, "check")),
    };
    output::line(&format!("{}: {verdict}", found.workspace));
    facts(&found.facts);
    let width = found.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
    for check in &found.checks {
        let word = match check.outcome {
            CheckResult::Passed => "ok",
            CheckResult::Warning => "warning",
            CheckResult::Failed => "FAILED",
        };
        output::line(&format!("  {word:<8}  {:<width$}  {}", check.name, plain(&check.detail, SENTENCE)));
    }
}

/// Prints what the workspace is.
fn facts(facts: &Facts) {
    let line = |label: &str, parts: Vec<Option<String>>| {
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if !parts.is_empty() {
            output::line(&format!("  {label:<13} {}", plain(&parts.join(" · "), SENTENCE)));
        }
    };
    if let Some(organization) = &facts.organization {
        let licence = match (&organization.licence, organization.licensed_users) {
            (Some(licence), Some(seats)) => Some(format!("{licence}, {seats} licensed seats")),
            (None, Some(seats)) => Some(format!("{seats} licensed seats")),
            (licence, None) => licence.clone(),
        };
        let id = organization.id.as_ref().map(|id| format!("id {id}"));
        line("organization", vec![organization.name.clone(), id, licence]);
        // Zoho gives the currency as the locale, too.
        let locale = organization.locale.clone().filter(|locale| Some(locale) != organization.currency.as_ref());
        let (country, currency) = (organization.country.clone(), organization.currency.clone());
        line("", vec![country, currency, locale, organization.time_zone.clone()]);
    }
    if let Some(user) = &facts.user {
        let named = |word: &str, name: &Option<String>, id: &Option<String>| {
            name.as_ref().or(id.as_ref()).map(|name| format!("{word} {name}"))
        };
        let administrator = match facts.administrator {
            Some(true) => Some("administrator".to_owned()),
            Some(false) => Some("not an administrator".to_owned()),
            None => None,
        };
        line("account", vec![user.full_name.clone(), user.email.clone()]);
        let role = named("role", &user.role_name, &user.role_id);
        line("", vec![role, named("profile", &user.profile_name, &user.profile_id), administrator]);
    }
    output::line("");
}
