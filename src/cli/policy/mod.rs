//! `rolecall policy`: what belongs to the policy as a whole.

mod baseline;
mod show;

use std::path::Path;

use super::{args::PolicyCommand, output::Failure};

pub(super) async fn run(named: Option<&Path>, command: PolicyCommand) -> Result<(), Failure> {
    match command {
        PolicyCommand::Baseline(args) => baseline::run(named, args).await,
        PolicyCommand::Show(args) => show::run(named, &args),
    }
}
