//! A JSON list of objects, or an object with such a list in it. Each object is dropped after its mapped values are read.

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, value::RawValue};

use super::{
    ReadError,
    columns::Mapping,
    rows::{Cells, Place, Rows},
};
use crate::model::roster::{Field, Layout};

/// Objects inside objects that are read.
const DEPTH: usize = 4;
/// Objects whose names are taken for the header.
const HEADER_FROM: usize = 1_000;

pub(super) fn read(text: &str, layout: &Layout, rows: &mut Rows<'_>) -> Result<(), ReadError> {
    let objects = objects(text)?;
    let (mut names, mut known): (Vec<String>, HashSet<String>) = (Vec::new(), HashSet::new());
    for object in objects.iter().take(HEADER_FROM) {
        for (name, _) in flat(object)? {
            if known.insert(name.clone()) {
                names.push(name);
            }
        }
    }
    if names.is_empty() {
        return Ok(());
    }
    let header: Vec<&str> = names.iter().map(String::as_str).collect();
    let mapping = Mapping::of(&header, layout)?;
    rows.columns = mapping.names(&header);
    let has_status = mapping.places.contains_key(&Field::Status);
    for (at, object) in objects.iter().enumerate() {
        let values: BTreeMap<String, String> = flat(object)?.into_iter().collect();
        let value = |place: &usize| values.get(header[*place]).map(|text| text.trim()).filter(|text| !text.is_empty());
        let mut row = Cells::at(Place::Entry(at + 1), has_status);
        for (field, places) in &mapping.places {
            let mut values = places.iter().filter_map(value);
            row.set(
                *field,
                match field {
                    Field::Aliases => values.collect::<Vec<_>>().join(" ").into(),
                    _ => values.next().unwrap_or_default().into(),
                },
            );
        }
        rows.add(row)?;
    }
    Ok(())
}

/// The objects of the list: the document itself, or the only list of objects in it.
pub(super) fn objects(text: &str) -> Result<Vec<&RawValue>, ReadError> {
    objects_within(text, DEPTH)
}

fn objects_within(text: &str, depth: usize) -> Result<Vec<&RawValue>, ReadError> {
    let invalid = |error: serde_json::Error| ReadError::Syntax { format: "JSON", reason: error.to_string() };
    let text = text.trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    if text.starts_with('[') {
        return serde_json::from_str(text).map_err(invalid);
    }
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).map_err(invalid)?;
    let inside = |value: &RawValue| value.get().strip_prefix('[').map(|rest| rest.trim_start().chars().next());
    if members.values().any(|value| inside(value) == Some(Some(']')))
        && members.values().all(|value| inside(value) != Some(Some('{')))
    {
        return Ok(Vec::new());
    }
    let mut lists = members.values().copied().filter(|value| inside(value) == Some(Some('{')));
    if let (Some(only), None) = (lists.next(), lists.next()) {
        return serde_json::from_str(only.get()).map_err(invalid);
    }
    let mut inner = members.values().copied().filter(|value| depth > 0 && value.get().starts_with('{'));
    let found =
        inner.find_map(|value| objects_within(value.get(), depth - 1).ok().filter(|objects| !objects.is_empty()));
    found.ok_or_else(|| ReadError::Syntax { format: "JSON", reason: "there is no list of people in it".to_owned() })
}

/// The values of an object by name, those of objects inside it as `work.email`.
fn flat(object: &RawValue) -> Result<Vec<(String, String)>, ReadError> {
    let value: Value = serde_json::from_str(object.get())
        .map_err(|error| ReadError::Syntax { format: "JSON", reason: error.to_string() })?;
    let mut values = Vec::new();
    add("", &value, DEPTH, &mut values);
    Ok(values)
}

fn add(name: &str, value: &Value, depth: usize, values: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) if depth > 0 => {
            for (member, value) in members {
                let name = if name.is_empty() { member.clone() } else { format!("{name}.{member}") };
                add(&name, value, depth - 1, values);
            }
        }
        Value::Object(_) => {}
        Value::Null => values.push((name.to_owned(), String::new())),
        Value::String(text) => values.push((name.to_owned(), text.clone())),
        Value::Array(items) => {
            let texts: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            values.push((name.to_owned(), texts.join(" ")));
        }
        Value::Bool(_) | Value::Number(_) => values.push((name.to_owned(), value.to_string())),
    }
}
