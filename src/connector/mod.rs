//! Reads a workspace over its API.
