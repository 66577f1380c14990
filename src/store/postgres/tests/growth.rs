//! The cost of each question, in blocks of tables and indexes that were read.

use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::store::growth::{self, Archive, Dialect};

/// A database of which only one connection is used.
struct Counted {
    store: PostgresStore,
    /// The blocks at the last look.
    seen: AtomicU64,
}

impl Archive for Counted {
    type Store = PostgresStore;

    const DIALECT: Dialect =
        Dialect { random_id: "uuid_send(gen_random_uuid())", hex: "encode(id, 'hex')", no_bytes: "''::bytea" };

    async fn new() -> Self {
        let server = Server { max_connections: 1, ..testing::database().await };
        Self { store: testing::open(&server).await, seen: AtomicU64::new(0) }
    }

    fn store(&self) -> &PostgresStore {
        &self.store
    }

    async fn fill(&self, statements: Vec<String>) {
        // The server's own cleaning would be counted, too.
        let quiet = "DO $$
                     DECLARE name TEXT;
                     BEGIN
                         FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'rolecall' LOOP
                             EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = false)', name);
                         END LOOP;
                     END $$";
        let mut transaction = self.store.pool.begin().await.unwrap();
        transaction.execute("SET LOCAL statement_timeout = 0").await.unwrap();
        transaction.execute(quiet).await.unwrap();
        for sql in statements {
            transaction.execute(AssertSqlSafe(sql)).await.unwrap();
        }
        let head = "UPDATE ledger_head SET (number, sha256) = (SELECT number, sha256 FROM ledger ORDER BY number DESC LIMIT 1)";
        transaction.execute(head).await.unwrap();
        transaction.commit().await.unwrap();
        let mut connection = self.store.pool.acquire().await.unwrap();
        for sql in ["SET statement_timeout = 0", "VACUUM ANALYZE", "RESET statement_timeout"] {
            connection.execute(sql).await.unwrap();
        }
    }

    async fn cost(&self) -> u64 {
        self.store.pool.execute("SELECT pg_stat_force_next_flush()").await.unwrap();
        let sum = "SELECT sum(heap_blks_read + heap_blks_hit + COALESCE(idx_blks_read + idx_blks_hit, 0))::bigint
                   FROM pg_statio_user_tables WHERE schemaname = 'rolecall'";
        let blocks: i64 = sqlx::query_scalar(sum).fetch_one(&self.store.pool).await.unwrap();
        blocks.unsigned_abs() - self.seen.swap(blocks.unsigned_abs(), Ordering::Relaxed)
    }
}

#[tokio::test]
async fn every_question_costs_the_same_after_a_hundred_and_after_twenty_thousand_runs() {
    assert_eq!(growth::dear::<Counted>(|few| few + few / 4 + 20).await, Vec::<String>::new());
}

/// `tests/measure-history` shows what it prints.
#[tokio::test]
#[ignore = "a measurement: it builds histories of a million runs"]
async fn measure_the_cost_after_a_million_runs() {
    growth::print::<Counted>("blocks").await;
}
