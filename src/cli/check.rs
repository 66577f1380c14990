//! `rolecall check`: what is wrong with the configuration, and when each job is due.

use std::path::Path;

use chrono::{DateTime, Utc};

use super::output::{self, Failure};
use crate::{
    audit::RuleSet,
    config::{self, ConfigError, Loaded, settings::Settings},
    words::count,
};

/// Fire times that are shown of each job.
const FIRE_TIMES: usize = 5;

/// Loads the configuration, or fails with everything that is wrong with it. Warnings go to stderr.
pub(super) fn load(named: Option<&Path>) -> Result<Settings, Failure> {
    let path = config::locate(named).map_err(|error| Failure::usage(error.to_string()))?;
    let rules = RuleSet::built_in();
    let rules: Vec<&str> = rules.list().names().collect();
    let Loaded { settings, warnings } = config::load(&path, &rules, Utc::now()).map_err(|error| explain(&error))?;
    if !warnings.problems.is_empty() {
        output::note(warnings.render(output::color()).trim_end());
    }
    Ok(settings)
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

/// The command.
pub(super) fn run(named: Option<&Path>) -> Result<(), Failure> {
    let settings = load(named)?;
    output::line("The configuration is valid.");
    let mut unreadable = 0;
    for (key, source) in settings.secrets() {
        if let Err(error) = source.read() {
            unreadable += 1;
            output::line(&format!("  missing   {key}: {error}"));
        } else if source.is_open_to_others() {
            output::line(&format!("  open      {key}: every account of this machine may read {source}; chmod 600"));
        }
    }
    for (name, job) in &settings.jobs {
        output::line(&format!(
            "\nJob {name}: “{}” in {}, {}",
            job.schedule.pattern(),
            job.schedule.zone(),
            job.workspaces.join(", ")
        ));
        for time in job.schedule.next(Utc::now(), FIRE_TIMES) {
            output::line(&format!(
                "  {}   {}",
                time.with_timezone(&job.schedule.zone()).format("%a %Y-%m-%d %H:%M:%S %Z"),
                utc(time)
            ));
        }
    }
    if unreadable > 0 {
        let secrets = count(unreadable, "secret");
        return Err(Failure::usage(format!("{secrets} cannot be read here; an audit needs them")));
    }
    Ok(())
}

fn utc(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
