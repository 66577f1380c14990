//! The store in one SQLite file: write-ahead log, full synchronisation, one writer.
//!
//! `audits` keeps completed audits, `queue` runs, `decisions` what is due, `outbox` notifications, `together` those about
//! several runs; `reviews` reviews by people; `sessions` who is signed in; `history` and `incidents` read; `ledger` is extended by all writes.

mod audits;
mod decisions;
mod file;
mod history;
mod incidents;
mod ledger;
mod outbox;
mod queue;
mod read_only;
mod replicas;
mod reviews;
mod sessions;
mod tables;
#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
mod together;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use super::{
    StoreError,
    copy::{IN_USE_ADVICE, Tables as _},
    known::Known,
    pool,
    rows::{count, millis},
};
use sqlx::{
    Connection as _, Sqlite, SqliteConnection, SqlitePool,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

/// How long a write waits for another process's to end.
const BUSY_TIMEOUT: Duration = Duration::from_secs(15);
/// How long to wait before a file that was locked is opened again.
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// A store in one SQLite file.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    pool: SqlitePool,
    /// The file, as users know it.
    place: String,
    file: file::OpenFile,
    /// The reviews that were read last.
    known: Known,
}

impl SqliteStore {
    /// Opens the file, which is created if it does not exist, and migrates its schema.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let store = Self::open_with(path, SqliteSynchronous::Full).await?;
        store.refuse_incomplete_copy().await?;
        Ok(store)
    }

    /// The same, also if a copy into it is not complete: to go on with that. Nobody else may use it, because what is written
    /// meanwhile would not be copied.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn open_to_copy(path: &Path) -> Result<Self, StoreError> {
        if file::is_open_elsewhere(path) {
            let (place, reason) = (path.display().to_string(), "another process uses it".to_owned());
            return Err(StoreError::Open { place, reason, advice: IN_USE_ADVICE });
        }
        Self::open_with(path, SqliteSynchronous::Full).await
    }

    async fn refuse_incomplete_copy(&self) -> Result<(), StoreError> {
        match self.copy_under_way().await? {
            Some(from) => Err(StoreError::incomplete_copy(&self.place, &from)),
            None => Ok(()),
        }
    }

    /// A store that outlives its process but not its machine: fast enough for thousands of histories.
    ///
    /// # Errors
    /// [`StoreError`]
    #[cfg(test)]
    pub(crate) async fn open_fleeting(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, SqliteSynchronous::Off).await
    }

    /// A store without anything in it, in the memory of this process.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn empty() -> Result<Self, StoreError> {
        let place = "(in memory)".to_owned();
        // It lives as long as its only connection.
        let pool = pool::options::<Sqlite>().max_connections(1).min_connections(1);
        let pool = pool.connect_with(SqliteConnectOptions::new().in_memory(true)).await;
        let pool = pool.map_err(|error| explain(&place, "be opened", &error))?;
        let store = Self { pool, place, file: file::OpenFile::new(Path::new("")), known: Known::default() };
        store.bring_up_to_date().await.map_err(|error| StoreError::Open {
            place: store.place.clone(),
            reason: error.to_string(),
            advice: OPEN_ADVICE,
        })?;
        Ok(store)
    }

    async fn open_with(path: &Path, synchronous: SqliteSynchronous) -> Result<Self, StoreError> {
        make_private(path);
        let place = path.display().to_string();
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .foreign_keys(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .busy_timeout(BUSY_TIMEOUT);
        let since = Instant::now();
        let file = file::OpenFile::new(path);
        let pool = loop {
            let connected = file.clone();
            let pool = pool::options::<Sqlite>()
                .max_connections(1)
                .after_connect(move |_, _| {
                    connected.connected();
                    Box::pin(async { Ok(()) })
                })
                .before_acquire(|connection, _| Box::pin(async move { Ok(is_usable(connection)) }));
            match pool.connect_with(options.clone()).await.map_err(|error| explain(&place, "be opened", &error)) {
                // SQLite does not wait by itself while another process turns a new file's write-ahead log on.
                Err(StoreError::Locked { .. }) if since.elapsed() < BUSY_TIMEOUT => {
                    tokio::time::sleep(BUSY_PAUSE).await;
                }
                opened => break opened?,
            }
        };
        let store = Self { pool, place: place.clone(), file: file.opened(), known: Known::default() };
        store.bring_up_to_date().await.map_err(|error| match error {
            MigrateError::VersionMissing(version) => StoreError::NewerSchema { place, version },
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                explain(&place, "be brought up to date", &error)
            }
            MigrateError::VersionMismatch(version) => StoreError::Open {
                place,
                reason: format!("its schema {version} was made by a build of rolecall that was never released"),
                advice: "Restore the store from a backup, or start with a new file; nothing was changed",
            },
            other => StoreError::Open { place, reason: other.to_string(), advice: OPEN_ADVICE },
        })?;
        Ok(store)
    }

    /// Migrates in one transaction that excludes other processes: sqlx takes no lock for SQLite, and two daemons that start
    /// on a new store would both create the tables.
    async fn bring_up_to_date(&self) -> Result<(), MigrateError> {
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        migrations().run_direct(None, &mut *transaction, false).await?;
        Ok(transaction.commit().await?)
    }

    fn explain(&self, action: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
        move |error| explain(&self.place, action, &error)
    }
}

