//! Sign-in by OpenID Connect: authorization code with PKCE, and a verified ID token. A person is known by issuer and subject;
//! the address counts only if the provider says that it is verified, or the configuration trusts its addresses.

mod claims;
mod pending;
mod wire;

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::{
    AuthenticationFlow, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields, IssuerUrl, LogoutRequest, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl, ProviderMetadataWithLogout,
    RedirectUrl, Scope, StandardErrorResponse, StandardTokenResponse, TokenResponse as _, UserInfoClaims,
    core::{
        CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
        CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreResponseType, CoreRevocableToken,
        CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
    },
};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use self::{
    claims::{Known, Others},
    pending::Pending,
    wire::{Wire, text},
};
use crate::{
    clock::Clock,
    store::sessions::{Identity, SecretDigest, SignedIn},
};

/// Where the provider sends people back to.
pub(super) const BACK: &str = "/sign-in/oidc/back";
/// A clock of a provider may be this much behind ours.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);
/// Signatures that are accepted. None of them is made with the client's secret.
const SIGNATURES: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

type Tokens = StandardTokenResponse<
    IdTokenFields<
        Others,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

type OidcClient = Client<
    Others,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What is known of a provider beforehand.
pub struct Setup {
    /// The issuer, exactly as the provider states it.
    pub issuer: String,
    /// The client id.
    pub client_id: String,
    /// The client secret; `None` for a public client.
    pub client_secret: Option<SecretString>,
    /// Scopes besides openid, email and profile.
    pub scopes: Vec<String>,
    /// The claim with the groups of a person.
    pub groups_claim: String,
    /// Whether an address counts that the provider does not call verified.
    pub trust_email: bool,
}

/// A sign-in failed. The text is for the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum OidcError {
    /// The configuration cannot be used.
    #[error("the configuration of the identity provider cannot be used: {0}")]
    Setup(String),
    /// The provider does not answer, or not as it should.
    #[error("the identity provider {issuer} cannot be used: {reason}")]
    Provider {
        /// The issuer.
        issuer: String,
        /// Why not.
        reason: String,
    },
    /// The answer does not belong to a sign-in that this browser began a short time ago.
    #[error("the answer does not belong to a sign-in that this browser began in the last 10 minutes")]
    Unexpected,
    /// The provider refused.
    #[error("the identity provider refused: {0}")]
    Refused(String),
    /// The ID token cannot be relied on.
    #[error("the ID token is refused: {0}")]
    Token(String),
    /// The person did not prove again who it is.
    #[error(
        "the identity provider does not say that {0} signed in again just now (`auth_time`), although it was asked to (`prompt=login`, `max_age=0`)"
    )]
    NotAgain(String),
    /// The provider gives no address.
    #[error(
        "the identity provider gives no usable address for the subject {0:?}; ask it for the claim `email` with `scopes`"
    )]
    NoAddress(String),
    /// The address is not verified.
    #[error(
        "the identity provider does not call the address of the subject {0:?} verified (`email_verified`); if nobody can choose an address there, set `[console.oidc] trust_email = true`"
    )]
    Unverified(String),
}

/// A provider, and the sign-ins that are under way there.
pub(super) struct Provider {
    setup: Setup,
    redirect: RedirectUrl,
    wire: Wire,
    clock: Clock,
    pending: Mutex<Pending>,
}

/// What a browser brings back from the provider.
pub(super) struct Answer {
    /// The state of its sign-in.
    pub(super) state: String,
    /// The code.
    pub(super) code: String,
    /// The issuer (RFC 9207); `None` if the provider does not say it.
    pub(super) issuer: Option<String>,
}

impl Provider {
    /// A provider that sends people back to a console.
    pub(super) fn new(setup: Setup, origin: &Url, clock: Clock) -> Result<Self, OidcError> {
        let failed = |reason: String| OidcError::Setup(reason);
        let redirect = origin.join(BACK).map_err(|error| failed(error.to_string()))?;
        let wire = Wire::new(&setup.issuer).map_err(failed)?;
        Ok(Self { redirect: RedirectUrl::from_url(redirect), wire, clock, pending: Mutex::default(), setup })
    }

    /// Begins a sign-in. Gives the address at the provider. `browser` is a secret that only this browser has.
    /// With `again`, the person has to prove again who it is.
    pub(super) async fn begin(
        &self,
        browser: SecretDigest,
        next: Option<String>,
        again: bool,
    ) -> Result<Url, OidcError> {
        let client = self.client().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let scopes = ["email", "profile"].into_iter().chain(self.setup.scopes.iter().map(String::as_str));
        let mut request = client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(scopes.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge);
        if again {
            // With `max_age`, the provider has to say when the person proved it (OpenID Connect Core, 3.1.2.1).
            request = request.add_prompt(CoreAuthPrompt::Login).set_max_age(Duration::ZERO);
        }
        let (url, state, nonce) = request.url();
        let now = self.clock.now();
        let (nonce, verifier) = (nonce.secret().clone(), verifier.secret().clone());
        let one = pending::One { browser, nonce, verifier, again: again.then_some(now), next };
        self.pending().keep(SecretDigest::of(state.secret()), one, now);
        Ok(url)
    }

