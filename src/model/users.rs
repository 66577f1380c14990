//! The users of a directory, held compactly: about 130 bytes a user, so that a million fit in memory.
//!
//! A page of users becomes one [`UserBlock`]: the texts of its users in one string, and a fixed-size row
//! each. [`Users`] holds the blocks as they came and an order over them; [`User`] is a view of one row.

mod user;

use std::collections::HashMap;

use chrono::{DateTime, Utc};

pub use self::user::User;
use super::{
    id::{ProfileId, RoleId, UserId, numeric_order},
    status::Status,
    unread::Fields,
};

/// A user as a connector read it, on its way into a [`UserBlock`].
#[derive(Debug, Clone, Copy)]
pub struct NewUser<'a> {
    /// The user's id.
    pub id: &'a str,
    /// The person's id across the vendor's products.
    pub zuid: Option<&'a str>,
    /// The display name.
    pub full_name: Option<&'a str>,
    /// The e-mail address, which is the login.
    pub email: Option<&'a str>,
    /// The API's own word for the status.
    pub status: &'a str,
    /// Whether the invitation was accepted.
    pub confirmed: Option<bool>,
    /// The role's id, and the name that the user record gives it.
    pub role: Option<(&'a str, Option<&'a str>)>,
    /// The profile's id, and the name that the user record gives it.
    pub profile: Option<(&'a str, Option<&'a str>)>,
    /// When the user record was created.
    pub created: Option<DateTime<Utc>>,
    /// When the user record last changed.
    pub modified: Option<DateTime<Utc>>,
}

/// A role or profile as user records state it: its id, and the name that they give it.
///
/// Thousands of users share one of these; joining them against the master lists once each is what makes
/// correlation cheap.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Stated<Id> {
    /// The id in the user record.
    pub id: Id,
    /// The name in the user record, which may be stale.
    pub name: Option<Box<str>>,
}

/// No role, no profile.
const NONE: u32 = u32::MAX;
/// No name, no address.
const NO_TEXT: u16 = u16::MAX;
/// No time. Times are whole seconds since 1970 and reach to 2106; a record cannot have a time outside that range.
const NO_TIME: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Row {
    start: u32,
    role: u32,
    profile: u32,
    name: u16,
    email: u16,
    status: u16,
    id: u8,
    zuid: u8,
    confirmed: Option<bool>,
    unread: Fields,
    created: u32,
    modified: u32,
}

/// The users of one page.
#[derive(Debug, Default)]
pub struct UserBlock {
    text: String,
    rows: Vec<Row>,
    roles: Vec<Stated<RoleId>>,
    profiles: Vec<Stated<ProfileId>>,
    statuses: Vec<Status>,
}

/// A text of a user record is longer than any the vendor allows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} of user {user} is {length} bytes long; rolecall takes at most {limit}")]
pub struct TextTooLong {
    /// The field's name.
    pub field: &'static str,
    /// The user's id, shortened.
    pub user: String,
    /// Its length in bytes.
    pub length: usize,
    /// The greatest length in bytes.
    pub limit: usize,
}

/// The same users with the same fields in the same order.
impl PartialEq for UserBlock {
    fn eq(&self, other: &Self) -> bool {
        let rows = self.rows.iter().zip(&other.rows);
        self.rows.len() == other.rows.len() && rows.into_iter().all(|(row, same)| self.of(row) == other.of(same))
    }
}

