//! What an audit did not evaluate.

use super::{policy, title};
use crate::model::{audit::Audit, finding::RuleResult};

/// What an audit did not evaluate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NotEvaluated {
    /// The checks of the read that disagree: what was compared, and how it differs. Empty if the read is complete.
    pub problems: Vec<(&'static str, String)>,
    /// The rules that could not be evaluated, or not for everything.
    pub rules: Vec<UnevaluatedRule>,
    /// The rules that the policy switches off, and why.
    pub switched_off: Vec<UnevaluatedRule>,
    /// Limits and other settings of the policy that are looser than the default: `max_administrators is 50 (default 5)`.
    pub loosened: Vec<String>,
}

/// A rule that was not evaluated, or not for everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnevaluatedRule {
    /// The rule's title.
    pub title: String,
    /// Why.
    pub reason: String,
}

impl NotEvaluated {
    /// What an audit did not evaluate.
    pub fn of(audit: &Audit) -> Self {
        let problems = audit.directory.reading.problems();
        let unevaluated = audit.outcomes.iter().filter_map(|outcome| {
            let reason = outcome.result.not_evaluated()?;
            Some(UnevaluatedRule { title: title(audit, &outcome.rule).to_owned(), reason: reason.to_owned() })
        });
        let off = audit.outcomes.iter().filter(|outcome| outcome.result == RuleResult::SwitchedOff);
        Self {
            problems: problems.map(|(check, detail)| (check.kind.title(), detail.to_owned())).collect(),
            rules: unevaluated.collect(),
            loosened: policy::looser_than_default(audit),
            switched_off: off
                .map(|outcome| UnevaluatedRule {
                    title: title(audit, &outcome.rule).to_owned(),
                    reason: audit.policy.off_reason(&outcome.rule).to_owned(),
                })
                .collect(),
        }
    }

    /// Whether every rule looked at everything, in a complete read, by no looser policy than the default.
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty() && self.rules.is_empty() && self.switched_off.is_empty() && self.loosened.is_empty()
    }
}
