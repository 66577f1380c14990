//! The rows of the tables, without their meaning, to copy them.

use sqlx::SqlitePool;

use super::SqliteStore;
use crate::store::{
    StoreError,
    copy::{self, Column, Kind, Rows, Table, Tables, Value, bind_values},
};

/// The order in which audits were kept is that of their rows.
fn name(column: &str) -> String {
    if column == "kept" { "rowid".to_owned() } else { column.to_owned() }
}

/// Whether a copy into the file is not complete.
async fn is_marked(pool: &SqlitePool) -> Result<bool, sqlx::Error> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'copying')";
    sqlx::query_scalar(sql).fetch_one(pool).await
}

#[async_trait::async_trait]
impl Rows for SqliteStore {
    fn place(&self) -> &str {
        &self.place
    }

    async fn columns(&self, table: Table) -> Result<Vec<Column>, StoreError> {
        let sql = "SELECT name, type FROM pragma_table_info($1)";
        let query = sqlx::query_as::<_, (String, String)>(sql).bind(table.name).fetch_all(&self.pool).await;
        let found = query.map_err(self.explain("read the tables"))?;
        let kind = |kind: &str| match kind {
            "TEXT" => Kind::Text,
            "INTEGER" => Kind::Number,
            _ => Kind::Bytes,
        };
        let column = |(name, of): (String, String)| Column { name, kind: kind(&of) };
        let mut columns: Vec<Column> = found.into_iter().map(column).collect();
        if table.name == "audit" {
            columns.push(Column { name: "kept".to_owned(), kind: Kind::Number });
        }
        columns.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(columns)
    }

    async fn rows(
        &self,
        table: Table,
        columns: &[Column],
        after: Option<&[Value]>,
        most: u32,
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        let failed = self.explain("read what is copied");
        let sql = copy::select(table, columns, after.is_some(), &name);
        let query = bind_values!(sqlx::query(sqlx::AssertSqlSafe(sql)), after.unwrap_or_default());
        let rows = query.bind(i64::from(most)).fetch_all(&self.pool).await.map_err(&failed)?;
        rows.iter().map(|row| copy::values(row, columns)).collect::<Result<_, _>>().map_err(failed)
    }
}

#[async_trait::async_trait]
impl Tables for SqliteStore {
    async fn last(&self, table: Table, key: &[Column]) -> Result<Option<Vec<Value>>, StoreError> {
        let failed = self.explain("read what is copied");
        let sql = copy::select_last(table, &name);
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_optional(&self.pool).await.map_err(&failed)?;
        row.as_ref().map(|row| copy::values(row, key)).transpose().map_err(failed)
    }

    async fn add(&self, table: Table, columns: &[Column], rows: &[Vec<Value>]) -> Result<(), StoreError> {
        let sql = copy::insert(table, columns, rows.len(), &name);
        // A statement for each number of rows is not worth keeping.
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(false);
        let added = bind_values!(query, rows.iter().flatten()).execute(&self.pool).await;
        added.map(|_| ()).map_err(self.explain("add what is copied"))
    }

    async fn copy_under_way(&self) -> Result<Option<String>, StoreError> {
        let failed = self.explain("read whether a copy is under way");
        if !is_marked(&self.pool).await.map_err(&failed)? {
            return Ok(None);
        }
        sqlx::query_scalar("SELECT source FROM copying").fetch_optional(&self.pool).await.map_err(failed)
    }

    async fn begin_copy(&self, from: &str) -> Result<(), StoreError> {
        let failed = self.explain("begin a copy");
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(&failed)?;
        let sql = "CREATE TABLE copying (source TEXT NOT NULL) STRICT";
        sqlx::query(sql).execute(&mut *transaction).await.map_err(&failed)?;
        let query = sqlx::query("INSERT INTO copying (source) VALUES ($1)").bind(from);
        query.execute(&mut *transaction).await.map_err(&failed)?;
        transaction.commit().await.map_err(failed)
    }

    async fn end_copy(&self) -> Result<(), StoreError> {
        let ended = sqlx::query("DROP TABLE IF EXISTS copying").execute(&self.pool).await;
        ended.map_err(self.explain("end a copy"))?;
        // What was copied is then in the file, and not in the log beside it.
        let moved = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.pool).await;
        moved.map(|_| ()).map_err(self.explain("end a copy"))
    }
}
