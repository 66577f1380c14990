//! What the user sees: text on stdout, failures on stderr, exit codes.

use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
};

pub(super) use crate::model::plain::plain;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// It failed: exit code 1.
    Failed(String),
    /// Wrong usage or configuration: exit code 2.
    Usage(String),
    /// Done, and findings at or above `--fail-on`: exit code 3.
    Findings(String),
}

impl Failure {
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// Says it on stderr and gives the exit code.
    pub(super) fn report(&self) -> ExitCode {
        let (message, code) = match self {
            Self::Failed(message) => (message, 1),
            Self::Usage(message) => (message, 2),
            Self::Findings(message) => (message, 3),
        };
        note(&format!("rolecall: {}", message.trim_end()));
        ExitCode::from(code)
    }
}

/// A line on stdout. A reader that went away (`rolecall rules | head`) is no failure of ours.
pub(super) fn line(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}

/// A line on stderr.
pub(super) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Whether stderr takes colours: a terminal, and nobody who asks for none (<https://no-color.org>).
pub(super) fn color() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
