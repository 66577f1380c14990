//! The access token of a client, shared by all processes of this machine that use the same store: a file that only its owner
//! may read, beside the store. While it lives, no process asks for another one: the vendor issues few.
//!
//! A file that others may read, that belongs to somebody else, or that cannot be understood counts as not there.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, chown},
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{accounts::TokenAnswer, settings::ZohoSettings};
use crate::{connector::parameters::SharedTokens, digest::sha256};

/// The vendor issues this many access tokens for a refresh token in [`WINDOW`].
const ISSUED: usize = 10;
/// From this many on, a warning says so.
const WARN_AT: usize = 7;
/// The time in which tokens are counted.
const WINDOW: TimeDelta = TimeDelta::minutes(10);
/// No token lives longer.
const LONGEST_LIFE: TimeDelta = TimeDelta::days(1);
/// The rights of all accounts but the owner.
const OTHERS: u32 = 0o077;
/// The most that is read of a file, in bytes.
const LARGEST: u64 = 64 << 10;
/// How often the lock is tried.
const LOCK_PAUSE: Duration = Duration::from_millis(20);
/// How long a process waits for another one that is getting a token.
const LOCK_WAIT: Duration = Duration::from_secs(30);

/// Where processes share the access token of one client.
#[derive(Debug)]
pub(super) struct SharedToken {
    folder: PathBuf,
    is_fresh: bool,
    file: PathBuf,
    lock: PathBuf,
}

/// The content of the file.
#[derive(Default, Serialize, Deserialize)]
struct Content {
    token: Option<Kept>,
    /// When tokens were asked for, as far as that still counts.
    requests: Vec<DateTime<Utc>>,
}

/// A token as it is kept.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    access_token: String,
    /// The API that the answer named. It is checked again when the token is used.
    api_domain: Option<String>,
    scope: Option<String>,
    issued_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl Kept {
    /// The token of an answer that arrived now, and lives so long.
    pub(super) fn new(answer: &TokenAnswer, life: Duration, now: DateTime<Utc>) -> Self {
        let life = TimeDelta::from_std(life).unwrap_or(LONGEST_LIFE).min(LONGEST_LIFE);
        Self {
            access_token: answer.access_token.clone().unwrap_or_default(),
            api_domain: answer.api_domain.clone(),
            scope: answer.scope.clone(),
            issued_at: now,
            expires_at: now + life,
        }
    }

    /// The answer that brought it, with the life that is `left`.
    pub(super) fn into_answer(self, left: Duration) -> TokenAnswer {
        TokenAnswer::with_token(self.access_token, self.api_domain, self.scope, left)
    }

    /// How long it still lives; `None` if it has expired, or its times cannot be right.
    pub(super) fn left(&self, now: DateTime<Utc>) -> Option<Duration> {
        let is_plausible = self.issued_at <= now && self.expires_at <= self.issued_at + LONGEST_LIFE;
        let left = (self.expires_at - now).to_std().ok()?;
        (is_plausible && !left.is_zero()).then_some(left)
    }
}

/// The right to read and replace the file: no other process does so meanwhile.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    shared: &'a SharedToken,
    owner: Owner,
    /// Unlocked when it is closed.
    _lock: File,
}

/// The account that the folder belongs to.
#[derive(Debug, Clone, Copy)]
struct Owner {
    user: u32,
    group: u32,
}

impl Owner {
    /// Whether only the owner may read and change a file.
    fn has_alone(self, metadata: &fs::Metadata) -> bool {
        metadata.uid() == self.user && metadata.mode() & OTHERS == 0
    }

    /// Leaves a file to the owner, if an administrator of the machine made it.
    fn take(self, file: &File, path: &Path) -> io::Result<()> {
        if file.metadata()?.uid() == self.user { Ok(()) } else { chown(path, Some(self.user), Some(self.group)) }
    }
}

