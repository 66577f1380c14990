//! How users changed from one audit of a workspace to the next.

use std::{cmp::Ordering, collections::HashMap};

use chrono::{DateTime, Utc};

use super::index::{Account, Indexed};
use crate::model::id::numeric_order;

/// One change of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When the audit that shows it ended its read.
    pub at: DateTime<Utc>,
    /// What changed.
    pub change: Change,
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The account is new.
    Added,
    /// The account is not listed any more.
    Gone,
    /// A field has another value.
    Field {
        /// The field.
        name: &'static str,
        /// The value before; empty if there was none.
        before: String,
        /// The value now; empty if there is none.
        now: String,
    },
}

/// The changes of each user of a workspace over its audits, the oldest first.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// The first audit that was compared; `None` if there is none.
    pub since: Option<DateTime<Utc>>,
    steps: HashMap<Box<str>, Vec<Step>>,
}

impl History {
    /// The changes of a user.
    pub fn of(&self, user: &str) -> &[Step] {
        self.steps.get(user).map_or(&[], Vec::as_slice)
    }

    /// Adds what changed between two audits, the later of which is newer than all before.
    pub fn add(&mut self, before: &Indexed, now: &Indexed) {
        self.since = self.since.or(Some(before.record.finished_at));
        let at = now.record.finished_at;
        let (mut earlier, mut later) = (before.accounts().iter().peekable(), now.accounts().iter().peekable());
        loop {
            let order = match (earlier.peek(), later.peek()) {
                (None, None) => break,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(one), Some(other)) => numeric_order(&one.id, &other.id),
            };
            let old = if order.is_le() { earlier.next() } else { None };
            let new = if order.is_ge() { later.next() } else { None };
            match (old, new) {
                (Some(old), None) => self.push(old, at, Change::Gone),
                (None, Some(new)) => self.push(new, at, Change::Added),
                (Some(old), Some(new)) => self.compare((before, old), (now, new)),
                (None, None) => {}
            }
        }
    }

    fn compare(&mut self, (before, old): (&Indexed, &Account), (now, new): (&Indexed, &Account)) {
        let at = now.record.finished_at;
        let mut field = |name, before: &str, now: &str, is_same: bool| {
            if !is_same {
                let change = Change::Field { name, before: before.to_owned(), now: now.to_owned() };
                self.push(new, at, change);
            }
        };
        let text = |text: &Option<Box<str>>| text.as_deref().unwrap_or_default().to_owned();
        field("status", &old.status, &new.status, old.status == new.status);
        field("profile", before.profile_name(old), now.profile_name(new), old.profile == new.profile);
        field("role", before.role_name(old), now.role_name(new), old.role == new.role);
        field("power", old.power.word(), new.power.word(), old.power == new.power);
        field("address", &text(&old.email), &text(&new.email), old.email == new.email);
        field("name", &text(&old.name), &text(&new.name), old.name == new.name);
    }

    fn push(&mut self, account: &Account, at: DateTime<Utc>, change: Change) {
        self.steps.entry(account.id.clone()).or_default().push(Step { at, change });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        console::testing::{indexed, workspace},
        review::testing::at,
    };

    #[test]
    fn a_history_has_who_came_who_left_and_what_changed_and_nothing_else() {
        let before = indexed(&[
            ("1", "Eva Lind", "eva@example.com", "active", "role-1", "profile-2"),
            ("3", "Ben Ode", "ben@example.com", "active", "role-1", "profile-2"),
            ("5", "Hana Ito", "hana@example.com", "active", "role-1", "profile-1"),
            ("10", "Ida Berg", "ida@example.com", "active", "role-1", "profile-2"),
        ]);
        let mut history = History::default();
        history.add(&before, &workspace());
        assert_eq!(history.since, Some(before.record.finished_at));
        assert_eq!(history.of("1"), []);
        let step = |change| [Step { at: at(86_400), change }];
        assert_eq!(history.of("3"), step(Change::Gone));
        assert_eq!(history.of("10"), step(Change::Gone));
        assert_eq!(history.of("2"), step(Change::Added));
        let fields: Vec<_> = history
            .of("5")
            .iter()
            .map(|step| match &step.change {
                Change::Field { name, before, now } => (*name, before.as_str(), now.as_str()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            fields,
            [
                ("status", "active", "disabled"),
                ("profile", "Administrator", ""),
                ("role", "Sales", "role-9"),
                ("power", "administrator", "unknown"),
            ]
        );
    }
}
