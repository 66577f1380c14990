//! Why rules are off.

use std::collections::BTreeMap;

use super::Checker;
use crate::config::{file, names::is_blank, problem::Problem};

/// What a rule that is off is set to.
const OFF: &str = "off";

impl Checker<'_> {
    /// The reasons for rules that are off. In a policy by name, `base` is `[policy]`: a reason there may be for a rule that
    /// this policy switches on again.
    pub(super) fn off_reasons(
        &mut self,
        written: &file::Policy,
        base: Option<&file::Policy>,
    ) -> BTreeMap<String, String> {
        let mut reasons = BTreeMap::new();
        for (name, reason) in &written.off_reasons {
            let setting = written.rules.iter().find(|(rule, _)| rule.get_ref() == name.get_ref());
            let is_off = setting.is_some_and(|(_, setting)| setting.get_ref() == OFF);
            let is_of_base = base.is_some_and(|base| base.off_reasons.keys().any(|of| of.span() == name.span()));
            if is_blank(reason.get_ref()) {
                let help = "an auditor will ask why the rule does not run";
                self.error(reason.span(), "the reason for a rule that is off must not be empty", help);
            } else if !self.known_rule(name) {
                // The error says it.
            } else if is_off {
                reasons.insert(name.get_ref().clone(), reason.get_ref().clone());
            } else if !is_of_base {
                self.problems.push(Problem::warning(
                    name.span(),
                    format!("off_reasons has a reason for `{}`, which is not off", name.get_ref()),
                    "remove it, or set the rule to \"off\" in the same policy",
                ));
            }
        }
        for (name, setting) in written.rules.iter().filter(|(_, setting)| setting.get_ref() == OFF) {
            let is_known = self.context.rules.contains(&name.get_ref().as_str());
            if is_known && !written.off_reasons.keys().any(|rule| rule.get_ref() == name.get_ref()) {
                self.problems.push(Problem::warning(
                    setting.span(),
                    format!("the rule `{}` is off without a reason", name.get_ref()),
                    format!("every report says so; add off_reasons = {{ {} = \"…\" }}", name.get_ref()),
                ));
            }
        }
        reasons
    }
}
