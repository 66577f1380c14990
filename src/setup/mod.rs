//! `rolecall init`: from a few answers to a configuration that works.
//!
//! Pure: [`Answers`] are what a person said, [`Layout`] is which files there will be, [`configuration()`] is the text of the
//! configuration. Shell: [`connect()`] exchanges the grant code, tries the credentials and reads the workspace;
//! [`files`] writes all files or none.

mod answers;
mod configuration;
mod connect;
pub mod files;
#[cfg(test)]
mod tests;

pub use self::{
    answers::{Administrators, AnswerError, Answers, JOB, Mail, address, client_id, domain, workspace_name},
    configuration::configuration,
    connect::{ConnectError, Connected, Credential, Mistake, Vendor, connect},
    files::{FileError, Layout, Secrets},
};
