//! One exchange with the mail server, step by step, so that the stage that fails has a name.

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
use secrecy::ExposeSecret;
use tokio::{
    net::{TcpStream, lookup_host},
    time::{Instant, timeout},
};

use super::{
    Security, SmtpSettings,
    error::{Failure, Stage},
    starttls,
    stream::Connection,
};
use crate::mail::message::Email;

/// How a step broke.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) stage: Stage,
    pub(super) failure: Failure,
    pub(super) code: Option<u16>,
    pub(super) text: String,
}

impl Broken {
    fn new(stage: Stage, failure: Failure, text: impl Into<String>) -> Self {
        Self { stage, failure, code: None, text: text.into() }
    }

    /// Something that trying again does not mend.
    pub(super) fn refused(stage: Stage, text: impl Into<String>) -> Self {
        Self::new(stage, Failure::Permanent, text)
    }

    pub(super) fn io(stage: Stage, error: &io::Error) -> Self {
        Self::new(stage, Failure::Transient, error.to_string())
    }

    pub(super) fn closed(stage: Stage) -> Self {
        Self::new(stage, Failure::Transient, "the server closed the connection")
    }

    pub(super) fn gibberish(stage: Stage, line: &str) -> Self {
        Self::refused(stage, format!("this is no answer of a mail server: {line}"))
    }

    pub(super) fn answered(stage: Stage, code: u16, text: &str) -> Self {
        let failure = if (400..500).contains(&code) { Failure::Transient } else { Failure::Permanent };
        Self { code: Some(code), ..Self::new(stage, failure, format!("{code} {text}")) }
    }

    fn smtp(stage: Stage, error: &smtp::Error, handed_over: bool) -> Self {
        let source = std::error::Error::source(error).map(ToString::to_string);
        if let Some(code) = error.status() {
            return Self::answered(stage, code.into(), source.as_deref().unwrap_or(""));
        }
        let failure = match (handed_over, error.is_client()) {
            (true, _) => Failure::Unknown,
            (false, true) => Failure::Permanent,
            (false, false) => Failure::Transient,
        };
        Self::new(stage, failure, source.unwrap_or_else(|| error.to_string()))
    }
}

/// How far an exchange came. It outlives the exchange, so that a time-out can be told with its stage.
#[derive(Debug)]
pub(super) struct Progress {
    /// The stage that is under way.
    pub(super) stage: Stage,
    /// The stages that passed, and what there is to say of each.
    pub(super) passed: Vec<(Stage, String)>,
    /// Whether the message was, or was being, handed over.
    pub(super) handed_over: bool,
    /// The answer that accepted the message.
    pub(super) accepted: Option<String>,
}

impl Default for Progress {
    fn default() -> Self {
        Self { stage: Stage::Resolve, passed: Vec::new(), handed_over: false, accepted: None }
    }
}

impl Progress {
    /// The stage that is under way passed.
    fn pass(&mut self, detail: impl Into<String>) {
        self.passed.push((self.stage, detail.into()));
        // What follows stands in the order of stages; after the last one there is only leave-taking.
        let next = Stage::ALL.iter().position(|stage| *stage == self.stage).and_then(|at| Stage::ALL.get(at + 1));
        self.stage = next.copied().unwrap_or(self.stage);
    }
}

/// Sends a message. Once it was accepted nothing that follows is a failure.
pub(super) async fn send(settings: &SmtpSettings, email: &Email, progress: &mut Progress) -> Result<(), Broken> {
    let mut connection = open(settings, progress).await?;
    log_in(&mut connection, settings, progress).await?;
    let result = hand_over(&mut connection, email, progress).await;
    // Taking leave is a courtesy: the answer to the message has been given.
    let _ = connection.quit().await;
    result
}

async fn open(settings: &SmtpSettings, progress: &mut Progress) -> Result<AsyncSmtpConnection, Broken> {
    let host = settings.host.as_str();
    let hello = ClientId::default();
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
        Security::None => Connection::plain(stream),
        Security::StartTls => {
            let stream = starttls::negotiate(stream, &hello.to_string(), || progress.pass(address.to_string())).await?;
            Connection::upgraded(stream, host, roots).await.map_err(|error| tls_failure(&error))?
        }
        Security::Tls => {
            progress.pass(address.to_string());
            Connection::tls(stream, host, roots).await.map_err(|error| tls_failure(&error))?
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

/// Tries each address in turn, each with its share of the time that is left, so that one that does not answer
/// does not keep the others from being tried.
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

/// A certificate or protocol that does not fit stays so until somebody changes it; a broken line does not.
fn tls_failure(error: &io::Error) -> Broken {
    let lasting = error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
        || error.kind() == io::ErrorKind::Other;
    let failure = if lasting { Failure::Permanent } else { Failure::Transient };
    Broken::new(Stage::Tls, failure, error.to_string())
}

async fn log_in(
    connection: &mut AsyncSmtpConnection,
    settings: &SmtpSettings,
    progress: &mut Progress,
) -> Result<(), Broken> {
    let Some(username) = &settings.username else {
        progress.pass("not asked for: no `username`");
        return Ok(());
    };
    let Some(password) = &settings.password else {
        return Err(Broken::refused(Stage::Authentication, "there is a `username` and no `password`"));
    };
    let credentials = Credentials::new(username.clone(), password.expose_secret().to_owned());
    let answer = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await;
    answer.map_err(|error| Broken::smtp(Stage::Authentication, &error, false))?;
    progress.pass(format!("as {username}"));
    Ok(())
}

async fn hand_over(connection: &mut AsyncSmtpConnection, email: &Email, progress: &mut Progress) -> Result<(), Broken> {
    let address = |stage, text: &str| {
        text.parse::<Address>().map_err(|error| Broken::refused(stage, format!("{text} is no mail address: {error}")))
    };
    let from = address(Stage::Sender, &email.from)?;
    let to = address(Stage::Recipient, &email.to)?;
    let mut parameters = Vec::new();
    if !(email.from.is_ascii() && email.to.is_ascii()) {
        needs(
            connection,
            Extension::SmtpUtfEight,
            "the address has letters beyond ASCII, and the server lacks SMTPUTF8",
        )?;
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !email.bytes.is_ascii() {
        needs(
            connection,
            Extension::EightBitMime,
            "the message has letters beyond ASCII, and the server lacks 8BITMIME",
        )?;
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let step = |stage: Stage| move |error: smtp::Error| Broken::smtp(stage, &error, false);
    connection.command(Mail::new(Some(from), parameters)).await.map_err(step(Stage::Sender))?;
    progress.pass(email.from.as_str());
    connection.command(Rcpt::new(to, Vec::new())).await.map_err(step(Stage::Recipient))?;
    progress.pass(email.to.as_str());
    connection.command(Data).await.map_err(step(Stage::Data))?;
    // From here on a break leaves open whether the server took the message.
    progress.handed_over = true;
    let answer = connection.message(&email.bytes).await;
    let answer = answer.map_err(|error| Broken::smtp(Stage::Data, &error, true))?;
    let text = line_of(&answer);
    progress.accepted = Some(text.clone());
    progress.pass(text);
    Ok(())
}

fn needs(connection: &AsyncSmtpConnection, extension: Extension, text: &str) -> Result<(), Broken> {
    let supported = connection.server_info().supports_feature(extension);
    if supported { Ok(()) } else { Err(Broken::refused(Stage::Sender, text)) }
}

fn line_of(response: &Response) -> String {
    let text: Vec<&str> = response.message().collect();
    format!("{} {}", response.code(), text.join(" "))
}
