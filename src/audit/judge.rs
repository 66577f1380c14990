//! Runs the rules in their order.

use std::cmp::Reverse;

use chrono::{DateTime, Utc};

use super::{context::Context, exceptions::Exceptions, population::Population, registry, sink::Sink};
use crate::{
    access::{drift::SnapshotHeader, matrix::AccessMatrix},
    model::{
        finding::{Finding, RuleOutcome, RuleResult},
        id::ProfileId,
        policy::{Policy, RuleSetting},
    },
};

/// Why a rule about the population has not passed although it found nothing.
const INCOMPLETE: &str = "the read was incomplete";

/// What is judged, against what, and when.
#[derive(Debug, Clone, Copy)]
pub struct JudgeInput<'a> {
    /// What was read, joined.
    pub matrix: &'a AccessMatrix<'a>,
    /// The profiles that make an administrator, resolved against the master list.
    pub administrator_profiles: &'a [ProfileId],
    /// The policy's names and ids of administrator profiles that match nothing on the master list.
    pub unmatched_administrator_profiles: &'a [String],
    /// What the company holds to be right.
    pub policy: &'a Policy,
    /// The workspace's name in the configuration.
    pub workspace: &'a str,
    /// When it is judged: ages and the ends of exceptions count from here.
    pub now: DateTime<Utc>,
    /// What is kept of the previous audit; none for the first one.
    pub previous: Option<&'a SnapshotHeader>,
}

/// What the rules found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The findings, gravest first, then by the registry's order, then by subject.
    pub findings: Vec<Finding>,
    /// What came of each rule, in the registry's order.
    pub outcomes: Vec<RuleOutcome>,
}

/// Judges a directory by all rules.
pub fn judge(input: &JudgeInput<'_>) -> Judgement {
    let directory = input.matrix.directory();
    let complete = directory.reading.is_complete();
    let context = Context { input: *input, directory, population: Population::of(input.matrix), complete };
    let mut sink = Sink::new(input, Exceptions::new(input, directory));
    let outcomes = registry::rules()
        .iter()
        .map(|rule| {
            let result = if input.policy.rules.get(rule.name) == Some(&RuleSetting::Off) {
                sink.switch_off(rule);
                RuleResult::SwitchedOff
            } else {
                sink.begin(rule);
                (rule.evaluate)(&context, &mut sink);
                if rule.judges_population && !complete {
                    sink.not_evaluated(INCOMPLETE);
                }
                sink.end()
            };
            RuleOutcome { rule: rule.name, result }
        })
        .collect();
    let mut findings = sink.into_findings();
    // Stable: within a severity the registry's order stands, within a rule that of subjects.
    findings.sort_by_key(|finding| Reverse(finding.severity));
    Judgement { findings, outcomes }
}
