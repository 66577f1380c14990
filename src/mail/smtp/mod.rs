//! Sending a message to a mail server: one exchange with one timeout, and a failure that names its stage.
//!
//! - [`SmtpSettings`]: the `[smtp]` section, checked;
//! - [`Mailer`]: sends; [`SmtpMailer`] is the real one;
//! - [`SendError`]: the [`Stage`], the [`Failure`] (transient, permanent, unknown) and the server's words;
//! - [`StageResult`]: the result of each stage, for `rolecall mail test`.
//!
//! Encryption is configured or not. It is never opportunistic.

mod error;
mod exchange;
mod replies;
mod starttls;
mod stream;

#[cfg(test)]
mod tests;

use std::time::Duration;

use async_trait::async_trait;
use secrecy::SecretString;

pub use self::error::{Failure, SendError, Stage};
use self::{error::Broken, exchange::Progress};
use super::message::Email;
pub use crate::model::mail::Security;

/// How to reach the mail server.
#[derive(Debug, Clone)]
pub struct SmtpSettings {
    /// The server's name, which its certificate must have, or its address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// The name of this machine in `EHLO`; `None` for its name or address.
    pub helo_name: Option<String>,
    /// The account; `None` if the server needs no authentication.
    pub username: Option<String>,
    /// Its password.
    pub password: Option<SecretString>,
    /// The timeout of the whole exchange, from resolving the name to `QUIT`.
    pub timeout: Duration,
    /// Certificate authorities to trust in addition to the system's, in PEM format.
    pub extra_roots: Option<Vec<u8>>,
}

/// A message that a server accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The server's answer, often with its own id for the message.
    pub answer: String,
}

/// Sends e-mails.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Sends one message.
    ///
    /// # Errors
    /// [`SendError`]: it was not accepted, or that is unknown.
    async fn send(&self, email: &Email) -> Result<Accepted, SendError>;
}

/// The result of one stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageResult {
    /// The stage.
    pub stage: Stage,
    /// How it ended.
    pub outcome: StageOutcome,
}

/// How one stage ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StageOutcome {
    /// It passed, with a detail.
    Passed(String),
    /// It failed.
    Failed(SendError),
    /// An earlier one failed.
    NotReached,
}

/// Sends each message to a mail server over a new connection.
#[derive(Debug)]
pub struct SmtpMailer {
    settings: SmtpSettings,
}

impl SmtpMailer {
    /// For a server.
    pub fn new(settings: SmtpSettings) -> Self {
        Self { settings }
    }

    /// Sends a message and returns the result of each stage. If all passed, the server accepted the message.
    pub async fn send_by_stages(&self, email: &Email) -> Vec<StageResult> {
        let (progress, result) = self.exchange(email).await;
        let error = result.err();
        let outcome = |stage: Stage| {
            if let Some((_, detail)) = progress.passed.iter().find(|(passed, _)| *passed == stage) {
                return StageOutcome::Passed(error::answer(detail, self.settings.password.as_ref(), stage));
            }
            match &error {
                Some(error) if error.stage == stage => StageOutcome::Failed(error.clone()),
                _ => StageOutcome::NotReached,
            }
        };
        Stage::ALL.into_iter().map(|stage| StageResult { stage, outcome: outcome(stage) }).collect()
    }

    async fn exchange(&self, email: &Email) -> (Progress, Result<Accepted, SendError>) {
        let mut progress = Progress::default();
        let bounded = tokio::time::timeout(self.settings.timeout, exchange::send(&self.settings, email, &mut progress));
        let broken = match bounded.await {
            Ok(Ok(())) => None,
            Ok(Err(broken)) => Some(broken),
            Err(_) => Some(self.timed_out(&progress)),
        };
        // An accepted message stays accepted, even if QUIT timed out.
        let result = match (&progress.accepted, broken) {
            (Some(answer), _) => {
                let answer = error::answer(answer, self.settings.password.as_ref(), Stage::Data);
                Ok(Accepted { answer })
            }
            (None, broken) => Err(self.error(&broken.unwrap_or_else(|| Broken::closed(progress.stage)))),
        };
        (progress, result)
    }

    fn timed_out(&self, progress: &Progress) -> Broken {
        let failure = if progress.handed_over { Failure::Unknown } else { Failure::Transient };
        let text = format!("the exchange did not finish within {} s", self.settings.timeout.as_secs_f64());
        Broken::new(progress.stage, failure, text)
    }

    fn error(&self, broken: &Broken) -> SendError {
        SendError {
            server: format!("{}:{}", self.settings.host, self.settings.port),
            stage: broken.stage,
            failure: broken.failure,
            code: broken.code,
            limit: broken.limit,
            remedy: broken.remedy,
            answer: error::answer(&broken.text, self.settings.password.as_ref(), broken.stage),
        }
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, email: &Email) -> Result<Accepted, SendError> {
        self.exchange(email).await.1
    }
}
