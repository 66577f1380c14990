//! Problems of a configuration: what is wrong, what was expected, and the line itself.

use std::{ops::Range, path::Path};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity, SourceCode};
use toml::de::DeTable;

use super::{mask::masked, names::holds_secret};

/// The columns that sentences are wrapped at. Lines of the file are shown as they are.
const WIDTH: usize = 80;

/// An error or a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// What was expected, or what to do; may be empty.
    pub help: String,
    /// The bytes of the file it is about; `None` for the file as a whole.
    pub span: Option<Range<usize>>,
    /// Whether the configuration can still be used.
    pub warning: bool,
    /// Whether it is a test case of a custom rule that fails.
    pub is_failed_test: bool,
}

impl Problem {
    /// An error at a place.
    pub fn error(span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: without_secrets(&message.into()),
            help: help.into(),
            span: Some(span),
            warning: false,
            is_failed_test: false,
        }
    }

    /// In one line, with its place.
    pub(super) fn line(&self, path: &Path, text: &str) -> String {
        let before = text.get(..self.span.as_ref().map_or(0, |span| span.start)).unwrap_or_default();
        let (line, last) = (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap_or_default());
        format!("{}:{line}:{}: {}", path.display(), last.chars().count() + 1, self.message)
    }

    /// A warning at a place.
    pub fn warning(span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { warning: true, ..Self::error(span, message, help) }
    }
}

/// A message in which every quoted value that looks like a secret is masked: it may have been written in the wrong place.
fn without_secrets(message: &str) -> String {
    let mask = |(at, part): (usize, &str)| {
        if at % 2 == 1 && holds_secret(part) { "[masked]".to_owned() } else { part.to_owned() }
    };
    message.split('`').enumerate().map(mask).collect::<Vec<_>>().join("`")
}

/// A configuration's text and its problems.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.render(false))]
pub struct Problems {
    /// The file's path.
    pub file: String,
    /// Its text, secrets masked.
    pub text: String,
    /// In the order of the file.
    pub problems: Vec<Problem>,
    /// Those of the files that belong to it.
    pub others: Vec<Self>,
}

#[derive(Debug)]
struct Shown<'a> {
    problem: &'a Problem,
    source: &'a NamedSource<String>,
}

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.problem.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn severity(&self) -> Option<Severity> {
        Some(if self.problem.warning { Severity::Warning } else { Severity::Error })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        (!self.problem.help.is_empty()).then(|| Box::new(&self.problem.help) as Box<_>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.problem.span.is_some().then_some(self.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.problem.span.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(Some("here".to_owned()), span))))
    }
}

/// The place of the value of a key, whose names have no dots.
fn place(table: &DeTable<'_>, key: &str) -> Option<Range<usize>> {
    let (first, rest) = key.split_once('.').map_or((key, None), |(first, rest)| (first, Some(rest)));
    let value = table.get(first)?;
    match rest {
        None => Some(value.span()),
        Some(rest) => place(value.get_ref().as_table()?, rest),
    }
}

impl Problems {
    pub(super) fn new(path: &Path, text: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.span.as_ref().map_or(0, |span| span.start));
        let text = if problems.is_empty() { String::new() } else { masked(text, &super::json_schema()) };
        Self { file: path.display().to_string(), text, problems, others: Vec::new() }
    }

    /// Errors about keys of a configuration, each with the key, what is wrong and what to do. A key is written with dots:
    /// `evidence.s3.ca_file`.
    pub fn of_keys(path: &Path, text: &str, wrong: impl IntoIterator<Item = (String, String, String)>) -> Self {
        let table = DeTable::parse(text).ok();
        let problem = |(key, message, help): (String, String, String)| {
            let place = table.as_ref().and_then(|table| place(table.get_ref(), &key));
            Problem { span: place, ..Problem::error(0..0, format!("`{key}`: {message}"), help) }
        };
        Self::new(path, text, wrong.into_iter().map(problem).collect())
    }

    /// The same with those of other files.
    pub(super) fn with(self, others: Vec<Self>) -> Self {
        Self { others, ..self }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty() && self.others.iter().all(Self::is_empty)
    }

    /// How many of them are errors.
    pub fn errors(&self) -> usize {
        self.own_errors() + self.others.iter().map(Self::errors).sum::<usize>()
    }

    /// How many errors its own file has.
    pub(super) fn own_errors(&self) -> usize {
        self.problems.iter().filter(|problem| !problem.warning).count()
    }

    /// Every problem with its line, for people.
    pub fn render(&self, color: bool) -> String {
        let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        // A path or an address stays whole, so that it can be copied.
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_links(false)
            .with_width(WIDTH)
            .with_word_separator(textwrap::WordSeparator::AsciiSpace)
            .with_word_splitter(textwrap::WordSplitter::NoHyphenation)
            .with_break_words(false);
        let source = NamedSource::new(&self.file, self.text.clone());
        let mut out = String::new();
        for problem in &self.problems {
            // Writing to a string does not fail.
            let _ = handler.render_report(&mut out, &Shown { problem, source: &source });
            out.push('\n');
        }
        out.extend(self.others.iter().map(|other| other.render(color)));
        out
    }
}
