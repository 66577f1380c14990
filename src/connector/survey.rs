//! What a call tells of credentials, whoever passes it on.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::{ConnectorError, Exchange, Recorder};
use crate::model::survey::GrantState;

/// Notes what answers tell beside their bodies.
#[derive(Debug, Default)]
pub(super) struct Aside(Mutex<(Option<TimeDelta>, Option<u64>)>);

impl Recorder for Aside {
    fn answered(&self, exchange: &Exchange) {
        let header =
            |name: &str| exchange.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(date) = header("date").and_then(|date| DateTime::parse_from_rfc2822(date).ok()) {
            // The server wrote it somewhere between question and answer.
            let middle = exchange.asked_at + (exchange.answered_at - exchange.asked_at) / 2;
            noted.0 = Some(TimeDelta::seconds((date.with_timezone(&Utc) - middle).num_seconds()));
        }
        noted.1 = header("x-api-credits-remaining").and_then(|left| left.parse().ok()).or(noted.1);
    }
}

impl Aside {
    /// How far the server's clock is ahead, and the calls that are left.
    pub(super) fn noted(&self) -> (Option<TimeDelta>, Option<u64>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a call shows of a grant. That the token is not accepted at all, or nobody answers, is no matter of one grant.
pub(super) fn reached<T>(answer: Result<T, ConnectorError>) -> Result<(Option<T>, GrantState), ConnectorError> {
    match answer {
        Ok(value) => Ok((Some(value), GrantState::Granted)),
        Err(
            error @ (ConnectorError::MissingScope { .. }
            | ConnectorError::MissingRight { .. }
            | ConnectorError::TrutoScopes { .. }
            | ConnectorError::TrutoUnknown { .. }),
        ) => Ok((None, GrantState::Lacking(error.to_string()))),
        Err(
            error @ (ConnectorError::Refused { .. } | ConnectorError::Shape { .. } | ConnectorError::TooLarge { .. }),
        ) => Ok((None, GrantState::Unknown(error.to_string()))),
        Err(error) => Err(error),
    }
}