/// Whether a connection can be used again. With a full disk, SQLite rolls a transaction back by itself. sqlx's own rollback
/// then fails, and the connection would refuse every transaction from then on (measured with sqlx 0.9.0).
fn is_usable(connection: &SqliteConnection) -> bool {
    !connection.is_in_transaction()
}

/// Creates the file if it does not exist, readable for this account only, because snapshots hold names and addresses.
/// SQLite gives the files beside it the same mode.
fn make_private(path: &Path) {
    use std::os::unix::fs::OpenOptionsExt as _;
    // An existing file keeps the mode that its owner chose. SQLite explains any other failure.
    let _ = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
}

/// Every migration, in order. A released one never changes.
pub(super) const MIGRATIONS: [(i64, &str, &str); 13] = [
    (1, "audits", include_str!("0001_audits.sql")),
    (2, "runs", include_str!("0002_runs.sql")),
    (3, "ledger", include_str!("0003_ledger.sql")),
    (4, "notifications", include_str!("0004_notifications.sql")),
    (5, "history", include_str!("0005_history.sql")),
    (6, "reviews", include_str!("0006_reviews.sql")),
    (7, "together", include_str!("0007_together.sql")),
    (8, "sessions", include_str!("0008_sessions.sql")),
    (9, "review_messages", include_str!("0009_review_messages.sql")),
    (10, "reads", include_str!("0010_reads.sql")),
    (11, "fleet", include_str!("0011_fleet.sql")),
    (12, "review_sheets", include_str!("0012_review_sheets.sql")),
    (13, "ledger_file", include_str!("0013_ledger_file.sql")),
];

fn migrations() -> Migrator {
    let step = |(version, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sqlx::SqlSafeStr::into_sql_str(sql), false)
    };
    Migrator::with_migrations(MIGRATIONS.map(step).to_vec())
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

const OPEN_ADVICE: &str = "Check `[store] url`, that its folder exists and that this account may write there";
const DAMAGED_ADVICE: &str = "Move it away or restore a copy; nothing was changed";
const FULL_ADVICE: &str = "Make room on its disk; what was kept before is untouched";

fn explain(place: &str, action: &'static str, error: &sqlx::Error) -> StoreError {
    let (place, reason) = (place.to_owned(), error.to_string());
    let extended =
        error.as_database_error().and_then(sqlx::error::DatabaseError::code).and_then(|code| code.parse::<u32>().ok());
    match extended.map(|code| code & 0xff) {
        Some(code::BUSY | code::LOCKED) => StoreError::Locked { place, reason },
        Some(code::CORRUPT | code::NOT_A_DATABASE) => StoreError::Damaged { place, reason, advice: DAMAGED_ADVICE },
        Some(code::FULL) => StoreError::Full { place, reason, advice: FULL_ADVICE },
        Some(code::CANNOT_OPEN) => StoreError::Open { place, reason, advice: OPEN_ADVICE },
        _ => StoreError::Query { place, action, reason },
    }
}
