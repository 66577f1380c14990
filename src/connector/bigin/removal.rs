//! What the vendor's words say of a deletion, whoever passes them on.

use serde_json::Value;

use super::parse::clean;
use crate::connector::{ConnectorError, Removal};

/// The vendor's word for a user who is gone already.
pub(in crate::connector) const ALREADY_DELETED: &str = "ID_ALREADY_DELETED";

/// What the vendor says of a deletion in an answer of success, where refusals may stand, too; none where the answer is
/// in somebody else's words.
pub(in crate::connector) fn verdict(call: &str, answer: &Value) -> Option<Result<Removal, ConnectorError>> {
    // Of one record it speaks in a list of records; of the whole request, by itself.
    let record = answer.get("users").map_or(answer, |users| &users[0]);
    let word = |key: &str| record[key].as_str();
    match (word("code"), word("status")) {
        (Some(ALREADY_DELETED), _) => Some(Ok(Removal::AlreadyGone)),
        (Some("SUCCESS"), _) | (_, Some("success")) => Some(Ok(Removal::Accepted)),
        (code, Some("error")) => Some(Err(ConnectorError::Refused {
            call: call.to_owned(),
            status: 200,
            code: clean(code.unwrap_or("without a code"), 60),
            message: clean(word("message").unwrap_or("without a message"), 200),
        })),
        _ if answer.get("users").is_some() => {
            Some(Ok(Removal::Unknown("an answer that says neither success nor error".to_owned())))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn success_refusal_and_neither_are_told_apart() {
        let refused = json!({"users": [{"code": "INVALID_REQUEST", "status": "error", "message": "Primary contact"}]});
        assert!(
            matches!(verdict("call", &refused), Some(Err(ConnectorError::Refused { code, .. })) if code == "INVALID_REQUEST")
        );
        let refused = json!({"code": "INTERNAL_ERROR", "status": "error"});
        assert!(matches!(verdict("call", &refused), Some(Err(ConnectorError::Refused { .. }))));
        let done = json!({"users": [{"code": "SUCCESS", "status": "success"}]});
        assert_eq!(verdict("call", &done), Some(Ok(Removal::Accepted)));
        let gone = json!({"users": [{"code": ALREADY_DELETED, "status": "error"}]});
        assert_eq!(verdict("call", &gone), Some(Ok(Removal::AlreadyGone)));
        assert!(matches!(verdict("call", &json!({"users": []})), Some(Ok(Removal::Unknown(_)))));
        assert_eq!(verdict("call", &json!({"id": "7"})), None);
    }
}
