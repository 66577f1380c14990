//! The one function that changes a review, and what each event changes.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use super::{Assignment, Made, Proposal, Review, Stage, checks::given};
use crate::review::{
    event::{Attested, Decided, Event, Proven},
    item::ItemId,
    person::Address,
    refusal::{LARGEST_BATCH, MOST_PROPOSALS, Refusal, Refused, Why},
};

impl Review {
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

    fn assign(&mut self, id: ItemId, assignment: Assignment) -> Result<(), Refused> {
        self.is_open()?;
        let refused = |why| Refused(vec![Refusal { item: Some(id), why }]);
        let item = self.item(id).ok_or_else(|| refused(Why::NoItem))?;
        given(&assignment.reason, "it gets another reviewer").map_err(refused)?;
        if self.is_own(item, &assignment.to) {
            return Err(refused(Why::OwnAccount(assignment.to)));
        }
        let course = self.course_mut(id).ok_or_else(|| refused(Why::NoItem))?;
        if *course.reviewer() == assignment.to {
            return Err(refused(Why::SameReviewer(assignment.to)));
        }
        let (before, to) = (course.reviewer().clone(), assignment.to.clone());
        course.assign(assignment);
        self.touch(&before);
        self.touch(&to);
        if let Some(items) = self.reviewers.get_mut(&before) {
            items.remove(&id);
            if items.is_empty() {
                self.reviewers.remove(&before);
            }
        }
        self.reviewers.entry(to).or_default().insert(id);
        Ok(())
    }

    fn propose(&mut self, id: ItemId, proposal: Proposal) -> Result<(), Refused> {
        self.is_open()?;
        let refused = |why| Refused(vec![Refusal { item: Some(id), why }]);
        let item = self.item(id).ok_or_else(|| refused(Why::NoItem))?;
        given(&proposal.reason, "a proposal has to say why").map_err(refused)?;
        self.fits(item, &proposal.decision).map_err(refused)?;
        if self.course(id).is_some_and(|course| course.proposals().len() >= MOST_PROPOSALS) {
            return Err(refused(Why::Proposals));
        }
        let course = self.course_mut(id).ok_or_else(|| refused(Why::NoItem))?;
        course.propose(proposal);
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
            if let Some(reviewer) = self.course(seen.item).map(|course| course.reviewer().clone()) {
                self.touch(&reviewer);
            }
            let Some(course) = self.course_mut(seen.item) else { continue };
            course.decide(Made {
                at,
                decision: decided.decision.clone(),
                reason: reason.map(str::to_owned),
                by: decided.by.clone(),
                via: decided.via,
                sheet: decided.sheet.clone(),
                bag: seen.bag.clone(),
                page: seen.page.clone(),
                together,
            });
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
        if let Some(missing) = self.undecided_sentence(self.items_of(of)) {
            return Err(Why::Missing(missing).into());
        }
        if *decisions_sha256 != self.decisions_sha256(of) {
            return Err(Why::Missing("the decisions have changed since; look at them again".to_owned()).into());
        }
        self.attestations.push((at, attested.clone()));
        self.touched.push(false);
        Ok(())
    }

    /// Attestations of this reviewer's decisions have to be compared with them again.
    fn touch(&mut self, reviewer: &Address) {
        for ((_, attested), is_touched) in self.attestations.iter().zip(&mut self.touched) {
            *is_touched |= attested.of.contains(reviewer);
        }
    }

    fn prove(&mut self, proven: &Proven, at: DateTime<Utc>) -> Result<(), Refused> {
        let refused = |why| Refused(vec![Refusal { item: Some(proven.item), why }]);
        if let Stage::Cancelled { .. } = self.stage {
            return Err(Why::Ended { state: self.state().word() }.into());
        }
        let course = self.course_mut(proven.item).ok_or_else(|| refused(Why::NoItem))?;
        let is_provable = course.proof().is_none() && course.work().is_some_and(|made| made.at < proven.read_at);
        if !is_provable {
            return Err(refused(Why::NothingToProve));
        }
        course.prove(at, proven.clone());
        Ok(())
    }
}
