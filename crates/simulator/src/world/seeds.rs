//! The roles and profiles of a generated workspace.

use serde_json::{Value, json};

use super::permissions::{self, Rights};

/// A role: whose records a user sees.
#[derive(Debug)]
pub(super) struct RoleSeed {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    description: Option<&'static str>,
    share_with_peers: bool,
    reports_to: Option<&'static RoleSeed>,
}

pub(super) static CEO: RoleSeed = RoleSeed {
    id: "5820190000000026005",
    name: "CEO",
    description: Some("Top of the hierarchy."),
    share_with_peers: true,
    reports_to: None,
};
pub(super) static MANAGER: RoleSeed = RoleSeed {
    id: "5820190000000026008",
    name: "Manager",
    description: Some("Second level."),
    share_with_peers: false,
    reports_to: Some(&CEO),
};
pub(super) static SALES: RoleSeed = RoleSeed {
    id: "5820190000000413001",
    name: "Sales Rep",
    description: None,
    share_with_peers: false,
    reports_to: Some(&MANAGER),
};
pub(super) static OPERATIONS: RoleSeed = RoleSeed {
    id: "5820190000000413004",
    name: "Operations",
    description: None,
    share_with_peers: true,
    reports_to: Some(&CEO),
};
pub(super) static SUPPORT: RoleSeed = RoleSeed {
    id: "5820190000000413007",
    name: "Support",
    description: None,
    share_with_peers: true,
    reports_to: Some(&OPERATIONS),
};
/// Nobody has it.
static PARTNERS: RoleSeed = RoleSeed {
    id: "5820190000000413010",
    name: "Channel Partners",
    description: Some("Kept for a partner programme that ended."),
    share_with_peers: false,
    reports_to: Some(&MANAGER),
};
/// In no list of roles: a user still refers to it.
pub(super) static VANISHED: RoleSeed = RoleSeed {
    id: "5820190000000413999",
    name: "Field Team",
    description: None,
    share_with_peers: false,
    reports_to: None,
};

/// The roles that the API lists.
static ROLES: [&RoleSeed; 6] = [&CEO, &MANAGER, &SALES, &OPERATIONS, &SUPPORT, &PARTNERS];

/// A profile: what a user may do.
#[derive(Debug)]
pub(super) struct ProfileSeed {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    description: &'static str,
    custom: bool,
    rights: Rights,
}

pub(super) static ADMINISTRATOR: ProfileSeed = ProfileSeed {
    id: "5820190000000026011",
    name: "Administrator",
    description: "Full access.",
    custom: false,
    rights: Rights::Everything,
};
pub(super) static STANDARD: ProfileSeed = ProfileSeed {
    id: "5820190000000026014",
    name: "Standard",
    description: "No administrative rights.",
    custom: false,
    rights: Rights::Everyday,
};
pub(super) static SUPPORT_DESK: ProfileSeed = ProfileSeed {
    id: "5820190000000412001",
    name: "Support Desk",
    description: "Custom profile cloned from Standard.",
    custom: true,
    rights: Rights::Support,
};
/// A clone of Administrator: the API's own administrator filter does not list its holders.
pub(super) static OPERATIONS_LEAD: ProfileSeed = ProfileSeed {
    id: "5820190000000412004",
    name: "Operations Lead",
    description: "Custom profile cloned from Administrator.",
    custom: true,
    rights: Rights::Everything,
};
pub(super) static DATA_STEWARD: ProfileSeed = ProfileSeed {
    id: "5820190000000412007",
    name: "Data Steward",
    description: "Custom profile for clean-ups: export and mass delete.",
    custom: true,
    rights: Rights::BulkData,
};
/// Nobody has it.
static SEASONAL: ProfileSeed = ProfileSeed {
    id: "5820190000000412010",
    name: "Seasonal Staff",
    description: "Read only.",
    custom: true,
    rights: Rights::ReadOnly,
};

/// The profiles that the API lists.
static PROFILES: [&ProfileSeed; 6] =
    [&ADMINISTRATOR, &STANDARD, &SUPPORT_DESK, &OPERATIONS_LEAD, &DATA_STEWARD, &SEASONAL];

/// The rows of `/settings/roles`.
pub(super) fn roles() -> Vec<Value> {
    let row = |role: &&RoleSeed| {
        json!({
            "display_label": role.name,
            "share_with_peers": role.share_with_peers,
            "name": role.name,
            "description": role.description,
            "id": role.id,
            "reporting_to": role.reports_to.map(|parent| json!({"name": parent.name, "id": parent.id})),
        })
    };
    ROLES.iter().map(row).collect()
}

/// The rows of `/settings/profiles`, without and with permissions. `author` is who made the custom
/// ones.
pub(super) fn profiles(author: &Value) -> (Vec<Value>, Vec<Value>) {
    let mut rows = Vec::new();
    let mut details = Vec::new();
    for profile in PROFILES {
        let touched = |value: Value| if profile.custom { value } else { Value::Null };
        let row = json!({
            "display_label": profile.name,
            "created_time": touched(json!("2025-04-02T10:00:00+00:00")),
            "modified_time": touched(json!("2026-08-19T12:31:07+00:00")),
            "name": profile.name,
            "modified_by": touched(author.clone()),
            "description": profile.description,
            "id": profile.id,
            "category": profile.custom,
            "created_by": touched(author.clone()),
        });
        let (permissions, sections) = permissions::of(profile.rights);
        let mut detail = row.clone();
        detail["permissions_details"] = permissions;
        detail["sections"] = sections;
        rows.push(row);
        details.push(detail);
    }
    (rows, details)
}
