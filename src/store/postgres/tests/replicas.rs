//! Processes that share a database.

use super::*;
use crate::store::replicas::{Replica, Replicas as _};

fn replica(name: &str) -> Replica {
    Replica {
        name: name.to_owned(),
        process: Uuid::new_v4(),
        version: "0.1.0".to_owned(),
        signing_key: Some("SHA256:x".to_owned()),
        configuration: "aa".to_owned(),
        ahead: chrono::TimeDelta::milliseconds(-250),
        holds: vec![Uuid::from_u128(7), Uuid::from_u128(8)],
    }
}

#[tokio::test]
async fn replicas_see_one_another_until_they_leave_or_are_gone() {
    let server = testing::database().await;
    let store = testing::open(&server).await;
    let (one, other) = (replica("one"), replica("other"));
    assert_eq!(store.announce(&one).await.unwrap(), []);
    assert_eq!(store.announce(&other).await.unwrap(), std::slice::from_ref(&one));
    assert_eq!(store.announce(&one).await.unwrap(), std::slice::from_ref(&other));
    store.leave(&other).await.unwrap();
    assert_eq!(store.announce(&one).await.unwrap(), []);
    store.announce(&other).await.unwrap();
    execute(&store, "UPDATE replica SET seen_at = seen_at - 60000 WHERE name = 'other'").await.unwrap();
    assert_eq!(store.announce(&one).await.unwrap(), []);
    // It is listed for a while: until it comes back under its name, or it is long ago.
    let listed = async || {
        let listed = store.replicas().await.unwrap().unwrap();
        listed.into_iter().map(|one| (one.replica, one.is_gone)).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, [(one.clone(), false), (other.clone(), true)]);
    let back = replica("other");
    store.announce(&back).await.unwrap();
    store.replace(&back).await.unwrap();
    assert_eq!(listed().await, [(one.clone(), false), (back, false)]);
    // Of two that run under one name, both are there.
    let twin = replica("one");
    store.announce(&twin).await.unwrap();
    store.replace(&twin).await.unwrap();
    assert_eq!(store.announce(&one).await.unwrap().iter().filter(|other| other.name == "one").count(), 1);
    store.leave(&twin).await.unwrap();
    execute(&store, "UPDATE replica SET seen_at = seen_at - 3700000 WHERE name = 'other'").await.unwrap();
    store.announce(&one).await.unwrap();
    assert_eq!(listed().await, [(one.clone(), false)]);
    // It is there since it joined, however often it announces itself.
    let since = async || store.replicas().await.unwrap().unwrap()[0].since;
    execute(&store, "UPDATE replica SET joined_at = 1790000000000").await.unwrap();
    store.announce(&one).await.unwrap();
    assert_eq!(since().await, DateTime::from_timestamp(1_790_000_000, 0).unwrap());
}

#[tokio::test]
async fn one_process_at_a_time_gets_an_access_token_and_a_late_one_replaces_nothing() {
    let store = testing::open(&testing::database().await).await;
    let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
    assert_eq!(store.sealed_token("a").await.unwrap(), b"");
    assert_eq!(store.take_token_turn("a", one).await.unwrap().as_deref(), Some(&b""[..]));
    assert_eq!(store.take_token_turn("a", other).await.unwrap(), None);
    assert!(store.take_token_turn("b", other).await.unwrap().is_some(), "another client");
    assert!(store.replace_token("a", one, b"sealed").await.unwrap());
    store.give_token_turn_back("a", other).await.unwrap();
    assert_eq!(store.take_token_turn("a", other).await.unwrap(), None, "only the holder ends a turn");
    execute(&store, "UPDATE access_token SET held_until = 1").await.unwrap();
    assert_eq!(store.take_token_turn("a", other).await.unwrap().as_deref(), Some(&b"sealed"[..]));
    assert!(!store.replace_token("a", one, b"late").await.unwrap());
    store.give_token_turn_back("a", other).await.unwrap();
    assert!(store.take_token_turn("a", one).await.unwrap().is_some());
    // What is long expired is forgotten when another is replaced.
    execute(&store, "UPDATE access_token SET held_until = 1, kept_at = 1 WHERE name = 'b'").await.unwrap();
    assert!(store.replace_token("a", one, b"new").await.unwrap());
    assert_eq!(store.take_token_turn("b", other).await.unwrap().as_deref(), Some(&b""[..]));
    let names: i64 = sqlx::query_scalar("SELECT count(*) FROM access_token").fetch_one(&store.pool).await.unwrap();
    assert_eq!(names, 2);
}

#[tokio::test]
async fn the_skew_of_a_clock_is_told_and_so_is_a_schema_that_became_newer() {
    use crate::clock::Clock;
    let store = PostgresStore::open(&testing::database().await).await.unwrap();
    let right = store.skew(&Clock::system()).await.unwrap().unwrap();
    assert!(right.abs() < chrono::TimeDelta::milliseconds(500), "{right}");
    let ahead = Clock::new(|| Clock::system().now() + chrono::TimeDelta::seconds(600));
    let skew = store.skew(&ahead).await.unwrap().unwrap();
    assert!((599..=601).contains(&skew.num_seconds()), "{skew}");
    let sql = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
               VALUES (99, 'later', true, '', 0)";
    execute(&store, sql).await.unwrap();
    let error = store.skew(&Clock::system()).await.unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { version: 99, .. }), "{error}");
}

#[tokio::test]
async fn a_replica_is_woken_by_another_and_not_by_itself() {
    let server = testing::database().await;
    let (one, other) = (testing::open(&server).await, testing::open(&server).await);
    let waiting = one.clone();
    let mut woken = tokio::spawn(async move { waiting.changed().await });
    let listens = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'";
    while sqlx::query_scalar::<_, i64>(listens).fetch_one(&other.pool).await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
    let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let announce = async |store: &PostgresStore| {
        let mut write = store.write().await.unwrap();
        write.wake();
        write.commit().await.unwrap();
        store.probe(now).await.unwrap();
    };
    announce(&one).await;
    let patience = Duration::from_millis(300);
    assert!(tokio::time::timeout(patience, &mut woken).await.is_err(), "its own announcement woke it");
    announce(&other).await;
    tokio::time::timeout(Duration::from_secs(10), woken).await.unwrap().unwrap();
}
