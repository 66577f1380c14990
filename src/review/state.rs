//! A review as it stands, and the one function that changes it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::{
    event::{Attested, Closed, Decided, Decision, Event, Opening, Proven, SeenItem, Sheet, Target, Via},
    item::{Item, ItemId, Population, canonical_sha256},
    person::Address,
    refusal::{LARGEST_BATCH, Refusal, Refused, Why},
};
use crate::{model::actor::Actor, words::count};

/// The items that a sentence about missing decisions names.
const NAMED: usize = 10;

/// A review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    id: Uuid,
    opened_at: DateTime<Utc>,
    opening: Opening,
    population: Population,
    courses: Vec<Course>,
    attestations: Vec<(DateTime<Utc>, Attested)>,
    stage: Stage,
    events: u64,
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

/// What became of an item so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    reviewer: Address,
    version: u32,
    assignments: Vec<Assignment>,
    proposals: Vec<Proposal>,
    decisions: Vec<Made>,
    proof: Option<(DateTime<Utc>, Proven)>,
}

/// A change of the reviewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// When.
    pub at: DateTime<Utc>,
    /// The new reviewer.
    pub to: Address,
    /// Why.
    pub reason: String,
    /// Who said it.
    pub by: Actor,
}

/// What a program proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// When.
    pub at: DateTime<Utc>,
    /// The decision.
    pub decision: Decision,
    /// Why.
    pub reason: String,
    /// Which program.
    pub by: Actor,
}

/// A decision that a person made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Made {
    /// When.
    pub at: DateTime<Utc>,
    /// The decision.
    #[serde(flatten)]
    pub decision: Decision,
    /// Why.
    pub reason: Option<String>,
    /// Who.
    pub by: Address,
    /// How it was said.
    pub via: Via,
    /// The spreadsheet that said it. `None` if none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<Sheet>,
    /// The bag of the audit that it is about.
    pub bag: String,
    /// How many items were decided at once.
    pub together: usize,
}

impl Course {
    /// Who is to decide.
    pub fn reviewer(&self) -> &Address {
        &self.reviewer
    }

    /// How often it was decided or assigned.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Every change of the reviewer.
    pub fn assignments(&self) -> &[Assignment] {
        &self.assignments
    }

    /// Every proposal.
    pub fn proposals(&self) -> &[Proposal] {
        &self.proposals
    }

    /// Every decision; the last one stands.
    pub fn decisions(&self) -> &[Made] {
        &self.decisions
    }

    /// The decision that stands. `None` if there is none yet.
    pub fn decided(&self) -> Option<&Made> {
        self.decisions.last()
    }

    /// The decision that stands, if something has to be done in the workspace.
    pub fn work(&self) -> Option<&Made> {
        self.decided().filter(|made| made.decision.is_work())
    }

    /// What proves that it was carried out, and when that was noticed. `None` if nothing does.
    pub fn proof(&self) -> Option<&(DateTime<Utc>, Proven)> {
        self.proof.as_ref()
    }
}

/// The numbers of a review that a list shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its id.
    pub id: Uuid,
    /// Its name in the configuration.
    pub name: String,
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
    /// The scheduled time that it was opened for; `None` if it was opened on demand.
    pub fire_at: Option<DateTime<Utc>>,
    /// How many events it has had.
    pub events: u64,
}

impl Review {
    /// A review that is opened: the first event.
    ///
    /// # Errors
    /// [`Refused`] if the population is not the one of the opening, or not valid.
    pub fn opened(id: Uuid, opening: Opening, population: Population, at: DateTime<Utc>) -> Result<Self, Refused> {
        let contradiction = |what| Err(Refused::from(Why::Contradiction(what)));
        if population.sha256() != opening.population_sha256 || population.items.len() != opening.items as usize {
            return contradiction("the accounts are not those that the review was opened for");
        }
        for (number, item) in (1..).zip(&population.items) {
            if item.item != ItemId(number) {
                return contradiction("the items are not numbered from 1");
            }
            if !opening.bases.iter().any(|basis| basis.workspace == item.workspace) {
                return contradiction("an item is of a workspace without an audit");
            }
            if item.is_of(&item.reviewer) {
                return Err(Refused(vec![Refusal {
                    item: Some(item.item),
                    why: Why::OwnAccount(item.reviewer.clone()),
                }]));
            }
        }
        let course = |item: &Item| Course {
            reviewer: item.reviewer.clone(),
            version: 1,
            assignments: Vec::new(),
            proposals: Vec::new(),
            decisions: Vec::new(),
            proof: None,
        };
        let courses = population.items.iter().map(course).collect();
        let (attestations, stage) = (Vec::new(), Stage::Open);
        Ok(Self { id, opened_at: at, opening, population, courses, attestations, stage, events: 1 })
    }

