//! Delivery: whether a report is mailed, and one message per recipient.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use super::{attachments, files::FileError};
use crate::{
    ledger::fact::NoMailReason,
    mail::{
        message::{Addressing, Email, MessageError, assemble},
        report_mail::{Proof, ReportMail},
    },
    model::audit::Audit,
    report::{ReportFile, ReportInput},
};

/// When a report is mailed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// After every audit.
    Always,
    /// Where a finding counts, and where the read was incomplete.
    Findings,
    /// Where something changed, after the first audit, and where the read was incomplete.
    Changes,
}

/// A report could not be made into messages.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// An attachment could not be written.
    #[error(transparent)]
    Attachment(#[from] FileError),
    /// A template failed, which is a defect of rolecall.
    #[error("the message cannot be rendered: {0}")]
    Template(#[from] askama::Error),
    /// An address is none.
    #[error(transparent)]
    Message(#[from] MessageError),
}

/// What there is to know of a mail beside the audit.
#[derive(Debug)]
pub struct Letter<'a> {
    /// The sender.
    pub from: &'a str,
    /// The recipients.
    pub recipients: &'a [String],
    /// What is attached.
    pub attach: &'a [ReportFile],
    /// The files that were written, where what is too large to attach is to be had.
    pub written: &'a [PathBuf],
    /// The date.
    pub date: DateTime<Utc>,
    /// By what it can be checked later.
    pub proof: Proof,
}

/// Whether there is something to tell of an audit: always where the read was incomplete or something went wrong before.
fn wanted(when: When, audit: &Audit) -> bool {
    let incomplete = !audit.directory.reading.is_complete();
    incomplete
        || !audit.incidents().is_empty()
        || match when {
            When::Always => true,
            When::Findings => audit.open_findings().next().is_some(),
            When::Changes => audit.drift.previous.is_none() || !audit.drift.changes.is_empty(),
        }
}

/// Why nobody is mailed an audit; none where somebody is. `when` is none where the job names no recipients.
pub fn no_mail_reason(when: Option<When>, audit: &Audit) -> Option<NoMailReason> {
    match when {
        None => Some(NoMailReason::NoRecipients),
        Some(when) if wanted(when, audit) => None,
        Some(_) => Some(NoMailReason::NothingToTell),
    }
}

/// The messages of an audit: the same report to each recipient, in one thread per job and workspace. What is too
/// large to attach is told with its place among the files that were `written`.
///
/// # Errors
/// [`DeliverError`]
pub fn messages(input: &ReportInput<'_>, letter: &Letter<'_>) -> Result<Vec<Email>, DeliverError> {
    let Letter { from, recipients, attach, written, date, .. } = *letter;
    let audit = input.audit();
    let (attachments, left_out) = attachments::attachments(input, attach, written, attachments::LIMIT)?;
    let mail = ReportMail::new(audit, input.brief(), attachments, &left_out, &letter.proof)?;
    let id = audit.id.to_string();
    let job = audit.job.as_deref().unwrap_or("audit");
    let address = |to: &String| {
        let addressing =
            Addressing { from, to, date, id: &id, kind: ReportMail::KIND, thread: Some((job, &audit.workspace)) };
        assemble(mail.content(), &addressing)
    };
    Ok(recipients.iter().map(address).collect::<Result<_, _>>()?)
}
