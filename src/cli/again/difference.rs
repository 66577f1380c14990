//! What was found then beside what is found now.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use serde::Serialize;

use crate::{
    cli::output::plain,
    lookup::findings::FindingRow,
    model::{audit::Audit, finding::Severity},
    report::json::kept::RecordedFinding,
};

/// Maximum length of a subject and of a message.
pub(in crate::cli) const SHOWN: usize = 400;

/// How a finding of now stands to what was found then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::cli) enum Change {
    /// Only now.
    New,
    /// Only then.
    Gone,
    /// Only then, but its rule is not evaluated in full now.
    Unknown,
    /// Both times, with another severity or status.
    Changed,
    /// Both times.
    Same,
}

impl Change {
    fn mark(self) -> char {
        match self {
            Self::New => '+',
            Self::Gone => '-',
            Self::Unknown => '?',
            Self::Changed => '~',
            Self::Same => '=',
        }
    }
}

/// Severity and status of a finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::cli) struct Stated {
    /// Null if the severity was not kept.
    severity: Option<String>,
    /// `open` or `excepted`.
    status: String,
}

impl std::fmt::Display for Stated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let severity = self.severity.as_deref().unwrap_or("found");
        let accepted = if self.status == "open" { "" } else { " (accepted)" };
        write!(f, "{}{accepted}", plain(severity, SHOWN))
    }
}

/// A finding of then, of now, or of both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(in crate::cli) struct Difference {
    pub(in crate::cli) change: Change,
    pub(in crate::cli) rule: String,
    subject_type: String,
    subject_id: String,
    subject: String,
    message: String,
    /// Null if it was not found then.
    before: Option<Stated>,
    /// Null if it is not found now.
    now: Option<Stated>,
}

impl Difference {
    fn of(
        before: Option<&RecordedFinding>,
        now: Option<&RecordedFinding>,
        unevaluated: &BTreeSet<&str>,
    ) -> Option<Self> {
        let finding = now.or(before)?;
        let change = match (before, now) {
            (Some(before), Some(now)) if is_stated_alike(before, now) => Change::Same,
            (Some(_), Some(_)) => Change::Changed,
            (None, _) => Change::New,
            (Some(before), None) if unevaluated.contains(before.rule.as_str()) => Change::Unknown,
            (Some(_), None) => Change::Gone,
        };
        Some(Self {
            change,
            rule: finding.rule.clone(),
            subject_type: finding.subject_type.clone(),
            subject_id: finding.subject_id.clone(),
            subject: finding.subject.clone(),
            message: finding.message.clone(),
            before: before.map(stated),
            now: now.map(stated),
        })
    }

    /// Whether it is found now.
    pub(in crate::cli) fn is_found(&self) -> bool {
        self.now.is_some()
    }

    /// The subject's kind and id.
    pub(in crate::cli) fn about(&self) -> (&str, &str) {
        (&self.subject_type, &self.subject_id)
    }

    fn severity(&self) -> Option<Severity> {
        self.now.as_ref().or(self.before.as_ref())?.severity.as_deref()?.parse().ok()
    }

    pub(in crate::cli) fn line(&self) -> String {
        let stated = match (&self.before, &self.now) {
            (Some(before), Some(now)) if self.change == Change::Changed => format!("{before} -> {now}"),
            (_, Some(stated)) | (Some(stated), None) => stated.to_string(),
            (None, None) => String::new(),
        };
        let [rule, subject, message] = [&self.rule, &self.subject, &self.message].map(|text| plain(text, SHOWN));
        format!("{} {stated}  {rule}  {subject}: {message}", self.change.mark())
    }
}

fn stated(finding: &RecordedFinding) -> Stated {
    Stated { severity: finding.severity.clone(), status: finding.status.clone() }
}

/// Whether severity and status are the same, as far as they are known.
fn is_stated_alike(before: &RecordedFinding, now: &RecordedFinding) -> bool {
    before.status == now.status && (before.severity.is_none() || before.severity == now.severity)
}

/// What was found then beside what an audit finds now; the most severe first.
pub(in crate::cli) fn differences(before: &[RecordedFinding], audit: &Audit) -> Vec<Difference> {
    let outcomes = audit.outcomes.iter().filter(|outcome| outcome.result.not_evaluated().is_some());
    let unevaluated = outcomes.map(|outcome| &*outcome.rule).collect();
    let now = findings(audit);
    let pairs = side_by_side(before, &now);
    let mut all: Vec<Difference> =
        pairs.into_iter().filter_map(|(before, now)| Difference::of(before, now, &unevaluated)).collect();
    all.sort_by_key(|difference| Reverse(difference.severity()));
    all
}