    /// Ends a sign-in. Gives who it is, and where to go.
    pub(super) async fn end(
        &self,
        browser: Option<SecretDigest>,
        answer: Answer,
    ) -> Result<(SignedIn, Option<String>), OidcError> {
        let state = SecretDigest::of(&answer.state);
        let taken = self.pending().take(state, self.clock.now());
        let one = taken.filter(|one| Some(one.browser) == browser).ok_or(OidcError::Unexpected)?;
        if answer.issuer.is_some_and(|issuer| issuer != self.setup.issuer) {
            return Err(OidcError::Refused("the answer is from another issuer".to_owned()));
        }
        // The keys are read now, so that one that was replaced in the meantime is known.
        let client = self.client().await?;
        let exchange = client.exchange_code(AuthorizationCode::new(answer.code));
        let exchange = exchange.map_err(|error| self.unusable(&error))?;
        let tokens = exchange
            .set_pkce_verifier(PkceCodeVerifier::new(one.verifier))
            .request_async(&self.wire)
            .await
            .map_err(|error| OidcError::Refused(text(&error)))?;
        let who = self.who(&client, &tokens, &Nonce::new(one.nonce)).await?;
        if let Some(began) = one.again
            && who.proven_at.is_none_or(|at| at < began - LEEWAY)
        {
            return Err(OidcError::NotAgain(who.address.to_string()));
        }
        Ok((who, one.next))
    }

    /// Who signed in, by a verified ID token, and by the provider's answer about the same subject if the token lacks the
    /// address or the groups.
    async fn who(&self, client: &OidcClient, tokens: &Tokens, nonce: &Nonce) -> Result<SignedIn, OidcError> {
        let token = tokens.id_token().ok_or_else(|| OidcError::Token("there is none".to_owned()))?;
        let latest = self.clock.now() - LEEWAY;
        let verifier = client.id_token_verifier().set_allowed_algs(SIGNATURES).set_time_fn(move || latest);
        let claims = token.claims(&verifier, nonce).map_err(|error| OidcError::Token(text(&error)))?;
        let mut known = Known::of_token(claims, &self.setup.groups_claim);
        if known.is_incomplete() && client.user_info_url().is_some() {
            let request = client.user_info(tokens.access_token().clone(), Some(claims.subject().clone()));
            let request = request.map_err(|error| self.unusable(&error))?;
            let told: UserInfoClaims<Others, CoreGenderClaim> =
                request.request_async(&self.wire).await.map_err(|error| self.unusable(&error))?;
            known.complete(&told, &self.setup.groups_claim);
        }
        let identity = Identity { issuer: self.setup.issuer.clone(), subject: claims.subject().to_string() };
        known.signed_in(identity, self.setup.trust_email)
    }

    /// Where people sign out at the provider, and come back to a page of the console. `None` if the provider has no such page.
    pub(super) async fn leave(&self, back: Url) -> Result<Option<Url>, OidcError> {
        let metadata = self.metadata().await?;
        let endpoint = metadata.additional_metadata().end_session_endpoint.clone();
        let endpoint = endpoint.filter(|endpoint| self.wire.is_safe(endpoint.url()));
        Ok(endpoint.map(|endpoint| {
            let request = LogoutRequest::from(endpoint).set_client_id(ClientId::new(self.setup.client_id.clone()));
            request.set_post_logout_redirect_uri(PostLogoutRedirectUrl::from_url(back)).http_get_url()
        }))
    }

    /// The provider as it describes itself now.
    async fn metadata(&self) -> Result<ProviderMetadataWithLogout, OidcError> {
        let issuer = IssuerUrl::new(self.setup.issuer.clone()).map_err(|error| self.unusable(&error))?;
        let metadata = ProviderMetadataWithLogout::discover_async(issuer, &self.wire).await;
        metadata.map_err(|error| self.unusable(&error))
    }

    /// The provider as it describes itself now, with its keys.
    async fn client(&self) -> Result<OidcClient, OidcError> {
        let metadata = self.metadata().await?;
        let id = ClientId::new(self.setup.client_id.clone());
        let secret = self.setup.client_secret.as_ref();
        let secret = secret.map(|secret| ClientSecret::new(secret.expose_secret().to_owned()));
        Ok(Client::from_provider_metadata(metadata, id, secret).set_redirect_uri(self.redirect.clone()))
    }

    fn unusable(&self, error: &dyn std::error::Error) -> OidcError {
        OidcError::Provider { issuer: self.setup.issuer.clone(), reason: text(error) }
    }

    fn pending(&self) -> std::sync::MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a browser may take at the provider.
pub(super) const LONGEST: TimeDelta = TimeDelta::minutes(10);

/// Whether a sign-in that began at a time is over.
fn is_over(began: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    !(TimeDelta::zero()..LONGEST).contains(&(now - began))
}
