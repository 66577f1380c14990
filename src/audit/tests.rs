//! Every rule on a small world: quiet first, then one thing changed.

mod accounts;
mod administration;
mod custom;
mod exceptions;
mod lists;
mod people;
mod policy;
mod properties;
mod reviews;
mod roster;
mod separations;
