//! `/settings/roles`, `/settings/profiles` and `/settings/modules`.

use serde_json::{Value, json};

use super::{Answer, Shared};
use crate::{faults::Fault, world::World};

/// `GET /settings/roles`
pub(super) fn roles(world: &World) -> Answer {
    rows("roles", world.roles())
}

/// `GET /settings/roles/{id}`: an unknown id is answered with nothing.
pub(super) fn role(world: &World, id: &str) -> Answer {
    match world.roles().iter().find(|role| role["id"] == id) {
        Some(role) => rows("roles", std::slice::from_ref(role)),
        None => Answer::nothing(),
    }
}

/// `GET /settings/profiles`
pub(super) fn profiles(shared: &Shared, world: &World) -> Answer {
    if shared.faults.is_on(Fault::ProfileCustomShape) {
        let profiles: Vec<Value> = world.profiles().iter().cloned().map(newer_shape).collect();
        rows("profiles", &profiles)
    } else {
        rows("profiles", world.profiles())
    }
}

/// `GET /settings/profiles/{id}`: an unknown id is an error.
pub(super) fn profile(shared: &Shared, world: &World, id: &str) -> Answer {
    let Some(profile) = world.profile_detail(id) else {
        return Answer::bad_profile_id();
    };
    if shared.faults.is_on(Fault::ProfileCustomShape) {
        rows("profiles", &[newer_shape(profile.clone())])
    } else {
        rows("profiles", std::slice::from_ref(profile))
    }
}

/// `GET /settings/modules`: which profiles see each module.
pub(super) fn modules(world: &World) -> Answer {
    let seen_by: Vec<Value> =
        world.profiles().iter().map(|profile| json!({"name": profile["name"], "id": profile["id"]})).collect();
    let names = [
        ("Contacts", "Contact", "Contacts"),
        ("Accounts", "Company", "Companies"),
        ("Deals", "Pipeline", "Pipelines"),
        ("Products", "Product", "Products"),
        ("Tasks", "Task", "Tasks"),
    ];
    let modules: Vec<Value> = (1_u64..)
        .zip(names)
        .map(|(number, (api_name, singular, plural))| {
            json!({
                "global_search_supported": true, "deletable": true, "description": null, "creatable": true,
                "api_name": api_name, "module_name": api_name, "singular_label": singular,
                "plural_label": plural, "generated_type": "default", "api_supported": true, "viewable": true,
                "editable": true, "visibility": 1, "sequence_number": number, "profiles": seen_by,
                "id": (5_820_190_000_000_002_170 + number).to_string(),
            })
        })
        .collect();
    rows("modules", &modules)
}

fn rows(name: &str, rows: &[Value]) -> Answer {
    if rows.is_empty() { Answer::nothing() } else { Answer::json(200, &json!({name: rows})) }
}

/// A profile as newer versions of the vendor's APIs show it.
fn newer_shape(mut profile: Value) -> Value {
    if let Some(fields) = profile.as_object_mut() {
        let custom = fields.remove("category").unwrap_or(json!(false));
        fields.insert("custom".to_owned(), custom);
        fields.insert("type".to_owned(), json!("normal_profile"));
    }
    profile
}
