//! What Bigin's words say of a deletion, whichever way they come.

use serde_json::Value;

use crate::connector::{
    contract::Removal,
    error::Cause,
    kit::{NO_CODE, NO_MESSAGE, clean},
};

/// The vendor's code for a user who no longer exists.
pub(in crate::connector) const ALREADY_DELETED: &str = "ID_ALREADY_DELETED";
/// An answer of success that is not JSON.
pub(in crate::connector) const NOT_JSON: &str = "an answer that is not JSON";
/// An answer of success in the API's form that does not say what was done.
pub(in crate::connector) const NEITHER: &str = "an answer that says neither success nor error";

/// What a successful answer to a deletion says; it may still contain a refusal. `None` if the answer is
/// in other words.
pub(in crate::connector) fn verdict(answer: &Value) -> Option<Result<Removal, Cause>> {
    // A result for one record is in a list of records; one for the whole request is not.
    let record = answer.get("users").map_or(answer, |users| &users[0]);
    let word = |key: &str| record[key].as_str();
    match (word("code"), word("status")) {
        (Some(ALREADY_DELETED), _) => Some(Ok(Removal::AlreadyGone)),
        (Some("SUCCESS"), _) | (_, Some("success")) => Some(Ok(Removal::Accepted)),
        (code, Some("error")) => Some(Err(Cause::Refused {
            status: 200,
            code: clean(code.unwrap_or(NO_CODE), 60),
            message: clean(word("message").unwrap_or(NO_MESSAGE), 200),
        })),
        _ if answer.get("users").is_some() => Some(Ok(Removal::Unknown(NEITHER.to_owned()))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn success_refusal_and_neither_are_distinguished() {
        let refused = json!({"users": [{"code": "INVALID_REQUEST", "status": "error", "message": "Primary contact"}]});
        assert!(matches!(verdict(&refused), Some(Err(Cause::Refused { code, .. })) if code == "INVALID_REQUEST"));
        let refused = json!({"code": "INTERNAL_ERROR", "status": "error"});
        assert!(matches!(verdict(&refused), Some(Err(Cause::Refused { .. }))));
        let done = json!({"users": [{"code": "SUCCESS", "status": "success"}]});
        assert_eq!(verdict(&done), Some(Ok(Removal::Accepted)));
        let gone = json!({"users": [{"code": ALREADY_DELETED, "status": "error"}]});
        assert_eq!(verdict(&gone), Some(Ok(Removal::AlreadyGone)));
        assert!(matches!(verdict(&json!({"users": []})), Some(Ok(Removal::Unknown(_)))));
        assert_eq!(verdict(&json!({"id": "7"})), None);
    }
}
