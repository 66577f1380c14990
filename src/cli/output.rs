//! What the user sees: text on stdout, failures on stderr, exit codes.

use std::{
    io::{IsTerminal as _, Write as _},
    process::ExitCode,
};

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

/// A text that came from elsewhere as one line of at most `limit` characters, without those that move a terminal's
/// cursor or turn the text around them.
pub(super) fn plain(text: &str, limit: usize) -> String {
    let turns =
        |c: &char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let line_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let mut characters = text.chars().filter(|c| !turns(c)).map(|c| if line_break(c) { ' ' } else { c });
    let mut line: String = characters.by_ref().take(limit).collect();
    if characters.next().is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_from_elsewhere_is_one_bounded_line_that_moves_no_cursor_and_turns_nothing() {
        assert_eq!(plain("a\u{1b}[2J\r\n\u{202e}b\u{2028}c é 示", 80), "a [2J  b c é 示");
        assert_eq!(plain("abcdef", 3), "abc…");
        assert_eq!(plain("abc", 3), "abc");
    }
}
