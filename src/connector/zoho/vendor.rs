//! What is specific to Zoho: where a call goes, what a refusal means, and how to fix it.

use std::{convert::Infallible, sync::Arc};

use async_trait::async_trait;
use reqwest::Method;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{
    remedy::remedy,
    settings::ZohoSettings,
    shared::SharedToken,
    token::{Token, Tokens},
};
use crate::connector::{
    bigin::removal::ALREADY_DELETED,
    commons::Commons,
    error::{Cause, ConnectorError, Credential},
    kit::{Account, Answer, Call, NO_CODE, NO_MESSAGE, Refusal, Request, Session, Vendor, clean, wait},
    parameters::SharedTokens,
};

/// Zoho's API for one workspace.
#[derive(Debug)]
pub(super) struct Zoho {
    pub(super) settings: ZohoSettings,
    tokens: Arc<Tokens>,
}

impl Zoho {
    /// The API with these settings; `tokens` says where processes share access tokens.
    pub(super) fn new(settings: ZohoSettings, tokens: Option<&SharedTokens>, commons: &Commons) -> Self {
        let new = || Tokens::new(tokens.map(|tokens| SharedToken::new(tokens, &settings)));
        // One that begins with a new token has it to itself.
        let shared = if tokens.is_some_and(|tokens| tokens.is_fresh) {
            Arc::new(new())
        } else {
            let Ok(shared) = commons.shared(&settings.credential(), || Ok::<_, Infallible>(new()));
            shared
        };
        Self { settings, tokens: shared }
    }

    /// The access token in use.
    pub(super) async fn token(&self, session: &Session, account: &Account) -> Result<Token, ConnectorError> {
        self.tokens.get(session, &self.settings, account, None).await
    }
}

#[async_trait]
impl Vendor for Zoho {
    fn name(&self, call: &Call) -> String {
        format!("{} /bigin/v2/{}", call.method, call.path)
    }

    async fn request(
        &self,
        session: &Session,
        call: &Call,
        account: &Account,
        refused: Option<u64>,
    ) -> Result<Request, ConnectorError> {
        let Token { value: token, number, api, .. } =
            self.tokens.get(session, &self.settings, account, refused).await?;
        let url = Url::parse(&format!("{api}/bigin/v2/{}", call.path))
            .map_err(|error| ConnectorError::setup(format!("{api}: {error}")))?;
        Ok(Request { url, scheme: "Zoho-oauthtoken", token, number })
    }

    fn secrets(&self) -> Vec<SecretString> {
        vec![self.settings.client_secret.clone(), self.settings.refresh_token.clone()]
    }

    fn refusal(&self, call: &Call, answer: &Answer) -> Refusal {
        let status = answer.status;
        let problem = Problem::parse(&answer.body);
        let code = problem.code();
        if code == "TOO_MANY_REQUESTS" {
            return Refusal::Limited(wait::asked(&answer.headers, answer.answered_at));
        }
        if let Some(failed) = Refusal::failed(answer, &code) {
            return failed;
        }
        // The same failure may come with success as its status.
        if matches!(code.as_str(), "INTERNAL_ERROR" | "INTERNAL_SERVER_ERROR") {
            return Refusal::Failed(
                format!("HTTP {status} ({code})"),
                wait::retry_after(&answer.headers, answer.answered_at),
            );
        }
        let cause = match code.as_str() {
            "INVALID_TOKEN" => return Refusal::StaleToken(code),
            ALREADY_DELETED if call.method == Method::DELETE => return Refusal::Gone,
            "AUTHENTICATION_FAILURE" => Cause::Unauthorized { credential: Credential::AccessToken, code },
            "OAUTH_SCOPE_MISMATCH" => {
                Cause::MissingScope { holder: Credential::AccessToken, scopes: call.scope.to_owned() }
            }
            "NO_PERMISSION" | "AUTHORIZATION_FAILED" => Cause::MissingRight(problem.permissions()),
            _ => Cause::Refused { status: status.as_u16(), code, message: problem.message() },
        };
        Refusal::because(cause, problem.is_legible())
    }

    fn remedy(&self, cause: &Cause) -> Option<String> {
        remedy(cause, &self.settings)
    }
}

/// An error of the API. Older ones have a number as their code.
#[derive(Debug, Default, Deserialize)]
struct Problem {
    #[serde(default)]
    code: Value,
    #[serde(default)]
    message: Value,
    #[serde(default)]
    details: Value,
}

impl Problem {
    /// The error in a body. An error about a single record is in a list of records.
    fn parse(body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct OfRecord {
            users: Vec<Problem>,
        }
        if let Ok(OfRecord { users }) = serde_json::from_slice(body)
            && let Some(problem) = users.into_iter().next()
        {
            return problem;
        }
        serde_json::from_slice(body).unwrap_or_default()
    }

    /// Whether it is in the API's words, and not a gateway's.
    fn is_legible(&self) -> bool {
        self.code.is_string() || self.code.is_number()
    }

    fn code(&self) -> String {
        match &self.code {
            Value::String(code) => clean(code, 60),
            Value::Number(code) => code.to_string(),
            _ => NO_CODE.to_owned(),
        }
    }

    fn message(&self) -> String {
        clean(self.message.as_str().unwrap_or(NO_MESSAGE), 200)
    }

    /// The permissions that are missing; empty if it names none.
    fn permissions(&self) -> String {
        let named: Vec<&str> =
            self.details["permissions"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        clean(&named.join(", "), 200)
    }
}
