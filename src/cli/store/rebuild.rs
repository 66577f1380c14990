//! `rolecall store rebuild`: restores a lost store from the evidence, and says what it could not restore.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;

use crate::{
    app,
    cli::{
        args::RebuildArgs,
        evidence::{self, recompute},
        output::{self, Failure},
    },
    evidence::storage::Storage,
    model::audit::Audit,
    run::rebuild::{RebuildReport, Rebuilding, Remake},
    store::rebuild::{LostReview, Open, Unsent},
    words::count,
};

/// The longest line that is shown, in characters.
const LONGEST: usize = 1_000;

/// Audits made again from their bags.
struct FromBags(Arc<dyn Storage>);

#[async_trait]
impl Remake for FromBags {
    async fn audit(&self, folder: &str) -> Result<Audit, String> {
        recompute::audit(&*self.0, folder).await.map_err(|failure| match failure {
            Failure::Usage(why) | Failure::Failed(why) | Failure::Findings(why) => why,
        })
    }
}

pub(super) async fn run(named: Option<&Path>, args: &RebuildArgs) -> Result<(), Failure> {
    let (settings, kept) = evidence::configured(named)?;
    let allowed = match &args.allowed_signers {
        Some(file) => evidence::signers_of(file)?,
        None => evidence::signers(&kept)?,
    };
    let storage = evidence::existing(&kept)?;
    let failed = |error: &dyn std::fmt::Display| Failure::failed(error.to_string());
    let to = app::tables(&settings.store.place).await.map_err(|error| failed(&error))?;
    output::note(&format!("Verifying {}, and restoring {} from it", storage.place(""), to.place()));
    let reviews = settings.reviews.iter().map(|(name, review)| (name.clone(), review.terms.clone())).collect();
    let rebuilding = Rebuilding {
        storage: Arc::clone(&storage),
        allowed,
        witnesses: &args.witnesses,
        accepts_unsigned: args.accept_unsigned,
        remake: &FromBags(storage),
        reviews: &reviews,
    };
    let report = rebuilding.into_store(&*to).await.map_err(|error| failed(&error))?;
    print(&report);
    Ok(())
}

fn print(report: &RebuildReport) {
    let RebuildReport { restored, head, snapshots, .. } = report;
    for table in &restored.tables {
        if table.rows > 0 {
            output::line(&format!("ok       {:<15} {}", table.table, count(table.rows, "row")));
        }
    }
    output::line(&format!("\nRestored up to entry {head} of the ledger, which the last mail may confirm."));
    output::line(&format!("{} with all that they saw.", count(*snapshots, "audit")));
    for Open { job, workspace, fire_at } in &restored.open {
        let due = fire_at.format("%Y-%m-%d %H:%M UTC");
        output::line(&format!("due      {job} for {workspace} at {due}: the daemon does it when it starts"));
    }
    let lost = lost(report);
    if lost.is_empty() {
        output::line("Nothing that the ledger names is missing.");
    } else {
        output::line("\nNot restored:");
        for line in &lost {
            output::line(&format!("  - {}", output::plain(line, LONGEST)));
        }
    }
    for remark in &report.remarks {
        output::line(&format!("note    {}", output::plain(remark, LONGEST)));
    }
    output::line(
        "\nThe evidence never has these, so they are gone: who was signed in to the console, sign-in links that were not\n\
         used, attempts that failed before one succeeded, pings that were waiting, and notices of failures that were\n\
         waiting. People sign in again.",
    );
}

/// What could not be restored, one line each.
fn lost(report: &RebuildReport) -> Vec<String> {
    let mut lost = Vec::new();
    for (folder, problems) in &report.left_out {
        lost.push(format!(
            "the bag {folder} is not as it was sealed, and nothing was taken from it: {}",
            problems.join("; ")
        ));
    }
    lost.extend(report.missing.iter().cloned());
    for (audit, why) in &report.without_snapshot {
        lost.push(format!(
            "what audit {audit} saw of the accounts: {why}. If it was the last of its job and workspace, the next audit has \
             nothing to compare with"
        ));
    }
    for Unsent { job, workspace, fire_at, message_id, .. } in &report.restored.unsent {
        let due = fire_at.format("%Y-%m-%d %H:%M UTC");
        lost.push(format!(
            "the report of {job} for {workspace} at {due}, {message_id}: it was in the outbox, and nobody knows whether it \
             was sent. `rolecall evidence coverage` counts it as not delivered"
        ));
    }
    for LostReview { id, name, reason } in &report.restored.reviews {
        lost.push(format!("the review {name}, {id}: {reason}. Its decisions are in the ledger; open a new one"));
    }
    lost
}
