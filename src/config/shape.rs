//! Checks the shape of a file against the schema: unknown keys, missing keys, values of the wrong type. Reports all of
//! them, each with its place, and keeps what is well-formed, so that its meaning can be checked in the same pass. For a
//! required key that is not well-formed a value stands in, so that the rest of its table is checked, too.
//!
//! The schema is the subset of JSON Schema that `schemars` makes of [`super::file`]: `$ref`, `type`, `properties`,
//! `required`, `additionalProperties`, `items`, `enum`, `const`, `oneOf`, `anyOf` and `format: date`; a test holds this.
//! There are crates that check all of JSON Schema, but none of them reports places in a TOML file.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use serde_json::Value as Schema;
use toml::{
    Spanned,
    de::{DeArray, DeFloat, DeInteger, DeTable, DeValue},
    value::{Date, Datetime},
};

use super::problem::Problem;

/// A file of which the shape has been checked.
pub(super) struct Shape<'t> {
    pub(super) problems: Vec<Problem>,
    /// What is well-formed, and what stands in for required keys that are not.
    pub(super) table: Spanned<DeTable<'t>>,
    pub(super) removed: Vec<Removed>,
    pub(super) stand_ins: StandIns,
}

/// The places of values that stand in for those of the file.
#[derive(Debug, Default)]
pub(super) struct StandIns(Vec<Range<usize>>);

impl StandIns {
    /// Where a value stands that stands in for a missing one: behind every file.
    const NOWHERE: usize = usize::MAX / 2;

    /// Whether something at this place is about a value that stands in: the file does not have it.
    pub(super) fn has(&self, span: &Range<usize>) -> bool {
        self.0.iter().any(|one| (one.start..one.end.max(one.start + 1)).contains(&span.start))
    }
}

/// Keys that a table has in the file and not in [`Shape::table`].
pub(super) struct Removed {
    pub(super) table: Range<usize>,
    /// The keys as written, and those that were probably meant.
    pub(super) keys: Vec<String>,
}

impl Removed {
    /// Whether a problem only says that one of these keys is missing.
    pub(super) fn explains(&self, problem: &Problem) -> bool {
        problem.span.as_ref() == Some(&self.table)
            && self.keys.iter().any(|key| problem.message.contains(&format!("`{key}`")))
    }
}

pub(super) fn check<'t>(schema: &Schema, table: Spanned<DeTable<'t>>) -> Shape<'t> {
    let mut checker = Checker::new(schema);
    let span = table.span();
    let kept = checker.table(schema, table.into_inner(), &span, "");
    checker.shape(Spanned::new(span, kept))
}

/// Checks a table that is a file of its own against one of the schema's definitions. `path` is where it belongs.
pub(super) fn check_table<'t>(schema: &Schema, definition: &str, table: Spanned<DeTable<'t>>, path: &str) -> Shape<'t> {
    let mut checker = Checker::new(schema);
    let span = table.span();
    let kept = checker.table(&schema["$defs"][definition], table.into_inner(), &span, path);
    checker.shape(Spanned::new(span, kept))
}

struct Checker<'s> {
    root: &'s Schema,
    problems: Vec<Problem>,
    removed: Vec<Removed>,
    stand_ins: StandIns,
    /// Keys in tables of a misspelt name, by the path that was meant: they are not missing there.
    misplaced: BTreeSet<String>,
}

impl<'s> Checker<'s> {
    fn new(root: &'s Schema) -> Self {
        Self {
            root,
            problems: Vec::new(),
            removed: Vec::new(),
            stand_ins: StandIns::default(),
            misplaced: BTreeSet::new(),
        }
    }

