//! Tries each stage of reaching the database, and says which one fails.

use std::{fmt, io, net::SocketAddr, time::Duration};

use chrono::TimeDelta;
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UnixStream},
    time::timeout,
};

use super::{
    error::{RIGHTS_ADVICE, explain_briefly, is_of_tls},
    schema,
    server::{Host, Server, Tls},
};
use crate::{clock::Clock, model::plain::plain, store::replicas::MOST_SKEW};

/// How long to wait for a host to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks for TLS (<https://www.postgresql.org/docs/current/protocol-message-formats.html>, `SSLRequest`): the length of the
/// message, and its code.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

const OTHER_SERVER_ADVICE: &str = "check the host and the port in `[store] url`: another program may listen there. If it is PostgreSQL, its log says why it ends the connection";
const NO_TLS_ADVICE: &str = "turn TLS on in the server (`ssl = on`, with a certificate). A server on this machine may do without: `?sslmode=disable` in `[store] url`";
const ROOTS_ADVICE: &str = "let `[store] root_certificate` name a file that this account may read, with the certificate of the authority in PEM (-----BEGIN CERTIFICATE-----)";

/// A stage, in the order in which they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// What the configuration names.
    Address,
    /// The name of the host becomes addresses.
    Resolve,
    /// One of them answers.
    Connect,
    /// The connection is encrypted, and the certificate verified.
    Tls,
    /// The role is let in.
    SignIn,
    /// The tables are those of this version.
    Schema,
    /// The server's clock and this machine's agree.
    Clock,
    /// The role may do what rolecall does.
    Rights,
    /// Nothing in between shares the connection.
    Pooler,
}

impl Stage {
    const ALL: [Self; 9] = [
        Self::Address,
        Self::Resolve,
        Self::Connect,
        Self::Tls,
        Self::SignIn,
        Self::Schema,
        Self::Clock,
        Self::Rights,
        Self::Pooler,
    ];

    /// What the user can do if it fails.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Address => "set `[store] url` to postgres://ROLE@HOST/DATABASE",
            Self::Resolve => "check the host in `[store] url`, and this machine's name server",
            Self::Connect => {
                "check the port, `listen_addresses` of the server, and the firewall between this machine and it"
            }
            Self::Tls => {
                "name the authority that signed the server's certificate as `[store] root_certificate`, and use the host name that the certificate has"
            }
            Self::SignIn => "check the role, `[store] password`, the database, and the server's pg_hba.conf",
            Self::Schema => "install the version of rolecall that wrote it, or a later one",
            Self::Clock => "let NTP set the clocks of both machines; with wrong clocks, runs begin late or too early",
            Self::Rights => RIGHTS_ADVICE,
            Self::Pooler => "set the pooler to pool sessions (pool_mode = session), or connect to the server itself",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Address => "address",
            Self::Resolve => "name",
            Self::Connect => "connection",
            Self::Tls => "TLS",
            Self::SignIn => "sign-in",
            Self::Schema => "schema",
            Self::Clock => "clock",
            Self::Rights => "rights",
            Self::Pooler => "pooler",
        })
    }
}

/// Why a stage failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the server or the way to it says.
    pub reason: String,
    /// What the user can do.
    pub advice: &'static str,
}

/// How a stage ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It passed, with a detail.
    Passed(String),
    /// It failed.
    Failed(Failure),
    /// An earlier one failed.
    NotReached,
}

/// Tries every stage up to the first one that fails. Writes nothing.
pub async fn check(server: &Server, clock: &Clock) -> Vec<(Stage, Outcome)> {
    let mut passed = Vec::new();
    let failed = stages(server, clock, &mut passed).await.err();
    let stage = Stage::ALL.get(passed.len()).copied().unwrap_or(Stage::Pooler);
    let failure = failed.map(|Failed { reason, advice }| Failure { reason, advice: advice.unwrap_or(stage.advice()) });
    let outcome = |(at, stage): (usize, Stage)| match (passed.get(at), &failure) {
        (Some(detail), _) => (stage, Outcome::Passed(detail.clone())),
        (None, Some(failure)) if at == passed.len() => (stage, Outcome::Failed(failure.clone())),
        (None, _) => (stage, Outcome::NotReached),
    };
    Stage::ALL.into_iter().enumerate().map(outcome).collect()
}

/// Why the next stage failed.
struct Failed {
    reason: String,
    /// What the user can do, if that is not what usually helps at this stage.
    advice: Option<&'static str>,
}

