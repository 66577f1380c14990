//! The role tree of a workspace.

use askama::Template;

use super::{
    Area, Frame,
    text::{label, path, with_query},
    workspace::Head,
};
use crate::{
    access::hierarchy::{Top, tree},
    console::{index::Indexed, viewer::Viewer},
    words::number,
};

/// Roles that are shown.
const ROLES: usize = 2_000;
/// Levels that the drawing indents; deeper roles are at the last of them.
const LEVELS: usize = 12;

#[derive(Template)]
#[template(path = "console/roles.html")]
pub(in crate::console) struct Page {
    frame: Frame,
    head: Head,
    rows: Vec<Row>,
    more: String,
}

struct Row {
    name: String,
    id: String,
    depth: usize,
    /// The level for assistive technology, from 1.
    level: usize,
    holders: String,
    holders_address: String,
    /// The length of its bar, of 100 for the role that the most users hold.
    bar: usize,
    is_administrative: bool,
    broken: String,
}

/// The page.
pub(in crate::console) fn page(viewer: &Viewer, audit: &Indexed) -> Page {
    let branches = tree(&audit.header.roles);
    let most = audit.header.roles.iter().map(|role| audit.holders_of_role(role.id.as_str())).max().unwrap_or(0).max(1);
    let base = path(&["workspaces", &audit.record.workspace]);
    let more = branches.len().saturating_sub(ROLES);
    let rows = branches.into_iter().take(ROLES).map(|branch| {
        let holders = audit.holders_of_role(branch.role.id.as_str());
        Row {
            name: label(&branch.role.name),
            id: label(branch.role.id.as_str()),
            depth: branch.depth.min(LEVELS),
            level: branch.depth + 1,
            holders: number(holders),
            holders_address: with_query(&base, &[("role", branch.role.id.as_str())]),
            bar: (holders * 100).div_ceil(most),
            is_administrative: branch.role.admin_user == Some(true),
            broken: match branch.top {
                None | Some(Top::Root) => String::new(),
                Some(Top::MissingParent(id)) => format!("reports to {}, which does not exist", label(id.as_str())),
                Some(Top::Cycle(_)) => "reports to itself".to_owned(),
            },
        }
    });
    Page {
        frame: Frame::of(viewer, Area::Workspaces, format!("Roles of {}", label(&audit.record.workspace))),
        head: Head::of(audit, "roles"),
        rows: rows.collect(),
        more: if more > 0 { format!("and {} more", number(more)) } else { String::new() },
    }
}
