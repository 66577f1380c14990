//! What helps, in the words of Zoho's consoles and of this kind's configuration.

use super::settings::ZohoSettings;
use crate::connector::error::{Cause, Credential};

/// What helps; `None` if the remedy that fits every kind of system is enough.
pub(super) fn remedy(cause: &Cause, settings: &ZohoSettings) -> Option<String> {
    let data_center = settings.data_center;
    Some(match cause {
        Cause::Unauthorized { credential: Credential::ClientId, .. } => format!(
            "Check that `client_id` is complete and that the client is registered in the data center `{data_center}`: Zoho gives this answer to clients of another data center"
        ),
        Cause::Unauthorized { credential: Credential::ClientSecret, .. } => {
            "Copy it again from Zoho's API console into what `client_secret` names".to_owned()
        }
        Cause::Unauthorized { credential: Credential::RefreshToken, .. } => format!(
            "It was revoked, replaced by newer ones, or belongs to another client or another data center than `{data_center}`. Generate a grant code in Zoho's API console, exchange it for a new refresh token, and put that into what `refresh_token` names"
        ),
        Cause::Unauthorized { .. } => format!(
            "The accounts server issued it a moment ago: check that `accounts_url` and `api_url` belong to the same data center (`{data_center}`)"
        ),
        Cause::TokensThrottled => {
            "Nothing is revoked; Zoho issues tokens again after about half an hour without requests".to_owned()
        }
        Cause::MissingScope { .. } => "Generate a new grant code with this scope in Zoho's API console (Self Client, Generate Code), exchange it for a refresh token, and put that into what `refresh_token` names".to_owned(),
        Cause::MissingRight(_) => "In Bigin, open Setup > Profiles and let the account's profile manage users and see roles and profiles, or use the token of an account that may".to_owned(),
        Cause::Redirect(_) => "Correct `api_url` or `accounts_url`".to_owned(),
        Cause::AnotherUser { .. } => "Check the id: Bigin answers some wrong ids with the caller".to_owned(),
        _ => return None,
    })
}
