//! What calls that change nothing show of credentials.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::account::{Account, LOOK_UP};
use crate::{
    connector::{
        contract::{Exchange, Recorder},
        error::{Cause, ConnectorError},
    },
    model::survey::{Grant, GrantState, Purpose},
};

/// Records what answers say outside their bodies.
#[derive(Debug, Default)]
pub(in crate::connector) struct Aside(Mutex<(Option<TimeDelta>, Option<u64>)>);

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
    /// Notes the answers of a survey, and the account that its calls are made on.
    pub(in crate::connector) fn begin() -> (Arc<Self>, Account) {
        let aside = Arc::new(Self::default());
        let account = Account::new(LOOK_UP).recorded_by(Some(Arc::clone(&aside) as Arc<dyn Recorder>));
        (aside, account)
    }

    /// How far the server's clock is ahead, and the calls that are left.
    pub(in crate::connector) fn noted(&self) -> (Option<TimeDelta>, Option<u64>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Grants as a survey collects them.
#[derive(Debug, Default)]
pub(in crate::connector) struct Grants(Vec<Grant>);

impl Grants {
    /// Adds a grant.
    pub(in crate::connector) fn add(&mut self, name: &str, purpose: Purpose, state: GrantState) {
        self.0.push(Grant { name: name.to_owned(), purpose, state });
    }

    /// Adds a grant that an audit needs, by the answer to a call that needs it; what it answered.
    ///
    /// # Errors
    /// If the credentials are not accepted at all, or the API does not answer: that concerns every grant.
    pub(in crate::connector) fn needed<T>(
        &mut self,
        name: &str,
        answer: Result<T, ConnectorError>,
    ) -> Result<Option<T>, ConnectorError> {
        let (value, state) = reached(answer)?;
        self.add(name, Purpose::Audit, state);
        Ok(value)
    }

    pub(in crate::connector) fn into_vec(self) -> Vec<Grant> {
        self.0
    }
}

/// What a call shows of the grant that it needs.
///
/// # Errors
/// As for [`Grants::needed`].
pub(in crate::connector) fn reached<T>(
    answer: Result<T, ConnectorError>,
) -> Result<(Option<T>, GrantState), ConnectorError> {
    let error = match answer {
        Ok(value) => return Ok((Some(value), GrantState::Granted)),
        Err(error) => error,
    };
    match &error.cause {
        Cause::MissingScope { .. } | Cause::MissingRight(_) | Cause::NotFound(_) => {
            Ok((None, GrantState::Lacking(error.to_string())))
        }
        Cause::Refused { .. } | Cause::InvalidAnswer { .. } | Cause::DamagedAnswer(_) | Cause::TooLarge(_) => {
            Ok((None, GrantState::Unknown(error.to_string())))
        }
        _ => Err(error),
    }
}
