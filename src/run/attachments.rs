//! The attachments of a mail: written in memory, up to the size that mail servers accept.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use super::files::FileError;
use crate::{
    mail::{message::Attachment, report_mail::LeftOut},
    report::{self, ReportFile, ReportInput},
};

/// The total size of attachments, in bytes before the encoding of mails, which makes them a third larger. Many
/// servers refuse messages beyond 20 MB or 25 MB.
pub(super) const LIMIT: usize = 10 << 20;

/// Writes files in order as long as they fit into `limit` bytes. A file that does not fit is left out, with its size and
/// its path among the `written` files; it costs no memory.
pub(super) fn attachments(
    input: &ReportInput<'_>,
    files: &[ReportFile],
    written: &[PathBuf],
    limit: usize,
) -> Result<(Vec<Attachment>, Vec<LeftOut>), FileError> {
    let (mut attached, mut left_out) = (Vec::new(), Vec::new());
    let mut room = limit;
    for file in files {
        let file_name = file.file_name().to_owned();
        let mut capped = Capped::new(room);
        report::write(*file, input, &mut capped)
            .map_err(|source| FileError::Write { path: file.file_name().into(), source })?;
        match capped.bytes() {
            Ok(bytes) => {
                room -= bytes.len();
                attached.push(Attachment { file_name, content_type: file.media_type().to_owned(), bytes });
            }
            Err(bytes) => {
                let path = written.iter().find(|path| path.ends_with(&file_name)).cloned();
                left_out.push(LeftOut { file_name, bytes, path });
            }
        }
    }
    Ok((attached, left_out))
}

/// Keeps what is written up to a limit, and counts all bytes.
pub(super) struct Capped {
    bytes: Vec<u8>,
    limit: usize,
    written: usize,
}

impl Capped {
    pub(super) fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit, written: 0 }
    }

    /// What was written; if that is more than the limit, only how many bytes it is.
    pub(super) fn bytes(self) -> Result<Vec<u8>, usize> {
        if self.written > self.limit { Err(self.written) } else { Ok(self.bytes) }
    }
}

impl Write for Capped {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        self.written += more.len();
        if self.written > self.limit {
            self.bytes = Vec::new();
        } else {
            self.bytes.extend_from_slice(more);
        }
        Ok(more.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{access::matrix::AccessMatrix, report::testing};

    #[test]
    fn a_file_that_does_not_fit_is_left_out_with_its_size_and_the_next_may_still_fit() {
        let audit = testing::quiet();
        let matrix = AccessMatrix::of(&audit);
        let input = ReportInput::new(&audit, &matrix);
        let files = [ReportFile::FindingsCsv, ReportFile::Html, ReportFile::ChangesCsv];
        let (all, none) = attachments(&input, &files, &[], usize::MAX).unwrap();
        assert_eq!((all.len(), none.len()), (3, 0));
        let size = |place: usize| all[place].bytes.len();
        assert!(size(1) > size(0) + size(2), "the page is the largest");

        let written = [PathBuf::from("out/findings.csv"), PathBuf::from("out/report.html")];
        for (written, path) in [(&written[..], Some(written[1].clone())), (&[], None)] {
            let (some, left_out) = attachments(&input, &files, written, size(0) + size(2)).unwrap();
            assert_eq!(some, [all[0].clone(), all[2].clone()]);
            assert_eq!(left_out, [LeftOut { file_name: "report.html".to_owned(), bytes: size(1), path }]);
        }
    }

    #[test]
    fn beyond_the_limit_nothing_is_held() {
        let mut capped = Capped { bytes: Vec::new(), limit: 10, written: 0 };
        for _ in 0..1_000 {
            capped.write_all(&[0; 4]).unwrap();
            assert!(capped.bytes.capacity() <= 16);
        }
        assert_eq!((capped.written, capped.bytes.capacity()), (4_000, 0));
    }
}
