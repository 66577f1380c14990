//! The rules of one audit.

use std::sync::Arc;

use super::{custom, frameworks, registry, rule::Rule};
use crate::model::{
    policy::{Policy, RuleSetting},
    rule::RuleList,
};

/// The rules of one audit, made for its policy, in the order in which they judge and are reported.
#[derive(Debug)]
pub struct RuleSet {
    rules: Vec<Governed>,
    list: Arc<RuleList>,
    reads_previous_users: bool,
}

/// A rule, and what the policy says of it.
#[derive(Debug)]
pub(super) struct Governed {
    pub(super) rule: Rule,
    /// `None` if the policy does not name the rule.
    pub(super) setting: Option<RuleSetting>,
}

impl RuleSet {
    /// The rules under a policy: without a roster, for example, none that needs one. None is about reviews.
    pub fn for_policy(policy: &Policy) -> Self {
        Self::for_audit(policy, false)
    }

    /// The rules under a policy, with those about reviews if there is a review to look at.
    pub fn for_audit(policy: &Policy, has_reviews: bool) -> Self {
        let mut rules: Vec<Rule> = registry::under(policy, has_reviews).collect();
        let (custom, reads_previous): (Vec<Rule>, Vec<bool>) = policy.custom_rules.iter().map(custom::rule).unzip();
        // Rules about the policy look at what the others found.
        let place = rules.iter().position(|rule| rule.info.name == registry::FIRST_ABOUT_POLICY).unwrap_or(rules.len());
        rules.splice(place..place, custom);
        let set = Self::of(rules, policy);
        Self { reads_previous_users: reads_previous.contains(&true), ..set }
    }

    /// The rules that come with rolecall, at their own severities.
    pub fn built_in() -> Self {
        Self::of(registry::built_in(), &Policy::default())
    }

    /// These rules under a policy.
    pub(super) fn of(rules: impl IntoIterator<Item = Rule>, policy: &Policy) -> Self {
        let governed = |mut rule: Rule| {
            if registry::is_built_in(&rule.info.name) {
                let info = Arc::make_mut(&mut rule.info);
                info.criteria = frameworks::criteria(&info.name, &info.criteria, &policy.frameworks);
            }
            Governed { setting: policy.rules.get(rule.info.name.as_str()).copied(), rule }
        };
        let rules: Vec<Governed> = rules.into_iter().map(governed).collect();
        let list = rules.iter().map(|governed| Arc::clone(&governed.rule.info)).collect();
        Self { rules, list: Arc::new(list), reads_previous_users: false }
    }

    /// What the rules are, apart from how they judge.
    pub fn list(&self) -> &Arc<RuleList> {
        &self.list
    }

    /// Whether a rule reads the users of the previous audit.
    pub fn reads_previous_users(&self) -> bool {
        self.reads_previous_users
    }

    pub(super) fn rules(&self) -> &[Governed] {
        &self.rules
    }
}
