//! The file: what it keeps, how it is migrated, and what happens if it is damaged, locked or cannot grow.

mod growth;
mod plans;

use chrono::DateTime;
use uuid::Uuid;

use super::*;
use crate::{
    model::notification::{Notification, Subject},
    store::{
        Kept, Store as _,
        conformance::{self, Home, record},
        history::History as _,
        ledger::Ledger as _,
        queue::Queue as _,
        rows::moment,
    },
};

/// One SQLite file.
struct File {
    folder: tempfile::TempDir,
}

impl Home for File {
    type Store = SqliteStore;

    async fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    async fn open(&self) -> SqliteStore {
        SqliteStore::open_fleeting(&self.folder.path().join("store.db")).await.unwrap()
    }

    async fn refuse_commits(store: &SqliteStore, refuse: bool) {
        let mut connection = store.pool.acquire().await.unwrap();
        connection.lock_handle().await.unwrap().set_commit_hook(move || !refuse);
    }
}

conformance::suite!(File);

/// See `store::pool`.
#[tokio::test]
async fn an_open_store_has_no_task_that_could_run_for_ever() {
    let file = File::new().await;
    let store = file.open().await;
    store.probe(moment(1)).await.unwrap();
    // A connection comes back to the pool in a task that ends.
    let tasks = tokio::runtime::Handle::current().metrics();
    let ended = async {
        while tasks.num_alive_tasks() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_mins(1), ended).await.unwrap();
}

async fn open(folder: &tempfile::TempDir) -> SqliteStore {
    SqliteStore::open(&folder.path().join("store.db")).await.unwrap()
}

#[tokio::test]
async fn a_file_that_is_not_a_database_is_reported_as_damaged_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    std::fs::write(&path, "not a database at all, and long enough to have a header of 100 bytes ".repeat(9)).unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_can_open_a_new_store_at_once() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let opened = (0..6).map(|_| {
            let path = path.clone();
            tokio::spawn(async move { SqliteStore::open_fleeting(&path).await.map(drop) })
        });
        for store in futures::future::join_all(opened.collect::<Vec<_>>()).await {
            store.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn a_new_store_is_private_and_the_mode_of_an_old_one_is_left_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    for chosen in [0o600, 0o640] {
        let store = open(&folder).await;
        let metadata = std::fs::metadata(&store.place).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, chosen);
        std::fs::set_permissions(&store.place, std::fs::Permissions::from_mode(0o640)).unwrap();
    }
}

#[tokio::test]
async fn a_folder_that_does_not_exist_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = SqliteStore::open(&folder.path().join("missing/store.db")).await.unwrap_err();
    assert!(matches!(error, StoreError::Open { .. }), "{error}");
}

async fn execute(store: &SqliteStore, sql: &'static str) {
    sqlx::query(sql).execute(&store.pool).await.unwrap();
}

/// A file as the version of rolecall left it that had this schema.
async fn file_of_schema(path: &std::path::Path, version: usize) {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true).foreign_keys(true);
    let pool = pool::options::<Sqlite>().max_connections(1).connect_with(options).await.unwrap();
    let step = |(version, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sqlx::SqlSafeStr::into_sql_str(sql), false)
    };
    Migrator::with_migrations(MIGRATIONS[..version].iter().copied().map(step).collect()).run(&pool).await.unwrap();
    sqlx::raw_sql(
        "INSERT INTO audit (id, job, workspace, started_at, finished_at, complete, users, administrators, open_findings)
         VALUES (x'00000000000000000000000000000007', 'weekly', 'acme', 1000, 2000, 1, 3, 1, 2);
         INSERT INTO snapshot_part VALUES (x'00000000000000000000000000000007', 0, x'0102');",
    )
    .execute(&pool)
    .await
    .unwrap();
    if version >= 2 {
        sqlx::raw_sql(
            "INSERT INTO cursor VALUES ('weekly', '0 8 * * * UTC', 9000);
             INSERT INTO run (id, job, workspace, fire_at, state, attempt, fence, planned_at, started_at)
             VALUES (x'00000000000000000000000000000007', 'weekly', 'acme', 1000, 'recorded', 1, 1, 900, 1000);",
        )
        .execute(&pool)
        .await
        .unwrap();
    }
    if (2..4).contains(&version) {
        sqlx::raw_sql(
            "INSERT INTO message (run, kind, about, recipient, sender, message_id, body, state, attempt, fence,
                                  not_before, created_at, finished_at, answer)
             VALUES (x'00000000000000000000000000000007', 'report', '', 'a@example.com', 'x@example.com', '<1@x>', x'',
                     'accepted', 1, 1, 3000, 2000, 3000, '250 ok'),
                    (x'00000000000000000000000000000007', 'report', '', 'b@example.com', 'x@example.com', '<2@x>',
                     x'0708', 'rejected', 1, 1, 3000, 2000, 3000, '550 no'),
                    (x'00000000000000000000000000000007', 'undelivered', 'report to b@example.com', 'a@example.com',
                     'x@example.com', '<3@x>', x'090a', 'waiting', 2, 5, 3000, 2500, NULL, '451 later');",
        )
        .execute(&pool)
        .await
        .unwrap();
    }
    if version >= 4 {
        sqlx::raw_sql(
            "INSERT INTO notification (subject_kind, subject_id, run, channel, kind, about, address, sender, message_id,
                                       body, state, attempt, fence, not_before, created_at, finished_at, answer)
             SELECT 'run', lower(hex(run)), run, 'email', kind, about, recipient, 'x@example.com', message_id, body, state,
                    attempt, fence, 3000, created_at, finished_at, answer
             FROM (SELECT x'00000000000000000000000000000007' AS run), (
                SELECT 'report' AS kind, '' AS about, 'a@example.com' AS recipient, '<1@x>' AS message_id, x'' AS body,
                       'accepted' AS state, 1 AS attempt, 1 AS fence, 2000 AS created_at, 3000 AS finished_at,
                       '250 ok' AS answer
                UNION ALL
                SELECT 'report', '', 'b@example.com', '<2@x>', x'0708', 'rejected', 1, 1, 2000, 3000, '550 no'
                UNION ALL
                SELECT 'undelivered', 'report to b@example.com', 'a@example.com', '<3@x>', x'090a', 'waiting', 2, 5,
                       2500, NULL, '451 later'
             );",
        )
        .execute(&pool)
        .await
        .unwrap();
    }
    if version >= 5 {
        let fire_time = "UPDATE notification SET job = 'weekly', workspace = 'acme', fire_at = 1000";
        sqlx::raw_sql(fire_time).execute(&pool).await.unwrap();
        sqlx::raw_sql("UPDATE audit SET fire_at = 1000").execute(&pool).await.unwrap();
    }
    if version >= 3 {
        let insert = "INSERT INTO ledger (number, kind, subject, sha256, line) VALUES (1, 'begun', '', 'aa', 'x')";
        sqlx::raw_sql(insert).execute(&pool).await.unwrap();
    }
    pool.close().await;
}

