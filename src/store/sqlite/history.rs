//! Reads runs, attempts, messages, gaps and incidents.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{SqliteStore, incidents, millis, outbox};
use crate::{
    digest::sha256,
    model::{
        run::{Attempt, Gap, Run},
        trigger::Incident,
    },
    store::{
        AuditRecord, StoreError,
        history::{Backlog, Done, History, MessageRecord, ReadCursor},
        rows,
    },
};

#[async_trait::async_trait]
impl History for SqliteStore {
    async fn run(&self, id: Uuid) -> Result<Option<Run>, StoreError> {
        let failed = self.explain("read a run");
        let query = sqlx::query("SELECT * FROM run WHERE id = ?").bind(id.as_bytes().to_vec());
        let row = query.fetch_optional(&self.pool).await.map_err(&failed)?;
        row.as_ref().map(rows::run).transpose().map_err(&failed)
    }

    async fn runs(&self, most: u32) -> Result<Vec<Run>, StoreError> {
        let failed = self.explain("read the runs");
        let sql = "SELECT * FROM run ORDER BY fire_at DESC, id DESC LIMIT ?";
        let rows = sqlx::query(sql).bind(most).fetch_all(&self.pool).await.map_err(&failed)?;
        rows.iter().map(rows::run).collect::<Result<_, _>>().map_err(&failed)
    }

    async fn unfinished_before(&self, run: &Run) -> Result<Option<Uuid>, StoreError> {
        let failed = self.explain("read the earlier runs");
        let sql = "SELECT id FROM run INDEXED BY run_unfinished WHERE state IN ('due', 'claimed', 'read', 'judged')
                   AND job = ? AND workspace = ? AND fire_at < ? ORDER BY fire_at LIMIT 1";
        let query = sqlx::query_scalar::<_, Vec<u8>>(sql).bind(&run.job).bind(&run.workspace).bind(millis(run.fire_at));
        let id = query.fetch_optional(&self.pool).await.map_err(&failed)?;
        id.as_deref().map(rows::uuid).transpose().map_err(failed)
    }

    async fn siblings(&self, job: &str, fire_at: DateTime<Utc>) -> Result<Vec<Run>, StoreError> {
        let failed = self.explain("read the runs of a fire time");
        let query = sqlx::query("SELECT * FROM run WHERE job = ? AND fire_at = ? ORDER BY workspace");
        let rows = query.bind(job).bind(millis(fire_at)).fetch_all(&self.pool).await.map_err(&failed)?;
        rows.iter().map(rows::run).collect::<Result<_, _>>().map_err(&failed)
    }

    async fn last_done(&self, job: &str, workspace: &str, until: DateTime<Utc>) -> Result<Option<Done>, StoreError> {
        let failed = self.explain("read the latest run");
        let sql = "SELECT * FROM run INDEXED BY run_done
                   WHERE job = ? AND workspace = ? AND state IN ('recorded', 'delivered', 'closed')
                   AND fire_at <= ? ORDER BY fire_at DESC LIMIT 1";
        let query = sqlx::query(sql).bind(job).bind(workspace).bind(millis(until));
        let row = query.fetch_optional(&self.pool).await.map_err(&failed)?;
        let Some(run) = row.as_ref().map(rows::run).transpose().map_err(&failed)? else { return Ok(None) };
        let query = sqlx::query("SELECT * FROM audit WHERE id = ?").bind(run.id.as_bytes().to_vec());
        let row = query.fetch_optional(&self.pool).await.map_err(&failed)?;
        let audit = row.as_ref().map(rows::record).transpose().map_err(&failed)?;
        Ok(audit.map(|audit| Done { run, audit }))
    }

    async fn last_read(&self, workspace: &str, before: ReadCursor) -> Result<Option<AuditRecord>, StoreError> {
        let sql = "SELECT * FROM audit INDEXED BY audit_read
                   WHERE workspace = ? AND complete = 1 AND (finished_at, id) < (?, ?)
                   ORDER BY finished_at DESC, id DESC LIMIT 1";
        let query = sqlx::query(sql).bind(workspace).bind(millis(before.at)).bind(before.audit.as_bytes().to_vec());
        self.audit_of(query).await
    }

