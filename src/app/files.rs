//! The files that a configuration names, tried before they are needed.

use std::{fs, io, path::Path};

use super::pem;
use crate::{
    config::settings::Settings,
    connections::certificate::{Certificate, CertificateError},
    timestamp::Roots,
};

/// A file that cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub struct BadFile {
    /// The key of the configuration that names it.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to do.
    pub help: &'static str,
}

/// Tries each file: rosters can be read, and there are certificates where certificates are expected.
pub fn try_files(settings: &Settings) -> Vec<BadFile> {
    let rosters = settings.roster_files().into_iter().filter_map(|(key, path)| {
        let problem = readable(path).err().map(|error| unreadable(path, &error))?;
        Some(BadFile { key, problem, help: "expected a file that the account of rolecall can read" })
    });
    let certificates = settings.certificate_files().into_iter().filter_map(|(key, path)| {
        let help = "expected a PEM file with certificates, as they begin with -----BEGIN CERTIFICATE-----";
        Some(BadFile { key: key.to_owned(), problem: authorities(path).err()?, help })
    });
    let console = settings.console.as_ref().and_then(|console| {
        let tls = console.tls.as_ref()?;
        let error = Certificate::read(&tls.certificate, &tls.key).err()?;
        let key = match error {
            CertificateError::Certificate { .. } => "console.certificate",
            CertificateError::Key { .. } => "console.key",
        };
        let help = "expected PEM files with a certificate, those that lead to its authority, and its private key";
        Some(BadFile { key: key.to_owned(), problem: error.to_string(), help })
    });
    rosters.chain(certificates).chain(console).collect()
}

fn readable(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
    }
    fs::File::open(path).map(|_| ())
}

/// Whether there is a certificate to trust.
fn authorities(path: &Path) -> Result<(), String> {
    let pem = pem(path).map_err(|error| unreadable(path, &error))?;
    Roots::from_pem(&pem).map(|_| ()).map_err(|error| format!("{} cannot be used: {error}", path.display()))
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("{} cannot be read: {error}", path.display())
}
