//! An SMTP inbox on the loopback interface: it takes every message, delivers none, and lets tests
//! read them.
//!
//! It speaks what a mail client needs (RFC 5321, SIZE, 8BITMIME, AUTH PLAIN and LOGIN), without TLS,
//! and can be made to fail at each stage of an exchange ([`InboxFault`]).

mod faults;
mod session;

#[cfg(test)]
mod tests;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{net::TcpListener, sync::watch};

pub use self::faults::{InboxFault, UnknownInboxFault};

/// The most messages that are kept; older ones are dropped.
const KEPT_MESSAGES: usize = 1_000;

/// The largest message that is accepted, in bytes.
pub(super) const MAX_MESSAGE_SIZE: usize = 35 * 1024 * 1024;

/// The pause after a connection that could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A message as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The sender of the envelope.
    pub from: String,
    /// The recipients of the envelope that were accepted.
    pub to: Vec<String>,
    /// Header and body, with CRLF line ends and without the dots of the transport.
    pub bytes: Vec<u8>,
    /// Whether the client got the answer that the message was accepted. It did not if the exchange
    /// was made to break after the data: then the client cannot know, and should send again.
    pub acknowledged: bool,
}

/// User name and password that the inbox asks for.
#[derive(Clone)]
pub struct Login {
    /// The user name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Login").field("username", &self.username).finish_non_exhaustive()
    }
}

/// The inbox. Clones are the same inbox.
#[derive(Debug, Clone)]
pub struct Inbox {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    messages: watch::Sender<Vec<Message>>,
    fault: Mutex<Option<InboxFault>>,
    login: Option<Login>,
    max_message_size: usize,
}

impl Inbox {
    pub(super) fn new(address: SocketAddr, login: Option<Login>, max_message_size: usize) -> Self {
        let shared =
            Shared { messages: watch::Sender::new(Vec::new()), fault: Mutex::new(None), login, max_message_size };
        Self { address, shared: Arc::new(shared) }
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The messages so far, the oldest first.
    pub fn messages(&self) -> Vec<Message> {
        self.shared.messages.borrow().clone()
    }

    /// Waits until there are at least `count` messages and returns all of them.
    pub async fn wait_for(&self, count: usize) -> Vec<Message> {
        let mut changes = self.shared.messages.subscribe();
        match changes.wait_for(|messages| messages.len() >= count).await {
            Ok(messages) => messages.clone(),
            // The sender lives in `self`.
            Err(_) => self.messages(),
        }
    }

    /// Forgets all messages.
    pub fn clear(&self) {
        self.shared.messages.send_modify(Vec::clear);
    }

    /// Makes the exchanges that begin from now on fail, or succeed again.
    pub fn set_fault(&self, fault: Option<InboxFault>) {
        *self.fault_lock() = fault;
    }

    /// Answers connections until the task is dropped.
    pub(super) async fn serve(self, listener: TcpListener) {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                // Mostly too many open files: some will be closed meanwhile.
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let inbox = self.clone();
            tokio::spawn(async move { session::run(stream, &inbox).await });
        }
    }

    fn fault(&self) -> Option<InboxFault> {
        *self.fault_lock()
    }

    fn fault_lock(&self) -> MutexGuard<'_, Option<InboxFault>> {
        self.shared.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, message: Message) {
        self.shared.messages.send_modify(|messages| {
            if messages.len() == KEPT_MESSAGES {
                messages.remove(0);
            }
            messages.push(message);
        });
    }
}
