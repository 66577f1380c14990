//! One file for the auditor: the same evidence gives the same bytes.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use super::{
    key::SigningKey,
    seal::{SUMS, SUMS_SIGNATURE},
};
use crate::digest::{hex, sha256};

/// Bytes from which on a file gets the longer fields of Zip64.
const LARGE: u64 = 3 << 30;

/// Something that goes into an export.
#[derive(Debug, Clone)]
pub enum Source {
    /// A text that is made for it.
    Text(Vec<u8>),
    /// A file as it is.
    File(PathBuf),
    /// A folder with everything in it.
    Folder(PathBuf),
}

/// Writes an export: a zip with one folder in it, sealed by a list of the digests of all files and, where there is a key,
/// by its signature; whole or not at all.
///
/// # Errors
/// Where something cannot be read, written or signed, or the file is there already.
pub fn write(path: &Path, folder: &str, contents: &[(String, Source)], key: Option<&SigningKey>) -> io::Result<()> {
    let draft = path.with_added_extension("part");
    let written = (|| {
        if path.exists() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, "there is such a file already"));
        }
        let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
        let mut zip = ZipWriter::new(BufWriter::new(file));
        let mut files = Vec::new();
        for (name, source) in contents {
            match source {
                Source::Folder(path) => list(path, name, &mut files)?,
                source => files.push((name.clone(), source.clone())),
            }
        }
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut sums = String::new();
        for (name, source) in files {
            // Of the bytes that go in, and not of what may be in the file when it is looked at once more.
            let digest = add(&mut zip, &format!("{folder}/{name}"), &source)?;
            sums = sums + &digest + "  " + &name + "\n";
        }
        let signature = key.map(|key| key.sign(sums.as_bytes())).transpose().map_err(io::Error::other)?;
        for (name, text) in [(SUMS, Some(sums)), (SUMS_SIGNATURE, signature)] {
            if let Some(text) = text {
                add(&mut zip, &format!("{folder}/{name}"), &Source::Text(text.into_bytes()))?;
            }
        }
        let mut file = zip.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.flush()?;
        file.sync_all()?;
        fs::rename(&draft, path)
    })();
    if written.is_err() {
        // What cannot be removed is overwritten the next time.
        let _ = fs::remove_file(&draft);
    }
    written
}

fn list(folder: &Path, name: &str, files: &mut Vec<(String, Source)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &name, files)?;
        } else {
            files.push((name, Source::File(entry.path())));
        }
    }
    Ok(())
}

/// Adds a file; gives the SHA-256 of what was added.
fn add(zip: &mut ZipWriter<BufWriter<File>>, name: &str, source: &Source) -> io::Result<String> {
    // Neither the time nor the rights of a file: they say nothing of the evidence.
    let options = |size: u64| {
        let extension = Path::new(name).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let is_packed = ["gz", "zst", "xlsx"].contains(&extension);
        SimpleFileOptions::default()
            .compression_method(if is_packed { CompressionMethod::Stored } else { CompressionMethod::Deflated })
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(if extension == "sh" { 0o755 } else { 0o644 })
            .large_file(size > LARGE)
    };
    match source {
        Source::Text(text) => {
            zip.start_file(name, options(text.len() as u64))?;
            zip.write_all(text)?;
            Ok(sha256(text))
        }
        Source::File(path) | Source::Folder(path) => {
            let mut file = File::open(path)?;
            zip.start_file(name, options(file.metadata()?.len()))?;
            let mut digesting = Digesting { zip, digest: Sha256::new() };
            io::copy(&mut file, &mut digesting)?;
            Ok(hex(&digesting.digest.finalize()))
        }
    }
}

/// Digests what goes into the zip.
struct Digesting<'a> {
    zip: &'a mut ZipWriter<BufWriter<File>>,
    digest: Sha256,
}

impl Write for Digesting<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.zip.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.zip.flush()
    }
}
