//! A snapshot as a store keeps it: compressed JSON, the header first, then the users in parts, ordered by id.
//!
//! A part is small enough to need little memory and large enough to compress well: about 25 bytes a user. Parts of 5,000 users
//! cost an audit 4 MiB more, because memory that is freed in pieces of a megabyte is kept by the allocator.

use std::{
    io::{self, BufRead as _, Read as _},
    iter,
};

use serde::{Serialize, Serializer, de::DeserializeOwned};
use uuid::Uuid;

use super::{Kept, StoreError};
use crate::{
    access::{
        drift::{Current, Said, Seen, SnapshotHeader, SnapshotUser, known_findings, snapshot_users},
        matrix::AccessMatrix,
    },
    model::{audit::Audit, change::Untold},
};

/// Users in one part.
const USERS_IN_PART: usize = 1_000;
/// Zstandard's fastest ordinary level: a snapshot must cost less than downloading the pages.
const LEVEL: i32 = 1;
/// How much is taken of a snapshot in a file, which is perhaps not one of ours.
#[derive(Clone, Copy)]
struct Bounds {
    /// Bytes of the header, decompressed.
    header: u64,
    /// Bytes of a part with users, decompressed.
    part: u64,
    /// Parts.
    parts: usize,
    /// Bytes of all parts together, compressed again.
    packed: usize,
}

/// More than any snapshot has: the header of 700,000 findings; 1,000 users whose every text is as long as is taken; and the
/// users and findings of some millions.
const BOUNDS: Bounds = Bounds { header: 256 << 20, part: 64 << 20, parts: 50_000, packed: 256 << 20 };

/// The parts of an audit's snapshot, created one at a time, and what its report says.
pub fn parts<'a>(
    audit: &'a Audit,
    matrix: &'a AccessMatrix<'a>,
    said: Said,
) -> impl Iterator<Item = Result<Vec<u8>, StoreError>> + Send + 'a {
    let (departed, unknown) = (audit.drift.departed.clone(), audit.drift.unknown.clone());
    let untold = &audit.drift.untold;
    let users =
        untold.users.iter().map(|(user, last)| (audit.directory.users.get(*user).id().to_owned(), *last)).collect();
    let untold = Untold { users, roles: untold.roles, ids: untold.ids.clone() };
    let sources = audit.judged_roster.iter().flat_map(|judged| &judged.sources);
    let rosters = sources.filter_map(|source| Some((source.name.clone(), source.kept?))).collect();
    let aliases = audit.judged_roster.as_ref().map(|judged| judged.aliases.clone()).unwrap_or_default();
    let read = audit.roster.iter().flat_map(|roster| &roster.sources);
    let roster_terms = read.map(|source| (source.name.clone(), source.into())).collect();
    let current = current(audit, matrix);
    let of_audit = SnapshotHeader::without_findings(audit.id, &current);
    let said = Some(said);
    let rest = SnapshotHeader { unknown, untold, departed, rosters, roster_terms, aliases, said, ..of_audit };
    let header = HeaderLine { rest, findings: current };
    let mut users = snapshot_users(&audit.directory);
    let part = move || {
        let part: Vec<SnapshotUser<'_>> = users.by_ref().take(USERS_IN_PART).collect();
        (!part.is_empty()).then(|| pack(&part))
    };
    iter::once_with(move || pack_in_pieces(&header)).chain(iter::from_fn(part))
}

/// The current state of an audit, as it is compared and kept.
pub fn current<'a>(audit: &'a Audit, matrix: &'a AccessMatrix<'a>) -> Current<'a> {
    Current {
        seen: Seen {
            matrix,
            administrator_profiles: &audit.administrator_profiles,
            policy: &audit.policy,
            rules: &audit.rules,
            workspace: &audit.workspace,
        },
        undecided: &audit.drift.undecided,
        findings: &audit.findings,
        outcomes: &audit.outcomes,
    }
}

/// The header of a kept audit.
///
/// # Errors
/// [`StoreError::Snapshot`] if it cannot be read back.
pub fn header(kept: &Kept) -> Result<SnapshotHeader, StoreError> {
    let part = kept.parts.first().ok_or_else(|| StoreError::Snapshot { reason: "it is empty".into() })?;
    unpack_in_pieces(part)
}

/// The users of a kept audit, ordered by id, read back one part at a time.
pub fn users(kept: &Kept) -> impl Iterator<Item = Result<SnapshotUser<'static>, StoreError>> + '_ {
    kept.parts.iter().skip(1).flat_map(|part| match unpack::<Vec<SnapshotUser<'static>>>(part) {
        Ok(users) => users.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    })
}

