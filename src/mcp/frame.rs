//! Messages before the protocol reads them: what is not a message is answered as JSON-RPC asks for, and not passed over.

use serde_json::{Value, json};

/// It is not JSON.
const PARSE_ERROR: i32 = -32700;
/// It is JSON, but not a message.
const INVALID_REQUEST: i32 = -32600;
/// A call's parameters have the wrong type.
const INVALID_PARAMS: i32 = -32602;

/// A message that the protocol can read, or the answer to one that it cannot.
pub(super) fn read(bytes: &[u8]) -> Result<Value, Value> {
    let message: Value = serde_json::from_slice(bytes)
        .map_err(|error| refusal(&Value::Null, PARSE_ERROR, &format!("not JSON: {error}")))?;
    if !message.is_object() {
        return Err(refusal(&Value::Null, INVALID_REQUEST, "expected one JSON object"));
    }
    let id = &message["id"];
    if let Some(problem) = problem(&message) {
        return Err(refusal(id, INVALID_REQUEST, problem));
    }
    if message["method"] == "tools/call" {
        let params = message.get("params").and_then(Value::as_object);
        let params = params.ok_or_else(|| refusal(id, INVALID_PARAMS, "`params`: expected an object"))?;
        if !params.get("name").is_some_and(Value::is_string) {
            return Err(refusal(id, INVALID_PARAMS, "`name`: expected the name of a tool"));
        }
        if params.get("arguments").is_some_and(|arguments| !arguments.is_object() && !arguments.is_null()) {
            return Err(refusal(id, INVALID_PARAMS, "`arguments`: expected an object"));
        }
    }
    Ok(message)
}

/// What keeps an object from being a request, a notification or an answer of JSON-RPC 2.0; `None` if it is one.
fn problem(message: &Value) -> Option<&'static str> {
    let id = &message["id"];
    if message["jsonrpc"] != "2.0" {
        return Some("`jsonrpc`: expected \"2.0\"");
    }
    match message.get("method") {
        Some(method) if !method.is_string() => Some("`method`: expected the name of a method"),
        None if message.get("result").is_none() && message.get("error").is_none() => Some("`method` is missing"),
        Some(_) if message.get("id").is_some() && !id.is_string() && !id.is_number() => {
            Some("`id`: expected a text or a number")
        }
        _ => None,
    }
}

/// The answer to a line of more bytes than a message may have.
pub(super) fn too_long(most: u64) -> Value {
    refusal(&Value::Null, INVALID_REQUEST, &format!("longer than {most} bytes"))
}

fn refusal(id: &Value, code: i32, message: &str) -> Value {
    let id = if id.is_string() || id.is_number() { id } else { &Value::Null };
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_message_is_answered_with_its_code() {
        let call = |params: &str| format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{params}}}"#);
        for (text, code, id) in [
            (r#"{"jsonrpc":"2.0","id":1,"meth"#.to_owned(), PARSE_ERROR, Value::Null),
            ("hello".to_owned(), PARSE_ERROR, Value::Null),
            (String::new(), PARSE_ERROR, Value::Null),
            ("\"text\"".to_owned(), INVALID_REQUEST, Value::Null),
            ("[]".to_owned(), INVALID_REQUEST, Value::Null),
            (r#"{"jsonrpc":"2.0","id":1}"#.to_owned(), INVALID_REQUEST, json!(1)),
            (r#"{"jsonrpc":"2.0","id":1,"method":5}"#.to_owned(), INVALID_REQUEST, json!(1)),
            (r#"{"jsonrpc":"1.0","id":"a","method":"ping"}"#.to_owned(), INVALID_REQUEST, json!("a")),
            (r#"{"id":1,"method":"ping"}"#.to_owned(), INVALID_REQUEST, json!(1)),
            (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#.to_owned(), INVALID_REQUEST, Value::Null),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#.to_owned(), INVALID_REQUEST, Value::Null),
            (call("[]"), INVALID_PARAMS, json!(7)),
            (call("{}"), INVALID_PARAMS, json!(7)),
            (call(r#"{"name":"me","arguments":"text"}"#), INVALID_PARAMS, json!(7)),
            (call(r#"{"name":"me","arguments":[1]}"#), INVALID_PARAMS, json!(7)),
            (call(r#"{"name":1,"arguments":{}}"#), INVALID_PARAMS, json!(7)),
        ] {
            let answer = read(text.as_bytes()).unwrap_err();
            assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), &id), "{text}");
        }
        for good in [
            call(r#"{"name":"me"}"#),
            call(r#"{"name":"me","arguments":null}"#),
            r#"{"jsonrpc":"2.0","id":"a","method":"ping"}"#.to_owned(),
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#.to_owned(),
            r#"{"jsonrpc":"2.0","id":1,"result":{}}"#.to_owned(),
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no"}}"#.to_owned(),
        ] {
            assert!(read(good.as_bytes()).is_ok(), "{good}");
        }
        assert!(read(b"\xff").is_err());
    }
}
