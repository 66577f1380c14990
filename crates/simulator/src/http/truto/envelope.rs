//! Truto's envelopes around the vendor's answers.

use serde_json::{Value, json};

use super::{Answer, Shared, rows};
use crate::faults::Fault;

/// An error of Truto's own.
pub(super) fn own(status: u16, error: &str, message: &str) -> Answer {
    Answer::json(status, &json!({"statusCode": status, "error": error, "message": message}))
}

/// An error of the vendor's, passed on.
pub(super) fn remote(answer: &Answer, shared: &Shared) -> Answer {
    let raw: Value = serde_json::from_str(&answer.body).unwrap_or_else(|_| json!(answer.body));
    let details = shared.faults.is_on(Fault::TrutoErrorDetails);
    let mut body = json!({
        "statusCode": answer.status, "error": reason(answer.status), "message": raw["message"].as_str().unwrap_or(""),
        "truto_is_remote_error": true,
    });
    body[if details { "details" } else { "raw_response" }] = raw;
    Answer { headers: answer.headers.clone(), ..Answer::json(answer.status, &body) }
}

pub(super) fn missing_scope(resource: &str, shared: &Shared) -> Answer {
    let scope = format!("ZohoBigin.{resource}.READ");
    let refused = Answer { status: 403, ..Answer::scope_mismatch() };
    let mut answer = remote(&refused, shared);
    let mut body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    body["truto_error_insight"] =
        json!({"forbidden_error": {"description": "missing scopes", "value": {"missing_scopes": [scope]}}});
    answer.body = body.to_string();
    answer
}

fn reason(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        429 => "Too Many Requests",
        502 => "Bad Gateway",
        _ => "Internal Server Error",
    }
}

/// The page that a cursor stands for.
pub(super) fn page_of(cursor: &str) -> Option<usize> {
    cursor.strip_prefix("CUR/")?.split('+').next()?.parse().ok().filter(|page| *page > 1)
}

fn cursor(page: usize) -> String {
    format!("CUR/{page}+==")
}

/// A page without rows, whose cursor leads to the rows that it left out.
pub(super) fn empty_page(page: usize) -> Answer {
    Answer::json(200, &json!({"result": [], "next_cursor": format!("CUR/{page}+=")}))
}

/// A list: the vendor's rows, and the cursor of the page after `page` if there is one.
pub(super) fn list(answer: &Answer, page: Option<usize>, shared: &Shared) -> Answer {
    let faults = &shared.faults;
    if answer.status >= 400 {
        return remote(answer, shared);
    }
    let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let rows = rows(answer);
    let next = page.filter(|_| body["info"]["more_records"] == true).map(|page| match page {
        2 if faults.is_on(Fault::TrutoCursorRepeats) => cursor(2),
        page => cursor(page + 1),
    });
    let name = if faults.is_on(Fault::TrutoResultsEnvelope) { "results" } else { "result" };
    let mut envelope = json!({"next_cursor": next, "prev_cursor": null, "result_count": rows.len()});
    if !faults.is_on(Fault::TrutoNoResult) {
        envelope[name] = Value::Array(rows);
    }
    let is_listing = page == Some(1);
    if is_listing && (faults.is_on(Fault::TrutoPartialAlways) || faults.once(Fault::TrutoPartialOnce)) {
        envelope["is_partial_response"] = json!(true);
    }
    Answer::json(200, &envelope)
}

/// One record, in the requested shape: as it is, as the vendor wraps it, or in a `result`.
pub(super) fn single(answer: Answer, shared: &Shared) -> Answer {
    let faults = &shared.faults;
    if answer.status == 204 {
        return remote(&Answer::error(404, "INVALID_DATA", &json!({}), "no such record"), shared);
    }
    if answer.status >= 400 {
        return remote(&answer, shared);
    }
    if faults.is_on(Fault::TrutoGetVerbatim) {
        return answer;
    }
    let record = rows(&answer).into_iter().next().unwrap_or_default();
    let body = if faults.is_on(Fault::TrutoGetResult) { json!({"result": record}) } else { record };
    Answer::json(200, &body)
}

/// The result of a deletion.
pub(super) fn deleted(answer: Answer, id: &str, shared: &Shared) -> Answer {
    let faults = &shared.faults;
    match answer.status {
        204 => remote(&Answer::error(404, "INVALID_DATA", &json!({}), "no such user"), shared),
        200 if faults.is_on(Fault::TrutoDeleteVerbatim) => answer,
        200 if faults.is_on(Fault::TrutoDeleteNothing) => Answer::nothing(),
        200 => Answer::json(200, &json!({"id": id})),
        _ => remote(&answer, shared),
    }
}
