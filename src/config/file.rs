//! The configuration as written. `rolecall schema` prints the JSON Schema of these types, and the shape of a file is
//! checked against that schema before it is read into them.

mod accepted;
pub(super) mod console;
mod custom_rules;
pub(super) mod evidence;
pub(super) mod roster;

pub(super) mod reviews;
pub(super) mod timestamps;

use std::{borrow::Cow, collections::BTreeMap, ops::Range};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::json;
use toml::Spanned;

pub(super) use self::accepted::{Exception, PlannedFix, Right, Separation};
pub(super) use self::custom_rules::{CustomRule, RuleTest};
use self::roster::{ExpectedAccess, Names, Roster};
use crate::{
    model::{
        account::AccountKind,
        framework::Framework,
        kind::ConnectorKind,
        mail::{Security, When},
    },
    schedule::Missed,
};

/// A rolecall configuration.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "rolecall configuration")]
pub(super) struct File {
    /// A directory with one TOML file for each further workspace: `NAME.toml`, with the keys of a table `[workspaces.NAME]`.
    #[schemars(with = "Option<String>")]
    pub(super) workspaces_dir: Option<Spanned<String>>,
    /// The workspaces to audit, each under a name of your choice.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Workspace>")]
    pub(super) workspaces: BTreeMap<Spanned<String>, Spanned<Workspace>>,
    /// What is allowed: administrators, domains, limits, severities, exceptions.
    #[serde(default)]
    pub(super) policy: Policy,
    /// Policies by name: each says only what differs from `[policy]`. A workspace or a job names the one that applies.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Policy>")]
    pub(super) policies: BTreeMap<Spanned<String>, Policy>,
    /// Lists of who works for the company, each under a name of your choice. A policy names those that it uses.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Roster>")]
    pub(super) rosters: BTreeMap<Spanned<String>, Roster>,
    /// When workspaces are audited and who receives the report, each under a name of your choice.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Job>")]
    pub(super) jobs: BTreeMap<Spanned<String>, Job>,
    /// Reviews in which named people decide about every account, each under a name of your choice.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, reviews::Review>")]
    pub(super) reviews: BTreeMap<Spanned<String>, reviews::Review>,
    /// The mail server that sends the reports.
    #[schemars(with = "Option<Smtp>")]
    pub(super) smtp: Option<Spanned<Smtp>>,
    /// The database for audits and runs.
    pub(super) store: Option<Store>,
    /// Settings of `rolecall daemon`.
    #[serde(default)]
    pub(super) daemon: Daemon,
    /// Where evidence is kept; without it, none is.
    #[schemars(with = "Option<Evidence>")]
    pub(super) evidence: Option<Spanned<Evidence>>,
    /// The web console, which the daemon serves; without it, there is none.
    #[schemars(with = "Option<console::Console>")]
    pub(super) console: Option<Spanned<console::Console>>,
}

/// Where a secret is: `{ env = "NAME" }` or `{ file = "PATH" }`, never the secret itself. In the path of a workspace's secret,
/// `{workspace}` is its name.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Secret {
    /// The environment variable that holds it.
    Env(String),
    /// The file that holds it.
    File(String),
}