impl UserBlock {
    /// All that a row says: its texts with their lengths, what it names, and the rest.
    fn of(&self, row: &Row) -> impl PartialEq + '_ {
        let length = |length: u16| if length == NO_TEXT { 0 } else { usize::from(length) };
        let texts = usize::from(row.id) + usize::from(row.zuid) + length(row.name) + length(row.email);
        let start = row.start as usize;
        (
            (&self.text[start..start + texts], row.id, row.zuid, row.name, row.email),
            self.roles.get(row.role as usize),
            self.profiles.get(row.profile as usize),
            self.statuses.get(usize::from(row.status)),
            (row.confirmed, row.unread, row.created, row.modified),
        )
    }

    /// An empty block with room for `users`.
    pub fn with_capacity(users: usize) -> Self {
        Self { text: String::with_capacity(users * 80), rows: Vec::with_capacity(users), ..Self::default() }
    }

    /// Frees unused capacity. The texts move: shrinking them in place would leave holes too small for the next page.
    pub fn shrink(&mut self) {
        self.text = self.text.as_str().to_owned();
        self.rows = self.rows.as_slice().to_vec();
    }

    /// How many users it holds.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The ids in the order of the page.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().map(|row| row.id_text(&self.text))
    }

    /// Adds a user.
    ///
    /// # Errors
    /// [`TextTooLong`] if a text is too long.
    pub fn push(&mut self, user: &NewUser<'_>) -> Result<(), TextTooLong> {
        self.push_partly(user, Fields::default())
    }

    /// Adds a user some of whose fields could not be read.
    ///
    /// # Errors
    /// [`TextTooLong`] if a text is too long.
    pub fn push_partly(&mut self, user: &NewUser<'_>, unread: Fields) -> Result<(), TextTooLong> {
        let check = |field: &'static str, text: &str, limit: usize| {
            if text.len() <= limit {
                return Ok(());
            }
            let user = user.id.chars().take(40).collect();
            Err(TextTooLong { field, user, length: text.len(), limit })
        };
        check("id", user.id, usize::from(u8::MAX))?;
        check("zuid", user.zuid.unwrap_or(""), usize::from(u8::MAX))?;
        check("full_name", user.full_name.unwrap_or(""), usize::from(NO_TEXT - 1))?;
        check("email", user.email.unwrap_or(""), usize::from(NO_TEXT - 1))?;
        #[expect(clippy::cast_possible_truncation, reason = "lengths were checked above; a page is far below 4 GiB")]
        let row = Row {
            start: self.text.len() as u32,
            role: intern(&mut self.roles, user.role),
            profile: intern(&mut self.profiles, user.profile),
            name: user.full_name.map_or(NO_TEXT, |name| name.len() as u16),
            email: user.email.map_or(NO_TEXT, |email| email.len() as u16),
            status: self.intern_status(user.status),
            id: user.id.len() as u8,
            zuid: user.zuid.unwrap_or("").len() as u8,
            confirmed: user.confirmed,
            unread,
            created: seconds(user.created),
            modified: seconds(user.modified),
        };
        for part in [Some(user.id), user.zuid, user.full_name, user.email].into_iter().flatten() {
            self.text.push_str(part);
        }
        self.rows.push(row);
        Ok(())
    }

    fn intern_status(&mut self, word: &str) -> u16 {
        let place = self.statuses.iter().position(|known| known.word() == word).unwrap_or_else(|| {
            self.statuses.push(Status::from(word));
            self.statuses.len() - 1
        });
        u16::try_from(place).unwrap_or(u16::MAX)
    }
}

fn intern<Id>(known: &mut Vec<Stated<Id>>, stated: Option<(&str, Option<&str>)>) -> u32
where
    Id: AsRef<str> + for<'a> From<&'a str>,
{
    let Some((id, name)) = stated else { return NONE };
    let same = |known: &Stated<Id>| known.id.as_ref() == id && known.name.as_deref() == name;
    let place = known.iter().rposition(same).unwrap_or_else(|| {
        known.push(Stated { id: Id::from(id), name: name.map(Into::into) });
        known.len() - 1
    });
    u32::try_from(place).unwrap_or(NONE)
}

impl Row {
    fn id_text<'a>(&self, text: &'a str) -> &'a str {
        let start = self.start as usize;
        &text[start..start + usize::from(self.id)]
    }
}

/// The place of a user in [`Users`], in the order of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserIndex(pub u32);

#[derive(Debug, Clone, Copy)]
struct Place {
    block: u32,
    row: u32,
}

/// All users of a directory, each distinct id once, ordered by id as a number.
#[derive(Debug, Default)]
pub struct Users {
    blocks: Vec<UserBlock>,
    order: Vec<Place>,
    roles: Vec<Stated<RoleId>>,
    profiles: Vec<Stated<ProfileId>>,
    statuses: Vec<Status>,
}

impl Users {
    /// Orders the users of all blocks by id. If a user was read more than once, the latest is kept; the ids of the others
    /// are returned too, once per repetition, for the completeness record.
    pub fn from_blocks(blocks: Vec<UserBlock>) -> (Self, Vec<UserId>) {
        let mut users = Self { order: Vec::with_capacity(blocks.iter().map(UserBlock::len).sum()), ..Self::default() };
        let mut merge = Merge::default();
        for mut block in blocks {
            merge.adopt(&mut users, &mut block);
            let number = users.blocks.len();
            #[expect(clippy::cast_possible_truncation, reason = "the vendor's ids end long before 2^32 users")]
            users.order.extend((0..block.rows.len()).map(|row| Place { block: number as u32, row: row as u32 }));
            users.blocks.push(block);
        }
        let blocks = &users.blocks;
        let id = |place: Place| {
            let block = &blocks[place.block as usize];
            block.rows[place.row as usize].id_text(&block.text)
        };
        let mut order = std::mem::take(&mut users.order);
        order.sort_by(|a, b| numeric_order(id(*a), id(*b)));
        let mut repeated = Vec::new();
        // The sort is stable, so the later of two equal ids was read later.
        order.dedup_by(|later, kept| {
            let same = id(*later) == id(*kept);
            if same {
                repeated.push(UserId::from(id(*later)));
                *kept = *later;
            }
            same
        });
        users.order = order;
        (users, repeated)
    }

