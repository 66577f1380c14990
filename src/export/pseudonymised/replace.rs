//! Replaces what names somebody in the texts of a file: addresses, full names, ids, and parts of a name that stand alone.

use std::{collections::BTreeMap, io};

use aho_corasick::{AhoCorasick, Input, MatchKind};
use serde_json::Value;

use super::{
    mapping::Mapping,
    people::People,
    text::{Kind, addresses},
};
use crate::report::csv::{builder, quoted};

/// Some texts, and what replaces each.
struct Table {
    automaton: AhoCorasick,
    replacements: Vec<String>,
}

impl Table {
    fn new(texts: BTreeMap<String, String>, ignores_case: bool) -> Result<Self, aho_corasick::BuildError> {
        let (texts, replacements): (Vec<_>, Vec<_>) = texts.into_iter().unzip();
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .ascii_case_insensitive(ignores_case)
            .build(texts)?;
        Ok(Self { automaton, replacements })
    }

    /// The next whole word, or words, from a position on: where it is, and what replaces it.
    fn next(&self, text: &str, from: usize) -> Option<(std::ops::Range<usize>, &str)> {
        let mut at = from;
        while let Some(found) = self.automaton.find(Input::new(text).range(at..)) {
            let is_inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            let range = found.range();
            if !is_inside(text[..range.start].chars().next_back()) && !is_inside(text[range.end..].chars().next()) {
                return Some((range, &self.replacements[found.pattern().as_usize()]));
            }
            at = range.start + text[range.start..].chars().next().map_or(1, char::len_utf8);
        }
        None
    }

    fn replace(&self, text: &str) -> String {
        let (mut replaced, mut at) = (String::with_capacity(text.len()), 0);
        while let Some((range, by)) = self.next(text, at) {
            replaced.push_str(&text[at..range.start]);
            replaced.push_str(by);
            at = range.end;
        }
        replaced + &text[at..]
    }
}

/// Replaces names by pseudonyms.
pub(super) struct Replacer {
    /// Addresses, full names and ids, whatever their case.
    whole: Table,
    /// Parts of names, as they are written: “Rose” is a name and “rose” may be a word.
    parts: Table,
}

impl Replacer {
    /// For some people, whom the mapping learns.
    pub(super) fn new(people: &People, mapping: &mut Mapping) -> Result<Self, aho_corasick::BuildError> {
        let (mut whole, mut parts) = (BTreeMap::new(), BTreeMap::new());
        for (identity, person) in &people.0 {
            let pseudonym = mapping.pseudonym(identity);
            for identifier in &person.identifiers {
                mapping.remember(&pseudonym, identifier);
                learn(&mut whole, identifier.to_lowercase(), &pseudonym, mapping);
                if !identifier.is_ascii() {
                    learn(&mut whole, identifier.clone(), &pseudonym, mapping);
                }
                if let Some((local, _)) = identifier.split_once('@').filter(|(local, _)| local.contains('.')) {
                    learn(&mut whole, local.to_owned(), &pseudonym, mapping);
                }
            }
            for part in person.names.iter().flat_map(|name| name.split_whitespace()) {
                let part = part.trim_matches(|c: char| !c.is_alphanumeric());
                if part.chars().count() > 1 && part.chars().any(char::is_alphabetic) {
                    learn(&mut parts, part.to_owned(), &pseudonym, mapping);
                    learn(&mut parts, part.to_uppercase(), &pseudonym, mapping);
                }
            }
        }
        Ok(Self { whole: Table::new(whole, true)?, parts: Table::new(parts, false)? })
    }

    fn text(&self, text: &str, mapping: &mut Mapping) -> String {
        let mut text = self.whole.replace(text);
        // Addresses of people who are in no list: recipients, approvers, owners.
        let others: Vec<String> = addresses(&text).map(str::to_owned).collect();
        for address in others {
            let pseudonym = mapping.pseudonym(&address.to_lowercase());
            mapping.remember(&pseudonym, &address);
            text = text.replace(&address, &pseudonym);
        }
        self.parts.replace(&text)
    }

    /// A file with pseudonyms.
    ///
    /// # Errors
    /// If the file is not what its name says.
    pub(super) fn file(&self, kind: Kind, bytes: &[u8], mapping: &mut Mapping) -> io::Result<String> {
        match kind {
            Kind::Json => {
                let mut value: Value = serde_json::from_slice(bytes)?;
                self.value(&mut value, mapping);
                Ok(serde_json::to_string_pretty(&value)? + "\n")
            }
            Kind::Csv => {
                let mut rows = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
                let mut table = builder().flexible(true).from_writer(Vec::new());
                for row in rows.records() {
                    let row = row.map_err(io::Error::other)?;
                    let cells = row.iter().map(|cell| quoted(&self.text(cell, mapping)).into_owned());
                    table.write_record(cells).map_err(io::Error::other)?;
                }
                let bytes = table.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
                String::from_utf8(bytes).map_err(io::Error::other)
            }
        }
    }

