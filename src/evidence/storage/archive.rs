//! Evidence in a zip, read where it is: nothing is unpacked, so no name in it can lead anywhere.

use std::{
    collections::BTreeMap,
    fmt,
    fs::File,
    io::{self, BufReader, Cursor, Read, Seek, SeekFrom},
    path::Path,
    sync::Arc,
};

use zip::{ZipArchive, result::ZipError};

use super::{Item, Kind, Log, Spool, Storage, bounded, checked, join};

/// The most files in a zip.
const MOST_FILES: usize = 1_000_000;
/// The largest file in it that is read, in bytes.
const LARGEST: u64 = 512 << 20;

/// Bytes that can be read from any position.
pub(super) trait ReadAt: fmt::Debug + Send + Sync {
    /// How many there are.
    fn length(&self) -> io::Result<u64>;

    /// Reads some bytes from a position on; none at the end.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize>;
}

impl ReadAt for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(self, buffer, at)
    }
}

/// A zip with one folder in it, as an export is, and a bag in an object store.
#[derive(Debug)]
pub struct Archive {
    path: String,
    zip: ZipArchive<Positioned>,
    /// The files below its one folder, each with its number and its size.
    files: BTreeMap<String, (usize, u64)>,
}

impl Archive {
    /// Opens a zip.
    ///
    /// # Errors
    /// If it cannot be read, or if it has something that no export has: a link, a name that leads elsewhere, two files of
    /// one name, files beside its one folder.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::of(Arc::new(File::open(path)?), path.display().to_string())
    }

    /// Opens a zip that is not a file; `path` names it in messages.
    pub(super) fn of(source: Arc<dyn ReadAt>, path: String) -> io::Result<Self> {
        let zip = ZipArchive::new(Positioned { source, at: 0 }).map_err(|error| match error {
            // Not the zip is at fault, but that it cannot be read.
            ZipError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => error,
            error => invalid(format!("it is not a zip: {error}")),
        })?;
        if zip.len() > MOST_FILES {
            return Err(invalid(format!("it has {} files; expected at most {MOST_FILES}", zip.len())));
        }
        if zip.has_duplicate_names() {
            return Err(invalid("it has two files of one name".to_owned()));
        }
        let (mut files, mut folder) = (BTreeMap::new(), None::<String>);
        for number in 0..zip.len() {
            // From the directory at its end: the files are not read.
            let entry = zip.by_index_data(number).map_err(io::Error::other)?;
            let name = std::str::from_utf8(entry.name_raw())
                .map_err(|_| invalid("it has a name that is not UTF-8".to_owned()))?
                .to_owned();
            if entry.is_symlink() || entry.encrypted() {
                return Err(invalid(format!("{name:?} is a link or encrypted")));
            }
            let (first, inside) = name.split_once('/').unwrap_or((&*name, ""));
            if folder.get_or_insert_with(|| first.to_owned()) != first || first == ".." || name.contains('\\') {
                return Err(invalid(format!("{name:?} is outside the one folder that an export has")));
            }
            if !name.ends_with('/') {
                files.insert(checked(inside)?.to_owned(), (number, entry.size()));
            }
        }
        Ok(Self { path, zip, files })
    }
}

impl Storage for Archive {
    fn place(&self, key: &str) -> String {
        join(&self.path, key).trim_end_matches('/').to_owned()
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Item>> {
        let below = if folder.is_empty() { String::new() } else { format!("{}/", checked(folder)?) };
        let inside = self.files.range(below.clone()..).map_while(|(key, file)| Some((key.strip_prefix(&below)?, file)));
        let mut items: Vec<Item> = inside
            .map(|(name, (_, size))| match name.split_once('/') {
                Some((folder, _)) => Item { name: folder.to_owned(), kind: Kind::Folder },
                None => Item { name: name.to_owned(), kind: Kind::Object(*size) },
            })
            .collect();
        items.sort();
        items.dedup();
        Ok(items)
    }

    fn get(&self, key: &str) -> io::Result<Box<dyn Read + Send>> {
        let (number, size) = *self.files.get(checked(key)?).ok_or(io::ErrorKind::NotFound)?;
        if size > LARGEST {
            return Err(invalid(format!("it has {size} bytes; expected at most {LARGEST}: unpack the zip first")));
        }
        let mut zip = self.zip.clone();
        let file = zip.by_index(number).map_err(io::Error::other)?;
        Ok(Box::new(Cursor::new(bounded(BufReader::new(file), size)?)))
    }

    fn put_new(&self, _: &str, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn remove(&self, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn spool(&self, _: &str) -> io::Result<Spool> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn commit(&self, _: Spool, _: &str) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}

impl Log for Archive {
    fn length(&self, key: &str) -> io::Result<u64> {
        Ok(self.files.get(checked(key)?).map_or(0, |(_, size)| *size))
    }

    fn read_from(&self, key: &str, position: u64) -> io::Result<Vec<u8>> {
        let mut file = self.get(key)?;
        io::copy(&mut file.by_ref().take(position), &mut io::sink())?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn append(&self, _: &str, _: u64, _: &[u8]) -> io::Result<bool> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}

fn invalid(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Bytes that several readers read, each at its own position.
#[derive(Debug, Clone)]
struct Positioned {
    source: Arc<dyn ReadAt>,
    at: u64,
}

impl Read for Positioned {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Positioned {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::Current(by) => (self.at, by),
            SeekFrom::End(by) => (self.source.length()?, by),
        };
        self.at = from.checked_add_signed(by).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;
    use crate::evidence::storage::read;

    fn packed(names: &[&str], link: Option<&str>) -> io::Result<Archive> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("x.zip");
        let mut zip = ZipWriter::new(File::create(&path)?);
        for name in names {
            zip.start_file(*name, SimpleFileOptions::default())?;
            zip.write_all(name.as_bytes())?;
        }
        if let Some(link) = link {
            zip.add_symlink(link, "/etc/passwd", SimpleFileOptions::default())?;
        }
        zip.finish()?;
        Archive::open(&path)
    }

    #[test]
    fn its_one_folder_is_the_storage() {
        let zip = packed(&["e/ledger.jsonl", "e/bag/data/x.json", "e/bag/bagit.txt"], None).unwrap();
        let names = |folder: &str| zip.list(folder).unwrap().into_iter().map(|item| item.name).collect::<Vec<_>>();
        assert_eq!(names(""), ["bag", "ledger.jsonl"]);
        assert_eq!(names("bag"), ["bagit.txt", "data"]);
        assert_eq!(names("other"), [""; 0]);
        assert_eq!(read(&zip, "bag/data/x.json").unwrap(), b"e/bag/data/x.json");
        assert_eq!(zip.read_from("ledger.jsonl", 2).unwrap(), b"ledger.jsonl");
        assert_eq!(zip.get("bag").err().unwrap().kind(), io::ErrorKind::NotFound);
        assert!(zip.put_new("x", b"").is_err() && zip.append("ledger.jsonl", 14, b"x").is_err());
    }

    #[test]
    fn a_zip_that_leads_elsewhere_is_refused() {
        for names in [
            &["e/a", "../b"][..],
            &["e/a", "e/../../b"],
            &["e/a", "/etc/b"],
            &["e/a", "f/b"],
            &["a"],
            &["e/a", "e/.draft-x/../b"],
            &["e\\a"],
        ] {
            assert!(packed(names, None).is_err(), "{names:?}");
        }
        assert!(packed(&["e/a"], Some("e/b")).unwrap_err().to_string().contains("is a link"));
    }
}
