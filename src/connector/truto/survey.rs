//! What an integrated account reaches, found by calls that change nothing.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{LOOK_UP, Truto, api::Call};
use crate::{
    connector::{
        ConnectorError, Recorder,
        bigin::parse::parse,
        http::Account,
        survey::{Aside, reached},
    },
    model::survey::{Grant, GrantState, Purpose, Survey},
};

/// The account, as far as it matters.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct IntegratedAccount {
    status: Option<String>,
    is_sandbox: Option<bool>,
}

pub(super) async fn survey(connector: &Truto) -> Result<Survey, ConnectorError> {
    let aside = Arc::new(Aside::default());
    let account = Account::new(LOOK_UP).recorded_by(Some(Arc::clone(&aside) as Arc<dyn Recorder>));
    let id = &connector.api.settings.integrated_account_id;
    let (account_call, tools_call) = (Call::account(id, ""), Call::account(id, "/tools"));
    let integrated = connector.api.get(&account_call, &account, |body| parse::<IntegratedAccount>(body, "account"));
    let tools = connector.api.get(&tools_call, &account, |body| parse::<Value>(body, "tools"));
    let (integrated, tools, user, organization, roles, profiles) = tokio::join!(
        integrated,
        tools,
        connector.current_user_of(&account),
        connector.organization_of(&account),
        connector.roles(&account),
        connector.profile_list(&account),
    );
    let resources = connector.resources();
    let mut grants = Vec::new();
    let mut grant = |name: &str, purpose, state| grants.push(Grant { name: name.to_owned(), purpose, state });
    let mut obstacles = Vec::new();
    let mut is_sandbox = false;
    match integrated {
        Ok(found) => {
            let found = found.unwrap_or_default();
            is_sandbox = found.is_sandbox == Some(true);
            if let Some(status) = found.status.filter(|status| status != "active") {
                obstacles.push(format!("Truto says that the integrated account is {status}; connect it again there"));
            }
        }
        // Tokens that reach only the proxy are enough for an audit.
        Err(ConnectorError::TrutoForbidden { .. }) => {}
        Err(error) => return Err(error),
    }
    let (current_user, state) = reached(user)?;
    grant(&resources.me, Purpose::Audit, state);
    let (roles, state) = reached(roles)?;
    grant(&resources.roles, Purpose::Audit, state);
    let (profiles, state) = reached(profiles)?;
    grant(&resources.profiles, Purpose::Audit, state);
    let (organization, state) = reached(organization)?;
    grant(&resources.current_organization, Purpose::Audit, state);
    let deletion = deletion(tools.ok().flatten().as_ref(), &resources.users, is_sandbox);
    grant(&format!("{}.delete", resources.users), Purpose::Offboarding, deletion);
    let (clock_ahead, credits_left) = aside.noted();
    Ok(Survey {
        source: connector.source(),
        organization,
        current_user,
        roles,
        profiles,
        grants,
        clock_ahead,
        credits_left,
        obstacles,
    })
}

/// Whether users can be deleted: Truto's list of tools names what it offers. A deletion is not tried to find out.
fn deletion(tools: Option<&Value>, users: &str, is_sandbox: bool) -> GrantState {
    if is_sandbox {
        return GrantState::Lacking("the integrated account is a sandbox, which Truto lets nobody write to".to_owned());
    }
    let listed = tools.and_then(|tools| tools.get("result").or_else(|| tools.get("results"))?.as_array());
    match listed {
        None => GrantState::Unknown("Truto does not list what it offers, and a deletion is not tried".to_owned()),
        Some(all) if all.iter().any(|tool| tool["resource"] == users && tool["method"] == "delete") => {
            GrantState::Granted
        }
        Some(_) => GrantState::Lacking("Truto's list of tools has no deletion of users".to_owned()),
    }
}
