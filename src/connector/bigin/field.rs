//! One field of a record at a time: a value of another type than expected, an empty one, or two that contradict each other
//! make this field unreadable, and nothing else.

use std::{borrow::Cow, fmt, marker::PhantomData};

use chrono::{DateTime, Utc};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The longest text that is taken, in bytes: far more than the vendor allows.
const LONGEST_TEXT: usize = 16 << 10;
/// The longest id that is taken, in bytes.
const LONGEST_ID: usize = 200;

/// A field as the answer gives it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::connector) enum Field<T> {
    /// Not at all, or null.
    #[default]
    Absent,
    /// In a form that can be read.
    Given(T),
    /// In any other form.
    Unreadable,
}

impl<T> Field<T> {
    pub(in crate::connector) fn get(&self) -> Option<&T> {
        match self {
            Self::Given(value) => Some(value),
            Self::Absent | Self::Unreadable => None,
        }
    }

    pub(in crate::connector) fn given(self) -> Option<T> {
        match self {
            Self::Given(value) => Some(value),
            Self::Absent | Self::Unreadable => None,
        }
    }

    pub(in crate::connector) fn is_unreadable(&self) -> bool {
        matches!(self, Self::Unreadable)
    }
}

impl<'de, T: Json<'de>> Field<T> {
    /// Takes in a value under the field's name, which may come more than once.
    pub(in crate::connector) fn take(&mut self, next: Self) {
        *self = match (std::mem::take(self), next) {
            (Self::Absent, next) => next,
            (before, Self::Absent) => before,
            (Self::Given(before), Self::Given(next)) => before.join(next).map_or(Self::Unreadable, Self::Given),
            (Self::Unreadable, _) | (_, Self::Unreadable) => Self::Unreadable,
        };
    }
}

/// What can be made of a JSON value; `None` if nothing can.
pub(in crate::connector) trait Json<'de>: Sized {
    fn text(_text: Cow<'de, str>) -> Option<Self> {
        None
    }

    fn number(_number: u64) -> Option<Self> {
        None
    }

    fn fraction(_number: f64) -> Option<Self> {
        None
    }

    fn truth(_truth: bool) -> Option<Self> {
        None
    }

    fn object<A: MapAccess<'de>>(mut map: A) -> Result<Option<Self>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    /// One value of two that were given; `None` if they contradict each other.
    fn join(self, other: Self) -> Option<Self>;
}

struct Lenient<T>(PhantomData<T>);

fn field<T>(value: Option<T>) -> Field<T> {
    value.map_or(Field::Unreadable, Field::Given)
}

impl<'de, T: Json<'de>> Visitor<'de> for Lenient<T> {
    type Value = Field<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Field::Absent)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(field(T::truth(truth)))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(field(T::number(number)))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(field(u64::try_from(number).ok().and_then(T::number)))
    }

    /// Fractions, and numbers of more than 64 bits, which the JSON reader rounds: another user's id, perhaps.
    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(field(T::fraction(number)))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(field(T::text(Cow::Borrowed(text))))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(field(T::text(Cow::Owned(text.to_owned()))))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::object(map).map(field)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        T::list(list).map(field)
    }
}

impl<'de, T: Json<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Lenient(PhantomData))
    }
}

/// Whether a text counts as not given.
pub(in crate::connector) fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn same<T: PartialEq>(one: T, other: &T) -> Option<T> {
    (one == *other).then_some(one)
}

/// A text, borrowed unless it holds escapes.
pub(in crate::connector) type Text<'a> = Cow<'a, str>;

impl<'de> Json<'de> for Text<'de> {
    fn text(text: Cow<'de, str>) -> Option<Self> {
        (text.len() <= LONGEST_TEXT).then_some(text)
    }

    fn join(self, other: Self) -> Option<Self> {
        same(self, &other)
    }
}

/// A text or a number, as a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::connector) struct Word<'a>(pub(in crate::connector) Cow<'a, str>);

impl<'de> Json<'de> for Word<'de> {
    fn text(text: Cow<'de, str>) -> Option<Self> {
        Text::text(text).map(Self)
    }

    fn number(number: u64) -> Option<Self> {
        Some(Self(Cow::Owned(number.to_string())))
    }

    fn join(self, other: Self) -> Option<Self> {
        same(self, &other)
    }
}

/// An id: a text that is not blank, or a whole number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::connector) struct Id<'a>(pub(in crate::connector) Cow<'a, str>);

impl<'de> Json<'de> for Id<'de> {
    fn text(text: Cow<'de, str>) -> Option<Self> {
        (!is_blank(&text) && text.len() <= LONGEST_ID).then_some(Self(text))
    }

    fn number(number: u64) -> Option<Self> {
        Some(Self(Cow::Owned(number.to_string())))
    }

    fn join(self, other: Self) -> Option<Self> {
        same(self, &other)
    }
}

