//! The checks of a read that every kind of system allows: what is compared, in numbers, and what disagrees.

use std::collections::{BTreeSet, HashSet};

use crate::{
    access::{
        administrators::resolve_administrator_profiles,
        matrix::{AccessMatrix, MatrixRow},
    },
    connector::ReadRequest,
    model::{
        directory::Directory,
        id::UserId,
        reading::{Check, CheckKind, CheckOutcome},
        unread::Field,
        users::{User, UserBlock},
    },
    words::{count, number, some_of},
};

/// The most records that are named as examples.
const EXAMPLES: usize = 5;

/// What checks found in one read of everything.
#[derive(Debug, Clone, Default)]
pub(in crate::connector) struct Notes {
    disagreements: Vec<(CheckKind, String)>,
    not_evaluated: Vec<(CheckKind, String)>,
    /// What was compared, in numbers.
    figures: Vec<(CheckKind, String)>,
}

impl Notes {
    /// Something does not fit.
    pub(in crate::connector) fn disagree(&mut self, kind: CheckKind, detail: impl Into<String>) {
        self.disagreements.push((kind, detail.into()));
    }

    /// A check cannot be made.
    pub(in crate::connector) fn not_evaluated(&mut self, kind: CheckKind, why: impl Into<String>) {
        self.not_evaluated.push((kind, why.into()));
    }

    /// What a check compared, in numbers.
    pub(in crate::connector) fn figure(&mut self, kind: CheckKind, figures: impl Into<String>) {
        self.figures.push((kind, figures.into()));
    }

    /// Everything that does not fit.
    pub(super) fn disagreements(&self) -> &[(CheckKind, String)] {
        &self.disagreements
    }

    /// Whether there is anything to say of a check.
    pub(super) fn mentions(&self, kind: CheckKind) -> bool {
        self.disagreements.iter().chain(&self.not_evaluated).any(|(of, _)| *of == kind)
    }

    /// Everything that was noted of a check.
    fn all_of(&self, kind: CheckKind) -> CheckOutcome {
        let all = self.disagreements.iter().chain(&self.not_evaluated).filter(|(of, _)| *of == kind);
        let detail = all.map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("; ");
        if self.disagreements.iter().any(|(of, _)| *of == kind) {
            CheckOutcome::Disagreed { detail }
        } else {
            CheckOutcome::NotEvaluated { detail }
        }
    }

    /// A check as recorded for the read. `repaired` is what disagreed in an earlier attempt.
    pub(super) fn check(&self, kind: CheckKind, repaired: Option<&String>) -> Check {
        let of = |list: &[(CheckKind, String)]| list.iter().find(|(of, _)| *of == kind).map(|(_, text)| text.clone());
        let outcome = if matches!(kind, CheckKind::Records | CheckKind::Lists) && self.mentions(kind) {
            self.all_of(kind)
        } else if let Some(detail) = of(&self.disagreements) {
            CheckOutcome::Disagreed { detail }
        } else if let Some(detail) = of(&self.not_evaluated) {
            CheckOutcome::NotEvaluated { detail }
        } else if let Some(detail) = repaired {
            CheckOutcome::Repaired { detail: detail.clone() }
        } else {
            CheckOutcome::Agreed
        };
        Check { kind, outcome, figures: of(&self.figures).unwrap_or_default() }
    }
}

/// Whether the first and the last page hold the same users as when they were read first.
pub(super) fn pages_again(blocks: &[UserBlock], first: &UserBlock, last: Option<&UserBlock>, notes: &mut Notes) {
    page_again(CheckKind::FirstPageAgain, 1, blocks.first(), first, notes);
    let Some(last) = last else {
        notes.figure(CheckKind::LastPageAgain, "page 1 is the last, and is compared as the first");
        return;
    };
    let number = u32::try_from(blocks.len()).unwrap_or(u32::MAX);
    page_again(CheckKind::LastPageAgain, number, blocks.last(), last, notes);
}

fn page_again(kind: CheckKind, number: u32, before: Option<&UserBlock>, now: &UserBlock, notes: &mut Notes) {
    let before: Vec<&str> = before.into_iter().flat_map(UserBlock::ids).collect();
    let then: HashSet<&str> = before.iter().copied().collect();
    let same = now.ids().filter(|id| then.contains(id)).count();
    let figures =
        format!("page {number} held {} users; read again it holds {}, {same} of them the same", then.len(), now.len());
    notes.figure(kind, figures);
    if !before.iter().copied().eq(now.ids()) {
        let (held, new) = (count(before.len(), "user"), now.len() - same);
        notes.disagree(kind, format!("page {number} held {held}; read again it held {}, {new} of them new", now.len()));
    }
}

/// Which records have fields that could not be read, by examples.
pub(super) fn records(directory: &Directory, unidentified: u64, repaired: u64, notes: &mut Notes) {
    if unidentified > 0 {
        let detail = format!("{} came without an id that can be read", count(unidentified, "user"));
        notes.disagree(CheckKind::Records, detail);
    }
    let users = directory.users.iter().filter(|user| !user.unread().is_empty());
    let users = users.map(|user| ("user", user.id(), user.unread()));
    let roles = directory.unread.roles.iter().map(|(id, fields)| ("role", id.as_str(), *fields));
    let profiles = directory.unread.profiles.iter().map(|(id, fields)| ("profile", id.as_str(), *fields));
    let (mut some, mut all) = (Vec::new(), 0_u64);
    for (kind, id, fields) in users.chain(roles).chain(profiles) {
        all += 1;
        if some.len() < EXAMPLES {
            some.push(format!("{kind} {id} {}", fields.words()));
        }
    }
    if all > 0 {
        let records = count(all, "record");
        let more = all - some.len() as u64;
        let more = if more > 0 { format!(" and {} more", number(more)) } else { String::new() };
        let detail = format!("{records} had fields that could not be read: {}{more}", some.join("; "));
        notes.not_evaluated(CheckKind::Records, detail);
    }
    if repaired > 0 {
        let detail = format!(
            "{} contained characters that are not valid text; each was replaced with U+FFFD",
            count(repaired, "answer")
        );
        notes.not_evaluated(CheckKind::Records, detail);
    }
}