    fn shape(self, table: Spanned<DeTable<'_>>) -> Shape<'_> {
        Shape { problems: self.problems, table, removed: self.removed, stand_ins: self.stand_ins }
    }

    fn error(&mut self, span: Range<usize>, message: String, help: impl Into<String>) {
        self.problems.push(Problem::error(span, message, help));
    }

    /// Follows a reference, and looks through “this or null”: TOML has no null.
    fn resolve(&self, schema: &'s Schema) -> &'s Schema {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = self.root.pointer(reference.trim_start_matches('#'));
            return target.map_or(schema, |target| self.resolve(target));
        }
        match schema["anyOf"].as_array().map(Vec::as_slice) {
            Some([one, other]) if other["type"] == "null" => self.resolve(one),
            Some([other, one]) if other["type"] == "null" => self.resolve(one),
            _ => schema,
        }
    }

    /// The well-formed part of a table, with something for every required key.
    fn table<'t>(&mut self, schema: &'s Schema, table: DeTable<'t>, span: &Range<usize>, path: &str) -> DeTable<'t> {
        let properties = schema["properties"].as_object();
        let others = schema.get("additionalProperties").filter(|others| others.is_object());
        let (mut kept, mut removed, mut bad) = (DeTable::new(), Vec::new(), BTreeMap::new());
        let known: Vec<&str> = properties.into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        let unknown = table.iter().filter(|(key, _)| others.is_none() && !known.contains(&key.get_ref().as_ref()));
        for (meant, inner) in unknown.filter_map(|(key, value)| Some((nearest(key.get_ref(), &known)?, value))) {
            paths(inner.get_ref(), &within(path, meant), &mut self.misplaced);
        }
        for (key, value) in table {
            let (name, place) = (key.get_ref().to_string(), value.span());
            let inside = within(path, &name);
            let property = properties.and_then(|properties| properties.get(&name)).or(others);
            let value = if let Some(property) = property {
                self.value(property, value, &inside)
            } else {
                removed.extend(nearest(&name, &known).map(str::to_owned));
                self.unknown(&key, &value, path, &known);
                None
            };
            if let Some(value) = value {
                kept.insert(key, value);
            } else {
                removed.push(name.clone());
                bad.insert(name, place);
            }
        }
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Schema::as_str).collect();
        let is_elsewhere =
            |key: &str| removed.iter().any(|name| name == key) || self.misplaced.contains(&within(path, key));
        let missing: Vec<&str> =
            required.iter().copied().filter(|key| !kept.contains_key(*key) && !is_elsewhere(key)).collect();
        for key in missing {
            let description = properties.and_then(|properties| properties[key]["description"].as_str());
            self.missing(key, span, path, description.unwrap_or_default());
        }
        if !removed.is_empty() {
            self.removed.push(Removed { table: span.clone(), keys: removed });
        }
        for key in required {
            let Some(property) = properties.and_then(|properties| properties.get(key)) else { continue };
            if !kept.contains_key(key) {
                let place = bad.remove(key).unwrap_or(StandIns::NOWHERE..StandIns::NOWHERE);
                let value = self.stand_in(property, &place);
                kept.insert(Spanned::new(place.clone(), key.to_owned().into()), value);
                self.stand_ins.0.push(place);
            }
        }
        kept
    }

