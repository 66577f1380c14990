//! What every kind of connector must do, whatever its API: one suite over all kinds. A new kind adds its row to
//! [`subject`] and its column to `ends`; both do not compile without it.

mod conformance;
mod ends;
mod faults;
mod sharing;
mod subject;