    /// A review from all its events, the first of which opens it.
    ///
    /// # Errors
    /// [`Refused`] if an event cannot have happened.
    pub fn replay<'e>(
        id: Uuid,
        population: Population,
        events: impl IntoIterator<Item = (DateTime<Utc>, &'e Event)>,
    ) -> Result<Self, Refused> {
        let mut events = events.into_iter();
        let Some((at, Event::Opened(opening))) = events.next() else {
            return Err(Why::Contradiction("the first event does not open a review").into());
        };
        let mut review = Self::opened(id, opening.clone(), population, at)?;
        for (at, event) in events {
            review.apply(event, at)?;
        }
        Ok(review)
    }

    /// Applies an event, if it is allowed. This is the only way to change a review.
    ///
    /// # Errors
    /// [`Refused`]; then nothing has changed.
    pub fn apply(&mut self, event: &Event, at: DateTime<Utc>) -> Result<(), Refused> {
        match event {
            Event::Opened(_) => return Err(Why::Contradiction("it is opened already").into()),
            Event::Assigned { item, to, reason, by } => {
                let assignment = Assignment { at, to: to.clone(), reason: reason.clone(), by: by.clone() };
                self.assign(*item, assignment)?;
            }
            Event::Proposed { item, decision, reason, by } => {
                let proposal = Proposal { at, decision: decision.clone(), reason: reason.clone(), by: by.clone() };
                self.propose(*item, proposal)?;
            }
            Event::Decided(decided) => self.decide(decided, at)?,
            Event::Attested(attested) => self.attest(attested, at)?,
            Event::Closed(closed) => {
                self.may_close(closed, at)?;
                self.stage = Stage::Closed { at, closed: closed.clone() };
            }
            Event::Cancelled { by, reason } => {
                self.is_open()?;
                given(reason, "the review is cancelled")?;
                self.stage = Stage::Cancelled { at, by: by.clone(), reason: reason.clone() };
            }
            Event::Proven(proven) => self.prove(proven, at)?,
        }
        self.events += 1;
        Ok(())
    }

    fn is_open(&self) -> Result<(), Why> {
        if self.stage == Stage::Open { Ok(()) } else { Err(Why::Ended { state: self.state().word() }) }
    }

    fn assign(&mut self, id: ItemId, assignment: Assignment) -> Result<(), Refused> {
        self.is_open()?;
        let refused = |why| Refused(vec![Refusal { item: Some(id), why }]);
        let item = self.item(id).ok_or_else(|| refused(Why::NoItem))?;
        given(&assignment.reason, "it gets another reviewer").map_err(refused)?;
        if item.is_of(&assignment.to) {
            return Err(refused(Why::OwnAccount(assignment.to)));
        }
        let course = self.course_mut(id).ok_or_else(|| refused(Why::NoItem))?;
        if course.reviewer == assignment.to {
            return Err(refused(Why::SameReviewer(assignment.to)));
        }
        course.reviewer = assignment.to.clone();
        course.version += 1;
        course.assignments.push(assignment);
        Ok(())
    }

    fn propose(&mut self, id: ItemId, proposal: Proposal) -> Result<(), Refused> {
        self.is_open()?;
        let refused = |why| Refused(vec![Refusal { item: Some(id), why }]);
        let item = self.item(id).ok_or_else(|| refused(Why::NoItem))?;
        given(&proposal.reason, "a proposal has to say why").map_err(refused)?;
        self.fits(item, &proposal.decision).map_err(refused)?;
        let course = self.course_mut(id).ok_or_else(|| refused(Why::NoItem))?;
        course.proposals.push(proposal);
        Ok(())
    }

    fn decide(&mut self, decided: &Decided, at: DateTime<Utc>) -> Result<(), Refused> {
        self.is_open()?;
        let together = decided.items.len();
        if together == 0 {
            return Err(Why::Nothing.into());
        }
        if together > LARGEST_BATCH {
            return Err(Why::TooMany(together).into());
        }
        if !self.takes_part(&decided.by) {
            return Err(Why::Stranger(decided.by.clone()).into());
        }
        let mut named = BTreeSet::new();
        let mut refusals = Vec::new();
        for seen in &decided.items {
            let why = if named.insert(seen.item) { self.objection(seen, decided) } else { Some(Why::Twice) };
            refusals.extend(why.map(|why| Refusal { item: Some(seen.item), why }));
        }
        if !refusals.is_empty() {
            return Err(Refused(refusals));
        }
        let reason = decided.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
        for seen in &decided.items {
            let Some(course) = self.course_mut(seen.item) else { continue };
            course.version += 1;
            course.proof = None;
            course.decisions.push(Made {
                at,
                decision: decided.decision.clone(),
                reason: reason.map(str::to_owned),
                by: decided.by.clone(),
                via: decided.via,
                sheet: decided.sheet.clone(),
                bag: seen.bag.clone(),
                together,
            });
        }
        Ok(())
    }

