//! A review by people: every account of a completed audit, what a named person decided about it and why, and when the
//! workspace showed that it was carried out.
//!
//! [`open::open`] makes an [`Opening`](event::Opening) and its [`Population`](item::Population) from the snapshots of
//! complete audits. From then on [`Review::apply`](state::Review::apply) is the only thing that changes a review: it checks
//! an event and applies it, whether the event is new or is read back from the ledger. Nothing is ever taken out of a
//! review: a new decision stands beside the earlier ones.

mod accounts;
pub mod assign;
pub mod carrying_out;
pub mod event;
pub mod item;
pub mod messages;
pub mod open;
pub mod person;
pub mod refusal;
pub mod sheet;
mod staff;
pub mod state;
pub mod table;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
