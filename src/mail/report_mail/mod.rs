//! The mail that tells what one audit found.
//!
//! The first screen answers what a reader asks: can I rely on it, what changed, who should do what, who can
//! administer. The rest is a selection, the gravest first, and says where all of it stands.
//!
//! - `view`: what the two templates show; built here from the audit, with bounded lists;
//! - `subject`: the result and the change in one line;
//! - `actions`: findings as things to do, by rule, the most urgent first.

mod actions;
mod facts;
mod lists;
mod subject;
mod view;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use askama::Template;

use self::{
    lists::Limits,
    view::{Input, View},
};
use super::{
    message::{Attachment, Content},
    text::{name, size},
};
use crate::{
    access::matrix::AccessMatrix,
    ledger::{Head, fact::BagName},
    model::audit::Audit,
};

/// The largest HTML part, in bytes. Gmail cuts messages off at 102 KB.
pub const MAX_HTML: usize = 100_000;

/// The longest file name that a body shows, in characters.
const MAX_FILE_NAME: usize = 80;
/// The longest path that a body shows, in characters.
const MAX_PATH: usize = 300;

/// A file that would have been attached, had the mail had room for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Its name.
    pub file_name: String,
    /// Its size in bytes.
    pub bytes: usize,
    /// Where it was written; none where it was not.
    pub path: Option<PathBuf>,
}

/// By what a mail can be checked later, and is itself a witness.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proof {
    /// The bag of evidence; none where none is kept.
    pub bag: Option<BagName>,
    /// The last entry of the ledger when the mail was written; none where there was none.
    pub ledger: Option<Head>,
}

/// The mail of one audit, the same for every recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportMail {
    content: Content,
}

/// A file that is not attached, its size, and where it is to be had instead.
fn whereabouts(file: &LeftOut) -> String {
    let place = match &file.path {
        Some(path) => {
            format!("it is {} on the machine that ran the audit", name(&path.display().to_string(), MAX_PATH))
        }
        None => "it was not kept: `rolecall audit --out` writes it".to_owned(),
    };
    format!("{} ({}): {place}", name(&file.file_name, MAX_FILE_NAME), size(file.bytes))
}

#[derive(Template)]
#[template(path = "mail/report/body.html")]
struct Html<'a> {
    view: &'a View,
}

#[derive(Template)]
#[template(path = "mail/report/body.txt")]
struct Text<'a> {
    view: &'a View,
}

impl ReportMail {
    /// The kind of this message, for [`Addressing`](super::message::Addressing).
    pub const KIND: &'static str = "report";

    /// Writes the mail, which names what was left out too.
    ///
    /// # Errors
    /// Where a template cannot be rendered, which is a defect of rolecall.
    pub fn new(
        audit: &Audit,
        matrix: &AccessMatrix<'_>,
        attachments: Vec<Attachment>,
        left_out: &[LeftOut],
        proof: &Proof,
    ) -> Result<Self, askama::Error> {
        let left_out: Vec<String> = left_out.iter().map(whereabouts).collect();
        let attached: Vec<&str> = attachments.iter().map(|attachment| attachment.file_name.as_str()).collect();
        let input = Input { audit, matrix, proof, attached: &attached, left_out: &left_out };
        let mut limits = Limits::FULL;
        // Names may be long and full of characters that HTML writes as five: what is shown is then less.
        let (html, text) = loop {
            let view = View::new(&input, limits);
            let html = Html { view: &view }.render()?;
            if html.len() <= MAX_HTML || limits == Limits::NONE {
                break (html, Text { view: &view }.render()?);
            }
            limits = limits.halved();
        };
        let subject = subject::subject(audit, matrix);
        Ok(Self { content: Content { subject, text, html, attachments } })
    }

    /// What it says.
    pub fn content(&self) -> &Content {
        &self.content
    }
}
