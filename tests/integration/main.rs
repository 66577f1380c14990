//! The product as its users meet it: the real binary, the simulated API, a real browser, other people's validators.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should panic")]

mod accepting;
mod across;
mod architecture;
mod audit;
mod browser;
mod callers;
mod check;
mod cli;
mod coverage;
mod crash;
mod custom_rules;
mod daemon;
mod demo;
mod deploy;
mod drift;
mod evidence;
mod export;
mod first_generation;
mod hostile;
mod incomplete;
mod init;
mod judging;
mod kept;
mod keys;
mod lookups;
mod mail;
mod mcp;
mod offboard;
mod operation;
mod policies;
mod recompute;
mod review;
mod rosters;
mod scenarios;
mod secrets;
mod sheets;
mod simulate;
mod smtp;
mod standards;
mod support;
mod tampering;
mod tools;
mod trouble;
mod truto;
