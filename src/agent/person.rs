//! The person behind a model, whose confirmation a tool may need.

use async_trait::async_trait;

use crate::model::actor::Actor;

/// A question to a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What the answer applies to; it applies to nothing else.
    pub about: String,
    /// The decision to make. It quotes the workspace, line by line.
    pub message: String,
    /// The text to type.
    pub asked: String,
}

/// A person's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The person typed this.
    Typed(String),
    /// The person declined.
    Declined,
    /// Nobody can be asked, and why.
    Unable(String),
    /// The question was sent; the same call is repeated with the answer.
    Asked,
}

/// A person who is not the model, and how to reach them.
#[async_trait]
pub trait Person: Send + Sync {
    /// Through what they speak, for the log and the ledger.
    fn actor(&self) -> Actor;

    /// How it is known that a person confirmed, for the ledger: one short line, which claims no more than is known.
    fn confirmation(&self) -> String;

    /// Whether the call was cancelled meanwhile.
    fn has_left(&self) -> bool {
        false
    }

    /// Asks.
    async fn ask(&self, question: &Question) -> Reply;
}