/// One workspace (tenant).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Workspace {
    /// The connector: `zoho_bigin` or `truto`.
    #[schemars(with = "ConnectorKind")]
    pub(super) connector: Spanned<ConnectorKind>,
    /// The data center of the organization: us, eu, in, au, jp, cn, sa or ca.
    #[schemars(with = "Option<String>")]
    data_center: Option<Spanned<String>>,
    /// The client id from Zoho's API console.
    #[schemars(with = "Option<String>")]
    client_id: Option<Spanned<String>>,
    /// The client secret.
    #[schemars(with = "Option<Secret>")]
    client_secret: Option<Spanned<Secret>>,
    /// The refresh token.
    #[schemars(with = "Option<Secret>")]
    refresh_token: Option<Spanned<Secret>>,
    /// Truto: the id of the integrated account.
    #[schemars(with = "Option<String>")]
    integrated_account_id: Option<Spanned<String>>,
    /// Truto: the API token.
    #[schemars(with = "Option<Secret>")]
    api_token: Option<Spanned<Secret>>,
    /// Truto: names of the resources that differ from the default.
    #[schemars(with = "Option<Resources>")]
    resources: Option<Spanned<Resources>>,
    /// An accounts server instead of the data center's.
    #[schemars(with = "Option<String>")]
    accounts_url: Option<Spanned<String>>,
    /// An API address instead of the vendor's.
    #[schemars(with = "Option<String>")]
    api_url: Option<Spanned<String>>,
    /// Whether `offboard` may remove users of this workspace.
    #[serde(default)]
    pub(super) allow_offboarding: bool,
    /// The expected organization, by id or exact name; `preflight` and `offboard` refuse any other.
    pub(super) organization: Option<String>,
    /// The name of its policy; without it, `[policy]`. A job's policy takes precedence.
    #[schemars(with = "Option<String>")]
    pub(super) policy: Option<Spanned<String>>,
    /// Maximum number of concurrent API calls, 1 to 10.
    #[schemars(with = "Option<i64>")]
    pub(super) concurrency: Option<Spanned<i64>>,
    /// Maximum duration of a read, in minutes.
    #[schemars(with = "Option<i64>")]
    pub(super) deadline_minutes: Option<Spanned<i64>>,
}

/// The value of a key that depends on the kind of connector.
#[derive(Debug)]
pub(super) enum Given<'a> {
    Text(&'a str),
    Secret(&'a Secret),
    Address(&'a Spanned<String>),
    /// Names of things that differ from the default, by the default name.
    Names(BTreeMap<&'static str, &'a str>),
}

/// A key of the file, if it is there: its name, the place of its value, and the value.
type GivenKey<'a> = Option<(&'static str, Range<usize>, Given<'a>)>;

impl Workspace {
    /// The keys that depend on the kind of connector; `None` for a key that the file does not have.
    pub(super) fn given(&self) -> [GivenKey<'_>; 9] {
        fn text<'a>(name: &'static str, value: Option<&'a Spanned<String>>) -> GivenKey<'a> {
            value.map(|text| (name, text.span(), Given::Text(text.get_ref())))
        }
        fn secret<'a>(name: &'static str, value: Option<&'a Spanned<Secret>>) -> GivenKey<'a> {
            value.map(|secret| (name, secret.span(), Given::Secret(secret.get_ref())))
        }
        fn address<'a>(name: &'static str, value: Option<&'a Spanned<String>>) -> GivenKey<'a> {
            value.map(|url| (name, url.span(), Given::Address(url)))
        }
        [
            text("data_center", self.data_center.as_ref()),
            text("client_id", self.client_id.as_ref()),
            secret("client_secret", self.client_secret.as_ref()),
            secret("refresh_token", self.refresh_token.as_ref()),
            text("integrated_account_id", self.integrated_account_id.as_ref()),
            secret("api_token", self.api_token.as_ref()),
            self.resources.as_ref().map(|names| ("resources", names.span(), Given::Names(names.get_ref().names()))),
            address("accounts_url", self.accounts_url.as_ref()),
            address("api_url", self.api_url.as_ref()),
        ]
    }
}

impl JsonSchema for ConnectorKind {
    fn schema_name() -> Cow<'static, str> {
        "Connector".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let kinds = Self::ALL
            .map(|kind| json!({"const": kind.name(), "description": format!("{}.", kind.title()), "type": "string"}));
        json_schema!({"description": "The connector that reads a workspace.", "oneOf": kinds})
    }
}

/// Names of the resources of an integrated account.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Resources {
    /// Users (default `users`).
    users: Option<String>,
    /// Roles (default `roles`).
    roles: Option<String>,
    /// Profiles (default `profiles`).
    profiles: Option<String>,
    /// The organization (default `current_organization`).
    current_organization: Option<String>,
    /// The account's own user (default `me`).
    me: Option<String>,
}

