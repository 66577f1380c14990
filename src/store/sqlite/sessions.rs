//! Sessions of the console, and one-time links.

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;

use super::{SqliteStore, ledger, millis};
use crate::{
    model::actor::Actor,
    review::person::Address,
    store::{
        StoreError, facts,
        rows::{self, json},
        sessions::{self, IDLE, KNOWN, LINKS, LONGEST, Link, SESSIONS, SecretDigest, Session, Sessions, SignedIn},
    },
};

#[async_trait::async_trait]
impl Sessions for SqliteStore {
    async fn keep_link(&self, id: SecretDigest, link: &Link, by: &Actor, now: DateTime<Utc>) -> Result<(), StoreError> {
        let failed = self.explain("keep a sign-in link");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        sqlx::query("DELETE FROM sign_in_link WHERE valid_until <= ?")
            .bind(millis(now - KNOWN))
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        let too_many = "DELETE FROM sign_in_link WHERE id IN (SELECT id FROM sign_in_link WHERE address = ?
                        ORDER BY valid_until DESC LIMIT -1 OFFSET ?)";
        sqlx::query(too_many)
            .bind(link.address.as_str())
            .bind(LINKS - 1)
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        sqlx::query("INSERT INTO sign_in_link (id, address, valid_until, used_at, body) VALUES (?, ?, ?, NULL, ?)")
            .bind(id.as_bytes())
            .bind(link.address.as_str())
            .bind(millis(link.valid_until))
            .bind(json(&link.via).map_err(&failed)?)
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        ledger::append(&mut transaction, facts::keep_link(link, by), now).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)
    }

    async fn link(&self, id: SecretDigest) -> Result<Option<Link>, StoreError> {
        let failed = self.explain("read a sign-in link");
        let sql = "SELECT address, valid_until, used_at, body FROM sign_in_link WHERE id = ?";
        let row = sqlx::query(sql).bind(id.as_bytes()).fetch_optional(&self.pool).await.map_err(&failed)?;
        row.as_ref().map(rows::link).transpose().map_err(failed)
    }

    async fn begin_session(
        &self,
        id: SecretDigest,
        who: &SignedIn,
        replaces: Option<SecretDigest>,
        link: Option<SecretDigest>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let failed = self.explain("begin a session");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        if let Some(link) = link {
            let used = sqlx::query(
                "UPDATE sign_in_link SET used_at = ?1 WHERE id = ?2 AND used_at IS NULL AND valid_until > ?1",
            )
            .bind(millis(now))
            .bind(link.as_bytes())
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
            if used.rows_affected() == 0 {
                return Err(StoreError::Lost { what: "the sign-in link".to_owned() });
            }
        }
        make_room(&mut transaction, &who.address, replaces, now).await.map_err(&failed)?;
        sqlx::query("INSERT INTO session (id, address, began_at, seen_at, body) VALUES (?, ?, ?3, ?3, ?4)")
            .bind(id.as_bytes())
            .bind(who.address.as_str())
            .bind(millis(now))
            .bind(json(who).map_err(&failed)?)
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        ledger::append(&mut transaction, facts::begin_session(who), now).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)
    }

    async fn session(&self, id: SecretDigest, now: DateTime<Utc>) -> Result<Option<Session>, StoreError> {
        let failed = self.explain("read a session");
        let sql = "SELECT began_at, seen_at, body FROM session WHERE id = ?";
        let row = sqlx::query(sql).bind(id.as_bytes()).fetch_optional(&self.pool).await.map_err(&failed)?;
        let session = row.as_ref().map(rows::session).transpose().map_err(failed)?;
        Ok(session.filter(|session| session.is_valid(now)))
    }

    async fn sessions_of(
        &self,
        address: &Address,
        now: DateTime<Utc>,
    ) -> Result<Vec<(SecretDigest, Session)>, StoreError> {
        let failed = self.explain("list sessions");
        let sql = "SELECT id, began_at, seen_at, body FROM session WHERE address = ?";
        let found = sqlx::query(sql).bind(address.as_str()).fetch_all(&self.pool).await.map_err(&failed)?;
        let found: Vec<_> = found.iter().map(rows::named_session).collect::<Result<_, _>>().map_err(failed)?;
        Ok(sessions::valid(found, now))
    }

    async fn use_session(&self, id: SecretDigest, now: DateTime<Utc>) -> Result<(), StoreError> {
        let failed = self.explain("note that a session is used");
        let query = sqlx::query("UPDATE session SET seen_at = ? WHERE id = ?").bind(millis(now)).bind(id.as_bytes());
        query.execute(&self.pool).await.map(|_| ()).map_err(failed)
    }

    async fn end_session(&self, id: SecretDigest) -> Result<(), StoreError> {
        let failed = self.explain("end a session");
        let query = sqlx::query("DELETE FROM session WHERE id = ?").bind(id.as_bytes());
        query.execute(&self.pool).await.map(|_| ()).map_err(failed)
    }

    async fn end_sessions_of(&self, address: &Address) -> Result<u64, StoreError> {
        let failed = self.explain("end sessions");
        let query = sqlx::query("DELETE FROM session WHERE address = ?").bind(address.as_str());
        query.execute(&self.pool).await.map(|ended| ended.rows_affected()).map_err(failed)
    }
}

/// Ends the session that is replaced, those that are too old, and the oldest of a person who has too many.
async fn make_room(
    connection: &mut SqliteConnection,
    address: &Address,
    replaces: Option<SecretDigest>,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    if let Some(replaced) = replaces {
        sqlx::query("DELETE FROM session WHERE id = ?").bind(replaced.as_bytes()).execute(&mut *connection).await?;
    }
    for (sql, limit) in
        [("DELETE FROM session WHERE began_at <= ?", LONGEST), ("DELETE FROM session WHERE seen_at <= ?", IDLE)]
    {
        sqlx::query(sql).bind(millis(now - limit)).execute(&mut *connection).await?;
    }
    let too_many = "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE address = ?
                    ORDER BY began_at DESC LIMIT -1 OFFSET ?)";
    sqlx::query(too_many).bind(address.as_str()).bind(SESSIONS - 1).execute(connection).await?;
    Ok(())
}
