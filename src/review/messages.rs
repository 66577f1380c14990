//! What is to be said about a review by mail, to whom, and when. It follows from the review, its due dates and what was said
//! before: a look that comes late says only the latest of what it missed, and no look says the same twice.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};

use super::{
    person::Address,
    state::{Review, Stage},
};

/// The time between two reminders.
const AGAIN_AFTER: Duration = Duration::days(7);
/// How long before the due time the last reminder is.
const LAST_CALL: Duration = Duration::days(1);
/// What is due at a time is overdue after it.
const AFTER: Duration = Duration::milliseconds(1);
/// The end of a review is not reported any more when it is longer ago: a mail server was configured later.
const NEWS: Duration = Duration::days(7);

/// What a message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// To a reviewer: there are accounts to decide about.
    Invitation,
    /// To a reviewer who has not decided about every account, or to the owner of a review that only has to be closed.
    Reminder,
    /// To the owner: the review is open.
    Opened,
    /// To the owner: the review is overdue.
    Overdue,
    /// To the person who is told when it is overdue.
    Escalation,
    /// To the owner: decisions are not carried out in time.
    NotCarriedOut,
    /// To the owner: the review is closed, with the result.
    Summary,
    /// To everybody who was asked to decide, and to the owner: the review is cancelled.
    Cancelled,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Invitation,
        Self::Reminder,
        Self::Opened,
        Self::Overdue,
        Self::Escalation,
        Self::NotCarriedOut,
        Self::Summary,
        Self::Cancelled,
    ];

    /// Its name, as the outbox and the ledger have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::Reminder => "reminder",
            Self::Opened => "opened",
            Self::Overdue => "overdue",
            Self::Escalation => "escalation",
            Self::NotCarriedOut => "not-carried-out",
            Self::Summary => "summary",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A message that is due. Of one review there is at most one message of the same kind, `about` and recipient.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message {
    /// What it says.
    pub kind: Kind,
    /// The occasion; empty if there is only one.
    pub about: String,
    /// The recipient.
    pub to: Address,
}

impl Message {
    fn new(kind: Kind, about: impl Into<String>, to: &Address) -> Self {
        Self { kind, about: about.into(), to: to.clone() }
    }
}

/// The messages of a review that are on record, and when each was put into the outbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said(BTreeMap<(String, String, Address), DateTime<Utc>>);

impl Said {
    /// Adds a message by the word of its kind, its occasion and its recipient.
    pub fn add(&mut self, kind: String, about: String, to: &str, at: DateTime<Utc>) {
        self.0.insert((kind, about, Address::of(to)), at);
    }

    /// Who was told that there is a review: the reviewers who were invited, and the owner.
    fn invited(&self) -> BTreeSet<&Address> {
        let is_first = |kind: &str| [Kind::Invitation, Kind::Opened].iter().any(|first| first.word() == kind);
        self.0.keys().filter(|(kind, ..)| is_first(kind)).map(|(.., to)| to).collect()
    }

    fn when(&self, message: &Message) -> Option<DateTime<Utc>> {
        let key = (message.kind.word().to_owned(), message.about.clone(), message.to.clone());
        self.0.get(&key).copied()
    }
}

/// What is to be said about a review now, and when there may be more to say if nothing happens to it before. `None` if
/// never.
pub fn due(review: &Review, said: &Said, now: DateTime<Utc>) -> (Vec<Message>, Option<DateTime<Utc>>) {
    let mut messages = Vec::new();
    let mut next = BTreeSet::new();
    match review.stage() {
        Stage::Open => {
            let moments = Moments::of(review, now);
            messages.extend(to_reviewers(review, said, &moments, now));
            messages.extend(to_owner(review, &moments));
            next.extend(moments.next);
        }
        Stage::Closed { at, .. } if now - *at < NEWS => {
            messages.push(Message::new(Kind::Summary, "", &review.opening().owner));
        }
        Stage::Cancelled { at, .. } if now - *at < NEWS => {
            messages.extend(said.invited().into_iter().map(|to| Message::new(Kind::Cancelled, "", to)));
        }
        Stage::Closed { .. } | Stage::Cancelled { .. } => {}
    }
    let (late, later) = not_carried_out(review, now);
    messages.extend(late);
    next.extend(later);
    messages.retain(|message| said.when(message).is_none());
    (messages, next.first().copied())
}

