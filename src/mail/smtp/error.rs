//! What can go wrong on the way to the mail server: at which stage, whether to try again, and what to do.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// How much of a server's answer is kept, in characters.
const MAX_ANSWER: usize = 500;

/// The stages of an exchange, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The server's name becomes addresses.
    Resolve,
    /// A connection is made, and the server greets.
    Connect,
    /// The connection becomes encrypted, and the certificate is verified.
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
    /// All, in their order.
    pub const ALL: [Self; 7] =
        [Self::Resolve, Self::Connect, Self::Tls, Self::Authentication, Self::Sender, Self::Recipient, Self::Data];

    /// The word for it.
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

    /// What the person who runs rolecall can do where this stage fails.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Resolve => "check `host` under [smtp], and that this machine can look names up",
            Self::Connect => {
                "check `host` and `port` under [smtp] (587 with starttls, 465 with tls), that a firewall lets \
                 the connection out, and that `security` fits the port"
            }
            Self::Tls => {
                "check that `security` under [smtp] fits the port (587 with starttls, 465 with tls), that `host` is \
                 the name in the server's certificate, and give the company's own certificate authority if it has one"
            }
            Self::Authentication => {
                "check `username` and `password` under [smtp]; many providers want an app password here"
            }
            Self::Sender => "check `from` under [smtp]: the server must allow this account to send as that address",
            Self::Recipient => "check the address in `to`, and that the server may relay to its domain",
            Self::Data => "read the server's answer: often the message is too large (attach less) or looks like spam",
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
    /// Not accepted; it will fail again until somebody changes something.
    Permanent,
    /// The exchange broke after the message was handed over: it may have been accepted. Sending it again with
    /// the same `Message-ID` is right.
    Unknown,
}

impl Failure {
    /// The word for it.
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
            Self::Unknown => "the server may have accepted the message all the same",
        }
    }
}

/// An exchange with the mail server that failed. Never names the password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the mail server {server} failed at the stage {stage}: {answer} ({}); {}", failure.meaning(), stage.advice())]
pub struct SendError {
    /// The server, as host and port.
    pub server: String,
    /// Where it failed.
    pub stage: Stage,
    /// Whether to send again.
    pub failure: Failure,
    /// The server's reply code; none where it was not the server that refused.
    pub code: Option<u16>,
    /// What the server answered or what broke: one line, bounded, without control characters.
    pub answer: String,
}

/// A text from outside as one bounded line, with the password masked, and with it what a server echoes of an
/// `AUTH` command.
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
