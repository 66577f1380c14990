//! Where processes on several machines share access tokens, as connectors see it.

use std::fmt;

use async_trait::async_trait;
use uuid::Uuid;

/// Keeps what processes share about a client, under a name that says nothing about the client.
///
/// What cannot be read or written counts as not there: then a process gets a token of its own.
#[async_trait]
pub trait TokenShelf: fmt::Debug + Send + Sync {
    /// What is kept; `None` if nothing is.
    async fn look(&self, name: &str) -> Option<Vec<u8>>;

    /// Takes the turn to replace what is kept. It ends when it is given back, or by itself after a while.
    async fn take(&self, name: &str, turn: Uuid) -> Taken;

    /// Replaces what is kept, if the turn has not ended.
    async fn replace(&self, name: &str, turn: Uuid, content: &[u8]);

    /// Ends a turn.
    async fn give_back(&self, name: &str, turn: Uuid);
}

/// Whether a turn was taken.
#[derive(Debug)]
pub enum Taken {
    /// It was; what is kept.
    Yes(Option<Vec<u8>>),
    /// Another process has it.
    Busy,
    /// The place cannot be used now.
    Unavailable,
}
