//! The accounts server: one request for tokens, and why it brought none.

use std::{borrow::Cow, time::Duration};

use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::de::SeqAccess;
use url::Url;

use crate::connector::{
    bigin::field::{Field, Json, Text, record},
    error::{Cause, ConnectorError, Credential},
    kit::{Answer, CallError, Session, clean, is_safe, mask, repair, wait},
};

/// A request for tokens.
#[derive(Debug)]
pub(super) struct TokenRequest<'a> {
    url: Url,
    client_id: &'a str,
    client_secret: &'a SecretString,
    given: Given<'a>,
}

/// What tokens are asked for with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Given<'a> {
    RefreshToken(&'a SecretString),
    GrantCode(&'a SecretString),
}

record! {
    /// An answer of the token endpoint, as it is written.
    RawAnswer {
        access_token: Text<'a> = "access_token",
        refresh_token: Text<'a> = "refresh_token",
        api_domain: Text<'a> = "api_domain",
        scope: Scope = "scope",
        expires_in: Seconds = "expires_in",
        expires_in_sec: Seconds = "expires_in_sec",
        error: Text<'a> = "error",
        error_description: Text<'a> = "error_description",
    }
}

/// Scopes, as one text or a list of texts.
#[derive(Debug, PartialEq)]
pub(in crate::connector) struct Scope(String);

impl<'de> Json<'de> for Scope {
    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self(text.into_owned()))
    }

    fn list<A: SeqAccess<'de>>(list: A) -> Result<Option<Self>, A::Error> {
        let scopes = Vec::<Field<Text<'de>>>::list(list)?.unwrap_or_default();
        let scopes: Vec<Text<'de>> = scopes.into_iter().filter_map(Field::given).collect();
        Ok(Some(Self(scopes.join(" "))))
    }

    fn join(self, other: Self) -> Option<Self> {
        (self == other).then_some(self)
    }
}

/// A number of seconds, however it is written.
#[derive(Debug, PartialEq)]
pub(in crate::connector) struct Seconds(Duration);

impl<'de> Json<'de> for Seconds {
    fn text(text: Cow<'de, str>) -> Option<Self> {
        Self::fraction(text.trim().parse().ok()?)
    }

    fn number(number: u64) -> Option<Self> {
        Some(Self(Duration::from_secs(number)))
    }

    fn fraction(number: f64) -> Option<Self> {
        Duration::try_from_secs_f64(number).ok().map(Self)
    }

    fn join(self, other: Self) -> Option<Self> {
        (self == other).then_some(self)
    }
}

/// What a request for tokens brings. Only the tokens themselves are needed.
pub(super) struct TokenAnswer {
    pub(super) access_token: Option<String>,
    pub(super) refresh_token: Option<String>,
    pub(super) api_domain: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) expires_in: Option<Duration>,
    pub(super) expires_in_sec: Option<Duration>,
    error: Option<String>,
    error_description: Option<String>,
}

impl TokenAnswer {
    /// The answer in a body.
    fn parse(body: &[u8]) -> Result<Self, Illegible> {
        let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
        let illegible =
            |error: serde_json::Error| if error.is_eof() { Illegible::BrokenOff } else { Illegible::SomethingElse };
        let repaired;
        let raw: Field<RawAnswer<'_>> = match serde_json::from_slice(body) {
            Ok(raw) => raw,
            Err(error) => {
                // A damaged text, of a field that is perhaps not needed, is no reason to ask for another token.
                repaired = repair(body).ok_or_else(|| illegible(error))?.text;
                serde_json::from_str(&repaired).map_err(illegible)?
            }
        };
        let raw = raw.given().ok_or(Illegible::SomethingElse)?;
        let text = |text: Field<Text<'_>>| text.given().map(Text::into_owned);
        Ok(Self {
            access_token: text(raw.access_token),
            refresh_token: text(raw.refresh_token),
            api_domain: text(raw.api_domain),
            scope: raw.scope.given().map(|scope| scope.0),
            expires_in: raw.expires_in.given().map(|life| life.0),
            expires_in_sec: raw.expires_in_sec.given().map(|life| life.0),
            error: text(raw.error),
            error_description: text(raw.error_description),
        })
    }

    /// An answer that brings a token, and nothing that an older answer did not say.
    pub(super) fn with_token(token: String, api_domain: Option<String>, scope: Option<String>, life: Duration) -> Self {
        Self {
            access_token: Some(token),
            refresh_token: None,
            api_domain,
            scope,
            expires_in: Some(life),
            expires_in_sec: None,
            error: None,
            error_description: None,
        }
    }

    /// The scopes that it names; `None` if it names none.
    pub(super) fn scopes(&self) -> Option<Vec<String>> {
        let scopes = self.scope.as_ref()?.split([' ', ',']).filter(|scope| !scope.is_empty());
        Some(scopes.map(str::to_owned).collect())
    }
}

