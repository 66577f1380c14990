//! Where evidence is kept.

use std::path::PathBuf;

use url::Url;

use super::SecretSource;

/// A folder or an object store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EvidencePlace {
    /// A folder.
    Folder(PathBuf),
    /// A bucket of an object store.
    Bucket(Box<Bucket>),
}

/// A bucket of an S3-compatible object store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// What every key begins with; empty if nothing.
    pub prefix: String,
    /// The region; `None` for that of the environment.
    pub region: Option<String>,
    /// The address of the store; `None` for AWS.
    pub endpoint: Option<Url>,
    /// A PEM file with certificate authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// How rolecall signs in.
    pub credentials: BucketCredentials,
    /// The folder where bags wait while the store cannot be reached.
    pub spool: PathBuf,
    /// How many bytes may wait there.
    pub spool_bytes: u64,
}

/// How rolecall signs in to an object store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BucketCredentials {
    /// By a key of the configuration.
    Key {
        /// Its id.
        id: SecretSource,
        /// Its secret.
        secret: SecretSource,
    },
    /// By what the environment has.
    Environment,
    /// By the role of the machine.
    Instance,
}
