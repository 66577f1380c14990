//! The outbox: hands one message that was taken out of it to the mail server, and stores what came of that.

use std::{collections::BTreeSet, path::Path};

use chrono::{DateTime, Duration, Utc};

use crate::{
    clock::Clock,
    evidence::mail as kept,
    mail::{
        message::Email,
        notice::Notice,
        smtp::{Failure, Mailer, SendError, Stage},
    },
    model::run::MessageState,
    store::{
        Database, StoreError,
        queue::{NewMessage, Outgoing, Sent},
    },
};

/// The wait after the first attempt; each further one doubles it, up to the longest.
const FIRST_WAIT: Duration = Duration::minutes(1);
const LONGEST_WAIT: Duration = Duration::hours(1);
/// A message that nobody accepted for so long is given up: the next review is then about to come.
const PATIENCE: Duration = Duration::days(5);

/// What came of a message.
#[derive(Debug)]
pub struct Dispatched {
    /// What becomes of it.
    pub outcome: Sent,
    /// What the server answered, or what broke.
    pub answer: String,
}

/// Sends a message, and stores what came of it. With a folder of evidence it is kept there first: nothing is sent without its
/// evidence. Where it is given up, the others of its run are told.
///
/// # Errors
/// [`StoreError`]: then it is taken out again when its lease ends, and sent again with the same `Message-ID`.
pub async fn dispatch(
    store: &dyn Database,
    evidence: Option<&Path>,
    mailer: Option<&dyn Mailer>,
    clock: &Clock,
    message: &mut Outgoing,
) -> Result<Dispatched, StoreError> {
    let kept = evidence.map_or(Ok(()), |folder| kept::keep(folder, &message.message.bytes));
    message.kept = evidence.is_some() && kept.is_ok();
    let message = &*message;
    let result = match (kept, mailer) {
        (Err(error), _) => Err((false, format!("it is not sent, because it cannot be kept as evidence: {error}"))),
        (Ok(()), Some(mailer)) => {
            mailer.send(&email(message)).await.map_err(|error| (is_final(&error), error.to_string()))
        }
        (Ok(()), None) => Err((false, "the configuration has no [smtp] table any more".to_owned())),
    };
    let now = clock.now();
    let (outcome, answer) = match result {
        Ok(accepted) => (Sent::Accepted, accepted.answer),
        Err((is_final, error)) => (after(is_final, message, now), error),
    };
    let notices = if outcome == Sent::GivenUp { told_of(store, message, &answer, now).await? } else { Vec::new() };
    store.sent(message, &outcome, &answer, &notices, now).await?;
    Ok(Dispatched { outcome, answer })
}

/// Whether no later attempt can succeed. A password that the server does not take, or a certificate that nobody
/// signed, is set right by somebody sooner or later, and then the message goes out; a recipient who does not exist, or
/// a message that the server will not have, stays so.
fn is_final(error: &SendError) -> bool {
    error.failure == Failure::Permanent && matches!(error.stage, Stage::Recipient | Stage::Data)
}

/// What becomes of a message that was not accepted.
fn after(is_final: bool, message: &Outgoing, now: DateTime<Utc>) -> Sent {
    let is_old = now - message.created_at > PATIENCE;
    if is_final || is_old {
        return Sent::GivenUp;
    }
    let doublings = message.attempt.saturating_sub(1).min(10);
    Sent::Again(now + (FIRST_WAIT * 2_i32.pow(doublings)).min(LONGEST_WAIT))
}

/// Tells the others of a run that somebody does not get a message. A notice that nobody got such a notice would go on
/// for ever.
async fn told_of(
    store: &dyn Database,
    refused: &Outgoing,
    answer: &str,
    now: DateTime<Utc>,
) -> Result<Vec<NewMessage>, StoreError> {
    let message = &refused.message;
    if message.kind == Notice::UNDELIVERED {
        return Ok(Vec::new());
    }
    let Some(run) = store.run(refused.run).await? else { return Ok(Vec::new()) };
    let others = store.messages(refused.run).await?;
    let to: BTreeSet<&str> = others
        .iter()
        .filter(|other| other.state != MessageState::Rejected && other.recipient != message.recipient)
        .map(|other| other.recipient.as_str())
        .collect();
    let notice = Notice::undelivered(&run, &message.kind, &message.recipient, answer, &store.head().await?);
    let about = format!("{} to {}", message.kind, message.recipient);
    Ok(notices(&notice, &about, &message.sender, to.into_iter(), now))
}

/// A notice to each recipient. One that cannot be written is an error in the log.
pub fn notices<'a>(
    notice: &Notice,
    about: &str,
    from: &str,
    to: impl Iterator<Item = &'a str>,
    now: DateTime<Utc>,
) -> Vec<NewMessage> {
    to.filter_map(|to| match notice.email(from, to, now) {
        Ok(email) => Some(outgoing(notice.kind(), about.to_owned(), email)),
        Err(error) => {
            tracing::error!(%error, kind = notice.kind(), "a notice cannot be written");
            None
        }
    })
    .collect()
}

/// A message as it goes into the outbox.
pub fn outgoing(kind: &str, about: String, email: Email) -> NewMessage {
    NewMessage {
        kind: kind.to_owned(),
        about,
        recipient: email.to,
        sender: email.from,
        message_id: email.message_id,
        bytes: email.bytes,
    }
}

fn email(message: &Outgoing) -> Email {
    let message = &message.message;
    Email {
        from: message.sender.clone(),
        to: message.recipient.clone(),
        message_id: message.message_id.clone(),
        bytes: message.bytes.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(attempt: u32) -> Outgoing {
        let message = NewMessage {
            kind: "report".into(),
            about: String::new(),
            recipient: "a@example.com".into(),
            sender: "b@example.com".into(),
            message_id: "<1@example.com>".into(),
            bytes: Vec::new(),
        };
        Outgoing {
            message,
            id: 1,
            run: uuid::Uuid::nil(),
            attempt,
            created_at: DateTime::UNIX_EPOCH,
            fence: 1,
            kept: false,
        }
    }

    #[test]
    fn what_is_not_final_is_tried_for_five_days() {
        let now = DateTime::UNIX_EPOCH + Duration::hours(3);
        assert_eq!(after(false, &message(1), now), Sent::Again(now + Duration::minutes(1)));
        assert_eq!(after(false, &message(3), now), Sent::Again(now + Duration::minutes(4)));
        assert_eq!(after(false, &message(99), now), Sent::Again(now + Duration::hours(1)));
        let late = DateTime::UNIX_EPOCH + Duration::days(6);
        assert_eq!(after(false, &message(99), late), Sent::GivenUp);
        assert_eq!(after(true, &message(1), now), Sent::GivenUp);
    }

    #[test]
    fn only_a_recipient_or_a_message_can_be_refused_for_good() {
        let error = |stage, failure| SendError {
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
