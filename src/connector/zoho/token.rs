//! Access tokens: got with the refresh token, kept until shortly before they expire, got once however many wait.

use std::time::Duration;

use reqwest::header::HeaderValue;
use secrecy::SecretString;
use tokio::{sync::Mutex, time::Instant};
use url::Url;

use super::{
    accounts::{Given, NoToken, TokenAnswer, TokenRequest, not_safe},
    remedy::remedy,
    settings::ZohoSettings,
};
use crate::connector::{
    error::{Cause, ConnectorError},
    kit::{Account, Session, is_safe, wait},
};

/// A token is renewed this long before it expires, or a tenth of its life before if that is shorter.
const MARGIN: Duration = Duration::from_mins(2);
/// The life of a token if the answer does not say (the vendor's rule).
const DEFAULT_LIFE: Duration = Duration::from_hours(1);
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
#[derive(Debug, Default)]
pub(super) struct Tokens {
    // Held while a token is being got, so that all who wait share the one that comes.
    current: Mutex<Option<Token>>,
}

impl Tokens {
    /// The token in use, or a new one if there is none, it is about to expire, or it is the refused one.
    pub(super) async fn get(
        &self,
        session: &Session,
        settings: &ZohoSettings,
        account: &Account,
        refused: Option<u64>,
    ) -> Result<Token, ConnectorError> {
        let mut current = self.current.lock().await;
        let number = match &*current {
            Some(token) if Some(token.number) != refused && token.expires > Instant::now() => return Ok(token.clone()),
            Some(token) => token.number + 1,
            None => 0,
        };
        let token = request(session, settings, account, number).await?;
        *current = Some(token.clone());
        Ok(token)
    }
}

async fn request(
    session: &Session,
    settings: &ZohoSettings,
    account: &Account,
    number: u64,
) -> Result<Token, ConnectorError> {
    let accounts_url = settings.accounts();
    let given = Given::RefreshToken(&settings.refresh_token);
    let request = TokenRequest::new(&accounts_url, &settings.client_id, &settings.client_secret, given)?;
    let failed = |cause: Cause| {
        let remedy = remedy(&cause, settings);
        ConnectorError::new(accounts_url.as_str(), cause).with_remedy(remedy)
    };
    let mut attempt = 1;
    loop {
        account.token_called();
        let answer = request.send(session).await;
        let token = answer.and_then(|answer| accepted(&answer, settings, number).map_err(NoToken::from));
        let NoToken { cause, wait: asked } = match token {
            Ok(token) => return Ok(token),
            Err(failure) => failure,
        };
        if !matches!(cause, Cause::TokensThrottled | Cause::TokenAnswer(_)) {
            return Err(failed(cause));
        }
        let limits = session.limits();
        let pause =
            asked.unwrap_or_else(|| wait::backoff(limits.backoff * 4, limits.backoff_cap, attempt, rand::random()));
        if attempt >= ATTEMPTS || pause >= account.left() {
            return Err(failed(cause));
        }
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
    let life = body.expires_in_sec.or(body.expires_in).map_or(DEFAULT_LIFE, Duration::from_secs);
    let scopes =
        |scope: &String| scope.split([' ', ',']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    // If the lifetime is longer than a clock can hold, use the default.
    let expires = Instant::now()
        .checked_add(life.saturating_sub(MARGIN.min(life / 10)))
        .unwrap_or_else(|| Instant::now() + DEFAULT_LIFE);
    Ok(Token { value: token.into(), number, api, scopes: body.scope.as_ref().map(scopes), expires })
}
