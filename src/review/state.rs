//! A review as it stands, and the questions that it answers. `changes` is the only way to change it.

mod changes;
mod checks;
mod course;
mod order;
mod summary;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

use self::order::Order;
pub use self::{
    course::{Assignment, Course, Made, Proposal},
    summary::{State, Summary},
};
use super::{
    accounts::Accounts,
    event::{Attested, Closed, Event, Opening, SeenItem},
    item::{Item, ItemId, Population, canonical_sha256},
    person::Address,
    refusal::{Refusal, Refused, Why},
};
use crate::model::actor::Actor;

const OTHER_ACCOUNTS: &str = "the accounts are not those that the review was opened for";

/// A review. What never changes is shared between copies: a copy is made for each change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    id: Uuid,
    opened_at: DateTime<Utc>,
    opening: Opening,
    population: Arc<Population>,
    accounts: Arc<Accounts>,
    courses: Vec<Course>,
    /// The items of each reviewer.
    reviewers: BTreeMap<Address, BTreeSet<ItemId>>,
    attestations: Vec<(DateTime<Utc>, Attested)>,
    /// Of each attestation, whether something was decided or assigned since that it may be about.
    touched: Vec<bool>,
    stage: Stage,
    events: u64,
    order: Order,
}

/// How far a review is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// People decide.
    Open,
    /// It is closed.
    Closed {
        /// When.
        at: DateTime<Utc>,
        /// By whom, and what follows.
        closed: Closed,
    },
    /// It is cancelled.
    Cancelled {
        /// When.
        at: DateTime<Utc>,
        /// Who cancelled it.
        by: Actor,
        /// Why.
        reason: String,
    },
}

impl Review {
    /// A review that is opened: the first event.
    ///
    /// # Errors
    /// [`Refused`] if the population is not the one of the opening, or not valid.
    pub fn opened(id: Uuid, opening: Opening, population: Population, at: DateTime<Utc>) -> Result<Self, Refused> {
        if population.sha256() != opening.population_sha256 {
            return Err(Why::Contradiction(OTHER_ACCOUNTS).into());
        }
        Self::begun(id, opening, population, at)
    }

    /// A review with the population that its opening states.
    fn begun(id: Uuid, opening: Opening, population: Population, at: DateTime<Utc>) -> Result<Self, Refused> {
        let contradiction = |what| Err(Refused::from(Why::Contradiction(what)));
        if population.items.len() != opening.items as usize {
            return contradiction(OTHER_ACCOUNTS);
        }
        for (number, item) in (1..).zip(&population.items) {
            if item.item != ItemId(number) {
                return contradiction("the items are not numbered from 1");
            }
            if !opening.bases.iter().any(|basis| basis.workspace == item.workspace) {
                return contradiction("an item is of a workspace without an audit");
            }
        }
        let accounts = Accounts::of(&population);
        if let Some(own) = accounts.own(&population) {
            let why = Why::OwnAccount(own.reviewer.clone());
            return Err(Refused(vec![Refusal { item: Some(own.item), why }]));
        }
        let courses = population.items.iter().map(|item| Course::begun(item.reviewer.clone())).collect();
        let mut reviewers: BTreeMap<Address, BTreeSet<ItemId>> = BTreeMap::new();
        for item in &population.items {
            reviewers.entry(item.reviewer.clone()).or_default().insert(item.item);
        }
        let (attestations, touched, stage) = (Vec::new(), Vec::new(), Stage::Open);
        Ok(Self {
            id,
            opened_at: at,
            opening,
            population: Arc::new(population),
            accounts: Arc::new(accounts),
            courses,
            reviewers,
            attestations,
            touched,
            stage,
            events: 1,
            order: Order::default(),
        })
    }

    /// A review from all its events, the first of which opens it.
    ///
    /// # Errors
    /// [`Refused`] if an event cannot have happened, or the population is not the one of the opening.
    pub fn replay<'e>(
        id: Uuid,
        population: Population,
        events: impl IntoIterator<Item = (DateTime<Utc>, &'e Event)>,
    ) -> Result<Self, Refused> {
        Self::follow(id, population, events, Self::opened)
    }

    /// A review as a store kept it. That the population is the one of the opening was checked when it was opened, and is
    /// checked again when it is closed: for many accounts that takes longer than everything else.
    ///
    /// # Errors
    /// [`Refused`] if an event cannot have happened.
    pub fn kept<'e>(
        id: Uuid,
        population: Population,
        events: impl IntoIterator<Item = (DateTime<Utc>, &'e Event)>,
    ) -> Result<Self, Refused> {
        Self::follow(id, population, events, Self::begun)
    }

    fn follow<'e>(
        id: Uuid,
        population: Population,
        events: impl IntoIterator<Item = (DateTime<Utc>, &'e Event)>,
        begin: fn(Uuid, Opening, Population, DateTime<Utc>) -> Result<Self, Refused>,
    ) -> Result<Self, Refused> {
        let mut events = events.into_iter();
        let Some((at, Event::Opened(opening))) = events.next() else {
            return Err(Why::Contradiction("the first event does not open a review").into());
        };
        let mut review = begin(id, opening.clone(), population, at)?;
        for (at, event) in events {
            review.apply(event, at)?;
        }
        Ok(review)
    }