/// The reminders that somebody asks for on a day: to everybody who has something to decide.
pub fn asked(review: &Review, now: DateTime<Utc>) -> Vec<Message> {
    let about = format!("asked {}", day(now));
    late(review).into_iter().map(|reviewer| Message::new(Kind::Reminder, &*about, reviewer)).collect()
}

/// The reviewers who have not decided about every account of theirs. None if it is not open.
pub fn late(review: &Review) -> BTreeSet<&Address> {
    if *review.stage() != Stage::Open {
        return BTreeSet::new();
    }
    let undecided = review.items().filter(|(_, course)| course.decided().is_none());
    undecided.map(|(_, course)| course.reviewer()).collect()
}

/// The times at which an open review is reminded of: one a week, the last one the day before it is due, and then one a week
/// from the time when it is due.
struct Moments {
    /// The latest one that has come. `None` if none has.
    latest: Option<DateTime<Utc>>,
    /// Whether it is overdue by then.
    is_overdue: bool,
    /// The first that has not come.
    next: Option<DateTime<Utc>>,
}

impl Moments {
    fn of(review: &Review, now: DateTime<Utc>) -> Self {
        let (opened, due) = (review.opened_at(), review.opening().due);
        let last_call = due - LAST_CALL;
        let before = weeks(opened + AGAIN_AFTER).take_while(|moment| *moment < last_call);
        let all = before.chain([last_call].into_iter().filter(|moment| *moment > opened)).chain(weeks(due + AFTER));
        let (mut latest, mut next) = (None, None);
        for moment in all {
            if moment > now {
                next = Some(moment);
                break;
            }
            latest = Some(moment);
        }
        Self { latest, is_overdue: latest.is_some_and(|latest| latest > due), next }
    }
}

/// A moment, and every week after it.
fn weeks(first: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
    std::iter::successors(Some(first), |moment| moment.checked_add_signed(AGAIN_AFTER))
}

fn day(moment: DateTime<Utc>) -> String {
    moment.format("%Y-%m-%d").to_string()
}

/// Who has something to decide is invited once, and reminded at each moment after that.
fn to_reviewers(review: &Review, said: &Said, moments: &Moments, now: DateTime<Utc>) -> Vec<Message> {
    let mut messages = Vec::new();
    for reviewer in late(review) {
        let invitation = Message::new(Kind::Invitation, "", reviewer);
        let invited = said.when(&invitation).unwrap_or(now);
        let moment = moments.latest.filter(|moment| *moment > invited);
        messages.extend(moment.map(|moment| Message::new(Kind::Reminder, day(moment), reviewer)));
        messages.push(invitation);
    }
    messages
}

fn to_owner(review: &Review, moments: &Moments) -> Vec<Message> {
    let owner = &review.opening().owner;
    let mut messages = vec![Message::new(Kind::Opened, "", owner)];
    let Some(moment) = moments.latest else { return messages };
    if moments.is_overdue {
        messages.push(Message::new(Kind::Overdue, day(moment), owner));
        let boss = review.opening().escalate_to.as_ref().filter(|boss| *boss != owner);
        messages.extend(boss.map(|boss| Message::new(Kind::Escalation, day(moment), boss)));
    } else if review.undecided() == 0 {
        messages.push(Message::new(Kind::Reminder, day(moment), owner));
    }
    messages
}

/// The message about decisions that are not carried out in time, at most one a day, and when there may be another.
fn not_carried_out(review: &Review, now: DateTime<Utc>) -> (Option<Message>, Option<DateTime<Utc>>) {
    let (mut latest, mut next) = (None, None);
    for due in review.unproven_due() {
        let mut moments = weeks(due + AFTER);
        let (mut come, mut coming) = (None, None);
        for moment in moments.by_ref() {
            if moment > now {
                coming = Some(moment);
                break;
            }
            come = Some(moment);
        }
        latest = latest.max(come);
        next = [next, coming].into_iter().flatten().min();
    }
    let message = latest.map(|moment| Message::new(Kind::NotCarriedOut, day(moment), &review.opening().owner));
    (message, next)
}
