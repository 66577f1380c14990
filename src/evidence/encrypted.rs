//! An export for nobody but its recipients: encrypted with age (<https://age-encryption.org/v1>). It is sealed and signed before:
//! age says nothing about who encrypted.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use age::{Encryptor, x25519::Recipient};

/// How the text of a private key begins.
const PRIVATE: &str = "age-secret-key-";

/// The public keys of those who can open an export. There is at least one.
pub struct Recipients(Vec<Recipient>);

impl std::fmt::Debug for Recipients {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recipients({})", self.0.len())
    }
}

/// A text is not a recipient. It is not repeated: it may be a private key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecipientError {
    /// It is a private key.
    #[error(
        "recipient {0} is a private key, which nobody else should see. Expected the public key, which begins with age1: `age-keygen -y FILE` shows it"
    )]
    Private(usize),
    /// It is something else.
    #[error("recipient {0} is not a public key of age; expected age1 and 58 letters and digits")]
    Malformed(usize),
}

impl Recipients {
    /// Reads public keys; `None` if there is none.
    ///
    /// # Errors
    /// [`RecipientError`] with the place in the list, from 1.
    pub fn parse(texts: &[String]) -> Result<Option<Self>, RecipientError> {
        let mut recipients = Vec::with_capacity(texts.len());
        for (place, text) in texts.iter().enumerate() {
            let text = text.trim();
            let recipient = text.parse().map_err(|_| {
                let is_private = text.to_ascii_lowercase().starts_with(PRIVATE);
                if is_private { RecipientError::Private(place + 1) } else { RecipientError::Malformed(place + 1) }
            });
            recipients.push(recipient?);
        }
        Ok((!recipients.is_empty()).then_some(Self(recipients)))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Encrypts a file into a new one, whole or not at all.
    ///
    /// # Errors
    /// If the new file exists, or if something cannot be read, written or encrypted.
    pub fn encrypt(&self, plain: &Path, to: &Path) -> io::Result<()> {
        if to.exists() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "this file already exists"));
        }
        let draft = to.with_added_extension("part");
        let written = (|| {
            let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
            let recipients = self.0.iter().map(|recipient| recipient as &dyn age::Recipient);
            let encryptor = Encryptor::with_recipients(recipients).map_err(io::Error::other)?;
            let mut encrypting = encryptor.wrap_output(file)?;
            io::copy(&mut File::open(plain)?, &mut encrypting)?;
            let mut file = encrypting.finish()?;
            file.flush()?;
            file.sync_all()?;
            fs::rename(&draft, to)
        })();
        if written.is_err() {
            // If this fails, the next export overwrites it.
            let _ = fs::remove_file(&draft);
        }
        written
    }
}

/// Removes the plain file that was encrypted, if it is there.
///
/// # Errors
/// If it cannot be removed.
pub fn remove_plain(plain: &Path) -> io::Result<()> {
    match fs::remove_file(plain) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_recipient_is_not_repeated() {
        let identity = age::x25519::Identity::generate();
        let public = identity.to_public().to_string();
        assert_eq!(Recipients::parse(&[public.clone(), public.clone()]).unwrap().unwrap().count(), 2);
        assert!(Recipients::parse(&[]).unwrap().is_none());
        let private = "AGE-SECRET-KEY-1QQPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQ".to_owned();
        let error = Recipients::parse(&[public, private]).unwrap_err();
        assert_eq!(error, RecipientError::Private(2));
        assert!(!error.to_string().contains("QQPQ"));
        assert_eq!(Recipients::parse(&["age1x".to_owned()]).unwrap_err(), RecipientError::Malformed(1));
    }
}
