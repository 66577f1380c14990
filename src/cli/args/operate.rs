//! The arguments of `rolecall offboard`, `rolecall schedule` and `rolecall runs`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::LookupFormat;

#[derive(Debug, Args)]
pub(crate) struct OffboardArgs {
    /// The workspace; it must have `allow_offboarding = true`
    pub(crate) workspace: String,
    /// The user, by id or exact address
    #[arg(required_unless_present = "from", conflicts_with = "from")]
    pub(crate) user: Option<String>,
    /// Remove several users: a CSV file with a column `user_id` or `email`
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// Show the plan and stop
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Confirm without a terminal: the user's address, or the phrase that the plan for several users asks for
    #[arg(long, value_name = "EMAIL", conflicts_with = "dry_run")]
    pub(crate) confirm: Option<String>,
    /// Your address; needed for a removal that a review with `four_eyes = true` decided
    #[arg(long = "as", value_name = "ADDRESS")]
    pub(crate) by: Option<String>,
    /// Remove only whom this review decided to remove
    #[arg(long, value_name = "ID")]
    pub(crate) review: Option<uuid::Uuid>,
    /// Refuse any organization other than this one, by id or exact name
    #[arg(long, value_name = "ORG")]
    pub(crate) organization: Option<String>,
}

/// The most scheduled times of a workspace that are shown.
const MOST_TIMES: usize = 100;

#[derive(Debug, Args)]
pub(crate) struct ScheduleArgs {
    /// Only this job
    #[arg(long, value_name = "JOB")]
    pub(crate) job: Option<String>,
    /// Only this workspace
    #[arg(long, value_name = "WORKSPACE")]
    pub(crate) workspace: Option<String>,
    /// Scheduled times of each workspace
    #[arg(long, value_name = "N", default_value = "1", value_parser = times)]
    pub(crate) next: usize,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: LookupFormat,
}

fn times(text: &str) -> Result<usize, String> {
    let number = text.parse::<usize>().ok().filter(|number| (1..=MOST_TIMES).contains(number));
    number.ok_or_else(|| format!("expected a number from 1 to {MOST_TIMES}"))
}

/// Runs that are listed without `--limit`.
const LIMIT: u32 = 50;

#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    /// Output format
    #[arg(long, global = true, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: RunsFormat,
    /// Maximum number of runs, newest first
    #[arg(long, value_name = "N", default_value_t = LIMIT)]
    pub(crate) limit: u32,
    #[command(subcommand)]
    pub(crate) command: Option<RunsCommand>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RunsFormat {
    /// For people
    Table,
    /// For programs
    Json,
}

#[derive(Debug, Clone, Subcommand)]
pub(crate) enum RunsCommand {
    /// List the latest runs, as `rolecall runs` does
    List {
        /// Maximum number of runs, newest first
        #[arg(long, value_name = "N", default_value_t = LIMIT)]
        limit: u32,
    },
    /// Show one run in detail: attempts, messages, errors
    Show {
        /// The run's id
        #[arg(value_parser = run_id)]
        id: uuid::Uuid,
    },
    /// List the daemons on the store: version, since when, last seen, clock, and the runs that they work on
    Replicas,
    /// Take back a schedule that was decided into the future while the clock was ahead
    TakeBack {
        /// The job
        job: String,
    },
    /// Retry a failed run, or mail that was refused
    Retry {
        /// The run's id
        #[arg(value_parser = run_id)]
        id: uuid::Uuid,
    },
}

/// The id of a run as `rolecall runs` prints it.
fn run_id(text: &str) -> Result<uuid::Uuid, &'static str> {
    text.parse().map_err(|_| "expected the id of a run as `rolecall runs list` prints it")
}
