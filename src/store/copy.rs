//! Copies a store into another one, whichever databases they are, and proves that both hold the same.
//!
//! Tables are copied in the order of their keys, some rows at a time. A copy that was interrupted goes on after the last row
//! that arrived; until it has ended, the target says so to everybody who opens it.

use sha2::{Digest as _, Sha256};

use super::StoreError;
use crate::digest::hex;

/// Rows that are copied at a time.
const ROWS: u32 = 200;

/// What to do about a store that is in use.
pub(super) const IN_USE_ADVICE: &str = "Stop all daemons and other processes of rolecall on both stores first: what they write meanwhile would not be copied";

/// The same, if daemons announce themselves there.
pub(super) const DAEMONS_ADVICE: &str = "Stop all daemons on both stores first: what they write meanwhile would not be copied. One that was killed counts as running for 45 seconds";

/// A table, and the columns that its rows are ordered by.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The columns of its key.
    pub key: &'static [&'static str],
}

const fn table(name: &'static str, key: &'static [&'static str]) -> Table {
    Table { name, key }
}

/// Every table that is copied; one that refers to another comes after it.
pub const TABLES: [Table; 17] = [
    table("audit", &["kept"]),
    table("snapshot_part", &["audit", "sequence"]),
    table("cursor", &["job"]),
    table("gap", &["id"]),
    table("run", &["id"]),
    table("attempt", &["run", "fence"]),
    table("ledger", &["number"]),
    table("ledger_file", &["place"]),
    // One that another carries has a higher number than that one.
    table("notification", &["id"]),
    table("review", &["id"]),
    table("review_event", &["review", "number"]),
    table("review_sheet", &["review", "sha256", "signed_by"]),
    table("review_plan", &["name"]),
    table("combination", &["job", "fire_at"]),
    table("share", &["run"]),
    table("session", &["id"]),
    table("sign_in_link", &["id"]),
];

/// The kind of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A number.
    Number,
    /// Bytes.
    Bytes,
}

/// A value of a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// A text; `None` if it is missing.
    Text(Option<String>),
    /// A number; `None` if it is missing.
    Number(Option<i64>),
    /// Bytes; `None` if they are missing.
    Bytes(Option<Vec<u8>>),
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
}

/// Rows of tables that can be read, without their meaning.
#[async_trait::async_trait]
pub trait Rows: Send + Sync {
    /// Where they are, as users know it.
    fn place(&self) -> &str;

    /// The columns of a table, ordered by name.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn columns(&self, table: Table) -> Result<Vec<Column>, StoreError>;

    /// The rows of a table after a key, in the order of their keys.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn rows(
        &self,
        table: Table,
        columns: &[Column],
        after: Option<&[Value]>,
        most: u32,
    ) -> Result<Vec<Vec<Value>>, StoreError>;
}

/// The rows of a store, without their meaning.
#[async_trait::async_trait]
pub trait Tables: Rows {
    /// The key of the last row of a table; `None` if it is empty.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn last(&self, table: Table, key: &[Column]) -> Result<Option<Vec<Value>>, StoreError>;

    /// Adds rows: all of them or none.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn add(&self, table: Table, columns: &[Column], rows: &[Vec<Value>]) -> Result<(), StoreError>;

    /// The place that a copy into this store comes from; `None` if none is under way.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn copy_under_way(&self) -> Result<Option<String>, StoreError>;

    /// Marks that a copy from a place is under way.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn begin_copy(&self, from: &str) -> Result<(), StoreError>;

    /// Sets what follows from the rows, and removes the mark.
    ///
    /// # Errors
    /// [`StoreError`]
    async fn end_copy(&self) -> Result<(), StoreError>;
}

/// A store cannot be copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// One of the stores failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The target has something else.
    #[error("{0} is not empty: a store is copied only into a new one. Nothing was changed")]
    NotEmpty(String),
    /// A copy from elsewhere is under way.
    #[error("a copy of {under_way} into {place} is not complete; go on with that one, or start with a new target")]
    Another {
        /// The target.
        place: String,
        /// The source of the other copy.
        under_way: String,
    },
    /// They have different tables.
    #[error("{0} and {1} have different tables: open both with this version of rolecall first")]
    Shape(String, String),
    /// They do not hold the same.
    #[error(
        "the copy of `{table}` differs from the original ({there} rows there, {here} here): something wrote to one of the stores meanwhile. Stop all daemons, and start again with a new target"
    )]
    Differs {
        /// The table.
        table: &'static str,
        /// Rows of the original.
        there: u64,
        /// Rows of the copy.
        here: u64,
    },
}

/// A table that was copied and compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The table.
    pub table: &'static str,
    /// Its rows.
    pub rows: u64,
    /// The SHA-256 of all its values.
    pub sha256: String,
}

/// Copies a store into an empty one, or goes on with a copy that was interrupted. Returns what both hold.
///
/// # Errors
/// [`CopyError`]
pub async fn copy(from: &dyn Rows, to: &dyn Tables) -> Result<Vec<Copied>, CopyError> {
    let mut shapes = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        let columns = from.columns(table).await?;
        if columns.is_empty() || columns != to.columns(table).await? {
            return Err(CopyError::Shape(from.place().to_owned(), to.place().to_owned()));
        }
        shapes.push((table, columns));
    }
    begin(from, to, &shapes).await?;
    for (table, columns) in &shapes {
        let mut last = to.last(*table, &key(*table, columns)).await?;
        loop {
            let rows = from.rows(*table, columns, last.as_deref(), ROWS).await?;
            let Some(row) = rows.last() else { break };
            last = Some(key_of(*table, columns, row));
            to.add(*table, columns, &rows).await?;
        }
    }
    let mut copied = Vec::with_capacity(shapes.len());
    for (table, columns) in &shapes {
        let (there, original) = digest(from, *table, columns).await?;
        let (here, copy) = digest(to, *table, columns).await?;
        if original != copy {
            return Err(CopyError::Differs { table: table.name, there, here });
        }
        copied.push(Copied { table: table.name, rows: here, sha256: copy });
    }
    to.end_copy().await?;
    Ok(copied)
}

