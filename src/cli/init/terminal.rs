//! Questions at the terminal, on stderr; answers from stdin, secrets without echo.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use secrecy::SecretString;

use super::super::output::{Failure, note};

/// Longer than any secret that is read from stdin.
const MAX_SECRET: u64 = 64 * 1024;

/// Whether a person can be asked.
pub(super) fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Restores the terminal when dropped, also when a question is interrupted while echo is off.
pub(super) struct Restore(Option<Termios>);

impl Restore {
    pub(super) fn new() -> Self {
        Self(tcgetattr(io::stdin()).ok())
    }
}

impl Drop for Restore {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // If the terminal is gone, there is nothing to restore.
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Asks until the answer is accepted. An empty answer takes the default.
pub(super) fn ask<T, E: std::fmt::Display>(
    question: &str,
    default: Option<&str>,
    accept: impl Fn(&str) -> Result<T, E>,
) -> Result<T, Failure> {
    loop {
        let shown = default.filter(|text| !text.is_empty()).map(|text| format!(" [{text}]")).unwrap_or_default();
        prompt(&format!("{question}{shown}: "));
        let typed = line()?;
        let answer = if typed.is_empty() { default.unwrap_or_default() } else { &typed };
        match accept(answer) {
            Ok(answer) => return Ok(answer),
            Err(error) => note(&format!("  {error}")),
        }
    }
}

/// Asks a question whose answer is yes or no; no unless the answer is yes.
pub(super) fn confirm(question: &str) -> Result<bool, Failure> {
    prompt(&format!("{question} [y/N]: "));
    Ok(matches!(line()?.to_lowercase().as_str(), "y" | "yes"))
}

/// Asks for a secret; what is typed does not appear.
pub(super) fn secret(question: &str) -> Result<SecretString, Failure> {
    let restore = Restore::new();
    let Some(before) = &restore.0 else { return Err(cannot_read("the terminal cannot hide what is typed")) };
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(io::stdin(), OptionalActions::Flush, &silent).map_err(cannot_read)?;
    loop {
        prompt(&format!("{question} (not shown): "));
        let typed = line()?;
        note("");
        match one_line(&typed) {
            Ok(secret) => return Ok(secret),
            Err(problem) => note(&format!("  {problem}")),
        }
    }
}

/// A secret from stdin, to its end.
pub(super) fn secret_from_stdin(what: &str) -> Result<SecretString, Failure> {
    let mut text = String::new();
    io::stdin().lock().take(MAX_SECRET).read_to_string(&mut text).map_err(cannot_read)?;
    one_line(text.trim_end_matches(['\r', '\n']))
        .map_err(|problem| Failure::usage(format!("{what} from stdin: {problem}")))
}

fn one_line(text: &str) -> Result<SecretString, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Err("expected a value, but it is empty");
    }
    if text.chars().any(char::is_control) {
        return Err("expected one line, without control characters");
    }
    Ok(text.into())
}

fn line() -> Result<String, Failure> {
    let mut typed = String::new();
    if io::stdin().lock().read_line(&mut typed).map_err(cannot_read)? == 0 {
        return Err(cannot_read("the input ended"));
    }
    Ok(typed.trim().to_owned())
}

fn prompt(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = write!(stderr, "{text}").and_then(|()| stderr.flush());
}

fn cannot_read(error: impl std::fmt::Display) -> Failure {
    Failure::failed(format!("cannot read the answer: {error}"))
}