impl Resources {
    /// The names in the file, by their default.
    fn names(&self) -> BTreeMap<&'static str, &str> {
        let Self { users, roles, profiles, current_organization, me } = self;
        [
            ("users", users),
            ("roles", roles),
            ("profiles", profiles),
            ("current_organization", current_organization),
            ("me", me),
        ]
        .into_iter()
        .filter_map(|(usual, name)| Some((usual, name.as_deref()?)))
        .collect()
    }
}

/// What is allowed, and what is a finding.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Policy {
    /// Names or ids of the administrator profiles.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) administrator_profiles: Option<Spanned<Vec<String>>>,
    /// Addresses of the approved administrators.
    #[schemars(with = "Option<Vec<String>>")]
    pub(super) approved_administrators: Option<Vec<Spanned<String>>>,
    /// The company's mail domains, including their subdomains.
    #[schemars(with = "Vec<String>")]
    pub(super) company_domains: Vec<Spanned<String>>,
    /// Maximum number of active administrators.
    #[schemars(with = "Option<i64>")]
    pub(super) max_administrators: Option<Spanned<i64>>,
    /// Maximum share of administrators among active users, in percent.
    #[schemars(with = "Option<f64>")]
    pub(super) max_administrator_percent: Option<Spanned<f64>>,
    /// Days after which an open invitation is a finding.
    #[schemars(with = "Option<i64>")]
    pub(super) unconfirmed_days: Option<Spanned<i64>>,
    /// Local parts of shared mailboxes, such as `info`.
    pub(super) shared_mailboxes: Option<Vec<String>>,
    /// Days from now after which an exception lasts too long.
    #[schemars(with = "Option<i64>")]
    pub(super) max_exception_days: Option<Spanned<i64>>,
    /// Parts of the names of dangerous permissions, such as `export`.
    pub(super) dangerous_permissions: Option<Vec<String>>,
    /// Severities that differ from the default, or `off`, by rule.
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) rules: BTreeMap<Spanned<String>, Spanned<String>>,
    /// Why rules are off, by rule. A rule that is off needs a reason.
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) off_reasons: BTreeMap<Spanned<String>, Spanned<String>>,
    /// The frameworks whose criteria reports name: soc2 (default), iso27001.
    #[schemars(with = "Option<Vec<Framework>>")]
    pub(super) frameworks: Option<Spanned<Vec<Framework>>>,
    /// Accounts that are not people.
    #[schemars(with = "Vec<Account>")]
    pub(super) accounts: Vec<Account>,
    /// Accepted findings.
    pub(super) exceptions: Vec<Exception>,
    /// Rules that exceptions may accept although they say what an audit is for: leaver-active, incomplete-read.
    #[schemars(with = "Vec<String>")]
    pub(super) may_except: Vec<Spanned<String>>,
    /// Findings that are known and will be fixed by a date.
    pub(super) planned_fixes: Vec<PlannedFix>,
    /// Rights that one person must not hold together.
    pub(super) separations: Vec<Separation>,
    /// Rules of your own.
    pub(super) custom_rules: Vec<CustomRule>,
    /// The names of the rosters that say who works for the company, joined.
    #[schemars(with = "Option<Names>")]
    pub(super) roster: Option<Spanned<Names>>,
    /// Domains whose addresses are the same as those of another domain: old = new.
    #[schemars(with = "BTreeMap<String, String>")]
    pub(super) domain_aliases: BTreeMap<Spanned<String>, Spanned<String>>,
    /// Who may hold which profiles and roles, by department or job title of the roster.
    pub(super) expected_access: Vec<ExpectedAccess>,
}

/// Accounts that are not people: service, shared and break-glass accounts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    /// A user's address or id, or a pattern such as `svc-*@example.com` or `/svc-[0-9]+@example\.com/`.
    #[schemars(with = "String")]
    pub(super) subject: Spanned<String>,
    /// What it is: service, shared or break-glass.
    pub(super) kind: AccountKind,
    /// The address of who is responsible for it.
    #[schemars(with = "String")]
    pub(super) owner: Spanned<String>,
    /// Why it exists.
    #[schemars(with = "String")]
    pub(super) reason: Spanned<String>,
    /// The last day on which the declaration applies, such as 2027-06-30.
    #[schemars(with = "String", extend("format" = "date"))]
    pub(super) until: Spanned<toml::value::Datetime>,
    /// The workspace it applies to; without it, all.
    #[schemars(with = "Option<String>")]
    pub(super) workspace: Option<Spanned<String>>,
}

