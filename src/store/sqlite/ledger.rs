//! The ledger as a table. Entries are appended in the transaction of the write that they belong to.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{SqliteStore, count, millis};
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

/// Appends facts in the caller's transaction, which must hold the store's write lock.
pub(super) async fn append(
    connection: &mut SqliteConnection,
    facts: Vec<Fact>,
    now: DateTime<Utc>,
) -> Result<(), sqlx::Error> {
    let mut head = head(&mut *connection).await?;
    let opening = (head.number == 0 && !facts.is_empty()).then(|| facts::opening(Uuid::new_v4()));
    for fact in opening.into_iter().chain(facts) {
        head = insert(&mut *connection, &head, fact, now).await?;
    }
    Ok(())
}

async fn insert(
    connection: &mut SqliteConnection,
    head: &Head,
    fact: Fact,
    now: DateTime<Utc>,
) -> Result<Head, sqlx::Error> {
    let (kind, subject) = (fact.kind(), fact.subject().into_owned());
    let line = head.link(now, fact).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query("INSERT INTO ledger (number, kind, subject, sha256, line) VALUES (?, ?, ?, ?, ?)")
        .bind(count(line.head.number))
        .bind(kind)
        .bind(subject)
        .bind(&line.head.sha256)
        .bind(&line.text)
        .execute(connection)
        .await?;
    Ok(line.head)
}

async fn head(connection: &mut SqliteConnection) -> Result<Head, sqlx::Error> {
    let last = sqlx::query("SELECT number, sha256, line FROM ledger ORDER BY number DESC LIMIT 1")
        .fetch_optional(connection)
        .await?;
    last.as_ref().map_or_else(|| Ok(Head::default()), |row| rows::line(row).map(|line| line.head))
}

/// The schedules in force, by job.
async fn in_force(connection: &mut SqliteConnection) -> Result<BTreeMap<String, Terms>, sqlx::Error> {
    // One step of the index for each job, however often its schedule has changed.
    let sql = "WITH RECURSIVE last(number) AS (
    SELECT (SELECT number FROM ledger WHERE kind = 'schedule' ORDER BY subject DESC, number DESC LIMIT 1)
    UNION ALL
    SELECT (
        SELECT next.number FROM ledger AS next WHERE next.kind = 'schedule' AND next.subject < this.subject
        ORDER BY next.subject DESC, next.number DESC LIMIT 1
    )
    FROM last CROSS JOIN ledger AS this ON this.number = last.number
)
SELECT l.line FROM last CROSS JOIN ledger AS l ON l.number = last.number";
    let mut schedules = BTreeMap::new();
    for line in sqlx::query_scalar::<_, String>(sql).fetch_all(connection).await? {
        if let Fact::Schedule { job, terms: Some(terms) } = fact(&line)? {
            schedules.insert(job, terms);
        }
    }
    Ok(schedules)
}

/// The last fact of the same kind and subject.
async fn last_like(connection: &mut SqliteConnection, like: &Fact) -> Result<Option<Fact>, sqlx::Error> {
    let sql = "SELECT line FROM ledger WHERE kind = ? AND subject = ? ORDER BY number DESC LIMIT 1";
    let query = sqlx::query_scalar::<_, String>(sql).bind(like.kind()).bind(like.subject().into_owned());
    query.fetch_optional(connection).await?.map(|line| fact(&line)).transpose()
}

/// Begins a job that has no cursor.
async fn begin(connection: &mut SqliteConnection, job: &str, at: &Cursor) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO cursor (job, schedule, at) VALUES (?, ?, ?) ON CONFLICT (job) DO NOTHING")
        .bind(job)
        .bind(&at.schedule)
        .bind(millis(at.at))
        .execute(connection)
        .await
        .map(|_| ())
}