/// Why a body is no token answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Illegible {
    /// It ends before its end.
    BrokenOff,
    SomethingElse,
}

/// Whether a request that brought no token may be sent again. The vendor issues few tokens, and may have issued one whose
/// answer was of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    No,
    Once,
    Yes,
}

/// Why there is no token.
#[derive(Debug)]
pub(super) struct NoToken {
    pub(super) cause: Cause,
    pub(super) again: Again,
    /// How long the server asks to wait, if it does.
    pub(super) wait: Option<Duration>,
    /// Whether the server may have got the request.
    pub(super) was_sent: bool,
}

impl NoToken {
    fn new(cause: Cause, again: Again) -> Self {
        Self { cause, again, wait: None, was_sent: true }
    }
}

/// Another request would bring a token with the same defect.
impl From<Cause> for NoToken {
    fn from(cause: Cause) -> Self {
        Self::new(cause, Again::No)
    }
}

impl<'a> TokenRequest<'a> {
    /// A request to the server at `accounts_url`. It is not sent yet.
    ///
    /// # Errors
    /// [`Cause::Setup`] if secrets must not be sent to this address.
    pub(super) fn new(
        accounts_url: &str,
        client_id: &'a str,
        client_secret: &'a SecretString,
        given: Given<'a>,
    ) -> Result<Self, ConnectorError> {
        let url = Url::parse(&format!("{accounts_url}/oauth/v2/token"))
            .ok()
            .filter(is_safe)
            .ok_or_else(|| ConnectorError::setup(not_safe(accounts_url)))?;
        Ok(Self { url, client_id, client_secret, given })
    }

    /// Sends it once. The answer has an access token, a refresh token or both.
    ///
    /// # Errors
    /// [`NoToken`]
    pub(super) async fn send(&self, session: &Session) -> Result<TokenAnswer, NoToken> {
        let (grant_type, name, value) = match self.given {
            Given::RefreshToken(token) => ("refresh_token", "refresh_token", token),
            Given::GrantCode(code) => ("authorization_code", "code", code),
        };
        // In the body, never in the query: servers and proxies log queries.
        let form = [
            ("grant_type", grant_type),
            ("client_id", self.client_id),
            ("client_secret", self.client_secret.expose_secret()),
            (name, value.expose_secret()),
        ];
        match session.call(session.request(Method::POST, self.url.clone()).form(&form)).await {
            Ok(answer) => self
                .judge(&answer)
                .map_err(|failure| NoToken { wait: wait::asked(&answer.headers, answer.answered_at), ..failure }),
            Err(CallError::NoConnection { what, through_proxy }) => {
                let cause = if through_proxy { Cause::Proxy { attempts: 1, what } } else { Cause::TokenAnswer(what) };
                Err(NoToken { was_sent: false, ..NoToken::new(cause, Again::Yes) })
            }
            Err(CallError::Broken(what)) => Err(NoToken::new(Cause::TokenAnswer(what), Again::Yes)),
            Err(CallError::CutOff(what, status)) => {
                let again = if status.is_success() { Again::Once } else { Again::Yes };
                Err(NoToken::new(Cause::TokenAnswer(what), again))
            }
            Err(CallError::TooLarge(limit)) => Err(Cause::TooLarge(limit).into()),
            Err(CallError::Redirect(status)) => Err(Cause::Redirect(status).into()),
        }
    }