/// A job: when to audit which workspaces, and who receives the report.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Job {
    /// The workspaces to audit: names, or patterns such as `emea-*`.
    #[schemars(with = "Vec<String>")]
    pub(super) workspaces: Spanned<Vec<Spanned<String>>>,
    /// The name of the policy for all its workspaces; without it, each workspace's own.
    #[schemars(with = "Option<String>")]
    pub(super) policy: Option<Spanned<String>>,
    /// A cron pattern of five fields, or six with seconds first.
    #[schemars(with = "String")]
    pub(super) schedule: Spanned<String>,
    /// The IANA time zone of the schedule (default UTC).
    #[schemars(with = "Option<String>")]
    pub(super) time_zone: Option<Spanned<String>>,
    /// Minutes that each scheduled time is spread over: every workspace is due at a place of its own.
    #[schemars(with = "Option<i64>")]
    pub(super) splay_minutes: Option<Spanned<i64>>,
    /// What happens to runs missed while the daemon was down: latest, all or skip.
    #[serde(default)]
    pub(super) missed: Missed,
    /// Exit with 3 if there are open findings at or above this severity: critical, high, medium, low or info.
    #[schemars(with = "Option<String>")]
    pub(super) fail_on: Option<Spanned<String>>,
    /// Who receives the report by mail.
    #[schemars(with = "Option<Email>")]
    pub(super) email: Option<Spanned<Email>>,
    /// A URL to call when a run starts, succeeds and fails, as healthchecks.io defines it.
    pub(super) heartbeat: Option<Secret>,
}

/// Who receives the report by mail.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Email {
    /// The recipients' addresses.
    #[schemars(with = "Vec<String>")]
    pub(super) to: Spanned<Vec<Spanned<String>>>,
    /// Attachments: csv, xlsx, html, json.
    #[serde(default = "Attach::standard")]
    pub(super) attach: Vec<Attach>,
    /// When to send it: always, findings or changes.
    #[serde(default)]
    pub(super) when: When,
    /// One message about all workspaces of the job instead of one for each.
    #[serde(default)]
    pub(super) combine: bool,
}

/// An attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Attach {
    /// Three tables as CSV files.
    Csv,
    /// The same tables as a workbook.
    Xlsx,
    /// The HTML report.
    Html,
    /// The report as JSON, for programs.
    Json,
}

impl Attach {
    fn standard() -> Vec<Self> {
        vec![Self::Csv, Self::Xlsx]
    }
}

/// The mail server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Smtp {
    /// The server's host name.
    #[schemars(with = "String")]
    pub(super) host: Spanned<String>,
    /// The port (default 587, or 465 with `security = "tls"`).
    #[schemars(with = "Option<i64>")]
    pub(super) port: Option<Spanned<i64>>,
    /// Encryption of the connection: starttls, tls or none.
    #[serde(default)]
    pub(super) security: Security,
    /// Allow `security = "none"` for a server on another machine.
    #[serde(default)]
    pub(super) allow_plaintext: bool,
    /// The full name of this machine in `EHLO`, if the server does not accept the usual one.
    #[schemars(with = "Option<String>")]
    pub(super) helo_name: Option<Spanned<String>>,
    /// The user name.
    #[schemars(with = "Option<String>")]
    pub(super) username: Option<Spanned<String>>,
    /// The password.
    #[schemars(with = "Option<Secret>")]
    pub(super) password: Option<Spanned<Secret>>,
    /// The sender: `Name <address>`.
    #[schemars(with = "String")]
    pub(super) from: Spanned<String>,
    /// Maximum duration of one delivery, in seconds.
    #[schemars(with = "Option<i64>")]
    pub(super) timeout_seconds: Option<Spanned<i64>>,
    /// A PEM file with certificate authorities to trust besides the system's.
    pub(super) ca_file: Option<String>,
}

