//! The subject that is judged, as a condition sees it.

use std::sync::LazyLock;

use cel::common::{
    types::{CelList, CelString},
    value::Val,
};
use chrono::{DateTime, Utc};

use super::{
    keys::{Key, Kind},
    limits::LONGEST_LIST,
};

/// A list of texts, ready for rules.
#[derive(Debug)]
pub struct Texts {
    pub(super) values: CelList<'static>,
    length: usize,
}

impl Texts {
    /// These texts.
    pub fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let boxed = |text: &str| -> Box<dyn Val> { Box::new(CelString::from(text.to_owned())) };
        let values: Vec<Box<dyn Val>> = texts.into_iter().map(boxed).collect();
        let length = values.len();
        Self { values: CelList::from(values), length }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The texts.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.values.inner().iter().filter_map(|value| value.downcast_ref::<CelString<'_>>()).map(CelString::inner)
    }
}

static NO_TEXTS: LazyLock<Texts> = LazyLock::new(|| Texts::new([]));

/// The value of a key for a subject.
#[derive(Debug, Clone, Copy)]
pub enum Reading<'a> {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A text.
    Text(&'a str),
    /// A point in time.
    Time(DateTime<Utc>),
    /// Several texts.
    Texts(&'a Texts),
    /// There is none: `has` is false. Texts and lists are then empty, and true or false is false.
    Empty,
    /// It is not known: `has` is false, and reading it fails.
    Unknown,
}

impl<'a> From<Option<&'a str>> for Reading<'a> {
    fn from(text: Option<&'a str>) -> Self {
        text.filter(|text| !text.is_empty()).map_or(Self::Empty, Self::Text)
    }
}

impl Reading<'_> {
    pub(super) fn is_there(self) -> bool {
        !matches!(self, Self::Empty | Self::Unknown)
    }

    /// The empty value of a type in place of none.
    pub(super) fn or_empty(self, kind: Kind) -> Self {
        match (self, kind) {
            (Self::Empty, Kind::Bool) => Self::Bool(false),
            (Self::Empty, Kind::Text) => Self::Text(""),
            (Self::Empty, Kind::Texts) => Self::Texts(&NO_TEXTS),
            (Self::Texts(texts), _) if texts.len() > LONGEST_LIST => Self::Unknown,
            (other, _) => other,
        }
    }

    /// How a message shows it.
    pub fn shown(self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Text(text) => text.to_owned(),
            Self::Time(time) => time.format("%Y-%m-%d").to_string(),
            Self::Texts(texts) => {
                let first: Vec<&str> = texts.iter().take(5).collect();
                let more = texts.len().saturating_sub(first.len());
                let joined = first.join(", ");
                if more == 0 { joined } else { format!("{joined} and {more} more") }
            }
            Self::Empty => String::new(),
            Self::Unknown => "unknown".to_owned(),
        }
    }
}

/// The subject that is judged now.
pub trait View: Send + Sync {
    /// The value of a key.
    fn value(&self, key: Key) -> Reading<'_>;

    /// A number that subjects have in common if they share everything but `user`, `roster` and `previous`.
    fn group(&self) -> u64;
}
