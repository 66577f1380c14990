//! Whether what was read was everything: what two connectors to the same product compare, and how often they read again.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    time::Duration,
};

use async_trait::async_trait;
use chrono::Utc;

use super::{ConnectorError, Progress, ReadRequest, http::Account};
use crate::{
    access::{
        administrators::resolve_administrator_profiles,
        matrix::{AccessMatrix, MatrixRow},
    },
    model::{
        directory::Directory,
        id::UserId,
        reading::{Check, CheckKind, CheckOutcome},
        users::{User, UserBlock},
    },
    words::count,
};

/// Something that does not fit, and what.
pub(super) type Disagreement = (CheckKind, String);

/// Examples that a detail names.
const EXAMPLES: usize = 3;

/// One read of everything, and what did not fit in it.
pub(super) struct Attempt {
    pub(super) directory: Directory,
    pub(super) disagreements: Vec<Disagreement>,
    pub(super) not_evaluated: Vec<Disagreement>,
    /// What was compared, in numbers.
    pub(super) figures: Vec<(CheckKind, String)>,
}

/// Reads everything once.
#[async_trait]
pub(super) trait ReadsOnce: Send + Sync {
    async fn attempt(&self) -> Result<Attempt, ConnectorError>;
}

/// How often everything is read before a disagreement counts, and the wait between two reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    pub(super) reads: u32,
    pub(super) pause: Duration,
}

/// Reads until no check disagrees, or as often as patience goes. `checks` are those that the connector can make, in the
/// order of reports.
pub(super) async fn read(
    patience: Patience,
    checks: &[CheckKind],
    account: &Account,
    progress: &dyn Progress,
    reader: &dyn ReadsOnce,
) -> Result<Directory, ConnectorError> {
    let started_at = Utc::now();
    let mut first_seen: BTreeMap<CheckKind, String> = BTreeMap::new();
    let mut number = 1;
    loop {
        let Attempt { mut directory, disagreements, not_evaluated, figures } = reader.attempt().await?;
        if !disagreements.is_empty() && number < patience.reads {
            for (kind, detail) in disagreements {
                tracing::warn!(?kind, detail, "the read disagrees; everything is read again");
                first_seen.entry(kind).or_insert(detail);
            }
            number += 1;
            progress.again(number);
            tokio::time::sleep(patience.pause).await;
            continue;
        }
        if directory.users.is_empty() {
            return Err(ConnectorError::NoUsers { call: directory.reading.query });
        }
        let outcome = |kind: CheckKind| {
            let of = |list: &[Disagreement]| list.iter().find(|(k, _)| *k == kind).map(|(_, detail)| detail.clone());
            if let Some(detail) = of(&disagreements) {
                CheckOutcome::Disagreed { detail }
            } else if let Some(detail) = of(&not_evaluated) {
                CheckOutcome::NotEvaluated { detail }
            } else if let Some(detail) = first_seen.get(&kind) {
                CheckOutcome::Repaired { detail: detail.clone() }
            } else {
                CheckOutcome::Agreed
            }
        };
        let costs = account.costs();
        let reading = &mut directory.reading;
        reading.requests = costs.answers + costs.token_calls + costs.unanswered;
        (reading.answers, reading.token_calls, reading.unanswered) =
            (costs.answers, costs.token_calls, costs.unanswered);
        (reading.retries, reading.bytes) = (costs.retries, costs.bytes);
        reading.started_at = started_at;
        reading.finished_at = Utc::now();
        reading.attempts = number;
        let figures_of = |kind| figures.iter().find(|(of, _)| *of == kind).map(|(_, text)| text.clone());
        let check = |&kind| Check { kind, outcome: outcome(kind), figures: figures_of(kind).unwrap_or_default() };
        // Reading again mends no clock.
        reading.checks = checks.iter().map(check).chain([costs.clock.check()]).collect();
        return Ok(directory);
    }
}

/// What the account that read says of the users that it read.
pub(super) fn reader_missing(directory: &Directory) -> Option<Disagreement> {
    let reader = &directory.current_user.id;
    directory
        .users
        .find(reader.as_str())
        .is_none()
        .then(|| (CheckKind::ReaderListed, format!("the account that read (user {reader}) is not among the users")))
}

/// How many users each page held.
pub(super) fn rows_per_page(blocks: &[UserBlock]) -> Vec<u32> {
    blocks.iter().map(|block| u32::try_from(block.len()).unwrap_or(u32::MAX)).collect()
}

/// The figures of [`CheckKind::DistinctUsers`].
pub(super) fn distinct(rows: u64, repeated: &[UserId], users: usize) -> String {
    format!("{rows} rows, {} of them with an id that came before, {users} distinct ids", repeated.len())
}

/// The figures of a page that was read once more.
pub(super) fn compared(number: u32, before: Option<&UserBlock>, now: &UserBlock) -> String {
    let then: HashSet<&str> = before.into_iter().flat_map(UserBlock::ids).collect();
    let same = now.ids().filter(|id| then.contains(id)).count();
    format!("page {number} held {} users; read again it holds {}, {same} of them the same", then.len(), now.len())
}

