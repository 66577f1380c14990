//! A review in a word and in numbers.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Review, Stage};

/// The state of a review as one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Decisions are missing.
    Open,
    /// Every item is decided; attestations or the close are missing.
    Decided,
    /// It is closed.
    Closed,
    /// It is cancelled.
    Cancelled,
}

impl State {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Decided => "decided",
            Self::Closed => "closed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of a name.
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Open, Self::Decided, Self::Closed, Self::Cancelled].into_iter().find(|state| state.word() == word)
    }
}

/// The numbers of a review that a list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its id.
    pub id: Uuid,
    /// Its name in the configuration.
    pub name: String,
    /// The job whose audits it is about.
    pub job: String,
    /// The state.
    pub state: State,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// When every decision is due.
    pub due: DateTime<Utc>,
    /// How many items.
    pub items: u32,
    /// How many are not decided.
    pub undecided: u32,
    /// How many decisions have to be carried out and are not proven.
    pub unproven: u32,
    /// Until when the first of these has to be carried out. `None` if there is none.
    pub work_due: Option<DateTime<Utc>>,
    /// The scheduled time that it was opened for; `None` if it was opened on demand.
    pub fire_at: Option<DateTime<Utc>>,
    /// How many events it has had.
    pub events: u64,
}

impl Review {
    /// The state.
    pub fn state(&self) -> State {
        match self.stage {
            Stage::Closed { .. } => State::Closed,
            Stage::Cancelled { .. } => State::Cancelled,
            Stage::Open if self.undecided() == 0 => State::Decided,
            Stage::Open => State::Open,
        }
    }

    /// The numbers for a list.
    pub fn summary(&self) -> Summary {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let (unproven, work_due) =
            self.unproven_due().fold((0, None), |(all, first): (usize, Option<DateTime<Utc>>), due| {
                (all + 1, Some(first.map_or(due, |first| first.min(due))))
            });
        Summary {
            id: self.id,
            name: self.opening.name.clone(),
            job: self.opening.job.clone(),
            state: self.state(),
            opened_at: self.opened_at,
            due: self.opening.due,
            items: self.opening.items,
            undecided: number(self.undecided()),
            unproven: number(unproven),
            work_due,
            fire_at: self.opening.fire_at,
            events: self.events,
        }
    }
}
