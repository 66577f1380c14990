//! The command line as written: commands, options and their help.

mod agents;
mod init;

use std::path::PathBuf;

use chrono::NaiveDate;
use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::{
    agents::{AgentArgs, McpArgs, ToolsArgs, ToolsCommand, ToolsFormat},
    init::{InitArgs, MailArgs},
};
use crate::{ledger::Head, model::finding::Severity};
use rolecall_simulator::{Fault, InboxFault};

/// Who can do what in a SaaS workspace: a scheduled access review, with proof.
#[derive(Debug, Parser)]
#[command(name = "rolecall", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// The configuration file; without it `rolecall.toml`, then `/etc/rolecall/rolecall.toml`
    #[arg(long, global = true, value_name = "PATH", env = "ROLECALL_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// How logs are written to stderr
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,
    /// Say more; twice, everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The whole product against a simulated workspace: no account, no mail server, no configuration
    Demo(DemoArgs),
    /// Create a configuration: a few questions, a test of the credentials, files only you can read
    Init(Box<InitArgs>),
    /// Validate the configuration and show each job's next fire times
    Check,
    /// Audit now: read, correlate, judge, report
    Audit(AuditArgs),
    /// Whether a workspace is ready: who and what it is, what the credentials reach; exit 1 where it is not
    Preflight(PreflightArgs),
    /// The users of a workspace, each with role and profile
    Users(UsersArgs),
    /// The roles of a workspace: whose records their holders see
    Roles(RolesArgs),
    /// The profiles of a workspace: what their holders may do
    Profiles(ProfilesArgs),
    /// The organization of a workspace
    Org(LookupArgs),
    /// Whoever the credentials belong to
    Me(LookupArgs),
    /// Remove users from a workspace, guarded: shown, confirmed, recorded, read back
    Offboard(OffboardArgs),
    /// The same operations as tools for AI agents, by the Model Context Protocol: on stdin and stdout, or by HTTP
    Mcp(McpArgs),
    /// The definitions of these tools for agent frameworks without MCP, or one call of one
    Tools(ToolsArgs),
    /// Run the jobs on their schedules until SIGTERM; SIGHUP reads the configuration anew
    Daemon,
    /// What the daemon did: the runs, or one of them
    Runs(RunsArgs),
    /// Evidence: bags that an auditor verifies without rolecall
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// The rules, or one of them with its documentation
    Rules {
        /// The rule's name
        name: Option<String>,
    },
    /// The mail server
    #[command(subcommand)]
    Mail(MailCommand),
    /// Serve a simulated Zoho accounts server, Bigin API, Truto API and SMTP inbox until stopped
    Simulate(SimulateArgs),
    /// JSON Schema of the configuration or of report.json
    Schema {
        /// Which schema
        #[arg(default_value = "config")]
        which: SchemaKind,
    },
    /// Completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// The manual page, in roff
    Man,
}

/// Which schema to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaKind {
    /// Of the configuration file
    Config,
    /// Of report.json
    Report,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Where the reports and the message go
    #[arg(long, value_name = "DIR", default_value = "rolecall-demo")]
    pub(crate) out: PathBuf,
    /// How many users the simulated workspace has
    #[arg(long, value_name = "N", default_value_t = 48, value_parser = clap::value_parser!(u32).range(12..=1_000_000))]
    pub(crate) users: u32,
}

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// The job whose workspaces, recipients and history are used
    #[arg(long, value_name = "J")]
    pub(crate) job: Option<String>,
    /// Only these workspaces
    #[arg(long = "workspace", value_name = "W")]
    pub(crate) workspaces: Vec<String>,
    /// Write the reports into this folder (one folder below it for each workspace where there are several)
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Which reports to write
    #[arg(long, value_name = "KIND", value_delimiter = ',', requires = "out", default_values_t = ReportKind::ALL)]
    pub(crate) reports: Vec<ReportKind>,
    /// Mail the report to the job's recipients; without it no mail leaves
    #[arg(long)]
    pub(crate) send: bool,
    /// Exit with 3 where a finding that counts is of this severity or graver
    #[arg(long, value_name = "SEVERITY", value_parser = severity_parser())]
    pub(crate) fail_on: Option<Severity>,
}

