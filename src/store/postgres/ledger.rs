//! The ledger as a table. Entries are appended in the transaction of the write that they belong to.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::{PostgresStore, count, decisions, write};
use crate::{
    ledger::{
        Entry, Fact, Head, Line,
        fact::{OffboardingBegun, Terms},
    },
    store::{
        StoreError, facts,
        ledger::Ledger,
        queue::Cursor,
        rows::{self, entry, fact},
    },
};

/// The schedules in force, by job.
async fn in_force(connection: &mut PgConnection) -> Result<BTreeMap<String, Terms>, sqlx::Error> {
    // One step of the index for each job, however often its schedule has changed.
    let sql = "WITH RECURSIVE last AS (
    (SELECT subject, line FROM ledger WHERE kind = 'schedule' ORDER BY subject DESC, number DESC LIMIT 1)
    UNION ALL
    SELECT next.subject, next.line FROM last AS this CROSS JOIN LATERAL (
        SELECT l.subject, l.line FROM ledger AS l WHERE l.kind = 'schedule' AND l.subject < this.subject
        ORDER BY l.subject DESC, l.number DESC LIMIT 1
    ) AS next
)
SELECT line FROM last";
    let mut schedules = BTreeMap::new();
    for line in sqlx::query_scalar::<_, String>(sql).fetch_all(connection).await? {
        if let Fact::Schedule { job, terms: Some(terms) } = fact(&line)? {
            schedules.insert(job, terms);
        }
    }
    Ok(schedules)
}

/// The last fact of the same kind and subject.
async fn last_like(connection: &mut PgConnection, like: &Fact) -> Result<Option<Fact>, sqlx::Error> {
    let sql = "SELECT line FROM ledger WHERE kind = $1 AND subject = $2 ORDER BY number DESC LIMIT 1";
    let query = sqlx::query_scalar::<_, String>(sql).bind(like.kind()).bind(like.subject().into_owned());
    query.fetch_optional(connection).await?.map(|line| fact(&line)).transpose()
}

#[async_trait::async_trait]
impl Ledger for PostgresStore {
    async fn append(&self, new: &[Fact], now: DateTime<Utc>) -> Result<(), StoreError> {
        let failed = self.explain("write the ledger");
        let mut write = self.write().await.map_err(&failed)?;
        let mut last = Vec::with_capacity(new.len());
        for fact in new {
            last.push(last_like(write.on(), fact).await.map_err(&failed)?);
        }
        write.append(facts::append(new, &last), now).await.map_err(&failed)?;
        write.commit().await.map_err(&failed)
    }

    async fn begin_offboarding(
        &self,
        begun: &OffboardingBegun,
        since: u64,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let failed = self.explain("write the ledger");
        let mut write = self.write().await.map_err(&failed)?;
        let lines = sqlx::query_scalar::<_, String>("SELECT line FROM ledger WHERE kind = $1 AND number > $2")
            .bind(Fact::OFFBOARDING_BEGUN)
            .bind(count(since))
            .fetch_all(write.on())
            .await
            .map_err(&failed)?;
        let later = lines.iter().map(|line| fact(line)).collect::<Result<Vec<_>, _>>().map_err(&failed)?;
        let Some(new) = facts::begin_offboarding(begun, &later) else {
            return Err(StoreError::Busy { what: format!("the removal of users from {}", begun.workspace) });
        };
        write.append(new, now).await.map_err(&failed)?;
        write.commit().await.map_err(&failed)
    }

    async fn offboardings(&self) -> Result<Vec<Entry>, StoreError> {
        let failed = self.explain("read the ledger");
        let sql = "SELECT line FROM ledger WHERE kind IN ($1, $2) ORDER BY number";
        let lines = sqlx::query_scalar::<_, String>(sql)
            .bind(Fact::OFFBOARDING_BEGUN)
            .bind(Fact::OFFBOARDING_ENDED)
            .fetch_all(&self.pool)
            .await
            .map_err(&failed)?;
        lines.iter().map(|line| entry(line)).collect::<Result<_, _>>().map_err(failed)
    }

    async fn publish_schedules(
        &self,
        schedules: &[(String, Terms)],
        begins: &[(String, Cursor)],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let failed = self.explain("write the ledger");
        let mut write = self.write().await.map_err(&failed)?;
        let in_force = in_force(write.on()).await.map_err(&failed)?;
        write.append(facts::publish_schedules(&in_force, schedules), now).await.map_err(&failed)?;
        for (job, cursor) in begins {
            decisions::begin(write.on(), job, cursor).await.map_err(&failed)?;
        }
        write.commit().await.map_err(&failed)
    }

    async fn head(&self) -> Result<Head, StoreError> {
        write::head(&self.pool).await.map_err(self.explain("read the ledger"))
    }

    async fn newest(&self, kind: &str, subject: &str, most: u32) -> Result<Vec<Entry>, StoreError> {
        let failed = self.explain("read the ledger");
        let sql = "SELECT line FROM ledger WHERE kind = $1 AND subject = $2 ORDER BY number DESC LIMIT $3";
        let query = sqlx::query_scalar::<_, String>(sql).bind(kind).bind(subject).bind(i64::from(most));
        let lines = query.fetch_all(&self.pool).await.map_err(&failed)?;
        lines.iter().map(|line| entry(line)).collect::<Result<_, _>>().map_err(failed)
    }

    async fn entries(&self, after: u64, most: u32) -> Result<Vec<Line>, StoreError> {
        let failed = self.explain("read the ledger");
        let sql = "SELECT number, sha256, line FROM ledger WHERE number > $1 ORDER BY number LIMIT $2";
        let query = sqlx::query(sql).bind(count(after)).bind(i64::from(most));
        let rows = query.fetch_all(&self.pool).await.map_err(&failed)?;
        rows.iter().map(rows::line).collect::<Result<_, _>>().map_err(failed)
    }

    async fn file_end(&self, place: &str) -> Result<Option<u64>, StoreError> {
        let failed = self.explain("read how far the ledger's file goes");
        let query = sqlx::query_scalar::<_, i64>("SELECT number FROM ledger_file WHERE place = $1").bind(place);
        let number = query.fetch_optional(&self.pool).await.map_err(failed)?;
        Ok(number.map(i64::unsigned_abs))
    }

    async fn file_grew(&self, place: &str, number: u64) -> Result<(), StoreError> {
        let sql = "INSERT INTO ledger_file (place, number) VALUES ($1, $2)
             ON CONFLICT (place) DO UPDATE SET number = GREATEST(ledger_file.number, excluded.number)";
        let noted = sqlx::query(sql).bind(place).bind(count(number)).execute(&self.pool).await;
        noted.map(|_| ()).map_err(self.explain("note how far the ledger's file goes"))
    }

    async fn file_was_cut(&self, place: &str, had: u64, found: u64, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let failed = self.explain("write the ledger");
        let mut write = self.write().await.map_err(&failed)?;
        let query = sqlx::query("UPDATE ledger_file SET number = $1 WHERE place = $2 AND number = $3");
        let query = query.bind(count(found)).bind(place).bind(count(had));
        if query.execute(write.on()).await.map_err(&failed)?.rows_affected() == 0 {
            return Ok(false);
        }
        write.append(facts::file_was_cut(had, found), now).await.map_err(&failed)?;
        write.commit().await.map_err(&failed)?;
        Ok(true)
    }
}