/// The figures of [`CheckKind::ReaderListed`].
pub(super) fn reader_listed(directory: &Directory) -> String {
    let reader = &directory.current_user.id;
    let times = usize::from(directory.users.find(reader.as_str()).is_some());
    format!("user {reader} is {times} of {} users", directory.users.len())
}

/// The figures of [`CheckKind::Administrators`].
pub(super) fn administrators_compared(directory: &Directory, request: &ReadRequest, theirs: &[UserBlock]) -> String {
    let (profiles, _) = resolve_administrator_profiles(&request.administrator_profiles, &directory.profiles);
    let users = &directory.users;
    let is_ours: Vec<bool> = users.stated_profiles().iter().map(|stated| profiles.contains(&stated.id)).collect();
    let is_administrator = |user: &User<'_>| user.profile_place().is_some_and(|place| is_ours[place]);
    let listed: HashSet<&str> = theirs.iter().flat_map(UserBlock::ids).collect();
    format!(
        "the API lists {}, by their profiles it is {}, {} are in both; only who is active, confirmed and of a built-in profile must be",
        listed.len(),
        users.iter().filter(is_administrator).count(),
        listed.iter().filter(|id| users.find(id).as_ref().is_some_and(is_administrator)).count()
    )
}

/// Users that came more than once.
pub(super) fn repeated_users(repeated: &[UserId]) -> Option<Disagreement> {
    let users: BTreeSet<&str> = repeated.iter().map(UserId::as_str).collect();
    (!users.is_empty()).then(|| {
        let examples = examples(users.iter().map(ToString::to_string));
        (CheckKind::DistinctUsers, format!("{} came more than once: {examples}", count(users.len(), "user")))
    })
}

/// Whether a page holds other users than when it was read first.
pub(super) fn slid(kind: CheckKind, number: u32, before: Option<&UserBlock>, now: &UserBlock) -> Option<Disagreement> {
    let before: Vec<&str> = before.into_iter().flat_map(UserBlock::ids).collect();
    if before.iter().copied().eq(now.ids()) {
        return None;
    }
    let then: HashSet<&str> = before.iter().copied().collect();
    let new = now.ids().filter(|id| !then.contains(id)).count();
    let detail = format!(
        "page {number} held {}; read again it held {}, {new} of them new",
        count(before.len(), "user"),
        now.len()
    );
    Some((kind, detail))
}

/// The API's own list of administrators beside ours.
///
/// The API's filter knows only the built-in profile and may leave out those who cannot sign in, so that the two
/// lists need not be equal: each of theirs must be one of ours, and each of ours who is active, confirmed and
/// holds a profile that nobody made must be one of theirs.
pub(super) fn administrators_disagree(
    directory: &Directory,
    request: &ReadRequest,
    theirs: &[UserBlock],
) -> Option<Disagreement> {
    let (profiles, _) = resolve_administrator_profiles(&request.administrator_profiles, &directory.profiles);
    if profiles.is_empty() {
        // The run fails on this with a message of its own.
        return None;
    }
    let matrix = AccessMatrix::new(directory, &profiles);
    let listed: HashSet<&str> = theirs.iter().flat_map(UserBlock::ids).collect();
    let mut strangers: Vec<&str> = listed
        .iter()
        .copied()
        .filter(|id| !directory.users.find(id).is_some_and(|user| matrix.row(user.index()).administrator))
        .collect();
    strangers.sort_unstable();
    if !strangers.is_empty() {
        let known = strangers.iter().filter(|id| directory.users.find(id).is_some()).count();
        let detail = format!(
            "the API lists {} as administrators who are none by profile ({known} of them without an administrator profile, {} not among the users): {}",
            count(strangers.len(), "user"),
            strangers.len() - known,
            examples(strangers.iter().map(ToString::to_string)),
        );
        return Some((CheckKind::Administrators, detail));
    }
    let built_in = |row: &MatrixRow<'_>| {
        row.profile.and_then(|profile| profile.master).is_some_and(|profile| {
            // Where the API does not say who made a profile, only the name is left to go by.
            profile.custom.map_or(profile.name == "Administrator", |custom| !custom)
        })
    };
    let missing: Vec<String> = matrix
        .rows()
        .filter(|row| row.is_active_administrator() && row.user.confirmed() == Some(true) && built_in(row))
        .filter(|row| !listed.contains(row.user.id()))
        .map(|row| row.user.id().to_owned())
        .collect();
    (!missing.is_empty()).then(|| {
        let detail = format!(
            "{} with an administrator profile missing from the API's own list: {}",
            count(missing.len(), "user"),
            examples(missing.iter().cloned()),
        );
        (CheckKind::Administrators, detail)
    })
}

fn examples(ids: impl Iterator<Item = String>) -> String {
    let mut ids = ids.peekable();
    let mut text = ids.by_ref().take(EXAMPLES).collect::<Vec<_>>().join(", ");
    if ids.peek().is_some() {
        text.push_str(", …");
    }
    text
}
