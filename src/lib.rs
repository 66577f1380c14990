//! On a schedule, read a directory, correlate, judge, report, keep evidence, notify.
//!
//! Dependencies point inward. `model` is the centre and imports nothing of the crate. `access`, `audit`, `brief`, `cel`,
//! `exceptions`, `ledger`, `lookup`, `people`, `preflight`, `report`, `review`, `schedule` and `coverage` are pure. `connector`,
//! `store`, `mail`, `evidence`, `replay` and `config`
//! do I/O, each on its own. `notify`, `run`, `offboard`, `daemon`, `agent`, `mcp`, `web`, `console`, `app` and `cli` put them
//! together.
//! `CONTRIBUTING.md` describes every room, and `tests/integration/architecture.rs` holds the table of imports.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should panic"))]

pub mod access;
pub mod agent;
pub mod app;
pub mod audit;
pub mod brief;
pub mod cel;
pub mod cli;
pub mod clock;
pub mod config;
pub mod connections;
pub mod connector;
pub mod console;
pub mod coverage;
pub mod daemon;
pub mod digest;
pub mod evidence;
pub mod exceptions;
pub mod export;
pub mod fetch;
pub mod ledger;
pub mod lookup;
pub mod mail;
pub mod mcp;
pub mod model;
pub mod notify;
pub mod offboard;
pub mod past;
pub mod people;
pub mod preflight;
pub mod replay;
pub mod report;
pub mod review;
pub mod roster;
pub mod run;
pub mod schedule;
pub mod setup;
pub mod store;
pub mod timestamp;
pub mod tls;
pub mod web;
pub mod words;
