//! The numbers of an audit.

use std::collections::HashSet;

use super::is_new;
use crate::{
    access::{matrix::AccessMatrix, power::Power},
    model::{
        audit::Audit,
        finding::{RuleResult, Severity},
        unread::Field,
        users::UserIndex,
    },
    words::{count, form, number},
};

/// Status words that [`Counts::population`] spells out.
const STATUSES_NAMED: usize = 6;

/// The numbers of an audit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Users, deleted ones included.
    pub users: usize,
    /// Active users, invited ones included.
    pub active: usize,
    /// Active users who did not accept the invitation yet.
    pub unconfirmed: usize,
    /// Users by the API's own status word, as `48 in total: 42 active, 4 disabled, 2 deleted`.
    pub population: String,
    /// Active users who can administer: with full power, however they hold it.
    pub administrators: usize,
    /// Users of whom nobody knows whether they can administer, because a field could not be read.
    pub power_unread: usize,
    /// The same, because the API does not tell what their profile or role permits.
    pub power_untold: usize,
    /// Those among the administrators whose full power is not by an administrator profile but by a profile that equals it.
    pub by_clone: usize,
    /// Those among the administrators whose full power is by an administrative role only.
    pub by_role: usize,
    /// How many administrators were added and removed; `None` for a first audit.
    pub administrators_changed: Option<Changed>,
    /// Those among the administrators of whom the previous audit could not know it.
    pub newly_known: usize,
    /// Open findings by severity, the most severe first.
    pub open: Vec<(Severity, usize)>,
    /// Open findings of every severity.
    pub open_total: usize,
    /// Open findings that the previous audit did not have; `None` for a first audit.
    pub new: Option<usize>,
    /// Those among them that the policy of the previous audit did not look for.
    pub newly_looked_for: usize,
    /// Findings that an exception accepts.
    pub accepted: usize,
    /// Open findings of an earlier audit that this one could not look for: they are neither open nor resolved.
    pub not_looked_for: usize,
    /// Changes since the previous audit, of findings too.
    pub changes: usize,
    /// Rules that could not be evaluated, or not for everything.
    pub rules_not_evaluated: usize,
    /// Rules that the policy switches off.
    pub rules_off: usize,
    /// All rules.
    pub rules: usize,
}

/// How many were added and removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// Came.
    pub gained: usize,
    /// Went.
    pub lost: usize,
}

impl Changed {
    /// `+5 −5`, or `unchanged`.
    pub fn phrase(self) -> String {
        match (self.gained, self.lost) {
            (0, 0) => "unchanged".to_owned(),
            (gained, 0) => format!("+{}", number(gained)),
            (0, lost) => format!("−{}", number(lost)),
            (gained, lost) => format!("+{} −{}", number(gained), number(lost)),
        }
    }
}

impl Counts {
    pub(super) fn of(audit: &Audit, matrix: &AccessMatrix<'_>) -> Self {
        let open = audit.open_by_severity().to_vec();
        let open_total = open.iter().map(|(_, count)| count).sum();
        let mut counts = Self {
            population: population(audit),
            accepted: audit.findings.len() - open_total,
            changes: audit.drift.changes.len(),
            newly_known: audit.drift.newly_known,
            not_looked_for: audit.drift.unknown.iter().filter(|known| known.open).count(),
            rules: audit.outcomes.len(),
            open,
            open_total,
            ..Self::default()
        };
        let silent: HashSet<UserIndex> = audit.drift.untold.users.iter().map(|(user, _)| *user).collect();
        for row in matrix.rows() {
            let active = row.user.status().is_active();
            counts.users += 1;
            counts.active += usize::from(active);
            counts.unconfirmed += usize::from(active && row.user.confirmed() == Some(false));
            if row.can_administer() {
                counts.administrators += 1;
                counts.by_clone += usize::from(row.profile_power == Power::Equivalent);
                counts.by_role += usize::from(!row.profile_power.is_full());
            } else if matrix.may_administer(&row) || silent.contains(&row.user.index()) {
                let unread = row.user.unread();
                let is_unread = [Field::Status, Field::Profile, Field::Role].iter().any(|field| unread.has(*field));
                counts.power_unread += usize::from(is_unread);
                counts.power_untold += usize::from(!is_unread);
            }
        }
        for outcome in &audit.outcomes {
            counts.rules_off += usize::from(outcome.result == RuleResult::SwitchedOff);
            counts.rules_not_evaluated += usize::from(outcome.result.not_evaluated().is_some());
        }
        if audit.drift.previous.is_some() {
            let kinds = || audit.drift.changes.iter().map(|change| change.kind);
            counts.administrators_changed = Some(Changed {
                gained: kinds().filter(|kind| kind.is_granted()).count(),
                lost: kinds().filter(|kind| kind.is_revoked()).count(),
            });
            counts.newly_looked_for = audit.drift.changes.iter().filter(|change| change.is_newly_looked_for()).count();
            counts.new = Some(audit.open_findings().filter(|finding| is_new(finding)).count());
        }
        counts
    }

