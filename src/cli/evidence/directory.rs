//! The configured directory of evidence, and the store as a witness of what it should hold.

use std::time::Duration;

use super::{key, unreadable};
use crate::{
    app,
    cli::output::Failure,
    config::settings::{Evidence, Settings},
    evidence::{
        agreement::{self, Found},
        ledger::LEDGER,
        signers::Allowed,
    },
    ledger::Head,
    run::ledger::{Parted, compare, was_kept},
    store::StoreError,
};

/// Longer than an entry of the store takes to its file.
const WRITING: Duration = Duration::from_millis(1_500);

/// What is found of the directory; none where there is no evidence yet, as the store says.
pub(super) async fn look(
    settings: &Settings,
    evidence: &Evidence,
    allowed: &Allowed,
    witnesses: &[Head],
) -> Result<Option<Found>, Failure> {
    let (folder, store) = (&evidence.directory, &settings.store.path);
    if !store.exists() {
        if !folder.exists() {
            return Ok(None);
        }
        let mut found = found(evidence, allowed, witnesses)?;
        let why = format!("there is no store {}: nobody else knows what the ledger should hold", store.display());
        found.problems.push(why);
        return Ok(Some(found));
    }
    let failed = |error: StoreError| Failure::failed(error.to_string());
    let store = app::store(settings).await.map_err(|error| Failure::failed(error.to_string()))?;
    if !folder.exists() {
        if !was_kept(&*store).await.map_err(failed)? {
            return Ok(None);
        }
        return Err(Failure::failed(format!(
            "{} is not there, and the store says that evidence was kept: it was taken away",
            folder.display()
        )));
    }
    let mut found = found(evidence, allowed, witnesses)?;
    let mut parted = compare(&*store, &found.testimony.chain).await.map_err(failed)?;
    if matches!(parted, Some(Parted::FileBehind { .. })) {
        // A daemon that is at work may just be writing.
        tokio::time::sleep(WRITING).await;
        found = self::found(evidence, allowed, witnesses)?;
        parted = compare(&*store, &found.testimony.chain).await.map_err(failed)?;
    }
    found.problems.extend(parted.map(|parted| format!("{LEDGER}: {parted}")));
    Ok(Some(found))
}

/// What is found without the store. That nobody used the configured key yet explains much, and is said first.
fn found(evidence: &Evidence, allowed: &Allowed, witnesses: &[Head]) -> Result<Found, Failure> {
    let folder = &evidence.directory;
    let found = agreement::directory(folder, allowed.clone(), witnesses);
    let mut found = found.map_err(|error| unreadable(folder, &error))?;
    let new = key(evidence)?.map(|key| key.fingerprint()).filter(|key| !found.testimony.names(key));
    if let (Some(new), false) = (new, found.problems.is_empty()) {
        let why = "has signed nothing here yet: the next audit, or the daemon when it starts, signs with it";
        found.problems.insert(0, format!("the configured key {new} {why}"));
    }
    Ok(found)
}
