//! The arguments of look-ups.

use clap::{Args, Subcommand, ValueEnum};

use crate::model::finding::Severity;

#[derive(Debug, Args)]
pub(crate) struct PreflightArgs {
    /// Workspaces to check [default: all]
    #[arg(value_name = "WORKSPACE")]
    pub(crate) workspaces: Vec<String>,
    /// Fail unless this holds, for example `org=Example` or `time_zone=Europe/Berlin, administrator=true`
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) expect: Vec<String>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: PreflightFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PreflightFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct LookupArgs {
    /// The workspace; optional if only one is configured
    pub(crate) workspace: Option<String>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: LookupFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LookupFormat {
    /// For people
    Table,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct UsersArgs {
    #[command(flatten)]
    pub(crate) of: LookupArgs,
    /// Only users with this status: active, disabled, inactive or deleted
    #[arg(long)]
    pub(crate) status: Option<String>,
    /// Only users with this profile, by id or name
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// Only users with this role, by id or name
    #[arg(long)]
    pub(crate) role: Option<String>,
    /// Only users whose profile grants this permission, by name or part of it; see also `rolecall who-can`
    #[arg(long, value_name = "TEXT")]
    pub(crate) permission: Option<String>,
    /// Only users with full power: an administrator profile, an equivalent profile, or an administrative role
    #[arg(long)]
    pub(crate) administrators: bool,
    /// Only users whose name or address contains this text
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Option<UsersCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UsersCommand {
    /// Show one user in detail
    Show {
        /// The user, by id or exact address; name the workspace first if several are configured
        #[arg(value_names = ["[WORKSPACE] USER"], num_args = 1..=2, required = true)]
        who: Vec<String>,
        /// Output format
        #[arg(long, value_name = "FORMAT", default_value = "table")]
        format: LookupFormat,
    },
}

#[derive(Debug, Args)]
pub(crate) struct WhoCanArgs {
    /// The permission, by name, or part of it: `Export Data`, `delete`
    pub(crate) permission: String,
    #[command(flatten)]
    pub(crate) of: LookupArgs,
}

#[derive(Debug, Args)]
pub(crate) struct FindingsArgs {
    #[command(flatten)]
    pub(crate) of: LookupArgs,
    /// Use this job's policy, and compare with its last audit [default: the only job of the workspace]
    #[arg(long, value_name = "JOB")]
    pub(crate) job: Option<String>,
    /// Only findings at or above this severity
    #[arg(long, value_name = "SEVERITY", value_parser = super::severity_parser())]
    pub(crate) severity: Option<Severity>,
    /// Only findings of this rule
    #[arg(long, value_name = "RULE")]
    pub(crate) rule: Option<String>,
    /// Only findings about this user, role or profile: its id, exact name or address
    #[arg(long, value_name = "SUBJECT")]
    pub(crate) subject: Option<String>,
    /// Show accepted findings too
    #[arg(long)]
    pub(crate) accepted: bool,
    /// Print the lines of the configuration that would accept the findings
    #[arg(long, conflicts_with = "format")]
    pub(crate) toml: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RolesArgs {
    #[command(flatten)]
    pub(crate) of: LookupArgs,
    /// Draw the role hierarchy with head counts
    #[arg(long)]
    pub(crate) tree: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ProfilesArgs {
    #[command(flatten)]
    pub(crate) of: LookupArgs,
    /// Show every permission in the table
    #[arg(long)]
    pub(crate) permissions: bool,
}
