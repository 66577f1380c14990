//! `/integrated-account`: the account, and what it can do.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Answer, Shared, envelope};
use crate::faults::Fault;

/// What Truto's catalogue has for Bigin: resource, method, and the words of the tool's name.
const METHODS: [(&str, &str, &str); 7] = [
    ("users", "list", "list_all_{}_users"),
    ("users", "get", "get_single_{}_user_by_id"),
    ("users", "delete", "delete_a_{}_user_by_id"),
    ("roles", "list", "list_all_{}_roles"),
    ("profiles", "list", "list_all_{}_profiles"),
    ("current_organization", "list", "list_all_{}_current_organization"),
    ("me", "list", "list_all_{}_me"),
];

pub(super) fn answer(shared: &Shared, below: &str, query: &BTreeMap<String, String>) -> Answer {
    if below.is_empty() {
        return Answer::json(200, &json!({"result": [account(shared)], "next_cursor": null, "limit": 5000}));
    }
    let (id, what) = below.split_once('/').unwrap_or((below, ""));
    if id != shared.truto.integrated_account_id {
        return envelope::own(404, "Not Found", "Integrated account not found");
    }
    match what {
        "" => Answer::json(200, &account(shared)),
        "tools" => {
            let name = if shared.faults.is_on(Fault::TrutoResultsEnvelope) { "results" } else { "result" };
            Answer::json(200, &json!({name: tools(shared, query)}))
        }
        "capabilities" => Answer::json(200, &capabilities(shared)),
        _ => envelope::own(404, "Not Found", "Not found"),
    }
}

fn account(shared: &Shared) -> Value {
    let faults = &shared.faults;
    let (status, last_error) = if faults.is_on(Fault::TrutoNeedsReauth) {
        ("needs_reauth", json!("invalid oauth token"))
    } else if faults.is_on(Fault::TrutoBlocked) {
        ("blocked", Value::Null)
    } else {
        ("active", Value::Null)
    };
    json!({
        "id": shared.truto.integrated_account_id, "tenant_id": "simulated", "status": status,
        "is_sandbox": faults.is_on(Fault::TrutoSandbox), "authentication_method": "oauth2", "region": "eu",
        "context": {"oauth": {"scope": shared.scopes}}, "object_store_context_fields": [],
        "integration": {"id": "c2b8f4de-6a27-4d0e-9a0b-13c6f2d7a801", "name": slug(shared), "category": "crm"},
        "last_error": last_error, "created_at": "2026-05-01 10:00:00", "updated_at": "2026-05-01T10:05:00.000Z",
    })
}

/// The vendor's name in names of tools, of which two forms are published.
fn slug(shared: &Shared) -> &'static str {
    if shared.faults.is_on(Fault::TrutoResultsEnvelope) { "zoho_bigin" } else { "zohobigin" }
}

/// The tools that match the words of the query.
fn tools(shared: &Shared, query: &BTreeMap<String, String>) -> Vec<Value> {
    let words = |name: &str| query.get(name).map(|text| text.split(',').map(str::to_owned).collect::<Vec<_>>());
    let (methods, tags) = (words("methods"), words("tags"));
    let is_wanted = |method: &str| {
        methods.as_ref().is_none_or(|wanted| {
            wanted.iter().any(|word| match word.as_str() {
                "read" => ["get", "list"].contains(&method),
                "write" => ["create", "update", "delete"].contains(&method),
                word => word == method,
            })
        })
    };
    let parameter = |text: &str| json!({"type": "string", "description": text});
    let tool = |&(resource, method, name): &(&str, &str, &str), described: bool| {
        let by_id = method != "list";
        let properties = if by_id {
            json!({"id": parameter("The record's id.")})
        } else {
            json!({"limit": parameter("Records on a page."), "next_cursor": parameter("The cursor of the page.")})
        };
        json!({
            "resource": resource, "method": method, "name": name.replace("{}", slug(shared)),
            "description": if described { json!(format!("{method} {resource}")) } else { Value::Null },
            "query_schema": {"type": "object", "properties": properties},
            "body_schema": {"type": "object", "properties": {}},
            "required": if by_id { json!(["id"]) } else { json!([]) }, "tags": [resource],
        })
    };
    let mut all: Vec<Value> = METHODS.iter().map(|of| tool(of, true)).collect();
    if query.get("has_description").is_some_and(|word| word == "false") {
        all.push(tool(&("profiles", "get", "get_single_{}_profile_by_id"), false));
    }
    all.retain(|tool| {
        let text = |name: &str| tool[name].as_str().unwrap_or_default();
        is_wanted(text("method")) && tags.as_ref().is_none_or(|tags| tags.iter().any(|tag| tag == text("resource")))
    });
    all
}

fn capabilities(shared: &Shared) -> Value {
    let mut resources: Vec<Value> = Vec::new();
    for (resource, method, name) in METHODS {
        let entry = json!({"method": method, "name": name.replace("{}", slug(shared)), "has_description": true});
        match resources.iter_mut().find(|known| known["resource"] == resource) {
            Some(known) => known["methods"].as_array_mut().into_iter().for_each(|methods| methods.push(entry.clone())),
            None => resources.push(json!({"resource": resource, "methods": [entry]})),
        }
    }
    let account = account(shared);
    json!({
        "integration": account["integration"], "proxy": resources, "unified": [],
        "account": {"id": account["id"], "status": account["status"], "authentication_method": "oauth2", "is_blocked": account["status"] == "blocked"},
    })
}
