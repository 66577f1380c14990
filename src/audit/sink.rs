//! Takes what rules report, so that rules know nothing of severities that a policy sets, nor of exceptions.

use std::{borrow::Cow, collections::HashSet};

use super::{JudgeInput, exceptions::Exceptions, registry::Rule};
use crate::model::{
    finding::{Finding, FindingStatus, RuleResult, Severity, Subject},
    policy::RuleSetting,
};

/// Takes what rules report.
pub(super) struct Sink<'a> {
    input: JudgeInput<'a>,
    exceptions: Exceptions<'a>,
    findings: Vec<Finding>,
    /// Rules that did not look at everything: that nothing matched an exception to them says nothing.
    partial: HashSet<&'static str>,
    rule: Option<&'static Rule>,
    first: usize,
    reasons: Vec<Cow<'static, str>>,
}

impl<'a> Sink<'a> {
    pub(super) fn new(input: &JudgeInput<'a>, exceptions: Exceptions<'a>) -> Self {
        let (findings, partial, reasons) = (Vec::new(), HashSet::new(), Vec::new());
        Self { input: *input, exceptions, findings, partial, rule: None, first: 0, reasons }
    }

    /// What follows is reported by `rule`.
    pub(super) fn begin(&mut self, rule: &'static Rule) {
        self.rule = Some(rule);
        self.first = self.findings.len();
        self.reasons.clear();
    }

    /// A rule that the policy switches off.
    pub(super) fn switch_off(&mut self, rule: &'static Rule) {
        self.partial.insert(rule.name);
    }

    /// Reports a finding with the rule's severity.
    pub(super) fn report(&mut self, subject: Subject, message: impl Into<Cow<'static, str>>) {
        if let Some(rule) = self.rule {
            self.report_as(rule.severity, subject, message);
        }
    }

    /// Reports a finding that is more or less grave than the rule's others. The policy's word still stands above.
    pub(super) fn report_as(&mut self, own: Severity, subject: Subject, message: impl Into<Cow<'static, str>>) {
        let Some(rule) = self.rule else { return };
        let severity = match self.input.policy.rules.get(rule.name) {
            Some(RuleSetting::Severity(severity)) => *severity,
            _ => own,
        };
        let directory = self.input.matrix.directory();
        let excepted = self.exceptions.accept(rule.name, &subject, directory);
        let status = excepted.map_or(FindingStatus::Open, FindingStatus::Excepted);
        let message = message.into();
        self.findings.push(Finding { rule: rule.name, severity, subject, message, status, continuing: None });
    }

    /// Says what the rule could not look at, and why.
    pub(super) fn not_evaluated(&mut self, reason: impl Into<Cow<'static, str>>) {
        self.reasons.push(reason.into());
    }

    /// What came of the rule that began.
    pub(super) fn end(&mut self) -> RuleResult {
        let found = &mut self.findings[self.first..];
        found.sort_by(|a, b| a.subject.cmp(&b.subject));
        if let (Some(rule), false) = (self.rule, self.reasons.is_empty()) {
            self.partial.insert(rule.name);
        }
        let not_evaluated = self.reasons.join("; ");
        let open = found.iter().filter(|finding| finding.is_open()).count();
        match (found.len(), not_evaluated.is_empty()) {
            (0, true) => RuleResult::Passed,
            (0, false) => RuleResult::NotEvaluated(not_evaluated),
            (all, _) => RuleResult::Failed { open, excepted: all - open, not_evaluated },
        }
    }

    /// Which exceptions matched something so far.
    pub(super) fn exceptions(&self) -> &Exceptions<'a> {
        &self.exceptions
    }

    /// Whether a rule was switched off or did not look at everything.
    pub(super) fn is_partial(&self, rule: &str) -> bool {
        self.partial.contains(rule)
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }
}
