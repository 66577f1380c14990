//! Access tokens that replicas share, encrypted, and which of them is getting a new one.

use chrono::TimeDelta;
use uuid::Uuid;

use super::PostgresStore;
use crate::store::StoreError;

/// A process that gets a token has the turn this long, unless it ends it: longer than the vendor usually takes.
const TURN: TimeDelta = TimeDelta::seconds(30);
/// Tokens are removed after this time: none lives longer.
const KEPT: TimeDelta = TimeDelta::days(2);

const LOOK: &str = "SELECT sealed FROM access_token WHERE name = $1";

/// Takes the turn ($2) at a name ($1) for so many milliseconds ($3), unless another process has it.
const TAKE: &str = "
INSERT INTO access_token AS a (name, holder, held_until)
VALUES ($1, $2, (extract(epoch FROM clock_timestamp()) * 1000)::bigint + $3)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, held_until = excluded.held_until
WHERE a.held_until < (extract(epoch FROM clock_timestamp()) * 1000)::bigint
RETURNING sealed";

const REPLACE: &str = "
UPDATE access_token SET sealed = $3, kept_at = (extract(epoch FROM clock_timestamp()) * 1000)::bigint
WHERE name = $1 AND holder = $2";

const GIVE_BACK: &str = "UPDATE access_token SET held_until = 0, holder = NULL WHERE name = $1 AND holder = $2";

/// Few rows, and only when a token is replaced, which is once an hour for each client.
const FORGET: &str = "
DELETE FROM access_token WHERE name <> $1
AND GREATEST(kept_at, held_until) < (extract(epoch FROM clock_timestamp()) * 1000)::bigint - $2";

impl PostgresStore {
    /// What is kept under a name; empty if nothing is.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn sealed_token(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        let found = sqlx::query_scalar(LOOK).bind(name).fetch_optional(&self.pool).await;
        found.map(Option::unwrap_or_default).map_err(self.explain("read a shared access token"))
    }

    /// Takes the turn to replace what is kept under a name, and returns that; `None` if another process has the turn.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn take_token_turn(&self, name: &str, turn: Uuid) -> Result<Option<Vec<u8>>, StoreError> {
        let query = sqlx::query_scalar(TAKE).bind(name).bind(turn.as_bytes().to_vec()).bind(TURN.num_milliseconds());
        query.fetch_optional(&self.pool).await.map_err(self.explain("take the turn to get an access token"))
    }

    /// Replaces what is kept under a name, and forgets what is too old elsewhere. Returns whether the turn was still held.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn replace_token(&self, name: &str, turn: Uuid, sealed: &[u8]) -> Result<bool, StoreError> {
        let failed = self.explain("keep a shared access token");
        let query = sqlx::query(REPLACE).bind(name).bind(turn.as_bytes().to_vec()).bind(sealed);
        let replaced = query.execute(&self.pool).await.map_err(&failed)?.rows_affected() > 0;
        let query = sqlx::query(FORGET).bind(name).bind(KEPT.num_milliseconds());
        query.execute(&self.pool).await.map_err(failed)?;
        Ok(replaced)
    }

    /// Ends a turn.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn give_token_turn_back(&self, name: &str, turn: Uuid) -> Result<(), StoreError> {
        let query = sqlx::query(GIVE_BACK).bind(name).bind(turn.as_bytes().to_vec());
        query.execute(&self.pool).await.map(|_| ()).map_err(self.explain("give the turn back"))
    }
}
