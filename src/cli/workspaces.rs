//! Picks a workspace of the configuration.

use super::output::Failure;
use crate::{
    config::settings::{Settings, Workspace},
    words::list,
};

/// Names that a message lists.
const LISTED: usize = 20;

/// The names of the configured workspaces, as many as can be read.
pub(super) fn known(settings: &Settings) -> String {
    let names: Vec<&String> = settings.workspaces.keys().take(LISTED).collect();
    list(&names, settings.workspaces.len())
}

/// The workspace with this name; without a name, the only one.
pub(super) fn named<'s>(settings: &'s Settings, name: Option<&str>) -> Result<(&'s str, &'s Workspace), Failure> {
    let known = || known(settings);
    let mut all = settings.workspaces.iter();
    let found = match name {
        Some(name) => settings
            .workspaces
            .get_key_value(name)
            .ok_or_else(|| Failure::usage(format!("unknown workspace `{name}`; configured: {}", known())))?,
        None => match (all.next(), all.next()) {
            (Some(only), None) => only,
            (None, _) => return Err(Failure::usage("no workspace configured")),
            _ => return Err(Failure::usage(format!("several workspaces are configured; choose one of {}", known()))),
        },
    };
    Ok((found.0.as_str(), found.1))
}