type Pair<'f> = (Option<&'f RecordedFinding>, Option<&'f RecordedFinding>);

/// The findings on both sides side by side: those of one rule about one subject belong together, first by their sentence.
fn side_by_side<'f>(before: &'f [RecordedFinding], now: &'f [RecordedFinding]) -> Vec<Pair<'f>> {
    type Key<'f> = (&'f str, &'f str, &'f str);
    fn grouped(findings: &[RecordedFinding]) -> BTreeMap<Key<'_>, Vec<&RecordedFinding>> {
        let mut groups: BTreeMap<Key<'_>, Vec<&RecordedFinding>> = BTreeMap::new();
        for finding in findings {
            groups.entry((&finding.rule, &finding.subject_type, &finding.subject_id)).or_default().push(finding);
        }
        groups
    }
    let (mut was, is) = (grouped(before), grouped(now));
    let mut all = Vec::new();
    for (key, findings) in is {
        let mut others = was.remove(&key).unwrap_or_default();
        let mut unpaired = Vec::new();
        for finding in findings {
            match others.iter().position(|other| other.message == finding.message) {
                Some(place) => all.push((Some(others.remove(place)), Some(finding))),
                None => unpaired.push(finding),
            }
        }
        let mut others = others.into_iter();
        all.extend(unpaired.into_iter().map(|now| (others.next(), Some(now))));
        all.extend(others.map(|before| (Some(before), None)));
    }
    let left = was.into_values().flatten();
    all.extend(left.map(|before| (Some(before), None)));
    all
}

fn findings(audit: &Audit) -> Vec<RecordedFinding> {
    let of = |row: FindingRow| RecordedFinding {
        rule: row.rule,
        severity: Some(row.severity.to_owned()),
        subject_type: row.subject_type.to_owned(),
        subject_id: row.subject_id,
        subject: row.subject,
        message: row.message,
        status: row.status.to_owned(),
    };
    audit.findings.iter().map(|finding| of(FindingRow::of(audit, finding))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(rule: &str, severity: &str, message: &str, status: &str) -> RecordedFinding {
        RecordedFinding {
            rule: rule.into(),
            severity: (!severity.is_empty()).then(|| severity.into()),
            subject_type: "workspace".into(),
            subject_id: "acme".into(),
            subject: "acme".into(),
            message: message.into(),
            status: status.into(),
        }
    }

    fn lines(before: &[RecordedFinding], now: &[RecordedFinding], unevaluated: &[&str]) -> Vec<String> {
        let unevaluated = unevaluated.iter().copied().collect();
        let pairs = side_by_side(before, now).into_iter();
        let mut lines: Vec<String> =
            pairs.filter_map(|(before, now)| Difference::of(before, now, &unevaluated)).map(|one| one.line()).collect();
        lines.sort();
        lines
    }

    #[test]
    fn findings_of_one_subject_are_paired_by_their_sentence_first() {
        let before = [finding("a", "low", "one", "open"), finding("a", "low", "two", "open")];
        let now = [finding("a", "high", "two", "open"), finding("b", "info", "new", "open")];
        let expected = ["+ info  b  acme: new", "- low  a  acme: one", "~ low -> high  a  acme: two"];
        assert_eq!(lines(&before, &now, &[]), expected);
    }

    #[test]
    fn an_accepted_finding_differs_from_an_open_one_and_another_sentence_does_not() {
        let open = [finding("a", "low", "one", "open")];
        let accepted = [finding("a", "low", "one", "excepted")];
        assert_eq!(lines(&open, &accepted, &[]), ["~ low -> low (accepted)  a  acme: one"]);
        assert_eq!(lines(&open, &[finding("a", "low", "other words", "open")], &[]), ["= low  a  acme: other words"]);
    }

    #[test]
    fn a_finding_of_a_rule_that_is_not_evaluated_now_is_not_gone() {
        let before = [finding("a", "low", "one", "open"), finding("b", "", "two", "open")];
        assert_eq!(lines(&before, &[], &["a"]), ["- found  b  acme: two", "? low  a  acme: one"]);
        // A severity that was not kept is no difference.
        assert_eq!(lines(&before[1..], &[finding("b", "high", "two", "open")], &[]), ["= high  b  acme: two"]);
    }
}
