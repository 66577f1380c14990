//! Completed audits, kept compactly.
