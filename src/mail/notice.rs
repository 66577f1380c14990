//! Short notices about a run: it failed, or a message of it was not delivered.

use askama::Template;
use chrono::{DateTime, Utc};

use super::{
    message::{Addressing, Content, Email, MessageError, assemble},
    text::one_line,
};
use crate::{ledger::Head, model::run::Run};

/// The longest name and the longest error that a notice shows, in characters.
const MAX_NAME: usize = 200;
const MAX_ERROR: usize = 2_000;

/// A notice cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum NoticeError {
    /// An address is malformed.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// A template failed, which is a bug in rolecall.
    #[error("the notice cannot be rendered: {0}")]
    Template(#[from] askama::Error),
}

/// The content of a notice, the same for every recipient.
#[derive(Debug, Clone)]
pub struct Notice {
    kind: &'static str,
    /// The run, and what distinguishes this notice from others of its kind and run.
    identity: String,
    thread: (String, String),
    subject: String,
    title: &'static str,
    workspace: String,
    lead: String,
    why: String,
    advice: &'static str,
    command: String,
    meaning: &'static str,
    ledger: String,
}

#[derive(Template)]
#[template(path = "mail/notice/body.html")]
struct Html<'a> {
    notice: &'a Notice,
}

#[derive(Template)]
#[template(path = "mail/notice/body.txt")]
struct Text<'a> {
    notice: &'a Notice,
}

impl Notice {
    /// The kind of notice that a run was given up.
    pub const FAILURE: &'static str = "failure";
    /// The kind of notice that a message was not delivered.
    pub const UNDELIVERED: &'static str = "undelivered";

    /// A run was given up. `about` distinguishes this notice if the same run was given up before.
    pub fn failure(run: &Run, about: &str, error: &str, ledger: &Head) -> Self {
        let (job, workspace) = (one_line(&run.job, MAX_NAME), one_line(&run.workspace, MAX_NAME));
        let attempts = if run.attempt == 1 { "one attempt".to_owned() } else { format!("{} attempts", run.attempt) };
        Self {
            kind: Self::FAILURE,
            identity: format!("{} {about}", run.id),
            thread: (run.job.clone(), run.workspace.clone()),
            subject: format!("[rolecall] FAILED {workspace}: access was not reviewed – {job}"),
            title: "Access was not reviewed",
            lead: format!(
                "{job} was due {} and failed after {attempts}. Access to {workspace} has not been reviewed since the last successful audit.",
                due(run)
            ),
            why: one_line(error, MAX_ERROR),
            advice: "Fix the cause, then run:",
            command: format!("rolecall runs retry {}", run.id),
            meaning: "For a SOC 2 audit, this scheduled review is missing until the retry succeeds.",
            ledger: ledger.to_string(),
            workspace,
        }
    }

    /// A message of a run was refused, or not accepted for too long.
    pub fn undelivered(run: &Run, message_kind: &str, recipient: &str, answer: &str, ledger: &Head) -> Self {
        let (job, workspace) = (one_line(&run.job, MAX_NAME), one_line(&run.workspace, MAX_NAME));
        let recipient = one_line(recipient, MAX_NAME);
        let what = if message_kind == Self::FAILURE { "notice that the audit failed" } else { message_kind };
        Self {
            kind: Self::UNDELIVERED,
            identity: format!("{} {message_kind} {recipient}", run.id),
            thread: (run.job.clone(), run.workspace.clone()),
            subject: format!("[rolecall] NOT DELIVERED to {recipient}: {job} of {workspace}"),
            title: "Not delivered",
            lead: format!(
                "The {what} of {job} for {workspace}, due {}, was not delivered to {recipient}. It is not sent again.",
                due(run)
            ),
            why: one_line(answer, MAX_ERROR),
            advice: "Correct the address in the job's [email] table, or fix the cause and send it again:",
            command: format!("rolecall runs retry {}", run.id),
            meaning: "This recipient has not seen the review.",
            ledger: ledger.to_string(),
            workspace,
        }
    }

    /// The kind: [`Notice::FAILURE`] or [`Notice::UNDELIVERED`].
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// The notice for one recipient.
    ///
    /// # Errors
    /// [`NoticeError`]
    pub fn email(&self, from: &str, to: &str, date: DateTime<Utc>) -> Result<Email, NoticeError> {
        let content = Content {
            subject: self.subject.clone(),
            text: Text { notice: self }.render()?,
            html: Html { notice: self }.render()?,
            attachments: Vec::new(),
        };
        let thread = Some((self.thread.0.as_str(), self.thread.1.as_str()));
        Ok(assemble(&content, &Addressing { from, to, date, id: &self.identity, kind: self.kind, thread })?)
    }
}

fn due(run: &Run) -> String {
    run.fire_at.format("%a %-d %b %Y, %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::model::run::RunState;

    fn run() -> Run {
        Run {
            id: Uuid::from_u128(0x0195_5555_5555_7555_8555_5555_5555_5555),
            job: "weekly <review>".into(),
            workspace: "acme & sons".into(),
            fire_at: "2026-03-02T07:00:00Z".parse().unwrap(),
            state: RunState::Failed,
            attempt: 5,
            started_at: None,
            finished_at: None,
            not_before: None,
            error: None,
        }
    }

    fn parts(notice: &Notice) -> (String, String) {
        (Text { notice }.render().unwrap(), Html { notice }.render().unwrap())
    }

    #[test]
    fn a_run_that_was_given_up() {
        let notice = Notice::failure(&run(), "5", "workspace acme: HTTP 500 <b>again</b>\nand again", &Head::default());
        let (text, html) = parts(&notice);
        insta::assert_snapshot!("failure_text", text);
        insta::assert_snapshot!("failure_html", html);
    }

    #[test]
    fn a_message_that_was_not_delivered() {
        let notice =
            Notice::undelivered(&run(), "report", "gone@example.com", "550 5.1.1 no such <user>", &Head::default());
        let (text, html) = parts(&notice);
        insta::assert_snapshot!("undelivered_text", text);
        insta::assert_snapshot!("undelivered_html", html);
    }

    #[test]
    fn notices_of_one_run_and_kind_about_different_things_are_different_messages() {
        let id = |notice: Notice| {
            notice.email("audit@example.com", "a@example.com", DateTime::UNIX_EPOCH).unwrap().message_id
        };
        let first = id(Notice::failure(&run(), "1", "x", &Head::default()));
        assert_eq!(
            first,
            id(Notice::failure(&run(), "1", "y", &Head::default())),
            "the same notice, however often it is built"
        );
        assert_ne!(first, id(Notice::failure(&run(), "2", "x", &Head::default())));
        let undelivered = |to| id(Notice::undelivered(&run(), "report", to, "x", &Head::default()));
        assert_ne!(undelivered("b@example.com"), undelivered("c@example.com"));
    }
}
