//! The configuration exactly as written. The JSON Schema of `rolecall schema` is made from these types, and the
//! shape of a file is checked against that schema before it is read into them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

/// A rolecall configuration.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "rolecall configuration")]
pub(super) struct File {
    /// The workspaces to read, by a name of your choice.
    #[schemars(with = "BTreeMap<String, Workspace>")]
    pub(super) workspaces: BTreeMap<Spanned<String>, Spanned<Workspace>>,
    /// What the company holds to be right.
    #[serde(default)]
    pub(super) policy: Policy,
    /// What is audited when, and who is told, by a name of your choice.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Job>")]
    pub(super) jobs: BTreeMap<Spanned<String>, Job>,
    /// The mail server.
    #[schemars(with = "Option<Smtp>")]
    pub(super) smtp: Option<Spanned<Smtp>>,
    /// Where completed audits are kept.
    pub(super) store: Option<Store>,
    /// The daemon.
    #[serde(default)]
    pub(super) daemon: Daemon,
    /// Where evidence is kept.
    #[schemars(with = "Option<Evidence>")]
    pub(super) evidence: Option<Spanned<Evidence>>,
}

/// A secret: `{ env = "NAME" }` or `{ file = "PATH" }`, never the secret itself.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Secret {
    /// The environment variable that holds it.
    Env(String),
    /// The file that holds it.
    File(String),
}

/// How a workspace is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Connector {
    /// Zoho Bigin, directly.
    ZohoBigin,
    /// Through the integration platform Truto.
    Truto,
}

/// A workspace: one tenant.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Workspace {
    /// How it is reached.
    #[schemars(with = "Connector")]
    pub(super) connector: Spanned<Connector>,
    /// The data centre of a Bigin organization: us, eu, in, au, jp, cn, sa or ca.
    #[schemars(with = "Option<String>")]
    pub(super) data_center: Option<Spanned<String>>,
    /// The client's id, from Zoho's API console.
    pub(super) client_id: Option<String>,
    /// The client's secret.
    pub(super) client_secret: Option<Secret>,
    /// The refresh token.
    pub(super) refresh_token: Option<Secret>,
    /// The integrated account's id, with Truto.
    pub(super) integrated_account_id: Option<String>,
    /// The API token, with Truto.
    pub(super) api_token: Option<Secret>,
    /// What the resources are called, with Truto, where they are not called as usual.
    #[schemars(with = "Option<Resources>")]
    pub(super) resources: Option<Spanned<Resources>>,
    /// An accounts server in place of the data centre's.
    #[schemars(with = "Option<String>")]
    pub(super) accounts_url: Option<Spanned<String>>,
    /// An API address in place of the one that the vendor names.
    #[schemars(with = "Option<String>")]
    pub(super) api_url: Option<Spanned<String>>,
    /// Whether `offboard` may remove users of this workspace.
    #[serde(default)]
    pub(super) allow_offboarding: bool,
    /// The organization that it must be: an id, or the company's exact name. `preflight` and `offboard` refuse another.
    pub(super) organization: Option<String>,
    /// Calls in flight at once, 1 to 10.
    #[schemars(with = "Option<i64>")]
    pub(super) concurrency: Option<Spanned<i64>>,
    /// How long a read may take, in minutes.
    #[schemars(with = "Option<i64>")]
    pub(super) deadline_minutes: Option<Spanned<i64>>,
}

/// What the resources of an integrated account are called.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Resources {
    /// Users; `users` without it.
    pub(super) users: Option<String>,
    /// Roles; `roles` without it.
    pub(super) roles: Option<String>,
    /// Profiles; `profiles` without it.
    pub(super) profiles: Option<String>,
    /// The organization; `current_organization` without it.
    pub(super) current_organization: Option<String>,
    /// Whoever the account belongs to; `me` without it.
    pub(super) me: Option<String>,
}

/// What the company holds to be right.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Policy {
    /// Names or ids of the profiles that make an administrator.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) administrator_profiles: Option<Spanned<Vec<String>>>,
    /// Addresses of those who may administer.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) approved_administrators: Option<Vec<Spanned<String>>>,
    /// The company's mail domains.
    #[schemars(with = "Vec<String>")]
    pub(super) company_domains: Vec<Spanned<String>>,
    /// More active administrators than this are too many.
    #[schemars(with = "Option<i64>")]
    pub(super) max_administrators: Option<Spanned<i64>>,
    /// A larger share of active users than this is too much, in percent.
    #[schemars(with = "Option<f64>")]
    pub(super) max_administrator_percent: Option<Spanned<f64>>,
    /// An invitation older than this many days should be withdrawn.
    #[schemars(with = "Option<i64>")]
    pub(super) unconfirmed_days: Option<Spanned<i64>>,
    /// Local parts of addresses that more than one person reads.
    pub(super) shared_mailboxes: Option<Vec<String>>,
    /// Fragments of the names of permissions that deserve an administrator's care.
    pub(super) dangerous_permissions: Option<Vec<String>>,
    /// Rules that are `off`, or have another severity than their own.
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) rules: BTreeMap<Spanned<String>, Spanned<String>>,
    /// Accepted findings.
    #[schemars(with = "Vec<Exception>")]
    pub(super) exceptions: Vec<Exception>,
}

