//! The directory of workspaces, and what became of its files.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use crate::config::names::file_of_workspace;

/// The texts of files by the names of their workspaces, each as it was read; an error says why it could not be.
pub type Texts = BTreeMap<String, Result<Arc<str>, String>>;

/// The directory of workspaces that have a file of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkspacesDirectory {
    /// Where it is.
    pub path: PathBuf,
    /// Its files as they were read.
    pub(in crate::config) seen: Texts,
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
