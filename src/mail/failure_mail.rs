//! The notice that a review could not be made: what should have been read, why it was not, and what that means.

use askama::Template;
use chrono::{DateTime, Utc};

use super::{
    message::{Addressing, Content, Email, MessageError, assemble},
    text::one_line,
};
use crate::model::run::Run;

/// The longest name that the notice shows, and the longest error, in characters.
const MAX_NAME: usize = 200;
const MAX_ERROR: usize = 2_000;

/// A notice that cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum FailureMailError {
    /// An address is none.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// A template failed, which is a defect of rolecall.
    #[error("the notice cannot be rendered: {0}")]
    Template(#[from] askama::Error),
}

struct View {
    job: String,
    workspace: String,
    due: String,
    attempts: String,
    error: String,
    run: String,
}

#[derive(Template)]
#[template(path = "mail/failure/body.html")]
struct Html<'a> {
    view: &'a View,
}

#[derive(Template)]
#[template(path = "mail/failure/body.txt")]
struct Text<'a> {
    view: &'a View,
}

/// The notice that a run was given up.
///
/// # Errors
/// [`FailureMailError`]: an address that is none.
pub fn failure_mail(
    run: &Run,
    error: &str,
    from: &str,
    to: &str,
    date: DateTime<Utc>,
) -> Result<Email, FailureMailError> {
    let view = View {
        job: one_line(&run.job, MAX_NAME),
        workspace: one_line(&run.workspace, MAX_NAME),
        due: run.fire_at.format("%a %-d %b %Y, %H:%M UTC").to_string(),
        attempts: if run.attempt == 1 { "once".to_owned() } else { format!("{} times", run.attempt) },
        error: one_line(error, MAX_ERROR),
        run: run.id.to_string(),
    };
    let content = Content {
        subject: format!("[rolecall] FAILED {}: no review was made – {}", view.workspace, view.job),
        text: Text { view: &view }.render()?,
        html: Html { view: &view }.render()?,
        attachments: Vec::new(),
    };
    let thread = Some((run.job.as_str(), run.workspace.as_str()));
    Ok(assemble(&content, &Addressing { from, to, date, id: &view.run, kind: "failure", thread })?)
}
