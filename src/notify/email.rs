//! The channel for e-mail, over a [`Mailer`].

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::channel::{Channel, Outcome};
use crate::{
    mail::{
        link,
        message::Email,
        notice::Notice,
        review::ReviewMail,
        smtp::{Failure, Mailer, SendError, Stage},
    },
    model::notification::{Notification, Subject},
};

/// The channel's name.
pub const NAME: &str = "email";

/// Makes one-time links to sign in with, for messages that have a place for one.
#[async_trait]
pub trait SignInLinks: Send + Sync {
    /// The secret of a link for the recipient of a message. `None` if the recipient has nothing to sign in for any more.
    ///
    /// # Errors
    /// Why none can be made now; the text holds no secret.
    async fn secret(&self, message_id: &str, to: &str) -> Result<Option<String>, String>;
}

/// Delivers notifications as e-mails.
pub struct EmailChannel<M> {
    mailer: M,
    links: Option<Arc<dyn SignInLinks>>,
}

impl<M: Mailer> EmailChannel<M> {
    /// A channel over a mailer.
    pub fn new(mailer: M) -> Self {
        Self { mailer, links: None }
    }

    /// The same, with links in messages that have a place for one.
    #[must_use]
    pub fn with_links(self, links: Arc<dyn SignInLinks>) -> Self {
        Self { links: Some(links), ..self }
    }

    /// Puts a link into a message that has a place for one. Without links, or for somebody who has nothing to sign in for, the
    /// place stays: it signs nobody in, and its page says so.
    async fn fill(&self, notification: &Notification, email: &mut Email) -> Result<(), String> {
        let Notification { subject, kind, about, address, .. } = notification;
        let (Some(links), Some(review)) = (&self.links, subject.review()) else { return Ok(()) };
        let place = link::place(&review.to_string(), kind, about);
        // Whether it has one is known before a link is made.
        if link::filled(&email.bytes, &place, &place).is_none() {
            return Ok(());
        }
        let secret = links.secret(&email.message_id, address).await?;
        if let Some(filled) = secret.and_then(|secret| link::filled(&email.bytes, &place, &secret)) {
            email.bytes = filled;
        }
        Ok(())
    }
}

#[async_trait]
impl<M: Mailer> Channel for EmailChannel<M> {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn deliver(&self, notification: &Notification) -> Outcome {
        let Some(mut email) = email(notification) else {
            return Outcome::Final("an e-mail needs a sender and a Message-ID, and this one has not both".to_owned());
        };
        if let Err(reason) = self.fill(notification, &mut email).await {
            return Outcome::Again(format!("it was not sent, because its sign-in link cannot be made: {reason}"));
        }
        match self.mailer.send(&email).await {
            Ok(accepted) => Outcome::Delivered(accepted.answer),
            Err(error) if is_too_large(&error) => {
                Outcome::TooLarge { reason: error.without_advice(), answer: error.answer, limit: error.limit }
            }
            Err(error) if is_final(&error) => Outcome::Final(error.to_string()),
            Err(error) => Outcome::Again(error.to_string()),
        }
    }
}

/// Whether no later attempt can succeed. A wrong password or an untrusted certificate will be corrected, and then the
/// message goes out. A recipient who does not exist, or a message that the server refuses, stays refused.
fn is_final(error: &SendError) -> bool {
    error.failure == Failure::Permanent && matches!(error.stage, Stage::Recipient | Stage::Data)
}

/// Whether the server refuses the message for its size (RFC 1870). For a recipient, the same code says that the mailbox is
/// full.
fn is_too_large(error: &SendError) -> bool {
    error.failure == Failure::Permanent && error.code == Some(552) && matches!(error.stage, Stage::Sender | Stage::Data)
}

/// The notification of a run that delivers an e-mail. `about` distinguishes it from others of its kind, run and recipient.
pub fn notification(run: Uuid, kind: &str, about: &str, email: Email) -> Notification {
    notification_of(Subject::Run(run), kind, about, email)
}

fn notification_of(subject: Subject, kind: &str, about: &str, email: Email) -> Notification {
    Notification {
        subject,
        channel: NAME.to_owned(),
        kind: kind.to_owned(),
        about: about.to_owned(),
        address: email.to,
        sender: Some(email.from),
        message_id: Some(email.message_id),
        bytes: email.bytes,
    }
}

fn email(notification: &Notification) -> Option<Email> {
    Some(Email {
        from: notification.sender.clone()?,
        to: notification.address.clone(),
        message_id: notification.message_id.clone()?,
        bytes: notification.bytes.clone(),
    })
}

/// Messages about a review as notifications. A message that cannot be written is logged and left out.
pub fn about_review(review: Uuid, mails: &[ReviewMail], from: &str, now: DateTime<Utc>) -> Vec<Notification> {
    let written = mails.iter().filter_map(|mail| match mail.email(from, now) {
        Ok(email) => Some(notification_of(Subject::Review(review), mail.kind(), mail.about(), email)),
        Err(error) => {
            tracing::error!(%error, kind = mail.kind(), "a message about a review could not be written");
            None
        }
    });
    written.collect()
}

/// Who gets a notice.
#[derive(Debug, Clone, Copy)]
pub struct Addresses<'a> {
    /// The sender.
    pub from: &'a str,
    /// The recipients.
    pub to: &'a [String],
}

/// A notice about a run as one notification per recipient. A notice that cannot be written is logged and left out.
pub fn notices(
    notice: &Notice,
    run: Uuid,
    about: &str,
    addresses: Addresses<'_>,
    now: DateTime<Utc>,
) -> Vec<Notification> {
    let written = addresses.to.iter().filter_map(|to| match notice.email(addresses.from, to, now) {
        Ok(email) => Some(notification(run, notice.kind(), about, email)),
        Err(error) => {
            tracing::error!(%error, kind = notice.kind(), "a notice could not be written");
            None
        }
    });
    written.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_recipient_or_a_message_can_be_refused_for_good() {
        let error = |stage, failure| SendError {
            limit: None,
            remedy: None,
            server: "mail.example.com:25".into(),
            stage,
            failure,
            code: Some(550),
            answer: String::new(),
        };
        for stage in [Stage::Recipient, Stage::Data] {
            assert!(is_final(&error(stage, Failure::Permanent)));
            assert!(!is_final(&error(stage, Failure::Transient)) && !is_final(&error(stage, Failure::Unknown)));
        }
        for stage in [Stage::Authentication, Stage::Sender] {
            assert!(!is_final(&error(stage, Failure::Permanent)));
        }
    }
}
