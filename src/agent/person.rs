//! The person behind a model, whose word a tool may need.

use async_trait::async_trait;

use crate::model::actor::Actor;

/// What a person is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What the answer counts for, and for nothing else.
    pub about: String,
    /// What is to be decided. It quotes the workspace, line by line.
    pub message: String,
    /// What has to be typed.
    pub asked: String,
}

/// What a person said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// This was typed.
    Typed(String),
    /// No.
    Declined,
    /// Nobody can be asked, and why.
    Unable(String),
    /// The question is on its way; the same call comes again with the answer.
    Asked,
}

/// Somebody who is not the model, and the way to them.
#[async_trait]
pub trait Person: Send + Sync {
    /// Through what they speak, for the log and the ledger.
    fn actor(&self) -> Actor;

    /// How it is known that a person confirmed, for the ledger: one short line, which claims no more than is known.
    fn confirmation(&self) -> String;

    /// Whether the call was taken back meanwhile.
    fn has_left(&self) -> bool {
        false
    }

    /// Asks.
    async fn ask(&self, question: &Question) -> Reply;
}
