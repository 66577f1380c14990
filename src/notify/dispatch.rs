//! Takes one notification from the outbox to its channel and stores the result.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};

use super::{
    channel::{Channels, Outcome},
    email::{self, Addresses},
};
use crate::{
    clock::Clock,
    digest::sha256,
    evidence::{mail as kept, storage::Storage},
    mail::{message::lighter, notice::Notice, review::ReviewMail},
    model::{notification::Notification, run::MessageState},
    review::person::Address,
    store::{
        Database, StoreError,
        queue::{Outgoing, Sent},
    },
};

/// The wait after the first attempt. Each further attempt doubles it, up to the longest.
const FIRST_WAIT: Duration = Duration::minutes(1);
const LONGEST_WAIT: Duration = Duration::hours(1);
/// How long a notification is retried before it is given up. By then the next audit is usually due soon.
const PATIENCE: Duration = Duration::days(5);

/// What to do about a message that is too large without attachments.
const NOTHING_LEFT_OUT: &str =
    "nothing more can be left out of the message: the mail server must accept larger ones from this sender";

/// The result of an attempt to deliver a notification.
#[derive(Debug)]
pub struct Dispatched {
    /// What was stored.
    pub outcome: Sent,
    /// The other side's answer, or what broke.
    pub answer: String,
}

/// Delivers a notification and stores the result. With a storage of evidence, a message that is on record is kept there
/// first: none is sent without its evidence. If it is given up, the run's other recipients get a notice.
///
/// # Errors
/// [`StoreError`]: the notification is then delivered again, with the same identity, when its lease ends.
pub async fn dispatch(
    store: &dyn Database,
    evidence: Option<&dyn Storage>,
    channels: &Channels,
    clock: &Clock,
    outgoing: &mut Outgoing,
) -> Result<Dispatched, StoreError> {
    let mut outcome = match unstored(store, evidence, outgoing).await? {
        Some(why) => Outcome::Again(why),
        None => attempt(evidence, channels, outgoing).await,
    };
    if matches!(outcome, Outcome::TooLarge { .. }) {
        outcome = attempt_lighter(evidence, channels, outgoing, outcome).await;
    }
    let now = clock.now();
    let (outcome, answer) = match outcome {
        Outcome::Delivered(answer) => (Sent::Accepted, answer),
        Outcome::Again(reason) => (again(outgoing, now), reason),
        Outcome::Final(reason) => (Sent::GivenUp, reason),
        Outcome::TooLarge { reason, .. } => (Sent::GivenUp, format!("{reason}; {NOTHING_LEFT_OUT}")),
    };
    let notices =
        if outcome == Sent::GivenUp { undelivered_notices(store, outgoing, &answer, now).await? } else { Vec::new() };
    store.sent(outgoing, &outcome, &answer, &notices, now).await?;
    Ok(Dispatched { outcome, answer })
}

/// Why the evidence of the audit that a notification is about is not stored yet; `None` if it is. It may wait on another
/// machine.
async fn unstored(
    store: &dyn Database,
    evidence: Option<&dyn Storage>,
    outgoing: &Outgoing,
) -> Result<Option<String>, StoreError> {
    let Some((storage, run)) = evidence.zip(outgoing.notification.subject.run()) else { return Ok(None) };
    let Some(bag) = store.audit(run).await?.and_then(|audit| audit.bag) else { return Ok(None) };
    Ok(match storage.is_stored(&bag.folder) {
        Ok(true) => None,
        Ok(false) => Some(format!("it was not sent, because the bag {} is not stored yet", bag.folder)),
        Err(error) => Some(format!("it was not sent, because it is not known whether its evidence is stored: {error}")),
    })
}

/// Keeps a notification as evidence, if it is on record, and delivers it once.
async fn attempt(evidence: Option<&dyn Storage>, channels: &Channels, outgoing: &mut Outgoing) -> Outcome {
    if let Some(storage) = evidence.filter(|_| outgoing.notification.is_on_record()) {
        if let Err(error) = kept::keep(storage, &outgoing.notification.bytes) {
            return Outcome::Again(format!("it was not sent, because it cannot be kept as evidence: {error}"));
        }
        outgoing.kept = true;
    }
    channels.deliver(&outgoing.notification).await
}