    /// How those who can administer hold that power: `6 by profile, 1 by a clone of it, 2 by role`. Empty if all do by an
    /// administrator profile.
    pub fn ways(&self) -> String {
        let by_profile = self.administrators - self.by_clone - self.by_role;
        if by_profile == self.administrators {
            return String::new();
        }
        let ways = [
            (by_profile, "by an administrator profile"),
            (self.by_clone, "by an equivalent profile"),
            (self.by_role, "by an administrative role"),
        ];
        let ways = ways.iter().filter(|(count, _)| *count > 0);
        ways.map(|(count, way)| format!("{} {way}", number(*count))).collect::<Vec<_>>().join(", ")
    }

    /// `at least ` if more users may be able to administer than it is known of; empty otherwise.
    pub fn at_least(&self) -> &'static str {
        if self.power_unknown() > 0 { "at least " } else { "" }
    }

    /// Users of whom nobody knows whether they can administer.
    pub fn power_unknown(&self) -> usize {
        self.power_unread + self.power_untold
    }

    /// Why it is only known of [`at_least`](Self::at_least) so many that they can administer; empty if it is known of all.
    pub fn unknown(&self) -> String {
        let users = |of: usize| count(of, "user");
        let unread = (self.power_unread > 0)
            .then(|| format!("of {} the status, profile or role could not be read", users(self.power_unread)));
        let untold = (self.power_untold > 0).then(|| {
            format!(
                "of {} the API does not tell whether {} profile or role permits it",
                users(self.power_untold),
                form(self.power_untold, "the", "their")
            )
        });
        unread.into_iter().chain(untold).collect::<Vec<_>>().join("; ")
    }

    /// Open findings of one severity.
    pub fn severity(&self, severity: Severity) -> usize {
        self.open.iter().find(|(of, _)| *of == severity).map_or(0, |(_, count)| *count)
    }

    /// The most severe open finding's severity; `None` if nothing is open.
    pub fn most_severe(&self) -> Option<Severity> {
        self.open.iter().find(|(_, count)| *count > 0).map(|(severity, _)| *severity)
    }

    /// `2 high, 18 medium`: the severities that occur among some.
    pub fn severities(&self, of: &[Severity]) -> String {
        let present = of.iter().map(|severity| (severity, self.severity(*severity))).filter(|(_, count)| *count > 0);
        let words: Vec<String> = present.map(|(severity, count)| format!("{} {severity}", number(count))).collect();
        words.join(", ")
    }

    /// The findings in one line: `25 open (2 high, 23 low), 1 accepted (by exception)`.
    pub fn findings(&self) -> String {
        let open = match self.open_total {
            0 => "none open".to_owned(),
            open => format!("{} open ({})", number(open), self.severities(&Severity::ALL)),
        };
        match self.accepted {
            0 => open,
            accepted => format!("{open}, {} accepted (by exception)", number(accepted)),
        }
    }
}

/// `48 in total: 42 active, 4 disabled, 2 deleted`, in the API's own words.
fn population(audit: &Audit) -> String {
    let by_status = audit.directory.users.by_status();
    let all: usize = by_status.iter().map(|(_, count)| count).sum();
    let mut words: Vec<String> = by_status
        .iter()
        .take(STATUSES_NAMED)
        .map(|(status, count)| format!("{} {}", number(*count), super::short(status.word())))
        .collect();
    let others: usize = by_status.iter().skip(STATUSES_NAMED).map(|(_, count)| count).sum();
    if others > 0 {
        words.push(format!("{} other", number(others)));
    }
    let colon = if words.is_empty() { "" } else { ": " };
    format!("{} in total{colon}{}", number(all), words.join(", "))
}