impl From<String> for Failed {
    fn from(reason: String) -> Self {
        Self { reason, advice: None }
    }
}

/// The detail of each stage that passes, in order; an error is that of the next one.
async fn stages(server: &Server, clock: &Clock, passed: &mut Vec<String>) -> Result<(), Failed> {
    passed.push(server.place());
    let offers_tls = reach(server, passed).await?;
    if server.tls != Tls::Off && !offers_tls {
        return Err(Failed { reason: "the server does not offer TLS".to_owned(), advice: Some(NO_TLS_ADVICE) });
    }
    let mut connection = match server.connect().await {
        Ok(connection) => connection,
        Err(error) => {
            // The only setting that a connection looks at by itself is the file of certificates.
            let is_roots = matches!(error, sqlx::Error::Configuration(_));
            if !is_roots && !is_of_tls(&error) {
                passed.push(protection(server.tls).to_owned());
            }
            return Err(Failed { reason: explain_briefly(&error), advice: is_roots.then_some(ROOTS_ADVICE) });
        }
    };
    let failed = |error: sqlx::Error| Failed::from(explain_briefly(&error));
    passed.push(encryption(server, &mut connection).await.map_err(failed)?);
    let sql = "SELECT current_user::text, current_setting('server_version'), pg_is_in_recovery()";
    let row = sqlx::raw_sql(sql).fetch_one(&mut connection).await.map_err(failed)?;
    let (role, version, is_standby): (String, String, bool) = (row.get(0), row.get(1), row.get(2));
    if is_standby {
        return Err("this server only repeats another one, and cannot be written".to_owned().into());
    }
    passed.push(format!("as {role}; PostgreSQL {version}"));
    let schema = schema::version(&mut connection).await.map_err(failed)?;
    passed.push(match schema - schema::known() {
        0 => format!("version {schema}"),
        1.. => {
            return Err(format!("version {schema} is newer than {}, which this rolecall knows", schema::known()).into());
        }
        _ if schema == 0 => "none yet; created at the first start".to_owned(),
        _ => format!("version {schema}; brought to {} at the next start", schema::known()),
    });
    let skew = skew(&mut connection, clock).await.map_err(failed)?;
    let seconds = skew.num_milliseconds() as f64 / 1000.0;
    if skew.abs() > MOST_SKEW {
        return Err(format!("this machine's clock differs from the server's by {seconds:+.1} seconds").into());
    }
    passed.push(format!("differs by {seconds:+.3} seconds"));
    passed.push(rights(&mut connection, schema).await.map_err(failed)??);
    if is_shared(server, &mut connection).await.map_err(failed)? {
        return Err("a pooler gives one connection to the server to several clients in turn".to_owned().into());
    }
    passed.push("none, or one that keeps sessions apart".to_owned());
    let _ = connection.close().await;
    Ok(())
}

/// Name and connection. Returns whether the server offers TLS.
async fn reach(server: &Server, passed: &mut Vec<String>) -> Result<bool, Failed> {
    let late = |_| format!("no answer within {} seconds", PATIENCE.as_secs());
    match &server.host {
        Host::Socket(folder, port) => {
            passed.push("a socket needs none".to_owned());
            let path = folder.join(format!(".s.PGSQL.{port}"));
            let connected = timeout(PATIENCE, UnixStream::connect(&path)).await.map_err(late)?;
            let stream = connected.map_err(|error| format!("{}: {error}", path.display()))?;
            let offers_tls = speaks_postgres(stream, &path.display().to_string()).await?;
            passed.push(path.display().to_string());
            Ok(offers_tls)
        }
        Host::Name(host, port) => {
            let host = host.trim_matches(['[', ']']);
            let found = timeout(PATIENCE, tokio::net::lookup_host((host, *port))).await.map_err(late)?;
            let addresses: Vec<SocketAddr> = found.map_err(|error| format!("{host}: {error}"))?.collect();
            let shown: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
            passed.push(shown.join(", "));
            let connected = timeout(PATIENCE, TcpStream::connect(&*addresses)).await.map_err(late)?;
            let connected = connected.and_then(|stream| Ok((stream.peer_addr()?, stream)));
            let (peer, stream) = connected.map_err(|error: io::Error| format!("port {port}: {error}"))?;
            let offers_tls = speaks_postgres(stream, &peer.to_string()).await?;
            passed.push(peer.to_string());
            Ok(offers_tls)
        }
    }
}

