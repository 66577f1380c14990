//! What a token reaches, found by calls that change nothing: one for each scope, and what the token answer says.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    LOOK_UP, ORG_SCOPE, PROFILES_SCOPE, ROLES_SCOPE, USERS_SCOPE, ZohoBigin,
    api::{Call, parse},
    remove::DELETE_SCOPE,
};
use crate::{
    connector::{ConnectorError, Exchange, Recorder, http::Account},
    model::{
        directory::Source,
        survey::{Grant, GrantState, Purpose, Survey},
    },
};

/// The scope of the list of modules, which no audit needs.
const MODULES_SCOPE: &str = "ZohoBigin.settings.modules.READ";
/// What an audit needs, and no more.
const NEEDED: [&str; 4] = [USERS_SCOPE, ROLES_SCOPE, PROFILES_SCOPE, ORG_SCOPE];

/// Notes what answers tell beside their bodies.
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
    /// How far the server's clock is ahead, and the calls that are left.
    pub(in crate::connector) fn noted(&self) -> (Option<TimeDelta>, Option<u64>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) async fn survey(connector: &ZohoBigin) -> Result<Survey, ConnectorError> {
    let aside = Arc::new(Aside::default());
    let account = Account::new(LOOK_UP).recorded_by(Some(Arc::clone(&aside) as Arc<dyn Recorder>));
    let token = connector.api.token(&account).await?;
    let modules = Call::new("settings/modules", MODULES_SCOPE);
    let any = |body: &[u8]| parse::<serde::de::IgnoredAny>(body, "modules");
    let (user, organization, roles, profiles, modules) = tokio::join!(
        connector.current_user_of(&account),
        connector.organization_of(&account),
        connector.roles(&account),
        connector.profile_list(&account),
        connector.api.get(&modules, &account, any),
    );
    let mut grants = Vec::new();
    let mut grant = |name: &str, purpose, state| grants.push(Grant { name: name.to_owned(), purpose, state });
    let (current_user, state) = reached(user)?;
    grant(USERS_SCOPE, Purpose::Audit, state);
    let (roles, state) = reached(roles)?;
    grant(ROLES_SCOPE, Purpose::Audit, state);
    let (profiles, state) = reached(profiles)?;
    grant(PROFILES_SCOPE, Purpose::Audit, state);
    let (organization, state) = reached(organization)?;
    grant(ORG_SCOPE, Purpose::Audit, state);
    grant(DELETE_SCOPE, Purpose::Offboarding, deletion(token.scopes.as_deref()));
    let (_, state) = reached(modules)?;
    grant(MODULES_SCOPE, Purpose::Nothing, state);
    let beyond =
        |scope: &&String| !NEEDED.contains(&scope.as_str()) && ![DELETE_SCOPE, MODULES_SCOPE].contains(&scope.as_str());
    for scope in token.scopes.iter().flatten().filter(beyond) {
        grant(scope, Purpose::Nothing, GrantState::Granted);
    }
    let (clock_ahead, credits_left) = aside.noted();
    Ok(Survey {
        source: Source {
            connector: "zoho_bigin",
            api_url: token.api,
            data_center: Some(connector.api.settings.data_center.to_string()),
            scopes: token.scopes,
        },
        organization,
        current_user,
        roles,
        profiles,
        grants,
        clock_ahead,
        credits_left,
        obstacles: Vec::new(),
    })
}

/// What a call shows of a grant. That the token is not accepted at all, or nobody answers, is no matter of one grant.
pub(in crate::connector) fn reached<T>(
    answer: Result<T, ConnectorError>,
) -> Result<(Option<T>, GrantState), ConnectorError> {
    match answer {
        Ok(value) => Ok((Some(value), GrantState::Granted)),
        Err(error @ (ConnectorError::MissingScope { .. } | ConnectorError::MissingRight { .. })) => {
            Ok((None, GrantState::Lacking(error.to_string())))
        }
        Err(
            error @ (ConnectorError::Refused { .. } | ConnectorError::Shape { .. } | ConnectorError::TooLarge { .. }),
        ) => Ok((None, GrantState::Unknown(error.to_string()))),
        Err(error) => Err(error),
    }
}

/// Whether the token may delete users. Only its own answer tells: a deletion is not tried to find out.
fn deletion(scopes: Option<&[String]>) -> GrantState {
    let Some(scopes) = scopes else {
        return GrantState::Unknown(
            "the token answer names no scopes, and a deletion is not tried to find out".to_owned(),
        );
    };
    if scopes.iter().any(|scope| scope == DELETE_SCOPE || scope == "ZohoBigin.users.ALL") {
        return GrantState::Granted;
    }
    GrantState::Lacking(format!("the token answer names neither {DELETE_SCOPE} nor ZohoBigin.users.ALL"))
}
