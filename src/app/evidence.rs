//! Where evidence is kept, from the configuration and, for an object store, what the environment says of credentials.

use std::{env, sync::Arc};

use secrecy::SecretString;

use super::{AppError, read};
use crate::{
    config::settings::{Bucket, BucketCredentials, Evidence, EvidencePlace},
    evidence::storage::{
        Storage,
        folder::Folder,
        objects::{
            Objects,
            s3::{self, Credentials, S3, S3Error},
        },
    },
};

/// An object store cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum BucketError {
    /// The certificate authorities cannot be read.
    #[error("`evidence.s3.ca_file`: {path} cannot be read: {source}")]
    Roots {
        /// The file.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// There are no credentials.
    #[error(
        "there are no credentials for {0}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN, or `access_key_id` and `secret_access_key` in [evidence.s3]. Profiles in ~/.aws are not read, and the metadata service of the machine only with `credentials = \"instance\"`"
    )]
    NoCredentials(String),
    /// The settings do not fit together.
    #[error(transparent)]
    S3(#[from] S3Error),
    /// No thread can be started.
    #[error("{place} cannot be set up: {source}")]
    Objects {
        /// The address.
        place: String,
        /// Why not.
        source: std::io::Error,
    },
}

/// The storage of evidence. Nothing is read or written yet.
///
/// # Errors
/// [`AppError`]
pub fn evidence_storage(evidence: &Evidence) -> Result<Arc<dyn Storage>, AppError> {
    Ok(match &evidence.place {
        EvidencePlace::Folder(path) => Arc::new(Folder::new(path)),
        EvidencePlace::Bucket(bucket) => Arc::new(objects(bucket)?),
    })
}

/// The storage in a bucket.
///
/// # Errors
/// [`AppError`]
pub fn objects(bucket: &Bucket) -> Result<Objects, AppError> {
    let place = address(bucket);
    let roots = bucket
        .ca_file
        .as_ref()
        .map(|path| super::pem(path).map_err(|source| BucketError::Roots { path: path.display().to_string(), source }));
    let region = bucket.region.clone().or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION"));
    let s3 = S3 {
        bucket: bucket.name.clone(),
        region,
        endpoint: bucket.endpoint.clone(),
        roots: roots.transpose()?,
        credentials: credentials(&bucket.credentials, &place)?,
    };
    let store = s3::connect(&s3).map_err(BucketError::S3)?;
    let objects = Objects::new(store, &bucket.prefix, place.clone(), bucket.spool.clone(), bucket.spool_bytes);
    Ok(objects.map_err(|source| BucketError::Objects { place, source })?)
}

/// The address of a bucket and prefix.
fn address(bucket: &Bucket) -> String {
    format!("s3://{}/{}", bucket.name, bucket.prefix).trim_end_matches('/').to_owned()
}

fn credentials(configured: &BucketCredentials, place: &str) -> Result<Credentials, AppError> {
    let found = match configured {
        BucketCredentials::Key { id, secret } => {
            let id = read("evidence.s3.access_key_id".to_owned(), id)?;
            let secret = read("evidence.s3.secret_access_key".to_owned(), secret)?;
            Some(Credentials::Key { id, secret, token: None })
        }
        BucketCredentials::Environment => from_environment(&variable),
        BucketCredentials::Instance => Some(Credentials::Instance),
    };
    Ok(found.ok_or_else(|| BucketError::NoCredentials(place.to_owned()))?)
}

/// The credentials that the environment names, in the order of AWS's own tools.
fn from_environment(variable: &dyn Fn(&str) -> Option<String>) -> Option<Credentials> {
    let secret = |name: &str| variable(name).map(SecretString::from);
    if let Some((id, secret_key)) = secret("AWS_ACCESS_KEY_ID").zip(secret("AWS_SECRET_ACCESS_KEY")) {
        return Some(Credentials::Key { id, secret: secret_key, token: secret("AWS_SESSION_TOKEN") });
    }
    if let Some((token, role)) = variable("AWS_WEB_IDENTITY_TOKEN_FILE").zip(variable("AWS_ROLE_ARN")) {
        return Some(Credentials::WebIdentity {
            token: token.into(),
            role,
            session: variable("AWS_ROLE_SESSION_NAME"),
            service: variable("AWS_ENDPOINT_URL_STS"),
        });
    }
    if let Some(path) = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
        return Some(Credentials::Task(path));
    }
    let address = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    let (address, token) = address.zip(variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"))?;
    Some(Credentials::Pod(address, token))
}

/// A variable that is set and not empty.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(set: &[(&str, &str)]) -> Option<Credentials> {
        from_environment(&|name| set.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn credentials_are_taken_from_the_environment_in_the_usual_order() {
        let key = [("AWS_ACCESS_KEY_ID", "AKIA"), ("AWS_SECRET_ACCESS_KEY", "s")];
        let identity = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"), ("AWS_ROLE_ARN", "arn")];
        assert!(matches!(found(&[key, identity].concat()), Some(Credentials::Key { token: None, .. })));
        assert!(matches!(found(&identity), Some(Credentials::WebIdentity { .. })));
        assert!(matches!(found(&[("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/a")]), Some(Credentials::Task(_))));
        assert!(found(&key[..1]).is_none() && found(&[]).is_none(), "the metadata service is never asked unbidden");
    }
}
