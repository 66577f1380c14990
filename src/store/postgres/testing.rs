//! Databases of tests.

#[path = "../../../tests/support/postgres.rs"]
mod process;

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, ConnectOptions as _, Executor as _, PgPool};

pub(crate) use self::process::{PASSWORD, PostgresServer, USER, server};
use super::{Host, LeaseClock, PostgresStore, Server, Tls, pool, server::prepare};

/// The database with this name on a server.
pub(crate) fn on(server: &PostgresServer, database: &str) -> Server {
    Server {
        host: Host::Name("127.0.0.1".to_owned(), server.port),
        user: USER.to_owned(),
        password: Some(PASSWORD.into()),
        database: database.to_owned(),
        tls: Tls::Off,
        root_certificate: None,
        max_connections: 4,
    }
}

/// A new, empty database, whose order of texts is not that of bytes.
pub(crate) async fn database() -> Server {
    database_on(server()).await
}

/// The same on a server of the test's own.
pub(crate) async fn database_on(server: &PostgresServer) -> Server {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut connection = on(server, "postgres").options().connect().await.unwrap();
    let sql = format!(
        "CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C.UTF-8' ENCODING 'UTF8'"
    );
    connection.execute(AssertSqlSafe(sql)).await.unwrap();
    on(server, &name)
}

/// Opens a database under a simulated clock.
pub(crate) async fn open(server: &Server) -> PostgresStore {
    PostgresStore::open_with(server, LeaseClock::Caller).await.unwrap()
}

/// Empties a store, so that it is as a new one.
pub(crate) async fn empty(store: &PostgresStore) {
    let tables = "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables
                  WHERE schemaname = 'rolecall' AND tablename <> '_sqlx_migrations'";
    let tables: String = sqlx::query_scalar(tables).fetch_one(&store.pool).await.unwrap();
    let mut write = store.pool.begin().await.unwrap();
    let sql = format!(
        // The triggers that keep the ledger from being emptied are off for this transaction.
        "SET LOCAL session_replication_role = replica; TRUNCATE {tables} RESTART IDENTITY;
         INSERT INTO ledger_head (id, number, sha256) VALUES (1, 0, '')"
    );
    write.execute(AssertSqlSafe(sql)).await.unwrap();
    write.commit().await.unwrap();
}

/// Connections beside those of a store.
pub(crate) async fn pool(server: &Server) -> PgPool {
    let options = pool::options::<sqlx::Postgres>().after_connect(|connection, _| Box::pin(prepare(connection)));
    options.connect_with(server.options()).await.unwrap()
}
