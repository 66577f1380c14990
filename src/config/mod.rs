//! The configuration: the file as written, then checked settings.
