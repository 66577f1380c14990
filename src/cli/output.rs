//! What the user sees: text on stdout, failures on stderr, exit codes.

use std::{
    borrow::Cow,
    fs::{self, OpenOptions},
    io::{self, ErrorKind, IsTerminal as _, Write as _},
    os::{fd::AsFd, unix::fs::OpenOptionsExt as _},
    path::Path,
    process::ExitCode,
    sync::OnceLock,
};

use super::progress;
use crate::model::plain::is_invisible;
pub(super) use crate::model::plain::shown as plain;

/// Why a command failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Exit code 1.
    Failed(String),
    /// Wrong usage or configuration: exit code 2.
    Usage(String),
    /// The command succeeded, and there are findings at or above `--fail-on`: exit code 3.
    Findings(String),
}

impl Failure {
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// Prints the message on stderr and returns the exit code.
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

/// Output is not wrapped for a narrower terminal.
const NARROWEST: usize = 40;

/// The first error of stdout, other than a reader that closed the pipe (`rolecall rules | head`).
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Prints a line on stdout. On a terminal it is wrapped at a space, and continued below the beginning of its last column.
pub(super) fn line(text: &str) {
    write(format!("{}\n", all_wrapped(text, width())).as_bytes());
}

/// The columns of the terminal, or of `COLUMNS`. `None` if stdout is not a terminal: then programs read it.
pub(super) fn width() -> Option<usize> {
    width_of(io::stdout())
}

fn width_of(stream: impl AsFd) -> Option<usize> {
    let named = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let size = || rustix::termios::tcgetwinsize(stream).ok().map(|size| usize::from(size.ws_col));
    named.or_else(size).filter(|width| *width >= NARROWEST)
}

/// Lines, each of which fits into `width` columns where it is known.
fn all_wrapped(text: &str, width: Option<usize>) -> String {
    let lines = text.split('\n').map(|line| width.map_or(Cow::Borrowed(line), |width| wrapped(line, width)));
    lines.collect::<Vec<_>>().join("\n")
}

/// A line as several that fit into `width` columns.
fn wrapped(line: &str, width: usize) -> Cow<'_, str> {
    let indent = " ".repeat(hang(line, width));
    let options = textwrap::Options::new(width)
        .break_words(false)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .subsequent_indent(&indent);
    if textwrap::core::display_width(line) <= width {
        return line.into();
    }
    textwrap::wrap(line, options.word_splitter(textwrap::WordSplitter::NoHyphenation)).join("\n").into()
}

/// Where the continuation of a line begins: below its last column, if that is in the left half.
fn hang(line: &str, width: usize) -> usize {
    let own = line.len() - line.trim_start().len();
    let columns = line.match_indices("  ").map(|(at, _)| at + line[at..].len() - line[at..].trim_start().len());
    columns.filter(|column| *column > own && *column <= width / 2).last().unwrap_or(if own == 0 { 0 } else { own + 2 })
}

/// Writes bytes to stdout. An error fails the command at its [`end`].
pub(super) fn write(bytes: &[u8]) {
    let written = progress::aside(|| {
        let mut stdout = io::stdout().lock();
        stdout.write_all(bytes).and_then(|()| stdout.flush())
    });
    if let Err(error) = written {
        lose(error);
    }
}

/// Writes a file that only this account can read, if it is a new one.
pub(super) fn save(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(bytes)
}

/// Writes files into a new folder; all of them are readable by this account only.
pub(super) fn save_all(folder: &Path, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    files.iter().try_for_each(|(name, bytes)| save(&folder.join(name), bytes))
}

/// Writes text that may quote another system: on a terminal without the characters that control it or cannot be seen.
pub(super) fn write_text(text: &[u8]) {
    if !io::stdout().is_terminal() {
        return write(text);
    }
    let shown = String::from_utf8_lossy(text);
    write(shown.replace(|c: char| acts(c) && !matches!(c, '\r' | '\n' | '\t'), "\u{fffd}").as_bytes());
}

/// Prints a value as JSON. It may quote another system: on a terminal the characters that control it or cannot be seen are
/// escaped.
pub(super) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::failed(error.to_string()))?;
    // Not wrapped: a line break in a string would not be JSON.
    write(format!("{}\n", if io::stdout().is_terminal() { escaped(&text) } else { text }).as_bytes());
    Ok(())
}

/// The same JSON without such characters: they occur in strings only, where JSON has an escape for each.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if acts(c) && !matches!(c, '\r' | '\n' | '\t') {
            out.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    out
}

fn acts(c: char) -> bool {
    c.is_control() || is_invisible(c)
}

/// Keeps an error of stdout for the [`end`].
pub(super) fn lose(error: io::Error) {
    if error.kind() != ErrorKind::BrokenPipe {
        // Only the first one matters.
        let _ = LOST.set(error);
    }
}

/// The exit code of a command that ended with `code`: 1 if its output was lost.
pub(super) fn end(code: ExitCode) -> ExitCode {
    match LOST.get() {
        Some(error) => Failure::failed(format!("cannot write to stdout: {error}")).report(),
        None => code,
    }
}

/// Prints a line on stderr, wrapped as [`line()`] does.
pub(super) fn note(text: &str) {
    note_as_it_is(&all_wrapped(text, width_of(io::stderr())));
}

/// Prints lines on stderr that are wrapped already.
pub(super) fn note_as_it_is(text: &str) {
    progress::aside(|| _ = writeln!(io::stderr().lock(), "{text}"));
}

/// Whether to colour stderr: it is a terminal that has colours, and `NO_COLOR` is not set (<https://no-color.org>).
pub(super) fn color() -> bool {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    io::stderr().is_terminal() && variable("NO_COLOR").is_none() && variable("TERM").is_none_or(|term| term != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_on_a_terminal_has_the_same_values_and_nothing_that_acts() {
        let value = serde_json::json!({"name": "a\u{9b}31m\u{202e}\u{200b}\u{e0041}\n\u{fc}"});
        let shown = escaped(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!shown.contains(|c: char| acts(c) && c != '\n'), "{shown:?}");
        assert!(shown.contains("\\u009b31m\\u202e\\u200b\\udb40\\udc41\\n\u{fc}"), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }

    #[test]
    fn a_long_line_continues_below_its_last_column() {
        let line = "  FAILED    right to read users  the token has no scope for it; add the scope and try again";
        let expected = "  FAILED    right to read users  the token has no\n            scope for it; add the scope and try\n            again";
        assert_eq!(wrapped(line, 50), expected);
        assert_eq!(
            wrapped("acme: one two three four five six seven eight", 40),
            "acme: one two three four five six seven\neight"
        );
        assert_eq!(wrapped("short", 40), "short");
        let id = "x".repeat(60);
        assert_eq!(wrapped(&id, 40), id);
    }
}
