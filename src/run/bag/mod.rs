//! The bag of evidence of one run: what the API answered while it was read (`recording`, `answers`), what was made of it
//! (`contents`, `trigger`), and what the bag says of itself (`describe`). A run that fails leaves a bag too ([`failure`]).

pub(super) mod answers;
pub(super) mod contents;
pub(super) mod describe;
pub mod failure;
mod format;
mod recording;
pub(super) mod trigger;

pub use self::recording::{Beginning, EvidenceError, Recording, Sealed};
pub(in crate::run) use self::{describe::script, format::time};
