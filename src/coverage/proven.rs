//! What timestamps of third parties prove about times: that an entry of the ledger, or a bag, existed then.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::moment;
use crate::ledger::{
    Entry, Fact,
    fact::{BagName, Covers, Timestamped},
};

/// The timestamps of a ledger.
#[derive(Debug, Default)]
pub(super) struct Proven<'a> {
    /// By the number of the last entry that each covers.
    ledger: BTreeMap<u64, &'a Timestamped>,
    /// By folder.
    bags: BTreeMap<&'a str, &'a Timestamped>,
    /// The last entries that are not about timestamps, by number, since the last one that is covered.
    since: BTreeMap<u64, DateTime<Utc>>,
}

impl<'a> Proven<'a> {
    pub(super) fn learn(&mut self, entry: &'a Entry, at: DateTime<Utc>) {
        let Fact::Timestamped(timestamped) = &entry.fact else {
            self.since.insert(entry.number, at);
            return;
        };
        match &timestamped.covers {
            Covers::Bag(bag) => {
                self.bags.insert(&bag.folder, timestamped);
            }
            Covers::Ledger(head) => {
                self.ledger.insert(head.number, timestamped);
                self.since = self.since.split_off(&(head.number + 1));
            }
        }
    }

    /// The earliest time at which an entry, or its bag, is proven to have existed.
    pub(super) fn proven_at(&self, entry: u64, bag: Option<&BagName>) -> Option<DateTime<Utc>> {
        let by_ledger = self.ledger.range(entry..).map(|(_, timestamped)| timestamped.time).min();
        let of_bag = bag.and_then(|bag| self.bags.get(bag.folder.as_str())).map(|timestamped| timestamped.time);
        by_ledger.into_iter().chain(of_bag).min()
    }

    /// Who says what time it was.
    pub(super) fn remark(&self) -> String {
        let Some((entry, timestamped)) = self.ledger.last_key_value() else {
            let by = "All times are by this machine's clock: no timestamp of a third party proves them";
            return match self.bags.len() {
                0 => format!("{by}."),
                _ => format!("{by}, except for bags with a timestamp of their own."),
            };
        };
        let proven = format!(
            "A timestamp of {} proves that the ledger existed up to entry {entry} by {}",
            timestamped.authority,
            moment(timestamped.time)
        );
        match self.since.first_key_value() {
            None => format!("{proven}."),
            Some((_, at)) => format!(
                "{proven}. Since {} times are by this machine's clock, except for bags with a timestamp of their own.",
                moment(*at)
            ),
        }
    }
}
