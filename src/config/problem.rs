//! What is wrong with a configuration: where, what was expected, and the line itself.

use std::{ops::Range, path::Path};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, Severity, SourceCode};

/// One thing that is wrong, or should be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub message: String,
    /// What was expected, or what to do; may be empty.
    pub help: String,
    /// The bytes of the file that it is about; none for the file as a whole.
    pub span: Option<Range<usize>>,
    /// Whether the configuration can still be used.
    pub warning: bool,
}

impl Problem {
    /// An error at a place.
    pub fn error(span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into(), span: Some(span), warning: false }
    }

    /// A warning at a place.
    pub fn warning(span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { warning: true, ..Self::error(span, message, help) }
    }
}

/// A configuration's text and its problems.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.render(false))]
pub struct Problems {
    /// The file's name, for people.
    pub file: String,
    /// Its text.
    pub text: String,
    /// What is wrong, in the order of the file.
    pub problems: Vec<Problem>,
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

impl Problems {
    pub(super) fn new(path: &Path, text: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.span.as_ref().map_or(0, |span| span.start));
        Self { file: path.display().to_string(), text: text.to_owned(), problems }
    }

    /// Every problem with its line, for people; in colour on a terminal.
    pub fn render(&self, color: bool) -> String {
        let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_width(100);
        let source = NamedSource::new(&self.file, masked(&self.text));
        let mut out = String::new();
        for problem in &self.problems {
            // Writing to a string does not fail.
            let _ = handler.render_report(&mut out, &Shown { problem, source: &source });
            out.push('\n');
        }
        out
    }
}

/// Parts of words in a key, misspelt or not, whose value may be a secret that somebody wrote out, against all advice.
const SECRET_WORDS: [&str; 6] = ["secr", "tok", "pass", "pwd", "cred", "key"];

/// The text with every value that may be a secret made unreadable, byte for byte, so that places stay the same.
fn masked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut until: Option<&str> = None;
    for line in text.split_inclusive('\n') {
        if let Some(end) = until {
            hide(&mut out, line);
            until = until.filter(|_| !line.contains(end));
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            out.push_str(line);
            continue;
        };
        let key_of_secret = SECRET_WORDS.iter().any(|word| key.to_lowercase().contains(word));
        let names_its_place = ["env", "file"].iter().any(|word| {
            value.trim_start().strip_prefix('{').is_some_and(|inside| {
                inside.trim_start().strip_prefix(word).is_some_and(|rest| rest.trim_start().starts_with('='))
            })
        });
        if !key_of_secret || names_its_place {
            out.push_str(line);
            continue;
        }
        out.push_str(key);
        out.push('=');
        hide(&mut out, value);
        // A text over several lines goes on until its end.
        until = ["\"\"\"", "\'\'\'"].into_iter().find(|mark| value.matches(mark).count() == 1);
    }
    out
}

fn hide(out: &mut String, text: &str) {
    for c in text.chars() {
        if c.is_whitespace() {
            out.push(c);
        } else {
            out.extend(std::iter::repeat_n('*', c.len_utf8()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_somebody_wrote_out_is_not_shown_and_no_place_moves() {
        let text = "client_secret = \"s3crét\"\nname = \"shown\"\nrefresh_tokn = { value = \"s3crét\" }\n\
                    password = { env = \"NAME\" }\napi_token = \"\"\"\ns3crét\n\"\"\"\nafter = 1\n";
        let masked = masked(text);
        assert_eq!(masked.len(), text.len());
        assert!(!masked.contains("s3cr"), "{masked}");
        for shown in ["name = \"shown\"", "{ env = \"NAME\" }", "after = 1"] {
            assert!(masked.contains(shown), "{masked}");
        }
    }
}