/// The database for audits and runs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Store {
    /// `sqlite:PATH`, relative to the configuration file, or `postgres://ROLE@HOST/DATABASE` for several replicas.
    #[schemars(with = "String")]
    pub(super) url: Spanned<String>,
    /// The password of the role: `{ env = "NAME" }` or `{ file = "PATH" }`.
    #[schemars(with = "Option<Secret>")]
    pub(super) password: Option<Spanned<Secret>>,
    /// A PEM file with certificate authorities to trust besides the system's.
    #[schemars(with = "Option<String>")]
    pub(super) root_certificate: Option<Spanned<String>>,
    /// The most connections of one process to the server.
    #[schemars(with = "Option<i64>")]
    pub(super) max_connections: Option<Spanned<i64>>,
    /// Encrypts the access tokens that replicas share through the database: `{ env = "NAME" }` or `{ file = "PATH" }`, the same for
    /// all of them. Without it, each replica gets tokens of its own.
    #[schemars(with = "Option<Secret>")]
    pub(super) token_key: Option<Spanned<Secret>>,
    /// Days to keep snapshots of audits; the latest of each job and workspace is always kept.
    #[schemars(with = "Option<i64>")]
    pub(super) keep_days: Option<Spanned<i64>>,
}

/// Settings of `rolecall daemon`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Daemon {
    /// Address and port of `/healthz`, `/readyz` and `/metrics`, or `off`.
    #[schemars(with = "Option<String>")]
    pub(super) listen: Option<Spanned<String>>,
    /// Names of this host by which the status page may be asked, beside its addresses and `localhost`.
    #[serde(default)]
    pub(super) allowed_hosts: Vec<String>,
    /// The name of this daemon among others on the same store; without it, the name of the host and the process id.
    #[schemars(with = "Option<String>")]
    pub(super) replica: Option<Spanned<String>>,
    /// Maximum number of concurrent runs, and of concurrent deliveries.
    #[schemars(with = "Option<i64>")]
    pub(super) workers: Option<Spanned<i64>>,
    /// Seconds after which another daemon takes over a run whose process is dead.
    #[schemars(with = "Option<i64>")]
    pub(super) lease_seconds: Option<Spanned<i64>>,
    /// Seconds that a stopping daemon lets work continue before it releases it.
    #[schemars(with = "Option<i64>")]
    pub(super) stop_seconds: Option<Spanned<i64>>,
}

/// Where evidence is kept.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Evidence {
    /// The folder for evidence bags, mails and the ledger.
    #[schemars(with = "Option<String>")]
    pub(super) directory: Option<Spanned<String>>,
    /// In place of a folder: `s3://BUCKET/PREFIX` for an S3-compatible object store, or `file:///PATH`.
    #[schemars(with = "Option<String>")]
    pub(super) url: Option<Spanned<String>>,
    /// How the object store is reached.
    #[schemars(with = "Option<evidence::S3>")]
    pub(super) s3: Option<Spanned<evidence::S3>>,
    /// The folder where bags wait while the object store cannot be reached.
    #[schemars(with = "Option<String>")]
    pub(super) spool: Option<Spanned<String>>,
    /// How many megabytes may wait there (default 1024).
    #[schemars(with = "Option<i64>")]
    pub(super) spool_megabytes: Option<Spanned<i64>>,
    /// The OpenSSH key that signs them: `{ file = "PATH" }`.
    #[schemars(with = "Option<Secret>")]
    pub(super) signing_key: Option<Spanned<Secret>>,
    /// Days to keep bags, at least 550; without it, forever.
    #[schemars(with = "Option<i64>")]
    pub(super) keep_days: Option<Spanned<i64>>,
    /// Authorities that confirm when evidence existed; without it, only this machine's clock says so.
    pub(super) timestamps: Option<timestamps::Timestamps>,
}
