//! Notifications: how what waits in the outbox is delivered.
//!
//! - [`channel`]: what a channel is, and the ones that are set up;
//! - [`email`] and [`heartbeat`]: the channels;
//! - [`dispatch`]: takes one notification to its channel and stores the result;
//! - [`closing`]: closes delivered runs and queues the pings about them.

pub mod channel;
pub mod closing;
pub mod dispatch;
pub mod email;
pub mod heartbeat;

#[cfg(test)]
mod conformance;
