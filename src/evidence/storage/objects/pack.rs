//! A bag as one zip: the same bytes for the same files.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::Path,
};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::evidence::storage::join;

/// A file larger than this gets sizes of 64 bits.
const LARGE: u64 = 1 << 31;

/// Writes the files of a folder as a zip with one folder of this name in it. `last` is the last file, after the others beside
/// the payload: together with the directory of the zip they are what is read most.
pub(super) fn pack(folder: &Path, name: &str, last: &str, out: File) -> io::Result<()> {
    let mut files = Vec::new();
    walk(folder, "", &mut files)?;
    files.sort_by_cached_key(|file| (file == last, !file.contains('/'), file.clone()));
    let mut zip = ZipWriter::new(BufWriter::with_capacity(1 << 16, out));
    for file in files {
        let mut content = File::open(folder.join(&file))?;
        let extension = Path::new(&file).extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let is_packed = ["gz", "zst", "xlsx"].contains(&extension);
        let options = SimpleFileOptions::default()
            .compression_method(if is_packed { CompressionMethod::Stored } else { CompressionMethod::Deflated })
            .last_modified_time(zip::DateTime::default())
            .unix_permissions(if extension == "sh" { 0o755 } else { 0o644 })
            .large_file(content.metadata()?.len() > LARGE);
        zip.start_file(format!("{name}/{file}"), options)?;
        io::copy(&mut content, &mut zip)?;
    }
    let mut out = zip.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
    out.flush()?;
    out.sync_all()
}

/// The paths of all files below a folder.
fn walk(folder: &Path, inside: &str, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder.join(inside))? {
        let entry = entry?;
        let name = entry.file_name().into_string();
        let name = name
            .map_err(|name| io::Error::new(io::ErrorKind::InvalidData, format!("{} is not UTF-8", name.display())))?;
        let path = join(inside, &name);
        if entry.file_type()?.is_dir() {
            walk(folder, &path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
