//! The arguments of `rolecall policy`.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Show what a policy, or one rule of it, would have found in the audits that are kept
    Backtest(BacktestArgs),
    /// Print the exceptions that accept every finding that is open today
    Baseline(BaselineArgs),
    /// Show a policy as it is applied: complete, with its digest
    Show(ShowPolicyArgs),
    /// Run the test cases of the rules of your own
    Test(TestArgs),
    /// Show whom a rule finds in a workspace as it is now, and why
    Try(TryArgs),
}

/// How `policy test`, `policy try` and `policy backtest` print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum RuleFormat {
    /// For people
    Table,
    /// For programs
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct TestArgs {
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: RuleFormat,
}

#[derive(Debug, Args)]
pub(crate) struct TryArgs {
    /// The rule: one of your own, or a built-in one
    pub(crate) rule: String,
    /// The workspace; optional if only one is configured
    #[arg(long, value_name = "WORKSPACE")]
    pub(crate) workspace: Option<String>,
    /// Use this job's policy
    #[arg(long, value_name = "JOB")]
    pub(crate) job: Option<String>,
    /// Try it on this report.json, instead of reading the workspace
    #[arg(long, value_name = "FILE", conflicts_with_all = ["workspace", "job"])]
    pub(crate) report: Option<PathBuf>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: RuleFormat,
}

#[derive(Debug, Args)]
pub(crate) struct BacktestArgs {
    /// The rule: one of your own, or a built-in one [default: all rules of the policy]
    pub(crate) rule: Option<String>,
    /// The first day, in UTC
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) since: NaiveDate,
    /// The last day, in UTC [default: today]
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) until: Option<NaiveDate>,
    /// The policy to judge by [default: the one of each job and workspace]
    #[arg(long, value_name = "NAME")]
    pub(crate) policy: Option<String>,
    /// Only the audits of this job
    #[arg(long, value_name = "JOB")]
    pub(crate) job: Option<String>,
    /// Only the audits of this workspace
    #[arg(long, value_name = "WORKSPACE")]
    pub(crate) workspace: Option<String>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: RuleFormat,
}

#[derive(Debug, Args)]
pub(crate) struct BaselineArgs {
    /// The workspace; optional if only one is configured
    #[arg(long, value_name = "WORKSPACE")]
    pub(crate) workspace: Option<String>,
    /// Use this job's policy; without --workspace, all of its workspaces
    #[arg(long, value_name = "JOB")]
    pub(crate) job: Option<String>,
    /// The address of the person who accepts the findings
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) approved_by: String,
    /// How many days the exceptions last; at most `max_exception_days` of the policy
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(i64).range(1..=3650))]
    pub(crate) days: i64,
    /// Accept what is open in this report.json, instead of reading the workspace
    #[arg(long, value_name = "FILE", conflicts_with_all = ["workspace", "job"])]
    pub(crate) from: Option<PathBuf>,
    /// Write a new file instead of stdout
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ShowPolicyArgs {
    /// The policy; without it, the base
    #[arg(conflicts_with_all = ["job", "workspace"])]
    pub(crate) name: Option<String>,
    /// Show the policy that this job is judged by
    #[arg(long, value_name = "JOB")]
    pub(crate) job: Option<String>,
    /// Show the policy that this workspace is judged by
    #[arg(long, value_name = "WORKSPACE")]
    pub(crate) workspace: Option<String>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "toml")]
    pub(crate) format: PolicyFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PolicyFormat {
    /// A table that a configuration may contain
    Toml,
    /// With name and digest, as evidence has it
    Json,
}
