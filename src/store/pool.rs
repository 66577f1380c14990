//! Pools of connections.

use sqlx::{Database, pool::PoolOptions};

/// A pool without the task that looks for old connections. In sqlx 0.9.0 and before, that task can misread how many there are
/// and then count for ever: it takes a core and a thread of the runtime, and a daemon may answer and do no more
/// (`transact-rs/sqlx#3645`, seen once on a busy machine). An adapter that wants old
/// connections replaced says so in `before_acquire`.
pub(super) fn options<D: Database>() -> PoolOptions<D> {
    PoolOptions::new().idle_timeout(None).max_lifetime(None)
}
