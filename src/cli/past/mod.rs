//! `rolecall access`, `history` and `diff`: who had which access when, from what earlier audits saw. They ask no API.

mod access;
mod diff;
mod history;

use std::{path::Path, sync::Arc};

use chrono::{DateTime, SecondsFormat, Utc};

use super::{
    args::{AccessArgs, DiffArgs, HistoryArgs},
    check,
    output::{self, Failure, plain},
    workspaces,
};
use crate::{
    app,
    config::settings::Settings,
    past::answer::ReadRow,
    run::vault::Vault,
    store::{Database, history::ReadCursor},
};

/// Maximum length of a text in the output.
const TEXT: usize = 200;

pub(super) async fn access(named: Option<&Path>, args: AccessArgs) -> Result<(), Failure> {
    access::run(&Desk::open(named).await?, &args).await
}

pub(super) async fn history(named: Option<&Path>, args: HistoryArgs) -> Result<(), Failure> {
    history::run(&Desk::open(named).await?, &args).await
}

pub(super) async fn diff(named: Option<&Path>, args: DiffArgs) -> Result<(), Failure> {
    diff::run(&Desk::open(named).await?, &args).await
}

/// What every question needs.
struct Desk {
    settings: Settings,
    store: Arc<dyn Database>,
    vault: Option<Vault>,
}

impl Desk {
    async fn open(named: Option<&Path>) -> Result<Self, Failure> {
        let settings = check::load_quietly(named)?;
        let vault = app::vault(&settings).map_err(|error| Failure::usage(error.to_string()))?;
        let store = app::existing_store(&settings).await.map_err(failed)?;
        let store = store.ok_or_else(|| {
            Failure::failed(format!("there is no store yet: {}; no audit has been kept", app::store_place(&settings)))
        })?;
        Ok(Self { settings, store, vault })
    }

    /// The workspaces to look in: the named one or all.
    async fn workspaces(&self, named: Option<&str>) -> Result<Vec<String>, Failure> {
        match named {
            Some(name) => Ok(vec![self.known(name).await?]),
            None => Ok(self.settings.workspaces.keys().cloned().collect()),
        }
    }

    /// The name of a workspace that is configured, or that an audit was kept of before it left the configuration.
    async fn known(&self, name: &str) -> Result<String, Failure> {
        if self.store.last_read(name, ReadCursor::end_of(DateTime::<Utc>::MAX_UTC)).await.map_err(failed)?.is_none() {
            workspaces::named(&self.settings, Some(name))?;
        }
        Ok(name.to_owned())
    }
}

fn failed(error: impl std::fmt::Display) -> Failure {
    Failure::failed(plain(&error.to_string(), 2_000))
}

/// A moment to the second, in UTC.
fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// A read as a person would look it up: its audit, and where its evidence is.
fn source(read: &ReadRow) -> String {
    let bag = read.bag.as_ref().map_or_else(|| "no evidence kept".to_owned(), |bag| format!("evidence {bag}"));
    format!("{}, audit {}, {bag}", time(read.at), read.audit)
}

/// Says that reads were passed over.
fn warn_of_gaps(workspace: &str, not_kept: u64) {
    if not_kept > 0 {
        let reads = crate::words::count(usize::try_from(not_kept).unwrap_or(usize::MAX), "read");
        output::note(&format!(
            "warning: {reads} of {workspace} passed over: neither a snapshot nor evidence is kept of them"
        ));
    }
}
