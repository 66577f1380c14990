//! The latest audits of large workspaces, indexed before somebody asks for them: that takes seconds with 100,000 users.

use std::{sync::Arc, time::Duration};

use super::{
    Console,
    shelf::{AUDITS, USERS},
};
use crate::store::{AuditRecord, StoreError};

/// How often it is looked whether there is a new audit.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Smaller audits are indexed when somebody asks for them.
const LARGE: u64 = 2_000;

/// Indexes the latest audits of large workspaces as they come, until it is dropped.
pub async fn keep(console: Arc<Console>) {
    let mut seen = None;
    loop {
        match look(&console, seen).await {
            Ok(head) => seen = Some(head),
            Err(error) => tracing::warn!(%error, "an audit could not be indexed for the console"),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Looks once. Every audit is in the ledger: nothing has come if its last entry is the one that was seen last.
pub(super) async fn look(console: &Console, seen: Option<u64>) -> Result<u64, StoreError> {
    let head = console.store().head().await?.number;
    if seen == Some(head) {
        return Ok(head);
    }
    let (shelf, plans) = (&console.site().shelf, console.site().plans());
    let mut latest = Vec::new();
    for workspace in plans.workspaces.keys() {
        latest.extend(shelf.latest_of(&plans.jobs_of(workspace), workspace).await?);
    }
    for record in wanted(latest) {
        if !shelf.has(record.id) {
            shelf.audit(record.id).await?;
            tracing::info!(
                workspace = record.workspace,
                users = record.users,
                "indexed the latest audit for the console"
            );
        }
    }
    Ok(head)
}

/// The audits that are indexed beforehand: the largest that fit into half of the room, so that they do not push out one another
/// or what people look at.
fn wanted(mut latest: Vec<AuditRecord>) -> Vec<AuditRecord> {
    latest.retain(|record| record.users >= LARGE);
    latest.sort_by_key(|record| std::cmp::Reverse(record.users));
    let mut all = 0;
    latest.retain(|record| {
        let fits = all + record.users <= USERS as u64 / 2 || all == 0;
        all += if fits { record.users } else { 0 };
        fits
    });
    latest.truncate(AUDITS / 2);
    latest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::testing::indexed;

    #[test]
    fn the_largest_audits_that_fit_are_indexed_beforehand() {
        let record = |users: u64| AuditRecord { users, ..indexed(&[]).record };
        let sizes = |users: &[u64]| {
            let wanted = wanted(users.iter().map(|users| record(*users)).collect());
            wanted.iter().map(|record| record.users).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&[100, 5_000, 100_000, 1_999]), [100_000, 5_000]);
        assert_eq!(sizes(&[200_000, 150_000, 90_000]), [200_000, 90_000]);
        assert_eq!(sizes(&[2_000_000, 3_000]), [2_000_000], "one has to be indexed however large it is");
        assert_eq!(sizes(&[2_000; 30]).len(), AUDITS / 2);
    }
}