    /// Why a person may not decide so about an item. `None` if the person may.
    fn objection(&self, seen: &SeenItem, decided: &Decided) -> Option<Why> {
        let by = &decided.by;
        let (Some(item), Some(course)) = (self.item(seen.item), self.course(seen.item)) else {
            return Some(Why::NoItem);
        };
        if item.is_of(by) {
            return Some(Why::OwnAccount(by.clone()));
        }
        if course.reviewer != *by && self.opening.owner != *by {
            return Some(Why::NotYours { reviewer: course.reviewer.clone(), by: by.clone() });
        }
        if let Some(why) = self.each_other(item, by) {
            return Some(why);
        }
        if seen.version != course.version {
            return Some(Why::Stale { seen: seen.version, now: course.version });
        }
        let expected = self.bag_of(&item.workspace).unwrap_or_default();
        if seen.bag != expected {
            return Some(Why::OtherBag { expected: expected.to_owned(), seen: seen.bag.clone() });
        }
        if decided.items.len() > 1 {
            let unchanged = if item.changed { Some("it is new or was changed since the review before") } else { None };
            let work = if decided.decision.is_work() { Some("only `keep` can be decided at once") } else { None };
            if let Some(because) = work.or(item.special()).or(unchanged) {
                return Some(Why::NotTogether(because));
            }
        }
        let because = if decided.decision.is_work() { Some("access is taken away or changed") } else { item.special() };
        if let Some(because) = because
            && let Err(why) = given(decided.reason.as_deref().unwrap_or_default(), because)
        {
            return Some(why);
        }
        self.fits(item, &decided.decision).err()
    }

    /// Whether the person whose account it is decided about the account of `by`, and somebody else can decide.
    fn each_other(&self, item: &Item, by: &Address) -> Option<Why> {
        let other = Address::of(item.email.as_deref()?);
        let own =
            |(item, course): &(&Item, &Course)| item.is_of(by) && course.decided().is_some_and(|made| made.by == other);
        self.population.items.iter().zip(&self.courses).find(own)?;
        let others = item.alternates.iter().chain([&self.opening.owner]);
        let instead = others.into_iter().find(|address| *address != by && **address != other)?.clone();
        Some(Why::EachOther { other, by: by.clone(), instead })
    }

    /// Whether a decision is possible for an account.
    fn fits(&self, item: &Item, decision: &Decision) -> Result<(), Why> {
        let Decision::Change { to } = decision else { return Ok(()) };
        let masters = self.population.masters.get(&item.workspace);
        let (known, current) = match to {
            Target::Role(named) => (masters.is_some_and(|masters| masters.roles.contains(named)), &item.role),
            Target::Profile(named) => (masters.is_some_and(|masters| masters.profiles.contains(named)), &item.profile),
        };
        if !known {
            return Err(Why::NoTarget { workspace: item.workspace.clone(), target: to.to_string() });
        }
        if current.as_ref().is_some_and(|current| current.id == to.id()) {
            return Err(Why::SameTarget(to.to_string()));
        }
        Ok(())
    }

    fn attest(&mut self, attested: &Attested, at: DateTime<Utc>) -> Result<(), Refused> {
        self.is_open()?;
        let Attested { by, of, statement, decisions_sha256, .. } = attested;
        let reviewers = self.reviewers();
        if of.is_empty() || of.iter().any(|reviewer| !reviewers.contains(reviewer)) {
            return Err(Why::Missing("an attestation names reviewers of this review".to_owned()).into());
        }
        if *by != self.opening.owner && of.iter().any(|reviewer| reviewer != by) {
            return Err(Why::NotTheOwner { owner: self.opening.owner.clone(), by: by.clone() }.into());
        }
        given(statement, "an attestation says what is confirmed")?;
        if let Some(missing) = self.undecided_sentence(|course| of.contains(&course.reviewer)) {
            return Err(Why::Missing(missing).into());
        }
        if *decisions_sha256 != self.decisions_sha256(of) {
            return Err(Why::Missing("the decisions have changed since; look at them again".to_owned()).into());
        }
        self.attestations.push((at, attested.clone()));
        Ok(())
    }

