//! The name of a bag of evidence.

use serde::{Deserialize, Serialize};

/// A bag of evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BagName {
    /// The name of its folder.
    pub folder: String,
    /// The SHA-256 of its sealed manifest, which identifies it.
    pub sha256: String,
}
