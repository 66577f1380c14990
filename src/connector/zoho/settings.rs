//! How to reach a Bigin workspace.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::{
    connector::{
        commons::name_of,
        error::{Cause, ConnectorError},
        kit::{clean, is_safe},
        parameters::{Limits, Parameters},
    },
    model::kind::DataCenter,
};

/// Where a data center has its accounts server and its API
/// (<https://www.bigin.com/developer/docs/apis/v2/multi-dc.html>).
fn hosts(center: DataCenter) -> (&'static str, &'static str) {
    match center {
        DataCenter::Us => ("https://accounts.zoho.com", "https://www.zohoapis.com"),
        DataCenter::Eu => ("https://accounts.zoho.eu", "https://www.zohoapis.eu"),
        DataCenter::In => ("https://accounts.zoho.in", "https://www.zohoapis.in"),
        DataCenter::Au => ("https://accounts.zoho.com.au", "https://www.zohoapis.com.au"),
        DataCenter::Jp => ("https://accounts.zoho.jp", "https://www.zohoapis.jp"),
        DataCenter::Cn => ("https://accounts.zoho.com.cn", "https://www.zohoapis.com.cn"),
        DataCenter::Sa => ("https://accounts.zoho.sa", "https://www.zohoapis.sa"),
        DataCenter::Ca => ("https://accounts.zohocloud.ca", "https://www.zohoapis.ca"),
    }
}

/// How to reach a Bigin workspace.
#[derive(Debug, Clone)]
pub struct ZohoSettings {
    /// The data center where the organization and the client live.
    pub data_center: DataCenter,
    /// The client's id, from Zoho's API console.
    pub client_id: String,
    /// The client's secret, from Zoho's API console.
    pub client_secret: SecretString,
    /// The refresh token that access tokens are issued for.
    pub refresh_token: SecretString,
    /// An accounts server in place of the data center's: a gateway, a simulator.
    pub accounts_url: Option<Url>,
    /// An API in place of the one that the token answer names.
    pub api_url: Option<Url>,
    /// The bounds of each call.
    pub limits: Limits,
    /// How often everything is read before a disagreement is reported.
    pub reads: u32,
    /// The wait between two reads, in which a list that changes can come to rest.
    pub pause_between_reads: Duration,
}

impl ZohoSettings {
    /// The name of its credential, which workspaces with the same one share.
    pub(super) fn credential(&self) -> String {
        let api_url = self.api_url.as_ref().map_or("", Url::as_str);
        let public = ["zoho", &self.accounts(), self.data_center.code(), api_url, &self.client_id];
        name_of(&public, &[&self.client_secret, &self.refresh_token])
    }

    /// What a workspace's configuration says.
    ///
    /// # Errors
    /// [`Cause::Setup`] if a key is missing or invalid.
    pub fn new(given: &Parameters) -> Result<Self, ConnectorError> {
        let pacing = given.pacing.clone();
        Ok(Self {
            data_center: given
                .text("data_center")?
                .parse()
                .map_err(|error| ConnectorError::setup(format!("{error}")))?,
            client_id: given.text("client_id")?.to_owned(),
            client_secret: given.secret("client_secret")?,
            refresh_token: given.secret("refresh_token")?,
            accounts_url: given.address("accounts_url"),
            api_url: given.address("api_url"),
            limits: pacing.limits,
            reads: pacing.reads,
            pause_between_reads: pacing.pause_between_reads,
        })
    }

    /// The accounts server in use.
    pub(super) fn accounts(&self) -> String {
        Self::accounts_of(self.data_center, self.accounts_url.as_ref())
    }

    /// The accounts server of a data center, or the one that replaces it; without a slash at the end.
    pub(super) fn accounts_of(data_center: DataCenter, replaced_by: Option<&Url>) -> String {
        base(replaced_by, hosts(data_center).0)
    }

    /// The address of the API, given the token answer.
    ///
    /// The configuration wins. Otherwise the address is taken only if it is one of the vendor's, or the very
    /// machine that `accounts_url` already trusts with the refresh token: a token must not be sent wherever an
    /// answer points.
    ///
    /// # Errors
    /// [`Cause::ForeignAddress`]
    pub(super) fn api(&self, api_domain: Option<&str>) -> Result<String, Cause> {
        if self.api_url.is_some() {
            return Ok(base(self.api_url.as_ref(), ""));
        }
        let Some(named) = api_domain.map(|domain| domain.trim_end_matches('/')).filter(|domain| !domain.is_empty())
        else {
            return Ok(hosts(self.data_center).1.to_owned());
        };
        let vendors = DataCenter::ALL.into_iter().any(|center| hosts(center).1 == named);
        let same_machine = || {
            let (Ok(named), Some(accounts)) = (Url::parse(named), &self.accounts_url) else { return false };
            // Nothing but its origin: a path or another port leads to another service.
            let origin = named.origin().ascii_serialization();
            is_safe(&named) && named.origin() == accounts.origin() && named.as_str() == format!("{origin}/")
        };
        if vendors || same_machine() {
            return Ok(named.to_owned());
        }
        Err(Cause::ForeignAddress(clean(named, 100)))
    }
}

fn base(chosen: Option<&Url>, otherwise: &str) -> String {
    chosen.map_or_else(|| otherwise.to_owned(), |url| url.as_str().trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(accounts_url: Option<&str>, api_url: Option<&str>) -> ZohoSettings {
        ZohoSettings {
            data_center: DataCenter::Eu,
            client_id: "1000.X".into(),
            client_secret: "s".into(),
            refresh_token: "r".into(),
            accounts_url: accounts_url.map(|url| Url::parse(url).unwrap()),
            api_url: api_url.map(|url| Url::parse(url).unwrap()),
            limits: Limits::default(),
            reads: 3,
            pause_between_reads: Duration::ZERO,
        }
    }

    #[test]
    fn only_the_vendor_s_api_domains_are_followed() {
        let plain = settings(None, None);
        assert_eq!(plain.api(None).unwrap(), "https://www.zohoapis.eu");
        assert_eq!(plain.api(Some("https://www.zohoapis.in/")).unwrap(), "https://www.zohoapis.in");
        for foreign in [
            "https://www.zohoapis.eu.example.com",
            "http://www.zohoapis.eu",
            "https://zohoapis.example",
            "http://127.0.0.1:9",
        ] {
            assert!(matches!(plain.api(Some(foreign)), Err(Cause::ForeignAddress(_))), "{foreign}");
        }
    }

    #[test]
    fn the_configuration_wins_and_a_simulator_may_name_itself() {
        let gateway = settings(None, Some("https://gateway.example.com/zoho/"));
        assert_eq!(gateway.api(Some("https://www.zohoapis.eu")).unwrap(), "https://gateway.example.com/zoho");
        let simulator = settings(Some("http://127.0.0.1:4000"), None);
        assert_eq!(simulator.api(Some("http://127.0.0.1:4000")).unwrap(), "http://127.0.0.1:4000");
        for foreign in [
            "http://192.0.2.1:4000",
            "http://127.0.0.1:4001",
            "http://127.0.0.1:4000/elsewhere",
            "http://u:p@127.0.0.1:4000",
        ] {
            assert!(matches!(simulator.api(Some(foreign)), Err(Cause::ForeignAddress(_))), "{foreign}");
        }
    }
}
