//! The store in one SQLite file: write-ahead log, full synchronisation, one writer.
//!
//! `audits` keeps completed audits, `queue` the schedule's memory, `outbox` its messages,
//! `history` and `lapses` read what became of them.

mod audits;
mod history;
mod lapses;
mod outbox;
mod queue;
#[cfg(test)]
mod queue_tests;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::StoreError;
use chrono::{DateTime, Utc};
use sqlx::{
    SqlitePool,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

/// How long a write waits for another process's to end.
const BUSY_TIMEOUT: Duration = Duration::from_secs(15);

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
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options)
            .await
            .map_err(|error| explain(path, "be opened", &error))?;
        let store = Self { pool, path: path.to_owned() };
        migrations().run(&store.pool).await.map_err(|error| match error {
            MigrateError::VersionMissing(version) => StoreError::NewerSchema { path: path.to_owned(), version },
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
                explain(path, "be brought up to date", &error)
            }
            other => StoreError::Open { path: path.to_owned(), reason: other.to_string() },
        })?;
        Ok(store)
    }

    fn explain(&self, action: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
        move |error| explain(&self.path, action, &error)
    }
}

/// Makes the file where there is none, readable for this account only: snapshots hold names and addresses. SQLite
/// gives the files beside it the same mode.
fn make_private(path: &Path) {
    use std::os::unix::fs::OpenOptionsExt as _;
    // Where it is there already its mode is its owner's choice; any other failure is SQLite's to explain.
    let _ = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
}

/// Every step that the schema has ever gone, in order. One that was released is never changed.
const MIGRATIONS: [(i64, &str, &str); 2] =
    [(1, "audits", include_str!("0001_audits.sql")), (2, "runs", include_str!("0002_runs.sql"))];

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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::store::{AuditRecord, Kept, Store as _};

    fn record(workspace: &str, job: Option<&str>, second: i64) -> AuditRecord {
        AuditRecord {
            id: Uuid::now_v7(),
            job: job.map(str::to_owned),
            workspace: workspace.to_owned(),
            started_at: DateTime::from_timestamp(second - 5, 0).unwrap(),
            finished_at: DateTime::from_timestamp(second, 0).unwrap(),
            complete: true,
            users: 3,
            administrators: 1,
            open_findings: 2,
            by_severity: Some([0, 1, 1, 0, 0]),
        }
    }

    async fn open(folder: &tempfile::TempDir) -> SqliteStore {
        SqliteStore::open(&folder.path().join("store.db")).await.unwrap()
    }

    #[tokio::test]
    async fn the_last_complete_audit_of_the_same_job_and_workspace_comes_back_whole() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        let wanted = record("acme", Some("weekly"), 200);
        let mut incomplete = record("acme", Some("weekly"), 300);
        incomplete.complete = false;
        for other in [
            &record("acme", Some("weekly"), 100),
            &record("acme", None, 400),
            &record("beta", Some("weekly"), 500),
            &incomplete,
        ] {
            store.keep(&Kept { record: other.clone(), parts: vec![vec![9]] }).await.unwrap();
        }
        let wanted = Kept { record: wanted, parts: vec![vec![1, 2], vec![3]] };
        store.keep(&wanted).await.unwrap();
        drop(store);

        let kept = open(&folder).await.last_complete(Some("weekly"), "acme").await.unwrap();
        assert_eq!(kept, Some(wanted));
    }

    #[tokio::test]
    async fn an_audit_that_is_kept_twice_is_refused_and_the_first_stays() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        let mut audit = Kept { record: record("acme", None, 100), parts: vec![vec![1]] };
        store.keep(&audit).await.unwrap();
        audit.parts = vec![vec![2]];
        assert!(store.keep(&audit).await.is_err());
        assert_eq!(store.last_complete(None, "acme").await.unwrap().unwrap().parts, [vec![1]]);
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_named_as_damaged_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        std::fs::write(&path, "not a database at all, and long enough to have a header of 100 bytes ".repeat(9))
            .unwrap();
        let before = std::fs::read(&path).unwrap();
        let error = SqliteStore::open(&path).await.unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[tokio::test]
    async fn a_newer_schema_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder).await;
        sqlx::query("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (99, 'later', 1, x'00', 0)")
            .execute(&store.pool)
            .await
            .unwrap();
        drop(store);
        let error = SqliteStore::open(&folder.path().join("store.db")).await.unwrap_err();
        assert!(matches!(error, StoreError::NewerSchema { version: 99, .. }), "{error}");
    }

    #[tokio::test]
    async fn a_new_store_is_private_and_the_mode_of_an_old_one_is_left_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        for chosen in [0o600, 0o640] {
            let store = open(&folder).await;
            let metadata = std::fs::metadata(&store.path).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, chosen);
            std::fs::set_permissions(&store.path, std::fs::Permissions::from_mode(0o640)).unwrap();
        }
    }

    #[tokio::test]
    async fn a_folder_that_does_not_exist_is_a_clear_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = SqliteStore::open(&folder.path().join("missing/store.db")).await.unwrap_err();
        assert!(matches!(error, StoreError::Open { .. }), "{error}");
    }
}
