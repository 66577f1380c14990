//! How two policies differ, and whether the later one is looser: a rule that is off finds nothing, a higher limit is
//! exceeded by fewer, and whoever is approved is no finding. None of it says that anybody lost access.

mod custom_rules;
mod others;
mod roster;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

use crate::model::{
    email,
    exception::{AboutFindings as _, PlannedFix},
    finding::Severity,
    policy::{Exception, Policy, RuleSetting},
    roster::RosterTerms,
    rule::RuleList,
    separation::{Right, Separation},
};

/// One difference between two policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The key of `[policy]`.
    pub key: &'static str,
    /// What of it differs: a rule, an address, an exception. Empty if the key has one value.
    pub entry: String,
    /// The value before. Empty if there was none.
    pub before: String,
    /// The value now. Empty if there is none.
    pub after: String,
    /// Whether the policy is looser by it.
    pub is_looser: bool,
}

/// How a policy differs from an earlier one in a workspace, by key. The rules say what severity a rule has of itself.
pub fn differences(before: &Policy, now: &Policy, rules: &RuleList, workspace: &str) -> Vec<Difference> {
    let mut found = Differences(Vec::new());
    found.text("name", &before.name, &now.name);
    found.list("administrator_profiles", &before.administrator_profiles, &now.administrator_profiles, Entries::Looked);
    found.approved(before.approved_administrators.as_ref(), now.approved_administrators.as_ref());
    found.domains(&before.company_domains, &now.company_domains);
    found.limit("max_administrators", &before.max_administrators, &now.max_administrators);
    found.limit("max_administrator_percent", &before.max_administrator_percent, &now.max_administrator_percent);
    found.limit("unconfirmed_days", &before.unconfirmed_days, &now.unconfirmed_days);
    found.limit("max_exception_days", &before.max_exception_days, &now.max_exception_days);
    found.list("shared_mailboxes", &before.shared_mailboxes, &now.shared_mailboxes, Entries::Looked);
    found.list("dangerous_permissions", &before.dangerous_permissions, &now.dangerous_permissions, Entries::Looked);
    found.rules(before, now, rules);
    found.exceptions(&before.exceptions, &now.exceptions, workspace);
    found.roster(before, now);
    found.list("may_except", &before.may_except, &now.may_except, Entries::Allowed);
    found.planned_fixes(&before.planned_fixes, &now.planned_fixes, workspace);
    found.separations(&before.separations, &now.separations);
    found.others(before, now);
    found.custom_rules(&before.custom_rules, &now.custom_rules);
    found.0
}

/// How a roster is read and relied on differently than before.
pub fn roster_differences(name: &str, before: &RosterTerms, now: &RosterTerms) -> Vec<Difference> {
    let mut found = Differences(Vec::new());
    found.roster_terms(name, before, now);
    found.0
}

/// What the entries of a list do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Entries {
    /// A rule looks for them.
    Looked,
    /// They are no finding.
    Allowed,
}

struct Differences(Vec<Difference>);

impl Differences {
    fn push(&mut self, key: &'static str, entry: &str, before: String, after: String, is_looser: bool) {
        self.0.push(Difference { key, entry: entry.to_owned(), before, after, is_looser });
    }

    fn text(&mut self, key: &'static str, before: &str, now: &str) {
        if before != now {
            self.push(key, "", before.to_owned(), now.to_owned(), false);
        }
    }

    fn limit<T: PartialOrd + Display>(&mut self, key: &'static str, before: &T, now: &T) {
        if before != now {
            self.push(key, "", before.to_string(), now.to_string(), now > before);
        }
    }

