//! What a token reaches, found by calls that change nothing: one for each scope, and what the token answer says.

use std::sync::Arc;

use super::{LOOK_UP, ORG_SCOPE, PROFILES_SCOPE, ROLES_SCOPE, USERS_SCOPE, ZohoBigin, api::Call, remove::DELETE_SCOPE};
use crate::{
    connector::{
        ConnectorError, Recorder,
        bigin::parse::parse,
        http::Account,
        survey::{Aside, reached},
    },
    model::{
        directory::Source,
        kind::ConnectorKind,
        survey::{Grant, GrantState, Purpose, Survey},
    },
};

/// The scope of the list of modules, which no audit needs.
const MODULES_SCOPE: &str = "ZohoBigin.settings.modules.READ";
/// What an audit needs, and no more.
const NEEDED: [&str; 4] = [USERS_SCOPE, ROLES_SCOPE, PROFILES_SCOPE, ORG_SCOPE];

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
    // A refusal of another kind tells nothing of the scope; the token's own answer may.
    let state = match (state, token.scopes.as_deref()) {
        (GrantState::Unknown(_), Some(scopes)) if !scopes.iter().any(|scope| reaches_modules(scope)) => {
            GrantState::Lacking("the token answer names no scope of the list of modules".to_owned())
        }
        (state, _) => state,
    };
    grant(MODULES_SCOPE, Purpose::Nothing, state);
    let beyond =
        |scope: &&String| !NEEDED.contains(&scope.as_str()) && ![DELETE_SCOPE, MODULES_SCOPE].contains(&scope.as_str());
    for scope in token.scopes.iter().flatten().filter(beyond) {
        grant(scope, Purpose::Nothing, GrantState::Granted);
    }
    if token.scopes.is_none() {
        let why = "the token answer names no scopes".to_owned();
        grant("other scopes", Purpose::Nothing, GrantState::Unknown(why));
    }
    let (clock_ahead, credits_left) = aside.noted();
    Ok(Survey {
        source: Source {
            connector: ConnectorKind::ZohoBigin,
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

/// Whether a scope opens the list of modules.
fn reaches_modules(scope: &str) -> bool {
    scope.starts_with("ZohoBigin.settings.modules.")
        || ["ZohoBigin.settings.ALL", "ZohoBigin.settings.READ"].contains(&scope)
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