    /// How many distinct users there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The user at a place.
    ///
    /// # Panics
    /// If the index is out of range.
    pub fn get(&self, index: UserIndex) -> User<'_> {
        let place = self.order[index.0 as usize];
        let block = &self.blocks[place.block as usize];
        User { users: self, block, row: &block.rows[place.row as usize], index }
    }

    /// All users, by id.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = User<'_>> + Clone {
        #[expect(clippy::cast_possible_truncation, reason = "the vendor's ids end long before 2^32 users")]
        (0..self.order.len()).map(|index| self.get(UserIndex(index as u32)))
    }

    /// The user with an id.
    pub fn find(&self, id: &str) -> Option<User<'_>> {
        let found = self.order.binary_search_by(|place| {
            let block = &self.blocks[place.block as usize];
            numeric_order(block.rows[place.row as usize].id_text(&block.text), id)
        });
        #[expect(clippy::cast_possible_truncation, reason = "the vendor's ids end long before 2^32 users")]
        found.ok().map(|place| self.get(UserIndex(place as u32)))
    }

    /// The distinct roles that users state. [`User::role_place`] is an index into it.
    pub fn stated_roles(&self) -> &[Stated<RoleId>] {
        &self.roles
    }

    /// The distinct profiles that users state. [`User::profile_place`] is an index into it.
    pub fn stated_profiles(&self) -> &[Stated<ProfileId>] {
        &self.profiles
    }

    /// How many users have each status word.
    pub fn by_status(&self) -> Vec<(Status, usize)> {
        let mut counts = vec![0; self.statuses.len()];
        for user in self.iter() {
            counts[usize::from(user.row.status)] += 1;
        }
        let mut counted: Vec<_> = self.statuses.iter().cloned().zip(counts).filter(|(_, count)| *count > 0).collect();
        counted.sort();
        counted
    }
}

/// Renumbers the stated roles, profiles and statuses of all blocks for the whole directory.
#[derive(Default)]
struct Merge {
    roles: HashMap<Stated<RoleId>, u32>,
    profiles: HashMap<Stated<ProfileId>, u32>,
}

impl Merge {
    fn adopt(&mut self, users: &mut Users, block: &mut UserBlock) {
        let roles = renumber(std::mem::take(&mut block.roles), &mut self.roles, &mut users.roles);
        let profiles = renumber(std::mem::take(&mut block.profiles), &mut self.profiles, &mut users.profiles);
        let statuses: Vec<u16> = std::mem::take(&mut block.statuses)
            .into_iter()
            .map(|status| {
                let place = users.statuses.iter().position(|known| *known == status).unwrap_or_else(|| {
                    users.statuses.push(status);
                    users.statuses.len() - 1
                });
                u16::try_from(place).unwrap_or(u16::MAX)
            })
            .collect();
        for row in &mut block.rows {
            row.role = if row.role == NONE { NONE } else { roles[row.role as usize] };
            row.profile = if row.profile == NONE { NONE } else { profiles[row.profile as usize] };
            row.status = statuses[usize::from(row.status)];
        }
    }
}

fn renumber<Id: Clone + Eq + std::hash::Hash>(
    stated: Vec<Stated<Id>>,
    known: &mut HashMap<Stated<Id>, u32>,
    all: &mut Vec<Stated<Id>>,
) -> Vec<u32> {
    stated
        .into_iter()
        .map(|stated| {
            let next = u32::try_from(all.len()).unwrap_or(NONE);
            *known.entry(stated).or_insert_with_key(|stated| {
                all.push(stated.clone());
                next
            })
        })
        .collect()
}

fn seconds(time: Option<DateTime<Utc>>) -> u32 {
    time.and_then(|time| u32::try_from(time.timestamp()).ok()).unwrap_or(NO_TIME)
}
