//! `rolecall check`: validates the configuration and shows when each job is due. Loads it for the other commands.

use std::path::Path;

use chrono::{DateTime, Utc};

use super::output::{self, Failure};
use crate::{
    audit::RuleSet,
    clock::Clock,
    config::{self, ConfigError, Loaded, settings::Settings},
    words::count,
};

/// Scheduled times shown per job.
const FIRE_TIMES: usize = 5;

/// Loads the configuration, or fails with everything that is wrong with it. Warnings go to stderr.
pub(super) fn load(named: Option<&Path>) -> Result<Settings, Failure> {
    let Loaded { settings, warnings } = loaded(named)?;
    if !warnings.problems.is_empty() {
        output::note(warnings.render(output::color()).trim_end());
    }
    Ok(settings)
}

/// Like [`load`], without warnings: for commands that neither audit nor keep evidence.
pub(super) fn load_quietly(named: Option<&Path>) -> Result<Settings, Failure> {
    Ok(loaded(named)?.settings)
}

fn loaded(named: Option<&Path>) -> Result<Loaded, Failure> {
    let path = config::locate(named).map_err(|error| Failure::usage(error.to_string()))?;
    let rules = RuleSet::built_in();
    let rules: Vec<&str> = rules.list().names().collect();
    config::load(&path, &rules, Clock::system().now()).map_err(|error| explain(&error))
}

fn explain(error: &ConfigError) -> Failure {
    match error {
        ConfigError::Problems(problems) => {
            let errors = problems.problems.iter().filter(|problem| !problem.warning).count();
            output::note(problems.render(output::color()).trim_end());
            Failure::usage(format!("{}: {}", problems.file, count(errors, "error")))
        }
        other => Failure::usage(other.to_string()),
    }
}

pub(super) fn run(named: Option<&Path>) -> Result<(), Failure> {
    let settings = load(named)?;
    let unreadable = unreadable_secrets(&settings);
    if unreadable == 0 {
        output::line("The configuration is valid.");
    }
    for (name, job) in &settings.jobs {
        output::line(&format!(
            "\nJob {name}: “{}” in {}, {}",
            job.schedule.pattern(),
            job.schedule.zone(),
            job.workspaces.join(", ")
        ));
        for time in job.schedule.next(Clock::system().now(), FIRE_TIMES) {
            output::line(&format!(
                "  {}   {}",
                time.with_timezone(&job.schedule.zone()).format("%a %Y-%m-%d %H:%M:%S %Z"),
                utc(time)
            ));
        }
    }
    if unreadable > 0 {
        return Err(Failure::usage(format!(
            "{} cannot be read; an audit needs all of them",
            count(unreadable, "secret")
        )));
    }
    Ok(())
}

/// Reports secrets that cannot be read, or that others can read, and counts the former.
fn unreadable_secrets(settings: &Settings) -> usize {
    let mut unreadable = 0;
    for (key, source) in settings.secrets() {
        if let Err(error) = source.read() {
            unreadable += 1;
            output::note(&format!("error: {key}: {error}"));
        } else if source.is_open_to_others() {
            output::note(&format!("warning: {key}: other accounts on this machine can read {source}; chmod 600"));
        }
    }
    unreadable
}

fn utc(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
