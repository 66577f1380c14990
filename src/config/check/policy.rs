//! Policies: administrators, domains, limits, rules, exceptions.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use toml::Spanned;

use super::Checker;
use crate::{
    config::{
        file::{self, File},
        problem::Problem,
        settings::Workspace,
        shape::suggestion,
    },
    model::{
        email,
        finding::Severity,
        framework::Framework,
        policy::{BASE, Policy, RuleSetting},
    },
};

impl Checker<'_> {
    /// `[policy]`, and every `[policies.NAME]`, which already has what it takes from `[policy]`.
    pub(super) fn policies(
        &mut self,
        file: &File,
        others: &BTreeMap<String, Workspace>,
    ) -> (Arc<Policy>, BTreeMap<String, Arc<Policy>>) {
        let base = self.policy(BASE, &file.policy, None);
        let of_workspaces = file.workspaces.values().filter_map(|workspace| workspace.get_ref().policy.as_ref());
        let used: BTreeSet<&str> = of_workspaces
            .chain(file.jobs.values().filter_map(|job| job.policy.as_ref()))
            .map(|name| name.get_ref().as_str())
            .chain(others.values().filter_map(|workspace| workspace.policy.as_deref()))
            .collect();
        let mut named = BTreeMap::new();
        for (name, policy) in &file.policies {
            let text = name.get_ref().as_str();
            self.name("policy", name);
            if text == BASE {
                self.error(
                    name.span(),
                    format!("a policy cannot be named `{BASE}`"),
                    format!("`{BASE}` is the name of [policy]; choose another name"),
                );
            } else if !used.contains(text) {
                self.problems.push(Problem::warning(
                    name.span(),
                    format!("no workspace and no job uses the policy `{text}`"),
                    format!("it applies to a workspace or job that says policy = \"{text}\""),
                ));
            }
            let before = self.problems.len();
            let policy = self.policy(text, policy, Some(&file.policy));
            // What is wrong in [policy] is wrong in every policy that takes it from there, and is said once.
            let own = self.problems.split_off(before);
            let own: Vec<Problem> = own.into_iter().filter(|problem| !self.problems.contains(problem)).collect();
            self.problems.extend(own);
            named.insert(text.to_owned(), Arc::new(policy));
        }
        (Arc::new(base), named)
    }

    /// The name of a policy, after an error if there is none of that name.
    pub(super) fn known_policy(&mut self, name: &Spanned<String>) -> String {
        let text = name.get_ref();
        if text != BASE && !self.written.policies.contains(text) {
            let mut known: Vec<&str> = self.written.policies.iter().map(String::as_str).collect();
            known.push(BASE);
            let help = match known[..] {
                [_] => format!("add a table [policies.{text}] with what differs from [policy]"),
                _ => suggestion(text, &known),
            };
            self.error(name.span(), format!("unknown policy `{text}`"), help);
        }
        text.clone()
    }

    fn policy(&mut self, name: &str, written: &file::Policy, base: Option<&file::Policy>) -> Policy {
        let standard = Policy::default();
        let custom_rules = self.custom_rules(&written.custom_rules);
        let administrator_profiles = written.administrator_profiles.as_ref().map(|profiles| {
            if profiles.get_ref().is_empty() {
                self.error(
                    profiles.span(),
                    "`administrator_profiles` is empty, so nobody would be an administrator",
                    "name at least one profile, or remove the key for [\"Administrator\"]",
                );
            }
            profiles.get_ref().clone()
        });
        let approved = written.approved_administrators.as_ref();
        let approved_administrators =
            approved.map(|list| list.iter().map(|address| email::comparable(&self.address(address))).collect());
        let company_domains = written.company_domains.iter().map(|domain| self.domain(domain)).collect();
        let percent = written.max_administrator_percent.as_ref().map(|percent| {
            if !(0.0..=100.0).contains(percent.get_ref()) {
                self.error(
                    percent.span(),
                    format!("invalid value {}; expected 0 to 100 percent", percent.get_ref()),
                    "",
                );
            }
            *percent.get_ref()
        });
        let max_administrators =
            self.number(written.max_administrators.as_ref(), count(standard.max_administrators), 1..=1_000_000);
        let unconfirmed_days = self.number(written.unconfirmed_days.as_ref(), standard.unconfirmed_days, 0..=3650);
        let max_exception_days =
            self.number(written.max_exception_days.as_ref(), standard.max_exception_days, 1..=3650);
        let may_except = self.may_except(&written.may_except);
        let lower = |words: &Vec<String>| words.iter().map(|word| word.to_lowercase()).collect::<Vec<_>>();
        let policy = Policy {
            name: name.to_owned(),
            administrator_profiles: administrator_profiles.unwrap_or(standard.administrator_profiles),
            approved_administrators,
            company_domains,
            max_administrators: usize::try_from(max_administrators).unwrap_or(usize::MAX),
            max_administrator_percent: percent.unwrap_or(standard.max_administrator_percent),
            unconfirmed_days,
            max_exception_days,
            shared_mailboxes: written
                .shared_mailboxes
                .as_ref()
                .map_or(standard.shared_mailboxes, |words| lower(words).into_iter().collect()),
            dangerous_permissions: written.dangerous_permissions.as_ref().map_or(standard.dangerous_permissions, lower),
            rules: written.rules.iter().filter_map(|(name, setting)| self.rule(name, setting)).collect(),
            off_reasons: self.off_reasons(written, base),
            frameworks: self.frameworks(written).unwrap_or(standard.frameworks),
            accounts: written.accounts.iter().filter_map(|account| self.account(account, max_exception_days)).collect(),
            custom_rules,
            exceptions: written
                .exceptions
                .iter()
                .filter_map(|exception| self.exception(exception, max_exception_days, &may_except))
                .collect(),
            planned_fixes: written.planned_fixes.iter().filter_map(|fix| self.planned_fix(fix)).collect(),
            separations: self.separations(&written.separations),
            may_except,
            ..Policy::default()
        };
        self.roster_policy(written, policy)
    }

    /// The frameworks in their order, each once. `None` if there is no such key.
    fn frameworks(&mut self, written: &file::Policy) -> Option<Vec<Framework>> {
        let written = written.frameworks.as_ref()?;
        if written.get_ref().is_empty() {
            let help = "name at least one of soc2 and iso27001, or remove the key for [\"soc2\"]";
            self.error(written.span(), "`frameworks` is empty, so reports would name no criterion", help);
        }
        let mut frameworks = Vec::new();
        for framework in written.get_ref() {
            if !frameworks.contains(framework) {
                frameworks.push(*framework);
            }
        }
        Some(frameworks)
    }

    pub(super) fn domain(&mut self, domain: &Spanned<String>) -> String {
        let text = email::comparable_domain(domain.get_ref().trim()).into_owned();
        // A domain in other letters is in its ASCII form now, unless it disguises another one.
        let is_letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        let is_label = |label: &str| !label.is_empty() && label.chars().all(is_letter);
        if !text.contains('.') || !text.split('.').all(is_label) {
            let help = if text.starts_with("*.") {
                "subdomains are included: leave out the `*.`"
            } else if !domain.get_ref().is_ascii() {
                "it has characters that domain names do not have; type it again"
            } else {
                "expected a domain such as example.com, without an @"
            };
            self.error(domain.span(), format!("invalid domain `{}`", domain.get_ref()), help);
        }
        text
    }

    pub(super) fn known_rule(&mut self, name: &Spanned<String>) -> bool {
        let known = self.context.rules.contains(&name.get_ref().as_str()) || self.custom_names.contains(name.get_ref());
        if !known {
            let help = suggestion(name.get_ref(), self.context.rules);
            let help = if help.starts_with("did") { help } else { "`rolecall rules` lists the rules".to_owned() };
            self.error(name.span(), format!("unknown rule `{}`", name.get_ref()), help);
        }
        known
    }

    fn rule(&mut self, name: &Spanned<String>, setting: &Spanned<String>) -> Option<(String, RuleSetting)> {
        let known = self.known_rule(name);
        let value = match setting.get_ref().as_str() {
            "off" => Some(RuleSetting::Off),
            word => self.severity(setting, word).map(RuleSetting::Severity),
        };
        known.then_some(name.get_ref().clone()).zip(value)
    }

    pub(super) fn severity(&mut self, at: &Spanned<String>, word: &str) -> Option<Severity> {
        let severity = word.parse().ok();
        if severity.is_none() {
            self.error(
                at.span(),
                format!("invalid severity `{word}`; expected critical, high, medium, low or info"),
                "to disable a rule, use \"off\" in [policy.rules]",
            );
        }
        severity
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
