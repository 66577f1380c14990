//! The one call that changes something: a user is deleted.

use serde_json::Value;

use crate::{
    connector::{
        bigin::removal,
        contract::Removal,
        error::Cause,
        kit::{Call, escaped},
    },
    model::id::UserId,
};

/// The scope of deleting users, which no audit needs.
pub(super) const DELETE_SCOPE: &str = "ZohoBigin.users.DELETE";

/// The call that deletes a user.
pub(super) fn call(id: &UserId) -> Call {
    Call::delete(format!("users/{}", escaped(id.as_str()))).scope(DELETE_SCOPE)
}

/// What an answer of success says. Zoho's refusals may come with success as their status.
pub(super) fn judge(body: &[u8]) -> Result<Removal, Cause> {
    if body.is_empty() {
        return Ok(Removal::Accepted);
    }
    let Ok(answer) = serde_json::from_slice::<Value>(body) else {
        return Ok(Removal::Unknown(removal::NOT_JSON.to_owned()));
    };
    removal::verdict(&answer).unwrap_or_else(|| Ok(Removal::Unknown(removal::NEITHER.to_owned())))
}
