//! The store of a configuration: a file of SQLite, or a database of PostgreSQL.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{AppError, read};
#[cfg(debug_assertions)]
use crate::store::crash;
use crate::{
    clock::Clock,
    config::settings::{self, DatabaseHost, Settings, SslMode, StorePlace},
    run::{fleet, vault::Vault},
    store::{
        Database, Store as _,
        copy::Tables,
        postgres::{
            Host, PostgresStore, Server, Tls,
            check::{Outcome, Stage, check},
        },
        sqlite::SqliteStore,
    },
};

/// The environment variable that names the point at which a process of a test dies ([`crate::store::crash`]).
#[cfg(debug_assertions)]
const CRASH_AT: &str = "ROLECALL_CRASH_AT";

/// How long the end of a process waits for connections that are in use.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The stores that this process has opened. A connection of SQLite closes in a thread of its own, which the end of a process
/// does not wait for: what it wrote would stay in the log beside the file, and a copy of the file alone would lack it.
static OPENED: Mutex<Vec<Arc<dyn Database>>> = Mutex::new(Vec::new());

fn opened(store: Arc<dyn Database>) -> Arc<dyn Database> {
    OPENED.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&store));
    store
}

/// Ends the connections of all stores, before the process ends.
pub async fn close_stores() {
    let stores = std::mem::take(&mut *OPENED.lock().unwrap_or_else(PoisonError::into_inner));
    for store in stores {
        if tokio::time::timeout(CLOSE_TIMEOUT, store.close_connections()).await.is_err() {
            tracing::debug!("a connection to the store was still in use at the end");
        }
    }
}

/// The store.
///
/// # Errors
/// [`AppError::Store`], or [`AppError::Secret`] if its password cannot be read.
pub async fn store(settings: &Settings) -> Result<Arc<dyn Database>, AppError> {
    match &settings.store.place {
        StorePlace::File(path) => Ok(whole(SqliteStore::open(path).await?)),
        StorePlace::Server(database) => Ok(whole(PostgresStore::open(&server(database)?).await?)),
    }
}

/// The store for a command that writes to the record of a fleet: refused beside daemons that sign with another key, and if
/// this machine's clock is wrong.
///
/// # Errors
/// As [`store`], and [`AppError::Fleet`].
pub async fn store_to_write(
    settings: &Settings,
    vault: Option<&Vault>,
    clock: &Clock,
) -> Result<Arc<dyn Database>, AppError> {
    let store = store(settings).await?;
    fleet::may_write(&*store, vault, clock).await?;
    Ok(store)
}

/// The same for a command that signs nothing: it needs no key.
///
/// # Errors
/// As [`store_to_write`].
pub async fn store_to_change(settings: &Settings, clock: &Clock) -> Result<Arc<dyn Database>, AppError> {
    let store = store(settings).await?;
    fleet::has_right_time(&*store, clock).await?;
    Ok(store)
}

/// The store, which dies where a test wants it.
fn whole(store: impl Database + 'static) -> Arc<dyn Database> {
    #[cfg(debug_assertions)]
    if let Ok(point) = std::env::var(CRASH_AT) {
        return opened(Arc::new(crash::Hazardous { store, hazard: crash::AbortAt(point) }));
    }
    opened(Arc::new(store))
}

/// The store, if there is one, for a command that only reads: it must not create one, nor change the schema of a database
/// under the daemons that use it. A file may be on a read-only medium.
///
/// # Errors
/// As [`store`].
pub async fn existing_store(settings: &Settings) -> Result<Option<Arc<dyn Database>>, AppError> {
    let found: Option<Arc<dyn Database>> = match &settings.store.place {
        StorePlace::File(path) if !path.exists() => None,
        StorePlace::File(path) => Some(opened(Arc::new(SqliteStore::open_to_read(path).await?))),
        StorePlace::Server(database) => match PostgresStore::open_existing(&server(database)?).await? {
            Some(store) => Some(opened(Arc::new(store))),
            None => None,
        },
    };
    Ok(found)
}

/// A store without anything in it, for a command that only reads where there is no store yet: it creates none.
///
/// # Errors
/// [`AppError::Store`]
pub async fn empty_store() -> Result<Arc<dyn Database>, AppError> {
    Ok(Arc::new(SqliteStore::empty().await?))
}

/// Where the store is, for messages.
pub fn store_place(settings: &Settings) -> String {
    match &settings.store.place {
        StorePlace::File(path) => path.display().to_string(),
        StorePlace::Server(database) => unsigned(database).place(),
    }
}

/// The result of trying the store.
pub enum StoreCheck {
    /// It is a file that was opened.
    File,
    /// It is a file that does not exist yet.
    NoFile,
    /// It is a database: each stage of reaching it.
    Stages(Vec<(Stage, Outcome)>),
}

/// Tries the store, and writes nothing to a database.
///
/// # Errors
/// As [`store`].
pub async fn check_store(settings: &Settings, clock: &Clock) -> Result<StoreCheck, AppError> {
    match &settings.store.place {
        StorePlace::File(path) => {
            if !path.exists() {
                return Ok(StoreCheck::NoFile);
            }
            SqliteStore::open_to_read(path).await?.close_connections().await;
            Ok(StoreCheck::File)
        }
        StorePlace::Server(database) => Ok(StoreCheck::Stages(check(&server(database)?, clock).await)),
    }
}

/// Brings a store up to date, and lets another role use it. Returns the store as users know it.
///
/// # Errors
/// As [`store`].
pub async fn migrate_store(place: &StorePlace, user: Option<&str>) -> Result<String, AppError> {
    match place {
        StorePlace::File(path) => {
            SqliteStore::open(path).await?.close_connections().await;
            Ok(path.display().to_string())
        }
        StorePlace::Server(database) => {
            let store = PostgresStore::open(&server(database)?).await?;
            if let Some(user) = user {
                store.let_use(user).await?;
            }
            Ok(unsigned(database).place())
        }
    }
}

/// A store whose rows are copied. Both are brought up to date.
///
/// # Errors
/// As [`store`].
pub async fn tables(place: &StorePlace) -> Result<Box<dyn Tables>, AppError> {
    match place {
        StorePlace::File(path) => Ok(Box::new(SqliteStore::open_to_copy(path).await?)),
        StorePlace::Server(database) => Ok(Box::new(PostgresStore::open_to_copy(&server(database)?).await?)),
    }
}

/// How to reach a database.
///
/// # Errors
/// [`AppError::Secret`]
pub(super) fn server(database: &settings::Database) -> Result<Server, AppError> {
    let password = database.password.as_ref().map(|source| read("store.password".to_owned(), source)).transpose()?;
    Ok(Server { password, ..unsigned(database) })
}

/// How to reach a database, without the password.
fn unsigned(database: &settings::Database) -> Server {
    Server {
        host: match database.host.clone() {
            DatabaseHost::Name(name, port) => Host::Name(name, port),
            DatabaseHost::Socket(folder, port) => Host::Socket(folder, port),
        },
        user: database.user.clone(),
        password: None,
        database: database.database.clone(),
        tls: match database.ssl_mode {
            SslMode::Disable => Tls::Off,
            SslMode::Require => Tls::Encrypted,
            SslMode::VerifyCa => Tls::Authority,
            SslMode::VerifyFull => Tls::Full,
        },
        root_certificate: database.root_certificate.clone(),
        max_connections: database.max_connections,
    }
}
