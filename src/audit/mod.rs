//! Pure: rules, and what they find.
