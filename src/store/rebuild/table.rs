//! The rows of every table in memory, as [`copy`](crate::store::copy) reads them. Only snapshots are read when they are
//! copied, because they are large.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::store::{
    StoreError,
    copy::{Column, Kind, Rows, TABLES, Table, Value},
    rows,
};

/// The snapshots that evidence has.
pub trait Snapshots: Send + Sync {
    /// The audits of which there is one.
    fn audits(&self) -> &BTreeSet<Uuid>;

    /// The parts of the snapshot of one of them.
    ///
    /// # Errors
    /// [`StoreError`]
    fn parts(&self, audit: Uuid) -> Result<Vec<Vec<u8>>, StoreError>;
}

/// The table of snapshots.
const PARTS: &str = "snapshot_part";

/// A row; a column that it does not name is empty.
pub(super) type Row = BTreeMap<&'static str, Value>;

pub(super) fn text(value: impl Into<String>) -> Value {
    Value::Text(Some(value.into()))
}

pub(super) fn number(value: impl Into<i64>) -> Value {
    Value::Number(Some(value.into()))
}

pub(super) fn count(value: u64) -> Value {
    Value::Number(Some(rows::count(value)))
}

pub(super) fn moment(time: DateTime<Utc>) -> Value {
    Value::Number(Some(rows::millis(time)))
}

pub(super) fn moment_if_any(time: Option<DateTime<Utc>>) -> Value {
    Value::Number(time.map(rows::millis))
}

pub(super) fn text_if_any(value: Option<&str>) -> Value {
    Value::Text(value.map(str::to_owned))
}

pub(super) fn id(value: Uuid) -> Value {
    bytes(value.as_bytes().to_vec())
}

pub(super) fn bytes(value: Vec<u8>) -> Value {
    Value::Bytes(Some(value))
}

/// Everything that a store will hold.
pub(super) struct Restoring {
    place: String,
    /// The columns of the target, by table.
    shapes: BTreeMap<&'static str, Vec<Column>>,
    /// The rows by their key.
    tables: BTreeMap<&'static str, BTreeMap<Vec<Value>, Row>>,
    snapshots: Box<dyn Snapshots>,
}

impl Restoring {
    /// Nothing yet. `place` is what users know the evidence by.
    pub(super) fn new(
        place: String,
        shapes: BTreeMap<&'static str, Vec<Column>>,
        snapshots: Box<dyn Snapshots>,
    ) -> Self {
        Self { place, shapes, tables: BTreeMap::new(), snapshots }
    }

    /// Adds rows to a table. One with the key of an earlier row replaces it.
    pub(super) fn add(&mut self, table: &'static str, rows: impl IntoIterator<Item = Row>) {
        let Some(of) = TABLES.into_iter().find(|of| of.name == table) else { return };
        let there = self.tables.entry(table).or_default();
        for row in rows {
            let key = of.key.iter().filter_map(|name| row.get(name).cloned()).collect();
            there.insert(key, row);
        }
    }

    /// A column that the target does not have, as `TABLE.COLUMN`. `None` if it has all.
    pub(super) fn unknown(&self) -> Option<String> {
        self.tables.iter().find_map(|(table, rows)| {
            let known = self.shapes.get(table);
            let is_known = |name: &str| known.is_some_and(|known| known.iter().any(|column| column.name == name));
            let names = rows.values().flat_map(BTreeMap::keys);
            names.copied().find(|name| !is_known(name)).map(|name| format!("{table}.{name}"))
        })
    }

    /// The parts of the snapshots after a key.
    fn parts(&self, columns: &[Column], after: Option<&[Value]>, most: usize) -> Result<Vec<Vec<Value>>, StoreError> {
        let (audit, sequence) = match after {
            Some([Value::Bytes(Some(audit)), Value::Number(Some(sequence))]) => {
                (Uuid::from_slice(audit).unwrap_or_default(), *sequence)
            }
            _ => (Uuid::nil(), -1),
        };
        let mut found = Vec::new();
        for of in self.snapshots.audits().range(audit..) {
            for (number, body) in (0_i64..).zip(self.snapshots.parts(*of)?) {
                if *of == audit && number <= sequence {
                    continue;
                }
                let row = Row::from([("audit", id(*of)), ("sequence", self::number(number)), ("body", bytes(body))]);
                found.push(values(&row, columns));
                if found.len() == most {
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }
}

/// A row with all columns of its table.
fn values(row: &Row, columns: &[Column]) -> Vec<Value> {
    let value = |column: &Column| {
        row.get(column.name.as_str()).cloned().unwrap_or(match column.kind {
            Kind::Text => Value::Text(None),
            Kind::Number => Value::Number(None),
            Kind::Bytes => Value::Bytes(None),
        })
    };
    columns.iter().map(value).collect()
}

#[async_trait::async_trait]
impl Rows for Restoring {
    fn place(&self) -> &str {
        &self.place
    }

    async fn columns(&self, table: Table) -> Result<Vec<Column>, StoreError> {
        Ok(self.shapes.get(table.name).cloned().unwrap_or_default())
    }

    async fn rows(
        &self,
        table: Table,
        columns: &[Column],
        after: Option<&[Value]>,
        most: u32,
    ) -> Result<Vec<Vec<Value>>, StoreError> {
        let most = most as usize;
        if table.name == PARTS {
            return self.parts(columns, after, most);
        }
        let Some(there) = self.tables.get(table.name) else { return Ok(Vec::new()) };
        let from = after.map_or(Bound::Unbounded, |after| Bound::Excluded(after.to_vec()));
        let rows = there.range((from, Bound::Unbounded)).take(most);
        Ok(rows.map(|(_, row)| values(row, columns)).collect())
    }
}
