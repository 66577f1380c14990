//! A view of one user of a directory.

use std::{cmp::Ordering, fmt};

use chrono::{DateTime, Utc};

use super::{NO_TEXT, NO_TIME, NONE, Row, Stated, UserBlock, UserIndex, Users};
use crate::model::{
    id::{ProfileId, RoleId, numeric_order},
    status::Status,
    unread::Fields,
};

/// One user of a directory.
#[derive(Clone, Copy)]
pub struct User<'a> {
    pub(super) users: &'a Users,
    pub(super) block: &'a UserBlock,
    pub(super) row: &'a Row,
    pub(super) index: UserIndex,
}

impl<'a> User<'a> {
    fn part(&self, skip: usize, length: usize) -> &'a str {
        let start = self.row.start as usize + skip;
        &self.block.text[start..start + length]
    }

    /// The place among the users of the directory.
    pub fn index(&self) -> UserIndex {
        self.index
    }

    /// The user's id.
    pub fn id(&self) -> &'a str {
        self.row.id_text(&self.block.text)
    }

    /// The person's id across the vendor's products; none for a user who never confirmed.
    pub fn zuid(&self) -> Option<&'a str> {
        let length = usize::from(self.row.zuid);
        (length > 0).then(|| self.part(usize::from(self.row.id), length))
    }

    /// The display name.
    pub fn full_name(&self) -> Option<&'a str> {
        let skip = usize::from(self.row.id) + usize::from(self.row.zuid);
        (self.row.name != NO_TEXT).then(|| self.part(skip, usize::from(self.row.name)))
    }

    /// The e-mail address.
    pub fn email(&self) -> Option<&'a str> {
        let name = if self.row.name == NO_TEXT { 0 } else { usize::from(self.row.name) };
        let skip = usize::from(self.row.id) + usize::from(self.row.zuid) + name;
        (self.row.email != NO_TEXT).then(|| self.part(skip, usize::from(self.row.email)))
    }

    /// How a person would name this user: the name, else the address, else the id.
    pub fn label(&self) -> &'a str {
        let text = |text: &&str| !text.trim().is_empty();
        self.full_name().filter(text).or(self.email().filter(text)).unwrap_or(self.id())
    }

    /// The status.
    pub fn status(&self) -> &'a Status {
        &self.users.statuses[usize::from(self.row.status)]
    }

    /// Whether the invitation was accepted; none where the API did not say.
    pub fn confirmed(&self) -> Option<bool> {
        self.row.confirmed
    }

    /// The role as the user record states it.
    pub fn role(&self) -> Option<&'a Stated<RoleId>> {
        self.role_place().map(|place| &self.users.roles[place])
    }

    /// The profile as the user record states it.
    pub fn profile(&self) -> Option<&'a Stated<ProfileId>> {
        self.profile_place().map(|place| &self.users.profiles[place])
    }

    /// The place of the role in [`Users::stated_roles`].
    pub fn role_place(&self) -> Option<usize> {
        (self.row.role != NONE).then_some(self.row.role as usize)
    }

    /// The place of the profile in [`Users::stated_profiles`].
    pub fn profile_place(&self) -> Option<usize> {
        (self.row.profile != NONE).then_some(self.row.profile as usize)
    }

    /// The fields whose values are unknown because they could not be read.
    pub fn unread(&self) -> Fields {
        self.row.unread
    }

    /// When the record was created.
    pub fn created(&self) -> Option<DateTime<Utc>> {
        time(self.row.created)
    }

    /// When the record last changed.
    pub fn modified(&self) -> Option<DateTime<Utc>> {
        time(self.row.modified)
    }
}

impl fmt::Debug for User<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "User({}, {})", self.id(), self.status().word())
    }
}

impl PartialEq for User<'_> {
    fn eq(&self, other: &Self) -> bool {
        numeric_order(self.id(), other.id()) == Ordering::Equal
    }
}

fn time(seconds: u32) -> Option<DateTime<Utc>> {
    if seconds == NO_TIME { None } else { DateTime::from_timestamp(i64::from(seconds), 0) }
}
