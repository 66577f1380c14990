//! The rows of the tables, without their meaning, to copy them.

use super::{PostgresStore, schema};
use crate::store::{
    StoreError,
    copy::{self, Column, Kind, Rows, Table, Tables, Value, bind_values},
};

/// What follows from the rows: the numbers that come next, and the last entry of the ledger.
const FOLLOWS: &str = "
SELECT setval(pg_get_serial_sequence('audit', 'kept'), GREATEST((SELECT MAX(kept) FROM audit), 1)),
       setval(pg_get_serial_sequence('gap', 'id'), GREATEST((SELECT MAX(id) FROM gap), 1)),
       setval(pg_get_serial_sequence('notification', 'id'), GREATEST((SELECT MAX(id) FROM notification), 1));
UPDATE ledger_head AS h SET number = l.number, sha256 = l.sha256
FROM (SELECT number, sha256 FROM ledger ORDER BY number DESC LIMIT 1) AS l WHERE h.id = 1;
DROP TABLE IF EXISTS copying";

#[async_trait::async_trait]
impl Rows for PostgresStore {
    fn place(&self) -> &str {
        &self.place
    }

    async fn columns(&self, table: Table) -> Result<Vec<Column>, StoreError> {
        let sql = "SELECT column_name::text, data_type::text FROM information_schema.columns
                   WHERE table_schema = 'rolecall' AND table_name = $1";
        let query = sqlx::query_as::<_, (String, String)>(sql).bind(table.name).fetch_all(&self.pool).await;
        let found = query.map_err(self.explain("read the tables"))?;
        let kind = |kind: &str| match kind {
            "text" => Kind::Text,
            "bigint" => Kind::Number,
            _ => Kind::Bytes,
        };
        let column = |(name, of): (String, String)| Column { name, kind: kind(&of) };
        let mut columns: Vec<Column> = found.into_iter().map(column).collect();
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
        let sql = copy::select(table, columns, after.is_some(), &str::to_owned);
        let query = bind_values!(sqlx::query(sqlx::AssertSqlSafe(sql)), after.unwrap_or_default());
        let rows = query.bind(i64::from(most)).fetch_all(&self.pool).await.map_err(&failed)?;
        rows.iter().map(|row| copy::values(row, columns)).collect::<Result<_, _>>().map_err(failed)
    }
}

#[async_trait::async_trait]
impl Tables for PostgresStore {
    async fn last(&self, table: Table, key: &[Column]) -> Result<Option<Vec<Value>>, StoreError> {
        let failed = self.explain("read what is copied");
        let sql = copy::select_last(table, &str::to_owned);
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_optional(&self.pool).await.map_err(&failed)?;
        row.as_ref().map(|row| copy::values(row, key)).transpose().map_err(failed)
    }

    async fn add(&self, table: Table, columns: &[Column], rows: &[Vec<Value>]) -> Result<(), StoreError> {
        let sql = copy::insert(table, columns, rows.len(), &str::to_owned);
        // A statement for each number of rows is not worth keeping.
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(false);
        let added = bind_values!(query, rows.iter().flatten()).execute(&self.pool).await;
        added.map(|_| ()).map_err(self.explain("add what is copied"))
    }

    async fn copy_under_way(&self) -> Result<Option<String>, StoreError> {
        let failed = self.explain("read whether a copy is under way");
        let mut connection = self.pool.acquire().await.map_err(&failed)?;
        if !schema::is_marked(&mut connection).await.map_err(&failed)? {
            return Ok(None);
        }
        sqlx::query_scalar("SELECT source FROM copying").fetch_optional(&mut *connection).await.map_err(failed)
    }

    async fn begin_copy(&self, from: &str) -> Result<(), StoreError> {
        let failed = self.explain("begin a copy");
        let mut transaction = self.pool.begin().await.map_err(&failed)?;
        let sql = "CREATE TABLE copying (source TEXT NOT NULL)";
        sqlx::query(sql).execute(&mut *transaction).await.map_err(&failed)?;
        let query = sqlx::query("INSERT INTO copying (source) VALUES ($1)").bind(from);
        query.execute(&mut *transaction).await.map_err(&failed)?;
        super::write::commit(transaction).await.map_err(failed)
    }

    async fn end_copy(&self) -> Result<(), StoreError> {
        let failed = self.explain("end a copy");
        let mut transaction = self.pool.begin().await.map_err(&failed)?;
        sqlx::raw_sql(FOLLOWS).execute(&mut *transaction).await.map_err(&failed)?;
        super::write::commit(transaction).await.map_err(failed)
    }
}
