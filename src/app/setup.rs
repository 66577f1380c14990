//! The vendor as `rolecall init` needs it, before there is a configuration.

use async_trait::async_trait;
use secrecy::SecretString;
use url::Url;

use super::connectors::{PAUSE_BETWEEN_READS, READS};
use crate::{
    clock::Clock,
    connector::{
        Connector, ConnectorError, Limits,
        zoho::{
            DataCenter, ZohoBigin, ZohoSettings,
            grant::{self, Client},
        },
    },
    setup::Vendor,
};

/// Zoho, for one client of its API console.
#[derive(Debug, Clone)]
pub struct Zoho {
    client: Client,
    clock: Clock,
}

impl Zoho {
    /// Zoho in a data center, for a client. Calls are dated by `clock`.
    ///
    /// # Errors
    /// A sentence if there is no such data center.
    pub fn new(
        data_center: &str,
        client_id: &str,
        client_secret: SecretString,
        accounts_url: Option<Url>,
        clock: Clock,
    ) -> Result<Self, String> {
        let data_center = data_center.parse::<DataCenter>().map_err(|error| error.to_string())?;
        let client = Client { data_center, id: client_id.to_owned(), secret: client_secret, accounts_url };
        Ok(Self { client, clock })
    }
}

/// Checks the code of a data center.
///
/// # Errors
/// A sentence if there is no such data center.
pub fn data_center(text: &str) -> Result<String, String> {
    text.trim()
        .to_lowercase()
        .parse::<DataCenter>()
        .map(|center| center.code().to_owned())
        .map_err(|error| error.to_string())
}

#[async_trait]
impl Vendor for Zoho {
    async fn exchange(&self, code: &SecretString) -> Result<SecretString, ConnectorError> {
        grant::exchange(&self.client, code, Limits::default(), self.clock.clone()).await
    }

    fn connector(&self, refresh_token: SecretString) -> Result<Box<dyn Connector>, ConnectorError> {
        let settings = ZohoSettings {
            data_center: self.client.data_center,
            client_id: self.client.id.clone(),
            client_secret: self.client.secret.clone(),
            refresh_token,
            accounts_url: self.client.accounts_url.clone(),
            api_url: None,
            limits: Limits::default(),
            reads: READS,
            pause_between_reads: PAUSE_BETWEEN_READS,
        };
        Ok(Box::new(ZohoBigin::new(settings, self.clock.clone())?))
    }
}
