//! The options of `rolecall store`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::ledger::Head;

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Try each stage of reaching the PostgreSQL database; writes nothing
    Check,
    /// Bring the schema up to date as its owner, and let the role of `[store]` use it
    Migrate(MigrateArgs),
    /// Copy everything from one store into a new one, and compare both
    Copy(CopyArgs),
    /// Restore a lost store from the evidence: ledger, runs, audits, schedules, what was sent, and reviews
    Rebuild(RebuildArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RebuildArgs {
    /// Restore it from the configured evidence, which is verified first; the configured store must be empty
    #[arg(long, required = true)]
    pub(crate) from_evidence: bool,
    /// Trust these keys, as in ssh-keygen(1), ALLOWED SIGNERS [default: the configured key]
    #[arg(long, value_name = "FILE")]
    pub(crate) allowed_signers: Option<PathBuf>,
    /// Compare with a ledger entry from a mail, as `NUMBER:SHA256`; may be repeated
    #[arg(long = "witness", value_name = "ENTRY")]
    pub(crate) witnesses: Vec<Head>,
    /// Take entries at the end of the ledger that no key has signed yet
    #[arg(long)]
    pub(crate) accept_unsigned: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    #[arg(
        long,
        value_name = "URL",
        help = "The same database with the role that owns the tables: postgres://OWNER@HOST/DATABASE [default: `[store] url`]"
    )]
    pub(crate) url: Option<String>,
    /// File with the password of that role
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(crate) password_file: Option<PathBuf>,
    /// PEM file with certificate authorities to trust besides the system's [default: that of `[store]`]
    #[arg(long, value_name = "FILE", requires = "url")]
    pub(crate) root_certificate: Option<PathBuf>,
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
