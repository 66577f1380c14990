//! What is specific to Truto: where a call goes, what a refusal means, and how to fix it. Truto passes the vendor's limits
//! on and repeats nothing itself.

use async_trait::async_trait;
use reqwest::StatusCode;
use secrecy::SecretString;
use url::Url;

use super::{envelope::Problem, settings::TrutoSettings};
use crate::connector::{
    error::{Cause, ConnectorError, Credential},
    kit::{Account, Answer, Call, Refusal, Request, Session, Vendor, escaped},
};

/// Below this path, calls go to the vendor of the integrated account.
const PROXY: &str = "proxy/";

/// Truto's API for one integrated account.
#[derive(Debug)]
pub(super) struct Proxy {
    pub(super) settings: TrutoSettings,
}

/// A call that lists a resource.
pub(super) fn list(resource: &str) -> Call {
    Call::get(format!("{PROXY}{}", escaped(resource)))
}

/// A call for one record of a resource.
pub(super) fn one(resource: &str, id: &str) -> Call {
    Call::get(format!("{PROXY}{}/{}", escaped(resource), escaped(id)))
}

/// The call that deletes a record.
pub(super) fn delete(resource: &str, id: &str) -> Call {
    Call::delete(one(resource, id).path)
}

impl Proxy {
    pub(super) fn url(&self, call: &Call) -> Result<Url, ConnectorError> {
        let base = self.settings.api_url.as_str().trim_end_matches('/');
        let mut url = Url::parse(&format!("{base}/{}", call.path))
            .map_err(|error| ConnectorError::setup(format!("{base}: {error}")))?;
        // Calls about the integrated account itself have its id in their path.
        let is_proxied = call.path.starts_with(PROXY);
        if is_proxied || !call.query.is_empty() {
            let mut query = url.query_pairs_mut();
            if is_proxied {
                query.append_pair("integrated_account_id", &self.settings.integrated_account_id);
            }
            query.extend_pairs(&call.query);
        }
        Ok(url)
    }
}

#[async_trait]
impl Vendor for Proxy {
    fn name(&self, call: &Call) -> String {
        format!("Truto /{}", call.path)
    }

    async fn request(
        &self,
        _session: &Session,
        call: &Call,
        _account: &Account,
        _refused: Option<u64>,
    ) -> Result<Request, ConnectorError> {
        Ok(Request { url: self.url(call)?, scheme: "Bearer", token: self.settings.api_token.clone(), number: 0 })
    }

    fn secrets(&self) -> Vec<SecretString> {
        vec![self.settings.api_token.clone()]
    }

    fn refusal(&self, _call: &Call, answer: &Answer) -> Refusal {
        let status = answer.status;
        let problem = Problem::parse(&answer.body);
        if problem.is_gone(status.as_u16()) {
            return Refusal::Gone;
        }
        // Truto answers for a blocked account with 503, which no waiting changes.
        let is_blocked = status == StatusCode::SERVICE_UNAVAILABLE && problem.is_own();
        if !is_blocked && let Some(failed) = Refusal::failed(answer, &problem.code()) {
            return failed;
        }
        Refusal::because(problem.cause(status.as_u16()), problem.is_legible())
    }

    fn remedy(&self, cause: &Cause) -> Option<String> {
        let remedy = match cause {
            Cause::Unauthorized { credential: Credential::ApiToken, .. } => {
                "Copy it again from Truto's dashboard into what `api_token` names; a token belongs to one environment"
            }
            Cause::Unauthorized { .. } => "Connect the integrated account again in Truto; calls fail until then",
            Cause::Forbidden(_) => {
                "Use a token of the environment's API, not one of a link or of an integrated account"
            }
            Cause::MissingScope { .. } => "Connect the integrated account again in Truto and grant this scope",
            Cause::MissingRight(_) => {
                "In Bigin, open Setup > Profiles and let the account's profile manage users and see roles and profiles, or connect an account that may"
            }
            Cause::NotFound(_) => {
                "Check that `integrated_account_id` is an account of the token's environment. If the resources have other names there, set them in `[workspaces.NAME.resources]`"
            }
            Cause::ReadOnly => "It is a sandbox, and Truto changes nothing in sandboxes",
            Cause::Blocked => "Lift the block in Truto; waiting does not help",
            Cause::AnotherUser { .. } => "Check the id: Bigin answers some wrong ids with the caller",
            _ => return None,
        };
        Some(remedy.to_owned())
    }
}
