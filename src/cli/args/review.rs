//! The arguments of `rolecall review`.

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};
use uuid::Uuid;

use crate::review::item::ItemId;

#[derive(Debug, Args)]
pub(crate) struct ReviewArgs {
    /// Output format of list, show and open
    #[arg(long, global = true, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: ReviewFormat,
    #[command(subcommand)]
    pub(crate) command: ReviewCommand,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReviewFormat {
    /// For people
    Table,
    /// For programs
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReviewCommand {
    /// List the reviews, newest first
    List {
        /// Maximum number of reviews
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Show a review: its items, who decides, what was decided
    Show {
        /// The review's id
        #[arg(value_parser = review_id)]
        id: Uuid,
    },
    /// Open a review of the latest complete audit of its job
    Open {
        /// The review's name in the configuration
        name: String,
    },
    /// Decide about an item
    Decide(DecideArgs),
    /// List what was decided and is not carried out, the most urgent first
    Work {
        /// The review's id
        #[arg(value_parser = review_id)]
        id: Uuid,
        /// Write it as CSV to this file
        #[arg(long, value_name = "FILE.csv")]
        out: Option<PathBuf>,
    },
    /// Write the items of a reviewer as a spreadsheet to fill in
    Export(SheetExportArgs),
    /// Take back a spreadsheet that a reviewer filled in: all of it or nothing
    Import(SheetImportArgs),
    /// Give an item to another reviewer
    Assign {
        /// The review's id
        #[arg(value_parser = review_id)]
        id: Uuid,
        /// The item's number
        #[arg(value_parser = item_id)]
        item: ItemId,
        /// The address of the new reviewer
        address: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Remind everybody now who has something to decide, by mail
    Remind {
        /// The review's id
        #[arg(value_parser = review_id)]
        id: Uuid,
    },
    /// Attest as a reviewer that the decisions about your items are yours
    Attest {
        /// The review's id
        #[arg(value_parser = review_id)]
        id: Uuid,
        /// Your address
        #[arg(long = "as", value_name = "ADDRESS")]
        by: String,
    },
    /// Close a review when every item is decided; the owner attests for who has not
    Close {
        /// The review's id
        #[arg(value_parser = review_id)]
        id: Uuid,
        /// The address of the owner [default: the owner of the review]
        #[arg(long = "as", value_name = "ADDRESS")]
        by: Option<String>,
        /// The day of the next review [default: the next scheduled one]
        #[arg(long, value_name = "DATE")]
        next: Option<NaiveDate>,
    },
    /// Cancel a review that was opened by mistake
    Cancel {
        /// The review's id
        #[arg(value_parser = review_id)]
        id: Uuid,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SheetExportArgs {
    /// The review's id
    #[arg(value_parser = review_id)]
    pub(crate) id: Uuid,
    /// The address of the reviewer
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) reviewer: String,
    /// The file to write: a workbook (.xlsx) or CSV (.csv)
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct SheetImportArgs {
    /// The review's id
    #[arg(value_parser = review_id)]
    pub(crate) id: Uuid,
    /// The spreadsheet: a workbook or CSV
    pub(crate) file: PathBuf,
    /// Your address: the reviewer, or the owner
    #[arg(long = "as", value_name = "ADDRESS")]
    pub(crate) by: String,
    /// Your signature of the file, made by `ssh-keygen -Y sign -n rolecall-review -f KEY FILE`
    #[arg(long, value_name = "FILE.sig", requires = "allowed_signers")]
    pub(crate) signature: Option<PathBuf>,
    /// The keys that people sign with, as ssh-keygen(1) describes: lines of an address and a public key
    #[arg(long, value_name = "FILE", requires = "signature")]
    pub(crate) allowed_signers: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DecideArgs {
    /// The review's id
    #[arg(value_parser = review_id)]
    pub(crate) id: Uuid,
    /// The item's number; several with commas between them are kept at once
    #[arg(required = true, num_args = 1, value_delimiter = ',', value_parser = item_id)]
    pub(crate) item: Vec<ItemId>,
    /// The decision
    pub(crate) decision: DecisionWord,
    /// Your address: the item's reviewer, or the owner
    #[arg(long = "as", value_name = "ADDRESS")]
    pub(crate) by: String,
    /// Why; required for privileged or flagged accounts, and to change or remove
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// The role or profile that the account is to get, by id or exact name
    #[arg(long, value_name = "ID")]
    pub(crate) to: Option<String>,
    /// Refuse if the item is not at this version, as `review show --format json` printed it
    #[arg(long, value_name = "VERSION")]
    pub(crate) seen: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DecisionWord {
    /// The account stays as it is
    Keep,
    /// The account gets the role or profile of --to
    Change,
    /// The account is removed
    Remove,
}

/// The id of a review as `rolecall review list` prints it.
fn review_id(text: &str) -> Result<Uuid, &'static str> {
    text.parse().map_err(|_| "expected the id of a review as `rolecall review list` prints it")
}

fn item_id(text: &str) -> Result<ItemId, &'static str> {
    text.parse()
}
