//! Rosters, and who may hold what by them.

use super::{Differences, Entries};
use crate::model::{
    policy::Policy,
    roster::{ExpectedAccess, Field, RosterTerms},
};

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

    /// A roster that may be older, or shrink by more, is relied on where it was not before.
    pub(super) fn roster_terms(&mut self, name: &str, before: &RosterTerms, now: &RosterTerms) {
        let (was, is) = (&before.bounds, &now.bounds);
        let limit =
            |what: &str, was: u32, is: u32| (format!("{name}.{what}"), was.to_string(), is.to_string(), is > was);
        let text = |what: &str, was: &str, is: &str| (format!("{name}.{what}"), was.to_owned(), is.to_owned(), false);
        let mut all = vec![
            text("source", &before.place, &now.place),
            limit("max_age_days", was.max_age_days, is.max_age_days),
            limit("max_shrink_percent", was.max_shrink_percent, is.max_shrink_percent),
            text("time_zone", was.time_zone.name(), is.time_zone.name()),
        ];
        // Of a roster that cannot be read, no columns are known.
        if !before.columns.is_empty() && !now.columns.is_empty() {
            let columns =
                |terms: &RosterTerms, field| terms.columns.get(&field).map_or_else(String::new, |all| all.join(", "));
            let column = |field: Field| {
                let (was, is) = (columns(before, field), columns(now, field));
                // Without the column, the rules that need it find nothing.
                let is_looser = is.is_empty();
                (format!("{name}.columns.{}", field.word()), was, is, is_looser)
            };
            all.extend(Field::ALL.map(column));
        }
        for (entry, was, is, is_looser) in all {
            if was != is {
                self.push("rosters", &entry, was, is, is_looser);
            }
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
    use crate::{
        access::policy_drift::{differences, roster_differences},
        model::{roster::Bounds, rule::RuleList},
    };

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

    #[test]
    fn what_a_roster_is_and_when_it_is_relied_on_are_changes_of_the_policy() {
        let columns =
            |names: &[(Field, &str)]| names.iter().map(|(field, name)| (*field, vec![(*name).into()])).collect();
        let before = RosterTerms {
            place: "people.csv".into(),
            bounds: Bounds::default(),
            columns: columns(&[(Field::Email, "Work Email"), (Field::End, "Last day")]),
        };
        let shown = |now: &RosterTerms| -> Vec<String> {
            let all = roster_differences("hr", &before, now).into_iter();
            all.map(|one| format!("{}.{}: {} → {} {}", one.key, one.entry, one.before, one.after, one.is_looser))
                .collect()
        };
        let now = RosterTerms {
            place: "all.csv".into(),
            bounds: Bounds { max_age_days: 90, max_shrink_percent: 10, time_zone: chrono_tz::Europe::Berlin },
            columns: columns(&[(Field::Email, "Mail")]),
        };
        let expected = [
            "rosters.hr.source: people.csv → all.csv false",
            "rosters.hr.max_age_days: 31 → 90 true",
            "rosters.hr.max_shrink_percent: 20 → 10 false",
            "rosters.hr.time_zone: UTC → Europe/Berlin false",
            "rosters.hr.columns.email: Work Email → Mail false",
            "rosters.hr.columns.end: Last day →  true",
        ];
        assert_eq!(shown(&now), expected);
        assert_eq!(shown(&before), [""; 0]);
        let unread = RosterTerms { columns: [].into(), ..before.clone() };
        assert_eq!(shown(&unread), [""; 0], "a roster that cannot be read has not lost its columns");
    }
}
