//! Evidence in memory, kept as an object store would keep it: a flat map with “put if absent”. Bags have a space of their
//! own, and one is visible once its seal is there, which is put last.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Cursor, Read},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::{Item, Kind, Log, Spool, Storage, checked};

/// Objects of bags, below their names.
const BAGS: &str = "bags/";
/// The seals of bags, below their names.
const SEALS: &str = "seals/";
/// Other objects.
const LOOSE: &str = "loose/";
/// Segments of logs, below their names; each is named by its position.
const LOGS: &str = "logs/";

/// An object store in memory.
#[derive(Debug)]
pub(crate) struct Memory {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    spools: tempfile::TempDir,
    /// How many more objects are put before the process dies; `None` if it lives.
    puts_left: Mutex<Option<usize>>,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self { objects: Mutex::default(), spools: tempfile::tempdir().unwrap(), puts_left: Mutex::new(None) }
    }

    /// Lets all puts fail after some more; `None` lets them succeed again.
    pub(crate) fn die_after(&self, puts: Option<usize>) {
        *self.puts_left.lock().unwrap() = puts;
    }

    /// Loses the segments of a log from a position on, as somebody would who removes objects.
    pub(crate) fn lose(&self, log: &str, position: u64) {
        let first = format!("{LOGS}{log}/{position:020}");
        let of_it = format!("{LOGS}{log}/");
        self.objects().retain(|key, _| !key.starts_with(&of_it) || *key < first);
    }

    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, key: String, content: &[u8]) -> io::Result<()> {
        if let Some(left) = &mut *self.puts_left.lock().unwrap() {
            *left = left.checked_sub(1).ok_or(io::ErrorKind::ConnectionReset)?;
        }
        let mut objects = self.objects();
        if objects.contains_key(&key) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        objects.insert(key, content.to_vec());
        Ok(())
    }

    /// The keys below a prefix, without it.
    fn below(&self, prefix: &str) -> Vec<(String, u64)> {
        let objects = self.objects();
        let below = objects
            .iter()
            .filter_map(|(key, content)| key.strip_prefix(prefix).map(|key| (key.to_owned(), content.len() as u64)));
        below.collect()
    }

    /// Everything that is visible, by its key.
    fn visible(&self) -> Vec<(String, u64)> {
        let seals = self.below(SEALS);
        let bag = |key: &str| key.split('/').next().unwrap_or_default().to_owned();
        let mut visible = self.below(LOOSE);
        visible.extend(
            self.below(BAGS).into_iter().filter(|(key, _)| seals.iter().any(|(seal, _)| bag(seal) == bag(key))),
        );
        visible.extend(seals);
        for log in self.below(LOGS) {
            let (name, _) = log.0.split_once('/').unwrap();
            match visible.iter_mut().find(|(key, _)| key == name) {
                Some((_, length)) => *length += log.1,
                None => visible.push((name.to_owned(), log.1)),
            }
        }
        visible
    }

    fn upload(&self, folder: &Path, inside: &str, name: &str, seal: &str) -> io::Result<()> {
        for entry in fs::read_dir(folder.join(inside))? {
            let entry = entry?;
            let file = super::join(inside, entry.file_name().to_str().unwrap());
            if entry.file_type()?.is_dir() {
                self.upload(folder, &file, name, seal)?;
            } else if file != seal {
                self.put(format!("{BAGS}{name}/{file}"), &fs::read(entry.path())?)?;
            }
        }
        Ok(())
    }
}

impl Storage for Memory {
    fn place(&self, key: &str) -> String {
        format!("memory:{key}")
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Item>> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{}/", checked(folder)?) };
        let mut items: Vec<Item> = Vec::new();
        for (key, bytes) in self.visible() {
            let Some(rest) = key.strip_prefix(&prefix) else { continue };
            items.push(match rest.split_once('/') {
                Some((name, _)) => Item { name: name.to_owned(), kind: Kind::Folder },
                None => Item { name: rest.to_owned(), kind: Kind::Object(bytes) },
            });
        }
        items.sort();
        items.dedup();
        Ok(items)
    }

    fn get(&self, key: &str) -> io::Result<Box<dyn Read + Send>> {
        checked(key)?;
        if !self.visible().iter().any(|(visible, _)| visible == key) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let stored = |space: &&str| self.objects().get(&format!("{space}{key}")).cloned();
        let content = match [BAGS, SEALS, LOOSE].iter().find_map(stored) {
            Some(content) => Ok(content),
            None => self.read_from(key, 0),
        }?;
        Ok(Box::new(Cursor::new(content)))
    }

    fn put_new(&self, key: &str, content: &[u8]) -> io::Result<()> {
        self.put(format!("{LOOSE}{}", checked(key)?), content)
    }

    fn remove(&self, key: &str) -> io::Result<()> {
        checked(key)?;
        // The seal first: the bag disappears whole.
        for space in [SEALS, BAGS, LOOSE] {
            let (object, folder) = (format!("{space}{key}"), format!("{space}{key}/"));
            self.objects().retain(|key, _| *key != object && !key.starts_with(&folder));
        }
        Ok(())
    }

    fn spool(&self, name: &str) -> io::Result<Spool> {
        if !self.below(&format!("{SEALS}{}/", checked(name)?)).is_empty() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let leftovers = format!("{BAGS}{name}/");
        self.objects().retain(|key, _| !key.starts_with(&leftovers));
        Spool::create(self.spools.path().join(uuid::Uuid::now_v7().to_string()), name)
    }

    fn commit(&self, spool: Spool, seal: &str) -> io::Result<()> {
        let sealed = fs::read(spool.path(seal)).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.upload(spool.folder(), "", spool.name(), seal)?;
        self.put(format!("{SEALS}{}/{seal}", spool.name()), &sealed)
    }
}

impl Log for Memory {
    fn length(&self, key: &str) -> io::Result<u64> {
        Ok(self.below(&format!("{LOGS}{}/", checked(key)?)).iter().map(|(_, bytes)| bytes).sum())
    }

    fn read_from(&self, key: &str, position: u64) -> io::Result<Vec<u8>> {
        let prefix = format!("{LOGS}{}/", checked(key)?);
        let objects = self.objects();
        let segments: Vec<_> = objects.iter().filter(|(key, _)| key.starts_with(&prefix)).collect();
        if segments.is_empty() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let bytes = segments.into_iter().fold(Vec::new(), |bytes, (_, segment)| [bytes, segment.clone()].concat());
        Ok(bytes.get(usize::try_from(position).unwrap()..).unwrap_or_default().to_vec())
    }

    fn append(&self, key: &str, length: u64, bytes: &[u8]) -> io::Result<bool> {
        if self.length(key)? != length {
            return Ok(false);
        }
        match self.put(format!("{LOGS}{key}/{length:020}"), bytes) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            put => put.map(|()| true),
        }
    }
}