/// Whether every user was received once.
pub(super) fn distinct_users(rows: u64, repeated: &[UserId], users: usize, notes: &mut Notes) {
    let again = repeated.len();
    let figures = format!("{rows} rows, {again} of them with a repeated id, {users} distinct ids");
    notes.figure(CheckKind::DistinctUsers, figures);
    let repeated: BTreeSet<&str> = repeated.iter().map(UserId::as_str).collect();
    if !repeated.is_empty() {
        let examples = some_of(repeated.iter().copied(), repeated.len());
        notes.disagree(
            CheckKind::DistinctUsers,
            format!("{} received more than once: {examples}", count(repeated.len(), "user")),
        );
    }
}

/// Whether the account that read is among the users that it read.
pub(super) fn reader_listed(directory: &Directory, notes: &mut Notes) {
    let reader = &directory.current_user.id;
    let is_listed = directory.users.find(reader.as_str()).is_some();
    let figures = format!("user {reader} is {} of {} users", usize::from(is_listed), directory.users.len());
    notes.figure(CheckKind::ReaderListed, figures);
    if !is_listed {
        notes
            .disagree(CheckKind::ReaderListed, format!("the account that read (user {reader}) is not among the users"));
    }
}

/// Whether a list of administrators is the list of all users, although they do not all have the same profile.
pub(super) fn is_everybody(directory: &Directory, listed: &[UserBlock]) -> bool {
    let listed: HashSet<&str> = listed.iter().flat_map(UserBlock::ids).collect();
    let profiles: HashSet<Option<&str>> =
        directory.users.iter().map(|user| user.profile().map(|profile| profile.id.as_str())).collect();
    profiles.len() > 1 && listed.len() == directory.users.len()
}

/// The API's own list of administrators against ours.
///
/// The API's filter knows only the built-in profile and may leave out those who cannot sign in, so that the two lists
/// need not be equal: each of theirs must be one of ours, and each of ours who is active, confirmed and has a built-in
/// profile must be one of theirs.
pub(super) fn administrators(directory: &Directory, request: &ReadRequest, theirs: &[UserBlock], notes: &mut Notes) {
    let (profiles, _) = resolve_administrator_profiles(&request.administrator_profiles, &directory.profiles);
    let users = &directory.users;
    let listed: HashSet<&str> = theirs.iter().flat_map(UserBlock::ids).collect();
    let is_ours: Vec<bool> = users.stated_profiles().iter().map(|stated| profiles.contains(&stated.id)).collect();
    let is_administrator = |user: &User<'_>| user.profile_place().is_some_and(|place| is_ours[place]);
    let figures = format!(
        "the API lists {}, by their profiles it is {}, {} are in both; only who is active, confirmed and of a built-in profile must be",
        listed.len(),
        users.iter().filter(is_administrator).count(),
        listed.iter().filter(|id| users.find(id).as_ref().is_some_and(is_administrator)).count()
    );
    notes.figure(CheckKind::Administrators, figures);
    // Without such a profile the run fails with a message of its own.
    if profiles.is_empty() {
        return;
    }
    let matrix = AccessMatrix::new(directory, &profiles, &[]);
    if let Some(detail) = not_ours(directory, &matrix, &listed).or_else(|| not_theirs(&matrix, &listed)) {
        notes.disagree(CheckKind::Administrators, detail);
    }
}

/// Users that the API lists as administrators, and that are not by their profile.
fn not_ours(directory: &Directory, matrix: &AccessMatrix<'_>, listed: &HashSet<&str>) -> Option<String> {
    // Of a user whose profile could not be read it is not known.
    let is_ours = |id: &str| {
        let user = directory.users.find(id);
        user.is_some_and(|user| user.unread().has(Field::Profile) || matrix.row(user.index()).administrator)
    };
    let mut strangers: Vec<&str> = listed.iter().copied().filter(|id| !is_ours(id)).collect();
    strangers.sort_unstable();
    let known = strangers.iter().filter(|id| directory.users.find(id).is_some()).count();
    (!strangers.is_empty()).then(|| {
        format!(
            "the API lists {} as administrators who are not by profile ({known} of them without an administrator profile, {} not among the users): {}",
            count(strangers.len(), "user"),
            strangers.len() - known,
            some_of(strangers.iter().copied(), strangers.len()),
        )
    })
}

/// Administrators by profile that the API must list, and does not.
fn not_theirs(matrix: &AccessMatrix<'_>, listed: &HashSet<&str>) -> Option<String> {
    let built_in = |row: &MatrixRow<'_>| {
        row.profile.and_then(|profile| profile.master).is_some_and(|profile| {
            // If the API does not say who made a profile, only the name is left to go by.
            profile.custom.map_or(profile.name == "Administrator", |custom| !custom)
        })
    };
    let is_expected =
        |row: &MatrixRow<'_>| row.is_active_administrator() && row.user.confirmed() == Some(true) && built_in(row);
    let missing: Vec<String> = matrix
        .rows()
        .filter(|row| is_expected(row) && !listed.contains(row.user.id()))
        .map(|row| row.user.id().to_owned())
        .collect();
    (!missing.is_empty()).then(|| {
        let examples = some_of(missing.iter().map(String::as_str), missing.len());
        let missing = count(missing.len(), "user");
        format!("{missing} with an administrator profile missing from the API's own list: {examples}")
    })
}