    /// A value of the right type.
    fn stand_in<'t>(&self, schema: &'s Schema, place: &Range<usize>) -> Spanned<DeValue<'t>> {
        /// The date of what has none.
        const DATE: Datetime = Datetime { date: Some(Date { year: 2000, month: 1, day: 1 }), time: None, offset: None };
        let schema = self.resolve(schema);
        let options = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array());
        let options = options.map_or(std::slice::from_ref(schema), Vec::as_slice);
        let value = match (words(options).first(), options.first()) {
            (Some(word), _) => DeValue::String((*word).to_owned().into()),
            (None, Some(first)) if first != schema => return self.stand_in(first, place),
            _ if schema["format"] == "date" => DeValue::Datetime(DATE),
            _ if is(schema, "string") => DeValue::String("".into()),
            _ if is(schema, "array") => DeValue::Array(DeArray::new()),
            _ if is(schema, "boolean") => DeValue::Boolean(false),
            _ if is(schema, "integer") => DeValue::Integer(DeInteger::default()),
            _ if is(schema, "number") => DeValue::Float(DeFloat::default()),
            _ => {
                let keys = schema["required"].as_array().into_iter().flatten().filter_map(Schema::as_str);
                let key = |key: &str| {
                    let value = self.stand_in(schema["properties"].get(key)?, place);
                    Some((Spanned::new(place.clone(), key.to_owned().into()), value))
                };
                DeValue::Table(keys.filter_map(key).collect())
            }
        };
        Spanned::new(place.clone(), value)
    }

    fn unknown(
        &mut self,
        key: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
        path: &str,
        known: &[&str],
    ) {
        let name = key.get_ref();
        let (message, help) = match (path, value.get_ref()) {
            ("", DeValue::Table(_)) => {
                let meant = self.place_of(name).or_else(|| nearest(name, known).map(str::to_owned));
                let meant = meant.map(|meant| format!("did you mean [{meant}]?"));
                (format!("unknown table [{name}]"), meant.unwrap_or_else(|| one_of(known)))
            }
            ("", _) => (format!("unknown key `{name}`"), suggestion(name, known)),
            _ => (format!("unknown key `{name}` in [{path}]"), suggestion(name, known)),
        };
        self.error(key.span(), message, help);
    }

    /// The table in which a name that is unknown at the top is a key: `policy.rules` for `rules`.
    fn place_of(&self, name: &str) -> Option<String> {
        let tables = self.root["properties"].as_object()?;
        let has = |schema: &'s Schema| self.resolve(schema)["properties"].get(name).is_some();
        tables.iter().find(|(_, schema)| has(schema)).map(|(table, _)| format!("{table}.{name}"))
    }

    fn missing(&mut self, key: &str, span: &Range<usize>, path: &str, description: &str) {
        self.error(span.clone(), format!("missing key `{key}` in [{path}]"), description);
    }

    fn value<'t>(
        &mut self,
        schema: &'s Schema,
        value: Spanned<DeValue<'t>>,
        path: &str,
    ) -> Option<Spanned<DeValue<'t>>> {
        let (resolved, span) = (self.resolve(schema), value.span());
        if let Some(options) = resolved["oneOf"].as_array().or_else(|| resolved["anyOf"].as_array()) {
            return self.choice(resolved, options, value, path);
        }
        if resolved.get("type").is_none() && resolved.get("const").is_none() && resolved.get("enum").is_none() {
            // A value of any type.
            return Some(value);
        }
        let is_good = match value.get_ref() {
            DeValue::Table(_) => is(resolved, "object"),
            DeValue::Array(_) => is(resolved, "array"),
            DeValue::String(_) => is(resolved, "string") && resolved["format"] != "date",
            DeValue::Datetime(_) => resolved["format"] == "date",
            DeValue::Integer(_) => is(resolved, "integer") || is(resolved, "number"),
            DeValue::Float(_) => is(resolved, "number"),
            DeValue::Boolean(_) => is(resolved, "boolean"),
        };
        if !is_good {
            let message =
                format!("invalid type for `{path}`: expected {}, found {}", expected(resolved), found(value.get_ref()));
            self.error(span, message, describe(schema, resolved));
            return None;
        }
        let kept = match value.into_inner() {
            DeValue::Table(table) => DeValue::Table(self.table(resolved, table, &span, path)),
            DeValue::Array(items) => {
                let items = items.into_iter().filter_map(|item| self.value(&resolved["items"], item, path));
                DeValue::Array(items.collect::<Vec<_>>().into_iter().collect::<DeArray<'t>>())
            }
            DeValue::String(text) => {
                self.word(&text, &words(std::slice::from_ref(resolved)), &span, path)?;
                DeValue::String(text)
            }
            other => other,
        };
        Some(Spanned::new(span, kept))
    }

    /// `None`, with a problem, for a text that is not one of some words. Without words, every text will do.
    fn word(&mut self, text: &str, words: &[&str], span: &Range<usize>, path: &str) -> Option<()> {
        if words.is_empty() || words.contains(&text) {
            return Some(());
        }
        let message = format!("invalid value `{text}` for `{path}`; {}", one_of(words));
        let help = nearest(text, words).map(|meant| format!("did you mean `{meant}`?"));
        self.error(span.clone(), message, help.unwrap_or_default());
        None
    }

    /// One of several words, or a table with one of several keys.
    fn choice<'t>(
        &mut self,
        schema: &'s Schema,
        options: &'s [Schema],
        value: Spanned<DeValue<'t>>,
        path: &str,
    ) -> Option<Spanned<DeValue<'t>>> {
        let (words, span) = (words(options), value.span());
        let value = match value.into_inner() {
            DeValue::String(text) if !words.is_empty() => {
                self.word(&text, &words, &span, path)?;
                DeValue::String(text)
            }
            DeValue::Table(table) if words.is_empty() => {
                let chosen = options
                    .iter()
                    .find(|option| table.keys().any(|key| option["properties"].get(key.get_ref().as_ref()).is_some()));
                let Some(option) = chosen else {
                    let keys = options.iter().filter_map(|option| option["properties"].as_object());
                    let keys: Vec<&str> = keys.flat_map(|keys| keys.keys().map(String::as_str)).collect();
                    self.error(
                        span,
                        format!("invalid value for `{path}`; {}", one_of(&keys)),
                        describe(schema, schema),
                    );
                    return None;
                };
                DeValue::Table(self.table(option, table, &span, path))
            }
            // Only a secret is a table of one of several keys.
            DeValue::String(_) => {
                let message = format!("`{path}` must say where to find the secret, not contain it");
                self.error(span, message, "expected { env = \"NAME\" } or { file = \"PATH\" }");
                return None;
            }
            other => {
                let expected = if words.is_empty() { "a table".to_owned() } else { words.join(" or ") };
                let message = format!("invalid type for `{path}`: expected {expected}, found {}", found(&other));
                self.error(span, message, describe(schema, schema));
                return None;
            }
        };
        Some(Spanned::new(span, value))
    }
}

