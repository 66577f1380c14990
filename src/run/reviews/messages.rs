//! Says by mail what is due about reviews: what the outbox then has is sent by the daemon, each message once.

use chrono::{DateTime, SubsecRound as _, Utc};
use uuid::Uuid;

use super::ReviewError;
use crate::{
    mail::review::{Door, ReviewMail},
    notify::email,
    review::{
        messages::{asked, due},
        refusal::{Refused, Why},
        state::{Review, Stage},
    },
    store::Database,
};

/// Who sends messages about reviews, and where their recipients decide.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The sender's address.
    pub from: String,
    /// The web console; `None` if there is none that other machines can open.
    pub door: Option<Door>,
}

/// Puts what is due about a review into the outbox.
///
/// # Errors
/// [`ReviewError`]; then nothing was stored, and the next look finds it.
pub async fn tell(
    store: &dyn Database,
    review: &Review,
    sender: &Sender,
    now: DateTime<Utc>,
) -> Result<u64, ReviewError> {
    put(store, review, false, sender, now).await
}

/// Reminds everybody now who has something to decide, at most once a day. Returns how many people that are, and how many
/// of them are reminded now.
///
/// # Errors
/// [`ReviewError`]; then nobody was reminded.
pub async fn remind(
    store: &dyn Database,
    id: Uuid,
    sender: &Sender,
    now: DateTime<Utc>,
) -> Result<(usize, u64), ReviewError> {
    let review = store.review(id).await?.ok_or(ReviewError::Unknown(id))?;
    if *review.stage() != Stage::Open {
        return Err(Refused::from(Why::Ended { state: review.state().word() }).into());
    }
    // What is due anyway comes first, so that only the reminders are counted.
    put(store, &review, false, sender, now).await?;
    let reminded = put(store, &review, true, sender, now).await?;
    Ok((asked(&review, now).len(), reminded))
}

async fn put(
    store: &dyn Database,
    review: &Review,
    is_asked: bool,
    sender: &Sender,
    now: DateTime<Utc>,
) -> Result<u64, ReviewError> {
    let now = now.trunc_subsecs(3);
    let (mut messages, next) = due(review, &store.said(review.id()).await?, now);
    if is_asked {
        messages.extend(asked(review, now));
    }
    let head = store.head().await?;
    let mail = |message| ReviewMail::of(review, message, sender.door.as_ref(), now).witness(&head);
    let mails: Vec<ReviewMail> = messages.iter().map(mail).collect();
    let notifications = email::about_review(review.id(), &mails, &sender.from, now);
    Ok(store.tell(review, &notifications, next, now).await?)
}
