//! Typed messages, and the way to the mail server.
//!
//! - [`report_mail::ReportMail`]: what one audit tells its readers: subject, text, HTML, attachments;
//! - [`notice::Notice`]: that a review could not be made, that somebody did not get the report;
//! - [`test_mail`]: the message of `rolecall mail test`, and a look at each stage of the way;
//! - [`message::assemble`]: a [`message::Content`] for one recipient as the complete bytes of an
//!   [`message::Email`], the same bytes for the same arguments;
//! - [`smtp::SmtpMailer`]: hands an [`message::Email`] to a server and says at which stage it failed;
//! - [`memory::MemoryMailer`]: keeps them instead.

pub mod memory;
pub mod message;
pub mod notice;
pub mod report_mail;
pub mod smtp;
pub mod test_mail;

mod identity;
mod text;

#[cfg(test)]
mod testing;
