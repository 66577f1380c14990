//! Which rules found something about which user, looked up by walking beside the ordered rows.

use crate::model::{
    finding::{Finding, Subject},
    users::UserIndex,
};

/// The rules that found something about users, open and excepted alike, by user and rule, each once.
#[derive(Debug)]
pub(super) struct Flagged<'a>(Vec<(UserIndex, &'a str)>);

impl<'a> Flagged<'a> {
    pub(super) fn new(findings: &'a [Finding]) -> Self {
        let about_users = findings.iter().filter_map(|finding| match finding.subject {
            Subject::User(user) => Some((user, finding.rule.as_str())),
            _ => None,
        });
        let mut entries: Vec<_> = about_users.collect();
        entries.sort_unstable();
        entries.dedup();
        Self(entries)
    }

    /// A walk beside rows in the order of [`UserIndex`].
    pub(super) fn walk(&self) -> Walk<'_> {
        Walk(&self.0)
    }

    /// The rules of one user.
    pub(super) fn of(&self, user: UserIndex) -> impl Iterator<Item = &'a str> {
        let start = self.0.partition_point(|(other, _)| *other < user);
        self.0[start..].iter().take_while(move |(other, _)| *other == user).map(|(_, rule)| *rule)
    }
}

/// What is left of [`Flagged`] for the rows that are to come.
pub(super) struct Walk<'f>(&'f [(UserIndex, &'f str)]);

impl<'f> Walk<'f> {
    /// The rules of one user; call it with users in rising order.
    pub(super) fn of(&mut self, user: UserIndex) -> impl Iterator<Item = &'f str> + Clone + use<'f> {
        let passed = self.0.iter().take_while(|(other, _)| *other < user).count();
        let here = self.0[passed..].iter().take_while(|(other, _)| *other == user).count();
        let (found, rest) = self.0[passed..].split_at(here);
        self.0 = rest;
        found.iter().map(|(_, rule)| *rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::finding::Severity, report::testing::finding};

    #[test]
    fn each_user_gets_its_rules_once_whatever_the_order_of_findings() {
        let findings = [
            finding("b", Severity::Low, 4),
            finding("a", Severity::Low, 4),
            finding("b", Severity::High, 4),
            finding("c", Severity::Low, 1),
        ];
        let flagged = Flagged::new(&findings);
        let mut walk = flagged.walk();
        let of: Vec<Vec<_>> = (0..6).map(|user| walk.of(UserIndex(user)).collect()).collect();
        assert_eq!(of, [vec![], vec!["c"], vec![], vec![], vec!["a", "b"], vec![]]);
        assert_eq!(flagged.of(UserIndex(4)).collect::<Vec<_>>(), ["a", "b"]);
    }
}
