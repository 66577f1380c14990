//! The arguments of questions about the past.

use clap::Args;

use super::LookupFormat;
use crate::past::{Moment, Side};

#[derive(Debug, Args)]
pub(crate) struct AccessArgs {
    /// The workspace [default: all]
    pub(crate) workspace: Option<String>,
    /// The day, at its end in UTC, or a time such as 2026-03-14T09:30:00Z
    #[arg(long, value_name = "DAY")]
    pub(crate) as_of: Moment,
    /// Only this user, by id or address
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// Only users with this profile, by id or name
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// Only users with this role, by id or name
    #[arg(long)]
    pub(crate) role: Option<String>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: LookupFormat,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// The user, by id or by an address that the account has or had; name the workspace first to look in only one
    #[arg(value_names = ["[WORKSPACE] USER"], num_args = 1..=2, required = true)]
    pub(crate) who: Vec<String>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: LookupFormat,
}

#[derive(Debug, Args)]
pub(crate) struct DiffArgs {
    /// The earlier audit: its id, or a day: then the last audit up to its end in UTC
    #[arg(value_name = "BEFORE")]
    pub(crate) before: Side,
    /// The later audit
    #[arg(value_name = "AFTER")]
    pub(crate) after: Side,
    /// The workspace; optional if only one is configured
    #[arg(long)]
    pub(crate) workspace: Option<String>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: LookupFormat,
}
