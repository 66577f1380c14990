//! The command line as written: commands, options and their help.

mod agents;
mod evidence;
mod examples;
mod help;
mod init;
mod lookup;
mod operate;
mod past;
mod policy;
mod review;
mod roster;
mod simulate;
mod store;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::{
    agents::{AgentArgs, McpArgs, ToolsArgs, ToolsCommand, ToolsFormat},
    evidence::{
        CertificateArgs, CoverageArgs, EvidenceCommand, ExportArgs, ExportFormat, PeriodArgs, SampleArgs, SampleOf,
        Trust,
    },
    examples::{EXAMPLES, Example},
    help::command,
    init::{InitArgs, MailArgs},
    lookup::{
        FindingsArgs, LookupArgs, LookupFormat, PreflightArgs, PreflightFormat, ProfilesArgs, RolesArgs, UsersArgs,
        UsersCommand, WhoCanArgs,
    },
    operate::{OffboardArgs, RunsArgs, RunsCommand, RunsFormat, ScheduleArgs},
    past::{AccessArgs, DiffArgs, HistoryArgs},
    policy::{BacktestArgs, BaselineArgs, PolicyCommand, PolicyFormat, RuleFormat, ShowPolicyArgs, TestArgs, TryArgs},
    review::{DecideArgs, DecisionWord, ReviewArgs, ReviewCommand, ReviewFormat, SheetExportArgs, SheetImportArgs},
    roster::{RosterCheckArgs, RosterCommand},
    simulate::{FaultName, SimulateArgs},
    store::{CopyArgs, MigrateArgs, RebuildArgs, StoreCommand},
};
use crate::model::finding::Severity;

/// The environment variable that names the configuration where `--config` does not.
pub(crate) const CONFIG_VARIABLE: &str = "ROLECALL_CONFIG";

/// Scheduled access reviews of SaaS workspaces, with evidence that an auditor can verify
#[derive(Debug, Parser)]
#[command(name = "rolecall", version, disable_help_subcommand = true, disable_help_flag = true)]
pub(crate) struct Cli {
    // No `env`: clap would take a variable that is set and empty for a path.
    #[arg(long, global = true, value_name = "PATH", help = CONFIG_HELP, help_heading = GLOBAL, display_order = 1000)]
    pub(crate) config: Option<PathBuf>,
    /// Log format on stderr
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text", help_heading = GLOBAL, display_order = 1001)]
    pub(crate) log_format: LogFormat,
    /// More logging (-vv: everything)
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = GLOBAL, display_order = 1002)]
    pub(crate) verbose: u8,
    /// Show help
    #[arg(short, long, global = true, action = clap::ArgAction::HelpShort, help_heading = GLOBAL, display_order = 1003)]
    help: Option<bool>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const CONFIG_HELP: &str =
    "Configuration file [env: ROLECALL_CONFIG] [default: rolecall.toml, then /etc/rolecall/rolecall.toml]";

