//! The permissions of a profile, as `/settings/profiles/{id}` lists them.
//!
//! The shape is the API's; the names follow the vendor's `Crm_Implied_…` style but are invented,
//! because no public source lists Bigin's.

use serde_json::{Value, json};

/// How much a profile allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rights {
    /// All that the Administrator may.
    Everything,
    /// Daily work with records, nothing in bulk, no administration.
    Everyday,
    /// As `Everyday`, without deletion.
    Support,
    /// Daily work, and export and mass deletion.
    BulkData,
    /// Looking only.
    ReadOnly,
}

/// What a permission allows, which decides who has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    View,
    Write,
    Delete,
    Bulk,
    Setup,
}

/// Modules with permissions of their own, by API name.
const MODULES: [&str; 5] = ["Contacts", "Accounts", "Deals", "Products", "Tasks"];

/// What can be done with the records of a module: label, word in the permission's name, kind.
const ACTIONS: [(&str, &str, Kind); 6] = [
    ("View", "View", Kind::View),
    ("Create", "Create", Kind::Write),
    ("Edit", "Edit", Kind::Write),
    ("Delete", "Delete", Kind::Delete),
    ("Export", "Export", Kind::Bulk),
    ("Mass Delete", "Mass_Delete", Kind::Bulk),
];

/// Permissions over the workspace itself: label, name, category in `sections`.
const SETUP: [(&str, &str, &str); 8] = [
    ("Manage Users", MANAGE_USERS, "Users_and_Control"),
    ("Manage Roles", MANAGE_ROLES, "Users_and_Control"),
    ("Manage Profiles", MANAGE_PROFILES, "Users_and_Control"),
    ("Manage Organization", "Crm_Implied_Manage_Organization", "Users_and_Control"),
    ("Customize Modules", "Crm_Implied_Customize_Modules", "Customization"),
    ("Import Data", "Crm_Implied_Import_Data", "Data_Administration"),
    ("Export Data", "Crm_Implied_Export_Data", "Data_Administration"),
    ("Data Backup", "Crm_Implied_Data_Backup", "Data_Administration"),
];

/// Allows deleting users.
pub(crate) const MANAGE_USERS: &str = "Crm_Implied_Manage_Users";
/// Allows reading the roles in full.
pub(crate) const MANAGE_ROLES: &str = "Crm_Implied_Manage_Roles";
/// Allows reading the profiles in full.
pub(crate) const MANAGE_PROFILES: &str = "Crm_Implied_Manage_Profiles";

const FIRST_ID: u64 = 5_820_190_000_000_030_001;

/// `permissions_details` and `sections` of a profile with these rights.
pub(super) fn of(rights: Rights) -> (Value, Value) {
    let mut ids = FIRST_ID..;
    let mut next_id = || ids.next().unwrap_or(FIRST_ID).to_string();
    let mut details = Vec::new();
    let mut basic = Vec::new();
    for module in MODULES {
        let mut members = Vec::new();
        for (label, word, kind) in ACTIONS {
            let id = next_id();
            let mut permission = json!({
                "display_label": label,
                "module": module,
                "name": format!("Crm_Implied_{word}_{module}"),
                "id": id,
                "enabled": allows(rights, kind),
                "customizable": true,
            });
            if kind != Kind::View {
                permission["parent_permissions"] = json!([format!("Crm_Implied_View_{module}")]);
            }
            details.push(permission);
            members.push(id);
        }
        basic.push(json!({
            "display_label": module, "permissions_details": members, "name": module, "module": module,
        }));
    }
    let mut setup: Vec<Value> = Vec::new();
    for (label, name, category) in SETUP {
        let id = next_id();
        let enabled = allows(rights, Kind::Setup) || (rights == Rights::BulkData && name == "Crm_Implied_Export_Data");
        details.push(json!({
            "display_label": label, "module": null, "name": name, "id": id, "enabled": enabled,
            "customizable": true,
        }));
        match setup.iter_mut().find(|known| known["name"] == category) {
            Some(known) => {
                if let Some(members) = known["permissions_details"].as_array_mut() {
                    members.push(json!(id));
                }
            }
            None => setup.push(json!({
                "display_label": category.replace('_', " "), "permissions_details": [id], "name": category,
            })),
        }
    }
    let sections = json!([
        {"name": "Basic Permissions", "categories": basic},
        {"name": "Setup Permissions", "categories": setup},
    ]);
    (Value::Array(details), sections)
}

fn allows(rights: Rights, kind: Kind) -> bool {
    match rights {
        Rights::Everything => true,
        Rights::Everyday => matches!(kind, Kind::View | Kind::Write | Kind::Delete),
        Rights::Support => matches!(kind, Kind::View | Kind::Write),
        Rights::BulkData => kind != Kind::Setup,
        Rights::ReadOnly => kind == Kind::View,
    }
}
