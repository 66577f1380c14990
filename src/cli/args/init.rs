//! The arguments of `rolecall init`: every question has one, and no secret is an argument.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Clone, Args)]
pub(crate) struct InitArgs {
    /// Print the commented configuration and write nothing
    #[arg(long)]
    pub(crate) print: bool,
    /// The workspace's name in the configuration and in reports
    #[arg(long, value_name = "NAME")]
    pub(crate) workspace: Option<String>,
    /// Where the organization and the API client live: us, eu, in, au, jp, cn, sa or ca
    #[arg(long, value_name = "CODE")]
    pub(crate) data_center: Option<String>,
    /// The client id from Zoho's API console (Self Client)
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// Read the client secret from this file; `-` is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "client_secret_env")]
    pub(crate) client_secret_file: Option<PathBuf>,
    /// Read the client secret from this environment variable
    #[arg(long, value_name = "NAME")]
    pub(crate) client_secret_env: Option<String>,
    #[command(flatten)]
    pub(crate) credential: CredentialArgs,
    /// A domain of the company's e-mail addresses (repeatable)
    #[arg(long = "company-domain", value_name = "DOMAIN", value_delimiter = ',')]
    pub(crate) company_domains: Vec<String>,
    /// An administrator who is meant to be one (repeatable); without it the administrators found are proposed in a comment
    #[arg(long = "approved-administrator", value_name = "EMAIL", value_delimiter = ',')]
    pub(crate) approved_administrators: Vec<String>,
    /// Approve all administrators that the workspace has now
    #[arg(long, conflicts_with = "approved_administrators")]
    pub(crate) approve_administrators: bool,
    /// The time zone of the weekly schedule, such as Europe/Berlin; without it the organization's
    #[arg(long, value_name = "ZONE")]
    pub(crate) time_zone: Option<String>,
    #[command(flatten)]
    pub(crate) mail: MailArgs,
    /// Keep the store and the evidence in this folder; without it beside the configuration
    #[arg(long, value_name = "DIR")]
    pub(crate) state_dir: Option<PathBuf>,
    /// An accounts server that replaces the data center's: a gateway, or `rolecall simulate`
    #[arg(long, value_name = "URL")]
    pub(crate) accounts_url: Option<url::Url>,
}

#[derive(Debug, Clone, Args)]
#[group(multiple = false)]
pub(crate) struct CredentialArgs {
    /// Read the grant code from this file; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) grant_code_file: Option<PathBuf>,
    /// Read the grant code from this environment variable
    #[arg(long, value_name = "NAME")]
    pub(crate) grant_code_env: Option<String>,
    /// Read an existing refresh token from this file; `-` is stdin
    #[arg(long, value_name = "FILE")]
    pub(crate) refresh_token_file: Option<PathBuf>,
    /// Read an existing refresh token from this environment variable
    #[arg(long, value_name = "NAME")]
    pub(crate) refresh_token_env: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub(crate) struct MailArgs {
    /// Do not mail reports, and do not ask
    #[arg(long, conflicts_with_all = ["mail_to", "smtp_host"])]
    pub(crate) no_mail: bool,
    /// Who receives the reports (repeatable)
    #[arg(long, value_name = "EMAIL", value_delimiter = ',')]
    pub(crate) mail_to: Vec<String>,
    /// The sender, such as "rolecall <audit@example.com>"
    #[arg(long, value_name = "SENDER")]
    pub(crate) mail_from: Option<String>,
    /// The mail server
    #[arg(long, value_name = "HOST")]
    pub(crate) smtp_host: Option<String>,
    /// The port of the mail server; without it 587, or 465 with tls
    #[arg(long, value_name = "PORT")]
    pub(crate) smtp_port: Option<u16>,
    /// How the connection to the mail server is protected
    #[arg(long, value_name = "MODE", default_value = "starttls")]
    pub(crate) smtp_security: SmtpSecurity,
    /// The account at the mail server
    #[arg(long, value_name = "NAME")]
    pub(crate) smtp_username: Option<String>,
    /// Read the password of that account from this file; `-` is stdin
    #[arg(long, value_name = "FILE", conflicts_with = "smtp_password_env")]
    pub(crate) smtp_password_file: Option<PathBuf>,
    /// Read the password of that account from this environment variable
    #[arg(long, value_name = "NAME")]
    pub(crate) smtp_password_env: Option<String>,
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SmtpSecurity {
    /// TLS after STARTTLS
    Starttls,
    /// TLS from the start
    Tls,
    /// No protection: only for a server on this machine
    None,
}

impl SmtpSecurity {
    /// The word of the configuration.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Starttls => "starttls",
            Self::Tls => "tls",
            Self::None => "none",
        }
    }
}
