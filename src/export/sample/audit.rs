//! The audits that have a bag, and the files of a bag that a trace reads.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::step::{Place, cell, row};
use crate::{
    evidence::{consistency::ConsistencyReport, period::Period, sealed::SealedBag, storage::Storage},
    export::bag::{self, MATRIX, REPORT, Table},
    ledger::{
        Entry, Fact,
        fact::{BagName, Recorded},
    },
};

/// The audits that the ledger names, in its order.
pub(super) struct Audits {
    all: Vec<Recording>,
}

/// An audit that the ledger names.
pub(super) struct Recording {
    /// The entry's number.
    pub(super) entry: u64,
    pub(super) recorded: Recorded,
    /// The bag, if it is here.
    pub(super) bag: Option<BagName>,
}

/// An audit's bag.
pub(super) struct AuditBag<'a> {
    pub(super) recording: &'a Recording,
    pub(super) sealed: SealedBag<'a>,
}

/// What a trace needs of `report.json`.
#[derive(Deserialize)]
pub(super) struct Report {
    pub(super) judged_at: DateTime<Utc>,
    pub(super) complete: bool,
    pub(super) summary: Summary,
    pub(super) previous: Option<Previous>,
    pub(super) access_matrix: Vec<Account>,
}

#[derive(Deserialize)]
pub(super) struct Summary {
    pub(super) verdict: String,
    pub(super) open_findings: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
pub(super) struct Previous {
    pub(super) audit_id: String,
}

#[derive(Deserialize)]
pub(super) struct Account {
    pub(super) user_id: String,
    full_name: Option<String>,
    email: Option<String>,
}

/// A row of changes.csv.
#[derive(Debug, Clone)]
pub(super) struct Changed {
    pub(super) change: String,
    pub(super) subject_type: String,
    pub(super) subject_id: String,
    pub(super) subject: String,
    pub(super) before: String,
}

impl Audits {
    pub(super) fn of(entries: &[&Entry], found: &ConsistencyReport) -> Self {
        let here: BTreeSet<&str> = found.bags.iter().map(|bag| bag.folder.as_str()).collect();
        let all = entries.iter().filter_map(|entry| {
            let Fact::Recorded(recorded) = &entry.fact else { return None };
            let bag = recorded.bag.as_ref().filter(|bag| here.contains(bag.folder.as_str())).cloned();
            Some(Recording { entry: entry.number, recorded: recorded.clone(), bag })
        });
        Self { all: all.collect() }
    }

    /// Those of a period that have a bag.
    pub(super) fn of_period(&self, period: Period) -> impl Iterator<Item = &Recording> {
        self.all.iter().filter(move |audit| audit.bag.is_some() && period.holds(&audit.recorded))
    }

    /// How many of a period have none.
    pub(super) fn without_bag(&self, period: Period) -> usize {
        self.all.iter().filter(|audit| audit.bag.is_none() && period.holds(&audit.recorded)).count()
    }

    /// The audit of a run.
    pub(super) fn run(&self, run: Uuid) -> Option<&Recording> {
        self.all.iter().find(|audit| audit.recorded.run == run)
    }
}

impl Recording {
    /// Opens the bag, which must be there.
    pub(super) fn open<'a>(&'a self, storage: &'a dyn Storage) -> io::Result<AuditBag<'a>> {
        let bag = self.bag.as_ref().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(AuditBag { recording: self, sealed: SealedBag::open(storage, bag)? })
    }
}

impl AuditBag<'_> {
    /// The row of a user in the access matrix; the whole table if it has none.
    pub(super) fn matrix_place(&self, user: &str) -> io::Result<Place> {
        let table = bag::table(&self.sealed, MATRIX)?;
        let number = table.as_ref().and_then(|table| {
            let mut rows = table.numbered();
            rows.find(|(_, row)| table.cell(row, "user_id") == Some(&cell(user))).map(|(number, _)| number)
        });
        Ok(self.place(MATRIX, number.map_or_else(|| format!("every row: none is of user {user}"), row)))
    }

    /// A place in a file of the bag.
    pub(super) fn place(&self, file: &str, at: impl Into<String>) -> Place {
        Place {
            audit: Some(self.recording.recorded.run),
            bag: Some(self.sealed.name.clone()),
            file: file.to_owned(),
            at: at.into(),
            sha256: self.sealed.sha256(file).map(str::to_owned),
        }
    }

    pub(super) fn report(&self) -> io::Result<Report> {
        bag::json(&self.sealed, REPORT)?
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("there is no {REPORT}")))
    }
}

impl Account {
    /// How a person would name it.
    pub(super) fn label(&self) -> &str {
        let text = |text: &&str| !text.trim().is_empty();
        self.email.as_deref().filter(text).or(self.full_name.as_deref().filter(text)).unwrap_or(&self.user_id)
    }
}

impl Changed {
    pub(super) fn of(table: &Table, row: &[String]) -> Option<Self> {
        let cell = |name| table.cell(row, name).map(str::to_owned);
        Some(Self {
            change: cell("change")?,
            subject_type: cell("subject_type")?,
            subject_id: cell("subject_id")?,
            subject: cell("subject")?,
            before: cell("before")?,
        })
    }
}
