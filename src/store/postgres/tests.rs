//! The database: what the suite does not say.

mod copies;
mod growth;
mod plans;
mod replicas;

use std::collections::BTreeSet;

use sqlx::{AssertSqlSafe, Executor as _, Row as _};

use super::*;
use crate::store::{
    Store as _,
    conformance::{self, Home},
    history::History as _,
    ledger::Ledger as _,
    queue::{Decided, Queue as _},
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

/// See `store::pool`.
#[tokio::test]
async fn an_open_store_has_no_task_that_could_run_for_ever() {
    let store = testing::open(&testing::database().await).await;
    store.probe(DateTime::UNIX_EPOCH).await.unwrap();
    // A connection comes back to the pool in a task that ends.
    let tasks = tokio::runtime::Handle::current().metrics();
    let ended = async {
        while tasks.num_alive_tasks() > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_mins(1), ended).await.unwrap();
}

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

#[tokio::test]
async fn each_stage_of_reaching_the_database_is_tried() {
    use super::check::{Outcome, Stage, check};
    use crate::clock::Clock;
    let server = testing::database().await;
    let failed = async |server: &Server, clock: Clock| {
        let stages = check(server, &clock).await;
        let failed = stages.iter().find_map(|(stage, outcome)| match outcome {
            Outcome::Failed(failure) => Some((*stage, failure.reason.clone())),
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

#[tokio::test]
async fn who_only_reads_waits_for_a_process_that_brings_the_schema_up_to_date() {
    let server = testing::database().await;
    let store = testing::open(&server).await;
    let is_known = async |is_known: bool| {
        let sql = format!("UPDATE _sqlx_migrations SET success = {is_known} WHERE version > 5");
        sqlx::query(sqlx::AssertSqlSafe(sql)).execute(&store.pool).await.unwrap();
    };
    is_known(false).await;
    let mut holder = store.pool.acquire().await.unwrap();
    let lock = async |holder: &mut sqlx::PgConnection, sql: &'static str| {
        sqlx::query(sql).bind(super::schema::MIGRATING).execute(holder).await.unwrap();
    };
    lock(&mut holder, "SELECT pg_advisory_lock($1)").await;
    let reader = tokio::spawn(async move { PostgresStore::open_existing(&server).await });
    let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&store.pool).await.unwrap() == 0 {
        assert!(!reader.is_finished(), "it does not wait");
    }
    is_known(true).await;
    lock(&mut holder, "SELECT pg_advisory_unlock($1)").await;
    assert!(reader.await.unwrap().unwrap().is_some());
}

/// A server that greets or answers with these bytes, and ends the connection.
async fn other_server(says: &'static [u8]) -> u16 {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = [0; 8];
            let _ = stream.read_exact(&mut asked).await;
            let _ = stream.write_all(says).await;
        }
    });
    port
}

#[tokio::test]
async fn what_is_advised_fits_what_is_wrong() {
    use super::check::{Outcome, Stage, check};
    let server = testing::database().await;
    let folder = tempfile::tempdir().unwrap();
    let root = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        Server { tls: Tls::Full, root_certificate: Some(path), ..server.clone() }
    };
    let at = |port| Server { host: Host::Name("127.0.0.1".to_owned(), port), ..server.clone() };
    let another = "another program may listen there";
    let broken = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    for (server, stage, reason, advice) in [
        (root("key.pem", b"-----BEGIN PRIVATE KEY-----\n"), Stage::Tls, "key.pem is not valid PEM", "in PEM"),
        (root("text.pem", b"not a certificate"), Stage::Tls, "text.pem has no certificate in PEM", "in PEM"),
        (root("empty.pem", b""), Stage::Tls, "empty.pem has no certificate in PEM", "in PEM"),
        (root("half.pem", broken), Stage::Tls, "half.pem has something that is not a certificate", "in PEM"),
        (
            Server { root_certificate: Some(folder.path().join("no.pem")), ..root("a", b"") },
            Stage::Tls,
            "no.pem cannot be read",
            "that this account may read",
        ),
        (
            Server {
                tls: Tls::Full,
                host: Host::Name("localhost".to_owned(), testing::server().port),
                ..server.clone()
            },
            Stage::Tls,
            "UnknownIssuer",
            "name the authority",
        ),
        (at(other_server(b"220 mail.example.com ESMTP\r\n").await), Stage::Connect, "it says “220 mail.ex", another),
        (at(other_server(b"SSH-2.0-OpenSSH_9.2\r\n").await), Stage::Connect, "it says “SSH-2.0", another),
        (at(other_server(b"").await), Stage::Connect, "ends the connection", another),
        (Server { tls: Tls::Full, ..at(other_server(b"N").await) }, Stage::Tls, "does not offer TLS", "`ssl = on`"),
    ] {
        let stages = check(&server, &crate::clock::Clock::system()).await;
        let failed = stages.iter().find_map(|(stage, outcome)| match outcome {
            Outcome::Failed(failure) => Some((*stage, failure.clone())),
            _ => None,
        });
        let (at, failure) = failed.unwrap();
        assert_eq!(at, stage, "{failure:?}");
        assert!(failure.reason.contains(reason) && failure.advice.contains(advice), "{failure:?}");
    }
}
