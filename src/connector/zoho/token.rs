//! Access tokens: got with the refresh token, kept until shortly before they expire, got once however many wait.

use std::time::Duration;

use chrono::Utc;
use reqwest::{Method, header::HeaderValue};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use tokio::{sync::Mutex, time::Instant};
use url::Url;

use super::{remedy::remedy, settings::ZohoSettings};
use crate::connector::{
    error::{Cause, ConnectorError, Credential},
    kit::{Account, Answer, CallError, Session, clean, is_safe, mask, wait},
};

/// A token is renewed this long before it expires, or a tenth of its life before if that is shorter.
const MARGIN: Duration = Duration::from_mins(2);
/// The life of a token if the answer does not say (the vendor's rule).
const DEFAULT_LIFE: Duration = Duration::from_hours(1);
/// Tries of the token endpoint: few, because each one prolongs the vendor's lock.
const ATTEMPTS: u32 = 3;

/// An access token and what came with it.
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

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<String>,
    api_domain: Option<String>,
    scope: Option<String>,
    expires_in: Option<u64>,
    expires_in_sec: Option<u64>,
    error: Option<String>,
    error_description: Option<String>,
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
    let url = Url::parse(&format!("{accounts_url}/oauth/v2/token"))
        .ok()
        .filter(is_safe)
        .ok_or_else(|| ConnectorError::setup(not_safe(&accounts_url)))?;
    let failed = |cause: Cause| {
        let remedy = remedy(&cause, settings);
        ConnectorError::new(accounts_url.as_str(), cause).with_remedy(remedy)
    };
    let mut attempt = 1;
    loop {
        // In the body, never in the query: servers and proxies log queries.
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", &settings.client_id),
            ("client_secret", settings.client_secret.expose_secret()),
            ("refresh_token", settings.refresh_token.expose_secret()),
        ];
        account.token_called();
        let outcome = session.call(session.request(Method::POST, url.clone()).form(&form)).await;
        let (cause, asked) = match outcome {
            Ok(answer) => match judge(&answer, settings, number) {
                Ok(token) => return Ok(token),
                Err(cause) if cause.is_transient() => (cause, wait::asked(&answer.headers, Utc::now())),
                Err(cause) => return Err(failed(cause)),
            },
            Err(CallError::Broken(what)) => (Cause::TokenAnswer(what), None),
            Err(CallError::TooLarge(limit)) => return Err(failed(Cause::TooLarge(limit))),
            Err(CallError::Redirect(status)) => return Err(failed(Cause::Redirect(status))),
        };
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

fn not_safe(address: &str) -> String {
    format!("{address} is not an https address")
}

/// What a token answer means. Its HTTP status says little: refusals come with 200, throttling with 400 and in the
/// language of the account. Only a token is success.
fn judge(answer: &Answer, settings: &ZohoSettings, number: u64) -> Result<Token, Cause> {
    let status = answer.status.as_u16();
    let Ok(body) = serde_json::from_slice::<TokenAnswer>(&answer.body) else {
        if status == 429 {
            return Err(Cause::TokensThrottled);
        }
        return Err(Cause::TokenAnswer(format!(
            "HTTP {status} and something that is not a token answer. Check `accounts_url` and `data_center`"
        )));
    };
    match body.access_token.as_deref().filter(|token| !token.is_empty()) {
        Some(token) if HeaderValue::from_str(token).is_err() => {
            Err(Cause::TokenAnswer("a token that no HTTP header can carry".to_owned()))
        }
        Some(token) => accepted(token, &body, settings, number),
        None => Err(refused(&body, status, settings)),
    }
}

/// The token of an answer, and where to use it.
fn accepted(token: &str, body: &TokenAnswer, settings: &ZohoSettings, number: u64) -> Result<Token, Cause> {
    let api = settings.api(body.api_domain.as_deref())?;
    if !Url::parse(&api).is_ok_and(|url| is_safe(&url)) {
        return Err(Cause::Setup(not_safe(&api)));
    }
    let life = body.expires_in_sec.or(body.expires_in).map_or(DEFAULT_LIFE, Duration::from_secs);
    let scopes =
        |scope: &String| scope.split([' ', ',']).filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    // A life beyond what a clock can hold is as good as the default.
    let expires = Instant::now()
        .checked_add(life.saturating_sub(MARGIN.min(life / 10)))
        .unwrap_or_else(|| Instant::now() + DEFAULT_LIFE);
    Ok(Token { value: token.into(), number, api, scopes: body.scope.as_ref().map(scopes), expires })
}

/// Why there is no token.
fn refused(body: &TokenAnswer, status: u16, settings: &ZohoSettings) -> Cause {
    let secrets = [&settings.client_secret, &settings.refresh_token];
    let error = body.error.clone().unwrap_or_default();
    let error = secrets.iter().fold(error, |error, secret| mask::text(&error, secret.expose_secret()));
    let code = clean(&error, 60);
    let credential = match code.as_str() {
        "invalid_code" | "invalid_grant" => Credential::RefreshToken,
        "invalid_client" => Credential::ClientId,
        "invalid_client_secret" => Credential::ClientSecret,
        _ if body.error_description.is_some() || status == 429 => return Cause::TokensThrottled,
        _ => return Cause::TokenAnswer(format!("HTTP {status} and the error “{code}”")),
    };
    Cause::Unauthorized { credential, code }
}
