//! Completed audits: a record, and a snapshot in parts.

use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

use super::{SqliteStore, count, millis, moment};
use crate::store::{AuditRecord, Kept, Store, StoreError};

#[async_trait::async_trait]
impl Store for SqliteStore {
    async fn keep(&self, audit: &Kept) -> Result<(), StoreError> {
        let failed = self.explain("keep the audit");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        insert(&mut transaction, audit).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)
    }

    async fn audit(&self, id: Uuid) -> Result<Option<AuditRecord>, StoreError> {
        let failed = self.explain("read an audit");
        let query = sqlx::query("SELECT * FROM audit WHERE id = ?").bind(id.as_bytes().to_vec());
        let row = query.fetch_optional(&self.pool).await.map_err(&failed)?;
        row.as_ref().map(record).transpose().map_err(&failed)
    }

    async fn last_complete(&self, job: Option<&str>, workspace: &str) -> Result<Option<Kept>, StoreError> {
        let failed = self.explain("read the previous audit");
        let row = sqlx::query(
            "SELECT * FROM audit WHERE workspace = ? AND job IS ? AND complete = 1
             ORDER BY finished_at DESC, id DESC LIMIT 1",
        )
        .bind(workspace)
        .bind(job)
        .fetch_optional(&self.pool)
        .await
        .map_err(&failed)?;
        let Some(row) = row else { return Ok(None) };
        let record = record(&row).map_err(&failed)?;
        let parts = sqlx::query("SELECT body FROM snapshot_part WHERE audit = ? ORDER BY sequence")
            .bind(record.id.as_bytes().as_slice())
            .fetch_all(&self.pool)
            .await
            .and_then(|rows| rows.iter().map(|row| row.try_get("body")).collect())
            .map_err(&failed)?;
        Ok(Some(Kept { record, parts }))
    }
}

/// Writes an audit, inside a transaction of the caller's.
pub(super) async fn insert(connection: &mut SqliteConnection, audit: &Kept) -> Result<(), sqlx::Error> {
    let Kept { record, parts } = audit;
    sqlx::query(
        "INSERT INTO audit (id, job, workspace, started_at, finished_at, complete, users, administrators, open_findings)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(record.id.as_bytes().as_slice())
    .bind(record.job.as_deref())
    .bind(&record.workspace)
    .bind(millis(record.started_at))
    .bind(millis(record.finished_at))
    .bind(record.complete)
    .bind(count(record.users))
    .bind(count(record.administrators))
    .bind(count(record.open_findings))
    .execute(&mut *connection)
    .await?;
    for (sequence, body) in (0_i64..).zip(parts) {
        sqlx::query("INSERT INTO snapshot_part (audit, sequence, body) VALUES (?, ?, ?)")
            .bind(record.id.as_bytes().as_slice())
            .bind(sequence)
            .bind(body.as_slice())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

fn record(row: &SqliteRow) -> Result<AuditRecord, sqlx::Error> {
    let number = |column| row.try_get::<i64, _>(column).map(i64::unsigned_abs);
    let time = |column| row.try_get::<i64, _>(column).map(moment);
    let id: Vec<u8> = row.try_get("id")?;
    Ok(AuditRecord {
        id: Uuid::from_slice(&id).map_err(|error| sqlx::Error::Decode(error.into()))?,
        job: row.try_get("job")?,
        workspace: row.try_get("workspace")?,
        started_at: time("started_at")?,
        finished_at: time("finished_at")?,
        complete: row.try_get("complete")?,
        users: number("users")?,
        administrators: number("administrators")?,
        open_findings: number("open_findings")?,
    })
}