    fn may_close(&self, closed: &Closed, at: DateTime<Utc>) -> Result<(), Refused> {
        self.is_open()?;
        if closed.by != self.opening.owner {
            return Err(Why::NotTheOwner { owner: self.opening.owner.clone(), by: closed.by.clone() }.into());
        }
        let mut missing: Vec<Why> = self.undecided_sentence(|_| true).map(Why::Missing).into_iter().collect();
        missing
            .extend(self.unattested().into_iter().map(|reviewer| Why::Missing(format!("{reviewer} has not attested"))));
        if closed.next_review <= at.date_naive() {
            missing.push(Why::NextReview(closed.next_review));
        }
        if missing.is_empty() && closed.no_change_needed != self.needs_no_change() {
            missing.push(Why::Result("“no change needed” means that every decision is `keep`, and nothing else"));
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(Refused(missing.into_iter().map(|why| Refusal { item: None, why }).collect()))
    }

    fn prove(&mut self, proven: &Proven, at: DateTime<Utc>) -> Result<(), Refused> {
        let refused = |why| Refused(vec![Refusal { item: Some(proven.item), why }]);
        if let Stage::Cancelled { .. } = self.stage {
            return Err(Why::Ended { state: self.state().word() }.into());
        }
        let course = self.course_mut(proven.item).ok_or_else(|| refused(Why::NoItem))?;
        let is_provable = course.proof.is_none() && course.work().is_some_and(|made| made.at < proven.read_at);
        if !is_provable {
            return Err(refused(Why::NothingToProve));
        }
        course.proof = Some((at, proven.clone()));
        Ok(())
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
        self.population.items.get((id.0 as usize).checked_sub(1)?)
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
        Some(SeenItem { item: id, version: course.version, bag })
    }

    /// The people who have to decide about something.
    pub fn reviewers(&self) -> BTreeSet<&Address> {
        self.courses.iter().map(|course| &course.reviewer).collect()
    }

    /// Whether a person is a reviewer or the owner.
    pub fn takes_part(&self, person: &Address) -> bool {
        self.opening.owner == *person || self.courses.iter().any(|course| course.reviewer == *person)
    }

    /// How many items are not decided.
    pub fn undecided(&self) -> usize {
        self.courses.iter().filter(|course| course.decisions.is_empty()).count()
    }

    /// Whether every decision is `keep`.
    pub fn needs_no_change(&self) -> bool {
        self.courses.iter().all(|course| course.work().is_none())
    }

    /// The state.
    pub fn state(&self) -> State {
        match self.stage {
            Stage::Closed { .. } => State::Closed,
            Stage::Cancelled { .. } => State::Cancelled,
            Stage::Open if self.undecided() == 0 => State::Decided,
            Stage::Open => State::Open,
        }
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
        let own = self.items().filter(|(_, course)| of.contains(&course.reviewer));
        let lines: Vec<_> = own.map(|(item, course)| Line { item: item.item, made: course.decided() }).collect();
        canonical_sha256(&lines)
    }

    /// The reviewers whose decisions, as they stand, nobody has attested.
    pub fn unattested(&self) -> Vec<Address> {
        let mut valid: BTreeMap<&Address, bool> = self.reviewers().into_iter().map(|one| (one, false)).collect();
        for (_, attested) in &self.attestations {
            if attested.decisions_sha256 == self.decisions_sha256(&attested.of) {
                for reviewer in &attested.of {
                    valid.entry(reviewer).and_modify(|valid| *valid = true);
                }
            }
        }
        valid.into_iter().filter(|(_, valid)| !valid).map(|(reviewer, _)| reviewer.clone()).collect()
    }

    /// The numbers for a list.
    pub fn summary(&self) -> Summary {
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let is_unproven = |course: &&Course| course.work().is_some() && course.proof.is_none();
        let is_cancelled = matches!(self.stage, Stage::Cancelled { .. });
        Summary {
            id: self.id,
            name: self.opening.name.clone(),
            state: self.state(),
            opened_at: self.opened_at,
            due: self.opening.due,
            items: self.opening.items,
            undecided: number(self.undecided()),
            unproven: if is_cancelled { 0 } else { number(self.courses.iter().filter(is_unproven).count()) },
            fire_at: self.opening.fire_at,
            events: self.events,
        }
    }

    /// The day of the next review. `None` if it is not closed.
    pub fn next_review(&self) -> Option<NaiveDate> {
        match &self.stage {
            Stage::Closed { closed, .. } => Some(closed.next_review),
            _ => None,
        }
    }

    /// Which items of these are not decided, as a sentence. `None` if all are.
    fn undecided_sentence(&self, of: impl Fn(&Course) -> bool) -> Option<String> {
        let open = self.items().filter(|(_, course)| of(course) && course.decisions.is_empty());
        let open: Vec<String> = open.map(|(item, course)| format!("{} ({})", item.item, course.reviewer)).collect();
        if open.is_empty() {
            return None;
        }
        let more = open.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let (all, named) = (count(open.len(), "item"), open[..open.len().min(NAMED)].join(", "));
        let is = if open.len() == 1 { "is" } else { "are" };
        Some(format!("{all} {is} not decided: {named}{more}"))
    }
}

/// Whether a required text is there.
fn given(reason: &str, because: &'static str) -> Result<(), Why> {
    if reason.trim().is_empty() { Err(Why::NoReason(because)) } else { Ok(()) }
}
