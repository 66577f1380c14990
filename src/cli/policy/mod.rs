//! `rolecall policy`: what belongs to the policy as a whole.

mod backtest;
mod baseline;
mod show;
mod test;
mod try_rule;

use std::path::Path;

use super::{args::PolicyCommand, output::Failure};

pub(super) async fn run(named: Option<&Path>, command: PolicyCommand) -> Result<(), Failure> {
    match command {
        PolicyCommand::Backtest(args) => backtest::run(named, &args).await,
        PolicyCommand::Baseline(args) => baseline::run(named, args).await,
        PolicyCommand::Show(args) => show::run(named, &args),
        PolicyCommand::Test(args) => test::run(named, &args),
        PolicyCommand::Try(args) => try_rule::run(named, &args).await,
    }
}