    fn list<'p>(
        &mut self,
        key: &'static str,
        before: impl IntoIterator<Item = &'p String>,
        now: impl IntoIterator<Item = &'p String>,
        entries: Entries,
    ) {
        let (before, now): (BTreeSet<&String>, BTreeSet<&String>) =
            (before.into_iter().collect(), now.into_iter().collect());
        for entry in now.difference(&before) {
            self.push(key, entry, String::new(), (*entry).clone(), entries == Entries::Allowed);
        }
        for entry in before.difference(&now) {
            self.push(key, entry, (*entry).clone(), String::new(), entries == Entries::Looked);
        }
    }

    fn approved(&mut self, before: Option<&BTreeSet<String>>, now: Option<&BTreeSet<String>>) {
        let key = "approved_administrators";
        let listed = |list: &BTreeSet<String>| list.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        match (before, now) {
            (None, None) => {}
            (None, Some(now)) => self.push(key, "", String::new(), listed(now), false),
            (Some(before), None) => self.push(key, "", listed(before), String::new(), true),
            (Some(before), Some(now)) => self.list(key, before, now, Entries::Allowed),
        }
    }

    /// Without any domain, nobody is outside of them.
    fn domains(&mut self, before: &[String], now: &[String]) {
        let key = "company_domains";
        match (before.is_empty(), now.is_empty()) {
            (false, true) => self.push(key, "", before.join(", "), String::new(), true),
            (true, false) => self.push(key, "", String::new(), now.join(", "), false),
            _ => self.list(key, before, now, Entries::Allowed),
        }
    }

    fn rules(&mut self, before: &Policy, now: &Policy, rules: &RuleList) {
        let names: BTreeSet<&String> = before.rules.keys().chain(now.rules.keys()).collect();
        for name in names {
            // `None` is off, and less than any severity.
            let level = |policy: &Policy| match policy.rules.get(name) {
                Some(RuleSetting::Off) => None,
                Some(RuleSetting::Severity(severity)) => Some(*severity),
                None => rules.get(name).map(|rule| rule.severity),
            };
            let (was, is) = (level(before), level(now));
            if was != is {
                let word = |level: Option<Severity>| level.map_or("off", Severity::word).to_owned();
                self.push("rules", name, word(was), word(is), is < was);
            }
        }
    }

    fn exceptions(&mut self, before: &[Exception], now: &[Exception], workspace: &str) {
        let (before, now) = (latest(before, workspace), latest(now, workspace));
        let value = |exception: &Exception| format!("until {}, approved by {}", exception.until, exception.approved_by);
        let entry = |(rule, subject): &(&str, String)| format!("{rule}: {subject}");
        for (key, exception) in &now {
            match before.get(key) {
                None => self.push("exceptions", &entry(key), String::new(), value(exception), true),
                Some(was) if value(was) != value(exception) => {
                    self.push("exceptions", &entry(key), value(was), value(exception), exception.until > was.until);
                }
                Some(_) => {}
            }
        }
        for (key, exception) in before.iter().filter(|(key, _)| !now.contains_key(*key)) {
            self.push("exceptions", &entry(key), value(exception), String::new(), false);
        }
    }
}

impl Differences {
    /// A planned fix hides nothing.
    fn planned_fixes(&mut self, before: &[PlannedFix], now: &[PlannedFix], workspace: &str) {
        let of = |fixes: &[PlannedFix]| -> BTreeMap<String, String> {
            let here = fixes.iter().filter(|fix| fix.is_for(workspace));
            here.map(|fix| (format!("{}: {}", fix.rule, fix.subject.trim()), format!("{} by {}", fix.until, fix.owner)))
                .collect()
        };
        self.entries("planned_fixes", &of(before), &of(now), |_, _| false);
    }

    /// A separation that is gone looks at less. So may one whose sides are others.
    fn separations(&mut self, before: &[Separation], now: &[Separation]) {
        let right = |right: &Right| format!("{} {}", right.kind(), right.pattern());
        let value = |one: &Separation| {
            let severity = one.severity.map_or_else(String::new, |severity| format!(" ({severity})"));
            format!("{}, {}{severity}", right(&one.first), right(&one.second))
        };
        let of = |all: &[Separation]| -> BTreeMap<String, String> {
            all.iter().map(|one| (one.name.clone(), value(one))).collect()
        };
        self.entries("separations", &of(before), &of(now), |was, _| was.is_some());
    }

