//! A value in a report: known, unknown or not applicable. A default never takes the place of an answer.

/// A value in a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known<T> {
    /// Reported by the API.
    Known(T),
    /// Not reported by the API.
    Unknown,
    /// Has no meaning for this subject.
    NotApplicable,
}

impl<T> From<Option<T>> for Known<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Unknown, Self::Known)
    }
}

impl<T: std::fmt::Display> std::fmt::Display for Known<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known(value) => value.fmt(f),
            Self::Unknown => f.write_str("unknown"),
            Self::NotApplicable => f.write_str("not applicable"),
        }
    }
}
