//! Which workspace of the configuration is meant.

use super::output::Failure;
use crate::config::settings::{Settings, Workspace};

/// The workspace of a name; without one, the only one.
pub(super) fn named<'s>(settings: &'s Settings, name: Option<&str>) -> Result<(&'s str, &'s Workspace), Failure> {
    let known = || settings.workspaces.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    let mut all = settings.workspaces.iter();
    let found = match name {
        Some(name) => settings.workspaces.get_key_value(name).ok_or_else(|| {
            Failure::usage(format!("there is no workspace `{name}`; the configuration has: {}", known()))
        })?,
        None => match (all.next(), all.next()) {
            (Some(only), None) => only,
            (None, _) => return Err(Failure::usage("the configuration has no workspace")),
            _ => return Err(Failure::usage(format!("there are several workspaces; name one: {}", known()))),
        },
    };
    Ok((found.0.as_str(), found.1))
}
