//! A channel delivers notifications to the world outside.

use std::sync::Arc;

use async_trait::async_trait;

use crate::model::notification::Notification;

/// The result of one attempt to deliver a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The other side accepted it, with this answer.
    Delivered(String),
    /// It was not accepted for this reason, and a later attempt may succeed.
    Again(String),
    /// It was refused for this reason, and every later attempt would be.
    Final(String),
    /// It was refused for its size; a smaller one may be accepted.
    TooLarge {
        /// What happened.
        reason: String,
        /// The other side's words alone.
        answer: String,
        /// How many bytes it takes at most, if it said so.
        limit: Option<usize>,
    },
}

/// Delivers notifications of one kind of address.
///
/// The text of an [`Outcome`] is stored, logged and mailed: it holds no secret. A notification whose fate is unknown is
/// delivered again, so receivers must be able to recognise it or not mind.
#[async_trait]
pub trait Channel: Send + Sync {
    /// The name that notifications choose it by. A name is stored in the outbox and never changes.
    fn name(&self) -> &'static str;

    /// Attempts to deliver a notification once.
    async fn deliver(&self, notification: &Notification) -> Outcome;
}

/// The channels that are set up.
#[derive(Clone, Default)]
pub struct Channels(Vec<Arc<dyn Channel>>);

impl Channels {
    /// These channels and one more.
    #[must_use]
    pub fn with(mut self, channel: impl Channel + 'static) -> Self {
        self.0.push(Arc::new(channel));
        self
    }

    /// Delivers a notification over the channel that it names. If that channel is not set up, the notification waits.
    pub async fn deliver(&self, notification: &Notification) -> Outcome {
        match self.0.iter().find(|channel| channel.name() == notification.channel) {
            Some(channel) => channel.deliver(notification).await,
            None => Outcome::Again(format!(
                "the channel `{}` is not configured; the message waits until it is",
                notification.channel
            )),
        }
    }
}
