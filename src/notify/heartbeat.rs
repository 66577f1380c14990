//! The channel for heartbeats: pings to a monitoring service, which raises the alarm if they stop. It notices a machine
//! that is dead.
//!
//! The convention is that of healthchecks.io (<https://healthchecks.io/docs/http_api/>): a GET of the address is
//! success, of `address/start` the start, of `address/fail` a failure. The address is a secret, because anybody who has it
//! can fake a ping. The outbox therefore names the job, and the channel looks the address up.
//!
//! Success and failure go through the outbox: they survive a restart and are tried again. The start does not: the service
//! uses it to measure how long a run takes, so one that arrives late, or after the success, would be wrong.

use std::{collections::BTreeMap, error::Error as _, sync::Arc, time::Duration};

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};

use super::channel::{Channel, Outcome};
use crate::model::{
    notification::{Notification, Subject},
    run::Run,
};

/// The channel's name.
pub const NAME: &str = "heartbeat";

/// A ping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// A run has begun.
    Start,
    /// Every run of the fire time succeeded, and its report was delivered to everybody.
    Success,
    /// A run failed, was incomplete, or its report was not delivered to somebody.
    Failure,
}

impl Beat {
    const ALL: [Self; 3] = [Self::Start, Self::Success, Self::Failure];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }
}

/// A ping was not accepted. No variant holds the address.
#[derive(Debug, thiserror::Error)]
pub enum HeartbeatError {
    /// The address has another scheme, or is malformed.
    #[error("the heartbeat address is not an http or https URL")]
    Address,
    /// The HTTP client cannot be created.
    #[error("the heartbeat cannot be set up: {0}")]
    Setup(String),
    /// The service could not be reached.
    #[error("the monitoring service cannot be reached: {0}. Check that this machine may connect to it")]
    Unreachable(String),
    /// The service answered with another status than success.
    #[error(
        "the monitoring service answered HTTP {0}. Check the job's `heartbeat` address; redirects are not followed"
    )]
    Refused(u16),
}

impl HeartbeatError {
    /// Whether no later attempt can succeed: the service does not know the address.
    fn is_final(&self) -> bool {
        matches!(self, Self::Refused(404 | 410))
    }
}

/// Pings the monitoring service of one job.
#[async_trait]
pub trait Heartbeat: Send + Sync {
    /// Pings it once.
    ///
    /// # Errors
    /// [`HeartbeatError`]
    async fn beat(&self, beat: Beat) -> Result<(), HeartbeatError>;
}

/// How often a start is tried.
const TRIES: u32 = 3;
/// The wait before the second try. It is doubled before the third.
const PAUSE: Duration = Duration::from_secs(2);

/// Pings the start, with a few tries in quick succession.
///
/// # Errors
/// [`HeartbeatError`] of the last try.
pub async fn start(heartbeat: &dyn Heartbeat) -> Result<(), HeartbeatError> {
    for tried in 1..TRIES {
        if heartbeat.beat(Beat::Start).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(PAUSE * tried).await;
    }
    heartbeat.beat(Beat::Start).await
}

/// Pings over HTTP.
pub struct HttpHeartbeat {
    client: reqwest::Client,
    address: SecretString,
}

impl HttpHeartbeat {
    /// For an address.
    ///
    /// # Errors
    /// [`HeartbeatError`]
    pub fn new(address: SecretString) -> Result<Self, HeartbeatError> {
        let url = url::Url::parse(address.expose_secret()).map_err(|_| HeartbeatError::Address)?;
        if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() {
            return Err(HeartbeatError::Address);
        }
        let client = crate::tls::http_to(&url)
            .timeout(Duration::from_secs(10))
            .user_agent(concat!("rolecall/", env!("CARGO_PKG_VERSION")))
            // The address is a secret: redirects are not followed.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .build()
            .map_err(|error| HeartbeatError::Setup(crate::tls::not_set_up(&error)))?;
        Ok(Self { client, address })
    }
}

#[async_trait]
impl Heartbeat for HttpHeartbeat {
    async fn beat(&self, beat: Beat) -> Result<(), HeartbeatError> {
        let end = match beat {
            Beat::Start => Some("start"),
            Beat::Success => None,
            Beat::Failure => Some("fail"),
        };
        let mut url = url::Url::parse(self.address.expose_secret()).map_err(|_| HeartbeatError::Address)?;
        if let (Some(end), Ok(mut path)) = (end, url.path_segments_mut()) {
            path.pop_if_empty().push(end);
        }
        let response = self.client.get(url).send().await.map_err(unreachable)?;
        let status = response.status();
        if status.is_success() { Ok(()) } else { Err(HeartbeatError::Refused(status.as_u16())) }
    }
}

