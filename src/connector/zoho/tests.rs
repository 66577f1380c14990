//! What is Zoho's own, against servers that behave, misbehave and misspeak. What every kind must do is tested in
//! `connector::tests`.

mod odd;
mod pages;
mod secrets;
mod support;
mod tokens;
mod writing;
