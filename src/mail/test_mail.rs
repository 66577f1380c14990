//! `rolecall mail test`: sends one real message and reports each stage.

use askama::Template;
use chrono::{DateTime, Utc};

use super::{
    message::{Addressing, Content, Email, MessageError, assemble},
    smtp::{SmtpMailer, SmtpSettings, StageOutcome, StageResult},
    text::one_line,
};

/// The longest address that the message shows, in characters.
const MAX_ADDRESS: usize = 200;

/// A test message cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum TestMailError {
    /// An address is malformed.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// A template failed, which is a bug in rolecall.
    #[error("the test message cannot be rendered: {0}")]
    Template(#[from] askama::Error),
}

struct View {
    server: String,
    from: String,
    to: String,
    sent: String,
    version: &'static str,
}

#[derive(Template)]
#[template(path = "mail/test/body.html")]
struct Html<'a> {
    view: &'a View,
}

#[derive(Template)]
#[template(path = "mail/test/body.txt")]
struct Text<'a> {
    view: &'a View,
}

/// The test message. `id` distinguishes tests, so that mail servers do not drop the second as a duplicate.
///
/// # Errors
/// [`TestMailError`]
pub fn test_mail(
    settings: &SmtpSettings,
    from: &str,
    to: &str,
    date: DateTime<Utc>,
    id: &str,
) -> Result<Email, TestMailError> {
    let view = View {
        server: one_line(&format!("{}:{}", settings.host, settings.port), MAX_ADDRESS),
        from: one_line(from, MAX_ADDRESS),
        to: one_line(to, MAX_ADDRESS),
        sent: date.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
        version: env!("CARGO_PKG_VERSION"),
    };
    let content = Content {
        subject: "[rolecall] test message".to_owned(),
        text: Text { view: &view }.render()?,
        html: Html { view: &view }.render()?,
        attachments: Vec::new(),
    };
    Ok(assemble(&content, &Addressing { from, to, date, id, kind: "test", thread: None })?)
}

/// Sends a message and returns the result of each stage, in order.
pub async fn probe(settings: SmtpSettings, email: &Email) -> Vec<StageResult> {
    SmtpMailer::new(settings).send_by_stages(email).await
}

/// One stage as a line for people: its result, and what to do if it failed.
pub fn line(result: &StageResult) -> String {
    let stage = result.stage;
    match &result.outcome {
        StageOutcome::Passed(detail) => format!("ok       {stage:<15} {detail}"),
        StageOutcome::Failed(error) => {
            format!(
                "FAILED   {stage:<15} {} ({})\n{:25}fix: {}",
                error.answer,
                error.failure.word(),
                "",
                error.advice()
            )
        }
        StageOutcome::NotReached => format!("–        {stage:<15} not reached"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{
        smtp::{Failure, Stage},
        testing::{addressed, parse, settings_for},
    };
    use rolecall_simulator::{InboxFault, Options, Simulator};

    fn email(settings: &SmtpSettings) -> Email {
        let date = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        test_mail(settings, "rolecall <audit@example.com>", "security@example.com", date, "1").unwrap()
    }

    #[tokio::test]
    async fn every_stage_passes_and_the_message_arrives_with_both_parts() {
        let simulator = Simulator::start(Options { users: 1, ..Options::default() }).unwrap();
        let settings = settings_for(simulator.inbox());
        let results = probe(settings.clone(), &email(&settings)).await;
        let passed = |result: &StageResult| matches!(result.outcome, StageOutcome::Passed(_));
        assert_eq!(results.len(), Stage::ALL.len());
        assert!(results.iter().all(passed), "{results:#?}");
        let message = &simulator.inbox().wait_for(1).await[0];
        let read = parse(&message.bytes);
        assert_eq!(addressed(&read), ("rolecall <audit@example.com>".to_owned(), "security@example.com".to_owned()));
        assert_eq!(read.parts.len(), 2);
        assert!(read.parts.iter().all(|(_, body)| body.contains("sent by")));
    }

    #[tokio::test]
    async fn stages_before_a_failure_pass_and_later_ones_are_not_reached() {
        let simulator = Simulator::start(Options { users: 1, ..Options::default() }).unwrap();
        simulator.inbox().set_fault(Some(InboxFault::RecipientRefused));
        let settings = settings_for(simulator.inbox());
        let results = probe(settings.clone(), &email(&settings)).await;
        let lines: Vec<String> = results.iter().map(line).collect();
        for (place, start) in ["ok", "ok", "ok", "ok", "ok", "FAILED", "–"].into_iter().enumerate() {
            assert!(lines[place].starts_with(start), "{}", lines.join("\n"));
        }
        assert!(lines[5].contains("550 5.1.1 No such mailbox (permanent)"), "{}", lines[5]);
        assert!(lines[5].contains("fix: check the address in `to`"), "{}", lines[5]);
        let StageOutcome::Failed(error) = &results[5].outcome else { panic!("{results:?}") };
        assert_eq!((error.stage, error.failure, error.code), (Stage::Recipient, Failure::Permanent, Some(550)));
    }
}
