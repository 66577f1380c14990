//! Notifications: what waits in the outbox, and the channels it leaves by.
//!
//! - [`dispatch`]: takes one message to its channel and stores the result;
//! - [`heartbeat`]: pings a monitoring service over HTTP.

pub mod dispatch;
pub mod heartbeat;
