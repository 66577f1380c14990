//! The mail about one audit.
//!
//! The first screen answers what a reader asks: can I rely on it, what changed, who should do what, who can
//! administer. The rest is a selection, the most severe first, and names the file with all of it. What the audit says
//! comes from its [`Brief`]; this module bounds the lists and cleans the texts for mail clients.
//!
//! - `view`: what the two templates show;
//! - `facts`: how the data was collected;
//! - `lists`: how much of each list a mail shows.

mod facts;
mod lists;
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
    text::{name, one_line, size},
};
use crate::{
    brief::Brief,
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
    /// Where it was written; `None` if it was not.
    pub path: Option<PathBuf>,
}

/// What ties a mail to the evidence of its audit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proof {
    /// The evidence bag; `None` if no evidence is kept.
    pub bag: Option<BagName>,
    /// The last entry of the ledger when the mail was written; `None` if there was none.
    pub ledger: Option<Head>,
}

/// The mail of one audit, the same for every recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportMail {
    content: Content,
}

/// A file that is not attached, its size, and where to get it instead.
pub(super) fn whereabouts(file: &LeftOut) -> String {
    let place = match &file.path {
        Some(path) => {
            format!("see {} on the machine that ran the audit", one_line(&path.display().to_string(), MAX_PATH))
        }
        None => "`rolecall audit --out DIR` writes it".to_owned(),
    };
    format!("{} ({}): {place}", one_line(&file.file_name, MAX_FILE_NAME), size(file.bytes))
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

/// The longest headline in a subject, in characters.
const MAX_HEADLINE: usize = 300;
/// The longest name of a job or a workspace in a subject, in characters.
const MAX_NAME_IN_SUBJECT: usize = 40;

/// The subject: `[rolecall] acme: +1 administrator, 2 new findings (open: 3 high) – weekly-access-review`.
fn subject(audit: &Audit, brief: &Brief) -> String {
    let mark = if brief.is_complete() { "" } else { "INCOMPLETE " };
    let job = audit.job.as_deref().map(|job| format!(" – {}", name(job, MAX_NAME_IN_SUBJECT))).unwrap_or_default();
    format!(
        "[rolecall] {mark}{}: {}{job}",
        name(&audit.workspace, MAX_NAME_IN_SUBJECT),
        name(&brief.headline, MAX_HEADLINE)
    )
}

impl ReportMail {
    /// The kind of this message, for [`Addressing`](super::message::Addressing).
    pub const KIND: &'static str = "report";

    /// Writes the mail, which also names the files that were left out.
    ///
    /// # Errors
    /// If a template cannot be rendered, which is a defect of rolecall.
    pub fn new(
        audit: &Audit,
        brief: &Brief,
        attachments: Vec<Attachment>,
        left_out: &[LeftOut],
        proof: &Proof,
    ) -> Result<Self, askama::Error> {
        let left_out: Vec<String> = left_out.iter().map(whereabouts).collect();
        let attached: Vec<&str> = attachments.iter().map(|attachment| attachment.file_name.as_str()).collect();
        let input = Input { audit, brief, proof, attached: &attached, left_out: &left_out };
        let mut limits = Limits::FULL;
        // HTML writes some characters as five, so long names can take more room than there is: then show less.
        let (html, text) = loop {
            let view = View::new(&input, limits);
            let html = Html { view: &view }.render()?;
            if html.len() <= MAX_HTML || limits == Limits::NONE {
                break (html, Text { view: &view }.render()?);
            }
            limits = limits.halved();
        };
        let subject = subject(audit, brief);
        Ok(Self { content: Content { subject, text, html, attachments } })
    }

    /// What it says.
    pub fn content(&self) -> &Content {
        &self.content
    }
}
