//! One exchange with the mail server, stage by stage, so that a failure names its stage.

use std::{io, net::SocketAddr, time::Duration};

use lettre::{
    Address,
    transport::smtp::{
        self,
        authentication::{Credentials, Mechanism},
        client::AsyncSmtpConnection,
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
        response::Response,
    },
};
use rustls::CertificateError;
use secrecy::ExposeSecret;
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, timeout},
};

use super::{
    Security, SmtpSettings,
    error::{Broken, Failure, Stage},
    replies::Offers,
    starttls,
    stream::Connection,
};
use crate::mail::message::Email;

/// The replies to a way to log in that the server does not accept, as RFC 4954 has them and as servers give them.
const NOT_THIS_ONE: [u16; 4] = [500, 501, 504, 534];
/// The one of them that is about the way, and never about the account.
const UNKNOWN_WAY: u16 = 504;
/// What helps if a server has no login that rolecall knows.
const OTHER_LOGIN: &str = "allow a login with a password (PLAIN or LOGIN) for this account at your provider, often called SMTP AUTH or \
                           app password; or name another server or relay as `host` under [smtp]";
/// What helps if a server offers no login.
const NO_LOGIN: &str = "use the submission port of the server under [smtp] (587 with starttls, 465 with tls), or remove `username` and \
                        `password` if the server needs none";
/// How long the answer to QUIT is waited for.
const FAREWELL: Duration = Duration::from_secs(2);
/// The reply to a message that is too large (RFC 1870).
const TOO_LARGE: u16 = 552;

/// How far an exchange came. It outlives the exchange, so that a timeout can be reported with its stage.
#[derive(Debug)]
pub(super) struct Progress {
    /// The current stage.
    pub(super) stage: Stage,
    /// The stages that passed, each with a detail.
    pub(super) passed: Vec<(Stage, String)>,
    /// Whether sending the message itself has begun.
    pub(super) handed_over: bool,
    /// Why the server refused a way to log in.
    refused: Option<Broken>,
    /// The answer that accepted the message.
    pub(super) accepted: Option<String>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { stage: Stage::Resolve, passed: Vec::new(), handed_over: false, refused: None, accepted: None }
    }
}

impl Progress {
    /// Marks the current stage as passed.
    fn pass(&mut self, detail: impl Into<String>) {
        self.passed.push((self.stage, detail.into()));
        // After the last stage only QUIT follows.
        let next = Stage::ALL.iter().position(|stage| *stage == self.stage).and_then(|at| Stage::ALL.get(at + 1));
        self.stage = next.copied().unwrap_or(self.stage);
    }
}

/// Sends a message. Once it is accepted, nothing that follows is a failure.
pub(super) async fn send(settings: &SmtpSettings, email: &Email, progress: &mut Progress) -> Result<(), Broken> {
    let offers = Offers::default();
    let mut connection = open(settings, &offers, progress).await?;
    log_in(&mut connection, settings, &offers, progress).await?;
    let result = hand_over(&mut connection, email, &offers, progress).await;
    // QUIT is a courtesy: the server has already answered, and its answer must not be lost by waiting for another.
    let _ = timeout(FAREWELL, connection.quit()).await;
    result
}

async fn open(
    settings: &SmtpSettings,
    offers: &Offers,
    progress: &mut Progress,
) -> Result<AsyncSmtpConnection, Broken> {
    let host = settings.host.as_str();
    let hello = settings.helo_name.clone().map_or_else(ClientId::default, ClientId::Domain);
    let begun = Instant::now();
    let resolved = lookup_host((host, settings.port)).await;
    let addresses: Vec<SocketAddr> = resolved.map_err(|error| Broken::io(Stage::Resolve, &error))?.collect();
    if addresses.is_empty() {
        return Err(Broken::refused(Stage::Resolve, format!("{host} has no address")));
    }
    progress.pass(list(&addresses));

    let left = settings.timeout.saturating_sub(begun.elapsed());
    let (address, stream) = connect(&addresses, left).await?;
    let roots = settings.extra_roots.as_deref();
    let connection = match settings.security {
        Security::None => Connection::plain(stream, offers),
        Security::StartTls => {
            let stream = starttls::negotiate(stream, &hello.to_string(), || progress.pass(address.to_string())).await?;
            Connection::upgraded(stream, host, roots, offers).await.map_err(|error| tls_failure(&error))?
        }
        Security::Tls => {
            progress.pass(address.to_string());
            Connection::tls(stream, host, roots, offers).await.map_err(|error| tls_failure(&error))?
        }
    };
    let greeted = AsyncSmtpConnection::connect_with_transport(Box::new(connection), &hello).await;
    let connection = greeted.map_err(|error| Broken::smtp(progress.stage, &error, false))?;
    if settings.security == Security::None {
        progress.pass(address.to_string());
        progress.pass("not encrypted: `security` is none");
    } else {
        progress.pass("encrypted, certificate verified");
    }
    Ok(connection)
}

