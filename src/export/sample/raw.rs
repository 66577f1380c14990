//! Where a record stands in what the API answered.

use std::io;

use serde_json::{Map, Value};

use super::{
    audit::AuditBag,
    step::{Place, Step},
};
use crate::{
    export::bag::{self, ANSWERS},
    words::count,
};

/// Places that a step names.
const SHOWN: usize = 6;
/// The fewest fields of a record: what only mentions one has its id and its name.
const FEWEST: usize = 3;
/// The fields of a record that a step quotes: those that an audit is made from.
const QUOTED: [&str; 13] = [
    "id",
    "zuid",
    "full_name",
    "name",
    "email",
    "status",
    "confirm",
    "confirmed",
    "role",
    "profile",
    "created_time",
    "modified_time",
    "reporting_to",
];

/// A record in an answer.
struct Hit {
    place: Place,
    request: String,
    answered_at: String,
    record: Map<String, Value>,
}

/// The step that says where the API answered with a record.
pub(super) fn step(title: &'static str, from: &AuditBag<'_>, id: &str) -> io::Result<Step> {
    let mut hits = Vec::new();
    for answer in bag::answers(&from.sealed)? {
        if !(200..300).contains(&answer.status) {
            continue;
        }
        let body = bag::body(&from.sealed, &answer.file)?;
        if memchr::memmem::find(&body, id.as_bytes()).is_none() {
            continue;
        }
        let Ok(value) = serde_json::from_slice::<Value>(&body) else { continue };
        walk(&value, id, &mut String::new(), &mut |pointer, record| {
            hits.push(Hit {
                place: from.place(&answer.file, format!("JSON pointer {pointer}")),
                request: answer.request.clone(),
                answered_at: answer.answered_at.clone(),
                record: record.clone(),
            });
        });
    }
    // The record of the list of all has the most fields.
    hits.sort_by_key(|hit| std::cmp::Reverse(hit.record.len()));
    let Some(first) = hits.first() else {
        return Ok(Step::new(title, format!("No answer of the API has a record with the id {id}."))
            .at(from.place(ANSWERS, "every line")));
    };
    let quoted = first.record.iter().filter(|(name, _)| QUOTED.contains(&name.to_lowercase().as_str()));
    let quoted: Map<String, Value> = quoted.map(|(name, value)| (name.clone(), value.clone())).collect();
    let quote = serde_json::to_string_pretty(&quoted)?;
    let places = count(hits.len(), "place");
    let mut step = Step::new(
        title,
        format!("The API answered with this record in {places}; quoted without the fields that an audit does not use."),
    )
    .fact("Request", &first.request)
    .fact("Answered", &first.answered_at)
    .quoting(quote);
    for hit in hits.into_iter().take(SHOWN) {
        step = step.at(hit.place);
    }
    Ok(step)
}

/// Walks to every record with an id; `pointer` is where it is (RFC 6901).
fn walk(value: &Value, id: &str, pointer: &mut String, found: &mut impl FnMut(&str, &Map<String, Value>)) {
    let length = pointer.len();
    match value {
        Value::Object(object) => {
            let is_it = match object.get("id") {
                Some(Value::String(text)) => text == id,
                Some(Value::Number(number)) => number.to_string() == id,
                _ => false,
            };
            if is_it && object.len() >= FEWEST {
                found(pointer, object);
            }
            for (name, inside) in object {
                pointer.push('/');
                pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                walk(inside, id, pointer, found);
                pointer.truncate(length);
            }
        }
        Value::Array(items) => {
            for (place, inside) in items.iter().enumerate() {
                pointer.push('/');
                pointer.push_str(&place.to_string());
                walk(inside, id, pointer, found);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_is_found_wherever_it_stands_and_a_mention_is_not_one() {
        let answer = json!({"users": [
            {"id": "1", "email": "a@example.com", "created_by": {"id": "2", "name": "B"}},
            {"id": 2, "email": "b@example.com", "a/b~c": {"id": "2", "x": 1, "y": 2}},
        ]});
        let mut found = Vec::new();
        walk(&answer, "2", &mut String::new(), &mut |pointer, _| found.push(pointer.to_owned()));
        assert_eq!(found, ["/users/1", "/users/1/a~1b~0c"]);
        for pointer in found {
            assert!(answer.pointer(&pointer).is_some(), "{pointer}");
        }
    }
}
