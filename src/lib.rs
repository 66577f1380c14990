//! On a schedule, read a directory, correlate, judge, report, keep evidence, notify.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod simulator;
