//! Which files `rolecall init` writes, and how: none of them replaces a file, and they appear all or not at all.

use std::{
    fs, io,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use secrecy::{ExposeSecret as _, SecretString};

/// Only the owner may read and write.
const PRIVATE: u32 = 0o600;
/// Everybody may read. The umask narrows it.
const PUBLIC: u32 = 0o644;

/// A file could not be written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// There is such a file already.
    #[error(
        "{0} exists already and was not changed. Move it away, or write another configuration with `--config PATH`"
    )]
    Exists(PathBuf),
    /// The system refused.
    #[error("cannot write {path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// The files of a new configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The configuration.
    pub configuration: PathBuf,
    /// The folder of secrets.
    pub folder: PathBuf,
    /// The client secret.
    pub client_secret: PathBuf,
    /// The refresh token.
    pub refresh_token: PathBuf,
    /// The password of the mail server.
    pub smtp_password: PathBuf,
    /// The private key that signs evidence; the public key is beside it with the extension `pub`.
    pub evidence_key: PathBuf,
}

impl Layout {
    /// The files beside a configuration at this path.
    pub fn new(configuration: &Path, workspace: &str) -> Self {
        let folder = configuration.with_file_name("secrets");
        Self {
            configuration: configuration.to_owned(),
            client_secret: folder.join(format!("{workspace}-client-secret")),
            refresh_token: folder.join(format!("{workspace}-refresh-token")),
            smtp_password: folder.join("smtp-password"),
            evidence_key: folder.join("evidence_ed25519"),
            folder,
        }
    }

    /// A path as the configuration names it: relative to the configuration's folder.
    pub fn relative(&self, path: &Path) -> String {
        let parent = self.configuration.parent().unwrap_or(Path::new(""));
        path.strip_prefix(parent).unwrap_or(path).display().to_string()
    }

    /// Fails if a file that is about to be written exists. `kept` is the one that may: a refresh token that an earlier,
    /// failed `init` saved.
    ///
    /// # Errors
    /// [`FileError::Exists`]
    pub fn ensure_free(&self, kept: Option<&Path>) -> Result<(), FileError> {
        let key = self.evidence_key.with_added_extension("pub");
        let all = [
            &self.configuration,
            &self.client_secret,
            &self.refresh_token,
            &self.smtp_password,
            &self.evidence_key,
            &key,
        ];
        let is_kept = |path: &Path| {
            kept.is_some_and(|kept| {
                fs::canonicalize(kept).is_ok_and(|kept| fs::canonicalize(path).is_ok_and(|p| p == kept))
            })
        };
        match all.into_iter().find(|path| path.symlink_metadata().is_ok() && !is_kept(path)) {
            Some(path) => Err(FileError::Exists(path.clone())),
            None => Ok(()),
        }
    }
}

/// The secrets to write beside a configuration.
#[derive(Debug)]
pub struct Secrets {
    /// The client secret.
    pub client_secret: SecretString,
    /// The refresh token; `None` if its file is there already.
    pub refresh_token: Option<SecretString>,
    /// The password of the mail server; `None` if it asks for none.
    pub smtp_password: Option<SecretString>,
    /// The private key that signs evidence, in OpenSSH's format.
    pub evidence_key: SecretString,
    /// Its public half.
    pub evidence_public_key: String,
}

/// Writes one secret at once, because it cannot be had a second time.
///
/// # Errors
/// [`FileError`]
pub fn keep(layout: &Layout, path: &Path, secret: &SecretString) -> Result<(), FileError> {
    let mut written = Written::default();
    written.folder(&layout.folder)?;
    written.file(path, PRIVATE, secret.expose_secret().as_bytes())?;
    written.done();
    Ok(())
}

/// Writes secrets and configuration, the configuration last. If one fails, the others are removed again.
///
/// # Errors
/// [`FileError`]
pub fn write(layout: &Layout, secrets: &Secrets, configuration: &str) -> Result<(), FileError> {
    let mut written = Written::default();
    written.folder(&layout.folder)?;
    let optional = [(&layout.refresh_token, &secrets.refresh_token), (&layout.smtp_password, &secrets.smtp_password)];
    written.file(&layout.client_secret, PRIVATE, secrets.client_secret.expose_secret().as_bytes())?;
    for (path, secret) in optional {
        if let Some(secret) = secret {
            written.file(path, PRIVATE, secret.expose_secret().as_bytes())?;
        }
    }
    written.file(&layout.evidence_key, PRIVATE, secrets.evidence_key.expose_secret().as_bytes())?;
    let public = layout.evidence_key.with_added_extension("pub");
    written.file(&public, PUBLIC, secrets.evidence_public_key.as_bytes())?;
    written.file(&layout.configuration, PUBLIC, configuration.as_bytes())?;
    written.done();
    Ok(())
}

/// What was created so far; removed again unless it is [`done`](Self::done).
#[derive(Default)]
struct Written {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Written {
    /// Creates a folder for secrets, if it is not there.
    fn folder(&mut self, path: &Path) -> Result<(), FileError> {
        match fs::DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => self.folders.push(path.to_owned()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
            Err(source) => return Err(FileError::Io { path: path.to_owned(), source }),
        }
        Ok(())
    }

    /// Creates a file with all of its content: written under another name, then linked, which never replaces a file.
    fn file(&mut self, path: &Path, mode: u32, content: &[u8]) -> Result<(), FileError> {
        let partial = path.with_added_extension(format!("{}.partial", uuid::Uuid::new_v4()));
        let created = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&partial);
        let linked = created
            .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
            .and_then(|()| fs::hard_link(&partial, path));
        // It may not be there; the first error is the one that matters.
        let _ = fs::remove_file(&partial);
        match linked {
            Ok(()) => {
                self.files.push(path.to_owned());
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(FileError::Exists(path.to_owned())),
            Err(source) => Err(FileError::Io { path: path.to_owned(), source }),
        }
    }

    fn done(&mut self) {
        self.files.clear();
        self.folders.clear();
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        for folder in &self.folders {
            let _ = fs::remove_dir(folder);
        }
    }
}
