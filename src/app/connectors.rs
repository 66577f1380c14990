//! Connectors, from what the configuration says of a workspace.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

use secrecy::SecretString;
use url::Url;

use super::{AppError, read};
use crate::{
    clock::Clock,
    config::settings::{Settings, StorePlace, Value, Workspace},
    connector::{Commons, Connector, Limits, Pacing, Parameter, Parameters, Remover, SharedTokens, kinds},
    model::kind::KeyValue,
};

/// What all workspaces of this process have in common, also over a reload: a vendor counts the calls of a credential, whoever
/// makes them.
static COMMONS: LazyLock<Commons> = LazyLock::new(Commons::default);

/// How often everything is read before a disagreement is reported.
pub(super) const READS: u32 = 3;
/// The wait between two reads, in which a list that changes can come to rest.
pub(super) const PAUSE_BETWEEN_READS: Duration = Duration::from_secs(2);

/// The connector of a workspace of the configuration.
///
/// # Errors
/// [`AppError`]
///
/// # Panics
/// If there is no workspace of this name.
pub fn connector(settings: &Settings, name: &str, clock: &Clock) -> Result<Box<dyn Connector>, AppError> {
    live(settings, name, clock, false).map(|remover| remover as Box<dyn Connector>)
}

/// The same; it begins with a new access token, to see whether the credentials are accepted.
///
/// # Errors
/// [`AppError`]
///
/// # Panics
/// If there is no workspace of this name.
pub fn fresh_connector(settings: &Settings, name: &str, clock: &Clock) -> Result<Box<dyn Connector>, AppError> {
    live(settings, name, clock, true).map(|remover| remover as Box<dyn Connector>)
}

/// The connector of a workspace that allows offboarding, with the method that removes.
///
/// # Errors
/// [`AppError`], above all [`AppError::NoOffboarding`]
///
/// # Panics
/// If there is no workspace of this name.
pub fn remover(settings: &Settings, name: &str, clock: &Clock) -> Result<Box<dyn Remover>, AppError> {
    if !settings.workspaces[name].allow_offboarding {
        return Err(AppError::NoOffboarding(name.to_owned()));
    }
    live(settings, name, clock, false)
}

/// The folder where processes with the same file as their store share access tokens: beside it, which only its owner may
/// read.
fn tokens(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push("-tokens");
    name.into()
}

fn live(settings: &Settings, name: &str, clock: &Clock, is_fresh: bool) -> Result<Box<dyn Remover>, AppError> {
    let workspace = &settings.workspaces[name];
    let mut values = BTreeMap::new();
    for (key, value) in &workspace.values {
        let parameter = match value {
            Value::Text(text) => Parameter::Text(text.clone()),
            Value::Secret(source) => Parameter::Secret(read(format!("workspaces.{name}.{key}"), source)?),
            Value::Address(url) => Parameter::Address(url.clone()),
            Value::Names(names) => Parameter::Names(names.clone()),
        };
        values.insert(*key, parameter);
    }
    let limits = Limits { concurrency: workspace.concurrency, ..Limits::default() };
    let pacing = Pacing { limits, reads: READS, pause_between_reads: PAUSE_BETWEEN_READS };
    let tokens = match &settings.store.place {
        StorePlace::File(path) => Some(SharedTokens { folder: tokens(path), is_fresh }),
        // There is no folder that its processes share.
        StorePlace::Server(_) => None,
    };
    Ok(kinds::connect(workspace.kind, &Parameters { values, pacing, tokens, commons: COMMONS.clone() }, clock.clone())?)
}

/// The connector of a workspace over recorded answers, which `base_url` serves: no secret is needed, and nothing waits.
///
/// # Errors
/// [`AppError`]
pub fn replaying_connector(
    workspace: &Workspace,
    base_url: &Url,
    clock: &Clock,
) -> Result<Box<dyn Connector>, AppError> {
    let mut values = BTreeMap::new();
    for key in workspace.kind.keys() {
        let parameter = match (key.value, workspace.values.get(key.name)) {
            (KeyValue::Secret, _) => Parameter::Secret(SecretString::from("recorded")),
            (KeyValue::Address, _) => Parameter::Address(base_url.clone()),
            (_, Some(Value::Text(text))) => Parameter::Text(text.clone()),
            (_, Some(Value::Names(names))) => Parameter::Names(names.clone()),
            (KeyValue::Text | KeyValue::OneOf(_) | KeyValue::Names, _) => continue,
        };
        values.insert(key.name, parameter);
    }
    let limits = Limits { concurrency: workspace.concurrency, backoff: Duration::from_millis(1), ..Limits::default() };
    let pacing = Pacing { limits, reads: READS, pause_between_reads: Duration::ZERO };
    Ok(kinds::connect(
        workspace.kind,
        &Parameters { values, pacing, tokens: None, commons: Commons::default() },
        clock.clone(),
    )?)
}
