//! What an error of the database means to the user.

use crate::store::StoreError;

pub(super) const OPEN_ADVICE: &str =
    "Check `[store] url`, `password` and `root_certificate`; `rolecall store check` says at which step it fails";
pub(super) const RIGHTS_ADVICE: &str = "The role needs the right to create the schema `rolecall` and to change its tables: give it that (GRANT CREATE ON DATABASE … TO …), or run `rolecall store migrate --url …` as the role that owns them";
pub(super) const OLD_ADVICE: &str =
    "Start the daemon of this version once, or any other command that writes: it brings the schema up to date";
const DAMAGED_ADVICE: &str = "Restore a copy of the database; nothing was changed";
const FULL_ADVICE: &str = "Make room on the server's disk; what was kept before is untouched";
const READ_ONLY_ADVICE: &str = "Connect to the primary server: this one only repeats it";
const POOLER_ADVICE: &str = "A pooler between rolecall and the server shares connections between transactions: set it to pool sessions, or connect to the server itself";

/// Errors of PostgreSQL (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
mod code {
    pub(super) const LOCK_NOT_AVAILABLE: &str = "55P03";
    pub(super) const DEADLOCK: &str = "40P01";
    pub(super) const CANCELED: &str = "57014";
    pub(super) const DISK_FULL: &str = "53100";
    pub(super) const CORRUPTED: [&str; 2] = ["XX001", "XX002"];
    pub(super) const READ_ONLY: &str = "25006";
    pub(super) const STATEMENT_EXISTS: &str = "42P05";
    pub(super) const NO_STATEMENT: &str = "26000";
    /// Class 28: sign-in refused. 3D: no such database. 53: no resources, as too many connections. 57P: shutting down.
    pub(super) const CONNECTING: [&str; 5] = ["28", "3D", "53", "57P", "08"];
}

/// Whether the connection could not be protected: also if that came to light only while it was made.
pub(super) fn is_of_tls(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Tls(_) => true,
        sqlx::Error::Io(io) => io.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>),
        _ => false,
    }
}

/// What the database or the way to it says, without advice.
pub(super) fn explain_briefly(error: &sqlx::Error) -> String {
    match explain("", "", error) {
        StoreError::Open { reason, .. }
        | StoreError::Query { reason, .. }
        | StoreError::Locked { reason, .. }
        | StoreError::Full { reason, .. }
        | StoreError::Damaged { reason, .. } => reason,
        other => other.to_string(),
    }
}

pub(super) fn explain(place: &str, action: &'static str, error: &sqlx::Error) -> StoreError {
    let place = place.to_owned();
    let open = |reason: String, advice| StoreError::Open { place: place.clone(), reason, advice };
    let Some(database) =
        error.as_database_error().and_then(|error| error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>())
    else {
        return match error {
            sqlx::Error::Io(tls) if is_of_tls(error) => open(format!("no protected connection: {tls}"), OPEN_ADVICE),
            sqlx::Error::Io(io) => open(format!("the server does not answer: {io}"), OPEN_ADVICE),
            sqlx::Error::Tls(tls) => open(format!("no protected connection: {tls}"), OPEN_ADVICE),
            sqlx::Error::Configuration(reason) => open(reason.to_string(), OPEN_ADVICE),
            sqlx::Error::PoolTimedOut => {
                open("no connection became free or could be made in time".to_owned(), OPEN_ADVICE)
            }
            other => StoreError::Query { place, action, reason: other.to_string() },
        };
    };
    let (code, message) = (database.code(), database.message().to_owned());
    match code {
        code::LOCK_NOT_AVAILABLE | code::DEADLOCK | code::CANCELED => StoreError::Locked { place, reason: message },
        code::DISK_FULL => StoreError::Full { place, reason: message, advice: FULL_ADVICE },
        code::READ_ONLY => open(message, READ_ONLY_ADVICE),
        code::STATEMENT_EXISTS | code::NO_STATEMENT => open(message, POOLER_ADVICE),
        _ if code::CORRUPTED.contains(&code) => StoreError::Damaged { place, reason: message, advice: DAMAGED_ADVICE },
        _ if code::CONNECTING.iter().any(|class| code.starts_with(class)) => open(message, OPEN_ADVICE),
        _ => StoreError::Query { place, action, reason: message },
    }
}