    fn value(&self, value: &mut Value, mapping: &mut Mapping) {
        match value {
            Value::String(text) => *text = self.text(text, mapping),
            Value::Number(number) => {
                let (text, digits) = (number.to_string(), number.to_string());
                let replaced = self.whole.replace(&text);
                if replaced != digits {
                    *value = Value::String(replaced);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item, mapping)),
            Value::Object(object) => {
                let items = std::mem::take(object).into_iter().map(|(key, mut value)| {
                    self.value(&mut value, mapping);
                    // Keys are words of a schema; only an address or a full name in one names somebody.
                    (self.whole.replace(&key), value)
                });
                *object = items.collect();
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// The pseudonym of somebody whom a text still names; `None` if it names nobody.
    pub(super) fn left(&self, text: &str) -> Option<String> {
        let found = self.whole.next(text, 0).map(|(_, pseudonym)| pseudonym.to_owned());
        found.or_else(|| addresses(text).next().map(|_| "an unknown person".to_owned()))
    }
}

/// Learns what replaces a text. What names several people gets a pseudonym of its own.
fn learn(texts: &mut BTreeMap<String, String>, text: String, pseudonym: &str, mapping: &mut Mapping) {
    match texts.get(&text) {
        Some(known) if known == pseudonym => {}
        Some(_) => {
            let shared = mapping.pseudonym(&format!("name {text}"));
            mapping.remember(&shared, &text);
            texts.insert(text, shared);
        }
        None => {
            texts.insert(text, pseudonym.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> People {
        let mut people = People::default();
        let list = r#"[
            {"id": "50010001", "full_name": "Ana María López", "email": "Ana.Lopez@example.com"},
            {"id": "50010002", "full_name": "Ben Rose", "email": "ben@example.com"},
            {"id": "50010003", "full_name": "Ana Rose", "email": null}
        ]"#;
        people.learn(list.as_bytes()).unwrap();
        people
    }

    #[test]
    fn whoever_is_named_is_replaced_in_every_text() {
        let mut mapping = Mapping::new([1; 32]);
        let replacer = Replacer::new(&people(), &mut mapping).unwrap();
        let ana = mapping.pseudonym("ana.lopez@example.com");
        let mut text = |text: &str| replacer.text(text, &mut mapping);
        for named in ["ANA.LOPEZ@EXAMPLE.COM", "Ana María López", "ana maría lópez", "50010001", "López", "ana.lopez"]
        {
            assert_eq!(text(named), ana, "{named}");
            assert_eq!(text(&format!("({named}), then")), format!("({ana}), then"));
        }
        // Parts of other words, and words that are no names.
        for other in ["Analysis", "rose", "150010001", "Benefits"] {
            assert_eq!(text(other), other);
        }
        // Two people have this name, so it stands for neither.
        let shared = text("Rose");
        assert!(shared.starts_with("P-") && shared != text("Ben Rose") && shared != text("Ana Rose"));
        // An address that no list has.
        let cto = text("asked by cto@example.org.");
        assert!(cto.starts_with("asked by P-") && cto.ends_with('.') && !cto.contains('@'), "{cto}");
    }

    #[test]
    fn files_keep_their_shape() {
        let mut mapping = Mapping::new([1; 32]);
        let replacer = Replacer::new(&people(), &mut mapping).unwrap();
        let ben = mapping.pseudonym("ben@example.com");
        let json = br#"{"user": {"id": 50010002, "note": "Ben\u0020Rose, \"owner\""}, "ben@example.com": [true, 7]}"#;
        let json: Value = serde_json::from_str(&replacer.file(Kind::Json, json, &mut mapping).unwrap()).unwrap();
        assert_eq!(json["user"]["id"], ben.as_str());
        assert_eq!(json["user"]["note"], format!("{ben}, \"owner\""));
        assert_eq!(json[&ben][1], 7);
        let csv = "id,name\n50010002,\"Rose, Ben\"\n";
        let csv = replacer.file(Kind::Csv, csv.as_bytes(), &mut mapping).unwrap();
        assert!(
            csv.starts_with(&format!("id,name\r\n{ben},\"P-")) && csv.ends_with(&format!(", {ben}\"\r\n")),
            "{csv}"
        );
        assert_eq!(replacer.left(&csv), None);
        assert!(replacer.left("for ben rose").is_some() && replacer.left("x@example.net").is_some());
    }
}