/// A whole number, however it is written.
impl<'de> Json<'de> for u64 {
    fn text(text: Cow<'de, str>) -> Option<Self> {
        text.trim().parse().ok()
    }

    fn number(number: u64) -> Option<Self> {
        Some(number)
    }

    fn join(self, other: Self) -> Option<Self> {
        same(self, &other)
    }
}

/// A yes or no, also as a text.
impl<'de> Json<'de> for bool {
    fn text(text: Cow<'de, str>) -> Option<Self> {
        match text.trim() {
            text if text.eq_ignore_ascii_case("true") => Some(true),
            text if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    fn truth(truth: bool) -> Option<Self> {
        Some(truth)
    }

    fn join(self, other: Self) -> Option<Self> {
        same(self, &other)
    }
}

/// A time as RFC 3339 has it, also with an offset without a colon.
impl<'de> Json<'de> for DateTime<Utc> {
    fn text(text: Cow<'de, str>) -> Option<Self> {
        let time = DateTime::parse_from_rfc3339(&text)
            .or_else(|_| DateTime::parse_from_str(text.trim(), "%Y-%m-%dT%H:%M:%S%.f%z"));
        time.ok().map(|time| time.with_timezone(&Utc))
    }

    fn join(self, other: Self) -> Option<Self> {
        same(self, &other)
    }
}

/// A list. If it is given twice with different content, an empty one counts as not given.
impl<'de, T: Json<'de> + PartialEq> Json<'de> for Vec<Field<T>> {
    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let mut all = Self::new();
        while let Some(value) = list.next_element()? {
            all.push(value);
        }
        Ok(Some(all))
    }

    fn join(self, other: Self) -> Option<Self> {
        if self.is_empty() {
            Some(other)
        } else if other.is_empty() {
            Some(self)
        } else {
            same(self, &other)
        }
    }
}

/// Declares a record: its fields, each with its name in the answer. Unknown names are passed over.
macro_rules! record {
    ($(#[$meta:meta])* $name:ident $(<$row:ident>)? { $($(#[$doc:meta])* $field:ident: $type:ty = $key:literal $(| $alias:literal)*,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Default, PartialEq)]
        pub(in crate::connector) struct $name<'a $(, $row)?> {
            $($(#[$doc])* pub(in crate::connector) $field: crate::connector::bigin::field::Field<$type>,)*
            borrowed: std::marker::PhantomData<&'a ()>,
        }

        impl<'a $(, $row: crate::connector::bigin::field::Json<'a> + Default + PartialEq)?> crate::connector::bigin::field::Json<'a>
            for $name<'a $(, $row)?>
        {
            fn object<A: serde::de::MapAccess<'a>>(mut map: A) -> Result<Option<Self>, A::Error> {
                let mut record = Self::default();
                while let Some(crate::connector::bigin::field::Name(name)) = map.next_key()? {
                    match &*name {
                        $($key $(| $alias)* => record.$field.take(map.next_value()?),)*
                        _ => {
                            map.next_value::<serde::de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(Some(record))
            }

            /// A field of the one or of the other; one that contradicts itself is unreadable.
            fn join(mut self, other: Self) -> Option<Self> {
                $(self.$field.take(other.$field);)*
                Some(self)
            }
        }
    };
}
pub(in crate::connector) use record;

/// A whole answer that must be a record.
///
/// # Errors
/// If it is not one.
pub(in crate::connector) fn whole<'de, T: Json<'de>, D: Deserializer<'de>>(
    deserializer: D,
    name: &str,
) -> Result<T, D::Error> {
    required(Field::deserialize(deserializer)?, name)
}

/// A field without which an answer cannot be used.
///
/// # Errors
/// If it is missing or unreadable. The error starts as the one of a missing field does, so that its place is found.
pub(in crate::connector) fn required<T, E: Error>(field: Field<T>, name: &str) -> Result<T, E> {
    match field {
        Field::Given(value) => Ok(value),
        Field::Absent => Err(E::custom(format!("missing field `{name}`"))),
        Field::Unreadable => Err(E::custom(format!("missing field `{name}` in a form that can be read"))),
    }
}

/// The name of a field.
pub(in crate::connector) struct Name<'a>(pub(in crate::connector) Cow<'a, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Borrowing;

        impl<'de> Visitor<'de> for Borrowing {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a field")
            }

            fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(name)))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(name.to_owned())))
            }
        }

        deserializer.deserialize_str(Borrowing)
    }
}
