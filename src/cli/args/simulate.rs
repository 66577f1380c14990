//! The arguments of `rolecall simulate`.

use clap::Args;
use rolecall_simulator::{Fault, InboxFault};

#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// API port on 127.0.0.1; 0 picks a free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) port: u16,
    /// Port of the SMTP inbox; 0 picks a free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) smtp_port: u16,
    /// Number of users in the workspace
    #[arg(long, value_name = "N", default_value_t = 48)]
    pub(crate) users: u32,
    /// Seed of the workspace; the same seed gives the same workspace
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Switch on a fault; may be repeated, `list` shows all
    #[arg(long = "fault", value_name = "NAME")]
    pub(crate) faults: Vec<FaultName>,
    /// Let intermittent faults strike on every Nth call
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) every: u64,
    /// Delay before each answer, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub(crate) latency: u64,
    /// Access tokens issued per ten minutes before the server refuses more; Zoho issues 10
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) tokens: usize,
}

/// The name of a fault of the API or of the inbox, or `list`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FaultName {
    List,
    Api(Fault),
    Inbox(InboxFault),
}

impl std::str::FromStr for FaultName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "list" {
            return Ok(Self::List);
        }
        let api = text.parse().map(Self::Api).ok();
        api.or_else(|| text.parse().map(Self::Inbox).ok())
            .ok_or_else(|| "unknown fault; `rolecall simulate --fault list` shows all".to_owned())
    }
}
