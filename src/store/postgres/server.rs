//! How to reach the database.

use std::{
    fmt, fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use secrecy::{ExposeSecret as _, SecretString};
use sqlx::{
    ConnectOptions as _, Executor as _, PgConnection,
    postgres::{PgConnectOptions, PgSslMode},
};

/// The schema that has our tables: of its own, because not everybody may create tables in `public`.
pub(super) const SCHEMA: &str = "rolecall";

/// How long to wait for a connection when a process starts.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest file of certificates that is read, in bytes.
const LARGEST_PEM: u64 = 16 << 20;

/// What every connection begins with. The times end what a dead replica left behind: a statement that nobody waits for, a
/// lock that somebody else holds, and a transaction whose process stands still.
const PREPARE: &str = "SET search_path = rolecall, pg_temp; SET statement_timeout = '30s'; SET lock_timeout = '15s';
SET idle_in_transaction_session_timeout = '10s'; SET synchronous_commit = on; SET default_transaction_isolation = 'read committed'";

/// Where the server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// A name or an address, and the port.
    Name(String, u16),
    /// The folder of a Unix socket, and the port in its name.
    Socket(PathBuf, u16),
}

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Not at all.
    Off,
    /// Encrypted; the certificate is not verified.
    Encrypted,
    /// The certificate must come from a trusted authority, whatever name it has.
    Authority,
    /// The certificate must come from a trusted authority and have the server's name.
    Full,
}

/// A database on a server.
#[derive(Clone)]
pub struct Server {
    /// Where it listens.
    pub host: Host,
    /// The role to sign in as.
    pub user: String,
    /// Its password; `None` if the server asks for none.
    pub password: Option<SecretString>,
    /// The database.
    pub database: String,
    /// How the connection is protected.
    pub tls: Tls,
    /// A PEM file with certificate authorities to trust besides the system's.
    pub root_certificate: Option<PathBuf>,
    /// The most connections of this process.
    pub max_connections: u32,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.place()).finish()
    }
}

impl Server {
    /// The database as users know it.
    pub fn place(&self) -> String {
        let Self { user, database, .. } = self;
        match &self.host {
            Host::Name(host, 5432) => format!("postgres://{user}@{host}/{database}"),
            Host::Name(host, port) => format!("postgres://{user}@{host}:{port}/{database}"),
            Host::Socket(folder, _) => format!("postgres://{user}@/{database}?host={}", folder.display()),
        }
    }

    /// Options of every connection. Nothing comes from the environment or from files of other programs.
    pub(super) fn options(&self) -> PgConnectOptions {
        let options = PgConnectOptions::new_without_pgpass();
        let options = match &self.host {
            // An address in the form of an URL is in brackets.
            Host::Name(host, port) => options.host(host.trim_matches(['[', ']'])).port(*port),
            Host::Socket(folder, port) => options.socket(folder).port(*port),
        };
        let mode = match self.tls {
            Tls::Off => PgSslMode::Disable,
            Tls::Encrypted => PgSslMode::Require,
            Tls::Authority => PgSslMode::VerifyCa,
            Tls::Full => PgSslMode::VerifyFull,
        };
        let password = self.password.as_ref().map_or("", |password| password.expose_secret());
        let options = options
            .username(&self.user)
            .password(password)
            .database(&self.database)
            .application_name("rolecall")
            .ssl_mode(mode)
            // PgBouncer refuses this parameter.
            .extra_float_digits(None)
            .disable_statement_logging();
        match &self.root_certificate {
            Some(path) => options.ssl_root_cert(path),
            None => options,
        }
    }

    /// One connection, with the reason if there is none.
    pub(super) async fn connect(&self) -> Result<PgConnection, sqlx::Error> {
        if let Some(path) = &self.root_certificate {
            has_certificates(path).map_err(|why| {
                sqlx::Error::Configuration(format!("`root_certificate` {} {why}", path.display()).into())
            })?;
        }
        let options = self.options();
        let connected = async {
            let mut connection = options.connect().await?;
            prepare(&mut connection).await?;
            Ok(connection)
        };
        let timed_out = |_| {
            let reason = format!("no answer within {} seconds", CONNECT_TIMEOUT.as_secs());
            sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, reason))
        };
        tokio::time::timeout(CONNECT_TIMEOUT, connected).await.map_err(timed_out)?
    }
}

/// Whether a file has certificates in PEM, and nothing else that is taken for one; an error says why not. A library that finds
/// none in it passes it over, and then no server has a trusted certificate.
fn has_certificates(path: &Path) -> Result<(), String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    let mut pem = Vec::new();
    fs::File::open(path).and_then(|file| file.take(LARGEST_PEM).read_to_end(&mut pem)).map_err(unreadable)?;
    let (mut roots, mut some) = (RootCertStore::empty(), false);
    for found in CertificateDer::pem_slice_iter(&pem) {
        let certificate = found.map_err(|error| format!("is not valid PEM: {error}"))?;
        roots.add(certificate).map_err(|error| format!("has something that is not a certificate: {error}"))?;
        some = true;
    }
    if some { Ok(()) } else { Err("has no certificate in PEM".to_owned()) }
}

/// Prepares a new connection.
pub(super) async fn prepare(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    connection.execute(PREPARE).await.map(|_| ())
}
