//! A bucket of an S3-compatible store, over rolecall's own HTTP client and TLS.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use object_store::{
    BackoffConfig, ClientConfigKey, ClientOptions, ObjectStore, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey, Checksum},
    client::{HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService},
};
use reqwest::redirect::Policy;
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::tls::{self, is_this_machine};

/// How long a connection may take to open.
const CONNECT: Duration = Duration::from_secs(5);
/// How often a call that failed is tried again, and for how long.
const RETRIES: usize = 4;
const RETRY_FOR: Duration = Duration::from_secs(15);
/// The region of a store that has none, and of AWS if none is named.
const REGION: &str = "us-east-1";

/// A bucket cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    /// A certificate authority cannot be read.
    #[error("`evidence.s3.ca_file` has no certificate that can be read: {0}")]
    Certificate(reqwest::Error),
    /// The settings contradict each other, or no client can be made.
    #[error("the object store cannot be set up: {0}")]
    Setup(#[from] object_store::Error),
}

/// A bucket, and how rolecall signs in.
pub struct S3 {
    /// Its name.
    pub bucket: String,
    /// The region; `None` for the default.
    pub region: Option<String>,
    /// The address of the store; `None` for AWS.
    pub endpoint: Option<Url>,
    /// Certificate authorities to trust besides the system's, in PEM.
    pub roots: Option<Vec<u8>>,
    /// How rolecall signs in.
    pub credentials: Credentials,
}

impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3").field("bucket", &self.bucket).field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// How rolecall signs in to an object store. Nothing is tried that is not named here.
pub enum Credentials {
    /// By an access key.
    Key {
        /// Its id.
        id: SecretString,
        /// Its secret.
        secret: SecretString,
        /// The token of a temporary key.
        token: Option<SecretString>,
    },
    /// By a token in a file, for which the store's token service gives a temporary key.
    WebIdentity {
        /// The file.
        token: PathBuf,
        /// The role to take.
        role: String,
        /// The name of the session.
        session: Option<String>,
        /// The address of the token service; `None` for that of AWS.
        service: Option<String>,
    },
    /// By the role of a task: the path of its credentials.
    Task(String),
    /// By the role of a pod: the address of its credentials, and the file with the token for it.
    Pod(String, String),
    /// By the role of the machine, from its metadata service.
    Instance,
}

/// The store of a bucket.
///
/// # Errors
/// [`S3Error`]
pub fn connect(s3: &S3) -> Result<Arc<dyn ObjectStore>, S3Error> {
    let roots = s3.roots.as_deref().map(reqwest::Certificate::from_pem_bundle);
    let roots = roots.transpose().map_err(S3Error::Certificate)?.unwrap_or_default();
    let is_plain = s3.endpoint.as_ref().is_some_and(|endpoint| endpoint.scheme() == "http");
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(4),
            base: 2.0,
        },
        max_retries: RETRIES,
        retry_timeout: RETRY_FOR,
    };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&s3.bucket)
        .with_region(s3.region.as_deref().unwrap_or(REGION))
        // A name with a dot does not match the store's certificate.
        .with_virtual_hosted_style_request(s3.endpoint.is_none() && !s3.bucket.contains('.'))
        .with_client_options(ClientOptions::new().with_allow_http(is_plain))
        // A put into a bucket with a default retention needs one.
        .with_checksum_algorithm(Checksum::SHA256)
        // Not every store has the call that removes several objects.
        .with_disable_bulk_delete(true)
        .with_retry(retry)
        .with_http_connector(Connector { roots, is_local: s3.endpoint.as_ref().is_some_and(is_this_machine) });
    if let Some(endpoint) = &s3.endpoint {
        builder = builder.with_endpoint(endpoint.as_str().trim_end_matches('/')).with_allow_http(is_plain);
    }
    Ok(Arc::new(signed_in(builder, &s3.credentials).build()?))
}

fn signed_in(builder: AmazonS3Builder, credentials: &Credentials) -> AmazonS3Builder {
    use AmazonS3ConfigKey as Key;
    let set = |builder: AmazonS3Builder, key: Key, value: Option<&str>| match value {
        Some(value) => builder.with_config(key, value),
        None => builder,
    };
    match credentials {
        Credentials::Key { id, secret, token } => {
            let builder = builder.with_access_key_id(id.expose_secret()).with_secret_access_key(secret.expose_secret());
            set(builder, Key::Token, token.as_ref().map(secrecy::ExposeSecret::expose_secret))
        }
        Credentials::WebIdentity { token, role, session, service } => {
            let builder = set(builder, Key::WebIdentityTokenFile, token.to_str());
            let builder = set(builder, Key::RoleArn, Some(role));
            let builder = set(builder, Key::RoleSessionName, session.as_deref());
            set(builder, Key::StsEndpoint, service.as_deref())
        }
        Credentials::Task(path) => set(builder, Key::ContainerCredentialsRelativeUri, Some(path)),
        Credentials::Pod(address, token) => {
            let builder = set(builder, Key::ContainerCredentialsFullUri, Some(address));
            set(builder, Key::ContainerAuthorizationTokenFile, Some(token))
        }
        // What the builder does if nothing else is there.
        Credentials::Instance => builder,
    }
}

/// Makes HTTP clients.
#[derive(Debug)]
struct Connector {
    roots: Vec<reqwest::Certificate>,
    /// Whether the store is on this machine, which is never reached through a proxy.
    is_local: bool,
}

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let allows_http = options.get_config_value(&ClientConfigKey::AllowHttp).is_some_and(|value| value == "true");
        let client = if self.is_local { tls::http().no_proxy() } else { tls::http() };
        let client = client
            .https_only(!allows_http)
            // A signature is for one address.
            .redirect(Policy::none())
            .connect_timeout(CONNECT)
            .tls_certs_merge(self.roots.iter().cloned())
            .user_agent(concat!("rolecall/", env!("CARGO_PKG_VERSION")))
            .no_gzip()
            .build();
        let failed = |error: reqwest::Error| object_store::Error::Generic {
            store: "S3",
            source: tls::not_set_up(&error).into(),
        };
        Ok(HttpClient::new(Client(client.map_err(failed)?)))
    }
}

/// What the store said of an object beside its content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// Until when the version must not be removed, and in which mode.
    pub(super) retention: Option<(String, String)>,
}

/// The HTTP client of a store.
#[derive(Debug)]
struct Client(reqwest::Client);

#[async_trait]
impl HttpService for Client {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let mut answer = self.0.call(request).await?;
        let header = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let retention = header("x-amz-object-lock-retain-until-date").zip(header("x-amz-object-lock-mode"));
        answer.extensions_mut().insert(Said { retention });
        Ok(answer)
    }
}
