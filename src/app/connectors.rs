//! Connectors, from what the configuration says of a workspace.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use super::{AppError, read, stores, tokens};
use crate::{
    clock::Clock,
    config::settings::{Database, Settings, StorePlace, Value, Workspace},
    connector::{
        Commons, Connector, Limits, Pacing, Parameter, Parameters, Remover, SharedTokens, TokenPlace, TokenShelf, kinds,
    },
    digest::sha256,
    model::kind::KeyValue,
    store::sealed::SealingKey,
};

/// What all workspaces of this process have in common, also over a reload: a vendor counts the calls of a credential, whoever
/// makes them.
static COMMONS: LazyLock<Commons> = LazyLock::new(Commons::default);

/// What all workspaces of this process have in common.
pub(super) fn commons() -> Commons {
    COMMONS.clone()
}

/// The fewest characters of a `token_key`.
const SHORTEST_KEY: usize = 32;

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
fn tokens_beside(store: &Path) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push("-tokens");
    name.into()
}

/// A shelf, with the database and the digest of the key that it is for.
type KnownShelf = (Database, String, Arc<dyn TokenShelf>);

/// The shelf of a database, if its access tokens are shared; one for all workspaces of this process.
fn shelf(database: &Database) -> Result<Option<Arc<dyn TokenShelf>>, AppError> {
    static SHELVES: Mutex<Vec<KnownShelf>> = Mutex::new(Vec::new());
    let Some(source) = &database.token_key else { return Ok(None) };
    let secret = read("store.token_key".to_owned(), source)?;
    if secret.expose_secret().trim().len() < SHORTEST_KEY {
        return Err(AppError::TokenKey);
    }
    let digest = sha256(secret.expose_secret().as_bytes());
    let mut shelves = SHELVES.lock().unwrap_or_else(PoisonError::into_inner);
    let known = shelves.iter().find(|(known, key, _)| (known, key) == (database, &digest));
    if let Some((_, _, shelf)) = known {
        return Ok(Some(Arc::clone(shelf)));
    }
    let key = SealingKey::new(&secret).ok_or(AppError::TokenKey)?;
    let shelf: Arc<dyn TokenShelf> = Arc::new(tokens::DatabaseShelf::new(stores::server(database)?, key));
    // A key that was replaced is not used any more.
    shelves.retain(|(known, ..)| known != database);
    shelves.push((database.clone(), digest, Arc::clone(&shelf)));
    Ok(Some(shelf))
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
        StorePlace::File(path) => Some(TokenPlace::Folder(tokens_beside(path))),
        StorePlace::Server(database) => shelf(database)?.map(TokenPlace::Shelf),
    };
    let tokens = tokens.map(|place| SharedTokens { place, is_fresh });
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
