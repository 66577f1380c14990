//! Messages about a review by people, one kind each of [`Kind`], and the notice that one of them was not delivered. All of a
//! review are one thread.

#[cfg(test)]
mod tests;
mod way;

use askama::Template;
use chrono::{DateTime, Utc};

pub use self::way::Door;
use self::way::Way;
use super::{
    message::{Addressing, Content, Email, assemble},
    notice::{Notice, NoticeError},
    text,
};
use crate::{
    ledger::Head,
    model::actor::Actor,
    review::{
        carrying_out::CarriedOut,
        event::Closed,
        item::Item,
        messages::{Kind, Message, late},
        person::Address,
        state::{Course, Made, Review, Stage},
    },
    words::{count, form},
};

/// The longest name that a message shows, in characters.
const MAX_NAME: usize = 100;
/// The longest reason that a message shows, in characters.
const MAX_REASON: usize = 1_000;
/// The most accounts, and the most people, that a message names.
const MAX_LISTED: usize = 20;

/// A message about a review, for one person.
#[derive(Debug, Clone)]
pub struct ReviewMail {
    kind: &'static str,
    about: String,
    to: Address,
    /// The review, and what distinguishes this message in it.
    identity: String,
    thread: (String, String),
    subject: String,
    title: String,
    lead: String,
    facts: Vec<String>,
    list: Option<List>,
    way: Way,
    footer: String,
    /// The last entry of the ledger; empty if nobody said.
    ledger: String,
}

/// Accounts or people by name, as many as a message has room for.
#[derive(Debug, Clone)]
struct List {
    title: &'static str,
    lines: Vec<String>,
    /// How many more there are; empty if none.
    more: String,
}

#[derive(Template)]
#[template(path = "mail/review/body.html")]
struct Html<'a> {
    mail: &'a ReviewMail,
}

#[derive(Template)]
#[template(path = "mail/review/body.txt")]
struct Text<'a> {
    mail: &'a ReviewMail,
}

impl ReviewMail {
    /// A message that is due.
    pub fn of(review: &Review, message: &Message, door: Option<&Door>, now: DateTime<Utc>) -> Self {
        let Message { kind, about, to } = message;
        let to_decide = || Way::to_decide(review, message, door);
        let mail = Self::new(review, kind.word(), about, to);
        let is_late = late(review).contains(to);
        match kind {
            Kind::Invitation => mail.invitation(review, to_decide(), now),
            Kind::Reminder if is_late => mail.reminder(review, to_decide(), now),
            Kind::Reminder => mail.can_be_closed(review, now).at(review, door),
            Kind::Opened => mail.opened(review).at(review, door),
            Kind::Overdue | Kind::Escalation => mail.overdue(review, *kind, now).at(review, door),
            Kind::NotCarriedOut => mail.not_carried_out(review, now).at(review, door),
            Kind::Summary => match review.stage() {
                Stage::Closed { at, closed } => mail.summary(review, *at, closed).at(review, door),
                Stage::Open | Stage::Cancelled { .. } => mail,
            },
            Kind::Cancelled => match review.stage() {
                Stage::Cancelled { at, by, reason } => mail.cancelled(review, *at, by, reason),
                Stage::Open | Stage::Closed { .. } => mail,
            },
        }
    }

    /// A message of a review was refused, or not accepted for too long. It is for the owner.
    pub fn undelivered(review: &Review, kind: &str, recipient: &str, answer: &str) -> Self {
        let (recipient, answer) = (text::one_line(recipient, MAX_NAME), text::one_line(answer, 2_000));
        let mail = Self::new(review, Notice::UNDELIVERED, &format!("{kind} to {recipient}"), &review.opening().owner);
        let (name, id) = (name(review), review.id());
        Self {
            subject: format!("[rolecall] NOT DELIVERED to {recipient}: {kind} of the review {name}"),
            title: "Not delivered".to_owned(),
            lead: format!(
                "The message “{kind}” of the review {name} was not delivered to {recipient}. It is not sent again."
            ),
            facts: vec![format!("Why: {answer}")],
            way: Way::with(
                "Tell this person in another way, or assign the accounts to somebody else and correct the address in `reviewers`:",
                [format!("rolecall review assign {id} ITEM ADDRESS --reason TEXT")],
            ),
            ..mail
        }
    }