#[tokio::test]
async fn what_every_earlier_schema_kept_is_there_under_this_one() {
    let folder = tempfile::tempdir().unwrap();
    for version in 1..MIGRATIONS.len() {
        let path = folder.path().join(format!("{version}.db"));
        file_of_schema(&path, version).await;
        let store = SqliteStore::open(&path).await.unwrap();
        let kept = store.last_complete(Some("weekly"), "acme").await.unwrap().unwrap();
        let Kept { record, parts } = kept;
        assert_eq!((record.id, record.users, record.open_findings), (Uuid::from_u128(7), 3, 2));
        assert_eq!((record.by_severity, parts), (None, vec![vec![1, 2]]));
        if version == 1 {
            assert!(store.runs(9).await.unwrap().is_empty() && store.cursor("weekly").await.unwrap().is_none());
            continue;
        }
        assert_eq!(store.cursor("weekly").await.unwrap().unwrap().at, moment(9000));
        assert_eq!(store.head().await.unwrap().number, u64::from(version >= 3));
        let messages = store.messages(Uuid::from_u128(7)).await.unwrap();
        let told: Vec<_> =
            messages.iter().map(|m| (m.channel.as_str(), m.address.as_str(), m.state.word(), m.attempt)).collect();
        let expected = [
            ("email", "a@example.com", "accepted", 1),
            ("email", "b@example.com", "rejected", 1),
            ("email", "a@example.com", "waiting", 2),
        ];
        assert_eq!(told, expected);
        // What waited is taken out as it was, and what was rejected can be sent again.
        let minute = chrono::Duration::minutes(1);
        let waiting = store.take_message(Some("weekly"), moment(4000), minute).await.unwrap().unwrap();
        let notice = Notification {
            subject: Subject::Run(Uuid::from_u128(7)),
            channel: "email".into(),
            kind: "undelivered".into(),
            about: "report to b@example.com".into(),
            address: "a@example.com".into(),
            sender: Some("x@example.com".into()),
            message_id: Some("<3@x>".into()),
            bytes: vec![9, 10],
        };
        assert_eq!((&waiting.notification, waiting.attempt, waiting.fence), (&notice, 3, 6));
        assert_eq!(waiting.created_at, moment(2500));
        assert_eq!(store.incidents(moment(5000)).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_full_disk_is_reported_and_nothing_that_was_kept_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let first = Kept { record: record("acme", None, 100), parts: vec![vec![1; 100]] };
    store.keep(&first, DateTime::UNIX_EPOCH).await.unwrap();
    // SQLite reports this as it reports a full disk.
    execute(&store, "PRAGMA max_page_count = 1").await;
    let large = Kept { record: record("acme", None, 200), parts: vec![vec![2; 4_000_000]] };
    let error = store.keep(&large, DateTime::UNIX_EPOCH).await.unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert!(error.to_string().contains("Make room on its disk"), "{error}");
    assert_eq!(store.last_complete(None, "acme").await.unwrap(), Some(first.clone()));
    execute(&store, "PRAGMA max_page_count = 1000000").await;
    store.keep(&large, DateTime::UNIX_EPOCH).await.unwrap();
    assert_eq!(store.last_complete(None, "acme").await.unwrap(), Some(large));
}

#[tokio::test]
async fn a_file_that_another_process_holds_is_reported_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (store, other) = (open(&folder).await, open(&folder).await);
    execute(&store, "PRAGMA busy_timeout = 50").await;
    let held = other.pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
    let audit = Kept { record: record("acme", None, 100), parts: vec![vec![1]] };
    let error = store.keep(&audit, DateTime::UNIX_EPOCH).await.unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    drop(held);
    store.keep(&audit, DateTime::UNIX_EPOCH).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_damaged_inside_is_reported_and_not_created_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    store
        .keep(&Kept { record: record("acme", None, 100), parts: vec![vec![7; 50_000]] }, DateTime::UNIX_EPOCH)
        .await
        .unwrap();
    store.pool.close().await;
    let path = folder.path().join("store.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.len();
    bytes[4096..end].fill(0x5a);
    std::fs::write(&path, &bytes).unwrap();
    let error = match SqliteStore::open(&path).await {
        Ok(store) => store.last_complete(None, "acme").await.unwrap_err(),
        Err(error) => error,
    };
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("restore a copy"), "{error}");
    assert_eq!(std::fs::metadata(&path).unwrap().len(), bytes.len() as u64);
}