/// The header and the users in the parts of a snapshot.
///
/// # Errors
/// [`StoreError::Snapshot`] if they cannot be read back.
pub fn read(parts: &[Vec<u8>]) -> Result<(SnapshotHeader, Vec<SnapshotUser<'static>>), StoreError> {
    let (first, rest) = parts.split_first().ok_or_else(|| StoreError::Snapshot { reason: "it is empty".into() })?;
    let mut users = Vec::new();
    for part in rest {
        users.extend(unpack::<Vec<SnapshotUser<'static>>>(part)?);
    }
    Ok((unpack_in_pieces(first)?, users))
}

/// The audit whose snapshot a file holds. Reads only its beginning.
///
/// # Errors
/// [`StoreError::Snapshot`] if it cannot be read.
pub fn of_whom(parts: impl io::Read) -> Result<Uuid, StoreError> {
    let mut lines = Lines::of(parts, BOUNDS)?;
    let header = lines.next()?.ok_or_else(|| failed(&"it is empty"))?;
    let header: SnapshotHeader = serde_json::from_slice(&header).map_err(|error| failed(&error))?;
    header.id.parse().map_err(|error| failed(&error))
}

/// The parts of a kept audit, from a file that holds all of them one after another.
///
/// # Errors
/// [`StoreError::Snapshot`] if they cannot be read back, [`StoreError::Pack`] if they cannot be split.
pub fn split(parts: impl io::Read) -> Result<Vec<Vec<u8>>, StoreError> {
    split_within(parts, BOUNDS)
}

fn split_within(parts: impl io::Read, bounds: Bounds) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut lines = Lines::of(parts, bounds)?;
    let (mut split, mut packed) = (Vec::new(), 0);
    while let Some(line) = lines.next()? {
        // As they were when the audit was kept.
        let part = if split.is_empty() { in_pieces(|json| json.write_all(&line))? } else { compressed(&line)? };
        packed += part.len();
        split.push(part);
        if packed > bounds.packed || split.len() > bounds.parts {
            let Bounds { packed, parts, .. } = bounds;
            return Err(failed(&format!("it has more than {packed} bytes, compressed, or more than {parts} parts")));
        }
    }
    Ok(split)
}

/// The lines of a snapshot in a file: the header, then the parts with users.
struct Lines<R: io::Read> {
    json: io::BufReader<zstd::stream::Decoder<'static, io::BufReader<R>>>,
    bounds: Bounds,
    /// How many there were.
    read: usize,
}

impl<R: io::Read> Lines<R> {
    fn of(parts: R, bounds: Bounds) -> Result<Self, StoreError> {
        let json = zstd::stream::Decoder::new(parts).map_err(|error| failed(&error))?;
        Ok(Self { json: io::BufReader::new(json), bounds, read: 0 })
    }

    /// The next line with its end; `None` after the last.
    fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        let is_header = self.read == 0;
        let most = if is_header { self.bounds.header } else { self.bounds.part };
        let mut line = Vec::new();
        // The end of the line, too.
        (&mut self.json).take(most.saturating_add(1)).read_until(b'\n', &mut line).map_err(|error| failed(&error))?;
        if line.is_empty() {
            return Ok(None);
        }
        if line.last() != Some(&b'\n') {
            line.push(b'\n');
        }
        if line.len() as u64 > most.saturating_add(1) {
            let what = if is_header { "header".to_owned() } else { format!("part {} with users", self.read) };
            return Err(failed(&format!("its {what} has more than {most} bytes")));
        }
        self.read += 1;
        Ok(Some(line))
    }
}

fn failed(reason: &dyn std::fmt::Display) -> StoreError {
    StoreError::Snapshot { reason: reason.to_string() }
}

/// A header with its findings.
#[derive(Serialize)]
struct HeaderLine<'a> {
    #[serde(flatten)]
    rest: SnapshotHeader,
    #[serde(serialize_with = "each_finding")]
    findings: Current<'a>,
}

/// Makes one finding at a time: there can be one for each of 100,000 users.
fn each_finding<S: Serializer>(current: &Current<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(known_findings(current))
}

/// Compresses a header while it is written, because it can be many megabytes of JSON.
fn pack_in_pieces(header: &HeaderLine<'_>) -> Result<Vec<u8>, StoreError> {
    in_pieces(|json| {
        serde_json::to_writer(&mut *json, header)?;
        json.write_all(b"\n")
    })
}

