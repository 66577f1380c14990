//! The people of an export: everybody whom a list of users, a roster or a review names, with all that names them.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read as _},
};

use flate2::read::GzDecoder;
use serde_json::Value;

use super::text::{Kind, addresses};

/// Files of a bag that say who there is, and are not kept.
pub(super) const SOURCES: [&str; 5] = [
    "data/directory/users.jsonl.gz",
    "data/directory/current-user.json",
    "data/directory/organization.json",
    "data/roster.json",
    "data/population.json",
];

/// The largest list of users, in bytes.
const LARGEST: u64 = 1 << 30;

/// The fewest characters of an id that names somebody: a shorter one may be any number.
const ID: usize = 8;

/// The content of a file, unpacked if it is packed.
pub(super) fn unpacked(file: &str, bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    if file.strip_suffix(".gz").is_none() {
        return Ok(bytes);
    }
    let mut content = Vec::new();
    GzDecoder::new(bytes.as_slice()).take(LARGEST).read_to_end(&mut content)?;
    Ok(content)
}

/// What names somebody.
#[derive(Debug, Default)]
pub(super) struct Person {
    /// Addresses, full names and ids.
    pub(super) identifiers: BTreeSet<String>,
    /// Full names.
    pub(super) names: BTreeSet<String>,
}

/// Everybody, by what makes them one: the address in lower case, else the id.
#[derive(Debug, Default)]
pub(super) struct People(pub(super) BTreeMap<String, Person>);

impl People {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Learns from JSON, one value or one a line.
    pub(super) fn learn(&mut self, bytes: &[u8]) -> Result<(), serde_json::Error> {
        for value in serde_json::Deserializer::from_slice(bytes).into_iter::<Value>() {
            self.value(&value?);
        }
        Ok(())
    }

    /// Learns from a file that is kept.
    pub(super) fn learn_kept(&mut self, kind: Kind, bytes: &[u8]) -> io::Result<()> {
        match kind {
            Kind::Json => Ok(self.learn(bytes)?),
            Kind::Csv => self.table(bytes),
        }
    }

    /// Learns from a table with the columns of a list of users.
    fn table(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut table = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
        let columns = table.headers().map_err(io::Error::other)?.clone();
        let at = |name: &str| columns.iter().position(|column| column == name);
        let Some(full_name) = at("full_name") else { return Ok(()) };
        let (email, ids) = (at("email"), ["user_id", "zuid"].map(at));
        for row in table.records() {
            let row = row.map_err(io::Error::other)?;
            let cell = |column: Option<usize>| column.and_then(|column| row.get(column)).unwrap_or_default();
            let ids: Vec<&str> = ids.iter().map(|column| cell(*column)).collect();
            // A cell that a spreadsheet would run begins with an apostrophe.
            let name = cell(Some(full_name));
            self.add(&[name.strip_prefix('\'').unwrap_or(name)], &[cell(email)], &ids);
        }
        Ok(())
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.value(item)),
            Value::Object(object) => {
                let texts = |keys: &[&str]| -> Vec<&str> {
                    let of = |key: &&str| match object.get(*key) {
                        Some(Value::String(text)) => vec![text.as_str()],
                        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
                        _ => Vec::new(),
                    };
                    keys.iter().flat_map(of).collect()
                };
                // What has a name and no address is a role, a profile or a workspace, unless the name is a person's.
                if ["full_name", "email", "addresses"].iter().any(|key| object.contains_key(*key)) {
                    let names = texts(&["full_name", "name"]).into_iter().filter(|text| !text.contains('@'));
                    self.add(
                        &names.collect::<Vec<_>>(),
                        &texts(&["email", "addresses"]),
                        &texts(&["id", "user_id", "zuid"]),
                    );
                }
                self.add(&[], &texts(&["primary_email"]), &texts(&["primary_zuid"]));
                for manager in texts(&["manager"]).into_iter().filter(|text| !text.contains('@')) {
                    self.add(&[manager], &[], &[]);
                }
                for value in object.values() {
                    self.value(value);
                }
            }
            Value::String(text) => {
                for address in addresses(text) {
                    self.add(&[], &[address], &[]);
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, names: &[&str], addresses: &[&str], ids: &[&str]) {
        let names: Vec<&str> = names.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).collect();
        let addresses: Vec<String> =
            addresses.iter().map(|address| address.trim().to_lowercase()).filter(|text| !text.is_empty()).collect();
        let ids: Vec<&str> = ids.iter().copied().filter(|id| id.len() >= ID).collect();
        let identity = addresses.first().cloned().or_else(|| ids.first().map(|id| format!("id {id}")));
        let identity = identity.or_else(|| names.first().map(|name| format!("name {}", name.to_lowercase())));
        let Some(identity) = identity else { return };
        let person = self.0.entry(identity).or_default();
        person.names.extend(names.iter().map(|name| (*name).to_owned()));
        person.identifiers.extend(names.iter().chain(&ids).map(|text| (*text).to_owned()));
        person.identifiers.extend(addresses);
    }
}
