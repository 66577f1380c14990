//! Checks the shape of a file against the schema: unknown keys, missing ones, values of another type. All at once,
//! each with its place.

use std::ops::Range;

use serde_json::Value as Schema;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::problem::Problem;

/// What is wrong with the shape of a table.
pub(super) fn check(schema: &Schema, table: &Spanned<DeTable<'_>>) -> Vec<Problem> {
    let mut checker = Checker { root: schema, problems: Vec::new() };
    checker.table(schema, table.get_ref(), table.span(), "");
    checker.problems
}

struct Checker<'s> {
    root: &'s Schema,
    problems: Vec<Problem>,
}

impl<'s> Checker<'s> {
    /// Follows a reference, and looks through “this or nothing”: a file has no null.
    fn resolve(&self, schema: &'s Schema) -> &'s Schema {
        if let Some(reference) = schema["$ref"].as_str() {
            let target = self.root.pointer(reference.trim_start_matches('#'));
            return target.map_or(schema, |target| self.resolve(target));
        }
        let choices = schema["anyOf"].as_array();
        match choices.and_then(|choices| choices.iter().find(|choice| choice["type"] != "null")) {
            Some(choice)
                if choices.is_some_and(|choices| choices.len() == 2 && choices.iter().any(|c| c["type"] == "null")) =>
            {
                self.resolve(choice)
            }
            _ => schema,
        }
    }

    fn table(&mut self, schema: &'s Schema, table: &DeTable<'_>, span: Range<usize>, path: &str) {
        let properties = schema["properties"].as_object();
        let others = schema.get("additionalProperties").filter(|others| others.is_object());
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let inside = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            if let Some(property) = properties.and_then(|properties| properties.get(name)) {
                self.value(property, value, &inside);
            } else if let Some(others) = others {
                self.value(others, value, &inside);
            } else {
                let known: Vec<&str> = properties.into_iter().flatten().map(|(key, _)| key.as_str()).collect();
                let place = if path.is_empty() { "the configuration".to_owned() } else { format!("[{path}]") };
                self.problems.push(Problem::error(
                    key.span(),
                    format!("{place} has no key `{name}`"),
                    suggestion(name, &known),
                ));
            }
        }
        for required in schema["required"].as_array().into_iter().flatten().filter_map(Schema::as_str) {
            if !table.keys().any(|key| key.get_ref() == required) {
                let place = if path.is_empty() { "the configuration".to_owned() } else { format!("[{path}]") };
                let what = properties.and_then(|properties| properties[required]["description"].as_str()).unwrap_or("");
                self.problems.push(Problem::error(
                    span.clone(),
                    format!("{place} lacks `{required}`"),
                    what.to_owned(),
                ));
            }
        }
    }

    fn value(&mut self, schema: &'s Schema, value: &Spanned<DeValue<'_>>, path: &str) {
        let resolved = self.resolve(schema);
        let options = resolved["oneOf"].as_array().or_else(|| resolved["anyOf"].as_array());
        if let Some(options) = options {
            return self.one_of(resolved, options, value, path);
        }
        match value.get_ref() {
            DeValue::Table(table) if is(resolved, "object") => self.table(resolved, table, value.span(), path),
            DeValue::Array(items) if is(resolved, "array") => {
                for item in items {
                    self.value(&resolved["items"], item, path);
                }
            }
            DeValue::String(text) if is(resolved, "string") && resolved["format"] != "date" => {
                let allowed: Vec<&str> =
                    resolved["enum"].as_array().into_iter().flatten().filter_map(Schema::as_str).collect();
                if !allowed.is_empty() && !allowed.contains(&text.as_ref()) {
                    self.problems.push(Problem::error(
                        value.span(),
                        format!("`{path}` cannot be “{text}”"),
                        suggestion(text, &allowed),
                    ));
                }
            }
            DeValue::Datetime(_) if resolved["format"] == "date" => {}
            DeValue::Integer(_) if is(resolved, "integer") || is(resolved, "number") => {}
            DeValue::Float(_) if is(resolved, "number") => {}
            DeValue::Boolean(_) if is(resolved, "boolean") => {}
            other => {
                let message = format!("`{path}` must be {}, not {}", expected(resolved), found(other));
                self.problems.push(Problem::error(value.span(), message, describe(schema, resolved)));
            }
        }
    }

    /// Words to choose from, or one table of several kinds.
    fn one_of(&mut self, schema: &'s Schema, options: &'s [Schema], value: &Spanned<DeValue<'_>>, path: &str) {
        let words: Vec<&str> = options
            .iter()
            .flat_map(|option| {
                option["const"]
                    .as_str()
                    .into_iter()
                    .chain(option["enum"].as_array().into_iter().flatten().filter_map(Schema::as_str))
            })
            .collect();
        match value.get_ref() {
            DeValue::String(text) if !words.is_empty() => {
                if !words.contains(&text.as_ref()) {
                    self.problems.push(Problem::error(
                        value.span(),
                        format!("`{path}` cannot be “{text}”"),
                        suggestion(text, &words),
                    ));
                }
            }
            DeValue::Table(table) if words.is_empty() => {
                let keys: Vec<&str> = options
                    .iter()
                    .filter_map(|o| o["properties"].as_object())
                    .flat_map(|p| p.keys().map(String::as_str))
                    .collect();
                let chosen = options
                    .iter()
                    .find(|o| table.keys().any(|key| o["properties"].get(key.get_ref().as_ref()).is_some()));
                match chosen {
                    Some(option) => self.table(option, table, value.span(), path),
                    None => self.problems.push(Problem::error(
                        value.span(),
                        format!("`{path}` needs one of: {}", keys.join(", ")),
                        describe(schema, schema),
                    )),
                }
            }
            other => {
                let message = format!("`{path}` cannot be {}", found(other));
                let help =
                    if words.is_empty() { describe(schema, schema) } else { format!("one of: {}", words.join(", ")) };
                self.problems.push(Problem::error(value.span(), message, help));
            }
        }
    }
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
        return "a date such as 2027-03-31, without quotes";
    }
    [
        ("object", "a table"),
        ("array", "a list"),
        ("string", "a text"),
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
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// “Did you mean”, and everything that could have been meant.
pub(super) fn suggestion(written: &str, known: &[&str]) -> String {
    let nearest =
        known.iter().map(|word| (strsim::jaro_winkler(written, word), *word)).max_by(|a, b| a.0.total_cmp(&b.0));
    let all = format!("known: {}", known.join(", "));
    match nearest {
        Some((likeness, word)) if likeness > 0.8 => format!("did you mean `{word}`? ({all})"),
        _ => all,
    }
}
