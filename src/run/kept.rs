//! An audit that a store kept, as far as it can be judged again: who had which role and profile, and what these were. The
//! times of records, the roster and most of the organization are not kept.

use crate::{
    access::drift::{SnapshotHeader, SnapshotUser},
    audit::Lacking,
    model::{
        directory::{Directory, Organization, Source, UserRecord},
        kind::ConnectorKind,
        reading::Reading,
        unread::{Field, Fields},
        users::{NewUser, UserBlock, Users},
    },
    run::ReadWorkspace,
    store::{Kept, StoreError, snapshot},
};

/// What a snapshot does not have of a user.
const NOT_KEPT: Fields = Fields::of(&[Field::Created, Field::Modified, Field::Zuid]);

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
    let mut block = UserBlock::default();
    for user in snapshot::users(kept) {
        let user = user?;
        let fields = user.unread.or(NOT_KEPT);
        block
            .push_partly(&record(&user), fields)
            .map_err(|error| StoreError::Snapshot { reason: error.to_string() })?;
    }
    let (users, _) = Users::from_blocks(vec![block]);
    let record = &kept.record;
    let directory = Directory {
        source: Source { connector, api_url: String::new(), data_center: None, scopes: None },
        organization: Organization {
            primary_zuid: header.primary_zuid.clone(),
            primary_email: header.primary_email.clone(),
            ..Organization::default()
        },
        current_user: UserRecord {
            id: "".into(),
            full_name: None,
            email: None,
            status: None,
            confirmed: None,
            zuid: None,
            role: None,
            profile: None,
        },
        users,
        roles: header.roles.clone(),
        profiles: header.profiles.clone(),
        unread: header.unread.clone(),
        reading: Reading::kept(record.started_at, record.finished_at, record.users, Vec::new()),
    };
    let lacking = Lacking { previous: matches!(before, Before::Deleted), roster: true, stated_names: true };
    let previous = match before {
        Before::Kept(previous) => Some(*previous),
        Before::None | Before::Deleted => None,
    };
    Ok((ReadWorkspace::kept(directory, previous, lacking), header))
}

fn record<'u>(user: &'u SnapshotUser<'_>) -> NewUser<'u> {
    NewUser {
        id: &user.id,
        zuid: None,
        full_name: user.full_name.as_deref(),
        email: user.email.as_deref(),
        status: &user.status,
        confirmed: user.confirmed,
        role: user.role_id.as_deref().map(|id| (id, None)),
        profile: user.profile_id.as_deref().map(|id| (id, None)),
        created: None,
        modified: None,
    }
}
