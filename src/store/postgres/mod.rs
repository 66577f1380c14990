//! The store in a PostgreSQL database, which several replicas may share.
//!
//! Every write that touches several rows is a `Write`: it locks the ledger's last entry first, so that writes have
//! one order over all replicas and never wait for one another in a circle. Claims, leases and taking a message out touch
//! one row and lock nothing else.
//!
//! `server` connects, `schema` migrates, `error` explains; the other parts are those of `sqlite`, with the SQL of PostgreSQL.

mod audits;
pub mod check;
mod decisions;
mod error;
mod history;
mod incidents;
mod lease_time;
mod ledger;
mod outbox;
mod queue;
mod replicas;
mod reviews;
mod schema;
mod server;
mod sessions;
mod tables;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod together;
mod tokens;
mod write;

use std::{borrow::Cow, fmt, time::Duration};

use chrono::{DateTime, Utc};
use sqlx::{PgPool, Postgres};
use uuid::Uuid;

pub use self::server::{Host, Server, Tls};
use self::{error::explain, write::Write};
use super::{
    StoreError,
    copy::{DAEMONS_ADVICE, Tables as _},
    known::Known,
    pool,
    rows::{count, millis},
};

/// How long a caller waits for a connection: longer than a restart of the server takes.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(15);

/// How old a connection becomes, so that daemons come back to a server whose address moved.
const LONGEST_LIFE: Duration = Duration::from_mins(30);
/// How long a connection may be unused: firewalls forget connections that are silent for longer.
const LONGEST_IDLE: Duration = Duration::from_mins(10);

/// Whose clock ends leases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseClock {
    /// The database's. A host whose clock is wrong takes nobody's run.
    Database,
    /// That of the caller, which tells the time with each call: for simulated clocks.
    Caller,
}

/// A store in a PostgreSQL database.
#[derive(Clone)]
pub struct PostgresStore {
    pool: PgPool,
    /// The database, as users know it: without the password.
    place: String,
    lease_clock: LeaseClock,
    /// Tells what it announces to other processes from what they announce.
    process: Uuid,
    announcements: replicas::Announcements,
    /// The reviews that were read last.
    known: Known,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PostgresStore").field(&self.place).finish()
    }
}

impl PostgresStore {
    /// Connects to the database and migrates its schema.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn open(server: &Server) -> Result<Self, StoreError> {
        let store = Self::open_with(server, LeaseClock::Database).await?;
        store.refuse_incomplete_copy().await?;
        Ok(store)
    }

    /// The same, also if a copy into it is not complete: to go on with that. No daemon may use it, because what is written
    /// meanwhile would not be copied.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn open_to_copy(server: &Server) -> Result<Self, StoreError> {
        let place = server.place();
        let failed = |error| explain(&place, "be opened", &error);
        // Before the schema is brought up to date under them.
        let mut connection = server.connect().await.map_err(failed)?;
        let running = replicas::running(&mut connection).await.map_err(failed)?;
        if !running.is_empty() {
            let reason = match running.as_slice() {
                [only] => format!("the daemon {only} uses it"),
                several => format!("the daemons {} use it", several.join(", ")),
            };
            return Err(StoreError::Open { place, reason, advice: DAEMONS_ADVICE });
        }
        Self::open_with(server, LeaseClock::Database).await
    }

    async fn refuse_incomplete_copy(&self) -> Result<(), StoreError> {
        match self.copy_under_way().await? {
            Some(from) => Err(StoreError::incomplete_copy(&self.place, &from)),
            None => Ok(()),
        }
    }

    /// The same, with another clock for leases.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn open_with(server: &Server, lease_clock: LeaseClock) -> Result<Self, StoreError> {
        let place = server.place();
        // A pool tries to connect until its time is over, and then says only that. One connection says what is wrong.
        let mut connection = server.connect().await.map_err(|error| explain(&place, "be opened", &error))?;
        schema::bring_up_to_date(&mut connection, &place).await?;
        Ok(Self::over(server, lease_clock))
    }

    /// Connects to the database if it has a store; writes nothing.
    ///
    /// # Errors
    /// [`StoreError`], also if its schema is older: commands that only read do not migrate it under those that run.
    pub async fn open_existing(server: &Server) -> Result<Option<Self>, StoreError> {
        let place = server.place();
        let failed = |error| explain(&place, "be opened", &error);
        let mut connection = server.connect().await.map_err(failed)?;
        let version = schema::settled_version(&mut connection).await.map_err(failed)?;
        if version == 0 {
            return Ok(None);
        }
        if !schema::is_up_to_date(version, &place)? {
            let reason = format!("its schema {version} is older than {}", schema::known());
            return Err(StoreError::Open { place, reason, advice: error::OLD_ADVICE });
        }
        let store = Self::over(server, LeaseClock::Database);
        store.refuse_incomplete_copy().await?;
        Ok(Some(store))
    }

    /// Lets a role that does not own the tables use them.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn let_use(&self, role: &str) -> Result<(), StoreError> {
        let failed = self.explain("give a role the rights that it needs");
        let mut connection = self.pool.acquire().await.map_err(&failed)?;
        schema::let_use(&mut connection, role).await.map_err(failed)
    }

    fn over(server: &Server, lease_clock: LeaseClock) -> Self {
        let pool = pool::options::<Postgres>()
            .max_connections(server.max_connections)
            .acquire_timeout(CONNECTION_TIMEOUT)
            .after_connect(|connection, _| Box::pin(server::prepare(connection)))
            .before_acquire(|_, of| {
                let is_fresh = of.age < LONGEST_LIFE && of.idle_for < LONGEST_IDLE;
                Box::pin(async move { Ok(is_fresh) })
            })
            .connect_lazy_with(server.options());
        Self {
            pool,
            place: server.place(),
            lease_clock,
            process: Uuid::new_v4(),
            announcements: replicas::Announcements::default(),
            known: Known::default(),
        }
    }

    /// The time that leases are compared with; `None` for the database's own.
    fn lease_time(&self, now: DateTime<Utc>) -> Option<i64> {
        match self.lease_clock {
            LeaseClock::Database => None,
            LeaseClock::Caller => Some(millis(now)),
        }
    }

    /// Begins a write that may touch several rows.
    async fn write(&self) -> Result<Write, sqlx::Error> {
        Write::begin(&self.pool, self.process).await
    }

    fn explain(&self, action: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
        move |error| explain(&self.place, action, &error)
    }
}

/// A text from outside, without U+0000, which PostgreSQL does not keep in a text.
fn clean(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text.into() }
}
