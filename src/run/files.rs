//! Report files on disk: each is complete or missing.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use rayon::iter::{IndexedParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _};

use crate::report::{self, ReportFile, ReportInput};

/// A report could not be written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The folder cannot be created.
    #[error("cannot create the folder {path}: {source}")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file cannot be written. The one of an earlier run, if any, is still there.
    #[error("cannot write {path}: {source}. The earlier file, if any, is unchanged")]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// Checks before a long read that reports can be written into a folder. Leaves no trace.
///
/// # Errors
/// [`FileError`]
pub fn probe(folder: &Path) -> Result<(), FileError> {
    let new: Vec<&Path> = folder.ancestors().take_while(|folder| !folder.exists()).collect();
    fs::create_dir_all(folder).map_err(|source| FileError::Folder { path: folder.to_owned(), source })?;
    let file = folder.join(".rolecall.partial");
    let tried = File::create(&file).and_then(|_| fs::remove_file(&file));
    for folder in new {
        // It stays if another process has put something there meanwhile.
        let _ = fs::remove_dir(folder);
    }
    tried.map_err(|source| FileError::Write { path: file, source })
}

/// Writes reports into a folder, in parallel, each under a temporary name and then renamed, so that a half-written report
/// is never read. Returns the paths in the requested order.
///
/// # Errors
/// [`FileError`]; reports that were already finished stay.
pub fn write(input: &ReportInput<'_>, folder: &Path, files: &[ReportFile]) -> Result<Vec<PathBuf>, FileError> {
    create(folder)?;
    let write = |file: &ReportFile| write_one(folder, file.file_name(), &|out| report::write(*file, input, out));
    files.par_iter().with_max_len(1).map(write).collect()
}

/// Creates a folder, if it is not there.
pub(super) fn create(folder: &Path) -> Result<(), FileError> {
    fs::create_dir_all(folder).map_err(|source| FileError::Folder { path: folder.to_owned(), source })
}

/// Creates a file that only this account can read: reports name everybody who has access.
fn private(path: &Path) -> io::Result<File> {
    // A partial file of a process that died may have another mode.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Writes one file under a temporary name and renames it. Returns its path.
pub(super) fn write_one(
    folder: &Path,
    file_name: &str,
    write: &dyn Fn(&mut dyn io::Write) -> io::Result<()>,
) -> Result<PathBuf, FileError> {
    let path = folder.join(file_name);
    let partial = folder.join(format!(".{file_name}.partial"));
    let written: io::Result<()> = (|| {
        let mut writer = BufWriter::with_capacity(1 << 18, private(&partial)?);
        write(&mut writer)?;
        writer.flush()?;
        fs::rename(&partial, &path)?;
        Ok(())
    })();
    match written {
        Ok(()) => Ok(path),
        Err(source) => {
            // If this fails, the next run overwrites it.
            let _ = fs::remove_file(&partial);
            Err(FileError::Write { path, source })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{access::matrix::AccessMatrix, report::testing};

    #[test]
    fn a_report_that_cannot_be_written_is_named_and_the_earlier_one_stays() {
        let folder = tempfile::tempdir().unwrap();
        // A folder in the place of the partial file makes the writing fail for any user, root included.
        fs::create_dir(folder.path().join(".findings.csv.partial")).unwrap();
        fs::write(folder.path().join("findings.csv"), "last week's").unwrap();
        let audit = testing::quiet();
        let matrix = AccessMatrix::of(&audit);
        let input = ReportInput::new(&audit, &matrix);
        let error = write(&input, folder.path(), &[ReportFile::FindingsCsv]).unwrap_err();
        assert!(error.to_string().contains("cannot write"), "{error}");
        assert_eq!(fs::read_to_string(folder.path().join("findings.csv")).unwrap(), "last week's");
    }

    #[test]
    fn a_check_of_a_folder_leaves_no_trace_and_names_the_problem() {
        let folder = tempfile::tempdir().unwrap();
        probe(&folder.path().join("new/reports")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        fs::write(folder.path().join("file"), "").unwrap();
        let error = probe(&folder.path().join("file/reports")).unwrap_err();
        assert!(error.to_string().contains("cannot create the folder"), "{error}");
    }

    #[test]
    fn all_six_reports_are_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let audit = testing::quiet();
        let matrix = AccessMatrix::of(&audit);
        let written = write(&ReportInput::new(&audit, &matrix), folder.path(), &ReportFile::ALL).unwrap();
        assert!(written.iter().all(|path| fs::metadata(path).unwrap().len() > 0), "{written:?}");
        let mode = |path: &PathBuf| std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions());
        assert!(written.iter().all(|path| mode(path) & 0o777 == 0o600), "{written:?}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), written.len());
    }
}
