//! The store in one SQLite file: write-ahead log, full synchronisation, one writer.
//!
//! `audits` keeps completed audits, `queue` the schedule's memory, `outbox` its messages,
//! `history` and `incidents` read what became of them; `ledger` is written by all that write.

mod audits;
mod history;
mod incidents;
mod ledger;
mod outbox;
mod queue;
#[cfg(test)]
mod queue_tests;
#[cfg(test)]
mod tests;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use super::StoreError;
use chrono::{DateTime, Utc};
use sqlx::{
    Connection as _, SqliteConnection, SqlitePool,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

/// How long a write waits for another process's to end.
const BUSY_TIMEOUT: Duration = Duration::from_secs(15);
/// How long to wait before a file that was locked is opened again.
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// A store in one SQLite file.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    pool: SqlitePool,
    path: PathBuf,
}

impl SqliteStore {
    /// Opens the file, making it where there is none, and brings its schema up to date.
    ///
    /// # Errors
    /// [`StoreError`], with what the user can do.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, SqliteSynchronous::Full).await
    }

    /// A store that outlives its process but not its machine: fast enough for thousands of histories.
    ///
    /// # Errors
    /// [`StoreError`]
    #[cfg(test)]
    pub(crate) async fn open_fleeting(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, SqliteSynchronous::Off).await
    }

    async fn open_with(path: &Path, synchronous: SqliteSynchronous) -> Result<Self, StoreError> {
        make_private(path);
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .busy_timeout(BUSY_TIMEOUT);
        let since = Instant::now();
        let pool = loop {
            let pool = SqlitePoolOptions::new()
                .max_connections(1)
                .before_acquire(|connection, _| Box::pin(async move { Ok(is_usable(connection)) }));
            match pool.connect_with(options.clone()).await.map_err(|error| explain(path, "be opened", &error)) {
                // SQLite does not wait by itself while another process turns a new file's write-ahead log on.
                Err(StoreError::Locked { .. }) if since.elapsed() < BUSY_TIMEOUT => {
                    tokio::time::sleep(BUSY_PAUSE).await;
                }
                opened => break opened?,
            }
        };
        let store = Self { pool, path: path.to_owned() };
        store.bring_up_to_date().await.map_err(|error| match error {
            MigrateError::VersionMissing(version) => StoreError::NewerSchema { path: path.to_owned(), version },
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                explain(path, "be brought up to date", &error)
            }
            other => StoreError::Open { path: path.to_owned(), reason: other.to_string() },
        })?;
        Ok(store)
    }

    /// One process at a time, in one transaction: sqlx takes no lock for SQLite, and of two daemons that start on a new
    /// store each would make the tables.
    async fn bring_up_to_date(&self) -> Result<(), MigrateError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        migrations().run_direct(None, &mut *transaction, false).await?;
        Ok(transaction.commit().await?)
    }

    fn explain(&self, action: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
        move |error| explain(&self.path, action, &error)
    }
}

/// Whether a connection can be used again. Where the disk is full SQLite takes a transaction back by itself; sqlx's own
/// attempt at that then fails, and the connection would refuse every transaction from then on (measured with 0.9.0).
fn is_usable(connection: &SqliteConnection) -> bool {
    !connection.is_in_transaction()
}

/// Makes the file where there is none, readable for this account only: snapshots hold names and addresses. SQLite
/// gives the files beside it the same mode.
fn make_private(path: &Path) {
    use std::os::unix::fs::OpenOptionsExt as _;
    // Where it is there already its mode is its owner's choice; any other failure is SQLite's to explain.
    let _ = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
}

/// Every step that the schema has ever gone, in order. One that was released is never changed.
const MIGRATIONS: [(i64, &str, &str); 3] = [
    (1, "audits", include_str!("0001_audits.sql")),
    (2, "runs", include_str!("0002_runs.sql")),
    (3, "ledger", include_str!("0003_ledger.sql")),
];

fn migrations() -> Migrator {
    let step = |(version, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sqlx::SqlSafeStr::into_sql_str(sql), false)
    };
    Migrator::with_migrations(MIGRATIONS.map(step).to_vec())
}

/// A moment as the store writes it.
fn millis(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}

/// A moment as the store wrote it.
fn moment(millis: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::UNIX_EPOCH)
}

fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// SQLite's primary result codes (<https://www.sqlite.org/rescode.html>).
mod code {
    pub(super) const BUSY: u32 = 5;
    pub(super) const LOCKED: u32 = 6;
    pub(super) const CORRUPT: u32 = 11;
    pub(super) const FULL: u32 = 13;
    pub(super) const CANNOT_OPEN: u32 = 14;
    pub(super) const NOT_A_DATABASE: u32 = 26;
}

fn explain(path: &Path, action: &'static str, error: &sqlx::Error) -> StoreError {
    let (path, reason) = (path.to_owned(), error.to_string());
    let extended =
        error.as_database_error().and_then(sqlx::error::DatabaseError::code).and_then(|code| code.parse::<u32>().ok());
    match extended.map(|code| code & 0xff) {
        Some(code::BUSY | code::LOCKED) => StoreError::Locked { path, reason },
        Some(code::CORRUPT | code::NOT_A_DATABASE) => StoreError::Damaged { path, reason },
        Some(code::FULL) => StoreError::Full { path, reason },
        Some(code::CANNOT_OPEN) => StoreError::Open { path, reason },
        _ => StoreError::Query { path, action, reason },
    }
}
