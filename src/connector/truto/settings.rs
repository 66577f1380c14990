//! How to reach a workspace through Truto.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::connector::{
    error::ConnectorError,
    parameters::{Limits, Parameters},
};

/// Truto's API, unless the configuration says otherwise.
const API_URL: &str = "https://api.truto.one";

/// How to reach an integrated account.
#[derive(Debug, Clone)]
pub struct TrutoSettings {
    /// The integrated account's id.
    pub integrated_account_id: String,
    /// The API token.
    pub api_token: SecretString,
    /// The API's address.
    pub api_url: Url,
    /// What the resources are called.
    pub resources: Resources,
    /// The limits of each call.
    pub limits: Limits,
    /// How often everything is read before a disagreement is reported.
    pub reads: u32,
    /// The wait between two reads, in which a list that changes can come to rest.
    pub pause_between_reads: Duration,
}

/// What the resources are called at Truto. The defaults are inferred from the names of its published tools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resources {
    /// Users: list, get, delete.
    pub users: String,
    /// Roles: list.
    pub roles: String,
    /// Profiles: list, and get if there is one.
    pub profiles: String,
    /// The organization: a list of one.
    pub current_organization: String,
    /// The user that the account belongs to: a list of one.
    pub me: String,
}

impl Resources {
    /// The names that `name` gives for the usual ones.
    fn named(name: impl Fn(&str) -> String) -> Self {
        Self {
            users: name("users"),
            roles: name("roles"),
            profiles: name("profiles"),
            current_organization: name("current_organization"),
            me: name("me"),
        }
    }
}

impl Default for Resources {
    fn default() -> Self {
        Self::named(str::to_owned)
    }
}

impl TrutoSettings {
    /// What a workspace's configuration says.
    ///
    /// # Errors
    /// [`Cause::Setup`](crate::connector::Cause::Setup) if a key is missing.
    pub fn new(given: &Parameters) -> Result<Self, ConnectorError> {
        let pacing = given.pacing.clone();
        let api_url = match given.address("api_url") {
            Some(url) => url,
            None => Url::parse(API_URL).map_err(|error| ConnectorError::setup(error.to_string()))?,
        };
        Ok(Self {
            integrated_account_id: given.text("integrated_account_id")?.to_owned(),
            api_token: given.secret("api_token")?,
            api_url,
            resources: Resources::named(|usual| given.name("resources", usual)),
            limits: pacing.limits,
            reads: pacing.reads,
            pause_between_reads: pacing.pause_between_reads,
        })
    }
}
