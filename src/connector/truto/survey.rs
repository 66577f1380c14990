//! What an integrated account reaches, found by calls that change nothing.

use std::{collections::BTreeSet, sync::Arc};

use serde::Deserialize;
use serde_json::Value;

use super::{LOOK_UP, Truto, api::Call};
use crate::{
    connector::{
        ConnectorError, Recorder,
        bigin::{
            ALL_USERS,
            parse::{clean, parse},
        },
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
    // Without that word Truto leaves out what nobody has described, which can be done all the same.
    let tools_call = Call::account(id, "/tools").with("has_description", "false");
    let account_call = Call::account(id, "");
    let integrated = connector.api.get(&account_call, &account, |body| parse::<IntegratedAccount>(body, "account"));
    let tools = connector.api.get(&tools_call, &account, |body| parse::<Value>(body, "tools"));
    let (integrated, tools, user, users, organization, roles, profiles) = tokio::join!(
        integrated,
        tools,
        connector.current_user_of(&account),
        connector.users_page(&account, ALL_USERS, None),
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
    let (_, state) = reached(users)?;
    grant(&format!("{}.list", resources.users), Purpose::Audit, state);
    grants.extend(writing(tools, &resources.users, is_sandbox));
    let (clock_ahead, credits_left) = aside.noted();
    Ok(Survey {
        source: connector.source(),
        organization: organization.map(|found| found.value),
        current_user: current_user.map(|found| found.value),
        roles: roles.map(|found| found.value),
        profiles: profiles.map(|found| found.value),
        grants,
        clock_ahead,
        credits_left,
        obstacles,
    })
}

/// What the account can do beside reading: Truto's list of tools names what it offers. Nothing of it is tried to find out.
fn writing(tools: Result<Option<Value>, ConnectorError>, users: &str, is_sandbox: bool) -> Vec<Grant> {
    let deletion = format!("{users}.delete");
    let grant = |name: &str, state: &GrantState| {
        let purpose = if name == deletion { Purpose::Offboarding } else { Purpose::Nothing };
        Grant { name: name.to_owned(), purpose, state: state.clone() }
    };
    let listed = tools.map(|tools| {
        let tools = tools.unwrap_or_default();
        tools.get("result").or_else(|| tools.get("results")).and_then(Value::as_array).cloned()
    });
    let why = match &listed {
        Ok(Some(_)) => None,
        Ok(None) => Some("Truto does not list what it offers, and it is not tried".to_owned()),
        Err(error) => Some(format!("Truto does not list what it offers ({error}), and it is not tried")),
    };
    let named: BTreeSet<String> = listed.into_iter().flatten().flatten().filter_map(|tool| written(&tool)).collect();
    if is_sandbox {
        let why = "the integrated account is a sandbox, which Truto lets nobody write to";
        let state = GrantState::Lacking(why.to_owned());
        return named
            .iter()
            .filter(|name| **name != deletion)
            .chain([&deletion])
            .map(|name| grant(name, &state))
            .collect();
    }
    if let Some(why) = why {
        let state = GrantState::Unknown(why);
        return [&deletion, "other methods"].map(|name| grant(name, &state)).to_vec();
    }
    let mut grants: Vec<Grant> = named.iter().map(|name| grant(name, &GrantState::Granted)).collect();
    if !named.contains(&deletion) {
        let why = "Truto's list of tools has no deletion of users";
        grants.push(grant(&deletion, &GrantState::Lacking(why.to_owned())));
    }
    grants
}

/// The resource and method of a tool that does more than read.
fn written(tool: &Value) -> Option<String> {
    let (resource, method) = (tool["resource"].as_str()?, tool["method"].as_str()?);
    (!["list", "get"].contains(&method)).then(|| clean(&format!("{resource}.{method}"), 80))
}
