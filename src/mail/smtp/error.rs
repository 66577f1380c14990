//! Failures of an exchange with the mail server: the stage, whether to try again, and what to do.

use std::{borrow::Cow, fmt, io};

use lettre::transport::smtp;
use secrecy::{ExposeSecret, SecretString};

/// The most that is kept of a server's answer, in characters.
const MAX_ANSWER: usize = 500;
/// The reply to a command that came too early: it names the one that was expected.
const OUT_OF_ORDER: u16 = 503;
/// Words by which servers ask for a login, with any code. What they write about SPF, DKIM and DMARC is worded otherwise.
const LOGIN_WANTED: [&str; 6] = [
    "authentication required",
    "authentication is required",
    "requires authentication",
    "must authenticate",
    "not authenticated",
    "log in first",
];

/// The stages of an exchange, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The server's name is resolved.
    Resolve,
    /// The connection is opened, and the server greets.
    Connect,
    /// The connection is encrypted, and the certificate is verified.
    Tls,
    /// User name and password.
    Authentication,
    /// `MAIL FROM`.
    Sender,
    /// `RCPT TO`.
    Recipient,
    /// `DATA` and the message.
    Data,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: [Self; 7] =
        [Self::Resolve, Self::Connect, Self::Tls, Self::Authentication, Self::Sender, Self::Recipient, Self::Data];

    /// The word for it, in messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "TLS",
            Self::Authentication => "authentication",
            Self::Sender => "sender",
            Self::Recipient => "recipient",
            Self::Data => "data",
        }
    }

    /// What the operator can do about a reply with this code and text at this stage. Servers may put off what they have
    /// against the greeting or the login until a later stage.
    fn advice_on(self, code: Option<u16>, answer: &str) -> Cow<'static, str> {
        let Some(code) = code else { return self.advice().into() };
        let is_refused = (500..=599).contains(&code);
        if code != OUT_OF_ORDER && (names_greeting(answer) || (is_refused && matches!(self, Self::Connect | Self::Tls)))
        {
            return "if the server does not accept the name of this machine, set `helo_name` under [smtp] to a full one"
                .into();
        }
        let answer = answer.to_lowercase();
        if code == 538 || (code == 530 && answer.contains("starttls")) {
            return "the server requires an encrypted connection: set `security` under [smtp] to starttls or tls"
                .into();
        }
        let is_envelope = matches!(self, Self::Sender | Self::Recipient);
        if (code == 530 && (is_envelope || self == Self::Data))
            || (is_refused && is_envelope && LOGIN_WANTED.iter().any(|words| answer.contains(words)))
        {
            return "the server requires a login: set `username` and `password` under [smtp]".into();
        }
        match (self, code) {
            (_, 421 | 452) => "try again later: the server is busy, or it has no space left".into(),
            (_, 400..=499) => format!("try again later; if the answer stays the same: {}", self.advice()).into(),
            (Self::Sender | Self::Data, 552) => "attach less: see `attach` in the job's `email`".into(),
            _ => self.advice().into(),
        }
    }

    /// What the operator can do if this stage fails.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Resolve => "check `host` under [smtp] and that this machine can resolve names",
            Self::Connect => {
                "check `host` and `port` under [smtp] (587 with starttls, 465 with tls), that the firewall allows \
                 the connection, and that `security` matches the port"
            }
            Self::Tls => {
                "check that `security` under [smtp] matches the port (587 with starttls, 465 with tls) and that `host` is \
                 the name in the server's certificate; set `ca_file` to the server's own certificate or to that of your company's certificate authority"
            }
            Self::Authentication => {
                "check `username` and `password` under [smtp]; many providers require an app password"
            }
            Self::Sender => "check `from` under [smtp]: the server must allow this account to send as that address",
            Self::Recipient => "check the address in `to` and that the server may relay to its domain",
            Self::Data => {
                "read the server's answer; often the message is too large (attach less) or was taken for spam"
            }
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Whether a message that failed should be sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// Not accepted; a later attempt may succeed.
    Transient,
    /// Not accepted; it will fail again until something is changed.
    Permanent,
    /// The exchange broke off after the message was sent, so it may have been accepted. It is sent again with the same
    /// `Message-ID`.
    Unknown,
}