/// Compresses what is written. The result does not depend on the pieces in which it is written.
fn in_pieces(write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result<Vec<u8>, StoreError> {
    let compress = || -> io::Result<Vec<u8>> {
        let mut json = io::BufWriter::new(zstd::stream::Encoder::new(Vec::new(), LEVEL)?);
        write(&mut json)?;
        json.into_inner()?.finish()
    };
    compress().map_err(|error| StoreError::Pack { reason: error.to_string() })
}

/// Reads a header while it is decompressed.
fn unpack_in_pieces(part: &[u8]) -> Result<SnapshotHeader, StoreError> {
    let json = zstd::stream::Decoder::with_buffer(part).map_err(|error| failed(&error))?;
    serde_json::from_reader(io::BufReader::new(json)).map_err(|error| failed(&error))
}

fn pack(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    let mut json = serde_json::to_vec(value).map_err(|error| StoreError::Pack { reason: error.to_string() })?;
    // Each part is a line, so that the concatenated parts are a file that other tools can read.
    json.push(b'\n');
    compressed(&json)
}

fn compressed(line: &[u8]) -> Result<Vec<u8>, StoreError> {
    let part = zstd::bulk::compress(line, LEVEL);
    let mut part = part.map_err(|error| StoreError::Pack { reason: error.to_string() })?;
    // The buffer has room for the worst case, which is ten times what is needed.
    part.shrink_to_fit();
    Ok(part)
}

fn unpack<T: DeserializeOwned>(part: &[u8]) -> Result<T, StoreError> {
    let json = zstd::stream::decode_all(part).map_err(|error| failed(&error))?;
    serde_json::from_slice(&json).map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{model::finding::Severity, report::testing};

    const SMALL: Bounds = Bounds { header: 100, part: 10, parts: 4, packed: 200 };

    fn split(text: &str) -> Result<Vec<Vec<u8>>, String> {
        let file = zstd::stream::encode_all(text.as_bytes(), LEVEL).unwrap();
        let parts = split_within(file.as_slice(), SMALL).map_err(|error| error.to_string())?;
        Ok(parts.iter().map(|part| zstd::stream::decode_all(part.as_slice()).unwrap()).collect())
    }

    #[test]
    fn a_snapshot_in_a_file_is_taken_up_to_a_bound_and_not_cut() {
        let whole = format!("{}\n[12345678]\n[]", "h".repeat(100));
        let parts = [format!("{}\n", "h".repeat(100)), "[12345678]\n".into(), "[]\n".into()].map(String::into_bytes);
        assert_eq!(split(&whole).unwrap(), parts);
        assert_eq!(split("").unwrap(), Vec::<Vec<u8>>::new());
        let refused = |text: &str| split(text).unwrap_err();
        assert!(refused(&"h".repeat(101)).contains("its header has more than 100 bytes"));
        assert!(refused(&"h".repeat(100_000)).contains("its header has more than 100 bytes"));
        assert!(refused("h\n[]\n[123456789]\n").contains("its part 2 with users has more than 10 bytes"));
        assert!(refused(&format!("h{}", "\n".repeat(5))).contains("more than 4 parts"));
        assert!(refused(&format!("h\n{}", "[]\n".repeat(50))).contains("more than 4 parts"));
    }

    #[test]
    fn what_expands_to_gigabytes_is_refused_before_it_does() {
        let mut bomb = zstd::stream::Encoder::new(Vec::new(), LEVEL).unwrap();
        let zeros = vec![b' '; 1 << 20];
        for _ in 0..300 {
            io::Write::write_all(&mut bomb, &zeros).unwrap();
        }
        let bomb = bomb.finish().unwrap();
        let error = of_whom(bomb.as_slice()).unwrap_err().to_string();
        assert!(error.contains("its header has more than 268435456 bytes"), "{error}");
    }

    fn said() -> Said {
        Said { state: "Act".into(), class: "act".into(), verdict: "One account can administer.".into() }
    }

    #[test]
    fn a_header_is_read_back_with_all_findings() {
        let mut audit = testing::hostile();
        let user = |user| testing::finding("inactive-user-with-access", Severity::Low, user);
        audit.findings.extend((0..2).cycle().take(3_000).map(user));
        let matrix = AccessMatrix::of(&audit);
        let parts: Vec<Vec<u8>> = parts(&audit, &matrix, said()).collect::<Result<_, _>>().unwrap();
        let (header, users) = read(&parts).unwrap();
        let expected = SnapshotHeader { said: Some(said()), ..SnapshotHeader::of(audit.id, &current(&audit, &matrix)) };
        assert_eq!(header, expected);
        assert_eq!(header.findings.len(), audit.findings.len());
        assert_eq!(super::split(parts.concat().as_slice()).unwrap(), parts, "to the byte");
        assert_eq!(users.len(), audit.directory.users.len());
    }

    #[test]
    fn a_header_without_findings_is_read_back() {
        let audit = testing::quiet();
        let parts: Vec<Vec<u8>> = parts(&audit, &AccessMatrix::of(&audit), said()).collect::<Result<_, _>>().unwrap();
        assert_eq!(read(&parts).unwrap().0.findings, []);
        // A build that demands the list finds it.
        let json = zstd::stream::decode_all(parts[0].as_slice()).unwrap();
        assert!(String::from_utf8(json).unwrap().ends_with("\"findings\":[]}\n"));
    }
}