/// The path of a key in a table.
fn within(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// The paths of all keys of a table, if it is one, under the path of the table.
fn paths(table: &DeValue<'_>, path: &str, found: &mut BTreeSet<String>) {
    for (key, value) in table.as_table().into_iter().flatten() {
        let inside = within(path, key.get_ref());
        paths(value.get_ref(), &inside, found);
        found.insert(inside);
    }
}

/// The words among which some options choose.
fn words(options: &[Schema]) -> Vec<&str> {
    options
        .iter()
        .flat_map(|option| {
            let listed = option["enum"].as_array().into_iter().flatten().filter_map(Schema::as_str);
            option["const"].as_str().into_iter().chain(listed)
        })
        .collect()
}

fn is(schema: &Schema, kind: &str) -> bool {
    match &schema["type"] {
        Schema::String(only) => only == kind,
        Schema::Array(kinds) => kinds.iter().any(|k| k == kind),
        _ => false,
    }
}

fn describe(schema: &Schema, resolved: &Schema) -> String {
    let of = |schema: &Schema| schema["description"].as_str().map(str::to_owned);
    of(resolved).or_else(|| of(schema)).unwrap_or_default()
}

fn expected(schema: &Schema) -> &'static str {
    if schema["format"] == "date" {
        return "a date without quotes, such as 2027-03-31";
    }
    [
        ("object", "a table"),
        ("array", "a list"),
        ("string", "a string"),
        ("integer", "a whole number"),
        ("number", "a number"),
        ("boolean", "true or false"),
    ]
    .into_iter()
    .find(|(kind, _)| is(schema, kind))
    .map_or("something else", |(_, words)| words)
}

fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Words that are not alike and mean the same.
const SAME: [(&str, &str); 6] = [
    ("path", "directory"),
    ("folder", "directory"),
    ("location", "directory"),
    ("place", "directory"),
    ("recipients", "to"),
    ("cron", "schedule"),
];

/// The known word that was probably meant: the one that is most like the written one, or means the same.
fn nearest<'k>(written: &str, known: &[&'k str]) -> Option<&'k str> {
    /// How much alike two words are that are one and the same, misspelt: 1 is equal.
    const ALIKE: f64 = 0.8;
    let likeness = known.iter().map(|word| (strsim::jaro_winkler(written, word), *word));
    let alike = likeness.filter(|(alike, _)| *alike > ALIKE).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, word)| word);
    let same = || SAME.into_iter().filter(|(other, _)| *other == written).map(|(_, word)| word);
    alike.or_else(|| same().find_map(|word| known.iter().copied().find(|known| *known == word)))
}

pub(super) fn one_of(known: &[&str]) -> String {
    match known {
        [] => String::new(),
        [only] => format!("expected {only}"),
        [first @ .., last] => format!("expected {} or {last}", first.join(", ")),
    }
}

/// “Did you mean”, or everything that is expected.
pub(super) fn suggestion(written: &str, known: &[&str]) -> String {
    nearest(written, known).map_or_else(|| one_of(known), |word| format!("did you mean `{word}`?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_well_formed_stands_in_for_every_required_key() {
        let schema = crate::config::json_schema();
        let place = StandIns::NOWHERE..StandIns::NOWHERE;
        let mut seen = 0;
        for (name, definition) in schema["$defs"].as_object().unwrap() {
            for key in definition["required"].as_array().into_iter().flatten() {
                let property = &definition["properties"][key.as_str().unwrap()];
                let mut checker = Checker::new(&schema);
                let value = checker.stand_in(property, &place);
                assert!(checker.value(property, value, "x").is_some(), "{name}.{key}");
                assert!(checker.problems.is_empty(), "{name}.{key}: {:?}", checker.problems);
                seen += 1;
            }
        }
        assert!(seen > 20, "{seen}");
    }

    #[test]
    fn the_schema_uses_only_what_is_checked_here() {
        const CHECKED: [&str; 11] = [
            "$ref",
            "type",
            "properties",
            "required",
            "additionalProperties",
            "items",
            "enum",
            "const",
            "oneOf",
            "anyOf",
            "format",
        ];
        const SAYS_NOTHING: [&str; 5] = ["$schema", "$defs", "title", "description", "default"];
        fn walk(schema: &Schema, wrong: &mut Vec<String>) {
            let Some(keys) = schema.as_object() else { return };
            for (key, value) in keys {
                match key.as_str() {
                    "properties" | "$defs" => {
                        for schema in value.as_object().unwrap().values() {
                            walk(schema, wrong);
                        }
                    }
                    "oneOf" | "anyOf" => {
                        for schema in value.as_array().unwrap() {
                            walk(schema, wrong);
                        }
                    }
                    "items" | "additionalProperties" => walk(value, wrong),
                    key if CHECKED.contains(&key) || SAYS_NOTHING.contains(&key) => {}
                    other => wrong.push(other.to_owned()),
                }
            }
        }
        let mut wrong = Vec::new();
        walk(&crate::config::json_schema(), &mut wrong);
        assert!(wrong.is_empty(), "{wrong:?}");
    }
}