/// The error with its root cause and without its address.
fn unreachable(error: reqwest::Error) -> HeartbeatError {
    let error = error.without_url();
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    HeartbeatError::Unreachable(match cause {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    })
}

/// The heartbeats of all jobs, as a channel.
#[derive(Default)]
pub struct HeartbeatChannel {
    by_job: BTreeMap<String, Arc<dyn Heartbeat>>,
}

impl HeartbeatChannel {
    /// A channel to these heartbeats, by job.
    pub fn new(by_job: BTreeMap<String, Arc<dyn Heartbeat>>) -> Self {
        Self { by_job }
    }
}

#[async_trait]
impl Channel for HeartbeatChannel {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn deliver(&self, notification: &Notification) -> Outcome {
        let job = &notification.address;
        let Some(heartbeat) = self.by_job.get(job) else {
            return Outcome::Final(format!("the job {job} has no `heartbeat` any more"));
        };
        let Some(beat) = Beat::ALL.into_iter().find(|beat| beat.word() == notification.kind) else {
            return Outcome::Final(format!("unknown ping `{}`", notification.kind));
        };
        match heartbeat.beat(beat).await {
            Ok(()) => Outcome::Delivered("accepted".to_owned()),
            Err(error) if error.is_final() => Outcome::Final(error.to_string()),
            Err(error) => Outcome::Again(error.to_string()),
        }
    }
}

/// The ping about the fire time of a run. `about` distinguishes it from others of its kind and fire time.
pub fn notification(run: &Run, beat: Beat, about: &str) -> Notification {
    Notification {
        subject: Subject::FireTime { job: run.job.clone(), at: run.fire_at },
        channel: NAME.to_owned(),
        kind: beat.word().to_owned(),
        about: about.to_owned(),
        address: run.job.clone(),
        sender: None,
        message_id: None,
        bytes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

    use super::*;

    async fn server(answer: ResponseTemplate) -> MockServer {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(answer).mount(&server).await;
        server
    }

    async fn asked(beats: &[Beat], ending: &str) -> Vec<String> {
        let server = server(ResponseTemplate::new(200)).await;
        let heartbeat = HttpHeartbeat::new(format!("{}/uuid{ending}", server.uri()).into()).unwrap();
        for beat in beats {
            heartbeat.beat(*beat).await.unwrap();
        }
        let requests = server.received_requests().await.unwrap();
        requests
            .iter()
            .map(|request| format!("{} {}", request.method, &request.url[url::Position::BeforePath..]))
            .collect()
    }

    #[tokio::test]
    async fn start_success_and_failure_follow_the_convention() {
        let all = [Beat::Start, Beat::Success, Beat::Failure];
        assert_eq!(asked(&all, "").await, ["GET /uuid/start", "GET /uuid", "GET /uuid/fail"]);
        assert_eq!(asked(&all, "/?a=b").await, ["GET /uuid/start?a=b", "GET /uuid/?a=b", "GET /uuid/fail?a=b"]);
    }

    #[tokio::test]
    async fn a_redirect_is_not_followed() {
        let target = server(ResponseTemplate::new(200)).await;
        let redirect = ResponseTemplate::new(302).insert_header("location", target.uri().as_str());
        let redirecting = server(redirect).await;
        let heartbeat = HttpHeartbeat::new(format!("{}/uuid", redirecting.uri()).into()).unwrap();
        let error = heartbeat.beat(Beat::Success).await.unwrap_err();
        assert!(matches!(error, HeartbeatError::Refused(302)), "{error}");
        assert!(target.received_requests().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn no_error_holds_the_address() {
        let server = server(ResponseTemplate::new(404)).await;
        let refused = HttpHeartbeat::new(format!("{}/my-secret-uuid", server.uri()).into()).unwrap();
        let unreachable = HttpHeartbeat::new("http://127.0.0.1:1/my-secret-uuid".to_owned().into()).unwrap();
        for heartbeat in [refused, unreachable] {
            let error = heartbeat.beat(Beat::Success).await.unwrap_err();
            assert!(!format!("{error} {error:?}").contains("my-secret-uuid"), "{error}");
        }
        let error = HttpHeartbeat::new("my-secret-uuid".to_owned().into()).err().unwrap();
        assert!(matches!(error, HeartbeatError::Address));
    }
}
