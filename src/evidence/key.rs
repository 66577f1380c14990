//! The key that signs evidence: one of OpenSSH's, so that `ssh-keygen -Y verify` needs nothing from rolecall.

use std::{fs, io, path::Path};

use secrecy::SecretString;
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey};

use super::{NAMESPACE, PRINCIPAL, storage::bounded};

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

/// The largest file of a key, in bytes.
const LARGEST: u64 = 64 << 10;

/// The last line of a key.
const END: &str = "-----END OPENSSH PRIVATE KEY-----";

/// What a text is in place of an OpenSSH private key; `None` if that is not known.
fn another(text: &str) -> Option<&'static str> {
    let text = text.trim_start();
    if text.is_empty() {
        Some("it is empty")
    } else if ["ssh-", "ecdsa-", "sk-"].iter().any(|start| text.starts_with(start)) {
        Some("it is the public half; expected the private key, whose file has the same name without .pub")
    } else if text.starts_with("-----BEGIN") && !text.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----") {
        Some("it is a key in PEM, not in OpenSSH's format")
    } else {
        None
    }
}

/// The text of a small regular file. Nothing is opened that may never end.
fn text_of(path: &Path) -> io::Result<String> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let bytes = bounded(fs::File::open(path)?, LARGEST)?;
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8"))
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
        let text = text_of(path).map_err(|source| KeyError::File { path: shown.clone(), source })?;
        let text = text.trim_start_matches('\u{feff}');
        let no_key = |reason: &str| KeyError::NoKey { path: shown.clone(), reason: reason.to_owned() };
        if let Some(reason) = another(text) {
            return Err(no_key(reason));
        }
        // Blank lines around it, and the public half or anything else after it, are fine with ssh-keygen too.
        let text = text.find(END).map_or(text, |at| &text[..at + END.len()]);
        let key = PrivateKey::from_openssh(format!("{}\n", text.trim()))
            .map_err(|error| no_key(&format!("{error}; expected ssh-ed25519")))?;
        if key.is_encrypted() {
            return Err(KeyError::Protected { path: shown });
        }
        // Keys of other algorithms may sign what people send, and not evidence: whoever verifies it expects one kind.
        let algorithm = key.algorithm();
        if algorithm != Algorithm::Ed25519 {
            return Err(no_key(&format!("it is of the algorithm {algorithm}; expected ssh-ed25519")));
        }
        let key = Self(key);
        key.sign(b"probe")?;
        Ok(key)
    }

    /// Makes a new Ed25519 key.
    ///
    /// # Errors
    /// [`KeyError::Sign`] if the system has no randomness.
    pub fn generate(comment: &str) -> Result<Self, KeyError> {
        let mut key = PrivateKey::random(&mut ssh_key::rand_core::OsRng, Algorithm::Ed25519).map_err(KeyError::Sign)?;
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

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn only_a_key_that_can_sign_is_read_and_another_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let keygen = |name: &str, more: &[&str]| {
            let path = folder.path().join(name);
            let made = Command::new("ssh-keygen").args(["-q", "-f"]).arg(&path).args(more).status().unwrap();
            assert!(made.success());
            path
        };
        let good = keygen("good", &["-t", "ed25519", "-N", ""]);
        let text = fs::read_to_string(&good).unwrap();
        assert!(SigningKey::read(&good).is_ok());
        let written = |text: &str| {
            let path = folder.path().join("written");
            fs::write(&path, text).unwrap();
            SigningKey::read(&path).map(|key| key.fingerprint()).map_err(|error| error.to_string())
        };
        let public = fs::read_to_string(good.with_added_extension("pub")).unwrap();
        for same in [
            format!("{text}\n\n"),
            format!("\n{text}"),
            text.trim_end().to_owned(),
            text.replace('\n', "\r\n"),
            format!("\u{feff}{text}"),
            format!("{text}{public}"),
            format!("{text}\n# the key of 2026\n"),
        ] {
            assert!(written(&same).is_ok(), "{same:?}");
        }
        let said = |path: &Path| SigningKey::read(path).unwrap_err().to_string();
        for (path, expected) in [
            (keygen("rsa", &["-t", "rsa", "-b", "2048", "-N", ""]), "expected ssh-ed25519"),
            (keygen("ecdsa", &["-t", "ecdsa", "-N", ""]), "expected ssh-ed25519"),
            (keygen("pem", &["-t", "rsa", "-m", "PEM", "-b", "2048", "-N", ""]), "in PEM"),
            (keygen("protected", &["-t", "ed25519", "-N", "passphrase"]), "protected by a passphrase"),
            (good.with_added_extension("pub"), "the public half"),
            (folder.path().to_owned(), "not a regular file"),
            (folder.path().join("none"), "No such file"),
            ("/dev/zero".into(), "not a regular file"),
        ] {
            assert!(said(&path).contains(expected), "{}: {}", path.display(), said(&path));
        }
        assert!(written(&format!("\u{feff}{public}")).unwrap_err().contains("the public half"));
        assert!(written("").unwrap_err().contains("it is empty"));
        assert!(written(&text[..text.len() / 2]).is_err());
    }
}
