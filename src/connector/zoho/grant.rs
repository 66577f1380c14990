//! Exchanges the grant code of a self client for a refresh token.
//!
//! A grant code works once, so [`exchange`] sends exactly one request and never retries it.

use secrecy::SecretString;
use url::Url;

use super::{
    DataCenter, ZohoSettings,
    accounts::{Given, NoToken, TokenRequest},
    remedy,
};
use crate::{
    clock::Clock,
    connector::{
        commons::Commons,
        error::{Cause, ConnectorError},
        kit::Session,
        parameters::Limits,
    },
};

/// The client in Zoho's API console that the grant code was issued for.
#[derive(Debug, Clone)]
pub struct Client {
    /// The data center where the client was registered.
    pub data_center: DataCenter,
    /// The client's id.
    pub id: String,
    /// The client's secret.
    pub secret: SecretString,
    /// An accounts server that replaces the data center's: a gateway or a simulator.
    pub accounts_url: Option<Url>,
}

/// Exchanges a grant code for a refresh token.
///
/// # Errors
/// [`ConnectorError`]. If the server did not refuse a credential, the code may or may not be used up.
pub async fn exchange(
    client: &Client,
    code: &SecretString,
    limits: Limits,
    clock: Clock,
) -> Result<SecretString, ConnectorError> {
    let accounts_url = ZohoSettings::accounts_of(client.data_center, client.accounts_url.as_ref());
    let request = TokenRequest::new(&accounts_url, &client.id, &client.secret, Given::GrantCode(code))?;
    let failed =
        |cause: Cause, remedy: String| ConnectorError::new(accounts_url.as_str(), cause).with_remedy(Some(remedy));
    let answer = request.send(&Session::new(limits, clock, &Commons::default())?).await.map_err(
        |NoToken { cause, .. }| {
            let remedy = remedy::of_exchange(&cause, client.data_center);
            failed(cause, remedy)
        },
    )?;
    let token = answer.refresh_token.map(SecretString::from);
    token.ok_or_else(|| {
        let cause = Cause::TokenAnswer("an access token and no refresh token".to_owned());
        failed(cause, remedy::NO_SELF_CLIENT.to_owned())
    })
}
