//! A write of several rows, in one order with all other writes of all replicas.

use chrono::{DateTime, Utc};
use sqlx::{PgConnection, PgPool, Postgres, Transaction};
use uuid::Uuid;

use super::count;
use crate::{
    ledger::{Fact, Head},
    store::{facts, rows},
};

/// The channel on which processes announce that there may be something to do.
pub(super) const CHANNEL: &str = "rolecall";

/// A transaction that has locked the ledger's last entry. It is rolled back unless it is committed.
pub(super) struct Write {
    transaction: Transaction<'static, Postgres>,
    head: Head,
    /// Whether the ledger was extended.
    extended: bool,
    /// Whether other processes have something to do once it is committed.
    wakes: bool,
    process: Uuid,
}

impl Write {
    /// Begins a write; it waits for the one before.
    pub(super) async fn begin(pool: &PgPool, process: Uuid) -> Result<Self, sqlx::Error> {
        let mut transaction = pool.begin().await?;
        let sql = "SELECT number, sha256 FROM ledger_head WHERE id = 1 FOR UPDATE";
        let (number, sha256) = sqlx::query_as::<_, (i64, String)>(sql).fetch_one(&mut *transaction).await?;
        let head = if number == 0 { Head::default() } else { Head { number: number.unsigned_abs(), sha256 } };
        Ok(Self { transaction, head, extended: false, wakes: false, process })
    }

    /// The connection, inside the transaction. After an error nothing may be done on it any more: PostgreSQL would answer
    /// the commit as if it had been done.
    pub(super) fn on(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// Announces at the commit that there may be something to do.
    pub(super) fn wake(&mut self) {
        self.wakes = true;
    }

    /// Appends facts to the ledger.
    pub(super) async fn append(&mut self, facts: Vec<Fact>, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
        let opening = (self.head.number == 0 && !facts.is_empty()).then(|| facts::opening(Uuid::new_v4()));
        for fact in opening.into_iter().chain(facts) {
            let (kind, subject) = (fact.kind(), fact.subject().into_owned());
            let line = self.head.link(now, fact).map_err(|error| sqlx::Error::Encode(error.into()))?;
            sqlx::query("INSERT INTO ledger (number, kind, subject, sha256, line) VALUES ($1, $2, $3, $4, $5)")
                .bind(count(line.head.number))
                .bind(kind)
                .bind(super::clean(&subject))
                .bind(&line.head.sha256)
                .bind(&line.text)
                .execute(&mut *self.transaction)
                .await?;
            (self.head, self.extended) = (line.head, true);
        }
        Ok(())
    }

    /// Commits. The last statement before the commit fails if any failed before it: the commit itself would not.
    pub(super) async fn commit(mut self) -> Result<(), sqlx::Error> {
        if self.extended {
            sqlx::query("UPDATE ledger_head SET number = $1, sha256 = $2 WHERE id = 1")
                .bind(count(self.head.number))
                .bind(&self.head.sha256)
                .execute(&mut *self.transaction)
                .await?;
        }
        if self.wakes {
            let announced = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(self.process.to_string());
            announced.execute(&mut *self.transaction).await?;
        }
        commit(self.transaction).await
    }
}

/// Commits a transaction, unless a statement in it has failed: PostgreSQL then rolls back and answers as after a commit.
pub(super) async fn commit(mut transaction: Transaction<'static, Postgres>) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT 1").execute(&mut *transaction).await?;
    transaction.commit().await
}

/// The last entry of the ledger.
pub(super) async fn head(pool: &PgPool) -> Result<Head, sqlx::Error> {
    let sql = "SELECT number, sha256, line FROM ledger ORDER BY number DESC LIMIT 1";
    let last = sqlx::query(sql).fetch_optional(pool).await?;
    last.as_ref().map_or_else(|| Ok(Head::default()), |row| rows::line(row).map(|line| line.head))
}
