//! E-mail: typed messages, and how they are sent.
//!
//! - [`report_mail::ReportMail`]: the report of one audit: subject, text, HTML, attachments;
//! - [`together::Together`]: the reports of all workspaces of a job in one mail;
//! - [`notice::Notice`]: a run failed, or a message was not delivered;
//! - [`review::ReviewMail`]: a review by people: invitation, reminder, result;
//! - [`sign_in`]: a one-time link to sign in with, which somebody asked for; [`link`] puts one into other messages;
//! - [`test_mail`]: the message of `rolecall mail test`, and the result of each stage;
//! - [`message::assemble`]: a [`message::Content`] as the complete bytes of an [`message::Email`] for one recipient, the
//!   same bytes for the same arguments;
//! - [`smtp::SmtpMailer`]: sends an [`message::Email`]; a failure names its stage.

pub mod link;
pub mod message;
pub mod notice;
pub mod report_mail;
pub mod review;
pub mod sign_in;
pub mod smtp;
pub mod test_mail;
pub mod together;

mod identity;
mod text;

#[cfg(test)]
pub(crate) mod testing;
