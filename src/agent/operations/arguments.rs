//! Arguments that several tools take.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::agent::{Problem, page::Wanted};

/// A workspace.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OfWorkspace {
    /// The workspace's name; not needed if there is only one.
    pub(super) workspace: Option<String>,
}

/// A list of a workspace, in pages.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    /// The workspace's name; not needed if there is only one.
    pub(super) workspace: Option<String>,
    /// Rows in one answer.
    #[schemars(range(min = 1, max = 200))]
    pub(super) limit: Option<u32>,
    /// The `next_cursor` of the previous answer, to continue.
    pub(super) cursor: Option<String>,
}

impl Listed {
    /// The page that is asked for.
    pub(super) fn wanted(&self) -> Wanted<'_> {
        Wanted { limit: self.limit, cursor: self.cursor.as_deref() }
    }
}

/// An argument that is a text of a certain form.
pub(super) fn parsed<T: std::str::FromStr<Err = String>>(name: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|expected| Problem::Arguments(format!("`{name}`: {expected}")))
}
