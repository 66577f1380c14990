//! `explain_finding`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::findings::key;
use crate::{
    agent::{
        Agent, Person, Problem,
        definition::{Effect, Operation},
        freshness::Freshness,
        page::{Wanted, page},
    },
    audit::RuleSet,
    lookup::findings::FindingRow,
    model::{audit::Audit, email::comparable, finding::RuleResult},
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// The workspace's name; not needed if there is only one.
    workspace: Option<String>,
    /// The rule's name, as in findings: `unapproved-administrator`.
    rule: String,
    /// Only findings about this subject: its id, its exact name, or a user's address.
    subject: Option<String>,
    /// Findings in one answer.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u32>,
    /// The `next_cursor` of the previous answer, to continue.
    cursor: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Answer {
    #[serde(flatten)]
    freshness: Freshness,
    /// The rule's name.
    rule: String,
    /// What the rule finds, in a few words.
    title: String,
    /// The severity of its findings unless the policy sets another.
    severity: &'static str,
    /// The Trust Services Criterion that it supports.
    criterion: String,
    /// What a finding of this rule means.
    what_it_means: String,
    /// Why an auditor asks for it.
    why_an_auditor_asks: String,
    /// How a person fixes it in the product.
    how_to_fix: String,
    /// The rule's result here: passed, failed, not evaluated, or switched off by the policy.
    result: &'static str,
    /// What the rule could not evaluate, and why; null if it evaluated everything.
    not_evaluated: Option<String>,
    /// How many findings it has here.
    total: usize,
    /// The findings of this page.
    findings: Vec<FindingRow>,
    /// Pass this as `cursor` to get the rest; null at the end.
    next_cursor: Option<String>,
}

pub(super) struct ExplainFinding;

impl Operation for ExplainFinding {
    const NAME: &'static str = "explain_finding";
    const TITLE: &'static str = "Explain a finding";
    const DESCRIPTION: &'static str = "Explains a rule of the access audit: what it means, why a SOC 2 auditor asks for it, how \
        a person fixes a finding in Bigin, which Trust Services Criterion it supports, and what the rule finds in this \
        workspace now, with accepted exceptions (who approved, why, until when). Name the rule as findings do; with \
        `subject`, only findings about one user, role or profile are listed. People fix findings: no tool changes roles or \
        profiles.";
    const EFFECT: Effect = Effect::Reads;
    type Arguments = Arguments;
    type Answer = Answer;

    async fn run(agent: &Agent, arguments: Arguments, _: &dyn Person) -> Result<Answer, Problem> {
        let session = agent.session(arguments.workspace.as_deref())?;
        let rules = RuleSet::for_audit(&session.policy, true);
        let rule = rules.list().get(arguments.rule.trim()).ok_or_else(|| Problem::NoRule {
            name: arguments.rule.clone(),
            known: rules.list().names().collect::<Vec<_>>().join(", "),
        })?;
        let view = session.view(agent).await?;
        let audit = &view.audit;
        let (result, not_evaluated) = result(audit, &rule.name);
        let is_meant = |finding: &&crate::model::finding::Finding| {
            finding.rule == rule.name
                && arguments.subject.as_deref().is_none_or(|subject| {
                    let (label, id) = audit.subject_label(&finding.subject);
                    let address = match finding.subject {
                        crate::model::finding::Subject::User(user) => audit.directory.users.get(user).email(),
                        _ => None,
                    };
                    id == subject.trim()
                        || label.trim() == subject.trim()
                        || address.is_some_and(|address| comparable(address) == comparable(subject))
                })
        };
        let wanted = Wanted { limit: arguments.limit, cursor: arguments.cursor.as_deref() };
        let found = page(
            audit.findings.iter().filter(is_meant),
            |finding| key(audit, finding),
            |finding| FindingRow::of(audit, finding),
            wanted,
        )?;
        Ok(Answer {
            freshness: Freshness::of(&session.name, &audit.directory, agent.now()),
            rule: rule.name.to_string(),
            title: rule.title.to_string(),
            severity: rule.severity.word(),
            criterion: rule.criteria_text().into_owned(),
            what_it_means: rule.part("What it means"),
            why_an_auditor_asks: rule.part("Why an auditor asks"),
            how_to_fix: rule.fix(audit.directory.source.connector.product()),
            result,
            not_evaluated,
            total: found.total,
            findings: found.rows,
            next_cursor: found.next_cursor,
        })
    }
}

/// The result of a rule, and what it could not evaluate.
fn result(audit: &Audit, rule: &str) -> (&'static str, Option<String>) {
    let outcome = audit.outcomes.iter().find(|outcome| outcome.rule == rule);
    match outcome.map(|outcome| &outcome.result) {
        Some(RuleResult::Passed) => ("passed", None),
        Some(RuleResult::Failed { not_evaluated, .. }) => {
            ("failed", Some(not_evaluated.clone()).filter(|why| !why.is_empty()))
        }
        Some(RuleResult::NotEvaluated(why)) => ("not evaluated", Some(why.clone())),
        Some(RuleResult::SwitchedOff) => ("switched off by the policy", None),
        // Only the rules about reviews may not be in an audit.
        None => ("not evaluated", Some("there is no review by people to look at".to_owned())),
    }
}
