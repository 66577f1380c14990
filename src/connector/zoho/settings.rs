//! How to reach a Bigin workspace.

use std::{fmt, str::FromStr, time::Duration};

use secrecy::SecretString;
use url::Url;

use crate::connector::{
    ConnectorError,
    http::{Limits, is_safe},
};

/// The vendor's data centres (<https://www.bigin.com/developer/docs/apis/v2/multi-dc.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataCenter {
    /// United States.
    Us,
    /// Europe.
    Eu,
    /// India.
    In,
    /// Australia.
    Au,
    /// Japan.
    Jp,
    /// China.
    Cn,
    /// Saudi Arabia.
    Sa,
    /// Canada.
    Ca,
}

impl DataCenter {
    /// All eight.
    pub const ALL: [Self; 8] = [Self::Us, Self::Eu, Self::In, Self::Au, Self::Jp, Self::Cn, Self::Sa, Self::Ca];

    /// The code in the configuration.
    pub fn code(self) -> &'static str {
        self.hosts().0
    }

    /// The accounts server.
    pub fn accounts_url(self) -> &'static str {
        self.hosts().1
    }

    /// The API.
    pub fn api_url(self) -> &'static str {
        self.hosts().2
    }

    fn hosts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Us => ("us", "https://accounts.zoho.com", "https://www.zohoapis.com"),
            Self::Eu => ("eu", "https://accounts.zoho.eu", "https://www.zohoapis.eu"),
            Self::In => ("in", "https://accounts.zoho.in", "https://www.zohoapis.in"),
            Self::Au => ("au", "https://accounts.zoho.com.au", "https://www.zohoapis.com.au"),
            Self::Jp => ("jp", "https://accounts.zoho.jp", "https://www.zohoapis.jp"),
            Self::Cn => ("cn", "https://accounts.zoho.com.cn", "https://www.zohoapis.com.cn"),
            Self::Sa => ("sa", "https://accounts.zoho.sa", "https://www.zohoapis.sa"),
            Self::Ca => ("ca", "https://accounts.zohocloud.ca", "https://www.zohoapis.ca"),
        }
    }
}

impl fmt::Display for DataCenter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for DataCenter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.into_iter().find(|center| center.code() == text);
        found.ok_or_else(|| format!("“{text}” is no data centre: us, eu, in, au, jp, cn, sa or ca"))
    }
}

/// How to reach a Bigin workspace.
#[derive(Debug, Clone)]
pub struct ZohoSettings {
    /// The data centre where the organization and the client live.
    pub data_center: DataCenter,
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: SecretString,
    /// The refresh token.
    pub refresh_token: SecretString,
    /// An accounts server in place of the data centre's: a gateway, a simulator.
    pub accounts_url: Option<Url>,
    /// An API in place of the one that the token answer names.
    pub api_url: Option<Url>,
    /// The bounds of each call.
    pub limits: Limits,
    /// How often everything is read before a disagreement counts.
    pub reads: u32,
    /// The wait between two reads, for a list that is changing to come to rest.
    pub pause_between_reads: Duration,
}

impl ZohoSettings {
    /// The accounts server in use.
    pub fn accounts(&self) -> String {
        Self::accounts_of(self.data_center, self.accounts_url.as_ref())
    }

    /// The accounts server of a data center, or the one that replaces it; without a slash at the end.
    pub(super) fn accounts_of(data_center: DataCenter, replaced_by: Option<&Url>) -> String {
        base(replaced_by, data_center.accounts_url())
    }

    /// Where the API is, given what the token answer says.
    ///
    /// The configuration wins. Otherwise the address is taken only if it is one of the vendor's, or the very
    /// machine that `accounts_url` already trusts with the refresh token: a token must not be sent wherever an
    /// answer points.
    ///
    /// # Errors
    /// [`ConnectorError::ForeignApiDomain`]
    pub fn api(&self, api_domain: Option<&str>) -> Result<String, ConnectorError> {
        if self.api_url.is_some() {
            return Ok(base(self.api_url.as_ref(), ""));
        }
        let Some(named) = api_domain.map(|domain| domain.trim_end_matches('/')).filter(|domain| !domain.is_empty())
        else {
            return Ok(self.data_center.api_url().to_owned());
        };
        let vendors = DataCenter::ALL.iter().any(|center| center.api_url() == named);
        let same_machine = || {
            let (Ok(named), Some(accounts)) = (Url::parse(named), &self.accounts_url) else { return false };
            named.host() == accounts.host() && is_safe(&named) && named.scheme() == accounts.scheme()
        };
        if vendors || same_machine() {
            return Ok(named.to_owned());
        }
        Err(ConnectorError::ForeignApiDomain {
            api_domain: named.chars().take(100).filter(|c| !c.is_control()).collect(),
        })
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
            assert!(matches!(plain.api(Some(foreign)), Err(ConnectorError::ForeignApiDomain { .. })), "{foreign}");
        }
    }

    #[test]
    fn the_configuration_wins_and_a_simulator_may_name_itself() {
        let gateway = settings(None, Some("https://gateway.example.com/zoho/"));
        assert_eq!(gateway.api(Some("https://www.zohoapis.eu")).unwrap(), "https://gateway.example.com/zoho");
        let simulator = settings(Some("http://127.0.0.1:4000"), None);
        assert_eq!(simulator.api(Some("http://127.0.0.1:4000")).unwrap(), "http://127.0.0.1:4000");
        assert!(simulator.api(Some("http://192.0.2.1:4000")).is_err());
    }

    #[test]
    fn every_code_names_its_data_centre() {
        for center in DataCenter::ALL {
            assert_eq!(center.code().parse(), Ok(center));
        }
        assert!("uk".parse::<DataCenter>().is_err());
    }
}