/// An accepted finding: who approved it, why, until when.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Exception {
    /// The rule's name.
    #[schemars(with = "String")]
    pub(super) rule: Spanned<String>,
    /// A user's id or address, a role's or profile's id or name, or `workspace`.
    #[schemars(with = "String")]
    pub(super) subject: Spanned<String>,
    /// The workspace that it is for; without it, every one.
    #[schemars(with = "Option<String>")]
    pub(super) workspace: Option<Spanned<String>>,
    /// Who approved it.
    #[schemars(with = "String")]
    pub(super) approved_by: Spanned<String>,
    /// Why.
    #[schemars(with = "String")]
    pub(super) reason: Spanned<String>,
    /// The last day on which it counts, as a date: 2027-03-31.
    #[schemars(with = "String", extend("format" = "date"))]
    pub(super) until: Spanned<toml::value::Datetime>,
}

/// What is audited when, and who is told.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Job {
    /// The workspaces' names.
    #[schemars(with = "Vec<String>")]
    pub(super) workspaces: Spanned<Vec<Spanned<String>>>,
    /// When: five cron fields, or six with seconds first.
    #[schemars(with = "String")]
    pub(super) schedule: Spanned<String>,
    /// The IANA time zone of the schedule; UTC without it.
    #[schemars(with = "Option<String>")]
    pub(super) time_zone: Option<Spanned<String>>,
    /// What happens to fire times that were missed.
    #[serde(default)]
    pub(super) missed: Missed,
    /// Exit with 3 where a finding that counts is of this severity or graver: critical, high, medium, low or info.
    #[schemars(with = "Option<String>")]
    pub(super) fail_on: Option<Spanned<String>>,
    /// Who is told.
    #[schemars(with = "Option<Email>")]
    pub(super) email: Option<Spanned<Email>>,
    /// An address that is called when a run starts, succeeds and fails, by the convention of healthchecks.io.
    pub(super) heartbeat: Option<Secret>,
}

/// What happens to fire times that were missed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Missed {
    /// The latest is made up for.
    #[default]
    Latest,
    /// All are made up for.
    All,
    /// None is.
    Skip,
}

/// Who is told.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Email {
    /// The recipients' addresses.
    #[schemars(with = "Vec<String>")]
    pub(super) to: Spanned<Vec<Spanned<String>>>,
    /// What is attached: csv, xlsx, html, json.
    #[serde(default = "Attach::standard")]
    pub(super) attach: Vec<Attach>,
    /// When a report is mailed.
    #[serde(default)]
    pub(super) when: When,
}

/// What is attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Attach {
    /// The three tables, each as a file.
    Csv,
    /// The three tables as a workbook.
    Xlsx,
    /// The whole report.
    Html,
    /// Everything, for programs.
    Json,
}

impl Attach {
    fn standard() -> Vec<Self> {
        vec![Self::Csv, Self::Xlsx]
    }
}

/// When a report is mailed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// After every audit.
    #[default]
    Always,
    /// Where a finding counts.
    Findings,
    /// Where something changed.
    Changes,
}

/// The mail server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Smtp {
    /// The server's name.
    #[schemars(with = "String")]
    pub(super) host: Spanned<String>,
    /// The port; 587 without it, 465 with `security = "tls"`.
    #[schemars(with = "Option<i64>")]
    pub(super) port: Option<Spanned<i64>>,
    /// How the connection is protected.
    #[serde(default)]
    pub(super) security: Security,
    /// Whether `security = "none"` is meant for a server on another machine.
    #[serde(default)]
    pub(super) allow_plaintext: bool,
    /// The account.
    pub(super) username: Option<String>,
    /// The account's password.
    pub(super) password: Option<Secret>,
    /// The sender: `Name <address>`.
    #[schemars(with = "String")]
    pub(super) from: Spanned<String>,
    /// The bound on one whole exchange, in seconds.
    #[schemars(with = "Option<i64>")]
    pub(super) timeout_seconds: Option<Spanned<i64>>,
    /// A file of certificate authorities to trust beside the system's.
    pub(super) ca_file: Option<String>,
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Plain at first, then STARTTLS, without which nothing is sent.
    #[default]
    Starttls,
    /// Encrypted from the first byte.
    Tls,
    /// Not at all: a server on this machine only.
    None,
}

/// Where completed audits are kept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Store {
    /// `sqlite:PATH`, relative to the configuration file.
    #[schemars(with = "String")]
    pub(super) url: Spanned<String>,
    /// How long snapshots of audits are kept, in days; the last of each job and workspace always is.
    #[schemars(with = "Option<i64>")]
    pub(super) keep_days: Option<Spanned<i64>>,
}

/// The daemon.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Daemon {
    /// Where it serves `/healthz`, `/readyz` and `/metrics`: an address and a port, or `off`.
    #[schemars(with = "Option<String>")]
    pub(super) listen: Option<Spanned<String>>,
    /// Runs that are worked on at one time, and messages that are sent at one time.
    #[schemars(with = "Option<i64>")]
    pub(super) workers: Option<Spanned<i64>>,
    /// How long a run belongs to a worker of whom nothing is heard, in seconds.
    #[schemars(with = "Option<i64>")]
    pub(super) lease_seconds: Option<Spanned<i64>>,
    /// How long a stopping daemon waits for what it has in its hands before it hands it back, in seconds.
    #[schemars(with = "Option<i64>")]
    pub(super) stop_seconds: Option<Spanned<i64>>,
}

/// Where evidence is kept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Evidence {
    /// The folder of evidence bags.
    pub(super) directory: String,
    /// The OpenSSH key that signs them: `{ file = "PATH" }`.
    pub(super) signing_key: Option<Secret>,
    /// How long bags are kept, in days, at least 550; without it, for ever.
    #[schemars(with = "Option<i64>")]
    pub(super) keep_days: Option<Spanned<i64>>,
}
