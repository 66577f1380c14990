//! The arguments of `rolecall roster`.

use clap::{Args, Subcommand};

use super::RuleFormat;

#[derive(Debug, Subcommand)]
pub(crate) enum RosterCommand {
    /// Read rosters as they are configured, and show what an audit would make of them; exit with 1 if it would not rely on
    /// them
    Check(RosterCheckArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RosterCheckArgs {
    /// The roster [default: those of the workspace's policy; without --workspace, all]
    pub(crate) name: Option<String>,
    /// Also show which users of this workspace are not in it
    #[arg(long, value_name = "WORKSPACE")]
    pub(crate) workspace: Option<String>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: RuleFormat,
}
