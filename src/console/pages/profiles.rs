//! The profiles of a workspace, and what one permits beside another.

use std::collections::BTreeMap;

use askama::Template;

use super::{
    Area, Choice, Frame,
    facts::{permission, power as power_said},
    text::{day, label, path, prose, with_query},
    workspace::{Head, power},
};
use crate::{
    access::power::{Yardstick, is_dangerous},
    console::{index::Indexed, viewer::Viewer},
    model::directory::{Permission, Permissions, Profile},
    words::{count, number},
};

/// Profiles that are shown.
const PROFILES: usize = 2_000;
/// Permissions of one kind that are shown.
const PERMISSIONS: usize = 1_000;

#[derive(Template)]
#[template(path = "console/profiles.html")]
pub(in crate::console) struct Profiles {
    frame: Frame,
    head: Head,
    rows: Vec<Row>,
    more: String,
}

struct Row {
    name: String,
    address: String,
    kind: &'static str,
    power: &'static str,
    is_full: bool,
    permissions: String,
    dangerous: String,
    holders: String,
    holders_address: String,
}

/// What the policy calls dangerous.
fn fragments(audit: &Indexed) -> &[String] {
    audit.header.policy.as_ref().map_or(&[][..], |policy| &policy.dangerous_permissions)
}

fn kind(profile: &Profile) -> &'static str {
    match profile.custom {
        Some(true) => "custom",
        Some(false) => "built in",
        None => "",
    }
}

/// The page of all profiles.
pub(in crate::console) fn profiles(viewer: &Viewer, audit: &Indexed) -> Profiles {
    let base = path(&["workspaces", &audit.record.workspace]);
    let header = &audit.header;
    let yardstick = Yardstick::new(&header.profiles, &header.roles, &header.administrator_profiles, fragments(audit));
    let row = |profile: &Profile| {
        let id = profile.id.as_str();
        let enabled: Option<Vec<&Permission>> = profile.permissions.enabled().map(Iterator::collect);
        let held = yardstick.of_profile(&profile.id);
        Row {
            name: label(&profile.name),
            address: format!("{base}{}", path(&["profiles", id])),
            kind: kind(profile),
            power: power(held),
            is_full: held.is_full(),
            permissions: enabled.as_ref().map_or_else(|| "unknown".to_owned(), |all| number(all.len())),
            dangerous: enabled.map_or_else(String::new, |all| {
                number(all.iter().filter(|one| is_dangerous(one, fragments(audit))).count())
            }),
            holders: number(audit.holders_of_profile(id)),
            holders_address: with_query(&base, &[("profile", id)]),
        }
    };
    let mut rows: Vec<Row> = header.profiles.iter().take(PROFILES).map(row).collect();
    rows.sort_by_key(|row| (!row.is_full, row.name.to_lowercase()));
    let more = header.profiles.len() - rows.len();
    Profiles {
        frame: Frame::of(viewer, Area::Workspaces, format!("Profiles of {}", label(&audit.record.workspace))),
        head: Head::of(audit, "profiles"),
        rows,
        more: if more > 0 { format!("and {} more", number(more)) } else { String::new() },
    }
}

#[derive(Template)]
#[template(path = "console/profile.html")]
pub(in crate::console) struct Page {
    frame: Frame,
    head: Head,
    name: String,
    id: String,
    address: String,
    kind: &'static str,
    description: String,
    modified: String,
    power: &'static str,
    is_full: bool,
    permits: String,
    dangerous: Vec<String>,
    modules: Vec<(String, Vec<String>)>,
    holders: String,
    holders_address: String,
    others: Vec<Choice>,
    difference: Option<Difference>,
}

/// What two profiles permit that the other does not.
struct Difference {
    other: String,
    here: Vec<String>,
    there: Vec<String>,
}

/// The page of one profile, beside another one if there is one with the id `with`.
pub(in crate::console) fn profile(viewer: &Viewer, audit: &Indexed, profile: &Profile, with: &str) -> Page {
    let base = path(&["workspaces", &audit.record.workspace]);
    let id = profile.id.as_str();
    let held = audit.power_of_profile(id);
    let Permits { said, dangerous, modules } = permits(audit, profile);
    let mut others: Vec<&Profile> = audit.header.profiles.iter().filter(|other| other.id != profile.id).collect();
    others.sort_by_key(|other| other.name.to_lowercase());
    let others = others.iter().take(PROFILES).map(|other| Choice::new(other.id.as_str(), label(&other.name), with));
    Page {
        frame: Frame::of(
            viewer,
            Area::Workspaces,
            format!("{}, {}", label(&profile.name), label(&audit.record.workspace)),
        ),
        head: Head::of(audit, "profiles"),
        name: label(&profile.name),
        id: label(id),
        address: format!("{base}{}", path(&["profiles", id])),
        kind: kind(profile),
        description: profile.description.as_deref().map(prose).unwrap_or_default(),
        modified: profile.modified.map(day).unwrap_or_default(),
        power: power_said(held),
        is_full: held.is_full(),
        permits: said,
        dangerous,
        modules,
        holders: count(audit.holders_of_profile(id), "user"),
        holders_address: with_query(&base, &[("profile", id)]),
        others: [Choice::new("", "choose a profile", "-")].into_iter().chain(others).collect(),
        difference: audit.profile(with).map(|other| difference(profile, other)),
    }
}

/// How much a profile permits: in words, what is dangerous, and the rest by module.
struct Permits {
    said: String,
    dangerous: Vec<String>,
    modules: Vec<(String, Vec<String>)>,
}

fn permits(audit: &Indexed, profile: &Profile) -> Permits {
    let all = match &profile.permissions {
        Permissions::Known(all) => all,
        Permissions::Unknown(why) => {
            let said = format!("The API does not say: {}", prose(why));
            return Permits { said, dangerous: Vec::new(), modules: Vec::new() };
        }
    };
    let enabled: Vec<&Permission> = all.iter().filter(|one| one.enabled).collect();
    let said = format!("{} of {}", number(enabled.len()), count(all.len(), "permission"));
    let (dangerous, rest): (Vec<&Permission>, Vec<&Permission>) =
        enabled.into_iter().partition(|one| is_dangerous(one, fragments(audit)));
    let mut modules: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for one in rest.into_iter().take(PERMISSIONS) {
        let module = one.module.as_deref().map_or_else(|| "The whole workspace".to_owned(), label);
        modules.entry(module).or_default().push(label(one.label.as_deref().unwrap_or(&one.name)));
    }
    let dangerous = dangerous.into_iter().take(PERMISSIONS).map(permission).collect();
    Permits { said, dangerous, modules: modules.into_iter().collect() }
}

fn difference(profile: &Profile, other: &Profile) -> Difference {
    type Permitted = BTreeMap<(String, Option<String>), String>;
    let of = |profile: &Profile| -> Permitted {
        let enabled = profile.permissions.enabled().into_iter().flatten();
        enabled.map(|one| ((one.name.clone(), one.module.clone()), permission(one))).collect()
    };
    let (here, there) = (of(profile), of(other));
    let only = |one: &Permitted, beside: &Permitted| -> Vec<String> {
        let only = one.iter().filter(|(key, _)| !beside.contains_key(key)).map(|(_, name)| name.clone());
        only.take(PERMISSIONS).collect()
    };
    Difference { other: label(&other.name), here: only(&here, &there), there: only(&there, &here) }
}
