//! The findings, one point for each rule: what was found is said once, with everybody that it is about.

use std::collections::HashMap;

use super::is_new;
use crate::model::{
    audit::Audit,
    finding::{Finding, FindingStatus, Severity},
};

/// The findings of one rule.
#[derive(Debug)]
pub struct Point<'a> {
    /// The rule's name.
    pub rule: &'a str,
    /// The highest severity among its open findings; among all, if none is open.
    pub severity: Severity,
    /// Its open findings.
    pub open: usize,
    /// How many of them the previous audit did not have; 0 if there was none.
    pub new: usize,
    /// Its findings that an exception accepts.
    pub accepted: usize,
    /// What was found, with whom it is about: new ones first, accepted ones last.
    pub statements: Vec<Statement<'a>>,
    /// Findings that are in no statement, because there are too many.
    pub hidden: usize,
    /// The place of the finding that decides the order among rules of one severity.
    place: usize,
}

/// Findings that differ only in their subject.
#[derive(Debug)]
pub struct Statement<'a> {
    /// The findings; at least one.
    pub findings: Vec<&'a Finding>,
}

impl<'a> Statement<'a> {
    /// The first of them, which says what all say.
    pub fn first(&self) -> Option<&'a Finding> {
        self.findings.first().copied()
    }
}

/// The findings by rule, in the order of the actions; then rules with findings for information only, then rules all of
/// whose findings are accepted. Of each rule, at most `limit` findings are in statements.
pub fn points(audit: &Audit, limit: usize) -> Vec<Point<'_>> {
    let mut points: Vec<Point<'_>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut kept: Vec<Vec<&Finding>> = Vec::new();
    for (at, finding) in audit.findings.iter().enumerate() {
        let place = *places.entry(finding.rule.as_str()).or_insert_with(|| {
            points.push(Point::empty(finding, at));
            kept.push(Vec::new());
            points.len() - 1
        });
        points[place].count(finding, at);
        // A new finding is shown before one that is known, whatever their number.
        let is_first = is_new(finding) && finding.is_open();
        if kept[place].len() < limit || is_first {
            kept[place].push(finding);
        }
    }
    for (point, mut findings) in points.iter_mut().zip(kept) {
        findings.sort_by_key(|finding| (!finding.is_open(), !is_new(finding)));
        findings.truncate(limit);
        point.hidden = point.open + point.accepted - findings.len();
        point.statements = statements(&findings);
    }
    points.sort_by_key(|point| (point.open == 0, std::cmp::Reverse(point.severity), point.place));
    points
}

impl<'a> Point<'a> {
    fn empty(first: &'a Finding, place: usize) -> Self {
        let (statements, severity) = (Vec::new(), first.severity);
        Self { rule: &first.rule, severity, open: 0, new: 0, accepted: 0, statements, hidden: 0, place }
    }

    fn count(&mut self, finding: &Finding, place: usize) {
        if !finding.is_open() {
            self.accepted += 1;
            return;
        }
        if self.open == 0 || (finding.severity > Severity::Info && !self.asks_for_action()) {
            self.place = place;
        }
        self.severity = if self.open == 0 { finding.severity } else { self.severity.max(finding.severity) };
        self.open += 1;
        self.new += usize::from(is_new(finding));
    }

    /// Whether its open findings ask for action.
    pub fn asks_for_action(&self) -> bool {
        self.open > 0 && self.severity > Severity::Info
    }
}

fn statements<'a>(findings: &[&'a Finding]) -> Vec<Statement<'a>> {
    let mut statements: Vec<Statement<'a>> = Vec::new();
    let mut places: HashMap<_, usize> = HashMap::new();
    for finding in findings {
        let accepted = match finding.status {
            FindingStatus::Open => None,
            FindingStatus::Excepted(place) => Some(place),
        };
        let place =
            *places.entry((&finding.message, finding.severity, accepted, finding.planned)).or_insert_with(|| {
                statements.push(Statement { findings: Vec::new() });
                statements.len() - 1
            });
        statements[place].findings.push(finding);
    }
    statements
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing;

    #[test]
    fn what_is_true_of_several_is_one_statement_and_new_ones_come_first() {
        let mut audit = testing::audit(&[testing::ANA]);
        audit.findings = (0..4).map(|place| testing::finding("no-role", Severity::Low, place)).collect();
        audit.findings[1].message = "something else".into();
        audit.findings[2].continuing = Some(false);
        audit.findings[3].status = FindingStatus::Excepted(0);
        let points = points(&audit, 10);
        let said: Vec<Vec<_>> = points[0]
            .statements
            .iter()
            .map(|statement| statement.findings.iter().map(|finding| &finding.subject).collect())
            .collect();
        let subject = |place: usize| &audit.findings[place].subject;
        assert_eq!(said, [vec![subject(2), subject(0)], vec![subject(1)], vec![subject(3)]]);
        assert_eq!((points[0].open, points[0].new, points[0].accepted), (3, 1, 1));
    }

    #[test]
    fn a_point_is_bounded_and_counts_what_it_leaves_out_but_not_what_is_new() {
        let mut audit = testing::audit(&[testing::ANA]);
        audit.findings = (0..9).map(|place| testing::finding("no-role", Severity::Low, place)).collect();
        audit.findings[8].continuing = Some(false);
        let points = points(&audit, 3);
        let shown = &points[0].statements[0].findings;
        assert_eq!((shown.len(), points[0].hidden, &shown[0].subject), (3, 6, &audit.findings[8].subject));
    }

    #[test]
    fn accepted_findings_raise_no_severity_and_rules_without_open_ones_come_last() {
        let mut audit = testing::audit(&[testing::ANA]);
        audit.findings = vec![
            testing::finding("role-cycle", Severity::Critical, 0),
            testing::finding("administrator", Severity::High, 0),
            testing::finding("no-role", Severity::Medium, 0),
            testing::finding("administrator", Severity::Info, 0),
        ];
        audit.findings[0].status = FindingStatus::Excepted(0);
        audit.findings[1].status = FindingStatus::Excepted(0);
        let said: Vec<_> = points(&audit, 9).iter().map(|point| (point.rule, point.severity)).collect();
        let expected =
            [("no-role", Severity::Medium), ("administrator", Severity::Info), ("role-cycle", Severity::Critical)];
        assert_eq!(said, expected);
    }
}
