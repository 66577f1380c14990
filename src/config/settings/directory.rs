//! The directory of workspaces, and what became of its files.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use crate::config::names::file_of_workspace;

/// The directory of workspaces that have a file of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkspacesDirectory {
    /// Where it is.
    pub path: PathBuf,
    /// The texts of its files as they were read, by workspace.
    pub(in crate::config) seen: BTreeMap<String, Arc<str>>,
    /// Workspaces whose file has errors.
    pub broken: BTreeMap<String, BrokenFile>,
}

impl WorkspacesDirectory {
    /// The file of a workspace.
    pub fn file(&self, workspace: &str) -> PathBuf {
        file_of_workspace(&self.path, workspace)
    }
}

/// A file of a workspace that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenFile {
    /// What is wrong first, with file, line and column.
    pub problem: String,
    /// What is used of the workspace instead.
    pub instead: Instead,
}

/// What is used of a workspace whose own file has an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Instead {
    /// The workspace as its file had it before.
    Before,
    /// Its table in the common file.
    Table,
    /// Nothing.
    Nothing,
}
