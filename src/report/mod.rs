//! Pure: the reports of an audit.
