//! Rules of the company's own that were added, removed or changed.

use super::Differences;
use crate::model::policy::CustomRule;

impl Differences {
    pub(super) fn custom_rules(&mut self, before: &[CustomRule], now: &[CustomRule]) {
        let key = "custom_rules";
        let find = |all: &[CustomRule], name: &str| all.iter().find(|rule| rule.name == name).cloned();
        for rule in now {
            match find(before, &rule.name) {
                None => self.push(key, &rule.name, String::new(), value(rule), false),
                // Whether another condition finds less is not known: say that it may.
                Some(was) if (&was.when, was.for_each, was.severity) != (&rule.when, rule.for_each, rule.severity) => {
                    let is_stricter =
                        (&was.when, was.for_each) == (&rule.when, rule.for_each) && rule.severity > was.severity;
                    self.push(key, &rule.name, value(&was), value(rule), !is_stricter);
                }
                Some(_) => {}
            }
        }
        for rule in before.iter().filter(|rule| find(now, &rule.name).is_none()) {
            self.push(key, &rule.name, value(rule), String::new(), true);
        }
    }
}

fn value(rule: &CustomRule) -> String {
    let condition: Vec<&str> = rule.when.split_whitespace().collect();
    format!("{} for each {}: {}", rule.severity, rule.for_each.word(), condition.join(" "))
}

#[cfg(test)]
mod tests {
    use super::super::differences;
    use crate::model::{
        finding::Severity,
        policy::{CustomRule, ForEach, Policy},
        rule::RuleList,
    };

    fn policy(rules: &[(&str, &str, Severity)]) -> Policy {
        let rule = |(name, when, severity): &(&str, &str, Severity)| CustomRule {
            name: (*name).into(),
            title: "Title".into(),
            severity: *severity,
            criteria: Vec::new(),
            for_each: ForEach::User,
            when: (*when).into(),
            message: "m".into(),
            fix: "f".into(),
            tests: Vec::new(),
        };
        Policy { custom_rules: rules.iter().map(rule).collect(), ..Policy::default() }
    }

    #[test]
    fn a_removed_rule_is_looser_and_a_changed_condition_may_be() {
        let before =
            policy(&[("a", "user.active", Severity::Low), ("b", "x", Severity::Low), ("c", "y", Severity::Low)]);
        let now = policy(&[("a", "user.active", Severity::High), ("b", "z", Severity::Low), ("d", "y", Severity::Low)]);
        let all = differences(&before, &now, &RuleList::default(), "acme");
        let shown: Vec<_> = all.iter().map(|one| (one.entry.as_str(), one.after.as_str(), one.is_looser)).collect();
        let expected = [
            ("a", "high for each user: user.active", false),
            ("b", "low for each user: z", true),
            ("d", "low for each user: y", false),
            ("c", "", true),
        ];
        assert_eq!(shown, expected);
    }
}
