//! Runs of one fire time that are mailed as one message.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::{SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

use super::{SqliteStore, ledger, millis, outbox, queue};
use crate::{
    model::{
        notification::Notification,
        run::{Claim, Run, RunState},
    },
    store::{
        Kept, StoreError, facts,
        rows::{self, Columns as _},
        together::{Combination, Combined, Share, Together},
    },
};

/// Copies a notification (?1) for another run (?2) of the same message.
const CARRY: &str = "
INSERT INTO notification (subject_kind, subject_id, run, channel, kind, about, address, sender, message_id, body,
                          not_before, created_at, job, workspace, fire_at, carried_by)
SELECT subject_kind, ?3, ?2, channel, kind, about, address, sender, message_id, x'', n.not_before, created_at, r.job, r.workspace,
       r.fire_at, n.id
FROM notification AS n CROSS JOIN run AS r ON r.id = ?2 WHERE n.id = ?1
ON CONFLICT (subject_kind, subject_id, channel, kind, about, address) DO NOTHING";

const SHARES: &str = "
SELECT r.id AS run, s.body FROM run AS r INDEXED BY run_of_fire_time CROSS JOIN share AS s ON s.run = r.id
WHERE r.job = ? AND r.fire_at = ? ORDER BY r.id";

#[async_trait::async_trait]
impl Together for SqliteStore {
    async fn record_share(
        &self,
        claim: &Claim,
        audit: &Kept,
        share: &Share<'_>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let failed = self.explain("record the audit");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        if !is_open(&mut transaction, &claim.run, share.terms, now).await.map_err(&failed)? {
            return Ok(false);
        }
        let end = queue::recorded(&mut transaction, claim, audit, RunState::Recorded, now).await;
        queue::held(claim, end.map_err(&failed)?)?;
        sqlx::query("INSERT INTO share (run, body) VALUES (?, ?)")
            .bind(claim.run.id.as_bytes().to_vec())
            .bind(share.body)
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        let recorded = facts::record_share(&audit.record, &claim.run, share.messages);
        ledger::append(&mut transaction, recorded, now).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        Ok(true)
    }

    async fn give_up_share(
        &self,
        claim: &Claim,
        error: &str,
        terms: &[u8],
        notifications: &[Notification],
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let failed = self.explain("give a run up");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        if !is_open(&mut transaction, &claim.run, terms, now).await.map_err(&failed)? {
            return Ok(false);
        }
        let rows = queue::given_up(&mut transaction, claim, error, now).await.map_err(&failed)?;
        queue::held(claim, rows)?;
        outbox::insert(&mut transaction, notifications, now).await.map_err(&failed)?;
        ledger::append(&mut transaction, facts::give_up(&claim.run, error), now).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        Ok(true)
    }

    async fn combinations(&self) -> Result<Vec<Combination>, StoreError> {
        let failed = self.explain("read the messages that are not written");
        let sql = "SELECT * FROM combination INDEXED BY combination_open WHERE mailed_at IS NULL ORDER BY fire_at, job";
        let rows = sqlx::query(sql).fetch_all(&self.pool).await.map_err(&failed)?;
        rows.iter().map(rows::combination).collect::<Result<_, _>>().map_err(&failed)
    }

    async fn shares(&self, job: &str, fire_at: DateTime<Utc>) -> Result<Vec<(Uuid, Vec<u8>)>, StoreError> {
        let failed = self.explain("read what a message is made of");
        let rows = sqlx::query(SHARES).bind(job).bind(millis(fire_at)).fetch_all(&self.pool).await.map_err(&failed)?;
        let share = |row: &SqliteRow| Ok((row.id("run")?, row.bytes("body")?));
        rows.iter().map(share).collect::<Result<_, sqlx::Error>>().map_err(&failed)
    }

    async fn combine(&self, combined: &Combined<'_>, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let failed = self.explain("put a message into the outbox");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        let is_first = close(&mut transaction, combined, now).await.map_err(&failed)?;
        if !is_first {
            return Ok(false);
        }
        outbox::insert(&mut transaction, combined.notifications, now).await.map_err(&failed)?;
        for run in combined.runs {
            settle(&mut transaction, combined, *run).await.map_err(&failed)?;
        }
        ledger::append(&mut transaction, facts::combine(combined), now).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        Ok(true)
    }
}

/// Whether the message of a run's fire time is not written yet. It is awaited from now on.
async fn is_open(
    connection: &mut SqliteConnection,
    run: &Run,
    terms: &[u8],
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    sqlx::query("INSERT INTO combination (job, fire_at, terms, since) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
        .bind(&run.job)
        .bind(millis(run.fire_at))
        .bind(terms)
        .bind(millis(now))
        .execute(&mut *connection)
        .await?;
    let sql = "SELECT mailed_at IS NULL FROM combination WHERE job = ? AND fire_at = ?";
    sqlx::query_scalar(sql).bind(&run.job).bind(millis(run.fire_at)).fetch_one(connection).await
}

/// Marks a fire time as mailed; false if it was, or if its shares are not those of the message.
async fn close(
    connection: &mut SqliteConnection,
    combined: &Combined<'_>,
    now: DateTime<Utc>,
) -> Result<bool, sqlx::Error> {
    let sql = "UPDATE combination SET mailed_at = ? WHERE job = ? AND fire_at = ? AND mailed_at IS NULL";
    let query = sqlx::query(sql).bind(millis(now)).bind(combined.job).bind(millis(combined.fire_at));
    if query.execute(&mut *connection).await?.rows_affected() == 0 {
        return Ok(false);
    }
    let rows = sqlx::query(SHARES).bind(combined.job).bind(millis(combined.fire_at)).fetch_all(connection).await?;
    let there: BTreeSet<Uuid> = rows.iter().map(|row| row.id("run")).collect::<Result<_, _>>()?;
    Ok(there == combined.runs.iter().copied().collect())
}

/// Lets a run wait for the message, or, if nobody is mailed, for nothing.
async fn settle(connection: &mut SqliteConnection, combined: &Combined<'_>, run: Uuid) -> Result<(), sqlx::Error> {
    let run_id = run.as_bytes().to_vec();
    sqlx::query("DELETE FROM share WHERE run = ?").bind(&run_id).execute(&mut *connection).await?;
    if run != combined.carrier {
        for carrier in carriers(connection, combined.notifications).await? {
            let query = sqlx::query(CARRY).bind(carrier).bind(&run_id).bind(run.simple().to_string());
            query.execute(&mut *connection).await?;
        }
    }
    outbox::deliver(connection, run).await
}

/// The numbers of notifications in the outbox.
async fn carriers(connection: &mut SqliteConnection, notifications: &[Notification]) -> Result<Vec<i64>, sqlx::Error> {
    let mut numbers = Vec::with_capacity(notifications.len());
    for Notification { subject, channel, kind, about, address, .. } in notifications {
        let sql = "SELECT id FROM notification WHERE subject_kind = ? AND subject_id = ? AND channel = ? AND kind = ?
                   AND about = ? AND address = ?";
        let query = sqlx::query_scalar(sql).bind(subject.kind()).bind(subject.id());
        numbers.push(query.bind(channel).bind(kind).bind(about).bind(address).fetch_one(&mut *connection).await?);
    }
    Ok(numbers)
}
