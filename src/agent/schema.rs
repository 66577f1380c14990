//! JSON Schemas that every framework accepts: in one piece, without keywords that only some support.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value};

/// The formats that JSON Schema defines (2020-12, section 7.3). schemars also writes others, such as `uint32`.
const FORMATS: [&str; 5] = ["date", "date-time", "email", "uri", "uuid"];

/// The schema of arguments. It does not say that an optional argument may be null, because not every framework supports
/// several types for one property.
pub(super) fn input<T: JsonSchema>() -> Map<String, Value> {
    let mut schema = of::<T>(SchemaSettings::draft2020_12().for_deserialize());
    for property in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flat_map(Map::values_mut) {
        if let Some(kind) = property.get_mut("type")
            && let Some([only, Value::String(null)]) = kind.as_array().map(Vec::as_slice)
            && null == "null"
        {
            *kind = only.clone();
        }
    }
    schema
}

/// The schema of an answer.
pub(super) fn output<T: JsonSchema>() -> Map<String, Value> {
    of::<T>(SchemaSettings::draft2020_12().for_serialize())
}

fn of<T: JsonSchema>(settings: SchemaSettings) -> Map<String, Value> {
    let settings = settings.with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let mut schema = schema.as_object().cloned().unwrap_or_default();
    // The name and description of the Rust type are of no use to a model.
    for word in ["title", "description"] {
        schema.remove(word);
    }
    // Some frameworks want them for a tool without arguments, too.
    schema.entry("properties").or_insert_with(|| Value::Object(Map::new()));
    schema.values_mut().for_each(plainly);
    schema
}

/// Removes formats that not every framework supports, and line breaks in descriptions.
fn plainly(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields.get("format").and_then(Value::as_str).is_some_and(|format| !FORMATS.contains(&format)) {
                fields.remove("format");
            }
            if let Some(Value::String(text)) = fields.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            fields.values_mut().for_each(plainly);
        }
        Value::Array(all) => all.iter_mut().for_each(plainly),
        _ => {}
    }
}

/// How deep the schema of an answer goes in [`outline`].
const DEPTH: usize = 2;

/// The same schema of an answer without what a model does not need before it calls a tool: descriptions, bounds, formats,
/// what is required below the top, and the properties of objects inside objects of a list. Whatever the whole schema
/// accepts, the outline accepts.
pub(crate) fn outline(schema: &Map<String, Value>) -> Map<String, Value> {
    outline_at(schema, 0)
}

fn outline_at(schema: &Map<String, Value>, depth: usize) -> Map<String, Value> {
    let deeper = |value: &Value, depth: usize| match value {
        Value::Object(schema) => Value::Object(outline_at(schema, depth)),
        other => other.clone(),
    };
    let mut out = Map::new();
    for (word, value) in schema {
        let kept = match (word.as_str(), value) {
            ("description" | "minimum" | "format", _) => continue,
            ("required", _) if depth > 0 => continue,
            ("properties", _) if depth >= DEPTH => continue,
            ("properties", Value::Object(all)) => {
                all.iter().map(|(name, property)| (name.clone(), deeper(property, depth + 1))).collect()
            }
            (_, Value::Array(all)) => all.iter().map(|one| deeper(one, depth)).collect(),
            (_, value) => deeper(value, depth),
        };
        out.insert(word.clone(), kept);
    }
    out
}

/// Checks that arguments are within the bounds of their schema; their types are checked when they are parsed.
pub(super) fn holds(schema: &Map<String, Value>, arguments: &Value) -> Result<(), String> {
    let Some(arguments) = arguments.as_object() else { return Err("expected a JSON object".to_owned()) };
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        match arguments.get(name) {
            Some(Value::Array(all)) => {
                let most = property["maxItems"].as_u64().unwrap_or(u64::MAX);
                if all.len() as u64 > most {
                    return Err(format!("`{name}`: there are {}, and {most} is the most", all.len()));
                }
                all.iter().try_for_each(|item| within(name, &property["items"], item))?;
            }
            Some(value) => within(name, property, value)?,
            None => {}
        }
    }
    Ok(())
}

/// Whether a text or a number is within its bounds.
fn within(name: &str, bounds: &Value, value: &Value) -> Result<(), String> {
    let (size, least, most, what) = match value {
        Value::String(text) => (Some(text.chars().count() as u64), "minLength", "maxLength", "a length of "),
        Value::Number(number) => (number.as_u64(), "minimum", "maximum", ""),
        _ => return Ok(()),
    };
    let (least, most) = (bounds[least].as_u64().unwrap_or(0), bounds[most].as_u64().unwrap_or(u64::MAX));
    match size {
        Some(size) if size < least => Err(format!("`{name}`: {what}{size} is less than {least}")),
        Some(size) if size > most => Err(format!("`{name}`: {what}{size} is more than {most}")),
        _ => Ok(()),
    }
}
