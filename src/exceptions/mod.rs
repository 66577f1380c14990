//! Pure: which findings are accepted and which are planned to be fixed, the lines that would accept a finding, and those
//! that accept everything that is open today.

mod baseline;
mod lines;
mod matching;

pub use self::{
    baseline::{Baseline, OpenFinding, baseline},
    lines::{Acceptance, DAYS, Known, acceptance, acceptance_of, is_acceptable},
    matching::{Entries, Entry, Exceptions, PlannedFixes, Ranked},
};
