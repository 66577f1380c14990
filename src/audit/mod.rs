//! Pure: rules, and what they find.
//!
//! [`registry`] lists the rules, one file each under `rules/` with its documentation beside it. [`judge()`] runs
//! them over one `Context`; a `Sink` takes what they report, applies the policy's severities and exceptions,
//! and remembers what could not be evaluated.

mod context;
mod exceptions;
mod judge;
mod population;
pub mod registry;
mod rules;
mod sink;
mod text;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use judge::{JudgeInput, Judgement, judge};
