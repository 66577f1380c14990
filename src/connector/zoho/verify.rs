//! Reads everything, and checks that it was everything; where a check disagrees, reads everything again.
//!
//! A list that is read page by page slides when somebody is added or removed meanwhile: a user is skipped, or
//! comes twice. The checks cost four calls beside the pages, made at the same time.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use chrono::Utc;

use super::{
    ZohoBigin,
    read::{
        ADMINISTRATORS, ALL_USERS, Disagreement, PER_PAGE, UserList, arrived, ask, user_list, users_call, users_page,
    },
};
use crate::{
    access::{administrators::resolve_administrator_profiles, matrix::AccessMatrix},
    connector::{ConnectorError, Progress, ReadRequest, http::Account},
    model::{
        directory::{Directory, Source},
        reading::{Check, CheckKind, CheckOutcome, Reading},
        users::{UserBlock, Users},
    },
};

/// The checks of this connector, in the order of reports.
const CHECKS: [CheckKind; 7] = [
    CheckKind::DistinctUsers,
    CheckKind::PageLength,
    CheckKind::MoreRecords,
    CheckKind::FirstPageAgain,
    CheckKind::LastPageAgain,
    CheckKind::Administrators,
    CheckKind::ReaderListed,
];

/// Examples that a detail names.
const EXAMPLES: usize = 3;

/// One read of everything, and what did not fit in it.
struct Attempt {
    directory: Directory,
    disagreements: Vec<Disagreement>,
    not_evaluated: Vec<Disagreement>,
}