/// The heading of the options that every command takes.
const GLOBAL: &str = "Global options";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON object per line
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Try rolecall on a simulated workspace; needs no account, mail server or configuration
    Demo(DemoArgs),
    /// Create a configuration: answer a few questions, test the credentials, write the files
    Init(Box<InitArgs>),
    /// Validate the configuration and show when each job is due; try the object store and the timestamp authorities
    Check {
        /// Do not connect to the object store and the timestamp authorities
        #[arg(long)]
        offline: bool,
    },
    /// Audit now, and write or mail the reports
    Audit(AuditArgs),
    /// Check that a workspace and its credentials are ready; exit with 1 if not
    Preflight(PreflightArgs),
    /// Show who holds a permission, and through which profile
    WhoCan(WhoCanArgs),
    /// List the findings of a workspace now; records nothing
    Findings(FindingsArgs),
    /// List users with their roles and profiles
    Users(UsersArgs),
    /// List roles: whose records their holders see
    Roles(RolesArgs),
    /// List profiles: what their holders may do
    Profiles(ProfilesArgs),
    /// Show the organization of a workspace
    Org(LookupArgs),
    /// Show the account the credentials belong to
    Me(LookupArgs),
    /// Show who had which access on a day, since when, and which audits saw it
    Access(AccessArgs),
    /// Show the access of one user over time, and between which audits it changed
    History(HistoryArgs),
    /// Compare two audits or days, to the single permission
    Diff(DiffArgs),
    /// Remove users from a workspace: plan, confirm, remove, read back
    Offboard(OffboardArgs),
    /// Serve the same operations to AI agents over MCP
    Mcp(McpArgs),
    /// Print tool definitions for agent frameworks without MCP, or call a tool
    Tools(ToolsArgs),
    /// Run the jobs on their schedules until SIGTERM; SIGHUP reloads the configuration
    Daemon,
    /// Show when each workspace of each job is due next
    Schedule(ScheduleArgs),
    /// Show scheduled runs, or retry one
    Runs(RunsArgs),
    /// Let named people decide about every account: open, decide, close
    Review(ReviewArgs),
    /// Let people in to the web console
    #[command(subcommand)]
    Console(ConsoleCommand),
    /// Verify evidence, check coverage, export for the auditor
    #[command(subcommand)]
    Evidence(EvidenceCommand),
    /// Show policies as they are applied, or accept what is open today
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Try a roster before an audit relies on it
    #[command(subcommand)]
    Roster(RosterCommand),
    /// List the rules, or explain one
    Rules {
        /// The rule to explain
        name: Option<String>,
    },
    /// Try the database, migrate or copy it
    #[command(subcommand)]
    Store(StoreCommand),
    /// Test outgoing mail
    #[command(subcommand)]
    Mail(MailCommand),
    /// Serve simulated Zoho, Bigin and Truto APIs and an SMTP inbox until stopped
    Simulate(SimulateArgs),
    /// Print the JSON Schema of the configuration, of report.json, people.json or review.json
    Schema {
        /// The schema to print
        #[arg(default_value = "config")]
        which: SchemaKind,
    },
    /// Print shell completions
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
    /// Show help for a command
    Help {
        /// The command
        command: Vec<String>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaKind {
    /// Of the configuration file
    Config,
    /// Of report.json
    Report,
    /// Of people.json
    People,
    /// Of review.json
    Review,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Folder for the reports and the mail
    #[arg(long, value_name = "DIR", default_value = "rolecall-demo")]
    pub(crate) out: PathBuf,
    /// Number of users in the simulated workspace
    #[arg(long, value_name = "N", default_value_t = 48, value_parser = clap::value_parser!(u32).range(12..=1_000_000))]
    pub(crate) users: u32,
    /// Afterwards, serve the web console with a review under way, until stopped
    #[arg(long)]
    pub(crate) serve: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// Use this job's workspaces, recipients and history
    #[arg(long, value_name = "JOB")]
    pub(crate) job: Option<String>,
    /// Audit only this workspace; may be repeated
    #[arg(long = "workspace", value_name = "WORKSPACE")]
    pub(crate) workspaces: Vec<String>,
    /// Write the reports to this folder, one subfolder per workspace if there are several
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Reports to write
    #[arg(long, value_name = "KIND", value_delimiter = ',', requires = "out", default_values_t = ReportKind::ALL)]
    pub(crate) reports: Vec<ReportKind>,
    /// Mail the report to the job's recipients
    #[arg(long)]
    pub(crate) send: bool,
    /// Exit with 3 if there are open findings at or above this severity
    #[arg(long, value_name = "SEVERITY", value_parser = severity_parser())]
    pub(crate) fail_on: Option<Severity>,
    /// Judge again what an earlier audit read, offline, and show what differs: an evidence bag or a report.json
    #[arg(long, value_name = "PATH", conflicts_with_all = ["job", "workspaces", "send"])]
    pub(crate) from: Option<PathBuf>,
    /// With --from: the policy to judge by [default: the one of the job and workspace]
    #[arg(long, value_name = "NAME", requires = "from")]
    pub(crate) policy: Option<String>,
}

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
    /// assessment-results.json, for governance platforms (OSCAL 1.2.1)
    Oscal,
    /// findings.ocsf.jsonl, for security monitoring (OCSF 1.5.0, Compliance Finding)
    Ocsf,
    /// junit.xml, for pipelines
    Junit,
}

impl ReportKind {
    /// Those that are written unless others are named.
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
            Self::Oscal => "oscal",
            Self::Ocsf => "ocsf",
            Self::Junit => "junit",
        })
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum MailCommand {
    /// Send a test message and show each stage of the delivery
    Test {
        /// Recipient [default: the first recipient of the first job that sends mail]
        #[arg(long, value_name = "ADDRESS")]
        to: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConsoleCommand {
    /// Print a one-time address that signs a person in
    Link {
        /// The person's address
        #[arg(long = "as", value_name = "ADDRESS")]
        address: String,
    },
    /// End every session of a person
    SignOut {
        /// The person's address
        #[arg(long = "as", value_name = "ADDRESS")]
        address: String,
    },
}

fn severity_parser() -> impl clap::builder::TypedValueParser<Value = Severity> {
    use clap::builder::TypedValueParser as _;
    clap::builder::PossibleValuesParser::new(Severity::ALL.map(Severity::word)).try_map(|word| word.parse::<Severity>())
}
