//! Takes what rules report, so that rules know nothing of severities that a policy sets, nor of exceptions.

use std::{borrow::Cow, collections::HashSet};

use super::{
    input::JudgeInput,
    unread::{self, Needs},
};
use crate::{
    exceptions::{Exceptions, PlannedFixes},
    model::{
        finding::{Finding, FindingStatus, RuleResult, Severity, Subject},
        policy::RuleSetting,
        rule::RuleInfo,
        rule_name::RuleName,
        unread::Fields,
        users::UserIndex,
    },
};

/// What all rules reported so far.
pub(super) struct Record<'a> {
    input: JudgeInput<'a>,
    exceptions: Exceptions<'a>,
    planned_fixes: PlannedFixes<'a>,
    findings: Vec<Finding>,
    /// Rules that looked at everything: an exception from one of them that matched nothing is unmatched.
    thorough: HashSet<RuleName>,
    /// The users with fields that could not be read.
    unread: Vec<(UserIndex, Fields)>,
}

impl<'a> Record<'a> {
    pub(super) fn new(input: &JudgeInput<'a>) -> Self {
        let (policy, directory) = (input.policy, input.matrix.directory());
        let today = input.now.date_naive();
        Self {
            input: *input,
            exceptions: Exceptions::new(&policy.exceptions, input.workspace, today, directory),
            planned_fixes: PlannedFixes::new(&policy.planned_fixes, input.workspace, today, directory),
            findings: Vec::new(),
            thorough: HashSet::new(),
            unread: unread::users(directory),
        }
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }
}

/// Takes what one rule reports.
pub(super) struct Sink<'a> {
    record: Record<'a>,
    rule: &'a RuleInfo,
    setting: Option<RuleSetting>,
    /// Where the findings of the rule begin in the record.
    first: usize,
    reasons: Vec<Cow<'static, str>>,
    needs: Needs,
}

impl<'a> Sink<'a> {
    /// The sink of a rule that the policy sets as in `setting`.
    pub(super) fn new(record: Record<'a>, rule: &'a RuleInfo, setting: Option<RuleSetting>) -> Self {
        let first = record.findings.len();
        Self { record, rule, setting, first, reasons: Vec::new(), needs: unread::needs(rule.name.as_str()) }
    }

    /// Reports a finding with the rule's severity.
    pub(super) fn report(&mut self, subject: Subject, message: impl Into<Cow<'static, str>>) {
        self.report_as(self.rule.severity, subject, message);
    }

    /// Reports a finding with a severity of its own. A severity that the policy sets still overrides it.
    pub(super) fn report_as(&mut self, own: Severity, subject: Subject, message: impl Into<Cow<'static, str>>) {
        let directory = self.record.input.matrix.directory();
        if self.needs.forbid(&subject, directory, &self.record.unread) {
            return;
        }
        let severity = match self.setting {
            Some(RuleSetting::Severity(severity)) => severity,
            _ => own,
        };
        let Record { exceptions, planned_fixes, findings, .. } = &mut self.record;
        let excepted = exceptions.find(&self.rule.name, &subject, directory);
        let planned = planned_fixes.find(&self.rule.name, &subject, directory).filter(|_| excepted.is_none());
        let status = excepted.map_or(FindingStatus::Open, FindingStatus::Excepted);
        let (rule, message) = (self.rule.name.clone(), message.into());
        findings.push(Finding { rule, severity, subject, message, status, continuing: None, planned });
    }

    /// Says what the rule could not look at, and why.
    pub(super) fn not_evaluated(&mut self, reason: impl Into<Cow<'static, str>>) {
        self.reasons.push(reason.into());
    }

    /// The rule's result, and the record for the next rule.
    pub(super) fn end(mut self) -> (Record<'a>, RuleResult) {
        let directory = self.record.input.matrix.directory();
        self.reasons.extend(self.needs.reason(directory, &self.record.unread).map(Cow::Owned));
        let found = &mut self.record.findings[self.first..];
        // Most rules go through the subjects in order. Sorting would need room for a copy.
        if !found.is_sorted_by(|a, b| a.subject <= b.subject) {
            found.sort_by(|a, b| a.subject.cmp(&b.subject));
        }
        let not_evaluated = self.reasons.join("; ");
        let open = found.iter().filter(|finding| finding.is_open()).count();
        let result = match (found.len(), not_evaluated.is_empty()) {
            (0, true) => RuleResult::Passed,
            (0, false) => RuleResult::NotEvaluated(not_evaluated),
            (all, _) => RuleResult::Failed { open, excepted: all - open, not_evaluated },
        };
        if self.reasons.is_empty() {
            self.record.thorough.insert(self.rule.name.clone());
        }
        (self.record, result)
    }

    /// The exceptions, and which of them matched something so far.
    pub(super) fn exceptions(&self) -> &Exceptions<'a> {
        &self.record.exceptions
    }

    /// The planned fixes, and which of them matched something so far.
    pub(super) fn planned_fixes(&self) -> &PlannedFixes<'a> {
        &self.record.planned_fixes
    }

    /// Whether a rule has ended before this one and looked at everything.
    pub(super) fn has_looked_at_everything(&self, rule: &str) -> bool {
        self.record.thorough.contains(rule)
    }
}
