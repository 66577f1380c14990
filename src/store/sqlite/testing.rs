//! What tests of other adapters compare themselves with.

use std::{collections::BTreeSet, path::Path};

use super::SqliteStore;

/// The columns of a new store, each with its table.
pub(in crate::store) async fn columns(path: &Path) -> BTreeSet<String> {
    let store = SqliteStore::open_fleeting(path).await.unwrap();
    let sql = "SELECT t.name || '.' || c.name FROM sqlite_schema AS t CROSS JOIN pragma_table_info(t.name) AS c
               WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name NOT LIKE '_sqlx%'";
    sqlx::query_scalar(sql).fetch_all(&store.pool).await.unwrap().into_iter().collect()
}
