//! What can be counted is counted again, from the files of the bag.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use serde_json::Value;
use url::Url;

use super::stated::Stated;
use crate::{
    evidence::sealed::SealedBag,
    export::bag::{self, MATRIX},
};

/// The users as parsed, one a line.
pub(super) const USERS: &str = "data/directory/users.jsonl.gz";
/// The fewest fields of a record: what only mentions one has its id and its name.
const FEWEST: usize = 3;

/// What was counted.
#[derive(Debug)]
pub(super) struct Counted {
    /// Lines of the index, and how many answers are refusals or errors.
    pub(super) answers: u64,
    pub(super) refused: u64,
    /// Bytes of the bodies, decompressed.
    pub(super) bytes: u64,
    /// The files with answers to the query of the user list.
    pub(super) lists: Vec<String>,
    /// Distinct ids in them; `None` if no answer is to that query.
    pub(super) raw_ids: Option<u64>,
    /// Lines of the users as parsed; `None` if there is no such file.
    pub(super) parsed: Option<u64>,
    /// Rows of the access matrix, and by status.
    pub(super) rows: u64,
    pub(super) by_status: BTreeMap<String, u64>,
    /// Rows of it that can administer, and the column that says so: bags of an older rolecall have no column `power`.
    pub(super) administrators: u64,
    pub(super) column: &'static str,
}

impl Counted {
    pub(super) fn of(from: &SealedBag<'_>, stated: &Stated) -> io::Result<Self> {
        let query = stated.report.reading.get("query").and_then(Value::as_str).and_then(address);
        let answers = bag::answers(from)?;
        let mut counted = Self {
            answers: answers.len() as u64,
            refused: 0,
            bytes: 0,
            lists: Vec::new(),
            raw_ids: None,
            parsed: None,
            rows: 0,
            by_status: BTreeMap::new(),
            administrators: 0,
            column: "power",
        };
        let mut ids = BTreeSet::new();
        for answer in answers {
            let body = bag::body(from, &answer.file)?;
            counted.bytes += body.len() as u64;
            if !(200..300).contains(&answer.status) {
                counted.refused += 1;
                continue;
            }
            let asked = address(&answer.request);
            if query.as_ref().zip(asked).is_some_and(|(query, asked)| is_part(query, &asked)) {
                counted.lists.push(answer.file);
                if let Ok(value) = serde_json::from_slice(&body) {
                    records(&value, &mut ids);
                }
            }
        }
        counted.raw_ids = (!counted.lists.is_empty()).then_some(ids.len() as u64);
        if from.sha256(USERS).is_some() {
            counted.parsed = Some(bag::lines(from, USERS)?);
        }
        if let Some(table) = bag::table(from, MATRIX)? {
            if !table.header.iter().any(|name| name == counted.column) {
                counted.column = "administrator";
            }
            for (_, row) in table.numbered() {
                counted.rows += 1;
                let status = table.cell(row, "status").unwrap_or_default();
                *counted.by_status.entry(status.to_owned()).or_default() += 1;
                let is_active = status == "active";
                let power = table.cell(row, counted.column).unwrap_or_default();
                let can = matches!(power, "administrator" | "equivalent" | "true");
                counted.administrators += u64::from(is_active && can);
            }
        }
        Ok(counted)
    }
}

/// The address of a request such as `GET /users?page=1`.
fn address(request: &str) -> Option<Url> {
    let (_, address) = request.split_once(' ')?;
    let base = Url::parse("http://localhost/").ok()?;
    base.join(address).ok()
}

/// What every request for a page of a query has in it: the path, and each parameter.
pub(super) fn parts_of(query: &str) -> Vec<String> {
    let Some((_, address)) = query.split_once(' ') else { return Vec::new() };
    let (path, parameters) = address.split_once('?').unwrap_or((address, ""));
    let path = if parameters.is_empty() { path.to_owned() } else { format!("{path}?") };
    std::iter::once(path).chain(parameters.split('&').filter(|part| !part.is_empty()).map(str::to_owned)).collect()
}

/// Whether a request asks for a page of a query: the same path, with everything that the query asks for.
fn is_part(query: &Url, asked: &Url) -> bool {
    let pairs: Vec<_> = asked.query_pairs().collect();
    asked.path().ends_with(query.path()) && query.query_pairs().all(|pair| pairs.contains(&pair))
}

/// The ids of the records of the first list in an answer.
fn records(value: &Value, ids: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => {
            let of_records = items.iter().filter_map(Value::as_object).filter(|record| record.len() >= FEWEST);
            ids.extend(of_records.filter_map(|record| match record.get("id")? {
                Value::String(id) => Some(id.clone()),
                Value::Number(id) => Some(id.to_string()),
                _ => None,
            }));
        }
        Value::Object(object) => object.values().for_each(|inside| records(inside, ids)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_page_of_the_query_is_known_by_path_and_parameters() {
        let of = |query: &str, asked: &str| is_part(&address(query).unwrap(), &address(asked).unwrap());
        let query = "GET /bigin/v2/users?type=AllUsers&per_page=200";
        assert!(of(query, "GET https://www.zohoapis.eu/bigin/v2/users?type=AllUsers&page=2&per_page=200"));
        assert!(!of(query, "GET https://www.zohoapis.eu/bigin/v2/users?type=AdminUsers&page=1&per_page=200"));
        assert!(!of(query, "GET https://www.zohoapis.eu/bigin/v2/org"));
    }

    #[test]
    fn ids_are_those_of_the_list_and_not_of_what_a_record_mentions() {
        let answer = json!({"users": [
            {"id": "1", "status": "active", "role": {"id": "9", "name": "R", "x": 1}, "teams": [{"id": "8", "a": 1, "b": 2}]},
            {"id": 2, "status": "active", "email": null},
        ], "info": {"count": 2}});
        let mut ids = BTreeSet::new();
        records(&answer, &mut ids);
        assert_eq!(ids.into_iter().collect::<Vec<_>>(), ["1", "2"]);
    }
}
