//! A directory made again from what a store keeps of an audit.

use std::borrow::Borrow;

use super::drift::{SnapshotHeader, SnapshotUser};
use crate::model::{
    directory::{Directory, Organization, Source, UserRecord},
    kind::ConnectorKind,
    reading::Reading,
    unread::{Field, Fields},
    users::{NewUser, TextTooLong, UserBlock, Users},
};

/// What a snapshot does not have of a user.
pub const NOT_KEPT: Fields = Fields::of(&[Field::Created, Field::Modified, Field::Zuid]);

/// The directory, as far as it was kept: who had which role and profile, what these were, and the primary user. The fields
/// of `missing` are marked as not read.
///
/// # Errors
/// [`TextTooLong`] if a user record is longer than any that rolecall keeps.
pub fn directory<'u>(
    header: &SnapshotHeader,
    users: impl IntoIterator<Item = impl Borrow<SnapshotUser<'u>>>,
    (connector, reading, missing): (ConnectorKind, Reading, Fields),
) -> Result<Directory, TextTooLong> {
    let mut block = UserBlock::default();
    for user in users {
        let user = user.borrow();
        block.push_partly(&record(user), user.unread.or(missing))?;
    }
    let (users, _) = Users::from_blocks(vec![block]);
    Ok(Directory {
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
        reading,
    })
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
