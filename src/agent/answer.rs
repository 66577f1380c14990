//! What leaves for a model.

use serde::Serialize;
use serde_json::Value;

use crate::model::plain::plain;

/// Characters of one text of an answer. Names are shorter; a sentence that quotes the API may not be.
const TEXT: usize = 2_000;

/// Makes every text of an answer one line of bounded length that shows what it is: no control characters, nothing that
/// turns the text around it.
pub(super) fn tidy(answer: &mut Value) {
    match answer {
        Value::String(text) => *text = plain(text, TEXT),
        Value::Array(all) => all.iter_mut().for_each(tidy),
        Value::Object(fields) => fields.values_mut().for_each(tidy),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The bytes that a value takes when it leaves.
pub(super) fn size(value: &impl Serialize) -> usize {
    let Ok(mut value) = serde_json::to_value(value) else { return 0 };
    tidy(&mut value);
    value.to_string().len()
}
