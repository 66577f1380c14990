//! Copies of a store into another database.

use std::collections::BTreeSet;

use super::*;

/// A store with something in every table.
async fn filled(store: &impl crate::store::Database) {
    use crate::{
        model::{
            actor::Actor,
            notification::{Notification, Subject},
        },
        review::{
            event::{Sheet, Via},
            person::Address,
            testing::opened,
        },
        store::{
            AuditRecord, Kept,
            reviews::{KeptSheet, PlannedReview},
            sessions::{Link, SecretDigest, SignedIn},
            together::Share,
        },
    };
    let at = |second: i64| DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap();
    let lease = chrono::Duration::minutes(1);
    let cursor = crate::store::queue::Cursor { schedule: "* * * * * UTC".into(), at: at(20) };
    let gap = crate::model::run::Gap { job: "weekly".into(), first: at(1), last: at(2), count: 2, reason: "x".into() };
    let (workspaces, due) = (["acme".to_owned(), "beta".to_owned()], [at(10)]);
    let decided = Decided {
        job: "weekly",
        workspaces: &workspaces,
        due: &due,
        gap: Some(&gap),
        from: None,
        to: &cursor,
        now: at(0),
    };
    store.decide(&[decided]).await.unwrap();
    for second in [20, 21] {
        let claim = store.claim(at(second), lease).await.unwrap().unwrap();
        let record = AuditRecord {
            id: claim.run.id,
            job: Some("weekly".into()),
            workspace: claim.run.workspace.clone(),
            started_at: at(0),
            finished_at: at(5),
            complete: true,
            users: 3,
            administrators: 1,
            open_findings: 2,
            by_severity: None,
            bag: None,
            no_mail_reason: None,
            policy_changes: Vec::new(),
        };
        let kept = Kept { record, parts: vec![vec![0, 1, 255], vec![7; 300_000]] };
        let message = Notification {
            subject: Subject::Run(claim.run.id),
            channel: "email".into(),
            kind: "report".into(),
            about: String::new(),
            address: "ä@example.com".into(),
            sender: None,
            message_id: Some("<1>".into()),
            bytes: b"Subject: x\r\n\r\n".to_vec(),
        };
        if second == 20 {
            store.record(&claim, &kept, &[message], at(second)).await.unwrap();
        } else {
            let share = Share { terms: b"t", body: b"b", messages: &["<2>".to_owned()] };
            assert!(store.record_share(&claim, &kept, &share, at(second)).await.unwrap());
        }
    }
    store.file_grew("/evidence", 5).await.unwrap();
    store.open_review(&opened(7)).await.unwrap();
    let sheet = Sheet { sha256: "ab".repeat(32), signed_by: None };
    let sheet = KeptSheet { sheet, content: b"a,b\n".to_vec(), signature: None };
    store.keep_sheet(opened(7).id(), &sheet).await.unwrap();
    let plan = PlannedReview {
        name: "quarterly",
        job: "weekly",
        from: None,
        to: &cursor,
        due: None,
        skipped: &[],
        now: at(9),
    };
    assert!(store.plan_review(&plan).await.unwrap());
    let (address, via) = (Address::of("ana@example.com"), Via::MailLink);
    let link = Link { address: address.clone(), via, valid_until: at(900), used_at: None };
    store.keep_link(SecretDigest::of("l"), &link, &Actor::Daemon, at(36)).await.unwrap();
    let who = SignedIn::by(address, via);
    store.begin_session(SecretDigest::of("s"), &who, None, None, at(36)).await.unwrap();
}

#[tokio::test]
async fn a_copy_there_and_back_is_the_same_and_can_be_gone_on_with() {
    use crate::store::{
        copy::{CopyError, Rows as _, TABLES, Tables as _, copy},
        sqlite::SqliteStore,
    };
    let (folder, server) = (tempfile::tempdir().unwrap(), testing::database().await);
    let (file, back) = (folder.path().join("store.db"), folder.path().join("back.db"));
    let original = SqliteStore::open(&file).await.unwrap();
    filled(&original).await;
    let target = testing::open(&server).await;

    // It is interrupted after the first table: nobody else can use the target, and the copy goes on.
    target.begin_copy(original.place()).await.unwrap();
    let columns = original.columns(TABLES[0]).await.unwrap();
    let rows = original.rows(TABLES[0], &columns, None, 1).await.unwrap();
    target.add(TABLES[0], &columns, &rows).await.unwrap();
    let error = PostgresStore::open(&server).await.unwrap_err().to_string();
    assert!(error.contains("a copy into it is not complete"), "{error}");
    let other = SqliteStore::open(&folder.path().join("other.db")).await.unwrap();
    assert!(matches!(copy(&other, &target).await.unwrap_err(), CopyError::Another { .. }));
    let copied = copy(&original, &target).await.unwrap();
    assert!(copied.iter().all(|table| table.rows > 0), "{copied:?}");
    PostgresStore::open(&server).await.unwrap();
    assert_eq!(target.head().await.unwrap(), original.head().await.unwrap());

    // What follows goes on with the numbers and the chain of the original.
    let key = crate::ledger::Fact::Key { fingerprint: None, signer: None };
    target.append(&[key], DateTime::UNIX_EPOCH).await.unwrap();
    assert_eq!(target.head().await.unwrap().number, original.head().await.unwrap().number + 1);
    let now = DateTime::from_timestamp(1_790_000_100, 0).unwrap();
    let claim = target.begin("daily", "acme", now, chrono::Duration::minutes(1)).await.unwrap();
    target.give_up(&claim, "x", &[], now).await.unwrap();

    // A store that has something takes no copy.
    assert!(matches!(copy(&original, &target).await.unwrap_err(), CopyError::NotEmpty(_)));
    let copy_of_copy = SqliteStore::open(&back).await.unwrap();
    copy(&target, &copy_of_copy).await.unwrap();
    assert_eq!(copy_of_copy.head().await.unwrap(), target.head().await.unwrap());
    assert_eq!(copy_of_copy.runs(9).await.unwrap(), target.runs(9).await.unwrap());
}

#[tokio::test]
async fn every_table_is_copied_but_those_of_the_moment() {
    use crate::store::copy::TABLES;
    let store = testing::open(&testing::database().await).await;
    let sql = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'rolecall'";
    let there: BTreeSet<String> = sqlx::query_scalar(sql).fetch_all(&store.pool).await.unwrap().into_iter().collect();
    let copied: BTreeSet<String> = TABLES.iter().map(|table| table.name.to_owned()).collect();
    let left_out: Vec<&String> = there.difference(&copied).collect();
    assert_eq!(left_out, ["_sqlx_migrations", "access_token", "ledger_head", "probe", "replica"]);
    assert!(copied.is_subset(&there));
}
