//! The arguments of `rolecall evidence`.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};

use super::LookupFormat;
use crate::ledger::Head;

#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceCommand {
    /// Create a signing key and show how others trust it
    InitKey {
        /// File for the private key; the public key is written beside it
        #[arg(long, value_name = "PATH")]
        out: PathBuf,
    },
    /// List the evidence bags and what the ledger says of each
    List {
        /// Output format
        #[arg(long, value_name = "FORMAT", default_value = "table")]
        format: LookupFormat,
    },
    /// Verify evidence: digests, signatures, the ledger, and that they agree
    Verify {
        /// A bag, an evidence folder or an export, also as a zip, or an s3:// address [default: `[evidence]`]
        path: Option<PathBuf>,
        /// Read every bag, also those that were verified before and look unchanged
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        trust: Trust,
    },
    /// Show which scheduled reviews took place in a period; exit with 3 if one is missing
    Coverage(CoverageArgs),
    /// Write one zip for the auditor: bags, ledger, coverage, public keys, instructions
    Export(ExportArgs),
    /// Draw a sample that others can draw again, and trace each item through the evidence
    Sample(SampleArgs),
    /// Write one page for an auditor: how an audit's list of accounts was read, why it is complete, where to count again
    Certificate(CertificateArgs),
    /// Repeat a review offline from the answers in its bag and compare the reports
    Recompute {
        /// The bag: a folder, a zip, or an s3:// address of the configured evidence
        bag: PathBuf,
    },
}

/// A period of whole days, in UTC.
#[derive(Debug, Args)]
pub(crate) struct PeriodArgs {
    /// First day of the period (UTC), for example 2026-01-31
    #[arg(long, value_name = "DATE")]
    pub(crate) from: NaiveDate,
    /// Last day of the period
    #[arg(long, value_name = "DATE")]
    pub(crate) to: NaiveDate,
}

#[derive(Debug, Args)]
pub(crate) struct CoverageArgs {
    #[command(flatten)]
    pub(crate) period: PeriodArgs,
    /// Only this job
    #[arg(long, value_name = "JOB")]
    pub(crate) job: Option<String>,
    /// A review counts as late if it is recorded more than this many hours after its scheduled time
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    pub(crate) late_after: u32,
    /// Write coverage.html and coverage.csv to this folder
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Trust ledger signatures by these keys [default: the configured key; with PATH, none]
    #[arg(long, value_name = "FILE")]
    pub(crate) allowed_signers: Option<PathBuf>,
    /// An evidence folder or an export, also as a zip, or an s3:// address [default: `[evidence]`]
    pub(crate) path: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) period: PeriodArgs,
    #[arg(long, value_name = "PATH", help = "File to write [default: evidence_FROM_TO.zip]")]
    pub(crate) out: Option<PathBuf>,
    /// Write what the audits of the period found in the format of another tool, instead of the zip
    #[arg(long = "as", value_name = "FORMAT", conflicts_with_all = ["pseudonymise", "encrypt_to"])]
    pub(crate) format: Option<ExportFormat>,
    /// Replace people by pseudonyms, and leave out what cannot be searched for names
    #[arg(long)]
    pub(crate) pseudonymise: bool,
    /// File with the key of the pseudonyms and who is behind them; it is used again if it exists. Keep it back [default:
    /// beside the export, its name ending with `-mapping.json`]
    #[arg(long, value_name = "PATH", requires = "pseudonymise")]
    pub(crate) mapping: Option<PathBuf>,
    /// Encrypt the export with age for this public key (age1…); may be repeated
    #[arg(long, value_name = "RECIPIENT")]
    pub(crate) encrypt_to: Vec<String>,
}

/// A format of another tool, for the audits of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// OSCAL 1.2.1 assessment results: one result for each audit
    Oscal,
    /// OCSF 1.5.0 Compliance Findings: one event a line
    Ocsf,
}

#[derive(Debug, Args)]
pub(crate) struct SampleArgs {
    #[command(flatten)]
    pub(crate) period: PeriodArgs,
    /// What is drawn
    #[arg(long, value_name = "POPULATION", default_value = "accounts")]
    pub(crate) of: SampleOf,
    /// Number of items
    #[arg(long, value_name = "N", default_value_t = 25, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub(crate) n: u32,
    /// What the draw depends on: any text, best named by the auditor
    #[arg(long, value_name = "SEED")]
    pub(crate) seed: String,
    #[arg(long, value_name = "DIR", help = "New folder to write to [default: sample_POPULATION_FROM_TO]")]
    pub(crate) out: Option<PathBuf>,
    /// Trust these keys, as in ssh-keygen(1), ALLOWED SIGNERS [default: the configured key]
    #[arg(long, value_name = "FILE")]
    pub(crate) allowed_signers: Option<PathBuf>,
    /// An evidence folder or an export, also as a zip [default: the configured evidence]
    pub(crate) path: Option<PathBuf>,
}

/// From which population a sample is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SampleOf {
    /// Scheduled times, missed ones included, and audits on demand
    Reviews,
    /// Accounts that any audit lists
    Accounts,
    /// Accounts that were added or are active again
    Joiners,
    /// Accounts that were removed or are no longer active
    Leavers,
    /// Changes of users, roles, profiles and permissions
    Changes,
}

#[derive(Debug, Args)]
pub(crate) struct CertificateArgs {
    /// The audit's id, or its bag: a folder, a zip or an `s3://` address
    pub(crate) audit: PathBuf,
    #[arg(long, value_name = "PATH", help = "File to write [default: certificate_AUDIT.html]")]
    pub(crate) out: Option<PathBuf>,
    /// Trust these keys, as in ssh-keygen(1), ALLOWED SIGNERS [default: the configured key; for a folder, none]
    #[arg(long, value_name = "FILE")]
    pub(crate) allowed_signers: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Trust {
    /// Trust these keys, as in ssh-keygen(1), ALLOWED SIGNERS [default: the configured key]
    #[arg(long, value_name = "FILE")]
    pub(crate) allowed_signers: Option<PathBuf>,
    /// Trust only these timestamp authorities, a PEM file [default: those that the ledger names]
    #[arg(long, value_name = "FILE")]
    pub(crate) timestamp_ca: Option<PathBuf>,
    /// Compare with a ledger entry from a mail, as `NUMBER:SHA256`; may be repeated
    #[arg(long = "witness", value_name = "ENTRY")]
    pub(crate) witnesses: Vec<Head>,
}
