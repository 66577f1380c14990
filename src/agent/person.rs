//! The person behind a model, whose word a tool may need.

use async_trait::async_trait;

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
    /// What they speak through, for the log: one short line.
    fn name(&self) -> &str;

    /// How it is known that a person said what was said, for the ledger: one short line, which claims no more than that.
    fn vouches(&self) -> String;

    /// Whether the call was taken back meanwhile.
    fn has_left(&self) -> bool {
        false
    }

    /// Asks.
    async fn ask(&self, question: &Question) -> Reply;
}