/// Delivers a message that was refused for its size with the files that fit, and then with none: the recipient gets at least
/// the report itself, which names what is left out.
async fn attempt_lighter(
    evidence: Option<&dyn Storage>,
    channels: &Channels,
    outgoing: &mut Outgoing,
    mut outcome: Outcome,
) -> Outcome {
    let whole = outgoing.notification.bytes.clone();
    for keeps_some in [true, false] {
        let Outcome::TooLarge { answer, limit, .. } = &outcome else { break };
        let Some(lighter) = lighter(&whole, answer, limit.filter(|_| keeps_some)) else { break };
        if lighter.bytes == outgoing.notification.bytes {
            break;
        }
        forget(evidence, outgoing);
        outgoing.notification.bytes = lighter.bytes;
        let without = if lighter.kept == 0 { "without attachments" } else { "without some attachments" };
        outcome = match attempt(evidence, channels, outgoing).await {
            Outcome::Delivered(answer) => Outcome::Delivered(format!("{answer} ({without}: too large)")),
            Outcome::Again(reason) => {
                // The next attempt begins with the whole message.
                forget(evidence, outgoing);
                Outcome::Again(reason)
            }
            refused => refused,
        };
    }
    outcome
}

/// Removes a notification from the evidence that was kept and was not sent as it is.
fn forget(evidence: Option<&dyn Storage>, outgoing: &Outgoing) {
    let removed = evidence
        .filter(|_| outgoing.kept)
        .map_or(Ok(()), |storage| kept::remove(storage, &sha256(&outgoing.notification.bytes)));
    if let Err(error) = removed {
        tracing::warn!(%error, "a message that was not sent is still beside the evidence");
    }
}

/// Whether a notification that was not accepted is retried, and when, or given up.
fn again(outgoing: &Outgoing, now: DateTime<Utc>) -> Sent {
    if now - outgoing.created_at > PATIENCE {
        return Sent::GivenUp;
    }
    let doublings = outgoing.attempt.saturating_sub(1).min(10);
    Sent::Again(now + (FIRST_WAIT * 2_i32.pow(doublings)).min(LONGEST_WAIT))
}

/// Notices that an e-mail was not delivered: to the other recipients of the run's, or to the owner of the review. An
/// undelivered notice of this kind makes no further ones.
async fn undelivered_notices(
    store: &dyn Database,
    refused: &Outgoing,
    answer: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Notification>, StoreError> {
    let Notification { subject, kind, address, sender, .. } = &refused.notification;
    let Some(from) = sender.as_deref().filter(|_| kind != Notice::UNDELIVERED) else { return Ok(Vec::new()) };
    if let Some(id) = subject.review() {
        let Some(review) = store.review(id).await? else { return Ok(Vec::new()) };
        // Nobody else can help if the owner cannot be reached.
        let is_owners = review.opening().owner == Address::of(address);
        let head = store.head().await?;
        let notice = (!is_owners).then(|| ReviewMail::undelivered(&review, kind, address, answer).witness(&head));
        return Ok(email::about_review(id, notice.as_slice(), from, now));
    }
    let Some(id) = subject.run() else { return Ok(Vec::new()) };
    let Some(run) = store.run(id).await? else { return Ok(Vec::new()) };
    let others = store.messages(id).await?;
    let others = others.into_iter().filter(|other| {
        other.channel == email::NAME && other.state != MessageState::Rejected && other.address != *address
    });
    let to: Vec<String> = others.map(|other| other.address).collect::<BTreeSet<_>>().into_iter().collect();
    let notice = Notice::undelivered(&run, kind, address, answer, &store.head().await?);
    Ok(email::notices(&notice, id, &format!("{kind} to {address}"), Addresses { from, to: &to }, now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::notification::Subject;

    fn outgoing(attempt: u32) -> Outgoing {
        let notification = Notification {
            subject: Subject::Run(uuid::Uuid::nil()),
            channel: email::NAME.into(),
            kind: "report".into(),
            about: String::new(),
            address: "a@example.com".into(),
            sender: Some("b@example.com".into()),
            message_id: Some("<1@example.com>".into()),
            bytes: Vec::new(),
        };
        Outgoing { notification, id: 1, attempt, created_at: DateTime::UNIX_EPOCH, fence: 1, kept: false }
    }

    #[test]
    fn what_is_not_accepted_is_tried_for_five_days() {
        let now = DateTime::UNIX_EPOCH + Duration::hours(3);
        assert_eq!(again(&outgoing(1), now), Sent::Again(now + Duration::minutes(1)));
        assert_eq!(again(&outgoing(3), now), Sent::Again(now + Duration::minutes(4)));
        assert_eq!(again(&outgoing(99), now), Sent::Again(now + Duration::hours(1)));
        let late = DateTime::UNIX_EPOCH + Duration::days(6);
        assert_eq!(again(&outgoing(99), late), Sent::GivenUp);
    }
}