#[async_trait::async_trait]
impl Ledger for SqliteStore {
    async fn append(&self, new: &[Fact], now: DateTime<Utc>) -> Result<(), StoreError> {
        let failed = self.explain("write the ledger");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        let mut last = Vec::with_capacity(new.len());
        for fact in new {
            last.push(last_like(&mut transaction, fact).await.map_err(&failed)?);
        }
        append(&mut transaction, facts::append(new, &last), now).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)
    }

    async fn begin_offboarding(
        &self,
        begun: &OffboardingBegun,
        since: u64,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let failed = self.explain("write the ledger");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        let lines =
            sqlx::query_scalar::<_, String>("SELECT line FROM ledger NOT INDEXED WHERE kind = ? AND number > ?")
                .bind(Fact::OFFBOARDING_BEGUN)
                .bind(count(since))
                .fetch_all(&mut *transaction)
                .await
                .map_err(&failed)?;
        let later = lines.iter().map(|line| fact(line)).collect::<Result<Vec<_>, _>>().map_err(&failed)?;
        let Some(new) = facts::begin_offboarding(begun, &later) else {
            return Err(StoreError::Busy { what: format!("the removal of users from {}", begun.workspace) });
        };
        append(&mut transaction, new, now).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)
    }

    async fn offboardings(&self) -> Result<Vec<Entry>, StoreError> {
        let failed = self.explain("read the ledger");
        let sql = "SELECT line FROM ledger WHERE kind IN (?, ?) ORDER BY number";
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
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        let in_force = in_force(&mut transaction).await.map_err(&failed)?;
        append(&mut transaction, facts::publish_schedules(&in_force, schedules), now).await.map_err(&failed)?;
        for (job, cursor) in begins {
            begin(&mut transaction, job, cursor).await.map_err(&failed)?;
        }
        transaction.commit().await.map_err(&failed)
    }

    async fn head(&self) -> Result<Head, StoreError> {
        let failed = self.explain("read the ledger");
        let mut connection = self.pool.acquire().await.map_err(&failed)?;
        head(&mut connection).await.map_err(&failed)
    }

    async fn newest(&self, kind: &str, subject: &str, most: u32) -> Result<Vec<Entry>, StoreError> {
        let failed = self.explain("read the ledger");
        let sql = "SELECT line FROM ledger WHERE kind = ? AND subject = ? ORDER BY number DESC LIMIT ?";
        let query = sqlx::query_scalar::<_, String>(sql).bind(kind).bind(subject).bind(most);
        let lines = query.fetch_all(&self.pool).await.map_err(&failed)?;
        lines.iter().map(|line| entry(line)).collect::<Result<_, _>>().map_err(failed)
    }

    async fn entries(&self, after: u64, most: u32) -> Result<Vec<Line>, StoreError> {
        let failed = self.explain("read the ledger");
        let sql = "SELECT number, sha256, line FROM ledger WHERE number > ? ORDER BY number LIMIT ?";
        let rows = sqlx::query(sql).bind(count(after)).bind(most).fetch_all(&self.pool).await.map_err(&failed)?;
        rows.iter().map(rows::line).collect::<Result<_, _>>().map_err(failed)
    }

    async fn file_end(&self, place: &str) -> Result<Option<u64>, StoreError> {
        let failed = self.explain("read how far the ledger's file goes");
        let query = sqlx::query_scalar::<_, i64>("SELECT number FROM ledger_file WHERE place = ?").bind(place);
        let number = query.fetch_optional(&self.pool).await.map_err(failed)?;
        Ok(number.map(i64::unsigned_abs))
    }

    async fn file_grew(&self, place: &str, number: u64) -> Result<(), StoreError> {
        let sql = "INSERT INTO ledger_file (place, number) VALUES (?, ?)
             ON CONFLICT (place) DO UPDATE SET number = MAX(number, excluded.number)";
        let noted = sqlx::query(sql).bind(place).bind(count(number)).execute(&self.pool).await;
        noted.map(|_| ()).map_err(self.explain("note how far the ledger's file goes"))
    }

    async fn file_was_cut(&self, place: &str, had: u64, found: u64, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let failed = self.explain("write the ledger");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        let query = sqlx::query("UPDATE ledger_file SET number = ? WHERE place = ? AND number = ?");
        let query = query.bind(count(found)).bind(place).bind(count(had));
        if query.execute(&mut *transaction).await.map_err(&failed)?.rows_affected() == 0 {
            return Ok(false);
        }
        append(&mut transaction, facts::file_was_cut(had, found), now).await.map_err(&failed)?;
        transaction.commit().await.map_err(&failed)?;
        Ok(true)
    }
}
