//! What became of one item: who is to decide, what was proposed and decided, and what proves it.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{
    model::actor::Actor,
    review::{
        event::{Decision, Proven, Sheet, Via},
        person::Address,
    },
};

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
    /// The SHA-256 of what a page of the console showed of the item. `None` if no page did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// How many items were decided at once.
    pub together: usize,
}

impl Course {
    /// The course of an item that nothing happened to yet.
    pub(super) fn begun(reviewer: Address) -> Self {
        Self {
            reviewer,
            version: 1,
            assignments: Vec::new(),
            proposals: Vec::new(),
            decisions: Vec::new(),
            proof: None,
        }
    }

    pub(super) fn assign(&mut self, assignment: Assignment) {
        self.reviewer = assignment.to.clone();
        self.version += 1;
        self.assignments.push(assignment);
    }

    pub(super) fn propose(&mut self, proposal: Proposal) {
        self.proposals.push(proposal);
    }

    /// A new decision stands beside the earlier ones; what proved the one before does not prove this one.
    pub(super) fn decide(&mut self, made: Made) {
        self.version += 1;
        self.proof = None;
        self.decisions.push(made);
    }

    pub(super) fn prove(&mut self, at: DateTime<Utc>, proven: Proven) {
        self.proof = Some((at, proven));
    }

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
