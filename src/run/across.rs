//! The view over the workspaces of a job, from the audits that the store keeps.

use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::files::{self, FileError};
use crate::{
    people::{Gathering, People},
    report::people::{PeopleFile, PeopleInput},
    store::{Database, StoreError, snapshot},
};

/// How one workspace of a job ended: its audit, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The workspace.
    pub workspace: String,
    /// The audit's id, or the reason.
    pub audit: Result<Uuid, String>,
}

/// Everybody across these workspaces. An audit that is no longer kept, or cannot be read back, makes its workspace missing.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub async fn people(store: &dyn Database, ends: &[End]) -> Result<People, StoreError> {
    let mut gathering = Gathering::default();
    for End { workspace, audit } in ends {
        let id = match audit {
            Ok(id) => *id,
            Err(reason) => {
                gathering.missing(workspace, own_words(workspace, reason));
                continue;
            }
        };
        let Some(kept) = store.kept(id).await? else {
            gathering.missing(workspace, "its audit is no longer kept");
            continue;
        };
        let added = snapshot::header(&kept)
            .and_then(|header| gathering.add(workspace, kept.record.complete, &header, snapshot::users(&kept)));
        if let Err(error) = added {
            gathering.missing(workspace, &error.to_string());
        }
    }
    Ok(gathering.people())
}

/// A reason without the name of the workspace, which stands before it already.
fn own_words<'r>(workspace: &str, reason: &'r str) -> &'r str {
    let named = format!("workspace {workspace}: ");
    reason.strip_prefix(&named).unwrap_or(reason)
}

/// Writes files with the view into a folder, as [`files::write`] writes reports.
///
/// # Errors
/// [`FileError`]
pub fn write(input: &PeopleInput<'_>, folder: &Path, wanted: &[PeopleFile]) -> Result<Vec<PathBuf>, FileError> {
    files::create(folder)?;
    let path = |file: &PeopleFile| {
        files::write_one(folder, file.file_name(), &|out| crate::report::people::write(*file, input, out))
    };
    wanted.iter().map(path).collect()
}
