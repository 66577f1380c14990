//! An audit that a store kept, as far as it can be judged again: who had which role and profile, and what these were. The
//! times of records, the roster and most of the organization are not kept.

use crate::{
    access::{
        drift::SnapshotHeader,
        rebuilt::{self, NOT_KEPT},
    },
    audit::Lacking,
    model::{kind::ConnectorKind, reading::Reading},
    run::ReadWorkspace,
    store::{Kept, StoreError, snapshot},
};

/// What is kept of the audit that another one was compared with.
#[derive(Debug)]
pub enum Before {
    /// There was none.
    None,
    /// It is kept.
    Kept(Box<Kept>),
    /// It is not kept any more.
    Deleted,
}

/// A kept audit as a workspace to judge, and what else is kept of it.
///
/// # Errors
/// [`StoreError`] if it cannot be read back.
pub fn read(
    kept: &Kept,
    connector: ConnectorKind,
    before: Before,
) -> Result<(ReadWorkspace, SnapshotHeader), StoreError> {
    let header = snapshot::header(kept)?;
    let users = snapshot::users(kept).collect::<Result<Vec<_>, _>>()?;
    let record = &kept.record;
    let reading = Reading::kept(record.started_at, record.finished_at, record.users, Vec::new());
    let directory = rebuilt::directory(&header, users, (connector, reading, NOT_KEPT))
        .map_err(|error| StoreError::Snapshot { reason: error.to_string() })?;
    let lacking = Lacking { previous: matches!(before, Before::Deleted), roster: true, stated_names: true };
    let previous = match before {
        Before::Kept(previous) => Some(*previous),
        Before::None | Before::Deleted => None,
    };
    Ok((ReadWorkspace::kept(directory, previous, lacking), header))
}
