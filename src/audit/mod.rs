//! Pure: rules, and what they find.
//!
//! `registry` lists the built-in rules, one file each under `rules/` with its documentation beside it. A [`RuleSet`]
//! is made of them for a policy; [`judge()`] runs it over one `Context`. A `Sink` takes what a rule reports, applies
//! the policy's severities and exceptions, and remembers what could not be evaluated.

mod context;
mod custom;
mod facts;
mod frameworks;
mod input;
mod judge;
mod not_evaluated;
mod population;
mod registry;
mod reviewed;
mod roster;
mod rule;
mod rules;
mod set;
mod sink;
mod text;
mod unread;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use custom::{Tried, try_custom_rule};
pub use input::{JudgeInput, Lacking, PreviousUsers};
pub use judge::{Judgement, judge};
pub use registry::found_about_reviews;
pub use roster::judged_roster;
pub use set::RuleSet;
