//! Tells a watcher elsewhere that a job began, succeeded or failed, so that a machine that is dead is noticed by
//! somebody who is not.
//!
//! The convention is that of healthchecks.io (<https://healthchecks.io/docs/http_api/>): a GET of the address is
//! success, of `address/start` the start, of `address/fail` a failure. The address is a secret: whoever has it can
//! pretend to be alive.

use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// A run has begun.
    Start,
    /// Every run of the fire time ended well, and everybody has the report.
    Success,
    /// One of them did not.
    Failure,
}

/// A watcher could not be told.
#[derive(Debug, thiserror::Error)]
pub enum HeartbeatError {
    /// The address is none.
    #[error("the heartbeat's address is no http or https address")]
    Address,
    /// The client cannot be made.
    #[error("the heartbeat cannot be set up: {0}")]
    Setup(String),
    /// It did not answer, or not with success.
    #[error("the heartbeat was not accepted: {0}")]
    NotAccepted(String),
}

/// Tells a watcher elsewhere.
#[async_trait]
pub trait Heartbeat: Send + Sync {
    /// Tells it, once.
    ///
    /// # Errors
    /// [`HeartbeatError`]
    async fn beat(&self, beat: Beat) -> Result<(), HeartbeatError>;
}

/// How often a beat is tried.
const TRIES: u32 = 3;
/// The wait before the second try; doubled before the third.
const PAUSE: Duration = Duration::from_secs(2);

/// Tells it, trying again where it was not accepted.
///
/// # Errors
/// [`HeartbeatError`] of the last try.
pub async fn persist(heartbeat: &dyn Heartbeat, beat: Beat) -> Result<(), HeartbeatError> {
    for tried in 1..TRIES {
        if heartbeat.beat(beat).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(PAUSE * tried).await;
    }
    heartbeat.beat(beat).await
}

/// A watcher that is told by HTTP.
pub struct HttpHeartbeat {
    client: reqwest::Client,
    address: SecretString,
}

impl HttpHeartbeat {
    /// A watcher at an address.
    ///
    /// # Errors
    /// [`HeartbeatError`]
    pub fn new(address: SecretString) -> Result<Self, HeartbeatError> {
        let url = url::Url::parse(address.expose_secret()).map_err(|_| HeartbeatError::Address)?;
        if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() {
            return Err(HeartbeatError::Address);
        }
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
            .user_agent(concat!("rolecall/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| HeartbeatError::Setup(error.without_url().to_string()))?;
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
        let not_accepted = |error: reqwest::Error| HeartbeatError::NotAccepted(error.without_url().to_string());
        let response = self.client.get(url).send().await.map_err(not_accepted)?;
        response.error_for_status().map(|_| ()).map_err(not_accepted)
    }
}

#[cfg(test)]
mod tests {
    use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

    use super::*;

    async fn asked(beats: &[Beat], ending: &str) -> Vec<String> {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&server).await;
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
    async fn start_success_and_failure_are_told_by_the_convention() {
        let all = [Beat::Start, Beat::Success, Beat::Failure];
        assert_eq!(asked(&all, "").await, ["GET /uuid/start", "GET /uuid", "GET /uuid/fail"]);
        assert_eq!(asked(&all, "/?a=b").await, ["GET /uuid/start?a=b", "GET /uuid/?a=b", "GET /uuid/fail?a=b"]);
    }

    #[tokio::test]
    async fn the_address_is_in_no_error() {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(ResponseTemplate::new(404)).mount(&server).await;
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
