//! Where secrets are, and how they are read: bounded, and without what an editor or a shell adds unseen.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use secrecy::SecretString;

use super::names::{is_file, is_unseen, is_variable_name, looks_like_secret};

/// The largest file with a secret, in bytes.
const LARGEST: u64 = 64 << 10;

/// Where a secret is. Its `Display` names the place, unless there is none of that name and the name may be the secret itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In an environment variable.
    Env(String),
    /// In a file.
    File(PathBuf),
    /// In a file that was named by a word that may be the secret itself.
    Doubtful(PathBuf),
}

/// What is said in place of a name that may be a secret.
const HIDDEN: &str = "(its name is not shown: this looks like the secret itself)";

/// A secret that cannot be read. The secret is never part of the message.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set, or not UTF-8.
    #[error("{0} is not set")]
    NotSet(String),
    /// The file cannot be read.
    #[error("cannot read {place}: {source}")]
    Unreadable {
        /// The file.
        place: String,
        /// Why not.
        source: io::Error,
    },
    /// It is empty.
    #[error("{0} is empty")]
    Empty(String),
    /// It contains a control character.
    #[error("{0} contains a line break or another control character; expected one line")]
    Control(String),
    /// It contains a character that cannot be seen.
    #[error("{place} contains {name}, which cannot be seen and is probably not part of the secret; remove it")]
    Unseen {
        /// The place.
        place: String,
        /// The character's name.
        name: String,
    },
}

impl SecretSource {
    /// A file in a folder, as the configuration names it.
    pub(super) fn file(folder: &Path, written: &str) -> Self {
        let path = folder.join(written);
        if is_file(written) { Self::File(path) } else { Self::Doubtful(path) }
    }

    /// The file; `None` if the secret is in a variable.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Env(_) => None,
            Self::File(path) | Self::Doubtful(path) => Some(path),
        }
    }

    /// The secret, without a byte order mark before it and without blanks and line breaks around it.
    ///
    /// # Errors
    /// [`SecretError`]
    pub fn read(&self) -> Result<SecretString, SecretError> {
        let text = match self {
            Self::Env(name) => std::env::var(name).map_err(|_| SecretError::NotSet(self.to_string()))?,
            Self::File(path) | Self::Doubtful(path) => {
                text_of(path).map_err(|source| SecretError::Unreadable { place: self.to_string(), source })?
            }
        };
        let blank = [' ', '\t', '\r', '\n'];
        let secret = text.trim_start_matches('\u{feff}').trim_matches(blank);
        if secret.is_empty() {
            return Err(SecretError::Empty(self.to_string()));
        }
        if secret.chars().any(char::is_control) {
            return Err(SecretError::Control(self.to_string()));
        }
        if let Some(unseen) = secret.chars().find(|c| is_unseen(*c)) {
            let name = format!("the character U+{:04X}", u32::from(unseen));
            return Err(SecretError::Unseen { place: self.to_string(), name });
        }
        Ok(secret.into())
    }
}

impl std::fmt::Display for SecretSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Env(name) if is_variable_name(name) || (!looks_like_secret(name) && is_set(name)) => {
                write!(f, "the environment variable {name}")
            }
            Self::Env(_) => write!(f, "an environment variable {HIDDEN}"),
            Self::File(path) | Self::Doubtful(path)
                if path.file_name().is_some_and(|name| looks_like_secret(&name.to_string_lossy())) =>
            {
                write!(f, "a file {HIDDEN}")
            }
            Self::Doubtful(path) if !path.exists() => write!(f, "a file {HIDDEN}"),
            Self::File(path) | Self::Doubtful(path) => write!(f, "the file {}", path.display()),
        }
    }
}

/// Whether there is a variable of this name.
fn is_set(name: &str) -> bool {
    !name.is_empty() && !name.contains(['=', '\0']) && std::env::var_os(name).is_some()
}

/// The text of a small regular file. Nothing is opened that may never end.
///
/// # Errors
/// If it cannot be read, is something else, or is too large.
pub fn text_of(path: &Path) -> io::Result<String> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    let mut text = String::new();
    File::open(path)?.take(LARGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("it has more than {LARGEST} bytes")));
    }
    Ok(text)
}

/// How a file is exposed to other accounts of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exposed {
    /// All accounts can read it.
    ToAll,
    /// The accounts of its group can read it.
    ToGroup,
}

/// Who else can read a file with a secret; `None` if nobody can, or if there is no such file.
pub fn readable(path: &Path) -> Option<Exposed> {
    match mode(path)? {
        mode if mode & 0o006 != 0 => Some(Exposed::ToAll),
        mode if mode & 0o060 != 0 => Some(Exposed::ToGroup),
        _ => None,
    }
}

