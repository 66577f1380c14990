//! Access tokens: got with the refresh token, kept until shortly before they expire, got once however many wait.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use reqwest::header::HeaderValue;
use secrecy::SecretString;
use tokio::{sync::Mutex, time::Instant};
use url::Url;

use super::{
    accounts::{Again, Given, NoToken, TokenAnswer, TokenRequest, not_safe},
    remedy::remedy,
    settings::ZohoSettings,
    shared::{Kept, SharedToken, Turn},
};
use crate::connector::{
    error::{Cause, ConnectorError},
    kit::{Account, Session, is_safe, wait},
};

/// A token is renewed this long before it expires, or a tenth of its life before if that is shorter.
const MARGIN: Duration = Duration::from_mins(2);
/// The life of a token if the answer does not say (the vendor's rule).
const DEFAULT_LIFE: Duration = Duration::from_hours(1);
/// The shortest and the longest life that is believed.
const SHORTEST_LIFE: Duration = Duration::from_secs(1);
const LONGEST_LIFE: Duration = Duration::from_hours(24);
/// Tries of the token endpoint: few, because each one prolongs the vendor's lock.
const ATTEMPTS: u32 = 3;

/// An access token and the rest of its answer.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) value: SecretString,
    /// Which one it is: a call that was refused says which token it used.
    pub(super) number: u64,
    /// The API to use it at, without a slash at the end.
    pub(super) api: String,
    /// The scopes that the answer named.
    pub(super) scopes: Option<Vec<String>>,
    expires: Instant,
}

/// The one token in use.
#[derive(Debug)]
pub(super) struct Tokens {
    // Held while a token is being got, so that all who wait share the one that comes, or why none comes.
    current: Mutex<State>,
    /// How many times none came.
    failures: AtomicU64,
    /// Shares it with other processes.
    shared: Option<SharedToken>,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Token>,
    /// Why none came the last time.
    failure: Option<ConnectorError>,
}

impl Tokens {
    pub(super) fn new(shared: Option<SharedToken>) -> Self {
        Self { current: Mutex::default(), failures: AtomicU64::new(0), shared }
    }

    /// The token in use, or a new one if there is none, it is about to expire, or it is the refused one.
    pub(super) async fn get(
        &self,
        session: &Session,
        settings: &ZohoSettings,
        account: &Account,
        refused: Option<u64>,
    ) -> Result<Token, ConnectorError> {
        let failures = self.failures.load(Ordering::Acquire);
        let mut current = self.current.lock().await;
        let number = match &current.token {
            Some(token) if Some(token.number) != refused && token.expires > Instant::now() => return Ok(token.clone()),
            Some(token) => token.number + 1,
            None => 0,
        };
        // Whoever waited while the request failed does not repeat it.
        if let Some(failure) = &current.failure
            && self.failures.load(Ordering::Acquire) != failures
        {
            return Err(failure.clone());
        }
        let old = current.token.as_ref().filter(|token| Some(token.number) == refused).map(|token| &token.value);
        match self.shared_or_new(session, settings, account, number, old).await {
            Ok(token) => {
                *current = State { token: Some(token.clone()), failure: None };
                Ok(token)
            }
            Err(Failure { error, is_for_all }) => {
                if is_for_all {
                    current.failure = Some(error.clone());
                    self.failures.fetch_add(1, Ordering::Release);
                }
                Err(error)
            }
        }
    }

    /// The token that another process got, or a new one. `old` is the one that was refused.
    async fn shared_or_new(
        &self,
        session: &Session,
        settings: &ZohoSettings,
        account: &Account,
        number: u64,
        old: Option<&SecretString>,
    ) -> Result<Token, Failure> {
        let usable = |kept: Option<Kept>| {
            let (kept, now) = (kept?, session.clock().now());
            let left = kept.left(now)?;
            accepted(&kept.into_answer(left), settings, number).ok()
        };
        let Some(shared) = &self.shared else { return request(session, settings, account, number, None).await };
        if let Some(token) = usable(shared.look(old, session.clock().now()).await) {
            return Ok(token);
        }
        let mut turn = shared.turn(account.left()).await;
        let kept = turn.as_ref().and_then(|turn| turn.token(old, session.clock().now()));
        let token = match usable(kept) {
            Some(token) => Ok(token),
            None => request(session, settings, account, number, turn.as_mut()).await,
        };
        if let Some(turn) = turn {
            turn.end().await;
        }
        token
    }
}

