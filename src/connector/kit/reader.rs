//! Reads everything, and reads it again while a check disagrees.
//!
//! A list that is read page by page slides when a user is added or removed meanwhile: one is skipped, or comes twice.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;

use super::{
    account::Account,
    assembly::{Parts, Progressed, assemble},
};
use crate::{
    clock::Clock,
    connector::{
        contract::{Progress, ReadRequest},
        error::{Cause, ConnectorError},
    },
    model::{directory::Directory, reading::CheckKind},
};

/// How often everything is read before a disagreement is reported, and the wait between two reads.
#[derive(Debug, Clone, Copy)]
pub(in crate::connector) struct Rereads {
    pub(in crate::connector) reads: u32,
    pub(in crate::connector) pause: Duration,
}

/// The checks that every kind of system allows, in the order of reports.
const COMMON_CHECKS: [CheckKind; 7] = [
    CheckKind::DistinctUsers,
    CheckKind::PageLength,
    CheckKind::MoreRecords,
    CheckKind::FirstPageAgain,
    CheckKind::LastPageAgain,
    CheckKind::Administrators,
    CheckKind::ReaderListed,
];

/// Reads everything once, in the way of its kind of system.
#[async_trait]
pub(in crate::connector) trait Reader: Send + Sync {
    /// The checks that it makes in addition to the common ones.
    fn more_checks(&self) -> &'static [CheckKind] {
        &[]
    }

    fn rereads(&self) -> Rereads;

    /// The clock that dates its reads.
    fn clock(&self) -> &Clock;

    async fn read_once(&self, account: &Arc<Account>, progress: &dyn Progress) -> Result<Parts, ConnectorError>;
}

/// Reads until no check disagrees, or as often as it may, within the deadline.
pub(in crate::connector) async fn read(
    reader: &dyn Reader,
    request: &ReadRequest,
    progress: &dyn Progress,
) -> Result<Directory, ConnectorError> {
    let read = read_until_complete(reader, request, progress);
    let late = |_| ConnectorError::new("", Cause::Deadline(request.deadline));
    tokio::time::timeout(request.deadline, read).await.map_err(late)?
}

async fn read_until_complete(
    reader: &dyn Reader,
    request: &ReadRequest,
    progress: &dyn Progress,
) -> Result<Directory, ConnectorError> {
    let account = Arc::new(Account::new(request.deadline).recorded_by(request.recorder.clone()));
    let Rereads { reads, pause } = reader.rereads();
    let started_at = reader.clock().now();
    let mut first_seen: BTreeMap<CheckKind, String> = BTreeMap::new();
    let mut attempt = 1;
    loop {
        let parts = reader.read_once(&account, progress).await?;
        let costs = account.costs();
        let progressed = Progressed { started_at, finished_at: reader.clock().now(), attempt, costs };
        let (mut directory, notes) = assemble(parts, request, progressed);
        if !notes.disagreements().is_empty() && attempt < reads {
            for (kind, detail) in notes.disagreements() {
                tracing::warn!(?kind, detail, "a check disagrees; everything is read again");
                first_seen.entry(*kind).or_insert_with(|| detail.clone());
            }
            attempt += 1;
            progress.again(attempt);
            tokio::time::sleep(pause).await;
            continue;
        }
        if directory.users.is_empty() {
            return Err(ConnectorError::new(directory.reading.query, Cause::NoUsers));
        }
        let checks =
            COMMON_CHECKS.iter().chain(reader.more_checks()).map(|kind| notes.check(*kind, first_seen.get(kind)));
        // Reading again does not correct a clock.
        // Only named if there is something to say.
        let rare = [CheckKind::Records, CheckKind::Lists];
        let rare = rare.iter().filter(|kind| notes.mentions(**kind) || first_seen.contains_key(*kind));
        let rare = rare.map(|kind| notes.check(*kind, first_seen.get(kind)));
        directory.reading.checks = checks.chain(rare).chain([costs.clock.check()]).collect();
        return Ok(directory);
    }
}
