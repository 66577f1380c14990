//! What every channel must do, whatever it delivers over: accept, refuse for good, ask for another attempt, and never
//! reveal the secret that it delivers with.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::DateTime;
use rolecall_simulator::{Inbox, InboxFault, Options, Simulator};
use secrecy::SecretString;
use uuid::Uuid;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use super::{
    channel::{Channel, Channels, Outcome},
    email::{self, EmailChannel},
    heartbeat::{self, Beat, HeartbeatChannel, HttpHeartbeat},
};
use crate::{
    mail::{
        message::Email,
        smtp::{Security, SmtpMailer, SmtpSettings},
    },
    model::{
        notification::Notification,
        run::{Run, RunState},
    },
};

/// A secret that must not show up anywhere.
const SECRET: &str = "my-secret-5f1c2d";

/// How the other side of a channel behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Other {
    Accepts,
    RefusesForGood,
    RefusesForNow,
    IsGone,
}

const ALL: [Other; 4] = [Other::Accepts, Other::RefusesForGood, Other::RefusesForNow, Other::IsGone];

/// A channel under test, with the other side that it delivers to.
#[async_trait]
trait Bench {
    async fn new(other: Other) -> Self;
    fn channel(&self) -> &dyn Channel;
    fn notification(&self) -> Notification;
    /// How many notifications the other side has accepted.
    async fn accepted(&self) -> usize;
}

async fn every_channel<B: Bench + Send + Sync>() {
    for other in ALL {
        let bench = B::new(other).await;
        let notification = bench.notification();
        assert_eq!(notification.channel, bench.channel().name());
        assert!(!format!("{notification:?}").contains(SECRET), "the outbox must not hold the secret");
        let outcome = bench.channel().deliver(&notification).await;
        match other {
            Other::Accepts => assert!(matches!(outcome, Outcome::Delivered(_)), "{outcome:?}"),
            Other::RefusesForGood => assert!(matches!(outcome, Outcome::Final(_)), "{outcome:?}"),
            Other::RefusesForNow | Other::IsGone => assert!(matches!(outcome, Outcome::Again(_)), "{outcome:?}"),
        }
        assert!(!format!("{outcome:?}").contains(SECRET), "{outcome:?}");
        assert_eq!(bench.accepted().await, usize::from(other == Other::Accepts), "{other:?}");
    }
}

struct EmailBench {
    simulator: Simulator,
    channel: EmailChannel<SmtpMailer>,
}

impl EmailBench {
    fn inbox(&self) -> &Inbox {
        self.simulator.inbox()
    }
}

#[async_trait]
impl Bench for EmailBench {
    async fn new(other: Other) -> Self {
        let simulator = Simulator::start(Options { users: 1, ..Options::default() }).unwrap();
        let inbox = simulator.inbox();
        inbox.set_fault(match other {
            Other::RefusesForGood => Some(InboxFault::RecipientRefused),
            Other::RefusesForNow => Some(InboxFault::RecipientDeferred),
            Other::Accepts | Other::IsGone => None,
        });
        let port = if other == Other::IsGone { 1 } else { inbox.address().port() };
        let settings = SmtpSettings {
            host: "127.0.0.1".into(),
            port,
            security: Security::None,
            helo_name: None,
            username: Some("audit".into()),
            password: Some(SecretString::from(SECRET)),
            timeout: Duration::from_secs(20),
            extra_roots: None,
        };
        Self { channel: EmailChannel::new(SmtpMailer::new(settings)), simulator }
    }

    fn channel(&self) -> &dyn Channel {
        &self.channel
    }

    fn notification(&self) -> Notification {
        let email = Email {
            from: "audit@example.com".into(),
            to: "security@example.com".into(),
            message_id: "<1@example.com>".into(),
            bytes: b"Subject: x\r\n\r\nx\r\n".to_vec(),
        };
        email::notification(Uuid::nil(), "report", "", email)
    }

    async fn accepted(&self) -> usize {
        self.inbox().messages().len()
    }
}

struct HeartbeatBench {
    server: MockServer,
    channel: HeartbeatChannel,
    accepts: bool,
}

#[async_trait]
impl Bench for HeartbeatBench {
    async fn new(other: Other) -> Self {
        let server = MockServer::start().await;
        let status = match other {
            Other::Accepts => 200,
            Other::RefusesForGood => 404,
            Other::RefusesForNow | Other::IsGone => 503,
        };
        Mock::given(any()).respond_with(ResponseTemplate::new(status)).mount(&server).await;
        let base = if other == Other::IsGone { "http://127.0.0.1:1".to_owned() } else { server.uri() };
        let heartbeat = HttpHeartbeat::new(format!("{base}/{SECRET}").into()).unwrap();
        let by_job = BTreeMap::from([("weekly".to_owned(), Arc::new(heartbeat) as Arc<dyn heartbeat::Heartbeat>)]);
        Self { server, channel: HeartbeatChannel::new(by_job), accepts: other == Other::Accepts }
    }

    fn channel(&self) -> &dyn Channel {
        &self.channel
    }

    fn notification(&self) -> Notification {
        let run = Run {
            id: Uuid::nil(),
            job: "weekly".into(),
            workspace: "acme".into(),
            fire_at: DateTime::UNIX_EPOCH,
            state: RunState::Delivered,
            attempt: 1,
            started_at: None,
            finished_at: None,
            not_before: None,
            error: None,
        };
        heartbeat::notification(&run, Beat::Success, "")
    }

    async fn accepted(&self) -> usize {
        if self.accepts { self.server.received_requests().await.unwrap().len() } else { 0 }
    }
}

#[tokio::test]
async fn email_is_a_channel() {
    every_channel::<EmailBench>().await;
}

#[tokio::test]
async fn a_heartbeat_is_a_channel() {
    every_channel::<HeartbeatBench>().await;
}

#[tokio::test]
async fn a_ping_of_a_job_without_a_heartbeat_is_given_up() {
    let channel = HeartbeatChannel::default();
    let bench = HeartbeatBench::new(Other::Accepts).await;
    assert!(matches!(channel.deliver(&bench.notification()).await, Outcome::Final(_)));
}

#[tokio::test]
async fn a_notification_for_a_channel_that_is_not_configured_waits() {
    let bench = HeartbeatBench::new(Other::Accepts).await;
    let notification = Notification { channel: "slack".into(), ..bench.notification() };
    let channels = Channels::default().with(HeartbeatChannel::default());
    let Outcome::Again(reason) = channels.deliver(&notification).await else { panic!("it must wait") };
    assert!(reason.contains("`slack` is not configured"), "{reason}");
}