    fn new(review: &Review, kind: &'static str, about: &str, to: &Address) -> Self {
        Self {
            kind,
            about: about.to_owned(),
            to: to.clone(),
            identity: format!("{} {about}", review.id()),
            thread: (review.opening().name.clone(), review.id().to_string()),
            subject: String::new(),
            title: String::new(),
            lead: String::new(),
            facts: Vec::new(),
            list: None,
            way: Way::default(),
            footer: format!("Review {}, opened {}", review.id(), moment(review.opened_at())),
            ledger: String::new(),
        }
    }

    /// The same, with the page of the review.
    fn at(self, review: &Review, door: Option<&Door>) -> Self {
        Self { way: self.way.clone().or_at(review, door), ..self }
    }

    fn invitation(self, review: &Review, way: Way, now: DateTime<Utc>) -> Self {
        let (name, open) = (name(review), count(undecided(review, &self.to).count(), "account"));
        Self {
            subject: format!("[rolecall] Review {name}: decide about {open} by {}", day(review.opening().due)),
            title: format!("Access review {name}"),
            lead: format!(
                "You are asked to decide about {open}: to keep, to change the role or profile, or to remove. {}",
                due(review, now)
            ),
            facts: rules(review),
            list: Some(List::of("Your accounts", undecided(review, &self.to))),
            way,
            ..self
        }
    }

    fn reminder(self, review: &Review, way: Way, now: DateTime<Utc>) -> Self {
        let (name, open) = (name(review), count(undecided(review, &self.to).count(), "account"));
        let word = if now > review.opening().due { "OVERDUE" } else { "Reminder" };
        Self {
            subject: format!("[rolecall] {word}: review {name}, {open} not decided"),
            title: format!("{word}: access review {name}"),
            lead: format!("Your decision about {open} is missing. {}", due(review, now)),
            facts: rules(review),
            list: Some(List::of("Not decided", undecided(review, &self.to))),
            way,
            ..self
        }
    }

    /// To the owner, when every account is decided.
    fn can_be_closed(self, review: &Review, now: DateTime<Utc>) -> Self {
        let name = name(review);
        Self {
            subject: format!("[rolecall] Reminder: review {name} is decided and not closed"),
            title: format!("Access review {name} can be closed"),
            lead: format!("Every account is decided. {}", due(review, now)),
            facts: unattested(review),
            way: Way::with("Close the review:", [format!("rolecall review close {}", review.id())]),
            ..self
        }
    }

    fn opened(self, review: &Review) -> Self {
        let (name, opening) = (name(review), review.opening());
        let reviewers = review.reviewers();
        let lines = reviewers.iter().map(|reviewer| {
            let own = review.items().filter(|(_, course)| course.reviewer() == *reviewer).count();
            format!("{reviewer}: {}", count(own, "account"))
        });
        let bases = opening.bases.iter().map(|basis| {
            let workspace = text::name(&basis.workspace, MAX_NAME);
            format!("Workspace {workspace}: audit {}, read {}", basis.audit, moment(basis.read_at))
        });
        let more = opening.bases.len().saturating_sub(MAX_LISTED);
        let more = (more > 0).then(|| format!("and {}", count(more, "more workspace")));
        Self {
            subject: format!(
                "[rolecall] Review {name} is open: {} by {}",
                count(opening.items, "account"),
                day(opening.due)
            ),
            title: format!("Access review {name} is open"),
            lead: format!(
                "{} to decide about, by {}. Every decision is due {}.",
                count(opening.items, "account"),
                count(reviewers.len(), "reviewer"),
                moment(opening.due)
            ),
            facts: bases.take(MAX_LISTED).chain(more).collect(),
            list: Some(List::cut("Reviewers, each invited by mail", lines)),
            way: Way::with(
                "The state, another reviewer for an account, and a reminder that is sent now:",
                [
                    format!("rolecall review show {}", review.id()),
                    format!("rolecall review assign {} ITEM ADDRESS --reason TEXT", review.id()),
                    format!("rolecall review remind {}", review.id()),
                ],
            ),
            ..self
        }
    }

