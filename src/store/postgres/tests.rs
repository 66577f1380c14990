//! The database: what the suite does not say.

mod plans;

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use super::*;
use crate::store::{
    Store as _,
    conformance::{self, Home},
    history::History as _,
    ledger::Ledger as _,
    queue::{Decided, Queue as _},
    replicas::{Replica, Replicas as _},
};

/// One database.
struct Database {
    server: Server,
}

impl Home for Database {
    type Store = PostgresStore;

    async fn new() -> Self {
        Self { server: testing::database().await }
    }

    async fn open(&self) -> PostgresStore {
        testing::open(&self.server).await
    }

    async fn refuse_commits(store: &PostgresStore, refuse: bool) {
        if refuse {
            let exists = "SELECT EXISTS (SELECT 1 FROM pg_proc WHERE proname = 'refused')";
            if !sqlx::query_scalar::<_, bool>(exists).fetch_one(&store.pool).await.unwrap() {
                store.pool.execute(REFUSALS).await.unwrap();
            }
        }
        let sql = "UPDATE refusal SET refuse = $1";
        sqlx::query(sql).bind(refuse).execute(&store.pool).await.unwrap();
    }
}

/// A trigger on every table that fails at the commit if the flag is set.
const REFUSALS: &str = "
CREATE TABLE refusal (refuse BOOLEAN NOT NULL);
INSERT INTO refusal VALUES (false);
CREATE FUNCTION refused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT refuse FROM refusal) THEN RAISE EXCEPTION 'refused'; END IF;
    RETURN NULL;