    async fn next_read(&self, workspace: &str, after: ReadCursor) -> Result<Option<AuditRecord>, StoreError> {
        let sql = "SELECT * FROM audit INDEXED BY audit_read
                   WHERE workspace = ? AND complete = 1 AND (finished_at, id) > (?, ?)
                   ORDER BY finished_at, id LIMIT 1";
        let query = sqlx::query(sql).bind(workspace).bind(millis(after.at)).bind(after.audit.as_bytes().to_vec());
        self.audit_of(query).await
    }

    async fn attempts(&self, run: Uuid) -> Result<Vec<Attempt>, StoreError> {
        let failed = self.explain("read the attempts of a run");
        let query = sqlx::query("SELECT * FROM attempt WHERE run = ? ORDER BY fence").bind(run.as_bytes().to_vec());
        let rows = query.fetch_all(&self.pool).await.map_err(&failed)?;
        rows.iter().map(rows::attempt).collect::<Result<_, _>>().map_err(&failed)
    }

    async fn messages(&self, run: Uuid) -> Result<Vec<MessageRecord>, StoreError> {
        outbox::messages(&self.pool, run).await.map_err(self.explain("read the messages of a run"))
    }

    async fn waiting_mails(&self) -> Result<Vec<String>, StoreError> {
        let failed = self.explain("read the messages that wait");
        let sql = "SELECT body FROM notification INDEXED BY notification_waiting
                   WHERE state = 'waiting' AND message_id IS NOT NULL AND carried_by IS NULL";
        let bodies = sqlx::query_scalar::<_, Vec<u8>>(sql).fetch_all(&self.pool).await.map_err(failed)?;
        Ok(bodies.iter().map(|body| sha256(body)).collect())
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        let failed = self.explain("count the runs that wait");
        let sql = "SELECT COUNT(*) FILTER (WHERE state = 'due') AS due,
                          COUNT(*) FILTER (WHERE state IN ('claimed', 'read', 'judged')) AS in_progress,
                          MIN(fire_at) FILTER (WHERE state = 'due') AS oldest_due
                   FROM run AS r INDEXED BY run_open
                   WHERE state IN ('due', 'claimed', 'read', 'judged', 'recorded', 'delivered')";
        let row = sqlx::query(sql).fetch_one(&self.pool).await.map_err(&failed)?;
        rows::backlog(&row).map_err(&failed)
    }

    async fn waiting(&self) -> Result<u64, StoreError> {
        let sql = "SELECT COUNT(*) FROM notification INDEXED BY notification_waiting
                   WHERE state = 'waiting' AND carried_by IS NULL";
        let waiting = sqlx::query_scalar::<_, i64>(sql).fetch_one(&self.pool).await;
        waiting.map(i64::unsigned_abs).map_err(self.explain("count what waits"))
    }

    async fn gaps(&self, most: u32) -> Result<Vec<Gap>, StoreError> {
        let failed = self.explain("read the gaps");
        let sql = "SELECT * FROM gap ORDER BY first_at DESC, id DESC LIMIT ?";
        let rows = sqlx::query(sql).bind(most).fetch_all(&self.pool).await.map_err(&failed)?;
        rows.iter().map(rows::gap).collect::<Result<_, _>>().map_err(&failed)
    }

    async fn incidents(&self, now: DateTime<Utc>) -> Result<Vec<Incident>, StoreError> {
        incidents::now(&self.pool, now).await.map_err(self.explain("read what is wrong"))
    }

    async fn incidents_before(
        &self,
        job: &str,
        workspace: &str,
        fire_at: DateTime<Utc>,
    ) -> Result<Vec<Incident>, StoreError> {
        incidents::before(&self.pool, job, workspace, fire_at).await.map_err(self.explain("read what went wrong"))
    }
}

impl SqliteStore {
    /// The audit that a query finds.
    async fn audit_of(
        &self,
        query: sqlx::query::Query<'_, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>,
    ) -> Result<Option<AuditRecord>, StoreError> {
        let failed = self.explain("read the audits of a workspace");
        let row = query.fetch_optional(&self.pool).await.map_err(&failed)?;
        row.as_ref().map(rows::record).transpose().map_err(&failed)
    }
}
