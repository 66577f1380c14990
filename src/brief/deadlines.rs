//! Exceptions that end soon, and fixes that are planned or overdue.

use std::collections::BTreeSet;

use chrono::Days;

use super::short;
use crate::{
    model::{
        audit::Audit,
        exception::{AboutFindings, PlannedFix},
    },
    words::{count, counted, list},
};

/// How many days before its end an exception is named.
const SOON: u64 = 30;
/// Exceptions and fixes that a sentence names.
const NAMED: usize = 3;

/// Exceptions that end soon, and fixes that are planned or overdue, as sentences.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deadlines {
    /// Planned fixes of open findings whose day is over.
    pub overdue: usize,
    /// What is overdue; `None` if nothing is.
    pub overdue_sentence: Option<String>,
    /// Which open findings are planned to be fixed in time; `None` if none is.
    pub planned_sentence: Option<String>,
    /// Which exceptions end soon; `None` if none does.
    pub ending_sentence: Option<String>,
}

impl Deadlines {
    pub(super) fn of(audit: &Audit) -> Self {
        let today = audit.judged_at.date_naive();
        let policy = &audit.policy;
        let places: Vec<usize> = audit.findings.iter().filter_map(|finding| finding.planned).collect();
        let distinct: BTreeSet<usize> = places.iter().copied().collect();
        let fixes = distinct.iter().filter_map(|place| policy.planned_fixes.get(*place));
        let (mut overdue, mut planned): (Vec<&PlannedFix>, Vec<&PlannedFix>) =
            fixes.partition(|fix| fix.is_over(today));
        overdue.sort_by_key(|fix| (fix.until, *fix));
        planned.sort_by_key(|fix| (fix.until, *fix));
        let in_time = places
            .iter()
            .filter(|place| policy.planned_fixes.get(**place).is_some_and(|fix| !fix.is_over(today)))
            .count();

        let soon = today.checked_add_days(Days::new(SOON)).unwrap_or(today);
        let here = policy.exceptions.iter().filter(|one| one.is_for(&audit.workspace));
        let mut ending: Vec<_> = here.filter(|one| !one.is_over(today) && one.until <= soon).collect();
        ending.sort_by_key(|one| (one.until, *one));
        Self {
            overdue: overdue.len(),
            overdue_sentence: named(&overdue, |fix| {
                format!("{}, due {} ({})", about(*fix), fix.until, short(&fix.owner))
            })
            .map(|all| format!("{} overdue: {all}.", counted(overdue.len(), "planned fix is", "planned fixes are"))),
            planned_sentence: planned.first().map(|first| {
                format!(
                    "{} planned to be fixed, the first by {}.",
                    counted(in_time, "finding is", "findings are"),
                    first.until
                )
            }),
            ending_sentence: named(&ending, |one| format!("{} on {}", about(*one), one.until)).map(|all| {
                let verb = if ending.len() == 1 { "ends" } else { "end" };
                format!("{} {verb} within {SOON} days: {all}.", count(ending.len(), "exception"))
            }),
        }
    }
}

/// The first of several in words; `None` if there is none.
fn named<T>(all: &[T], words: impl Fn(&T) -> String) -> Option<String> {
    let first: Vec<String> = all.iter().take(NAMED).map(words).collect();
    (!all.is_empty()).then(|| list(&first, all.len()))
}

fn about(item: &impl AboutFindings) -> String {
    format!("{} for {}", item.rule(), short(item.subject()))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::{
        brief::Brief,
        model::{exception::Exception, finding::Severity},
        report::testing,
    };

    /// An audit with exceptions and planned fixes of one open finding each, by the days that they last from now.
    fn audit(exceptions: &[i64], fixes: &[i64]) -> Audit {
        let mut audit = testing::audit(&[testing::ANA]);
        let day = |days: &i64| audit.judged_at.date_naive() + TimeDelta::days(*days);
        let exceptions = exceptions.iter().map(|days| Exception {
            rule: "no-role".into(),
            subject: format!("{days}@example.com"),
            until: day(days),
            ..Exception::default()
        });
        let fixes = fixes.iter().map(|days| PlannedFix {
            rule: "no-role".into(),
            subject: format!("{days}"),
            owner: "ben@example.com".into(),
            until: day(days),
            ..PlannedFix::default()
        });
        (audit.policy.exceptions, audit.policy.planned_fixes) = (exceptions.collect(), fixes.collect());
        let places = 0..audit.policy.planned_fixes.len();
        let finding = |place| crate::model::finding::Finding {
            planned: Some(place),
            ..testing::finding("no-role", Severity::Low, 0)
        };
        audit.findings = places.map(finding).collect();
        audit
    }

    #[test]
    fn exceptions_that_end_within_thirty_days_are_named_the_first_first() {
        let of = |exceptions: &[i64]| Deadlines::of(&audit(exceptions, &[])).ending_sentence;
        assert_eq!(of(&[-1, 31, 400]), None, "over, or later");
        let sentence = of(&[30, 0, 31]).unwrap();
        assert!(sentence.starts_with("2 exceptions end within 30 days: no-role for 0@example.com on "), "{sentence}");
        assert!(of(&[3]).unwrap().starts_with("1 exception ends within 30 days: "));
        let mut elsewhere = audit(&[3], &[]);
        elsewhere.policy.exceptions[0].workspace = Some("other".into());
        assert_eq!(Deadlines::of(&elsewhere).ending_sentence, None);
        assert!(of(&[1, 2, 3, 4, 5]).unwrap().contains(" and 2 more"));
    }

    #[test]
    fn what_is_overdue_is_said_in_the_verdict_and_the_headline() {
        let audit = audit(&[2], &[-3, 0, 9]);
        let matrix = crate::access::matrix::AccessMatrix::of(&audit);
        let brief = Brief::of(&audit, &matrix);
        assert_eq!(brief.deadlines.overdue, 1);
        for sentence in
            [&brief.deadlines.overdue_sentence, &brief.deadlines.planned_sentence, &brief.deadlines.ending_sentence]
        {
            assert!(brief.verdict.contains(sentence.as_ref().unwrap()), "{}", brief.verdict);
        }
        assert!(brief.verdict.contains("1 planned fix is overdue: no-role for -3, due "), "{}", brief.verdict);
        assert!(brief.verdict.contains("2 findings are planned to be fixed, the first by "), "{}", brief.verdict);
        assert!(brief.headline.contains("1 fix overdue"), "{}", brief.headline);
    }
}
