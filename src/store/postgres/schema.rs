//! The schema: the same versions as that of `sqlite`.

use sqlx::{
    Connection as _, PgConnection,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
};

use super::{
    error::{OPEN_ADVICE, RIGHTS_ADVICE, explain},
    server::SCHEMA,
};
use crate::store::StoreError;

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

/// The lock that a process holds while it migrates. It ends with its connection.
pub(super) const MIGRATING: i64 = 0x726f_6c65_6361_6c6c;

/// The newest version that this build knows.
pub(super) fn known() -> i64 {
    MIGRATIONS.last().map_or(0, |(version, ..)| *version)
}

/// The version of a database; 0 if it has none of our tables yet.
pub(super) async fn version(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    let sql = "SELECT to_regclass('rolecall._sqlx_migrations') IS NOT NULL";
    if !sqlx::query_scalar::<_, bool>(sql).fetch_one(&mut *connection).await? {
        return Ok(0);
    }
    let sql = "SELECT COALESCE(MAX(version), 0) FROM rolecall._sqlx_migrations WHERE success";
    sqlx::query_scalar(sql).fetch_one(connection).await
}

/// Whether a copy into a database is not complete.
pub(super) async fn is_marked(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let sql = "SELECT to_regclass('rolecall.copying') IS NOT NULL";
    sqlx::query_scalar(sql).fetch_one(connection).await
}

/// Migrates a database unless it is up to date, so that a role without the right to create tables can use one that is.
/// Processes that start at once take turns.
pub(super) async fn bring_up_to_date(connection: &mut PgConnection, place: &str) -> Result<(), StoreError> {
    let failed = |error: sqlx::Error| explain(place, "be brought up to date", &error);
    if is_up_to_date(version(connection).await.map_err(failed)?, place)? {
        return Ok(());
    }
    let query = sqlx::query("SELECT pg_advisory_lock($1)").bind(MIGRATING);
    query.execute(&mut *connection).await.map_err(failed)?;
    let migrated = migrate(connection, place).await;
    let query = sqlx::query("SELECT pg_advisory_unlock($1)").bind(MIGRATING);
    query.execute(&mut *connection).await.map_err(failed)?;
    migrated
}

/// The version of a database once a process that migrates it now has ended.
pub(super) async fn settled_version(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    let found = version(connection).await?;
    if found == 0 || found >= known() {
        return Ok(found);
    }
    for turn in ["SELECT pg_advisory_lock_shared($1)", "SELECT pg_advisory_unlock_shared($1)"] {
        sqlx::query(turn).bind(MIGRATING).execute(&mut *connection).await?;
    }
    version(connection).await
}

/// Whether a schema needs nothing.
pub(super) fn is_up_to_date(version: i64, place: &str) -> Result<bool, StoreError> {
    if version > known() {
        return Err(StoreError::NewerSchema { place: place.to_owned(), version });
    }
    Ok(version == known())
}

/// What lets a role ($1) do all that a daemon does, and nothing that it does not: it extends the ledger, and never changes it.
const RIGHTS: [&str; 4] = [
    "GRANT USAGE ON SCHEMA rolecall TO %I",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA rolecall TO %I",
    "REVOKE UPDATE, DELETE, TRUNCATE ON rolecall.ledger FROM %I",
    "REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON rolecall._sqlx_migrations FROM %I",
];

/// Lets a role use the tables.
pub(super) async fn let_use(connection: &mut PgConnection, role: &str) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
    for right in RIGHTS {
        // Only the server knows how a name is quoted.
        let query = sqlx::query_scalar::<_, String>("SELECT format($1, $2)").bind(right).bind(role);
        let statement = query.fetch_one(&mut *transaction).await?;
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

async fn migrate(connection: &mut PgConnection, place: &str) -> Result<(), StoreError> {
    let failed = |error: sqlx::Error| explain(place, "be brought up to date", &error);
    if is_up_to_date(version(connection).await.map_err(failed)?, place)? {
        return Ok(());
    }
    let step = |(version, name, sql): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sqlx::SqlSafeStr::into_sql_str(sql), false)
    };
    let mut migrator = Migrator::with_migrations(MIGRATIONS.map(step).to_vec());
    migrator.set_locking(false).create_schema(SCHEMA);
    migrator.run_direct(None, connection, false).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) => StoreError::NewerSchema { place: place.to_owned(), version },
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            match explain(place, "be brought up to date", &error) {
                StoreError::Query { place, reason, .. } => StoreError::Open { place, reason, advice: RIGHTS_ADVICE },
                other => other,
            }
        }
        other => StoreError::Open { place: place.to_owned(), reason: other.to_string(), advice: OPEN_ADVICE },
    })
}