pub(super) async fn read(
    connector: &ZohoBigin,
    request: &ReadRequest,
    progress: &dyn Progress,
) -> Result<Directory, ConnectorError> {
    let account = Arc::new(Account::new(request.deadline).recorded_by(request.recorder.clone()));
    let started_at = Utc::now();
    let mut first_seen: BTreeMap<CheckKind, String> = BTreeMap::new();
    let mut number = 1;
    loop {
        let Attempt { mut directory, disagreements, not_evaluated } =
            attempt(connector, request, &account, progress).await?;
        let again = !disagreements.is_empty() && number < connector.api.settings.reads;
        if again {
            for (kind, detail) in disagreements {
                tracing::warn!(?kind, detail, "the read disagrees; everything is read again");
                first_seen.entry(kind).or_insert(detail);
            }
            number += 1;
            progress.again(number);
            tokio::time::sleep(connector.api.settings.pause_between_reads).await;
            continue;
        }
        if directory.users.is_empty() {
            return Err(ConnectorError::NoUsers { call: users_call(ALL_USERS, 1).name() });
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
        let (requests, retries, bytes) = account.totals();
        let reading = &mut directory.reading;
        (reading.requests, reading.retries, reading.bytes) = (requests, retries, bytes);
        reading.started_at = started_at;
        reading.finished_at = Utc::now();
        reading.attempts = number;
        reading.checks = CHECKS.map(|kind| Check { kind, outcome: outcome(kind) }).to_vec();
        return Ok(directory);
    }
}

async fn attempt(
    connector: &ZohoBigin,
    request: &ReadRequest,
    account: &Arc<Account>,
    progress: &dyn Progress,
) -> Result<Attempt, ConnectorError> {
    let api = &connector.api;
    let (mut list, organization, reader, roles, profiles) = tokio::try_join!(
        user_list(api, account, ALL_USERS, progress),
        connector.organization_of(account),
        connector.current_user_of(account),
        connector.roles(account),
        connector.profiles(account),
    )?;
    let end = list.pages().max(1);
    let beyond = list.beyond.take().unwrap_or_else(|| ask(api, account, ALL_USERS, end + 1));
    let last_again = async { if end == 1 { Ok(None) } else { users_page(api, account, ALL_USERS, end).await } };
    let (first_again, last_again, beyond, administrators) = tokio::join!(
        users_page(api, account, ALL_USERS, 1),
        last_again,
        arrived(beyond),
        user_list(api, account, ADMINISTRATORS, &()),
    );
    let ids = |page: Option<super::page::UsersPage>| page.map(|page| page.users).unwrap_or_default();
    let mut disagreements = list.disagreements.clone();
    disagreements.extend(slid(CheckKind::FirstPageAgain, 1, list.blocks.first(), &ids(first_again?)));
    if end > 1 {
        disagreements.extend(slid(CheckKind::LastPageAgain, end, list.blocks.last(), &ids(last_again?)));
    }
    match beyond {
        // That a page beyond the end is refused says the same as that it is empty.
        Ok(None) | Err(ConnectorError::Refused { .. }) => {}
        Ok(Some(beyond)) => {
            let held = beyond.users.len();
            let detail = format!("page {end} says that it is the last, and page {} holds {held} users", end + 1);
            disagreements.push((CheckKind::MoreRecords, detail));
        }
        Err(error) => return Err(error),
    }

    let (pages, rows) = (list.pages(), list.rows());
    let (users, repeated) = Users::from_blocks(list.blocks);
    if !repeated.is_empty() {
        let examples = examples(repeated.iter().map(ToString::to_string));
        disagreements
            .push((CheckKind::DistinctUsers, format!("{} came more than once: {examples}", count(repeated.len()))));
    }
    if users.find(reader.id.as_str()).is_none() {
        let detail = format!("the account that read (user {}) is not among the users", reader.id);
        disagreements.push((CheckKind::ReaderListed, detail));
    }
    let token = api.token(account).await?;
    let directory = Directory {
        source: Source {
            connector: "zoho_bigin",
            api_url: token.api,
            data_center: Some(api.settings.data_center.to_string()),
            scopes: token.scopes,
        },
        organization,
        current_user: reader,
        reading: Reading {
            started_at: Utc::now(),
            finished_at: Utc::now(),
            attempts: 1,
            pages,
            per_page: PER_PAGE,
            rows,
            users: users.len() as u64,
            requests: 0,
            retries: 0,
            bytes: 0,
            query: format!("GET /bigin/v2/users?type={ALL_USERS}&per_page={PER_PAGE}"),
            checks: Vec::new(),
        },
        users,
        roles,
        profiles,
    };
    let mut not_evaluated = Vec::new();
    match administrators {
        Ok(theirs) => disagreements.extend(administrators_disagree(&directory, request, &theirs)),
        Err(
            error @ (ConnectorError::Refused { .. }
            | ConnectorError::MissingRight { .. }
            | ConnectorError::MissingScope { .. }),
        ) => {
            not_evaluated.push((CheckKind::Administrators, error.to_string()));
        }
        Err(error) => return Err(error),
    }
    Ok(Attempt { directory, disagreements, not_evaluated })
}

/// Whether a page holds other users than when it was read first.
fn slid(kind: CheckKind, number: u32, before: Option<&UserBlock>, now: &UserBlock) -> Option<Disagreement> {
    let before: Vec<&str> = before.into_iter().flat_map(UserBlock::ids).collect();
    if before.iter().copied().eq(now.ids()) {
        return None;
    }
    let then: HashSet<&str> = before.iter().copied().collect();
    let new = now.ids().filter(|id| !then.contains(id)).count();
    let detail =
        format!("page {number} held {}; read again it held {}, {new} of them new", count(before.len()), now.len());
    Some((kind, detail))
}

/// The API's own list of administrators beside ours.
///
/// The API's filter knows only the built-in profile and may leave out those who cannot sign in, so that the two
/// lists need not be equal: each of theirs must be one of ours, and each of ours who is active, confirmed and
/// holds a profile that nobody made must be one of theirs.
fn administrators_disagree(directory: &Directory, request: &ReadRequest, theirs: &UserList) -> Option<Disagreement> {
    let (profiles, _) = resolve_administrator_profiles(&request.administrator_profiles, &directory.profiles);
    if profiles.is_empty() {
        // The run fails on this with a message of its own.
        return None;
    }
    let matrix = AccessMatrix::new(directory, &profiles);
    let listed: HashSet<&str> = theirs.blocks.iter().flat_map(UserBlock::ids).collect();
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
            count(strangers.len()),
            strangers.len() - known,
            examples(strangers.iter().map(ToString::to_string)),
        );
        return Some((CheckKind::Administrators, detail));
    }
    let built_in = |row: &crate::access::matrix::MatrixRow<'_>| {
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
            count(missing.len()),
            examples(missing.iter().cloned()),
        );
        (CheckKind::Administrators, detail)
    })
}

fn count(users: usize) -> String {
    if users == 1 { "1 user".to_owned() } else { format!("{users} users") }
}

fn examples(ids: impl Iterator<Item = String>) -> String {
    let mut ids = ids.peekable();
    let mut text = ids.by_ref().take(EXAMPLES).collect::<Vec<_>>().join(", ");
    if ids.peek().is_some() {
        text.push_str(", …");
    }
    text
}