    fn overdue(self, review: &Review, kind: Kind, now: DateTime<Utc>) -> Self {
        let (name, opening) = (name(review), review.opening());
        let (open, id) = (review.undecided(), review.id());
        let lines = late(review).into_iter().map(|reviewer| {
            format!("{reviewer}: {} not decided", count(undecided(review, reviewer).count(), "account"))
        });
        let what = if open == 0 { "not closed".to_owned() } else { format!("{} not decided", count(open, "account")) };
        let role = match kind {
            Kind::Escalation => vec![
                "You get this message because `escalate_to` of this review names you.".to_owned(),
                format!("Owner of the review: {}", opening.owner),
            ],
            _ => vec!["You get this message as the owner of this review.".to_owned()],
        };
        Self {
            subject: format!("[rolecall] OVERDUE: review {name}, {what}"),
            title: format!("Access review {name} is overdue"),
            lead: format!("{} {}", state(review), due(review, now)),
            facts: [role, unattested(review)].concat(),
            list: (open > 0).then(|| List::cut("Who has not decided", lines)),
            way: Way::with(
                "The state, another reviewer for an account, and the end of the review:",
                [
                    format!("rolecall review show {id}"),
                    format!("rolecall review assign {id} ITEM ADDRESS --reason TEXT"),
                    format!("rolecall review close {id}"),
                ],
            ),
            ..self
        }
    }

    fn not_carried_out(self, review: &Review, now: DateTime<Utc>) -> Self {
        let name = name(review);
        let overdue: Vec<_> = review
            .items()
            .filter_map(|(item, course)| match review.carried_out(item, course, now) {
                CarriedOut::Overdue { due } => Some((item, course.work()?, due)),
                _ => None,
            })
            .collect();
        let lines = overdue.iter().map(|(item, made, due)| format!("{}, due {}", work(item, made), moment(*due)));
        let all = count(overdue.len(), "decision");
        Self {
            subject: format!("[rolecall] OVERDUE: review {name}, {all} not carried out"),
            title: "Decisions are not carried out".to_owned(),
            lead: format!("{all} of the review {name} had to be carried out by now, and no audit shows it."),
            list: Some(List::cut("Overdue", lines)),
            way: Way::with(
                "Carry them out in the workspace; the next complete audit proves it. The state of each:",
                [format!("rolecall review show {}", review.id())],
            ),
            ..self
        }
    }

    fn summary(self, review: &Review, at: DateTime<Utc>, closed: &Closed) -> Self {
        let name = name(review);
        let of = |word: &str| {
            review
                .items()
                .filter(|(_, course)| course.decided().is_some_and(|made| made.decision.word() == word))
                .count()
        };
        let (keep, change, remove) = (of("keep"), of("change"), of("remove"));
        let result = if closed.no_change_needed {
            "No change is needed.".to_owned()
        } else {
            format!("{} to change or remove; a later audit proves each.", count(change + remove, "account"))
        };
        let late = if at > review.opening().due { " It was overdue." } else { "" };
        let lines = review.items().filter_map(|(item, course)| {
            let made = course.work()?;
            let is_open = course.proof().is_none();
            is_open.then(|| format!("{}, due {}", work(item, made), moment(review.due_of(item, made))))
        });
        let lines: Vec<String> = lines.collect();
        Self {
            subject: format!("[rolecall] Review {name} is closed: {keep} keep, {change} change, {remove} remove"),
            title: format!("Access review {name} is closed"),
            lead: format!("{} closed it on {}.{late} {result}", closed.by, moment(at)),
            facts: vec![
                format!("Decisions: {keep} keep, {change} change, {remove} remove"),
                format!("Next review: {}", closed.next_review),
            ],
            list: (!lines.is_empty()).then(|| List::cut("To be carried out", lines.into_iter())),
            way: Way::with(
                "Every decision, and what is proven so far:",
                [format!("rolecall review show {}", review.id())],
            ),
            ..self
        }
    }

    /// Nothing is left to do, so the message is one sentence.
    fn cancelled(self, review: &Review, at: DateTime<Utc>, by: &Actor, reason: &str) -> Self {
        let name = name(review);
        let by = match by {
            Actor::Person { address } => format!(" by {}", text::one_line(address, MAX_NAME)),
            _ => String::new(),
        };
        let reason = text::one_line(reason, MAX_REASON);
        Self {
            subject: format!("[rolecall] Review {name} is cancelled"),
            title: format!("Access review {name} is cancelled"),
            lead: format!(
                "The review {name} was cancelled{by} on {}, and you have nothing more to decide in it. Reason: {reason}",
                moment(at)
            ),
            ..self
        }
    }

