//! What a person answered, checked one answer at a time.

use url::Url;

/// The job that the configuration starts with.
pub const JOB: &str = "weekly-access-review";

/// An answer that a configuration cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// The name of a workspace.
    #[error("invalid workspace name `{0}`; expected letters, digits, `-` and `_`, at most 64")]
    WorkspaceName(String),
    /// The id of a client.
    #[error("invalid client id; expected one line without spaces, such as 1000.ABC")]
    ClientId,
    /// A domain.
    #[error("invalid domain `{0}`; expected a name such as example.com")]
    Domain(String),
    /// An e-mail address.
    #[error("invalid e-mail address `{0}`; expected an address such as security@example.com")]
    Address(String),
}

/// Everything that the configuration says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// The workspace's name in the configuration.
    pub workspace: String,
    /// The data center's code.
    pub data_center: String,
    /// The client's id.
    pub client_id: String,
    /// An accounts server that replaces the data center's.
    pub accounts_url: Option<Url>,
    /// The company's domains; empty if none were given.
    pub company_domains: Vec<String>,
    /// The administrators.
    pub administrators: Administrators,
    /// The IANA time zone of the schedule.
    pub time_zone: String,
    /// Where reports are mailed; `None` if they are not.
    pub mail: Option<Mail>,
    /// The folder of store and evidence; `None` for the folder of the configuration.
    pub state: Option<std::path::PathBuf>,
}

/// What the configuration says about approved administrators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Administrators {
    /// These are approved.
    Approved(Vec<String>),
    /// These were found and nobody has approved them: the configuration proposes them in a comment.
    Proposed(Vec<String>),
}

/// How reports are mailed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Who receives them.
    pub to: Vec<String>,
    /// The sender.
    pub from: String,
    /// The mail server.
    pub host: String,
    /// Its port; `None` for the usual one.
    pub port: Option<u16>,
    /// How the connection is protected: `starttls`, `tls` or `none`.
    pub security: String,
    /// The account at the mail server; `None` if it asks for none.
    pub username: Option<String>,
}

/// Checks the name of a workspace.
///
/// # Errors
/// [`AnswerError::WorkspaceName`]
pub fn workspace_name(text: &str) -> Result<String, AnswerError> {
    let is_good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if text.is_empty() || text.len() > 64 || !text.chars().all(is_good) {
        return Err(AnswerError::WorkspaceName(text.to_owned()));
    }
    Ok(text.to_owned())
}

/// Checks the id of a client. The message does not repeat it: people paste the secret here by mistake.
///
/// # Errors
/// [`AnswerError::ClientId`]
pub fn client_id(text: &str) -> Result<String, AnswerError> {
    let is_good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if text.is_empty() || text.len() > 200 || !text.chars().all(is_good) {
        return Err(AnswerError::ClientId);
    }
    Ok(text.to_owned())
}

/// Checks a company's domain.
///
/// # Errors
/// [`AnswerError::Domain`]
pub fn domain(text: &str) -> Result<String, AnswerError> {
    let parsed = url::Host::parse(text).ok().filter(|host| matches!(host, url::Host::Domain(_)));
    if parsed.is_none() || !text.contains('.') || text.ends_with('.') {
        return Err(AnswerError::Domain(text.to_owned()));
    }
    Ok(text.to_lowercase())
}

/// Checks an e-mail address, roughly: the configuration checks it in full.
///
/// # Errors
/// [`AnswerError::Address`]
pub fn address(text: &str) -> Result<String, AnswerError> {
    let is_good = text.split_once('@').is_some_and(|(local, host)| {
        !local.is_empty() && !host.is_empty() && !host.contains('@') && !text.contains(char::is_whitespace)
    });
    if is_good { Ok(text.to_owned()) } else { Err(AnswerError::Address(text.to_owned())) }
}
