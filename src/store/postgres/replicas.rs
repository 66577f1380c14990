//! Replicas of one database: its clock, who is there, and how they wake one another.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use chrono::TimeDelta;
use sqlx::{PgConnection, PgPool, postgres::PgListener};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{LeaseClock, PostgresStore, check, schema, write::CHANNEL};
use crate::{
    clock::Clock,
    store::{
        StoreError,
        replicas::{Announced, FORGOTTEN_AFTER, GONE_AFTER, Replica, Replicas},
        rows::{self, Columns as _},
    },
};

/// How long to wait before a lost connection is made again.
const PAUSE: Duration = Duration::from_secs(2);

const NOW: &str = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// Wakes this process when another one has announced something. It listens from the first time that somebody waits.
#[derive(Clone, Default)]
pub(super) struct Announcements {
    heard: Arc<Notify>,
    listens: Arc<OnceLock<()>>,
}

impl Announcements {
    async fn next(&self, pool: &PgPool, own: Uuid) {
        self.listens.get_or_init(|| {
            let (pool, heard) = (pool.clone(), Arc::clone(&self.heard));
            tokio::spawn(async move {
                while !pool.is_closed() {
                    if let Err(error) = listen(&pool, own, &heard).await {
                        tracing::debug!(%error, "announcements of other replicas are not heard; looking every second");
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            });
        });
        self.heard.notified().await;
    }
}

/// Listens until the connection is lost for good.
async fn listen(pool: &PgPool, own: Uuid, heard: &Notify) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    let own = own.to_string();
    loop {
        match listener.try_recv().await? {
            Some(announced) if announced.payload() == own => {}
            // Without a connection for a moment, anything may have been said.
            Some(_) | None => heard.notify_one(),
        }
    }
}

#[async_trait::async_trait]
impl Replicas for PostgresStore {
    async fn skew(&self, clock: &Clock) -> Result<Option<TimeDelta>, StoreError> {
        let failed = self.explain("tell the time");
        let mut connection = self.pool.acquire().await.map_err(&failed)?;
        schema::is_up_to_date(schema::version(&mut connection).await.map_err(&failed)?, &self.place)?;
        match self.lease_clock {
            LeaseClock::Database => check::skew(&mut connection, clock).await.map(Some).map_err(failed),
            LeaseClock::Caller => Ok(None),
        }
    }

    async fn announce(&self, replica: &Replica) -> Result<Vec<Replica>, StoreError> {
        let failed = self.explain("say which replicas there are");
        let mut transaction = self.pool.begin().await.map_err(&failed)?;
        let sql = format!("DELETE FROM replica WHERE seen_at < {NOW} - $1");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(FORGOTTEN_AFTER.num_milliseconds());
        query.execute(&mut *transaction).await.map_err(&failed)?;
        let sql = format!(
            "INSERT INTO replica (process, name, version, signing_key, configuration, ahead, holds, joined_at, seen_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, {NOW}, {NOW})
             ON CONFLICT (process) DO UPDATE SET name = excluded.name, version = excluded.version,
                signing_key = excluded.signing_key, configuration = excluded.configuration, ahead = excluded.ahead,
                holds = excluded.holds, seen_at = excluded.seen_at"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(replica.process.as_bytes().to_vec())
            .bind(&replica.name)
            .bind(&replica.version)
            .bind(&replica.signing_key)
            .bind(&replica.configuration)
            .bind(replica.ahead.num_milliseconds())
            .bind(replica.holds.iter().map(Uuid::to_string).collect::<Vec<_>>().join(" "))
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        let sql = format!("SELECT * FROM replica WHERE process <> $1 AND seen_at >= {NOW} - $2 ORDER BY name, process");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(replica.process.as_bytes().to_vec());
        let rows = query.bind(GONE_AFTER.num_milliseconds()).fetch_all(&mut *transaction).await;
        let others = rows.and_then(|rows| rows.iter().map(replica_of).collect::<Result<_, _>>()).map_err(&failed)?;
        super::write::commit(transaction).await.map_err(failed)?;
        Ok(others)
    }

    async fn replace(&self, replica: &Replica) -> Result<(), StoreError> {
        let query = sqlx::query("DELETE FROM replica WHERE name = $1 AND process <> $2").bind(&replica.name);
        let query = query.bind(replica.process.as_bytes().to_vec());
        query.execute(&self.pool).await.map(|_| ()).map_err(self.explain("say which replicas there are"))
    }

    async fn replicas(&self) -> Result<Option<Vec<Announced>>, StoreError> {
        let failed = self.explain("say which replicas there are");
        let sql = format!("SELECT *, (seen_at < {NOW} - $1)::int::bigint AS gone FROM replica ORDER BY name, process");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(GONE_AFTER.num_milliseconds());
        let rows = query.fetch_all(&self.pool).await.map_err(&failed)?;
        let announced = |row| {
            Ok(Announced {
                replica: replica_of(row)?,
                since: row.moment("joined_at")?,
                seen: row.moment("seen_at")?,
                is_gone: row.number("gone")? != 0,
            })
        };
        rows.iter().map(announced).collect::<Result<_, sqlx::Error>>().map(Some).map_err(failed)
    }

    async fn leave(&self, replica: &Replica) -> Result<(), StoreError> {
        let query = sqlx::query("DELETE FROM replica WHERE process = $1").bind(replica.process.as_bytes().to_vec());
        query.execute(&self.pool).await.map(|_| ()).map_err(self.explain("say which replicas there are"))
    }

    async fn changed(&self) {
        self.announcements.next(&self.pool, self.process).await;
    }
}

/// The names of the daemons that are there; none if there are no tables yet, or those of a version that did not know them.
pub(super) async fn running(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    let sql = "SELECT to_regclass('rolecall.replica') IS NOT NULL";
    if !sqlx::query_scalar(sql).fetch_one(&mut *connection).await? {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT name FROM rolecall.replica WHERE seen_at >= {NOW} - $1 ORDER BY name");
    let query = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(GONE_AFTER.num_milliseconds());
    query.fetch_all(connection).await
}

fn replica_of(row: &sqlx::postgres::PgRow) -> Result<Replica, sqlx::Error> {
    Ok(Replica {
        name: row.text("name")?,
        process: rows::uuid(&row.bytes("process")?)?,
        version: row.text("version")?,
        signing_key: row.text_if_any("signing_key")?,
        configuration: row.text("configuration")?,
        ahead: TimeDelta::milliseconds(row.number("ahead")?),
        // What a newer version may write otherwise is left out.
        holds: row.text("holds")?.split(' ').filter_map(|id| id.parse().ok()).collect(),
    })
}
