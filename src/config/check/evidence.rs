//! Where evidence is kept: a folder, or an object store and what it needs.

use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use toml::Spanned;
use url::Url;

use super::Checker;
use crate::config::{
    file::{self, evidence::Credentials},
    settings::{Bucket, BucketCredentials, EvidencePlace, relative},
};

/// What an address of evidence looks like.
const EXPECTED: &str = "expected an address such as s3://bucket/prefix or file:///var/lib/rolecall/evidence";
/// Bytes of a megabyte.
const MEGABYTE: u64 = 1 << 20;
/// Default of `spool_megabytes`.
const SPOOL: i64 = 1024;

/// The bucket and the prefix in an address.
type Address = (String, String);

impl Checker<'_> {
    /// Where evidence is kept. Bags wait in a folder `beside` the store if none is named.
    pub(super) fn evidence_place(
        &mut self,
        span: Range<usize>,
        evidence: &file::Evidence,
        beside: &Path,
    ) -> EvidencePlace {
        let folder = |path: &str| EvidencePlace::Folder(relative(self.context.folder, path));
        let place = match (&evidence.directory, &evidence.url) {
            (Some(directory), None) => folder(directory.get_ref()),
            (directory, Some(url)) => {
                if directory.is_some() {
                    self.error(url.span(), "both `directory` and `url` say where evidence is kept", "keep one of them");
                }
                match self.evidence_url(url) {
                    Some(Ok(address)) => return self.bucket(address, evidence, beside),
                    Some(Err(path)) => EvidencePlace::Folder(path),
                    None => folder("evidence"),
                }
            }
            (None, None) => {
                let help = "set directory = \"evidence\", or url = \"s3://bucket/prefix\" for an object store";
                let message = "[evidence] does not say where evidence is kept: it has neither `directory` nor `url`";
                self.error(span, message, help);
                folder("evidence")
            }
        };
        let unused = [
            evidence.s3.as_ref().map(|s3| (s3.span(), "[evidence.s3]")),
            evidence.spool.as_ref().map(|spool| (spool.span(), "`spool`")),
            evidence.spool_megabytes.as_ref().map(|most| (most.span(), "`spool_megabytes`")),
        ];
        for (span, key) in unused.into_iter().flatten().filter(|_| evidence.url.is_none()) {
            let help = "set url = \"s3://bucket/prefix\" in place of `directory`, or remove it";
            self.error(span, format!("{key} is only for evidence in an object store"), help);
        }
        place
    }

    /// The bucket and prefix of an address, or the path of a folder.
    fn evidence_url(&mut self, written: &Spanned<String>) -> Option<Result<Address, PathBuf>> {
        let url = Url::parse(written.get_ref()).ok();
        let plain = url.as_ref().filter(|url| {
            url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.port().is_none()
        });
        let found = match plain.map(|url| (url.scheme(), url)) {
            Some(("s3", url)) => {
                let (bucket, prefix) = (url.host_str().unwrap_or_default(), url.path().trim_matches('/'));
                (is_bucket(bucket) && is_prefix(prefix)).then(|| Ok((bucket.to_owned(), prefix.to_owned())))
            }
            Some(("file", url)) => url.to_file_path().ok().map(Err),
            _ => None,
        };
        if found.is_none() {
            self.error(written.span(), format!("invalid address of evidence `{}`", written.get_ref()), EXPECTED);
        }
        found
    }

    fn bucket(&mut self, (name, prefix): Address, evidence: &file::Evidence, beside: &Path) -> EvidencePlace {
        let spool = evidence.spool.as_ref();
        let spool =
            spool.map_or_else(|| beside.join("evidence-spool"), |spool| relative(self.context.folder, spool.get_ref()));
        let megabytes = self.number(evidence.spool_megabytes.as_ref(), SPOOL, 1..=1_000_000);
        let s3 = evidence.s3.as_ref().map(Spanned::get_ref);
        let endpoint = s3.and_then(|s3| s3.endpoint.as_ref()).and_then(|endpoint| self.endpoint(endpoint));
        let path = |path: &Spanned<String>| relative(self.context.folder, path.get_ref());
        EvidencePlace::Bucket(Box::new(Bucket {
            name,
            prefix,
            region: s3.and_then(|s3| s3.region.as_ref()).map(|region| region.get_ref().clone()),
            endpoint,
            ca_file: s3.and_then(|s3| s3.ca_file.as_ref()).map(path),
            credentials: s3.map_or(BucketCredentials::Environment, |s3| self.bucket_credentials(s3)),
            spool,
            spool_bytes: megabytes.unsigned_abs() * MEGABYTE,
        }))
    }

    fn endpoint(&mut self, endpoint: &Spanned<String>) -> Option<Url> {
        let help = "expected an https URL without a path; http only for this machine (127.0.0.1, localhost)";
        self.safe_url(endpoint, help, |url| url.query().is_none() && url.path() == "/")
    }

    fn bucket_credentials(&mut self, s3: &file::evidence::S3) -> BucketCredentials {
        let key = match (&s3.access_key_id, &s3.secret_access_key) {
            (Some(id), Some(secret)) => Some((id.span(), self.secret(id.get_ref()), self.secret(secret.get_ref()))),
            (Some(one), None) | (None, Some(one)) => {
                let message = "an access key has two parts";
                self.error(one.span(), message, "set `access_key_id` and `secret_access_key`, or neither");
                None
            }
            (None, None) => None,
        };
        match (key, &s3.credentials) {
            (Some((span, id, secret)), chain) => {
                if chain.is_some() {
                    self.error(span, "there are both an access key and `credentials`", "keep one of them");
                }
                BucketCredentials::Key { id, secret }
            }
            (None, Some(written)) if *written.get_ref() == Credentials::Instance => BucketCredentials::Instance,
            (None, _) => BucketCredentials::Environment,
        }
    }
}

/// Whether a text can be the name of a bucket.
fn is_bucket(name: &str) -> bool {
    let is_good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | '_');
    (3..=63).contains(&name.len()) && name.chars().all(is_good)
}

/// Whether a text is a prefix of keys that need no encoding.
fn is_prefix(prefix: &str) -> bool {
    let is_good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let is_part = |part: &str| !part.is_empty() && part.chars().all(is_good) && part != "." && part != "..";
    prefix.is_empty() || prefix.split('/').all(is_part)
}
