//! Rosters, and who may hold what by them.

use super::{Differences, Entries};
use crate::model::{policy::Policy, roster::ExpectedAccess};

impl Differences {
    pub(super) fn roster(&mut self, before: &Policy, now: &Policy) {
        self.list("roster", &before.roster, &now.roster, Entries::Looked);
        self.list("domain_aliases", &aliases(before), &aliases(now), Entries::Allowed);
        let key = "expected_access";
        let (was, is) = (&before.expected_access, &now.expected_access);
        for entry in is.iter().filter(|entry| !was.contains(entry)) {
            // The first entry about somebody makes the rule look; another one allows more.
            let is_looser = was.iter().any(|other| may_meet(entry, other));
            self.push(key, &line(entry), String::new(), line(entry), is_looser);
        }
        // Nobody may be left whom the rule looks at.
        for entry in was.iter().filter(|entry| !is.contains(entry)) {
            self.push(key, &line(entry), line(entry), String::new(), true);
        }
    }
}

fn aliases(policy: &Policy) -> Vec<String> {
    policy.domain_aliases.iter().map(|(from, to)| format!("{from} = {to}")).collect()
}

/// An entry in one line.
fn line(entry: &ExpectedAccess) -> String {
    let list = |what: &str, names: Option<&Vec<String>>| names.map(|names| format!("{what} {}", names.join(", ")));
    let whom = [("department", &entry.department), ("title", &entry.title)];
    let whom = whom.into_iter().filter_map(|(what, name)| Some(format!("{what} {}", name.as_ref()?)));
    let what = [list("profiles", entry.profiles.as_ref()), list("roles", entry.roles.as_ref())];
    whom.chain(what.into_iter().flatten()).collect::<Vec<_>>().join("; ")
}

/// Whether two entries may be about the same person: unless they name different departments or titles, without a pattern.
fn may_meet(one: &ExpectedAccess, other: &ExpectedAccess) -> bool {
    let is_plain = |text: &str| !text.contains(['*', '?', '/']);
    let differ = |one: &Option<String>, other: &Option<String>| {
        let both = one.as_deref().zip(other.as_deref());
        both.is_some_and(|(one, other)| is_plain(one) && is_plain(other) && !one.eq_ignore_ascii_case(other))
    };
    !differ(&one.department, &other.department) && !differ(&one.title, &other.title)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{access::policy_drift::differences, model::rule::RuleList};

    fn entry(department: &str, profile: &str) -> ExpectedAccess {
        ExpectedAccess {
            department: Some(department.into()),
            profiles: Some(vec![profile.into()]),
            ..ExpectedAccess::default()
        }
    }

    fn shown(before: &Policy, now: &Policy) -> Vec<(&'static str, String, bool)> {
        let all = differences(before, now, &RuleList::default(), "acme");
        all.into_iter().map(|one| (one.key, one.entry, one.is_looser)).collect()
    }

    #[test]
    fn each_key_about_a_roster_is_one_change() {
        let before = Policy::default();
        let now = Policy {
            roster: vec!["hr".into()],
            domain_aliases: [("old.example".to_owned(), "example.com".to_owned())].into(),
            expected_access: vec![entry("Sales", "Standard")],
            ..Policy::default()
        };
        let sales = "department Sales; profiles Standard";
        let added = [
            ("roster", "hr".to_owned(), false),
            ("domain_aliases", "old.example = example.com".to_owned(), true),
            ("expected_access", sales.to_owned(), false),
        ];
        assert_eq!(shown(&before, &now), added);
        let removed = [
            ("roster", "hr".to_owned(), true),
            ("domain_aliases", "old.example = example.com".to_owned(), false),
            ("expected_access", sales.to_owned(), true),
        ];
        assert_eq!(shown(&now, &before), removed);
    }

    #[test]
    fn another_entry_about_the_same_people_allows_more_and_one_about_others_does_not() {
        let with = |entries: &[ExpectedAccess]| Policy { expected_access: entries.to_vec(), ..Policy::default() };
        let sales = with(&[entry("Sales", "Standard")]);
        let looser = |more: ExpectedAccess| {
            let all = shown(&sales, &with(&[entry("Sales", "Standard"), more]));
            assert_eq!(all.len(), 1);
            all[0].2
        };
        assert!(looser(entry("SALES", "Administrator")) && looser(entry("S*", "Administrator")));
        assert!(!looser(entry("Support", "Administrator")));
        let by_title = ExpectedAccess { title: Some("Lead".into()), ..ExpectedAccess::default() };
        assert!(looser(by_title));
    }
}
