//! Opening a store that must not or cannot be written: a copy on a read-only medium, or a file of another account.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, StatVfsMountFlags, access, statvfs};
use sqlx::{Sqlite, sqlite::SqliteConnectOptions};

use super::{MIGRATIONS, OPEN_ADVICE, SqliteStore, explain, file};
use crate::store::{StoreError, known::Known, pool};

const OLD_ADVICE: &str = "Copy it to a place that can be written; opening the copy brings it up to date";
const LOG_ADVICE: &str = "Copy both files to a place that can be written, and name the copy in `[store] url`";

impl SqliteStore {
    /// Opens a store to read it. A file that can be written is opened like any other: it is created and migrated.
    ///
    /// # Errors
    /// [`StoreError`], also if a file that cannot be written has another schema.
    pub async fn open_to_read(path: &Path) -> Result<Self, StoreError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let is_writable = |path: &Path| access(path, Access::WRITE_OK).is_ok();
        if !path.exists() || (is_writable(path) && is_writable(folder)) {
            return Self::open(path).await;
        }
        let flags = statvfs(path).map(|disk| disk.f_flag);
        Self::open_read_only(path, flags.is_ok_and(|flags| flags.contains(StatVfsMountFlags::RDONLY))).await
    }

    /// Opens an existing file and writes nothing. SQLite shares a file with a writing process only if it can write a file
    /// beside it, so that one on a read-only medium is read as a file that nobody changes
    /// (<https://www.sqlite.org/wal.html#readonly>).
    pub(super) async fn open_read_only(path: &Path, is_on_read_only_medium: bool) -> Result<Self, StoreError> {
        let place = path.display().to_string();
        let refused = |reason: String, advice| StoreError::Open { place: place.clone(), reason, advice };
        let log = beside(path, "-wal");
        if is_on_read_only_medium && std::fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
            let reason = format!("it cannot be written, and {} has changes that are not in it yet", log.display());
            return Err(refused(reason, LOG_ADVICE));
        }
        let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(is_on_read_only_medium);
        let pool = pool::options::<Sqlite>().max_connections(1).connect_with(options).await;
        let pool = pool.map_err(|error| explain(&place, "be opened", &error))?;
        let sql = "SELECT coalesce(max(version), 0) FROM _sqlx_migrations";
        let schema: i64 =
            sqlx::query_scalar(sql).fetch_one(&pool).await.map_err(|error| refused(error.to_string(), OPEN_ADVICE))?;
        let known = MIGRATIONS.map(|(version, ..)| version).into_iter().max().unwrap_or_default();
        if schema > known {
            return Err(StoreError::NewerSchema { place, version: schema });
        }
        if schema < known {
            let reason = format!("it cannot be written, and its schema {schema} is older than {known}");
            return Err(refused(reason, OLD_ADVICE));
        }
        let store = Self { pool, place, file: file::OpenFile::new(path), known: Known::default() };
        store.refuse_incomplete_copy().await?;
        Ok(store)
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Store as _, history::History as _};

    async fn closed_store(folder: &Path) -> PathBuf {
        let path = folder.join("store.db");
        let store = SqliteStore::open(&path).await.unwrap();
        store.pool.close().await;
        path
    }

    #[tokio::test]
    async fn a_store_on_a_read_only_medium_is_read_and_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = closed_store(folder.path()).await;
        let before = std::fs::read(&path).unwrap();
        let store = SqliteStore::open_read_only(&path, true).await.unwrap();
        assert_eq!(store.runs(10).await.unwrap(), Vec::new());
        assert!(store.probe(chrono::DateTime::UNIX_EPOCH).await.is_err());
        let files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, ["store.db"], "nothing is created beside it");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[tokio::test]
    async fn changes_that_are_only_in_the_log_are_not_left_out_silently() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let store = SqliteStore::open(&path).await.unwrap();
        store.probe(chrono::DateTime::UNIX_EPOCH).await.unwrap();
        let error = SqliteStore::open_read_only(&path, true).await.unwrap_err().to_string();
        assert!(error.contains("store.db-wal has changes that are not in it yet"), "{error}");
    }

    #[tokio::test]
    async fn an_older_schema_is_not_migrated() {
        let folder = tempfile::tempdir().unwrap();
        let path = closed_store(folder.path()).await;
        let store = SqliteStore::open(&path).await.unwrap();
        let sql = "DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)";
        sqlx::query(sql).execute(&store.pool).await.unwrap();
        store.pool.close().await;
        let error = SqliteStore::open_read_only(&path, true).await.unwrap_err().to_string();
        assert!(error.contains("is older than"), "{error}");
    }

    #[tokio::test]
    async fn a_store_that_can_be_written_is_opened_as_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let store = SqliteStore::open_to_read(&path).await.unwrap();
        store.probe(chrono::DateTime::UNIX_EPOCH).await.unwrap();
    }
}
