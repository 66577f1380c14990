//! Access tokens that the replicas on a PostgreSQL store share.

use async_trait::async_trait;
use tokio::sync::OnceCell;
use uuid::Uuid;

use crate::{
    connector::{Taken, TokenShelf},
    store::{
        StoreError,
        postgres::{PostgresStore, Server},
        sealed::SealingKey,
    },
};

/// Connections of this process for shared tokens, beside those of its store.
const CONNECTIONS: u32 = 2;

/// The shelf of a database. It connects when a token is needed.
#[derive(Debug)]
pub(super) struct DatabaseShelf {
    server: Server,
    key: SealingKey,
    store: OnceCell<PostgresStore>,
}

impl DatabaseShelf {
    pub(super) fn new(server: Server, key: SealingKey) -> Self {
        let server = Server { max_connections: CONNECTIONS, ..server };
        Self { server, key, store: OnceCell::new() }
    }

    /// The database; `None`, which is logged, if it cannot be used or has no store yet.
    async fn store(&self) -> Option<&PostgresStore> {
        let open = async || match PostgresStore::open_existing(&self.server).await {
            Ok(Some(store)) => Ok(store),
            Ok(None) => Err(()),
            Err(error) => {
                not_shared(&error);
                Err(())
            }
        };
        self.store.get_or_try_init(open).await.ok()
    }

    fn open(&self, name: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        if sealed.is_empty() {
            return None;
        }
        let opened = self.key.open(name, sealed);
        if opened.is_none() {
            tracing::warn!(
                "an access token in the store cannot be decrypted: give all replicas the same `[store] token_key`"
            );
        }
        opened
    }
}

fn not_shared(error: &StoreError) {
    tracing::warn!(%error, "access tokens are not shared with other replicas");
}

#[async_trait]
impl TokenShelf for DatabaseShelf {
    async fn look(&self, name: &str) -> Option<Vec<u8>> {
        let sealed = self.store().await?.sealed_token(name).await.inspect_err(not_shared).ok()?;
        self.open(name, &sealed)
    }

    async fn take(&self, name: &str, turn: Uuid) -> Taken {
        let Some(store) = self.store().await else { return Taken::Unavailable };
        match store.take_token_turn(name, turn).await {
            Ok(Some(sealed)) => Taken::Yes(self.open(name, &sealed)),
            Ok(None) => Taken::Busy,
            Err(error) => {
                not_shared(&error);
                Taken::Unavailable
            }
        }
    }

    async fn replace(&self, name: &str, turn: Uuid, content: &[u8]) {
        let (Some(store), Some(sealed)) = (self.store().await, self.key.seal(name, content)) else { return };
        if let Err(error) = store.replace_token(name, turn, &sealed).await {
            not_shared(&error);
        }
    }

    async fn give_back(&self, name: &str, turn: Uuid) {
        let Some(store) = self.store().await else { return };
        if let Err(error) = store.give_token_turn_back(name, turn).await {
            not_shared(&error);
        }
    }
}