/// Asks whether the server offers TLS, as every client of PostgreSQL does, and whether it is one.
async fn speaks_postgres(mut stream: impl AsyncRead + AsyncWrite + Unpin, peer: &str) -> Result<bool, Failed> {
    let other = |what: String| Failed { reason: format!("{peer} {what}"), advice: Some(OTHER_SERVER_ADVICE) };
    // An answer is one byte. Other servers greet at once, or say that they do not understand.
    let mut answer = [0; 64];
    let asked = timeout(PATIENCE, async {
        stream.write_all(&SSL_REQUEST).await?;
        stream.read(&mut answer).await
    });
    let length = match asked.await {
        Err(_) => {
            return Err(other(format!("takes the connection and says nothing for {} seconds", PATIENCE.as_secs())));
        }
        Ok(Err(error)) => return Err(other(format!("ends the connection: {error}"))),
        Ok(Ok(length)) => length,
    };
    match &answer[..length] {
        // Or an error in PostgreSQL's own format: signing in says which.
        b"S" | [b'E', 0, ..] => Ok(true),
        b"N" => Ok(false),
        [] => Err(other("ends the connection".to_owned())),
        answer => {
            let said = plain(&String::from_utf8_lossy(answer), 40);
            Err(other(format!("is not a PostgreSQL server: it says “{said}”")))
        }
    }
}

fn protection(tls: Tls) -> &'static str {
    match tls {
        Tls::Off => "not used",
        Tls::Encrypted => "encrypted; the certificate is not verified",
        Tls::Authority => "encrypted; the authority is verified",
        Tls::Full => "encrypted; the authority and the name are verified",
    }
}

async fn encryption(server: &Server, connection: &mut PgConnection) -> Result<String, sqlx::Error> {
    let said = protection(server.tls);
    let sql = "SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND ssl";
    let version = sqlx::raw_sql(sql).fetch_optional(&mut *connection).await?;
    Ok(match version {
        Some(row) => format!("{said} ({})", row.get::<String, _>(0)),
        None => said.to_owned(),
    })
}

/// How far this machine's clock is ahead of the server's. The answer's way is not counted against it.
pub(super) async fn skew(connection: &mut PgConnection, clock: &Clock) -> Result<TimeDelta, sqlx::Error> {
    let before = clock.now();
    let sql = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    let there: i64 = sqlx::raw_sql(sql).fetch_one(connection).await?.get(0);
    let after = clock.now();
    let there = crate::store::rows::moment(there);
    Ok(if there < before {
        before - there
    } else if there > after {
        after - there
    } else {
        TimeDelta::zero()
    })
}

/// Whether the role may write every table, or create them.
async fn rights(connection: &mut PgConnection, version: i64) -> Result<Result<String, String>, sqlx::Error> {
    if version == 0 {
        let sql = "SELECT has_database_privilege(current_database(), 'CREATE')";
        let may: bool = connection.fetch_one(sql).await?.get(0);
        return Ok(if may {
            Ok("may create the schema".to_owned())
        } else {
            Err("the role may not create the schema `rolecall`".to_owned())
        });
    }
    let sql = "SELECT c.relname::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
               WHERE n.nspname = 'rolecall' AND c.relkind = 'r' AND c.relname <> '_sqlx_migrations'
               AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
                        AND (c.relname = 'ledger' OR has_table_privilege(c.oid, 'UPDATE')))
               ORDER BY c.relname";
    let missing: Vec<String> = connection.fetch_all(sql).await?.iter().map(|row| row.get(0)).collect();
    if !missing.is_empty() {
        return Ok(Err(format!("the role may not read and write {}", missing.join(", "))));
    }
    let sql =
        "SELECT pg_has_role(tableowner, 'USAGE') FROM pg_tables WHERE schemaname = 'rolecall' AND tablename = 'ledger'";
    let owns = connection.fetch_one(sql).await?.get(0);
    Ok(Ok(if owns {
        "may read and write every table, and owns them".to_owned()
    } else {
        "may read and write every table; another role owns them".to_owned()
    }))
}

/// Whether two clients get one connection to the server: a pooler that pools transactions lends it to the second while the
/// first is connected.
pub(super) async fn is_shared(server: &Server, first: &mut PgConnection) -> Result<bool, sqlx::Error> {
    let mut second = server.connect().await?;
    // Without a prepared statement, which such a pooler confuses.
    let mut of = [0; 2];
    for (at, connection) in [&mut *first, &mut second].into_iter().enumerate() {
        of[at] = connection.fetch_one("SELECT pg_backend_pid()").await?.get::<i32, _>(0);
    }
    let _ = second.close().await;
    Ok(of[0] == of[1])
}
