//! How a rule judges, beside what it is.

use std::{borrow::Cow, fmt, sync::Arc};

use super::{context::Context, not_evaluated::NotEvaluated, sink::Sink};
use crate::model::{finding::Severity, rule::RuleInfo, rule_name::RuleName};

/// Looks, and reports what it finds to the sink. An error says why it could not look, or look any further. What it
/// had to pass over on the way goes to [`Sink::not_evaluated`].
pub(super) type Evaluate = dyn Fn(&Context<'_>, &mut Sink<'_>) -> Result<(), NotEvaluated> + Send + Sync;

/// A rule: what it is, and how it judges.
pub(super) struct Rule {
    pub(super) info: Arc<RuleInfo>,
    /// Whether it looks at the users: then it cannot pass on an incomplete read.
    pub(super) judges_population: bool,
    pub(super) evaluate: Box<Evaluate>,
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rule({}, {})", self.info.name, self.info.severity)
    }
}

/// A rule that comes with rolecall, as its file declares it.
pub(super) struct BuiltIn {
    /// See [`RuleInfo::name`].
    pub(super) name: &'static str,
    /// See [`RuleInfo::title`].
    pub(super) title: &'static str,
    /// See [`RuleInfo::severity`].
    pub(super) severity: Severity,
    /// See [`RuleInfo::criteria`].
    pub(super) criteria: &'static [&'static str],
    /// See [`RuleInfo::doc`].
    pub(super) doc: &'static str,
    /// See [`Rule::judges_population`].
    pub(super) judges_population: bool,
    /// See [`Evaluate`].
    pub(super) evaluate: fn(&Context<'_>, &mut Sink<'_>) -> Result<(), NotEvaluated>,
}

impl From<&BuiltIn> for Rule {
    fn from(rule: &BuiltIn) -> Self {
        let info = RuleInfo {
            name: RuleName::from(rule.name),
            title: rule.title.into(),
            severity: rule.severity,
            criteria: rule.criteria.iter().map(|criterion| Cow::Borrowed(*criterion)).collect(),
            doc: rule.doc.into(),
        };
        let evaluate = rule.evaluate;
        Self { info: Arc::new(info), judges_population: rule.judges_population, evaluate: Box::new(evaluate) }
    }
}
