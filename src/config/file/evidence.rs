//! An object store for evidence as written.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::Secret;

/// How an S3-compatible object store is reached.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct S3 {
    /// The region. Without it, the one in `AWS_REGION` or `AWS_DEFAULT_REGION`, else `us-east-1`.
    #[schemars(with = "Option<String>")]
    pub(crate) region: Option<Spanned<String>>,
    /// The address of a store other than AWS, such as `https://minio.example.com:9000`.
    #[schemars(with = "Option<String>")]
    pub(crate) endpoint: Option<Spanned<String>>,
    /// A PEM file with certificate authorities to trust besides the system's.
    #[schemars(with = "Option<String>")]
    pub(crate) ca_file: Option<Spanned<String>>,
    /// Where credentials come from: `environment` (default) or `instance`, the metadata service of a machine in AWS.
    #[schemars(with = "Option<Credentials>")]
    pub(crate) credentials: Option<Spanned<Credentials>>,
    /// The id of an access key, in place of credentials from the environment.
    #[schemars(with = "Option<Secret>")]
    pub(crate) access_key_id: Option<Spanned<Secret>>,
    /// The secret of that key.
    #[schemars(with = "Option<Secret>")]
    pub(crate) secret_access_key: Option<Spanned<Secret>>,
}

/// Where credentials come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Credentials {
    /// Variables of the environment: a key, a web identity (a service account of Kubernetes), or a container's.
    Environment,
    /// The metadata service of the machine.
    Instance,
}
