//! Runs the rules in their order.

use std::cmp::Reverse;

use super::{
    context::Context,
    input::JudgeInput,
    roster::Employment,
    rule::Rule,
    set::RuleSet,
    sink::{Record, Sink},
};
use crate::model::{
    finding::{Finding, RuleOutcome, RuleResult},
    policy::RuleSetting,
    roster::JudgedRoster,
};

/// Why a rule about the population has not passed although it found nothing.
const INCOMPLETE: &str = "the read was incomplete";

/// What the rules found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The findings, most severe first, then in the order of the rules, then by subject.
    pub findings: Vec<Finding>,
    /// The result of each rule, in the order of the rules.
    pub outcomes: Vec<RuleOutcome>,
    /// How the roster was used; `None` if it was not read.
    pub roster: Option<JudgedRoster>,
}

/// Judges a directory by all rules of a set, which is that of the input's policy.
pub fn judge(rules: &RuleSet, input: &JudgeInput<'_>) -> Judgement {
    let (employment, roster) = Employment::of(input);
    let context = Context::new(input, rules.list(), employment);
    let mut record = Record::new(input);
    let mut outcomes = Vec::with_capacity(rules.rules().len());
    for governed in rules.rules() {
        let rule = &governed.rule;
        let result = if governed.setting == Some(RuleSetting::Off) {
            RuleResult::SwitchedOff
        } else {
            let sink = evaluate(rule, &context, Sink::new(record, &rule.info, governed.setting));
            let result;
            (record, result) = sink.end();
            result
        };
        outcomes.push(RuleOutcome { rule: rule.info.name.clone(), result });
    }
    let mut findings = record.into_findings();
    // Stable: within a severity the order of the rules stands, within a rule that of subjects. With cached keys, sorting needs
    // room for the keys only, not for another copy of all findings.
    findings.sort_by_cached_key(|finding| Reverse(finding.severity));
    findings.shrink_to_fit();
    Judgement { findings, outcomes, roster }
}

fn evaluate<'a>(rule: &Rule, context: &Context<'_>, mut sink: Sink<'a>) -> Sink<'a> {
    if let Err(reason) = (rule.evaluate)(context, &mut sink) {
        sink.not_evaluated(reason.0);
    }
    if rule.judges_population && !context.complete {
        sink.not_evaluated(INCOMPLETE);
    }
    sink
}
