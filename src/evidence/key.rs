//! The key that signs evidence: one of OpenSSH's, so that `ssh-keygen -Y verify` needs nothing from rolecall.

use std::{fs, path::Path};

use secrecy::SecretString;
use ssh_key::{HashAlg, LineEnding, PrivateKey};

use super::{NAMESPACE, PRINCIPAL};

/// A key cannot be read or cannot sign.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// It has no usable key.
    #[error(
        "{path} is not an OpenSSH private key that can sign: {reason}. Create one with `rolecall evidence init-key` or `ssh-keygen -t ed25519 -N '' -f FILE`"
    )]
    NoKey {
        /// The file.
        path: String,
        /// Why not.
        reason: String,
    },
    /// It has a passphrase.
    #[error(
        "{path} is protected by a passphrase, which a daemon cannot enter; use a key without one that only the service can read"
    )]
    Protected {
        /// The file.
        path: String,
    },
    /// It cannot sign.
    #[error("the key cannot sign: {0}")]
    Sign(ssh_key::Error),
}

/// A key that signs.
pub struct SigningKey(PrivateKey);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.fingerprint())
    }
}

impl SigningKey {
    /// Reads a key.
    ///
    /// # Errors
    /// [`KeyError`]
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let shown = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|source| KeyError::File { path: shown.clone(), source })?;
        let key = PrivateKey::from_openssh(text)
            .map_err(|error| KeyError::NoKey { path: shown.clone(), reason: error.to_string() })?;
        if key.is_encrypted() {
            return Err(KeyError::Protected { path: shown });
        }
        Ok(Self(key))
    }

    /// Makes a new Ed25519 key.
    ///
    /// # Errors
    /// [`KeyError::Sign`] if the system has no randomness.
    pub fn generate(comment: &str) -> Result<Self, KeyError> {
        let mut key =
            PrivateKey::random(&mut ssh_key::rand_core::OsRng, ssh_key::Algorithm::Ed25519).map_err(KeyError::Sign)?;
        key.set_comment(comment);
        Ok(Self(key))
    }

    /// Writes the key into a new file that only its owner may read, and the public half beside it, as `ssh-keygen` does.
    ///
    /// # Errors
    /// [`KeyError`], also if such a file exists.
    pub fn write(&self, path: &Path) -> Result<(), KeyError> {
        use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
        let text = self.0.to_openssh(LineEnding::LF).map_err(KeyError::Sign)?;
        let public = path.with_added_extension("pub");
        for (path, mode, text) in [(path, 0o600, text.as_str()), (&public, 0o644, &format!("{}\n", self.public()?))] {
            let created = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path);
            created
                .and_then(|mut file| file.write_all(text.as_bytes()))
                .map_err(|source| KeyError::File { path: path.display().to_string(), source })?;
        }
        Ok(())
    }

    /// The private key in OpenSSH's format.
    ///
    /// # Errors
    /// [`KeyError::Sign`] if it cannot be encoded.
    pub fn private(&self) -> Result<SecretString, KeyError> {
        Ok(self.0.to_openssh(LineEnding::LF).map_err(KeyError::Sign)?.as_str().into())
    }

    /// The public half in one line.
    ///
    /// # Errors
    /// [`KeyError::Sign`] if it cannot be encoded.
    pub fn public(&self) -> Result<String, KeyError> {
        self.0.public_key().to_openssh().map_err(KeyError::Sign)
    }

    /// The line of an `allowed_signers` file by which others trust this key.
    ///
    /// # Errors
    /// [`KeyError::Sign`] if it cannot be encoded.
    pub fn signer(&self) -> Result<String, KeyError> {
        Ok(format!("{PRINCIPAL} namespaces=\"{NAMESPACE}\" {}", self.public()?))
    }

    /// The fingerprint, as `ssh-keygen -l` shows it.
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }

    /// Signs, in OpenSSH's format.
    ///
    /// # Errors
    /// [`KeyError::Sign`]
    pub fn sign(&self, message: &[u8]) -> Result<String, KeyError> {
        let signature = self.0.sign(NAMESPACE, HashAlg::Sha512, message).map_err(KeyError::Sign)?;
        signature.to_pem(LineEnding::LF).map_err(KeyError::Sign)
    }
}
