//! A simulated workspace on the loopback interface: the accounts server, the Bigin API, Truto's proxy to
//! it and an SMTP inbox, for `simulate`, `demo` and tests.
//!
//! [`Simulator::start`] serves a [`World`], generated or given as JSON. While it runs, the world can
//! be edited ([`Simulator::world`]), faults switched on ([`Simulator::set_faults`]), calls read
//! ([`Simulator::journal`]) and mails read ([`Simulator::inbox`]).
//!
//! It has threads of its own, so that it answers while a test blocks, and so that nothing of it is
//! left once it is stopped or dropped.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should panic"))]

mod credentials;
mod faults;
mod http;
mod inbox;
mod journal;
mod now;
mod server;
mod world;

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

pub use self::{
    credentials::Credentials,
    faults::{Fault, UnknownFault},
    http::Answer,
    inbox::{Inbox, InboxFault, Login, Message, UnknownInboxFault},
    journal::{Call, Journal},
    now::Now,
    world::{World, WorldError, WorldHandle, WorldJson},
};
use self::{
    faults::FaultBoard,
    http::{Limits, Shared, TokenStore, TrutoSide},
    server::Server,
};

/// The scopes that an audit needs, and no more.
pub const AUDIT_SCOPES: &[&str] = &[
    "ZohoBigin.users.READ",
    "ZohoBigin.settings.roles.READ",
    "ZohoBigin.settings.profiles.READ",
    "ZohoBigin.org.READ",
];

/// Scopes that open all that the simulator serves, deletion included.
pub const ALL_SCOPES: &[&str] = &["ZohoBigin.users.ALL", "ZohoBigin.settings.ALL", "ZohoBigin.org.ALL"];

/// What to simulate. `Options::default()` is a workspace of 50 users without faults.
#[derive(Debug)]
pub struct Options {
    /// The port of accounts server and API; 0 lets the system choose.
    pub port: u16,
    /// The port of the SMTP inbox; 0 lets the system choose.
    pub smtp_port: u16,
    /// Users of the generated workspace.
    pub users: u32,
    /// What the workspace and the credentials are generated from.
    pub seed: u64,
    /// A workspace instead of a generated one.
    pub world: Option<World>,
    /// The clock of accounts server and API.
    pub now: Now,
    /// Faults that are on from the beginning.
    pub faults: Vec<Fault>,
    /// Faults that strike now and then strike every so many calls of the API.
    pub every: u64,
    /// A pause before every answer.
    pub latency: Duration,
    /// The scopes of every token.
    pub scopes: Vec<String>,
    /// How long an access token is valid, in whole seconds.
    pub token_lifetime: Duration,
    /// Access tokens per refresh token in ten minutes.
    pub tokens_per_window: usize,
    /// Calls of the API that are answered at one time; one more is refused with 429.
    pub max_concurrent: usize,
    /// Calls of the API per run; one more is refused with 429.
    pub daily_credits: u64,
    /// How long the faults of the rate limit ask to wait, in whole seconds.
    pub retry_after: Duration,
    /// The pause before each of the eight pieces of [`Fault::SlowBody`].
    pub slow_body_pause: Duration,
    /// The login that the inbox asks for.
    pub smtp_login: Option<Login>,
    /// The largest message that the inbox accepts, in bytes.
    pub max_message_size: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            smtp_port: 0,
            users: 50,
            seed: 1,
            world: None,
            now: Now::default(),
            faults: Vec::new(),
            every: 5,
            latency: Duration::ZERO,
            scopes: AUDIT_SCOPES.iter().map(|scope| (*scope).to_owned()).collect(),
            token_lifetime: Duration::from_hours(1),
            tokens_per_window: 10,
            max_concurrent: 10,
            daily_credits: 100_000,
            retry_after: Duration::from_secs(1),
            slow_body_pause: Duration::from_millis(500),
            smtp_login: None,
            max_message_size: inbox::MAX_MESSAGE_SIZE,
        }
    }
}

/// A simulated workspace that is being served.
#[derive(Debug)]
pub struct Simulator {
    shared: Arc<Shared>,
    credentials: Credentials,
    inbox: Inbox,
    server: Server,
}

impl Simulator {
    /// Starts serving. All ports are bound when it returns.
    ///
    /// # Errors
    /// If a port is taken or no thread can be started.
    pub fn start(options: Options) -> io::Result<Self> {
        let api = bind(options.port)?;
        let smtp = bind(options.smtp_port)?;
        let credentials = Credentials::from_seed(options.seed);
        let limits = Limits {
            lifetime: chrono::Duration::from_std(options.token_lifetime).map_err(io::Error::other)?,
            per_window: options.tokens_per_window,
        };
        let world = options.world.unwrap_or_else(|| World::generate(options.users, options.seed));
        let shared = Arc::new(Shared {
            base_url: format!("http://{}", api.local_addr()?),
            now: options.now,
            world: WorldHandle::new(world),
            faults: FaultBoard::new(options.faults, options.every),
            journal: Journal::default(),
            tokens: Mutex::new(TokenStore::new(&credentials, limits)),
            overrides: Mutex::new(BTreeMap::new()),
            scopes: options.scopes,
            latency_micros: AtomicU64::new(micros(options.latency)),
            max_concurrent: options.max_concurrent,
            daily_credits: options.daily_credits,
            credits_used: AtomicU64::new(0),
            retry_after: options.retry_after,
            slow_body_pause: options.slow_body_pause,
            truto: TrutoSide::new(&credentials),
        });
        let inbox = Inbox::new(smtp.local_addr()?, options.smtp_login, options.max_message_size);
        let server = Server::start(api, http::router(Arc::clone(&shared)), smtp, inbox.clone())?;
        Ok(Self { shared, credentials, inbox, server })
    }

    /// The address of accounts server and API, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.shared.base_url
    }

    /// What a client needs to obtain a token.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// The workspace, to look at and to change.
    pub fn world(&self) -> &WorldHandle {
        &self.shared.world
    }

    /// What was asked so far.
    pub fn journal(&self) -> &Journal {
        &self.shared.journal
    }

    /// The inbox that receives mail.
    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// Switches on exactly these faults; the count of calls restarts.
    pub fn set_faults(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shared.faults.set(faults);
    }

    /// Sets the pause before every answer.
    pub fn set_latency(&self, latency: Duration) {
        self.shared.latency_micros.store(micros(latency), Ordering::Relaxed);
    }

    /// Answers a path of the API (without query) with this; with `None`, as usual again.
    pub fn override_answer(&self, path: &str, answer: Option<Answer>) {
        let mut overrides = self.shared.overrides.lock().unwrap_or_else(PoisonError::into_inner);
        match answer {
            Some(answer) => overrides.insert(path.to_owned(), answer),
            None => overrides.remove(path),
        };
    }

    /// Stops serving and waits until nothing is left of it. Dropping stops, too.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

fn bind(port: u16) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
