//! The one call that changes something: a user is deleted.

use serde_json::Value;

use super::{
    LOOK_UP, ZohoBigin,
    api::{Call, Meaning},
};
use crate::{
    connector::{
        ConnectorError, Removal,
        bigin::removal::{self, ALREADY_DELETED},
        http::{Account, CallError, wait},
    },
    model::id::UserId,
};

/// The scope of deleting users, which no audit needs.
pub(super) const DELETE_SCOPE: &str = "ZohoBigin.users.DELETE";

/// The call that deletes a user.
pub(super) fn call(id: &UserId) -> Call {
    let escaped: String = url::form_urlencoded::byte_serialize(id.as_str().as_bytes()).collect();
    Call::delete(format!("users/{escaped}"), DELETE_SCOPE)
}

pub(super) async fn remove(connector: &ZohoBigin, id: &UserId) -> Result<Removal, ConnectorError> {
    let (api, call, account) = (&connector.api, call(id), Account::new(LOOK_UP));
    let (mut attempt, mut refused) = (1, None);
    loop {
        let (token, answer) = api.once(&call, &account, refused).await?;
        let mut asked = None;
        let what = match answer.map(|answer| api.meaning(&call, answer, &mut asked)) {
            Ok(Meaning::Done(body)) => return judge(&call, body.as_deref().unwrap_or_default()),
            Ok(Meaning::StaleToken(code)) if refused.is_some() => return Err(api.refused(&call, code)),
            Ok(Meaning::StaleToken(_)) => {
                refused = Some(token);
                continue;
            }
            Ok(Meaning::Limited(what)) => what,
            Ok(Meaning::Final(ConnectorError::Refused { code, .. })) if code == ALREADY_DELETED => {
                return Ok(Removal::AlreadyGone);
            }
            Ok(Meaning::Final(error)) => return Err(error),
            Ok(Meaning::Illegible(error)) => return Ok(Removal::Unknown(error.to_string())),
            Ok(Meaning::Failed(what)) | Err(CallError::Broken(what)) => return Ok(Removal::Unknown(what)),
            Err(CallError::TooLarge(limit)) => {
                return Ok(Removal::Unknown(format!("an answer of more than {limit} bytes")));
            }
            // Whoever redirects may have passed the wish on before.
            Err(CallError::Redirect(status)) => return Ok(Removal::Unknown(format!("a redirect, HTTP {status}"))),
        };
        // Only a limit: the API did nothing.
        let limits = api.limits();
        if attempt >= limits.attempts {
            return Err(ConnectorError::Unavailable { call: call.name(), attempts: attempt, what });
        }
        let backoff = wait::backoff(limits.backoff, limits.backoff_cap, attempt, rand::random());
        let pause = asked.unwrap_or(backoff);
        if pause >= account.left() {
            return Err(ConnectorError::RateLimited { call: call.name(), wait: pause, left: account.left() });
        }
        attempt += 1;
        tokio::time::sleep(pause).await;
    }
}

/// What an answer of success says. The vendor's refusals may come with success as their status.
fn judge(call: &Call, body: &[u8]) -> Result<Removal, ConnectorError> {
    if body.is_empty() {
        return Ok(Removal::Accepted);
    }
    let Ok(answer) = serde_json::from_slice::<Value>(body) else {
        return Ok(Removal::Unknown("an answer that is no JSON".to_owned()));
    };
    let untold = || Ok(Removal::Unknown("an answer that says neither success nor error".to_owned()));
    removal::verdict(&call.name(), &answer).unwrap_or_else(untold)
}