    /// The entries of a key, each with a value by its name.
    fn entries(
        &mut self,
        key: &'static str,
        before: &BTreeMap<String, String>,
        now: &BTreeMap<String, String>,
        is_looser: impl Fn(Option<&String>, Option<&String>) -> bool,
    ) {
        let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
        for name in names {
            let (was, is) = (before.get(name), now.get(name));
            if was != is {
                let text = |value: Option<&String>| value.cloned().unwrap_or_default();
                self.push(key, name, text(was), text(is), is_looser(was, is));
            }
        }
    }
}

/// The exceptions for a workspace by rule and subject, of several the one that lasts longest.
fn latest<'p>(exceptions: &'p [Exception], workspace: &str) -> BTreeMap<(&'p str, String), &'p Exception> {
    let mut latest: BTreeMap<(&str, String), &Exception> = BTreeMap::new();
    let is_here = |exception: &&Exception| exception.workspace.as_deref().is_none_or(|name| name == workspace);
    for exception in exceptions.iter().filter(is_here) {
        let subject = exception.subject.trim();
        let subject = if subject.contains('@') { email::comparable(subject) } else { subject.to_owned() };
        let known = latest.entry((exception.rule.as_str(), subject)).or_insert(exception);
        if exception.until > known.until {
            *known = exception;
        }
    }
    latest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::RuleSet;

    fn shown(before: &Policy, now: &Policy) -> Vec<String> {
        let differences = differences(before, now, RuleSet::built_in().list(), "acme");
        let line = |one: Difference| {
            let Difference { key, entry, before, after, is_looser } = one;
            format!("{key} [{entry}] {before} > {after}{}", if is_looser { " looser" } else { "" })
        };
        differences.into_iter().map(line).collect()
    }

    fn policy(change: impl FnOnce(&mut Policy)) -> Policy {
        let mut policy = Policy::default();
        change(&mut policy);
        policy
    }

    fn exception(subject: &str, until: &str) -> Exception {
        Exception {
            rule: "no-role".into(),
            subject: subject.into(),
            workspace: None,
            approved_by: "ana@example.com".into(),
            reason: "known".into(),
            until: until.parse().unwrap(),
            ..Exception::default()
        }
    }

    #[test]
    fn every_looser_setting_is_told_from_the_way_back() {
        type Edit = fn(&mut Policy);
        let plain = Policy::default();
        let edits: [(Edit, &str); 9] = [
            (|p| _ = p.rules.insert("no-role".into(), RuleSetting::Off), "rules [no-role] low > off"),
            (
                |p| _ = p.rules.insert("administrator-clone".into(), RuleSetting::Severity(Severity::Info)),
                "rules [administrator-clone] high > info",
            ),
            (|p| p.max_administrators = 50, "max_administrators [] 5 > 50"),
            (|p| p.max_administrator_percent = 99.5, "max_administrator_percent [] 20 > 99.5"),
            (|p| p.unconfirmed_days = 90, "unconfirmed_days [] 14 > 90"),
            (|p| p.max_exception_days = 3000, "max_exception_days [] 366 > 3000"),
            (|p| _ = p.shared_mailboxes.remove("info"), "shared_mailboxes [info] info > "),
            (|p| p.dangerous_permissions.retain(|one| one != "export"), "dangerous_permissions [export] export > "),
            (
                |p| p.exceptions = vec![exception("3", "2027-01-01")],
                "exceptions [no-role: 3]  > until 2027-01-01, approved by ana@example.com",
            ),
        ];
        for (edit, expected) in edits {
            let loose = policy(edit);
            assert_eq!(shown(&plain, &loose), [format!("{expected} looser")]);
            let back = shown(&loose, &plain);
            assert!(back.len() == 1 && !back[0].ends_with(" looser"), "{back:?}");
            assert_eq!(shown(&loose, &loose), Vec::<String>::new());
        }
    }

    #[test]
    fn a_list_of_approved_administrators_is_stricter_and_each_entry_looser() {
        let listed = |addresses: &[&str]| {
            policy(|policy| {
                policy.approved_administrators = Some(addresses.iter().map(ToString::to_string).collect());
            })
        };
        let (one, two) = (listed(&["a@example.com"]), listed(&["a@example.com", "b@example.com"]));
        assert_eq!(shown(&Policy::default(), &one), ["approved_administrators []  > a@example.com"]);
        assert_eq!(
            shown(&two, &Policy::default()),
            ["approved_administrators [] a@example.com, b@example.com >  looser"]
        );
        assert_eq!(shown(&one, &two), ["approved_administrators [b@example.com]  > b@example.com looser"]);
        assert_eq!(shown(&two, &one), ["approved_administrators [b@example.com] b@example.com > "]);
        let domains = |domains: &[&str]| {
            policy(|policy| policy.company_domains = domains.iter().map(ToString::to_string).collect())
        };
        assert_eq!(shown(&domains(&["a.example"]), &domains(&[])), ["company_domains [] a.example >  looser"]);
        assert!(
            shown(&domains(&["a.example"]), &domains(&["a.example", "b.example"]))[0].ends_with("b.example looser")
        );
    }

    #[test]
    fn a_separation_that_is_gone_or_another_one_is_looser_and_a_planned_fix_is_not() {
        let separation = |pattern: &str, severity| Separation {
            name: "sod".into(),
            first: Right::Permission(pattern.into()),
            second: Right::Role("CEO".into()),
            severity,
        };
        let with = |separations: &[Separation]| policy(|policy| policy.separations = separations.to_vec());
        let (plain, one) = (Policy::default(), with(&[separation("Export*", None)]));
        assert_eq!(shown(&plain, &one), ["separations [sod]  > permission Export*, role CEO"]);
        assert_eq!(shown(&one, &plain), ["separations [sod] permission Export*, role CEO >  looser"]);
        let low = with(&[separation("Export*", Some(Severity::Low))]);
        assert_eq!(
            shown(&one, &low),
            ["separations [sod] permission Export*, role CEO > permission Export*, role CEO (low) looser"]
        );
        let fix = PlannedFix {
            rule: "no-role".into(),
            subject: "3".into(),
            owner: "ben@example.com".into(),
            until: "2027-01-31".parse().unwrap(),
            ..PlannedFix::default()
        };
        let later = PlannedFix { until: "2027-03-31".parse().unwrap(), ..fix.clone() };
        let with = |fix: &PlannedFix| policy(|policy| policy.planned_fixes = vec![fix.clone()]);
        assert_eq!(
            shown(&with(&fix), &with(&later)),
            ["planned_fixes [no-role: 3] 2027-01-31 by ben@example.com > 2027-03-31 by ben@example.com"]
        );
        let elsewhere = PlannedFix { workspace: Some("other".into()), ..fix };
        assert_eq!(shown(&plain, &with(&elsewhere)), Vec::<String>::new());
        let protected = policy(|policy| _ = policy.may_except.insert("leaver-active".into()));
        assert_eq!(shown(&plain, &protected), ["may_except [leaver-active]  > leaver-active looser"]);
        assert_eq!(shown(&protected, &plain), ["may_except [leaver-active] leaver-active > "]);
    }

    #[test]
    fn an_exception_is_the_same_if_it_is_renewed_and_looser_if_it_lasts_longer() {
        let with = |exceptions: &[Exception]| policy(|policy| policy.exceptions = exceptions.to_vec());
        let until = |date| exception("Kim@Example.com ", date);
        let renewed = with(&[until("2026-01-01"), exception("kim@example.com", "2027-01-01")]);
        assert_eq!(shown(&with(&[until("2027-01-01")]), &renewed), Vec::<String>::new());
        let longer = shown(&with(&[until("2026-01-01")]), &renewed);
        assert!(longer.len() == 1 && longer[0].ends_with(" looser"), "{longer:?}");
        assert!(!shown(&renewed, &with(&[until("2026-01-01")]))[0].ends_with(" looser"));
        let elsewhere = Exception { workspace: Some("other".into()), ..until("2027-01-01") };
        assert_eq!(shown(&Policy::default(), &with(&[elsewhere])), Vec::<String>::new());
    }
}
