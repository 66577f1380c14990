//! The accounts server's memory: who may have tokens, which tokens are valid, who asks too often.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use crate::Credentials;

/// Access tokens per refresh token that are valid at one time; one more drops the oldest.
const MAX_ACTIVE: usize = 15;

/// The window in which [`Limits::per_window`] access tokens may be asked for.
const WINDOW: Duration = Duration::minutes(10);

/// Limits of the accounts server.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How long an access token is valid.
    pub(crate) lifetime: Duration,
    /// Access tokens per refresh token in ten minutes.
    pub(crate) per_window: usize,
}

/// An answer of the token endpoint that is not a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    InvalidClient,
    InvalidClientSecret,
    InvalidCode,
    UnsupportedGrant,
    Throttled,
}

/// A new access token.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Issued {
    pub(super) access_token: String,
    /// Only for a grant code.
    pub(super) refresh_token: Option<String>,
}

/// What is known of a token, and when it ends.
#[derive(Debug, Clone)]
struct Active {
    token: String,
    expires: DateTime<Utc>,
}

#[derive(Debug, Default)]
struct Grant {
    active: VecDeque<Active>,
    issued: VecDeque<DateTime<Utc>>,
}

/// All tokens.
#[derive(Debug)]
pub(crate) struct TokenStore {
    client_id: String,
    client_secret: String,
    grant_code: Option<String>,
    grants: BTreeMap<String, Grant>,
    limits: Limits,
}

impl TokenStore {
    pub(crate) fn new(credentials: &Credentials, limits: Limits) -> Self {
        Self {
            client_id: credentials.client_id.clone(),
            client_secret: credentials.client_secret.clone(),
            grant_code: Some(credentials.grant_code.clone()),
            grants: BTreeMap::from([(credentials.refresh_token.clone(), Grant::default())]),
            limits,
        }
    }

    pub(super) fn expires_in(&self) -> i64 {
        self.limits.lifetime.num_seconds()
    }

    /// Answers a request for a token with these parameters.
    pub(super) fn issue(
        &mut self,
        parameters: &BTreeMap<String, String>,
        now: DateTime<Utc>,
    ) -> Result<Issued, Refusal> {
        let given = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
        if given("client_id") != self.client_id {
            return Err(Refusal::InvalidClient);
        }
        if given("client_secret") != self.client_secret {
            return Err(Refusal::InvalidClientSecret);
        }
        match given("grant_type") {
            "refresh_token" => {
                let access_token = self.refresh(given("refresh_token"), now)?;
                Ok(Issued { access_token, refresh_token: None })
            }
            "authorization_code" => {
                self.grant_code.take_if(|code| code == given("code")).ok_or(Refusal::InvalidCode)?;
                let refresh_token = random_token();
                self.grants.insert(refresh_token.clone(), Grant::default());
                let access_token = self.refresh(&refresh_token, now)?;
                Ok(Issued { access_token, refresh_token: Some(refresh_token) })
            }
            _ => Err(Refusal::UnsupportedGrant),
        }
    }

    fn refresh(&mut self, refresh_token: &str, now: DateTime<Utc>) -> Result<String, Refusal> {
        let limits = self.limits;
        let grant = self.grants.get_mut(refresh_token).ok_or(Refusal::InvalidCode)?;
        while grant.issued.front().is_some_and(|issued| *issued + WINDOW <= now) {
            grant.issued.pop_front();
        }
        if grant.issued.len() >= limits.per_window {
            return Err(Refusal::Throttled);
        }
        grant.issued.push_back(now);
        grant.active.retain(|active| active.expires > now);
        if grant.active.len() >= MAX_ACTIVE {
            grant.active.pop_front();
        }
        let token = random_token();
        grant.active.push_back(Active { token: token.clone(), expires: now + limits.lifetime });
        Ok(token)
    }

    /// When the access token ends; `None` when it is not valid.
    pub(super) fn expiry(&self, access_token: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.grants
            .values()
            .flat_map(|grant| &grant.active)
            .find(|active| active.token == access_token && active.expires > now)
            .map(|active| active.expires)
    }

    /// Ends an access token now.
    pub(super) fn expire(&mut self, access_token: &str) {
        for grant in self.grants.values_mut() {
            grant.active.retain(|active| active.token != access_token);
        }
    }

    /// Revokes a refresh token with its access tokens, or one access token. Says whether there was
    /// one.
    pub(super) fn revoke(&mut self, token: &str, now: DateTime<Utc>) -> bool {
        let known = self.expiry(token, now).is_some();
        self.expire(token);
        self.grants.remove(token).is_some() || known
    }
}

/// A token as the vendor's look: `1000.<32 hex digits>.<32 hex digits>`.
fn random_token() -> String {
    format!("1000.{}.{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { lifetime: Duration::seconds(3600), per_window: 10 };

    fn store(limits: Limits) -> (TokenStore, BTreeMap<String, String>) {
        let credentials = Credentials::from_seed(1);
        let parameters = [
            ("grant_type", "refresh_token"),
            ("client_id", &credentials.client_id),
            ("client_secret", &credentials.client_secret),
            ("refresh_token", &credentials.refresh_token),
            ("code", &credentials.grant_code),
        ];
        let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        (TokenStore::new(&credentials, limits), parameters)
    }

    #[test]
    fn the_eleventh_token_in_ten_minutes_is_refused_until_the_window_has_moved() {
        let (mut store, parameters) = store(LIMITS);
        let start = DateTime::UNIX_EPOCH;
        for _ in 0..10 {
            assert!(store.issue(&parameters, start).is_ok());
        }
        assert_eq!(store.issue(&parameters, start + Duration::seconds(599)), Err(Refusal::Throttled));
        assert!(store.issue(&parameters, start + WINDOW).is_ok());
    }

    #[test]
    fn the_sixteenth_active_token_drops_the_oldest() {
        let (mut store, parameters) = store(Limits { per_window: 100, ..LIMITS });
        let now = DateTime::UNIX_EPOCH;
        let tokens: Vec<_> = (0..16).map(|_| store.issue(&parameters, now).unwrap().access_token).collect();
        assert_eq!(store.expiry(&tokens[0], now), None);
        assert!(store.expiry(&tokens[1], now).is_some());
    }

    #[test]
    fn a_token_is_valid_for_its_lifetime_only() {
        let (mut store, parameters) = store(LIMITS);
        let now = DateTime::UNIX_EPOCH;
        let token = store.issue(&parameters, now).unwrap().access_token;
        assert!(store.expiry(&token, now + Duration::seconds(3599)).is_some());
        assert_eq!(store.expiry(&token, now + Duration::seconds(3600)), None);
    }

    #[test]
    fn a_grant_code_is_good_once_and_its_refresh_token_for_ever() {
        let (mut store, mut parameters) = store(LIMITS);
        let now = DateTime::UNIX_EPOCH;
        parameters.insert("grant_type".to_owned(), "authorization_code".to_owned());
        let refresh_token = store.issue(&parameters, now).unwrap().refresh_token.unwrap();
        assert_eq!(store.issue(&parameters, now), Err(Refusal::InvalidCode));
        parameters.insert("grant_type".to_owned(), "refresh_token".to_owned());
        parameters.insert("refresh_token".to_owned(), refresh_token.clone());
        let access_token = store.issue(&parameters, now).unwrap().access_token;
        assert!(store.revoke(&refresh_token, now));
        assert_eq!(store.expiry(&access_token, now), None);
        assert_eq!(store.issue(&parameters, now), Err(Refusal::InvalidCode));
        assert!(!store.revoke(&refresh_token, now));
    }
}
