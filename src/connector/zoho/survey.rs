//! What a token reaches, found by calls that change nothing: one for each scope, and what the token answer says.

use super::{
    remove::DELETE_SCOPE,
    workspace::{ORG_SCOPE, PROFILES_SCOPE, ROLES_SCOPE, USERS_SCOPE, ZohoBigin},
};
use crate::{
    connector::{
        error::ConnectorError,
        kit::{Aside, Call, Grants, parse, reached},
    },
    model::survey::{GrantState, Purpose, Survey},
};

/// The scope of the list of modules, which no audit needs.
const MODULES_SCOPE: &str = "ZohoBigin.settings.modules.READ";
/// The scopes that an audit or offboarding uses, or that the survey tries.
const TRIED: [&str; 6] = [USERS_SCOPE, ROLES_SCOPE, PROFILES_SCOPE, ORG_SCOPE, DELETE_SCOPE, MODULES_SCOPE];

pub(super) async fn survey(connector: &ZohoBigin) -> Result<Survey, ConnectorError> {
    let (aside, account) = Aside::begin();
    let token = connector.token(&account).await?;
    let modules = Call::get("settings/modules").scope(MODULES_SCOPE);
    let any = |body: &[u8]| parse::<serde::de::IgnoredAny>(body, "modules");
    let (user, organization, roles, profiles, modules) = tokio::join!(
        connector.current_user_of(&account),
        connector.organization_of(&account),
        connector.roles(&account),
        connector.profile_list(&account),
        connector.api.get(&modules, &account, any),
    );
    let scopes = token.scopes.as_deref();
    let mut grants = Grants::default();
    let current_user = grants.needed(USERS_SCOPE, user)?;
    let roles = grants.needed(ROLES_SCOPE, roles)?.map(|list| list.records);
    let profiles = grants.needed(PROFILES_SCOPE, profiles)?.map(|list| list.records);
    let organization = grants.needed(ORG_SCOPE, organization)?;
    grants.add(DELETE_SCOPE, Purpose::Offboarding, deletion(scopes));
    let (_, state) = reached(modules)?;
    // A refusal of another kind says nothing of the scope; the token's own answer may.
    let state = match (state, scopes) {
        (GrantState::Unknown(_), Some(scopes)) if !scopes.iter().any(|scope| reaches_modules(scope)) => {
            GrantState::Lacking("the token answer names no scope of the list of modules".to_owned())
        }
        (state, _) => state,
    };
    grants.add(MODULES_SCOPE, Purpose::Nothing, state);
    for scope in scopes.into_iter().flatten().filter(|scope| !TRIED.contains(&scope.as_str())) {
        grants.add(scope, Purpose::Nothing, GrantState::Granted);
    }
    if scopes.is_none() {
        let why = "the token answer names no scopes".to_owned();
        grants.add("other scopes", Purpose::Nothing, GrantState::Unknown(why));
    }
    let (clock_ahead, credits_left) = aside.noted();
    Ok(Survey {
        source: connector.source(token),
        organization,
        current_user,
        roles,
        profiles,
        grants: grants.into_vec(),
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

/// Whether the token may delete users. Only the token answer says so: no deletion is tried to find out.
fn deletion(scopes: Option<&[String]>) -> GrantState {
    let Some(scopes) = scopes else {
        return GrantState::Unknown(
            "the token answer names no scopes, and no deletion is tried to find out".to_owned(),
        );
    };
    if scopes.iter().any(|scope| scope == DELETE_SCOPE || scope == "ZohoBigin.users.ALL") {
        return GrantState::Granted;
    }
    GrantState::Lacking(format!("the token answer names neither {DELETE_SCOPE} nor ZohoBigin.users.ALL"))
}