/// Marks the target, unless it has something that does not come from this copy.
async fn begin(from: &dyn Rows, to: &dyn Tables, shapes: &[(Table, Vec<Column>)]) -> Result<(), CopyError> {
    let mut is_empty = true;
    for (table, columns) in shapes {
        is_empty &= to.last(*table, &key(*table, columns)).await?.is_none();
    }
    match to.copy_under_way().await? {
        Some(under_way) if under_way != from.place() => {
            Err(CopyError::Another { place: to.place().to_owned(), under_way })
        }
        Some(_) => Ok(()),
        None if is_empty => Ok(to.begin_copy(from.place()).await?),
        None => Err(CopyError::NotEmpty(to.place().to_owned())),
    }
}

fn key(table: Table, columns: &[Column]) -> Vec<Column> {
    let named = |name: &&str| columns.iter().find(|column| column.name == *name).cloned();
    table.key.iter().filter_map(named).collect()
}

fn key_of(table: Table, columns: &[Column], row: &[Value]) -> Vec<Value> {
    let named = |name: &&str| columns.iter().position(|column| column.name == *name).map(|at| row[at].clone());
    table.key.iter().filter_map(named).collect()
}

/// The number of rows of a table, and the SHA-256 of their values in the order of their keys.
async fn digest(store: &dyn Rows, table: Table, columns: &[Column]) -> Result<(u64, String), StoreError> {
    let (mut count, mut hash, mut last) = (0, Sha256::new(), None);
    loop {
        let rows = store.rows(table, columns, last.as_deref(), ROWS).await?;
        let Some(row) = rows.last() else { break };
        last = Some(key_of(table, columns, row));
        for value in rows.iter().flatten() {
            add_to(&mut hash, value);
        }
        count += rows.len() as u64;
    }
    let digest = hash.finalize();
    Ok((count, hex(&digest)))
}

/// Adds a value with its length, so that no two rows of values look alike.
fn add_to(hash: &mut Sha256, value: &Value) {
    let number;
    let bytes = match value {
        Value::Text(text) => text.as_ref().map(String::as_bytes),
        Value::Number(value) => {
            number = value.map(i64::to_be_bytes);
            number.as_ref().map(<[u8; 8]>::as_slice)
        }
        Value::Bytes(bytes) => bytes.as_deref(),
    };
    match bytes {
        None => hash.update([0]),
        Some(bytes) => {
            hash.update([1]);
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        }
    }
}

/// The statement that reads rows after a key; both databases understand it. `$1` and so on are the values of the key, the next
/// one is the most rows.
pub(super) fn select(table: Table, columns: &[Column], is_after: bool, rename: &dyn Fn(&str) -> String) -> String {
    let names: Vec<String> =
        columns.iter().map(|column| format!("{} AS {}", rename(&column.name), column.name)).collect();
    let key: Vec<String> = table.key.iter().map(|name| rename(name)).collect();
    let (key, values) = (key.join(", "), placeholders(1, table.key.len()));
    let (after, most) =
        if is_after { (format!(" WHERE ({key}) > ({values})"), table.key.len() + 1) } else { (String::new(), 1) };
    format!("SELECT {} FROM {}{after} ORDER BY {key} LIMIT ${most}", names.join(", "), table.name)
}

/// The statement that reads the key of the last row.
pub(super) fn select_last(table: Table, rename: &dyn Fn(&str) -> String) -> String {
    let names: Vec<String> = table.key.iter().map(|name| format!("{} AS {name}", rename(name))).collect();
    let order: Vec<String> = table.key.iter().map(|name| format!("{} DESC", rename(name))).collect();
    format!("SELECT {} FROM {} ORDER BY {} LIMIT 1", names.join(", "), table.name, order.join(", "))
}

/// The statement that adds rows.
pub(super) fn insert(table: Table, columns: &[Column], rows: usize, rename: &dyn Fn(&str) -> String) -> String {
    let names: Vec<String> = columns.iter().map(|column| rename(&column.name)).collect();
    let values: Vec<String> =
        (0..rows).map(|row| format!("({})", placeholders(row * columns.len() + 1, columns.len()))).collect();
    format!("INSERT INTO {} ({}) VALUES {}", table.name, names.join(", "), values.join(", "))
}

fn placeholders(first: usize, count: usize) -> String {
    (first..first + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

/// Binds values to a statement of either database.
macro_rules! bind_values {
    ($query:expr, $values:expr) => {{
        let mut query = $query;
        for value in $values {
            query = match value {
                $crate::store::copy::Value::Text(text) => query.bind(text.clone()),
                $crate::store::copy::Value::Number(number) => query.bind(*number),
                $crate::store::copy::Value::Bytes(bytes) => query.bind(bytes.clone()),
            };
        }
        query
    }};
}
pub(super) use bind_values;

/// The values of a row.
pub(super) fn values(row: &impl super::rows::Columns, columns: &[Column]) -> Result<Vec<Value>, sqlx::Error> {
    let value = |column: &Column| {
        Ok(match column.kind {
            Kind::Text => Value::Text(row.text_if_any(&column.name)?),
            Kind::Number => Value::Number(row.number_if_any(&column.name)?),
            Kind::Bytes => Value::Bytes(row.bytes_if_any(&column.name)?),
        })
    };
    columns.iter().map(value).collect()
}
