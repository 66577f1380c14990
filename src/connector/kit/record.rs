//! Finds the user in whose record an answer stops being JSON.

use std::{cell::RefCell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// The names of lists that hold users.
pub(super) const USER_LISTS: [&str; 3] = ["users", "result", "results"];

/// The record that is being read.
struct Record {
    list: String,
    number: usize,
    /// `None` if its id was not read yet.
    id: Option<String>,
}

/// What is read next: the answer, one of its lists, or a record of that list.
#[derive(Clone, Copy)]
enum Level {
    Answer,
    List,
    Record,
}

/// Reads an answer and remembers in which record it is.
#[derive(Clone, Copy)]
struct Walk<'a> {
    level: Level,
    record: &'a RefCell<Option<Record>>,
}

impl Walk<'_> {
    fn at(self, level: Level) -> Self {
        Self { level, ..self }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match self.level {
                Level::Answer if USER_LISTS.contains(&key.as_str()) => {
                    *self.record.borrow_mut() = Some(Record { list: key, number: 0, id: None });
                    map.next_value_seed(self.at(Level::List))?;
                    *self.record.borrow_mut() = None;
                }
                Level::Record => {
                    // A `Value`, because a number out of range is an error only where a number is wanted.
                    let id = match map.next_value()? {
                        Value::String(id) if key == "id" => id,
                        Value::Number(id) if key == "id" => id.to_string(),
                        _ => continue,
                    };
                    if let Some(record) = &mut *self.record.borrow_mut() {
                        record.id = Some(id);
                    }
                }
                Level::Answer | Level::List => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if !matches!(self.level, Level::List) {
            return Err(A::Error::custom("a list in place of an object"));
        }
        while list.next_element_seed(self.at(Level::Record))?.is_some() {
            if let Some(record) = &mut *self.record.borrow_mut() {
                (record.number, record.id) = (record.number + 1, None);
            }
        }
        Ok(())
    }
}

/// The place in a list of users at which a text is not JSON, and the id of that user if it was read before. `None` if the text
/// is broken elsewhere.
pub(super) fn broken_record(text: &str) -> Option<(String, Option<String>)> {
    let record = RefCell::new(None);
    let walk = Walk { level: Level::Answer, record: &record };
    let Err(error) = walk.deserialize(&mut serde_json::Deserializer::from_str(text)) else { return None };
    let Record { list, number, id } = record.into_inner().filter(|_| error.is_syntax())?;
    Some((format!("{list}[{number}]"), id))
}
