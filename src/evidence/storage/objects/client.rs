//! An object store, called from code that is not async.

use std::{
    fmt, io,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use object_store::{
    Error, GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions,
    path::Path,
};
use tokio::runtime::{Handle, Runtime, RuntimeFlavor};

use super::{refusal, s3::Said};

/// How long a call may take, with everything that is tried again.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often an object is put whose bytes did not arrive as they were sent.
const PUTS: usize = 3;
/// How long a store that did not answer is left alone at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How many objects are read at the same time.
const AT_ONCE: usize = 16;

/// A store cannot be reached, or does not do what it should.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the object store {place} cannot be used: {why}")]
struct Unreachable {
    place: String,
    why: String,
}

/// Whether an error means that an object store cannot be used at present. What was to be written there is not lost: it is
/// written later.
pub fn is_unreachable(error: &io::Error) -> bool {
    error.get_ref().is_some_and(<dyn std::error::Error + Send + Sync>::is::<Unreachable>)
}

/// An object that was put, or was there with the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    /// Its version; `None` if the store keeps no versions.
    pub(super) version: Option<String>,
    /// Whether this call put it.
    pub(super) is_new: bool,
}

/// The end of an object.
#[derive(Debug)]
pub(super) struct Tail {
    pub(super) bytes: Bytes,
    pub(super) size: u64,
    pub(super) version: Option<String>,
}

/// When a store that did not answer is asked again.
#[derive(Debug)]
struct Away {
    until: Instant,
    pause: Duration,
    why: Unreachable,
}

/// What is directly below a key: the names of folders, and of objects with their sizes.
type Listing = (Vec<String>, Vec<(String, u64)>);

/// The objects below a prefix of a store.
pub(super) struct Client {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// The address of the prefix, for messages.
    place: String,
    away: Mutex<Option<Away>>,
    /// How long a call may take.
    pub(super) patience: Duration,
    /// `None` only while this is dropped.
    runtime: Option<Runtime>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The store holds credentials.
        f.debug_struct("Client").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // It may be dropped where waiting is not allowed.
            runtime.shutdown_background();
        }
    }
}

