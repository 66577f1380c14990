//! The credentials of the simulated accounts server.

use std::fmt::{self, Write as _};

use sha2::{Digest, Sha256};

/// What a client needs to obtain a token. Generated, and the same for the same seed.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: String,
    /// A refresh token that is valid until it is revoked.
    pub refresh_token: String,
    /// A grant code that can be exchanged once.
    pub grant_code: String,
    /// The token of Truto's API.
    pub truto_api_token: String,
    /// The integrated account's id at Truto, a UUID.
    pub integrated_account_id: String,
}

impl Credentials {
    pub(super) fn from_seed(seed: u64) -> Self {
        let hex = |purpose: &str| -> String {
            let digest = Sha256::digest(format!("rolecall simulator {seed} {purpose}"));
            digest.iter().fold(String::new(), |mut hex, byte| {
                // Writing into a `String` cannot fail.
                let _ = write!(hex, "{byte:02x}");
                hex
            })
        };
        let token = |purpose: &str| {
            let hex = hex(purpose);
            let (left, right) = hex.split_at(hex.len() / 2);
            format!("1000.{left}.{right}")
        };
        let mut id = [0; 16];
        id.copy_from_slice(&Sha256::digest(format!("rolecall simulator {seed} integrated account"))[..16]);
        let client_id = format!("1000.{}", &hex("client id").to_ascii_uppercase()[..30]);
        Self {
            client_id,
            client_secret: hex("client secret")[..42].to_owned(),
            refresh_token: token("refresh token"),
            grant_code: token("grant code"),
            truto_api_token: hex("truto api token")[..40].to_owned(),
            integrated_account_id: uuid::Builder::from_random_bytes(id).into_uuid().to_string(),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Credentials").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}