/// Why no token came.
struct Failure {
    error: ConnectorError,
    /// Whether the others who wait for the token would get the same: not if only this run has no time left.
    is_for_all: bool,
}

impl From<ConnectorError> for Failure {
    fn from(error: ConnectorError) -> Self {
        Self { error, is_for_all: true }
    }
}

async fn request(
    session: &Session,
    settings: &ZohoSettings,
    account: &Account,
    number: u64,
    mut turn: Option<&mut Turn<'_>>,
) -> Result<Token, Failure> {
    let accounts_url = settings.accounts();
    let given = Given::RefreshToken(&settings.refresh_token);
    let request = TokenRequest::new(&accounts_url, &settings.client_id, &settings.client_secret, given)?;
    let failed = |cause: Cause| {
        let remedy = remedy(&cause, settings);
        ConnectorError::new(accounts_url.as_str(), cause).with_remedy(remedy)
    };
    let (mut attempt, mut has_been_once) = (1, false);
    loop {
        let now = session.clock().now();
        // Counted before it is sent: whoever is ended meanwhile may have got a token.
        if let Some(turn) = turn.as_deref_mut() {
            turn.count(now).await;
        }
        let answer = request.send(session).await;
        let was_sent = answer.as_ref().err().is_none_or(|failure| failure.was_sent);
        if was_sent {
            account.token_called();
        }
        match turn.as_deref_mut() {
            Some(turn) if was_sent => turn.was_sent(),
            Some(turn) => turn.was_not_sent().await,
            None => {}
        }
        let token = answer.and_then(|answer| Ok((accepted(&answer, settings, number)?, answer)));
        let NoToken { mut cause, again, wait: asked, .. } = match token {
            Ok((token, answer)) => {
                if let Some(turn) = turn {
                    turn.share(Kept::new(&answer, life(&answer), now)).await;
                }
                return Ok(token);
            }
            Err(failure) => failure,
        };
        if let Cause::Proxy { attempts, .. } = &mut cause {
            *attempts = attempt;
        }
        let most = match again {
            Again::No => 1,
            Again::Once | Again::Yes => ATTEMPTS,
        };
        let limits = session.limits();
        let pause =
            asked.unwrap_or_else(|| wait::backoff(limits.backoff * 4, limits.backoff_cap, attempt, rand::random()));
        if has_been_once && matches!(again, Again::Once) || attempt >= most {
            return Err(failed(cause).into());
        }
        if pause >= account.left() {
            return Err(Failure { error: failed(cause), is_for_all: false });
        }
        has_been_once |= matches!(again, Again::Once);
        attempt += 1;
        account.retried();
        tokio::time::sleep(pause).await;
    }
}

/// The token of an answer, and where to use it.
fn accepted(body: &TokenAnswer, settings: &ZohoSettings, number: u64) -> Result<Token, Cause> {
    let Some(token) = body.access_token.as_deref() else {
        return Err(Cause::TokenAnswer("a refresh token and no access token".to_owned()));
    };
    if HeaderValue::from_str(token).is_err() {
        return Err(Cause::TokenAnswer("a token that no HTTP header can carry".to_owned()));
    }
    let api = settings.api(body.api_domain.as_deref())?;
    if !Url::parse(&api).is_ok_and(|url| is_safe(&url)) {
        return Err(Cause::Setup(not_safe(&api)));
    }
    let life = life(body);
    let expires = Instant::now() + life.saturating_sub(MARGIN.min(life / 10));
    Ok(Token { value: token.into(), number, api, scopes: body.scopes(), expires })
}

/// How long a token lives. An answer that does not say so in a way that can be right gets the vendor's rule.
fn life(body: &TokenAnswer) -> Duration {
    let told = body.expires_in_sec.or(body.expires_in);
    told.filter(|life| (SHORTEST_LIFE..=LONGEST_LIFE).contains(life)).unwrap_or(DEFAULT_LIFE)
}
