//! Evidence in memory that another process writes to while it is read.

use std::{
    fmt,
    io::{self, Read},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{Item, Log, Spool, Storage, memory::Memory};

/// What the other process does, with the number of the call that comes next.
type Meanwhile = Box<dyn FnMut(usize, &Memory) + Send>;

/// An object store in memory. Before each call that reads, something else is done.
pub(crate) struct Busy {
    memory: Arc<Memory>,
    meanwhile: Mutex<Meanwhile>,
    calls: AtomicUsize,
}

impl Busy {
    pub(crate) fn new(memory: Arc<Memory>, meanwhile: impl FnMut(usize, &Memory) + Send + 'static) -> Self {
        Self { memory, meanwhile: Mutex::new(Box::new(meanwhile)), calls: AtomicUsize::new(0) }
    }

    /// How many calls have read.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    fn now(&self) -> &Memory {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        (self.meanwhile.lock().unwrap_or_else(PoisonError::into_inner))(number, &self.memory);
        &self.memory
    }
}

impl fmt::Debug for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Busy").field("memory", &self.memory).finish_non_exhaustive()
    }
}

impl Storage for Busy {
    fn place(&self, key: &str) -> String {
        self.memory.place(key)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Item>> {
        self.now().list(folder)
    }

    fn get(&self, key: &str) -> io::Result<Box<dyn Read + Send>> {
        self.now().get(key)
    }

    fn put_new(&self, key: &str, content: &[u8]) -> io::Result<()> {
        self.memory.put_new(key, content)
    }

    fn remove(&self, key: &str) -> io::Result<()> {
        self.memory.remove(key)
    }

    fn spool(&self, name: &str) -> io::Result<Spool> {
        self.memory.spool(name)
    }

    fn commit(&self, spool: Spool, seal: &str) -> io::Result<()> {
        self.memory.commit(spool, seal)
    }
}

impl Log for Busy {
    fn length(&self, key: &str) -> io::Result<u64> {
        self.now().length(key)
    }

    fn read_from(&self, key: &str, position: u64) -> io::Result<Vec<u8>> {
        self.now().read_from(key, position)
    }

    fn append(&self, key: &str, length: u64, bytes: &[u8]) -> io::Result<bool> {
        self.memory.append(key, length, bytes)
    }
}