#[derive(Debug, Args)]
pub(crate) struct PreflightArgs {
    /// The workspaces; without one, all
    #[arg(value_name = "WORKSPACE")]
    pub(crate) workspaces: Vec<String>,
    /// What it has to be, as `org=Example` or `time_zone=Europe/Berlin, administrator=true`
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) expect: Vec<String>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: PreflightFormat,
}

/// How a pre-flight check is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PreflightFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct LookupArgs {
    /// The workspace; not needed where there is only one
    pub(crate) workspace: Option<String>,
    /// How to print
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: LookupFormat,
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LookupFormat {
    /// For people
    Table,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct UsersArgs {
    #[command(flatten)]
    pub(crate) of: LookupArgs,
    /// Only users of this status: active, disabled, inactive, deleted
    #[arg(long)]
    pub(crate) status: Option<String>,
    /// Only holders of this profile: its id or name
    #[arg(long)]
    pub(crate) profile: Option<String>,
    /// Only holders of this role: its id or name
    #[arg(long)]
    pub(crate) role: Option<String>,
    /// Only holders of a profile that the policy names as an administrator's
    #[arg(long)]
    pub(crate) administrators: bool,
    /// Only users with this in their name or address
    #[arg(long, value_name = "TEXT")]
    pub(crate) search: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Option<UsersCommand>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UsersCommand {
    /// Everything about one user
    Show {
        /// The workspace, where there are several, and the user: an id, or an exact address
        #[arg(value_names = ["[WORKSPACE] USER"], num_args = 1..=2, required = true)]
        who: Vec<String>,
        /// How to print
        #[arg(long, value_name = "FORMAT", default_value = "table")]
        format: LookupFormat,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RolesArgs {
    #[command(flatten)]
    pub(crate) of: LookupArgs,
    /// Draw who reports to whom, with how many hold each role
    #[arg(long)]
    pub(crate) tree: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ProfilesArgs {
    #[command(flatten)]
    pub(crate) of: LookupArgs,
    /// Name every permission in the table
    #[arg(long)]
    pub(crate) permissions: bool,
}

#[derive(Debug, Args)]
pub(crate) struct OffboardArgs {
    /// The workspace; it must have `allow_offboarding = true`
    pub(crate) workspace: String,
    /// The user: an id, or an exact address
    #[arg(required_unless_present = "from", conflicts_with = "from")]
    pub(crate) user: Option<String>,
    /// Several users: a CSV file with a column `user_id` or `email`
    #[arg(long, value_name = "FILE")]
    pub(crate) from: Option<PathBuf>,
    /// Show who would be removed and by which request, and stop
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The confirmation, where there is no terminal to ask at: the user's address, or what the plan of several asks for
    #[arg(long, value_name = "EMAIL", conflicts_with = "dry_run")]
    pub(crate) confirm: Option<String>,
    /// The organization that it must be: its id or exact name
    #[arg(long, value_name = "ORG")]
    pub(crate) organization: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RunsArgs {
    /// How to print
    #[arg(long, global = true, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: RunsFormat,
    /// At most so many, the newest first
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) limit: u32,
    #[command(subcommand)]
    pub(crate) command: Option<RunsCommand>,
}

/// How runs are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RunsFormat {
    /// For people
    Table,
    /// For programs
    Json,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum RunsCommand {
    /// Everything about one run
    Show {
        /// The run's id
        id: uuid::Uuid,
    },
    /// Make a failed run due again
    Retry {
        /// The run's id
        id: uuid::Uuid,
    },
}

/// Kinds of report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportKind {
    /// access-matrix.csv
    Matrix,
    /// findings.csv
    Findings,
    /// changes.csv
    Changes,
    /// report.html
    Html,
    /// report.json
    Json,
    /// report.xlsx
    Xlsx,
}

impl ReportKind {
    pub(crate) const ALL: [Self; 6] = [Self::Matrix, Self::Findings, Self::Changes, Self::Html, Self::Json, Self::Xlsx];
}

impl std::fmt::Display for ReportKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Matrix => "matrix",
            Self::Findings => "findings",
            Self::Changes => "changes",
            Self::Html => "html",
            Self::Json => "json",
            Self::Xlsx => "xlsx",
        })
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum MailCommand {
    /// Send one test message through the configured server and say at which stage it failed
    Test {
        /// The recipient; without it the first recipient of the first job that mails
        #[arg(long, value_name = "ADDRESS")]
        to: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum EvidenceCommand {
    /// Make a key that signs evidence, and say how others come to trust it
    InitKey {
        /// The file of the key; its public half goes beside it
        #[arg(long, value_name = "PATH")]
        out: PathBuf,
    },
    /// List the bags
    List,
    /// Verify a bag, or a folder of them with its ledger: digests, signatures, the chain, and whether they agree
    Verify {
        /// A bag, or a folder of evidence or an export of it; without it, `[evidence] directory`
        path: Option<PathBuf>,
        #[command(flatten)]
        trust: Trust,
    },
    /// Every fire time that was due in a period, beside the review, bag and delivery that answer it; exit 3 for gaps
    Coverage(CoverageArgs),
    /// One zip for the auditor: bags, ledger, coverage, public keys, instructions
    Export(ExportArgs),
    /// Make a review once more from the answers in its bag, offline, and compare with what was reported
    Recompute {
        /// The bag
        bag: PathBuf,
    },
}

/// A period of whole days, in UTC.
#[derive(Debug, Args)]
pub(crate) struct PeriodArgs {
    /// The first day, as 2026-01-31
    #[arg(long, value_name = "DATE")]
    pub(crate) from: NaiveDate,
    /// The last day
    #[arg(long, value_name = "DATE")]
    pub(crate) to: NaiveDate,
}

#[derive(Debug, Args)]
pub(crate) struct CoverageArgs {
    #[command(flatten)]
    pub(crate) period: PeriodArgs,
    /// One job; without it, all
    #[arg(long, value_name = "JOB")]
    pub(crate) job: Option<String>,
    /// A review that is recorded later than this after its fire time is late, in hours
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    pub(crate) late_after: u32,
    /// Where coverage.html and coverage.csv go
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Whose signature of the ledger counts; without it, the configured key's, or with PATH nobody's
    #[arg(long, value_name = "PATH")]
    pub(crate) allowed_signers: Option<PathBuf>,
    /// A folder of evidence, or an export of it; without it, `[evidence] directory`
    pub(crate) path: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) period: PeriodArgs,
    /// The file; without it, `evidence_FROM_TO.zip` here
    #[arg(long, value_name = "PATH")]
    pub(crate) out: Option<PathBuf>,
}

/// Whom to believe.
#[derive(Debug, Args)]
pub(crate) struct Trust {
    /// Whose signatures count (ssh-keygen(1), ALLOWED SIGNERS); without it, the public half of the configured key
    #[arg(long, value_name = "PATH")]
    pub(crate) allowed_signers: Option<PathBuf>,
    /// An entry of the ledger that somebody wrote down, as the mails have it: `NUMBER:SHA256`
    #[arg(long = "witness", value_name = "ENTRY")]
    pub(crate) witnesses: Vec<Head>,
}

#[derive(Debug, Args)]
pub(crate) struct SimulateArgs {
    /// The port on 127.0.0.1; 0 lets the system choose
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) port: u16,
    /// The port of the SMTP inbox; 0 lets the system choose
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) smtp_port: u16,
    /// How many users the workspace has
    #[arg(long, value_name = "N", default_value_t = 48)]
    pub(crate) users: u32,
    /// Which workspace: the same number gives the same one
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Faults to switch on; `list` names them all
    #[arg(long = "fault", value_name = "NAME")]
    pub(crate) faults: Vec<FaultName>,
    /// Faults that strike now and then strike every so many calls
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) every: u64,
    /// Wait this long before each answer, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub(crate) latency: u64,
    /// Give so many access tokens in ten minutes, and then none for a while; the vendor gives 10
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) tokens: usize,
}

/// A fault of the API or of the inbox, or the wish to see them all.
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
            .ok_or_else(|| format!("“{text}” is no fault; `rolecall simulate --fault list` names them all"))
    }
}

fn severity_parser() -> impl clap::builder::TypedValueParser<Value = Severity> {
    use clap::builder::TypedValueParser as _;
    clap::builder::PossibleValuesParser::new(Severity::ALL.map(Severity::word)).try_map(|word| word.parse::<Severity>())
}