    /// Whether the population is the one that the review was opened for.
    ///
    /// # Errors
    /// [`Refused`] if it is another one.
    pub fn has_its_population(&self) -> Result<(), Refused> {
        let is_same = self.population.sha256() == self.opening.population_sha256;
        if is_same { Ok(()) } else { Err(Why::Contradiction(OTHER_ACCOUNTS).into()) }
    }

    fn course_mut(&mut self, id: ItemId) -> Option<&mut Course> {
        self.courses.get_mut((id.0 as usize).checked_sub(1)?)
    }
}

/// Questions.
impl Review {
    /// Its id.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// When it was opened.
    pub fn opened_at(&self) -> DateTime<Utc> {
        self.opened_at
    }

    /// How it was opened.
    pub fn opening(&self) -> &Opening {
        &self.opening
    }

    /// What is reviewed.
    pub fn population(&self) -> &Population {
        &self.population
    }

    /// How far it is.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// How many events it has had.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// An item. `None` if there is none with this number.
    pub fn item(&self, id: ItemId) -> Option<&Item> {
        self.population.item(id)
    }

    /// Whether an item of this review is the account of this person.
    pub fn is_own(&self, item: &Item, person: &Address) -> bool {
        self.accounts.is_of(&self.population, item, person)
    }

    /// What became of an item. `None` if there is none with this number.
    pub fn course(&self, id: ItemId) -> Option<&Course> {
        self.courses.get((id.0 as usize).checked_sub(1)?)
    }

    /// The items with what became of them, by their numbers.
    pub fn items(&self) -> impl ExactSizeIterator<Item = (&Item, &Course)> + Clone {
        self.population.items.iter().zip(&self.courses)
    }

    /// The attestations, and when they were given.
    pub fn attestations(&self) -> &[(DateTime<Utc>, Attested)] {
        &self.attestations
    }

    /// The SHA-256 that identifies the bag of a workspace's audit.
    pub fn bag_of(&self, workspace: &str) -> Option<&str> {
        let basis = self.opening.bases.iter().find(|basis| basis.workspace == workspace);
        basis.map(|basis| basis.bag.sha256.as_str())
    }

    /// An item as it stands now, for a decision.
    pub fn seen(&self, id: ItemId) -> Option<SeenItem> {
        let (item, course) = (self.item(id)?, self.course(id)?);
        let bag = self.bag_of(&item.workspace).unwrap_or_default().to_owned();
        Some(SeenItem { item: id, version: course.version(), bag, page: None })
    }

    /// The people who have to decide about something.
    pub fn reviewers(&self) -> BTreeSet<&Address> {
        self.reviewers.keys().collect()
    }

    /// The items that these people are to decide about, by their numbers.
    pub fn items_of(&self, reviewers: &[Address]) -> BTreeSet<ItemId> {
        reviewers.iter().filter_map(|reviewer| self.reviewers.get(reviewer)).flatten().copied().collect()
    }

    /// Whether a person is a reviewer or the owner.
    pub fn takes_part(&self, person: &Address) -> bool {
        self.opening.owner == *person || self.reviewers.contains_key(person)
    }

    /// How many items are not decided.
    pub fn undecided(&self) -> usize {
        self.courses.iter().filter(|course| course.decisions().is_empty()).count()
    }

    /// Whether every decision is `keep`.
    pub fn needs_no_change(&self) -> bool {
        self.courses.iter().all(|course| course.work().is_none())
    }

    /// The SHA-256 of the decisions about the items of these reviewers: what an attestation confirms. It is over the
    /// canonical JSON (RFC 8785) of a list of objects with `item` and everything of the decision that stands.
    pub fn decisions_sha256(&self, of: &[Address]) -> String {
        #[derive(Serialize)]
        struct Line<'a> {
            item: ItemId,
            #[serde(flatten)]
            made: Option<&'a Made>,
        }
        let line = |item: ItemId| Line { item, made: self.course(item).and_then(Course::decided) };
        let lines: Vec<_> = self.items_of(of).into_iter().map(line).collect();
        canonical_sha256(&lines)
    }

    /// The reviewers whose decisions, as they stand, nobody has attested.
    pub fn unattested(&self) -> Vec<Address> {
        let mut valid: BTreeMap<&Address, bool> = self.reviewers().into_iter().map(|one| (one, false)).collect();
        for ((_, attested), is_touched) in self.attestations.iter().zip(&self.touched) {
            // It was valid when it was given.
            if !is_touched || attested.decisions_sha256 == self.decisions_sha256(&attested.of) {
                for reviewer in &attested.of {
                    valid.entry(reviewer).and_modify(|valid| *valid = true);
                }
            }
        }
        valid.into_iter().filter(|(_, valid)| !valid).map(|(reviewer, _)| reviewer.clone()).collect()
    }

    /// The day of the next review. `None` if it is not closed.
    pub fn next_review(&self) -> Option<NaiveDate> {
        match &self.stage {
            Stage::Closed { closed, .. } => Some(closed.next_review),
            _ => None,
        }
    }
}
