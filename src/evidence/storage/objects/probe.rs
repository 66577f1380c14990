//! Tries whether a store does what evidence needs, step by step. It puts one small object that stays.

use std::io;

use bytes::Bytes;

use super::{Objects, PROBE, is_unreachable};

/// What is in the object.
const CONTENT: &str = "`rolecall check` put this object to see what the store does. It is not evidence.\n";
/// What must not replace it.
const OTHER: &str = "The store replaced an object that was to be put only if there is none.\n";

/// A store does not do what evidence needs.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// It cannot be reached, or there is no such bucket.
    #[error("{0}")]
    Unreachable(io::Error),
    /// It refuses a call.
    #[error("{place}: it is not allowed to {what}: {source}")]
    Refused {
        /// The address.
        place: String,
        /// What was tried.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// Something else failed.
    #[error("{place}: it failed to {what}: {source}")]
    Failed {
        /// The address.
        place: String,
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// It replaces objects.
    #[error(
        "{0}: the store ignores `If-None-Match`, so evidence could be overwritten; use a store that supports conditional writes"
    )]
    Overwrites(String),
}

/// What a store does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Whether it keeps versions, so that an object that is overwritten or removed is not lost.
    pub keeps_versions: bool,
    /// The mode of the default retention, and until when it kept the object of the first probe; `None` if there is none.
    pub retention: Option<(String, String)>,
}

impl Objects {
    /// Tries the store: to list, to put, that nothing is replaced, to read back, and what keeps objects from being removed.
    ///
    /// # Errors
    /// [`ProbeError`]
    pub fn probe(&self) -> Result<Probe, ProbeError> {
        self.client.list("").map_err(|error| self.failed("list objects", error))?;
        let put = |content: &'static str| {
            self.client.create(PROBE, Bytes::from_static(content.as_bytes()), self.client.patience)
        };
        match put(CONTENT) {
            // One that an earlier version wrote is as good.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            put => drop(put.map_err(|error| self.failed("put and read objects", error))?),
        }
        match put(OTHER) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Ok(_) => return Err(ProbeError::Overwrites(self.client.place().to_owned())),
            Err(error) => return Err(self.failed("put objects", error)),
        }
        let (version, said) = self.client.said(PROBE).map_err(|error| self.failed("read objects", error))?;
        let retention = said.retention.map(|(until, mode)| (mode, until));
        Ok(Probe { keeps_versions: version.is_some_and(|version| version != "null"), retention })
    }

    fn failed(&self, what: &'static str, source: io::Error) -> ProbeError {
        let place = self.client.place().to_owned();
        match source.kind() {
            _ if is_unreachable(&source) => ProbeError::Unreachable(source),
            io::ErrorKind::PermissionDenied => ProbeError::Refused { place, what, source },
            _ => ProbeError::Failed { place, what, source },
        }
    }
}
