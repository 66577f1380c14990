//! The options of `rolecall store`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Try each stage of reaching the PostgreSQL database; writes nothing
    Check,
    /// Copy everything from one store into a new one, and compare both
    Copy(CopyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    #[arg(
        long,
        value_name = "URL",
        help = "The store to copy: sqlite:PATH or postgres://ROLE@HOST/DATABASE; stop all daemons first"
    )]
    pub(crate) from: String,
    /// The store to fill; it must be empty, or have the beginning of this copy
    #[arg(long, value_name = "URL")]
    pub(crate) to: String,
    /// File with the password of --from [default: that of `[store]`, if it is that store]
    #[arg(long, value_name = "FILE")]
    pub(crate) from_password_file: Option<PathBuf>,
    /// File with the password of --to [default: that of `[store]`, if it is that store]
    #[arg(long, value_name = "FILE")]
    pub(crate) to_password_file: Option<PathBuf>,
    /// PEM file with certificate authorities to trust besides the system's [default: that of `[store]`]
    #[arg(long, value_name = "FILE")]
    pub(crate) root_certificate: Option<PathBuf>,
}