    /// The message with the last entry of the ledger in it: the mailboxes of its recipients then prove that entry.
    #[must_use]
    pub fn witness(self, head: &Head) -> Self {
        Self { ledger: format!("Ledger: {head}"), ..self }
    }

    /// The kind: that of [`Kind::word`], or [`Notice::UNDELIVERED`].
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// What distinguishes it from others of its kind, review and recipient.
    pub fn about(&self) -> &str {
        &self.about
    }

    /// The message.
    ///
    /// # Errors
    /// [`NoticeError`]
    pub fn email(&self, from: &str, date: DateTime<Utc>) -> Result<Email, NoticeError> {
        let content = Content {
            subject: self.subject.clone(),
            text: Text { mail: self }.render()?,
            html: Html { mail: self }.render()?,
            attachments: Vec::new(),
        };
        let (to, thread) = (self.to.as_str(), Some((self.thread.0.as_str(), self.thread.1.as_str())));
        Ok(assemble(&content, &Addressing { from, to, date, id: &self.identity, kind: self.kind, thread })?)
    }
}

impl List {
    /// Accounts with what they are.
    fn of<'a>(title: &'static str, items: impl Iterator<Item = (&'a Item, &'a Course)>) -> Self {
        let line = |(item, _): (&Item, &Course)| {
            let of = |named: &Option<crate::review::item::Named>| {
                named.as_ref().map(|named| text::name(&named.to_string(), MAX_NAME))
            };
            let mark = match (item.is_privileged(), item.findings.is_empty()) {
                (true, _) => Some("privileged"),
                (false, false) => Some("open findings"),
                (false, true) => None,
            };
            let parts = [of(&item.role), of(&item.profile), mark.map(str::to_owned)];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            format!("{} ({})", account(item), parts.join(", "))
        };
        Self::cut(title, items.map(line))
    }

    fn cut(title: &'static str, mut lines: impl Iterator<Item = String>) -> Self {
        let shown: Vec<String> = lines.by_ref().take(MAX_LISTED).collect();
        let more = lines.count();
        let more = if more == 0 { String::new() } else { format!("and {more} more") };
        Self { title, lines: shown, more }
    }
}

/// What somebody who decides has to know.
fn rules(review: &Review) -> Vec<String> {
    vec![
        format!("Owner of the review: {}", review.opening().owner),
        "Nobody decides about their own account.".to_owned(),
        "A reason is required to change or remove, and to keep a privileged account or one with open findings."
            .to_owned(),
    ]
}

fn unattested(review: &Review) -> Vec<String> {
    if review.undecided() > 0 {
        return Vec::new();
    }
    let names: Vec<String> = review.unattested().iter().take(MAX_LISTED).map(ToString::to_string).collect();
    if names.is_empty() { names } else { vec![format!("Not attested yet: {}", names.join(", "))] }
}

fn state(review: &Review) -> String {
    match review.undecided() {
        0 => "Every account is decided, and the review is not closed.".to_owned(),
        open => {
            format!("{open} of {} {} not decided.", count(review.opening().items, "account"), form(open, "is", "are"))
        }
    }
}

/// When every decision is due, as a sentence.
fn due(review: &Review, now: DateTime<Utc>) -> String {
    let due = review.opening().due;
    format!("The review {} due {}.", if now > due { "was" } else { "is" }, moment(due))
}

/// A decision that changes something.
fn work(item: &Item, made: &Made) -> String {
    format!("{} {}", made.decision.word(), account(item))
}

fn account(item: &Item) -> String {
    format!("{}: item {}, {}", text::name(&item.workspace, MAX_NAME), item.item, text::name(item.label(), MAX_NAME))
}

fn name(review: &Review) -> String {
    text::one_line(&review.opening().name, MAX_NAME)
}

fn moment(at: DateTime<Utc>) -> String {
    at.format("%a %-d %b %Y, %H:%M UTC").to_string()
}

fn day(at: DateTime<Utc>) -> String {
    at.format("%-d %b %Y").to_string()
}

/// The items of a reviewer that are not decided.
fn undecided<'a>(review: &'a Review, reviewer: &Address) -> impl Iterator<Item = (&'a Item, &'a Course)> {
    review.items().filter(move |(_, course)| course.reviewer() == reviewer && course.decided().is_none())
}