impl Client {
    pub(super) fn new(store: Arc<dyn ObjectStore>, prefix: Path, place: String) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("objects")
            .enable_all()
            .build()?;
        Ok(Self { store, prefix, place, away: Mutex::default(), patience: PATIENCE, runtime: Some(runtime) })
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    fn path(&self, key: &str) -> io::Result<Path> {
        let whole = if self.prefix.as_ref().is_empty() { key.to_owned() } else { format!("{}/{key}", self.prefix) };
        Path::parse(whole).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error.to_string()))
    }

    /// Waits for a call on a runtime of its own.
    fn wait<T: Send + 'static>(
        &self,
        patience: Duration,
        call: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> io::Result<T> {
        if let Some(away) = &*self.away.lock().unwrap_or_else(PoisonError::into_inner)
            && away.until > Instant::now()
        {
            return Err(io::Error::other(away.why.clone()));
        }
        let Some(runtime) = &self.runtime else { return Err(io::ErrorKind::BrokenPipe.into()) };
        let (sender, receiver) = mpsc::sync_channel(1);
        let task = runtime.spawn(async move {
            // Nobody waits any more if this fails.
            let _ = sender.send(call.await);
        });
        let answer = || receiver.recv_timeout(patience);
        let is_worker = Handle::try_current().is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
        let done = if is_worker { tokio::task::block_in_place(answer) } else { answer() };
        let failed = match done {
            Ok(Ok(value)) => {
                *self.away.lock().unwrap_or_else(PoisonError::into_inner) = None;
                return Ok(value);
            }
            Ok(Err(error)) => match refusal::kind(&error) {
                Some(kind) => return Err(io::Error::new(kind, refusal::why(&error))),
                None => refusal::why(&error),
            },
            Err(RecvTimeoutError::Timeout) => format!("it did not answer within {} seconds", patience.as_secs()),
            Err(RecvTimeoutError::Disconnected) => "the call ended without an answer".to_owned(),
        };
        task.abort();
        Err(io::Error::other(self.is_away(failed)))
    }

    /// Notes that the store is not to be asked for a while: longer each time.
    fn is_away(&self, why: String) -> Unreachable {
        let why = Unreachable { place: self.place.clone(), why };
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let pause = match &*away {
            // Another call noted it just now.
            Some(away) if away.until > now => return why,
            Some(away) => (away.pause * 2).min(LONGEST_PAUSE),
            None => FIRST_PAUSE,
        };
        *away = Some(Away { until: now + pause, pause, why: why.clone() });
        why
    }

    /// Puts an object that must not be there, and reads it back. One that is there with the same bytes is good, too: this
    /// process or an earlier one put it and did not see the answer.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if it is there with other bytes.
    pub(super) fn create(&self, key: &str, content: Bytes, patience: Duration) -> io::Result<Stored> {
        let (store, path) = (Arc::clone(&self.store), self.path(key)?);
        self.wait(patience, async move { create(&*store, &path, content).await })
    }

    /// The content of an object, if it has at most `most` bytes.
    pub(super) fn get(&self, key: &str, most: u64) -> io::Result<Bytes> {
        let (store, path) = (Arc::clone(&self.store), self.path(key)?);
        let content = self.wait(self.patience, async move {
            let found = store.get(&path).await?;
            if found.meta.size > most { Ok(Err(found.meta.size)) } else { found.bytes().await.map(Ok) }
        })?;
        content.map_err(|size| {
            io::Error::new(io::ErrorKind::InvalidData, format!("it has {size} bytes; expected at most {most}"))
        })
    }

    /// The last bytes of an object, at a version if one is named.
    pub(super) fn tail(&self, key: &str, bytes: u64, version: Option<&str>) -> io::Result<Tail> {
        let (store, path) = (Arc::clone(&self.store), self.path(key)?);
        let range = Some(GetRange::Suffix(bytes));
        let options = GetOptions { range, version: version.map(str::to_owned), ..GetOptions::default() };
        self.wait(self.patience, async move {
            let found = store.get_opts(&path, options).await?;
            let (size, version) = (found.meta.size, found.meta.version.clone());
            Ok(Tail { bytes: found.bytes().await?, size, version })
        })
    }

    /// Some bytes of an object at a version; `None` if the store keeps none.
    pub(super) fn range(&self, key: &str, version: Option<&str>, from: u64, to: u64) -> io::Result<Bytes> {
        let (store, path) = (Arc::clone(&self.store), self.path(key)?);
        let range = Some(GetRange::Bounded(from..to));
        let options = GetOptions { range, version: version.map(str::to_owned), ..GetOptions::default() };
        self.wait(self.patience, async move { store.get_opts(&path, options).await?.bytes().await })
    }

    /// The contents of objects, in their order.
    pub(super) fn get_all(&self, keys: &[String]) -> io::Result<Vec<Bytes>> {
        let paths = keys.iter().map(|key| self.path(key)).collect::<io::Result<Vec<Path>>>()?;
        let store = Arc::clone(&self.store);
        let patience = self.patience + Duration::from_millis(100 * keys.len() as u64);
        self.wait(patience, async move {
            let reads = futures::stream::iter(paths).map(|path| {
                let store = Arc::clone(&store);
                async move { store.get(&path).await?.bytes().await }
            });
            reads.buffered(AT_ONCE).try_collect().await
        })
    }

    /// The size of an object; `None` if there is no such object.
    pub(super) fn size(&self, key: &str) -> io::Result<Option<u64>> {
        let (store, path) = (Arc::clone(&self.store), self.path(key)?);
        match self.wait(self.patience, async move { store.head(&path).await }) {
            Ok(meta) => Ok(Some(meta.size)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The version of an object, and what keeps it from being removed.
    pub(super) fn said(&self, key: &str) -> io::Result<(Option<String>, Said)> {
        let (store, path) = (Arc::clone(&self.store), self.path(key)?);
        let options = GetOptions { head: true, ..GetOptions::default() };
        let found = self.wait(self.patience, async move { store.get_opts(&path, options).await })?;
        Ok((found.meta.version.clone(), found.extensions.get::<Said>().cloned().unwrap_or_default()))
    }

    /// What is directly below a key, if it is not much: a daemon waits for it.
    pub(super) fn list(&self, key: &str) -> io::Result<Listing> {
        self.list_within(self.patience, key)
    }

    /// What is directly below a key, with an object for each bag or message that there ever was.
    pub(super) fn list_history(&self, key: &str) -> io::Result<Listing> {
        // A page has a thousand objects.
        self.list_within(self.patience * 10, key)
    }

    fn list_within(&self, patience: Duration, key: &str) -> io::Result<Listing> {
        let prefix = if key.is_empty() { self.prefix.clone() } else { self.path(key)? };
        let store = Arc::clone(&self.store);
        let listed = self.wait(patience, async move { store.list_with_delimiter(Some(&prefix)).await })?;
        let name = |path: &Path| path.filename().unwrap_or_default().to_owned();
        let folders = listed.common_prefixes.iter().map(name).collect();
        let objects = listed.objects.iter().map(|ObjectMeta { location, size, .. }| (name(location), *size)).collect();
        Ok((folders, objects))
    }

    /// The objects anywhere below a key whose names, relative to it, are greater than another one, with their sizes. For a few
    /// objects: a daemon waits for it.
    pub(super) fn list_after(&self, key: &str, after: &str) -> io::Result<Vec<(String, u64)>> {
        let (prefix, after) = (self.path(key)?, self.path(&format!("{key}/{after}"))?);
        let (store, below) = (Arc::clone(&self.store), prefix.clone());
        let listed = self.wait(self.patience, async move {
            store.list_with_offset(Some(&below), &after).try_collect::<Vec<ObjectMeta>>().await
        })?;
        let name = |location: &Path| {
            let parts = location.prefix_match(&prefix)?.map(|part| part.as_ref().to_owned());
            Some(parts.collect::<Vec<_>>().join("/"))
        };
        Ok(listed.iter().filter_map(|ObjectMeta { location, size, .. }| Some((name(location)?, *size))).collect())
    }

    /// Removes an object, if it is there.
    pub(super) fn remove(&self, key: &str) -> io::Result<()> {
        let (store, path) = (Arc::clone(&self.store), self.path(key)?);
        match self.wait(self.patience, async move { store.delete(&path).await }) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}

async fn create(store: &dyn ObjectStore, path: &Path, content: Bytes) -> Result<Stored, Error> {
    for _ in 0..PUTS {
        let put = store.put_opts(path, content.clone().into(), PutOptions::from(PutMode::Create)).await;
        let (is_new, version) = match put {
            Ok(put) => (true, put.version),
            Err(Error::AlreadyExists { .. }) => (false, None),
            Err(error) => return Err(error),
        };
        let options = GetOptions { version: version.clone(), ..GetOptions::default() };
        let found = store.get_opts(path, options).await?;
        let version = version.or_else(|| found.meta.version.clone());
        // The digest that the store computed is not asked for: it could be of what arrived there.
        if found.meta.size == content.len() as u64 && is_same(found, &content).await? {
            return Ok(Stored { version, is_new });
        }
        if !is_new {
            return Err(Error::AlreadyExists { path: path.to_string(), source: "with other content".into() });
        }
        tracing::warn!(object = %path, "an object was not stored as it was sent; it is replaced");
        store.delete(path).await?;
    }
    let source = format!("the object {path} did not arrive as it was sent, {PUTS} times").into();
    Err(Error::Generic { store: "S3", source })
}

/// Whether an object has this content. It is not read whole into memory.
async fn is_same(found: GetResult, mut content: &[u8]) -> Result<bool, Error> {
    let mut chunks = found.into_stream();
    while let Some(chunk) = chunks.try_next().await? {
        match content.strip_prefix(&chunk[..]) {
            Some(rest) => content = rest,
            None => return Ok(false),
        }
    }
    Ok(content.is_empty())
}
