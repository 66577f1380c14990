//! The parts that a connector read, put together: the directory, how it was read, and the checks that every kind of
//! system allows.

use chrono::{DateTime, Utc};

use super::{
    account::Costs,
    checks::{self, Notes},
    listed::Listed,
};
use crate::{
    connector::ReadRequest,
    model::{
        directory::{Directory, Organization, Profile, Role, Source, UserRecord},
        id::{ProfileId, RoleId},
        reading::{CheckKind, Reading},
        unread::Unread,
        users::{UserBlock, Users},
    },
};

/// A list of users as it was read.
#[derive(Debug, Default)]
pub(in crate::connector) struct UserPages {
    /// The pages that had users, in order.
    pub(in crate::connector) blocks: Vec<UserBlock>,
    /// What was noticed while it was read.
    pub(in crate::connector) notes: Notes,
    /// How many records of users had no id that could be read.
    pub(in crate::connector) unidentified: u64,
}

impl UserPages {
    /// How many pages had users.
    pub(in crate::connector) fn count(&self) -> u32 {
        u32::try_from(self.blocks.len()).unwrap_or(u32::MAX)
    }

    /// How many users were received, including repeated ones.
    pub(in crate::connector) fn rows(&self) -> u64 {
        self.blocks.iter().map(|block| block.len() as u64).sum()
    }
}

/// The vendor's own list of administrators.
#[derive(Debug)]
pub(in crate::connector) enum Administrators {
    /// The list.
    Listed(Vec<UserBlock>),
    /// The list if it is not the list of all users, which some platforms return instead; otherwise why it is not
    /// evaluated.
    Filtered(Vec<UserBlock>, &'static str),
    /// Not available, and why.
    NotAvailable(String),
}

/// What one read of a workspace brought.
#[derive(Debug)]
pub(in crate::connector) struct Parts {
    pub(in crate::connector) source: Source,
    pub(in crate::connector) organization: Organization,
    pub(in crate::connector) current_user: UserRecord,
    pub(in crate::connector) roles: Listed<Role, RoleId>,
    pub(in crate::connector) profiles: Listed<Profile, ProfileId>,
    /// All users, and the results beyond the common checks.
    pub(in crate::connector) users: UserPages,
    /// The first page, read again after the rest.
    pub(in crate::connector) first_again: UserBlock,
    /// The last page, read again after the rest; `None` if it is the first.
    pub(in crate::connector) last_again: Option<UserBlock>,
    pub(in crate::connector) administrators: Administrators,
    /// The query of the user list, without the page.
    pub(in crate::connector) query: String,
    /// The requested page size, in users.
    pub(in crate::connector) per_page: u32,
}

/// The record of a read until now.
#[derive(Debug, Clone, Copy)]
pub(in crate::connector) struct Progressed {
    pub(in crate::connector) started_at: DateTime<Utc>,
    pub(in crate::connector) finished_at: DateTime<Utc>,
    /// Which read of everything it is, from 1.
    pub(in crate::connector) attempt: u32,
    pub(in crate::connector) costs: Costs,
}

/// Builds a directory, whose reading has no checks yet, and the results of the common checks.
pub(in crate::connector) fn assemble(
    parts: Parts,
    request: &ReadRequest,
    progressed: Progressed,
) -> (Directory, Notes) {
    let (pages, rows) = (parts.users.count(), parts.users.rows());
    let UserPages { blocks, mut notes, unidentified } = parts.users;
    parts.roles.note(&mut notes);
    parts.profiles.note(&mut notes);
    checks::pages_again(&blocks, &parts.first_again, parts.last_again.as_ref(), &mut notes);
    let rows_per_page = blocks.iter().map(|block| u32::try_from(block.len()).unwrap_or(u32::MAX)).collect();
    let (users, repeated) = Users::from_blocks(blocks);
    checks::distinct_users(rows, &repeated, users.len(), &mut notes);
    let Costs { answers, token_calls, unanswered, retries, bytes, repaired, .. } = progressed.costs;
    let reading = Reading {
        started_at: progressed.started_at,
        finished_at: progressed.finished_at,
        attempts: progressed.attempt,
        pages,
        per_page: parts.per_page,
        rows,
        rows_per_page,
        repeated: repeated.len() as u64,
        users: users.len() as u64,
        requests: answers + token_calls + unanswered,
        answers,
        token_calls,
        unanswered,
        retries,
        bytes,
        query: parts.query,
        checks: Vec::new(),
    };
    let directory = Directory {
        source: parts.source,
        organization: parts.organization,
        current_user: parts.current_user,
        users,
        roles: parts.roles.records,
        profiles: parts.profiles.records,
        unread: Unread { roles: parts.roles.unread, profiles: parts.profiles.unread },
        reading,
    };
    checks::records(&directory, unidentified, repaired, &mut notes);
    checks::reader_listed(&directory, &mut notes);
    match parts.administrators {
        Administrators::Filtered(listed, otherwise) if checks::is_everybody(&directory, &listed) => {
            notes.not_evaluated(CheckKind::Administrators, otherwise);
        }
        Administrators::Listed(listed) | Administrators::Filtered(listed, _) => {
            checks::administrators(&directory, request, &listed, &mut notes);
        }
        Administrators::NotAvailable(why) => notes.not_evaluated(CheckKind::Administrators, why),
    }
    (directory, notes)
}
