//! The cost of each question, in steps of SQLite's virtual machine.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::*;
use crate::store::growth::{self, Archive, Dialect};

/// A file whose only connection counts its steps.
struct Counted {
    store: SqliteStore,
    steps: Arc<AtomicU64>,
    _folder: tempfile::TempDir,
}

impl Archive for Counted {
    type Store = SqliteStore;

    const DIALECT: Dialect = Dialect { random_id: "randomblob(16)", hex: "hex(id)", no_bytes: "x''" };

    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open_fleeting(&folder.path().join("store.db")).await.unwrap();
        let steps = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&steps);
        let mut connection = store.pool.acquire().await.unwrap();
        connection.lock_handle().await.unwrap().set_progress_handler(1, move || {
            counted.fetch_add(1, Ordering::Relaxed);
            true
        });
        drop(connection);
        Self { store, steps, _folder: folder }
    }

    fn store(&self) -> &SqliteStore {
        &self.store
    }

    async fn fill(&self, statements: Vec<String>) {
        let mut transaction = self.store.pool.begin().await.unwrap();
        for sql in statements {
            sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *transaction).await.unwrap();
        }
        transaction.commit().await.unwrap();
    }

    async fn cost(&self) -> u64 {
        self.steps.swap(0, Ordering::Relaxed)
    }
}

#[tokio::test]
async fn every_question_costs_the_same_after_a_hundred_and_after_twenty_thousand_runs() {
    assert_eq!(growth::dear::<Counted>(|few| few + few / 4 + 50).await, Vec::<String>::new());
}

/// `tests/measure-history` shows what it prints.
#[tokio::test]
#[ignore = "a measurement: it builds histories of a million runs"]
async fn measure_the_cost_after_a_million_runs() {
    growth::print::<Counted>("steps").await;
}