    /// What an answer means. Its HTTP status says little: refusals come with 200, throttling with 400 and in the language
    /// of the account. Only a token is success.
    fn judge(&self, answer: &Answer) -> Result<TokenAnswer, NoToken> {
        let status = answer.status.as_u16();
        let is_success = answer.status.is_success();
        let mut body = TokenAnswer::parse(&answer.body).map_err(|illegible| {
            if status == 429 {
                return NoToken::new(Cause::TokensThrottled, Again::Yes);
            }
            let again = match illegible {
                _ if !is_success => Again::Yes,
                Illegible::BrokenOff => Again::Once,
                Illegible::SomethingElse => Again::No,
            };
            let what = match illegible {
                Illegible::BrokenOff => "a token answer that breaks off",
                Illegible::SomethingElse => "something that is not a token answer",
            };
            NoToken::new(Cause::TokenAnswer(format!("HTTP {status} and {what}")), again)
        })?;
        let is_there = |token: &String| !token.is_empty();
        body.access_token = body.access_token.filter(is_there);
        body.refresh_token = body.refresh_token.filter(is_there);
        if body.access_token.is_some() || body.refresh_token.is_some() {
            Ok(self.without_secrets(body))
        } else {
            let is_error = body.error.is_some();
            let cause = self.refused(body, status);
            let again = match cause {
                Cause::TokensThrottled => Again::Yes,
                Cause::TokenAnswer(_) if !is_success => Again::Yes,
                // An error that is not known, in place of a token.
                Cause::TokenAnswer(_) if is_error => Again::Once,
                _ => Again::No,
            };
            Err(NoToken::new(cause, again))
        }
    }

    /// The answer, with what it may echo of the secrets masked in the fields that are kept and printed.
    fn without_secrets(&self, body: TokenAnswer) -> TokenAnswer {
        let (Given::RefreshToken(given) | Given::GrantCode(given)) = self.given;
        let tokens = [&body.access_token, &body.refresh_token].into_iter().flatten().map(String::as_str);
        let secrets = [self.client_secret, given].map(ExposeSecret::expose_secret).into_iter().chain(tokens);
        let secrets: Vec<&str> = secrets.filter(|secret| secret.len() >= mask::SHORTEST).collect();
        let masked = |text: &Option<String>| {
            text.as_ref().map(|text| secrets.iter().fold(text.clone(), |text, secret| mask::text(&text, secret)))
        };
        let (scope, api_domain) = (masked(&body.scope), masked(&body.api_domain));
        TokenAnswer { api_domain, scope, ..body }
    }

    fn refused(&self, body: TokenAnswer, status: u16) -> Cause {
        let (given, credential) = match self.given {
            Given::RefreshToken(token) => (token, Credential::RefreshToken),
            Given::GrantCode(code) => (code, Credential::GrantCode),
        };
        let secrets = [self.client_secret, given];
        let error = body.error.unwrap_or_default();
        let error = secrets.iter().fold(error, |error, secret| mask::text(&error, secret.expose_secret()));
        let code = clean(&error, 60);
        let credential = match code.as_str() {
            "invalid_code" | "invalid_grant" => credential,
            "invalid_client" => Credential::ClientId,
            "invalid_client_secret" => Credential::ClientSecret,
            _ if body.error_description.is_some() || status == 429 => return Cause::TokensThrottled,
            _ => return Cause::TokenAnswer(format!("HTTP {status} and the error “{code}”")),
        };
        Cause::Unauthorized { credential, code }
    }
}

pub(super) fn not_safe(address: &str) -> String {
    format!("{address} is not an https address")
}
