//! What the recipient of a message about a review can do, and how.

use url::Url;

use crate::{
    mail::link::place,
    review::{messages::Message, person::Address, state::Review},
};

/// The name of the spreadsheet in the commands of a message.
const SHEET: &str = "review.xlsx";

/// The web console, as messages lead to it.
#[derive(Debug, Clone)]
pub struct Door {
    /// The address that people open.
    pub origin: Url,
    /// Whether an invitation or a reminder signs its recipient in.
    pub signs_in: bool,
}

/// What the recipient can do, and how.
#[derive(Debug, Clone, Default)]
pub(super) struct Way {
    pub(super) advice: &'static str,
    pub(super) commands: Vec<String>,
    /// The page where it is done; empty if there is none.
    pub(super) page: String,
    /// What is to be known about that page; empty if nothing.
    pub(super) page_advice: &'static str,
    /// Whether the page is one that signs in.
    signs_in: bool,
}

impl Way {
    /// How a reviewer decides. Every message that asks for decisions says it as it is said here.
    pub(super) fn to_decide(review: &Review, message: &Message, door: Option<&Door>) -> Self {
        let (id, reviewer) = (review.id(), &message.to);
        match door {
            Some(door) if door.signs_in => Self {
                advice: "Or ask the owner for a spreadsheet with your accounts.",
                page: door.link(review, message),
                signs_in: true,
                page_advice: "This address signs you in, once, after a click on its page, within 8 hours after this message was sent. Later, \
                              the page sends you another one. Do not pass it on:",
                ..Self::default()
            },
            Some(door) => Self {
                advice: "Or ask the owner for a spreadsheet with your accounts.",
                page: door.page(review),
                page_advice: "Sign in and decide:",
                ..Self::default()
            },
            None => Self::by_file(id, reviewer),
        }
    }

    fn by_file(id: uuid::Uuid, reviewer: &Address) -> Self {
        Self {
            advice: "Ask the owner for the spreadsheet with your accounts, fill in its columns decision, change_to and reason, and \
                     send it back. On the machine that runs rolecall, the first command writes the spreadsheet and the second takes \
                     it back; the third decides about one account:",
            commands: vec![
                format!("rolecall review export {id} --reviewer {reviewer} --out {SHEET}"),
                format!("rolecall review import {id} {SHEET} --as {reviewer}"),
                format!("rolecall review decide {id} ITEM keep --as {reviewer} --reason TEXT"),
            ],
            ..Self::default()
        }
    }

    pub(super) fn with(advice: &'static str, commands: impl IntoIterator<Item = String>) -> Self {
        Self { advice, commands: commands.into_iter().collect(), ..Self::default() }
    }

    /// Whether there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        self.advice.is_empty() && self.page.is_empty()
    }

    /// What the button says that leads to the page.
    pub(super) fn button(&self) -> &'static str {
        if self.signs_in { "Sign in and decide" } else { "Open the review" }
    }

    /// The same, on the page of the review first.
    pub(super) fn or_at(self, review: &Review, door: Option<&Door>) -> Self {
        let Some(door) = door else { return self };
        Self { page: door.page(review), page_advice: "In the web console:", ..self }
    }
}

impl Door {
    /// The page of a review.
    fn page(&self, review: &Review) -> String {
        let mut url = self.origin.clone();
        url.set_path(&format!("/reviews/{}", review.id()));
        url.into()
    }

    /// The address that signs the recipient of a message in; the secret is not in it yet.
    fn link(&self, review: &Review, message: &Message) -> String {
        let id = review.id();
        let place = place(&id.to_string(), message.kind.word(), &message.about);
        let mut url = self.origin.clone();
        url.set_path(&format!("/link/{place}"));
        url.query_pairs_mut().append_pair("next", &format!("/reviews/{id}"));
        url.into()
    }
}
