//! What the system asks of the process.

use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// Returns when the process is asked to end: SIGINT or SIGTERM.
pub(super) async fn stopped() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result,
        _ = terminate.recv() => Ok(()),
    }
}
