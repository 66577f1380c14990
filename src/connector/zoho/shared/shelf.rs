//! The turn at a shelf that processes on several machines share.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use uuid::Uuid;

use crate::connector::shelf::{Taken, TokenShelf};

/// How often the turn is asked for while another process has it.
const PAUSE: Duration = Duration::from_millis(100);

/// The right to replace what is kept. It is given back when this ends, also if nobody waits for the token any more.
#[derive(Debug)]
pub(super) struct ShelfTurn {
    shelf: Arc<dyn TokenShelf>,
    name: String,
    id: Uuid,
    is_over: bool,
}

impl ShelfTurn {
    /// Waits for the turn, at most this long, and reads what is kept. `None` if it does not come.
    pub(super) async fn take(shelf: &Arc<dyn TokenShelf>, name: &str, wait: Duration) -> Option<(Self, Vec<u8>)> {
        let deadline = Instant::now() + wait;
        let turn = Self { shelf: Arc::clone(shelf), name: name.to_owned(), id: Uuid::new_v4(), is_over: false };
        loop {
            match shelf.take(name, turn.id).await {
                Taken::Yes(content) => return Some((turn, content.unwrap_or_default())),
                Taken::Busy if Instant::now() < deadline => tokio::time::sleep(PAUSE).await,
                Taken::Busy | Taken::Unavailable => {
                    tracing::debug!("the access token is not shared: another process has it, or the store is away");
                    return None;
                }
            }
        }
    }

    pub(super) async fn replace(&self, content: &[u8]) {
        self.shelf.replace(&self.name, self.id, content).await;
    }

    pub(super) async fn end(mut self) {
        self.is_over = true;
        self.shelf.give_back(&self.name, self.id).await;
    }
}

impl Drop for ShelfTurn {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        // Without a runtime the process is ending; then the turn ends by itself.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (place, name, id) = (Arc::clone(&self.shelf), std::mem::take(&mut self.name), self.id);
            runtime.spawn(async move { place.give_back(&name, id).await });
        }
    }
}