/// Tries each address in turn. Each gets its share of the time that is left, so that one that does not answer leaves time
/// for the others.
async fn connect(addresses: &[SocketAddr], left: Duration) -> Result<(SocketAddr, TcpStream), Broken> {
    let deadline = Instant::now() + left;
    let mut failures = Vec::new();
    for (place, address) in addresses.iter().enumerate() {
        let others = u32::try_from(addresses.len() - place).unwrap_or(u32::MAX);
        let share = deadline.saturating_duration_since(Instant::now()) / others;
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                // Commands are short and each waits for its answer.
                let _ = stream.set_nodelay(true);
                return Ok((*address, stream));
            }
            Ok(Err(error)) => failures.push(format!("{address}: {error}")),
            Err(_) => failures.push(format!("{address}: no answer")),
        }
    }
    Err(Broken::new(Stage::Connect, Failure::Transient, failures.join("; ")))
}

fn list(addresses: &[SocketAddr]) -> String {
    let shown: Vec<String> = addresses.iter().take(4).map(|address| address.ip().to_string()).collect();
    match addresses.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A wrong certificate or protocol stays wrong until it is changed. A broken connection may work the next time.
fn tls_failure(error: &io::Error) -> Broken {
    let lasting = error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
        || error.kind() == io::ErrorKind::Other;
    let failure = if lasting { Failure::Permanent } else { Failure::Transient };
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    let text = match cause {
        // Ours, and already in words.
        Some(rustls::Error::InvalidCertificate(CertificateError::Other(cause))) => cause.to_string(),
        _ => error.to_string(),
    };
    Broken::new(Stage::Tls, failure, text)
}

async fn log_in(
    connection: &mut AsyncSmtpConnection,
    settings: &SmtpSettings,
    offers: &Offers,
    progress: &mut Progress,
) -> Result<(), Broken> {
    let Some(username) = &settings.username else {
        progress.pass("skipped: no `username` is configured");
        return Ok(());
    };
    let Some(password) = &settings.password else {
        return Err(Broken::refused(Stage::Authentication, "`username` is set but `password` is not"));
    };
    let credentials = Credentials::new(username.clone(), password.expose_secret().to_owned());
    for mechanism in mechanisms(&offers.logins())? {
        match connection.auth(&[mechanism], &credentials).await {
            Ok(_) => {
                progress.pass(format!("as {username}"));
                return Ok(());
            }
            // Offered, and not meant: the next one may be.
            Err(error) if error.status().is_some_and(|code| NOT_THIS_ONE.contains(&code.into())) => {
                let broken = Broken::smtp(Stage::Authentication, &error, false);
                let is_unknown = broken.code == Some(UNKNOWN_WAY);
                progress.refused = Some(Broken { remedy: is_unknown.then_some(OTHER_LOGIN), ..broken });
            }
            Err(error) => return Err(Broken::smtp(Stage::Authentication, &error, false)),
        }
    }
    Err(progress.refused.take().unwrap_or_else(|| Broken::closed(Stage::Authentication)))
}

/// The ways to log in that the server offers and rolecall knows, the usual one first.
fn mechanisms(offered: &[String]) -> Result<Vec<Mechanism>, Broken> {
    let known = [("PLAIN", Mechanism::Plain), ("LOGIN", Mechanism::Login)];
    let both: Vec<Mechanism> = known
        .into_iter()
        .filter(|(name, _)| offered.iter().any(|offered| offered == name))
        .map(|(_, mechanism)| mechanism)
        .collect();
    if !both.is_empty() {
        return Ok(both);
    }
    let (text, remedy) = if offered.is_empty() {
        ("the server offers no login on this connection".to_owned(), NO_LOGIN)
    } else {
        let offered = offered.join(", ");
        (format!("the server offers only {offered}; rolecall can log in with PLAIN or LOGIN"), OTHER_LOGIN)
    };
    Err(Broken { remedy: Some(remedy), ..Broken::refused(Stage::Authentication, text) })
}

async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    email: &Email,
    offers: &Offers,
    progress: &mut Progress,
) -> Result<(), Broken> {
    let address = |stage, text: &str| {
        text.parse::<Address>()
            .map_err(|error| Broken::refused(stage, format!("“{text}” is not a valid e-mail address: {error}")))
    };
    let from = address(Stage::Sender, &email.from)?;
    let to = address(Stage::Recipient, &email.to)?;
    let mut parameters = Vec::new();
    // The address of the recipient is in the message, too. The server need not support it for a sender to be accepted.
    let takes = takes_any_address(connection);
    if !email.from.is_ascii() {
        takes.as_ref().map_err(|lacking| not_taken(Stage::Sender, &email.from, lacking))?;
    }
    if takes.is_ok() && !(email.from.is_ascii() && email.to.is_ascii()) {
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if takes.is_ok() && !email.bytes.is_ascii() {
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    if let Some(most) = offers.size() {
        let length = email.bytes.len();
        if most > 0 && length > most {
            let text = format!("the server accepts messages of at most {most} bytes, and this one has {length}");
            return Err(Broken { code: Some(TOO_LARGE), limit: Some(most), ..Broken::refused(Stage::Sender, text) });
        }
        parameters.push(MailParameter::Size(length));
    }
    let step = |stage: Stage| move |error: smtp::Error| Broken::smtp(stage, &error, false);
    connection.command(Mail::new(Some(from), parameters)).await.map_err(step(Stage::Sender))?;
    progress.pass(email.from.as_str());
    if !email.to.is_ascii() {
        takes.map_err(|lacking| not_taken(Stage::Recipient, &email.to, lacking))?;
    }
    connection.command(Rcpt::new(to, Vec::new())).await.map_err(|error| {
        let broken = Broken::smtp(Stage::Recipient, &error, false);
        Broken { text: format!("{}: {}", email.to, broken.text), ..broken }
    })?;
    progress.pass(email.to.as_str());
    connection.command(Data).await.map_err(step(Stage::Data))?;
    // From here on, a broken connection leaves open whether the server accepted the message.
    progress.handed_over = true;
    let answer = connection.message(&email.bytes).await;
    let answer = answer.map_err(|error| Broken::smtp(Stage::Data, &error, true))?;
    let text = line_of(&answer);
    progress.accepted = Some(text.clone());
    progress.pass(text);
    Ok(())
}

/// Whether the server takes addresses with letters that are not ASCII before the `@`; what it lacks if it does not. Only
/// because of such addresses a message of ours is not ASCII.
fn takes_any_address(connection: &AsyncSmtpConnection) -> Result<(), &'static str> {
    let offers = |extension| connection.server_info().supports_feature(extension);
    match (offers(Extension::SmtpUtfEight), offers(Extension::EightBitMime)) {
        (false, _) => Err("SMTPUTF8"),
        (true, false) => Err("8BITMIME"),
        (true, true) => Ok(()),
    }
}

fn not_taken(stage: Stage, address: &str, lacking: &str) -> Broken {
    let text = format!("{address} has letters that are not ASCII, and the server does not support {lacking}");
    Broken::refused(stage, text)
}

fn line_of(response: &Response) -> String {
    let text: Vec<&str> = response.message().collect();
    format!("{} {}", response.code(), text.join(" "))
}
