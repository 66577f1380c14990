//! The centre: plain data, no input or output, nothing of the rest of the crate.

pub mod account;
pub mod actor;
pub mod audit;
pub mod bag;
pub mod change;
pub mod clock_skew;
pub mod directory;
pub mod email;
pub mod exception;
pub mod finding;
pub mod framework;
pub mod id;
pub mod kind;
pub mod known;
pub mod mail;
pub mod network;
pub mod notification;
pub mod pattern;
pub mod plain;
pub mod policy;
pub mod reading;
pub mod reviewed;
pub mod right;
pub mod roster;
pub mod rule;
pub mod rule_name;
pub mod run;
pub mod separation;
pub mod status;
pub mod survey;
#[cfg(test)]
pub(crate) mod testing;
pub mod trigger;
pub mod unread;
pub mod users;
pub mod word;