END $$;
DO $$
DECLARE name TEXT;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'rolecall' AND tablename NOT IN ('refusal', '_sqlx_migrations') LOOP
        EXECUTE format('CREATE CONSTRAINT TRIGGER refused AFTER INSERT OR UPDATE OR DELETE ON %I
                        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refused()', name);
    END LOOP;
END $$;";

conformance::suite!(Database);

async fn execute(store: &PostgresStore, sql: &str) -> Result<(), StoreError> {
    store.pool.execute(AssertSqlSafe(sql.to_owned())).await.map(|_| ()).map_err(store.explain("execute"))
}

#[test]
fn both_databases_have_the_same_versions() {
    let versions = |list: &[(i64, &'static str, &str)]| list.iter().map(|(n, name, _)| (*n, *name)).collect::<Vec<_>>();
    assert_eq!(versions(&schema::MIGRATIONS), versions(&crate::store::sqlite::MIGRATIONS));
}

#[tokio::test]
async fn both_databases_have_the_same_tables_and_columns() {
    let store = testing::open(&testing::database().await).await;
    let sql = "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'rolecall'";
    let here: BTreeSet<String> = sqlx::query_scalar(sql).fetch_all(&store.pool).await.unwrap().into_iter().collect();
    let folder = tempfile::tempdir().unwrap();
    let there = crate::store::sqlite::testing::columns(&folder.path().join("store.db")).await;
    let only_here: Vec<&String> = here
        .difference(&there)
        .filter(|column| !["_sqlx", "replica.", "access_token."].iter().any(|table| column.starts_with(table)))
        .collect();
    assert_eq!(only_here, ["audit.kept", "ledger_head.id", "ledger_head.number", "ledger_head.sha256"]);
    assert_eq!(there.difference(&here).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[tokio::test]
async fn every_text_is_ordered_by_its_bytes() {
    let store = testing::open(&testing::database().await).await;
    let sql = "SELECT table_name || '.' || column_name FROM information_schema.columns
               WHERE table_schema = 'rolecall' AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'
               AND table_name <> '_sqlx_migrations'";
    let others: Vec<String> = sqlx::query_scalar(sql).fetch_all(&store.pool).await.unwrap();
    assert_eq!(others, Vec::<String>::new());
}

#[tokio::test]
async fn the_ledger_can_only_be_extended() {
    let store = testing::open(&testing::database().await).await;
    let key = crate::ledger::Fact::Key { fingerprint: None, signer: None };
    store.append(&[key], DateTime::UNIX_EPOCH).await.unwrap();
    for sql in ["UPDATE ledger SET line = 'x'", "DELETE FROM ledger", "TRUNCATE ledger", "TRUNCATE ledger CASCADE"] {
        let error = execute(&store, sql).await.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{sql}: {error}");
    }
    assert_eq!(store.head().await.unwrap().number, 2);
}

#[tokio::test]
async fn a_commit_after_an_error_is_an_error() {
    let store = testing::open(&testing::database().await).await;
    let mut write = store.write().await.unwrap();
    sqlx::query("INSERT INTO probe (id, at) VALUES (1, 1)").execute(write.on()).await.unwrap();
    // Somebody overlooks an error.
    let _ = sqlx::query("INSERT INTO probe (id, at) VALUES (1, 1)").execute(write.on()).await;
    assert!(write.commit().await.is_err());
    let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM probe").fetch_one(&store.pool).await.unwrap();
    assert_eq!(rows, 0);
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_so_is_an_older_binary_that_starts_later() {
    let server = testing::database().await;
    let store = testing::open(&server).await;
    let sql = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
               VALUES (99, 'later', true, '', 0)";
    execute(&store, sql).await.unwrap();
    let error = PostgresStore::open(&server).await.unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { version: 99, .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_replicas_can_open_a_new_database_at_once() {
    let server = testing::database().await;
    let opened = (0..6).map(|_| {
        let server = server.clone();
        tokio::spawn(async move { PostgresStore::open(&server).await.map(drop) })
    });
    for store in futures::future::join_all(opened.collect::<Vec<_>>()).await {
        store.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_role_without_the_right_to_create_tables_uses_a_schema_that_is_up_to_date() {
    let server = testing::database().await;
    let owner = testing::open(&server).await;
    let role = format!("app_{}", server.database);
    let sql = format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'x'; GRANT USAGE ON SCHEMA rolecall TO {role};
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA rolecall TO {role};
         REVOKE UPDATE, DELETE ON ledger FROM {role}; REVOKE CREATE ON SCHEMA public FROM public;"
    );
    execute(&owner, &sql).await.unwrap();
    let limited = Server { user: role, password: Some("x".into()), ..server.clone() };
    let store = PostgresStore::open(&limited).await.unwrap();
    store.begin("weekly", "acme", DateTime::UNIX_EPOCH, chrono::Duration::minutes(1)).await.unwrap();
    // Before the schema is there, it says what is missing.
    let empty = testing::database().await;
    let limited = Server { user: limited.user.clone(), password: Some("x".into()), ..empty };
    let error = PostgresStore::open(&limited).await.unwrap_err().to_string();
    assert!(error.contains("GRANT CREATE ON DATABASE"), "{error}");
}

#[tokio::test]
async fn neither_errors_nor_debug_output_have_the_password() {
    let server = testing::database().await;
    let wrong = Server { password: Some("hunter2-wrong".into()), ..server.clone() };
    let error = PostgresStore::open(&wrong).await.unwrap_err();
    let store = testing::open(&server).await;
    let text = format!("{error} {error:?} {wrong:?} {store:?}");
    assert!(error.to_string().contains("password authentication failed"), "{error}");
    assert!(error.to_string().contains("rolecall store check"), "{error}");
    assert!(!text.contains("hunter2") && !text.contains(testing::PASSWORD), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_jobs_never_read_one_workspace_at_once() {
    let server = testing::database().await;
    let stores = [testing::open(&server).await, testing::open(&server).await];
    let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let cursor = crate::store::queue::Cursor { schedule: "x".into(), at: now };
    let (workspaces, due) = (["acme".to_owned()], [now]);
    for round in 0..20 {
        let jobs = [format!("a{round}"), format!("b{round}")];
        let decided =
            |job| Decided { job, workspaces: &workspaces, due: &due, gap: None, from: None, to: &cursor, now };
        stores[0].decide(&[decided(&jobs[0]), decided(&jobs[1])]).await.unwrap();
        let lease = chrono::Duration::minutes(1);
        let (one, other) = tokio::join!(stores[0].claim(now, lease), stores[1].claim(now, lease));
        let claimed: Vec<_> = [one.unwrap(), other.unwrap()].into_iter().flatten().collect();
        assert_eq!(claimed.len(), 1, "round {round}");
        for _ in 0..2 {
            let claim = match claimed.first() {
                Some(claim) if stores[0].give_up(claim, "x", &[], now).await.is_ok() => continue,
                _ => stores[1].claim(now, lease).await.unwrap().unwrap(),
            };
            stores[1].give_up(&claim, "x", &[], now).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_host_whose_clock_is_ahead_takes_nobodys_run() {
    let server = testing::database().await;
    let (store, ahead) = (PostgresStore::open(&server).await.unwrap(), PostgresStore::open(&server).await.unwrap());
    let now = crate::clock::Clock::system().now();
    let lease = chrono::Duration::minutes(1);
    let claim = store.begin("weekly", "acme", now, lease).await.unwrap();
    let later = now + chrono::Duration::minutes(10);
    assert!(ahead.claim(later, lease).await.unwrap().is_none());
    assert!(ahead.begin("weekly", "acme", later, lease).await.is_err());
    // Nor does one whose clock is behind lose its own.
    store.prolong(&claim, now - chrono::Duration::minutes(10), lease).await.unwrap();
    assert!(ahead.claim(now, lease).await.unwrap().is_none());
}

#[tokio::test]
async fn a_connection_that_is_cut_is_replaced() {
    let server = testing::database().await;
    let store = testing::open(&server).await;
    let mut write = store.write().await.unwrap();
    sqlx::query("INSERT INTO probe (id, at) VALUES (1, 1)").execute(write.on()).await.unwrap();
    let others = testing::pool(&server).await;
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sqlx::query(sql).execute(&others).await.unwrap();
    let error = store.explain("write")(write.commit().await.unwrap_err());
    assert!(error.to_string().contains("rolecall store check"), "{error}");
    store.probe(DateTime::UNIX_EPOCH).await.unwrap();
    let row = sqlx::query("SELECT at FROM probe").fetch_one(&store.pool).await.unwrap();
    assert_eq!(row.get::<i64, _>("at"), 0);
}

#[tokio::test]
async fn a_server_that_restarts_is_found_again() {
    let mut process = testing::PostgresServer::start();
    let server = testing::database_on(&process).await;
    let store = testing::open(&server).await;
    store.probe(DateTime::UNIX_EPOCH).await.unwrap();
    process.tell("kill");
    let error = PostgresStore::open(&server).await.unwrap_err().to_string();
    assert!(error.contains("the server does not answer"), "{error}");
    process.tell("start");
    store.probe(DateTime::UNIX_EPOCH).await.unwrap();
}

#[tokio::test]
async fn a_certificate_is_verified() {
    let server = testing::database().await;
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root.pem");
    std::fs::write(&root, &testing::server().certificate).unwrap();
    let port = testing::server().port;
    let named = |name: &str, tls, root: Option<&std::path::Path>| Server {
        host: Host::Name(name.to_owned(), port),
        tls,
        root_certificate: root.map(Into::into),
        ..server.clone()
    };
    PostgresStore::open(&named("localhost", Tls::Full, Some(&root))).await.unwrap();
    PostgresStore::open(&named("127.0.0.1", Tls::Authority, Some(&root))).await.unwrap();
    PostgresStore::open(&named("127.0.0.1", Tls::Encrypted, None)).await.unwrap();
    for (name, root, expected) in [
        ("127.0.0.1", Some(root.as_path()), "not valid for name"),
        ("localhost", None, "UnknownIssuer"),
        ("localhost", Some(&*folder.path().join("missing.pem")), "missing.pem cannot be read"),
    ] {
        let error = PostgresStore::open(&named(name, Tls::Full, root)).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_text_with_a_null_character_is_kept() {
    let store = testing::open(&testing::database().await).await;
    let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let claim = store.begin("weekly", "acme", now, chrono::Duration::minutes(1)).await.unwrap();
    store.give_up(&claim, "bad\0answer", &[], now).await.unwrap();
    assert_eq!(store.run(claim.run.id).await.unwrap().unwrap().error.as_deref(), Some("bad\u{fffd}answer"));
}

#[tokio::test]
async fn a_unix_socket_is_used() {
    let (server, process) = (testing::database().await, testing::server());
    let server = Server { host: Host::Socket(process.folder.clone().into(), process.port), ..server };
    PostgresStore::open(&server).await.unwrap().probe(DateTime::UNIX_EPOCH).await.unwrap();
}

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
    assert_eq!(listed().await, [(one.clone(), false), (back, false)]);
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

#[tokio::test]
async fn each_stage_of_reaching_the_database_is_tried() {
    use super::check::{Outcome, Stage, check};
    use crate::clock::Clock;
    let server = testing::database().await;
    let failed = async |server: &Server, clock: Clock| {
        let stages = check(server, &clock).await;
        let failed = stages.iter().find_map(|(stage, outcome)| match outcome {
            Outcome::Failed(reason) => Some((*stage, reason.clone())),
            _ => None,
        });
        let passed = stages.iter().filter(|(_, outcome)| matches!(outcome, Outcome::Passed(_))).count();
        (failed, passed)
    };
    assert_eq!(failed(&server, Clock::system()).await, (None, 9));
    PostgresStore::open(&server).await.unwrap();
    assert_eq!(failed(&server, Clock::system()).await, (None, 9));
    let host = |name: &str, port| Server { host: Host::Name(name.to_owned(), port), ..server.clone() };
    let port = testing::server().port;
    let ahead = || Clock::new(|| Clock::system().now() + chrono::TimeDelta::seconds(600));
    for (server, clock, stage, reason) in [
        (host("no-such-host.invalid", port), Clock::system(), Stage::Resolve, "no-such-host.invalid"),
        (host("127.0.0.1", 1), Clock::system(), Stage::Connect, "refused"),
        (Server { tls: Tls::Full, ..host("localhost", port) }, Clock::system(), Stage::Tls, "UnknownIssuer"),
        (Server { password: Some("no".into()), ..server.clone() }, Clock::system(), Stage::SignIn, "password"),
        (Server { database: "none".into(), ..server.clone() }, Clock::system(), Stage::SignIn, "does not exist"),
        (server.clone(), ahead(), Stage::Clock, "differs from the server's by +600."),
    ] {
        let (found, passed) = failed(&server, clock).await;
        let (at, said) = found.unwrap();
        assert_eq!((at, passed), (stage, stage as usize), "{said}");
        assert!(said.contains(reason), "{said}");
    }
}

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
