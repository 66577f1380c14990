//! The options of `rolecall store`.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Try each stage of reaching the PostgreSQL database; writes nothing
    Check,
}
