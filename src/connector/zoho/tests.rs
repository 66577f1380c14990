//! The connector as a whole, against servers that behave, misbehave and misspeak.

mod faults;
mod odd;
mod pages;
mod secrets;
mod support;
mod tokens;
mod writing;
