//! The types of expressions.

use super::keys::Kind;

/// The type of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Bool,
    Int,
    Double,
    Text,
    Time,
    Duration,
    Texts,
    Ints,
    Doubles,
    Bools,
    Times,
    Durations,
    /// Any list, as an argument; the empty list, as a value.
    AnyList,
}

/// The types of lists, each with that of its entries.
const LISTS: [(Type, Type); 6] = [
    (Type::Texts, Type::Text),
    (Type::Ints, Type::Int),
    (Type::Doubles, Type::Double),
    (Type::Bools, Type::Bool),
    (Type::Times, Type::Time),
    (Type::Durations, Type::Duration),
];

impl Type {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Bool => "true or false",
            Self::Int => "a whole number",
            Self::Double => "a number",
            Self::Text => "text",
            Self::Time => "a timestamp",
            Self::Duration => "a duration",
            Self::Texts => "a list of texts",
            Self::Ints => "a list of whole numbers",
            Self::Doubles => "a list of numbers",
            Self::Bools => "a list of true and false",
            Self::Times => "a list of timestamps",
            Self::Durations => "a list of durations",
            Self::AnyList => "an empty list",
        }
    }

    /// The type of the entries of a list. `None` if it is no list, or an empty one.
    pub(super) fn entry(self) -> Option<Self> {
        LISTS.iter().find(|(list, _)| *list == self).map(|(_, entry)| *entry)
    }

    /// The list of entries of this type. `None` for lists of lists.
    pub(super) fn list(self) -> Option<Self> {
        LISTS.iter().find(|(_, entry)| *entry == self).map(|(list, _)| *list)
    }

    pub(super) fn is_list(self) -> bool {
        self == Self::AnyList || self.entry().is_some()
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Double)
    }

    /// Whether values of both types can be equal.
    pub(super) fn is_like(self, other: Self) -> bool {
        self == other
            || (self.is_number() && other.is_number())
            || (self == Self::AnyList && other.is_list())
            || (other == Self::AnyList && self.is_list())
    }

    pub(super) fn takes(self, given: Self) -> bool {
        self == given || (self == Self::AnyList && given.is_list())
    }
}

impl From<Kind> for Type {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Bool => Self::Bool,
            Kind::Int => Self::Int,
            Kind::Text => Self::Text,
            Kind::Time => Self::Time,
            Kind::Texts => Self::Texts,
        }
    }
}
