//! The vendor as `rolecall init` needs it, before there is a configuration.

use async_trait::async_trait;
use secrecy::SecretString;
use url::Url;

use super::connectors::{PAUSE_BETWEEN_READS, READS};
use crate::{
    connector::{
        Connector, ConnectorError, Limits,
        zoho::{
            DataCenter, ZohoBigin, ZohoSettings,
            grant::{self, Client, GrantError},
        },
    },
    setup::Vendor,
};

/// Zoho, for one client of its API console.
#[derive(Debug, Clone)]
pub struct Zoho(Client);

impl Zoho {
    /// Zoho in a data center, for a client.
    ///
    /// # Errors
    /// A sentence if there is no such data center.
    pub fn new(
        data_center: &str,
        client_id: &str,
        client_secret: SecretString,
        accounts_url: Option<Url>,
    ) -> Result<Self, String> {
        let data_center = data_center.parse::<DataCenter>().map_err(|error| error.to_string())?;
        Ok(Self(Client { data_center, id: client_id.to_owned(), secret: client_secret, accounts_url }))
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
    async fn exchange(&self, code: &SecretString) -> Result<SecretString, GrantError> {
        grant::exchange(&self.0, code, Limits::default()).await
    }

    fn connector(&self, refresh_token: SecretString) -> Result<Box<dyn Connector>, ConnectorError> {
        Ok(Box::new(ZohoBigin::new(ZohoSettings {
            data_center: self.0.data_center,
            client_id: self.0.id.clone(),
            client_secret: self.0.secret.clone(),
            refresh_token,
            accounts_url: self.0.accounts_url.clone(),
            api_url: None,
            limits: Limits::default(),
            reads: READS,
            pause_between_reads: PAUSE_BETWEEN_READS,
        })?))
    }
}
