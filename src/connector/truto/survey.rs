//! What an integrated account reaches, found by calls that change nothing.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::{envelope::Enveloped, workspace::Truto};
use crate::{
    connector::{
        bigin::ALL_USERS,
        error::{Cause, ConnectorError},
        kit::{Aside, Call, Grants, clean, escaped, parse},
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
    let (aside, account) = Aside::begin();
    let path = format!("integrated-account/{}", escaped(&connector.settings().integrated_account_id));
    // Without `has_description` Truto leaves out tools without a description, which can still be called.
    let tools_call = Call::get(format!("{path}/tools")).with("has_description", "false");
    let account_call = Call::get(path);
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
    let IntegratedAccount { status, is_sandbox } = reachable(integrated)?;
    let is_wrong = |status: &String| status != "active";
    let obstacle = |status| format!("Truto says that the integrated account is {status}; connect it again in Truto");
    let resources = connector.resources();
    let mut grants = Grants::default();
    let current_user = grants.needed(&resources.me, user)?.map(Enveloped::into_value);
    let roles = grants.needed(&resources.roles, roles)?.map(|found| found.value.records);
    let profiles = grants.needed(&resources.profiles, profiles)?.map(|found| found.value.records);
    let organization = grants.needed(&resources.current_organization, organization)?.map(Enveloped::into_value);
    grants.needed(&format!("{}.list", resources.users), users)?;
    let mut grants = grants.into_vec();
    grants.extend(writing(tools, &resources.users, is_sandbox == Some(true)));
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
        obstacles: status.filter(is_wrong).map(obstacle).into_iter().collect(),
    })
}

/// The account, as far as the token reaches it: one that reaches only the proxy is enough for an audit.
fn reachable(account: Result<Option<IntegratedAccount>, ConnectorError>) -> Result<IntegratedAccount, ConnectorError> {
    match account {
        Ok(account) => Ok(account.unwrap_or_default()),
        Err(error) if matches!(error.cause, Cause::Forbidden(_)) => Ok(IntegratedAccount::default()),
        Err(error) => Err(error),
    }
}

/// What the account can do besides reading, according to Truto's list of tools. No tool is called to find out.
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
        Ok(None) => Some("Truto does not list its tools, and none is called to find out".to_owned()),
        Err(error) => Some(format!("Truto does not list its tools ({error}), and none is called to find out")),
    };
    let named: BTreeSet<String> = listed.into_iter().flatten().flatten().filter_map(|tool| written(&tool)).collect();
    if is_sandbox {
        let why = "the integrated account is a sandbox, and Truto changes nothing in sandboxes";
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
