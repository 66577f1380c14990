//! A mailer that keeps what it is given, for tests and for looking before sending.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::{
    message::Email,
    smtp::{Accepted, Failure, Mailer, SendError, Stage},
};

/// Keeps every message in memory. It can be told to fail.
#[derive(Debug, Default)]
pub struct MemoryMailer {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sent: Vec<Email>,
    failure: Option<(Stage, Failure)>,
}

impl MemoryMailer {
    /// The messages that were accepted, the oldest first.
    pub fn sent(&self) -> Vec<Email> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).sent.clone()
    }

    /// Fails from now on at this stage in this way, or accepts again.
    pub fn set_failure(&self, failure: Option<(Stage, Failure)>) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).failure = failure;
    }
}

#[async_trait]
impl Mailer for MemoryMailer {
    async fn send(&self, email: &Email) -> Result<Accepted, SendError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((stage, failure)) = state.failure {
            let answer = "told to fail".to_owned();
            return Err(SendError { server: "memory".to_owned(), stage, failure, code: None, answer });
        }
        state.sent.push(email.clone());
        Ok(Accepted { answer: "kept in memory".to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_accepted_is_kept_and_what_fails_is_not() {
        let email = Email {
            from: "a@example.com".into(),
            to: "b@example.com".into(),
            message_id: "<1@x>".into(),
            bytes: vec![],
        };
        let mailer = MemoryMailer::default();
        mailer.set_failure(Some((Stage::Data, Failure::Unknown)));
        assert_eq!(mailer.send(&email).await.unwrap_err().failure, Failure::Unknown);
        mailer.set_failure(None);
        mailer.send(&email).await.unwrap();
        assert_eq!(mailer.sent(), [email]);
    }
}
