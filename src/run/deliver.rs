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
    model::{audit::Audit, mail::When},
    report::{ReportFile, ReportInput},
};

/// The recipients of a job, and what they get.
#[derive(Debug, Clone)]
pub struct Recipients {
    /// The sender.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
    /// What is attached.
    pub attach: Vec<ReportFile>,
    /// When a report is mailed. Notices about failed runs are always mailed.
    pub when: When,
    /// Whether the workspaces of a fire time are reported in one message.
    pub combine: bool,
}

/// Who receives the mail about an audit.
#[derive(Debug, Clone, Copy)]
pub enum Mail<'a> {
    /// These, if their `when` asks for it.
    To(&'a Recipients),
    /// Nobody: the job names no recipients.
    NoRecipients,
    /// Nobody: the audit was started without asking for mail. `when` is that of the job's recipients, if it has any.
    NotAsked {
        /// When those would be mailed.
        when: Option<When>,
    },
}

impl<'a> Mail<'a> {
    /// The recipients of a job; `None` if it names none.
    pub fn of_job(recipients: Option<&'a Recipients>) -> Self {
        recipients.map_or(Self::NoRecipients, Self::To)
    }

    /// Why no mail is sent about an audit; `None` if mail is sent.
    pub fn reason(&self, audit: &Audit) -> Option<NoMailReason> {
        let unless_wanted =
            |when, otherwise| if wanted(when, audit) { otherwise } else { Some(NoMailReason::NothingToTell) };
        match self {
            Self::To(recipients) => unless_wanted(recipients.when, None),
            Self::NoRecipients => Some(NoMailReason::NoRecipients),
            Self::NotAsked { when: Some(when) } => unless_wanted(*when, Some(NoMailReason::NotAsked)),
            Self::NotAsked { when: None } => Some(NoMailReason::NotAsked),
        }
    }
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
    /// An address is invalid.
    #[error(transparent)]
    Message(#[from] MessageError),
}

/// What a mail needs in addition to the audit.
#[derive(Debug)]
pub struct Letter<'a> {
    /// Who gets it.
    pub recipients: &'a Recipients,
    /// The report files that were written: an attachment that is too large is named with its path there.
    pub written: &'a [PathBuf],
    /// The date.
    pub date: DateTime<Utc>,
    /// The bag and the ledger entry that the mail names, so that a reader can verify them later.
    pub proof: Proof,
}

/// Whether `when` asks for a mail. An incomplete read and an incident are always mailed.
pub(super) fn wanted(when: When, audit: &Audit) -> bool {
    let incomplete = !audit.directory.reading.is_complete();
    incomplete
        || !audit.incidents().is_empty()
        || match when {
            When::Always => true,
            When::Findings => audit.open_findings().next().is_some(),
            When::Changes => audit.drift.previous.is_none() || !audit.drift.changes.is_empty(),
        }
}

/// The messages of an audit: the same report to each recipient, in one thread per job and workspace. An
/// attachment that is too large is named with its path among the files that were `written`.
///
/// # Errors
/// [`DeliverError`]
pub fn messages(input: &ReportInput<'_>, letter: &Letter<'_>) -> Result<Vec<Email>, DeliverError> {
    let Letter { recipients: Recipients { from, to, attach, .. }, written, date, .. } = *letter;
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
    Ok(to.iter().map(address).collect::<Result<_, _>>()?)
}