impl Failure {
    /// The word for it, in messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Permanent => "permanent",
            Self::Unknown => "unknown",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Self::Transient => "it may succeed later",
            Self::Permanent => "it will fail again until something is changed",
            Self::Unknown => "the server may have accepted the message anyway",
        }
    }
}

/// An exchange with the mail server failed. Never holds the password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}; {}", self.without_advice(), self.advice())]
pub struct SendError {
    /// The server, as host and port.
    pub server: String,
    /// The stage that failed.
    pub stage: Stage,
    /// Whether to send again.
    pub failure: Failure,
    /// The server's reply code; `None` if the server did not answer.
    pub code: Option<u16>,
    /// The server's answer, or what broke: one bounded line without control characters.
    pub answer: String,
    /// How many bytes the server takes at most, if that is the reason.
    pub limit: Option<usize>,
    /// What helps; `None` if the advice that fits stage and code is enough.
    pub remedy: Option<&'static str>,
}

impl SendError {
    /// What happened, without what to do about it.
    pub fn without_advice(&self) -> String {
        let Self { server, stage, failure, answer, .. } = self;
        format!("the mail server {server} failed at stage {stage}: {answer} ({})", failure.meaning())
    }

    /// What the operator can do.
    pub fn advice(&self) -> Cow<'static, str> {
        self.remedy.map_or_else(|| self.stage.advice_on(self.code, &self.answer), Cow::Borrowed)
    }
}

/// Whether an answer speaks of the greeting, outside of addresses and host names.
fn names_greeting(answer: &str) -> bool {
    answer
        .split(char::is_whitespace)
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.contains(['@', '.']))
        .flat_map(|word| word.split(|c: char| !c.is_alphanumeric()))
        .any(|word| ["helo", "ehlo"].iter().any(|greeting| word.eq_ignore_ascii_case(greeting)))
}

/// A stage that failed.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) stage: Stage,
    pub(super) failure: Failure,
    pub(super) code: Option<u16>,
    pub(super) text: String,
    /// How many bytes the server takes at most, if that is the reason.
    pub(super) limit: Option<usize>,
    /// What helps; `None` if the advice that fits stage and code is enough.
    pub(super) remedy: Option<&'static str>,
}

impl Broken {
    pub(super) fn new(stage: Stage, failure: Failure, text: impl Into<String>) -> Self {
        Self { stage, failure, code: None, text: text.into(), limit: None, remedy: None }
    }

    /// A failure that another attempt does not change.
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
        Self::refused(stage, format!("this is not a mail server's answer: {line}"))
    }

    pub(super) fn answered(stage: Stage, code: u16, text: &str) -> Self {
        let failure = if (400..500).contains(&code) { Failure::Transient } else { Failure::Permanent };
        Self { code: Some(code), ..Self::new(stage, failure, format!("{code} {text}")) }
    }

    pub(super) fn smtp(stage: Stage, error: &smtp::Error, handed_over: bool) -> Self {
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

/// A server's text as one bounded line, in which the password and echoes of an `AUTH` command are masked.
pub(super) fn answer(text: &str, password: Option<&SecretString>, stage: Stage) -> String {
    let mut text = text.to_owned();
    if let Some(password) = password.map(SecretString::expose_secret).filter(|password| !password.is_empty()) {
        text = text.replace(password, "[masked]");
    }
    let echo = |word: &str| {
        stage == Stage::Authentication
            && word.len() >= 16
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
    };
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .map(|word| if echo(word) { "[masked]" } else { word })
        .collect();
    crate::mail::text::one_line(&words.join(" "), MAX_ANSWER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_bounded_line_without_the_password() {
        let password = SecretString::from("hunter secret");
        let hostile = format!("no\r\n\u{1b}[31mhunter secret {}", "x".repeat(5_000));
        let kept = answer(&hostile, Some(&password), Stage::Data);
        assert!(kept.starts_with("no [31m[masked] xxx"), "{kept}");
        assert!(kept.chars().count() <= MAX_ANSWER);
    }

    #[test]
    fn an_echoed_login_is_masked_and_ordinary_words_are_kept() {
        let echoed = "AUTH PLAIN AHJvbGVjYWxsAGh1bnRlcjI= Authentication failed";
        assert_eq!(answer(echoed, None, Stage::Authentication), "AUTH PLAIN [masked] Authentication failed");
    }
}