/// A folder in which all accounts can replace a file of this folder, or a part of its path: it or one above it that
/// everybody can write to. In a folder with the sticky bit, only the owner of an entry can replace it.
pub fn replaceable(folder: &Path) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let is_open = |folder: &&Path| {
        let mode = fs::metadata(folder).ok().filter(fs::Metadata::is_dir).map(|folder| folder.permissions().mode());
        mode.is_some_and(|mode| mode & 0o002 != 0 && mode & 0o1000 == 0)
    };
    let folder = if folder == Path::new("") { Path::new(".") } else { folder };
    let (written, real) = (std::path::absolute(folder).ok(), fs::canonicalize(folder).ok());
    let open = |folder: &PathBuf| folder.ancestors().find(is_open).map(Path::to_owned);
    real.as_ref().and_then(open).or_else(|| written.as_ref().and_then(open))
}

fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = fs::metadata(path).ok()?;
    metadata.is_file().then(|| metadata.permissions().mode())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn read(bytes: &[u8]) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        fs::write(&path, bytes).unwrap();
        let read = SecretSource::File(path).read();
        read.map(|secret| secret.expose_secret().to_owned()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_stands_around_a_secret_is_stripped_and_what_cannot_be_seen_in_it_is_refused() {
        for text in ["!%cret", "!%cret\r\n\n", "\u{feff}!%cret\n", " \t!%cret \n"] {
            assert_eq!(read(text.as_bytes()).as_deref(), Ok("!%cret"), "{text:?}");
        }
        assert_eq!(read(b"with a blank").as_deref(), Ok("with a blank"));
        for (text, said) in [
            ("!%cret\u{200b}\n", "U+200B"),
            ("\u{a0}!%cret", "U+00A0"),
            ("!%\u{feff}cret", "U+FEFF"),
            ("!%\ncret", "a line break"),
            ("!%\u{0}cret", "control character"),
            (" \n", "is empty"),
            ("\u{feff}", "is empty"),
        ] {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(error.contains(said) && !error.contains("!%"), "{text:?}: {error}");
        }
        assert!(read("x".repeat(70_000).as_bytes()).unwrap_err().contains("more than 65536 bytes"));
        assert!(read(b"\xff\xfes\0").is_err(), "not UTF-8");
    }

    #[test]
    fn a_place_that_is_not_there_is_named_only_if_it_cannot_be_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        let said = |source: &SecretSource| source.read().unwrap_err().to_string();
        for secret in ["hunter22", "correcthorse", "Tr0ub4dor_horse", "JBSWY3DPEHPK3PXP"] {
            let said = said(&SecretSource::Env(secret.to_owned()));
            assert!(!said.contains(secret) && said.contains("looks like the secret itself"), "{said}");
        }
        for name in ["ACME_TOKEN_2026", "acme_client_secret", "S3KEY"] {
            assert_eq!(
                said(&SecretSource::Env(name.to_owned())),
                format!("the environment variable {name} is not set")
            );
        }
        for secret in ["hunter22", "Tr0ub4dor&3-correct-horse", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"] {
            let said = said(&SecretSource::file(folder.path(), secret));
            assert!(!said.contains(secret) && said.contains("looks like the secret itself"), "{said}");
        }
        for name in ["/run/hunter22", "acme-refresh-token", "token2.txt", "evidence_ed25519", "secrets/acme2eu", "pw"] {
            let said = said(&SecretSource::file(folder.path(), name));
            assert!(said.contains(&folder.path().join(name).display().to_string()), "{said}");
        }
        // A file that is there has this name.
        fs::write(folder.path().join("hunter22"), "").unwrap();
        assert!(said(&SecretSource::file(folder.path(), "hunter22")).contains("/hunter22 is empty"));
    }

    #[test]
    fn only_a_regular_file_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        for path in [Path::new("/dev/zero"), folder.path()] {
            assert!(text_of(path).unwrap_err().to_string().contains("not a regular file"), "{}", path.display());
        }
        let fifo = folder.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        assert!(text_of(&fifo).unwrap_err().to_string().contains("not a regular file"));
    }

    #[test]
    fn a_folder_in_which_everybody_can_replace_a_file_is_found_above_it_too() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let (open, inner, link) =
            (folder.path().join("open"), folder.path().join("open/a/b"), folder.path().join("to"));
        fs::create_dir_all(&inner).unwrap();
        std::os::unix::fs::symlink(&inner, &link).unwrap();
        for (mode, is_open) in [(0o755, false), (0o775, false), (0o777, true), (0o1777, false)] {
            fs::set_permissions(&open, fs::Permissions::from_mode(mode)).unwrap();
            let expected = is_open.then(|| fs::canonicalize(&open).unwrap());
            for below in [&open, &inner, &link] {
                assert_eq!(replaceable(below), expected, "{mode:o}: {}", below.display());
            }
        }
        assert_eq!(replaceable(Path::new("/none")), None);
    }

    #[test]
    fn who_else_can_read_is_known() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        assert_eq!(readable(&path), None);
        fs::write(&path, "x").unwrap();
        for (mode, expected) in [
            (0o600, None),
            (0o640, Some(Exposed::ToGroup)),
            (0o620, Some(Exposed::ToGroup)),
            (0o644, Some(Exposed::ToAll)),
            (0o602, Some(Exposed::ToAll)),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(readable(&path), expected, "{mode:o}");
        }
    }
}