impl SharedToken {
    /// The file of a client in a folder. The file's name tells nothing of the client.
    pub(super) fn new(tokens: &SharedTokens, settings: &ZohoSettings) -> Self {
        let SharedTokens { folder, is_fresh } = tokens;
        let client = format!(
            "{}\n{}\n{}\n{}",
            settings.accounts(),
            settings.data_center,
            settings.client_id,
            settings.refresh_token.expose_secret()
        );
        let name = &sha256(client.as_bytes())[..32];
        let file = |extension| folder.join(format!("{name}.{extension}"));
        Self { folder: folder.clone(), is_fresh: *is_fresh, file: file("json"), lock: file("lock") }
    }

    /// Waits until no other process reads or replaces the file. `None` if it cannot be used: then every process has a token
    /// of its own.
    pub(super) async fn turn(&self, left: Duration) -> Option<Turn<'_>> {
        let (lock, owner) = match self.open_lock() {
            Ok(opened) => opened,
            Err(error) => {
                tracing::debug!(folder = %self.folder.display(), %error, "the access token is not shared");
                return None;
            }
        };
        let deadline = Instant::now() + left.min(LOCK_WAIT);
        while lock.try_lock().is_err() {
            if Instant::now() >= deadline {
                tracing::debug!(file = %self.lock.display(), "another process holds the access token for too long");
                return None;
            }
            tokio::time::sleep(LOCK_PAUSE).await;
        }
        Some(Turn { shared: self, owner, _lock: lock })
    }

    fn open_lock(&self) -> io::Result<(File, Owner)> {
        match DirBuilder::new().mode(0o700).create(&self.folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let folder = fs::symlink_metadata(&self.folder)?;
        let owner = Owner { user: folder.uid(), group: folder.gid() };
        if !folder.is_dir() || !owner.has_alone(&folder) {
            return Err(io::Error::other("accounts other than its owner may read or change the folder"));
        }
        let lock =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&self.lock)?;
        owner.take(&lock, &self.lock)?;
        Ok((lock, owner))
    }
}

impl Turn<'_> {
    fn content(&self) -> Content {
        let read = || {
            let file = OpenOptions::new()
                .read(true)
                .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
                .open(&self.shared.file)?;
            let metadata = file.metadata()?;
            if !metadata.is_file() || !self.owner.has_alone(&metadata) {
                return Err(io::Error::other("accounts other than its owner may read or change it"));
            }
            let mut text = Vec::new();
            file.take(LARGEST).read_to_end(&mut text)?;
            serde_json::from_slice(&text).map_err(|_| io::Error::other("it cannot be understood"))
        };
        match read() {
            Ok(content) => content,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::warn!(file = %self.shared.file.display(), %error, "the shared access token is not used");
                }
                Content::default()
            }
        }
    }

    /// The token that is shared, unless it is the one that was refused or has expired.
    pub(super) fn token(&self, refused: Option<&SecretString>, now: DateTime<Utc>) -> Option<Kept> {
        if self.shared.is_fresh {
            return None;
        }
        let token = self.content().token?;
        let is_refused = refused.is_some_and(|refused| refused.expose_secret() == token.access_token);
        (!is_refused && token.left(now).is_some()).then_some(token)
    }

    /// Counts a request for a token, and warns before the vendor issues no more.
    pub(super) fn count(&self, now: DateTime<Utc>) {
        let mut content = self.content();
        content.requests.retain(|at| *at <= now && *at > now - WINDOW);
        content.requests.push(now);
        content.token = None;
        let requests = content.requests.len();
        self.replace(&content);
        if requests >= WARN_AT {
            tracing::warn!(
                "access token {requests} within ten minutes: Zoho issues {ISSUED}, then none for about half an hour. Let \
                 commands share the token: run them as the same account and with the same store"
            );
        }
    }

    /// Shares a token.
    pub(super) fn share(&self, token: Kept) {
        let content = Content { token: Some(token), ..self.content() };
        self.replace(&content);
    }

    fn replace(&self, content: &Content) {
        let file = &self.shared.file;
        let partial = file.with_extension("partial");
        let write = || {
            match fs::remove_file(&partial) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let text = serde_json::to_vec(content).map_err(io::Error::other)?;
            let mut written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial)?;
            written.write_all(&text)?;
            self.owner.take(&written, &partial)?;
            fs::rename(&partial, file)
        };
        if let Err(error) = write() {
            tracing::debug!(file = %file.display(), %error, "the access token cannot be shared");
        }
    }
}
