//! Sends one message of the outbox, and stores what came of it.

use chrono::{DateTime, Duration, Utc};

use super::Daemon;
use crate::{
    mail::{message::Email, smtp::Failure},
    store::queue::{Outgoing, Sent},
};

/// How long a message belongs to a sender of whom nothing is heard: longer than any exchange may take.
pub(super) const LEASE: Duration = Duration::minutes(15);
/// The wait after the first attempt; each further one doubles it, up to the longest.
const FIRST_WAIT: Duration = Duration::minutes(1);
const LONGEST_WAIT: Duration = Duration::hours(1);
/// A message that nobody accepted for so long is given up: the next review is then about to come.
const PATIENCE: Duration = Duration::days(5);

impl Daemon {
    pub(super) async fn dispatch(&self, message: Outgoing) {
        let setup = self.setup();
        let to = message.message.recipient.clone();
        let result = match &setup.mailer {
            Some(mailer) => mailer.send(&email(&message)).await.map_err(|error| (error.failure, error.to_string())),
            None => Err((Failure::Transient, "the configuration has no [smtp] table any more".to_owned())),
        };
        let now = self.now();
        let (outcome, answer) = match result {
            Ok(accepted) => {
                tracing::info!(run = %message.run, kind = message.message.kind, to, "a message was accepted");
                (Sent::Accepted, accepted.answer)
            }
            Err((failure, error)) => {
                let outcome = after(failure, &message, now);
                tracing::warn!(run = %message.run, kind = message.message.kind, to, error, ?outcome, "a message was not accepted");
                (outcome, error)
            }
        };
        if let Err(error) = self.store.sent(&message, &outcome, &answer, now).await {
            // It is taken out again when the lease ends, and sent again with the same Message-ID.
            tracing::error!(run = %message.run, to, %error, "what came of a message could not be stored");
        }
        self.bell.notify_one();
    }
}

/// What becomes of a message that was not accepted.
fn after(failure: Failure, message: &Outgoing, now: DateTime<Utc>) -> Sent {
    let is_old = now - message.created_at > PATIENCE;
    if failure == Failure::Permanent || is_old {
        return Sent::GivenUp;
    }
    let doublings = message.attempt.saturating_sub(1).min(10);
    Sent::Again(now + (FIRST_WAIT * 2_i32.pow(doublings)).min(LONGEST_WAIT))
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
    use crate::store::queue::NewMessage;

    fn message(attempt: u32) -> Outgoing {
        let message = NewMessage {
            kind: "report".into(),
            recipient: "a@example.com".into(),
            sender: "b@example.com".into(),
            message_id: "<1@example.com>".into(),
            bytes: Vec::new(),
        };
        Outgoing { message, id: 1, run: uuid::Uuid::nil(), attempt, created_at: DateTime::UNIX_EPOCH, fence: 1 }
    }

    #[test]
    fn a_refusal_for_good_ends_it_and_everything_else_is_tried_for_five_days() {
        let now = DateTime::UNIX_EPOCH + Duration::hours(3);
        for failure in [Failure::Transient, Failure::Unknown] {
            assert_eq!(after(failure, &message(1), now), Sent::Again(now + Duration::minutes(1)));
            assert_eq!(after(failure, &message(3), now), Sent::Again(now + Duration::minutes(4)));
            assert_eq!(after(failure, &message(99), now), Sent::Again(now + Duration::hours(1)));
            let late = DateTime::UNIX_EPOCH + Duration::days(6);
            assert_eq!(after(failure, &message(99), late), Sent::GivenUp);
        }
        assert_eq!(after(Failure::Permanent, &message(1), now), Sent::GivenUp);
    }
}
