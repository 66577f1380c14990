//! The file: what it keeps, how it grows up, and what happens where it is damaged, locked or cannot grow.

use uuid::Uuid;

use super::*;
use crate::store::{
    AuditRecord, Kept, Store as _,
    history::History as _,
    queue::{NewMessage, Queue as _},
};

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
        bag: None,
        no_mail_reason: None,
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
        store.keep(&Kept { record: other.clone(), parts: vec![vec![9]] }, DateTime::UNIX_EPOCH).await.unwrap();
    }
    let wanted = Kept { record: wanted, parts: vec![vec![1, 2], vec![3]] };
    store.keep(&wanted, DateTime::UNIX_EPOCH).await.unwrap();
    drop(store);

    let kept = open(&folder).await.last_complete(Some("weekly"), "acme").await.unwrap();
    assert_eq!(kept, Some(wanted));
}

#[tokio::test]
async fn an_audit_that_is_kept_twice_is_refused_and_the_first_stays() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let mut audit = Kept { record: record("acme", None, 100), parts: vec![vec![1]] };
    store.keep(&audit, DateTime::UNIX_EPOCH).await.unwrap();
    audit.parts = vec![vec![2]];
    assert!(store.keep(&audit, DateTime::UNIX_EPOCH).await.is_err());
    assert_eq!(store.last_complete(None, "acme").await.unwrap().unwrap().parts, [vec![1]]);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named_as_damaged_and_left_alone() {
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
async fn several_that_open_a_new_store_at_once_all_get_it() {
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

async fn execute(store: &SqliteStore, sql: &'static str) {
    sqlx::query(sql).execute(&store.pool).await.unwrap();
}

#[tokio::test]
async fn what_the_first_schema_kept_is_there_under_every_later_one() {
    let folder = tempfile::tempdir().unwrap();
    for version in 1..MIGRATIONS.len() {
        let path = folder.path().join(format!("{version}.db"));
        // The file as a rolecall of that time left it.
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
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
        pool.close().await;

        let store = SqliteStore::open(&path).await.unwrap();
        let kept = store.last_complete(Some("weekly"), "acme").await.unwrap().unwrap();
        let Kept { record, parts } = kept;
        assert_eq!((record.id, record.users, record.open_findings), (Uuid::from_u128(7), 3, 2));
        assert_eq!((record.by_severity, parts), (None, vec![vec![1, 2]]));
        assert!(store.runs(9).await.unwrap().is_empty() && store.cursor("weekly").await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_disk_that_is_full_is_told_and_nothing_that_was_kept_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let first = Kept { record: record("acme", None, 100), parts: vec![vec![1; 100]] };
    store.keep(&first, DateTime::UNIX_EPOCH).await.unwrap();
    // What SQLite says then is what it says of a full disk.
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
async fn no_message_is_handed_out_whose_taking_could_not_be_stored() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let now = DateTime::from_timestamp(1_000, 0).unwrap();
    let minute = chrono::Duration::minutes(1);
    let claim = store.begin("weekly", "acme", now, minute).await.unwrap();
    let message = NewMessage {
        kind: "report".into(),
        about: String::new(),
        recipient: "a@example.com".into(),
        sender: "b@example.com".into(),
        message_id: "<1@example.com>".into(),
        bytes: vec![7],
    };
    let audit = Kept { record: AuditRecord { id: claim.run.id, ..record("acme", None, 100) }, parts: vec![] };
    store.record(&claim, &audit, &[message], now).await.unwrap();
    // As on a full disk, the write is there until it is to be committed.
    let refuse = async |refuse: bool| {
        let mut connection = store.pool.acquire().await.unwrap();
        connection.lock_handle().await.unwrap().set_commit_hook(move || !refuse);
    };
    refuse(true).await;
    assert!(store.take_message(None, now, minute).await.is_err());
    assert!(store.claim(now, minute).await.is_ok_and(|claim| claim.is_none()));
    refuse(false).await;
    assert_eq!(store.take_message(None, now, minute).await.unwrap().unwrap().attempt, 1);
}

#[tokio::test]
async fn a_file_that_another_process_holds_is_told_and_left_alone() {
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
async fn a_file_that_is_damaged_inside_is_told_and_not_made_anew() {
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

#[tokio::test]
async fn old_snapshots_are_forgotten_and_the_one_to_compare_with_never_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder).await;
    let mut ids = Vec::new();
    for (job, second, complete) in
        [("weekly", 100, true), ("weekly", 200, true), ("weekly", 300, false), ("daily", 150, true)]
    {
        let record = AuditRecord { complete, ..record("acme", Some(job), second) };
        ids.push(record.id);
        store.keep(&Kept { record, parts: vec![vec![1]] }, DateTime::UNIX_EPOCH).await.unwrap();
    }
    let before = DateTime::from_timestamp(1_000, 0).unwrap();
    assert_eq!(store.forget(before).await.unwrap(), 2);
    let weekly = store.last_complete(Some("weekly"), "acme").await.unwrap().unwrap();
    assert_eq!((weekly.record.id, weekly.parts.len()), (ids[1], 1));
    let daily = store.last_complete(Some("daily"), "acme").await.unwrap().unwrap();
    assert_eq!((daily.record.id, daily.parts.len()), (ids[3], 1));
    for id in ids {
        assert!(store.audit(id).await.unwrap().is_some(), "the records stay");
    }
    assert_eq!(store.forget(before).await.unwrap(), 0);
}
