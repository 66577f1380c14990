//! The usual parts of a condition, evaluated without the interpreter of CEL: names, literals, comparisons, functions of texts,
//! and what joins them. Everything else, and everything that cannot be evaluated here, is left to the interpreter, so that there
//! is one set of reasons for failures. A test compares both on whatever conditions it can make up.

use std::{borrow::Cow, cmp::Ordering};

use cel::{
    IdedExpr,
    common::ast::{CallExpr, Expr, LiteralValue, operators},
};
use chrono::{DateTime, TimeDelta, Utc};
use regex::Regex;

use super::{
    functions,
    keys::{Key, Kind},
    view::{Reading, View},
};

/// How a name of the view begins after it was rewritten. It is followed by the number of the key.
pub(super) const VALUE: char = '#';
/// How the question whether there is such a value begins.
pub(super) const HAS: char = '?';
/// How a shared part begins. It is followed by its number.
pub(super) const SHARED: char = '=';

/// A condition, or a part of one that is true or false.
#[derive(Debug)]
pub(super) enum Quick {
    Is(bool),
    /// The value of a key that is true or false.
    Value(Key),
    Has(Key),
    /// A shared part, by its number.
    Shared(usize),
    Not(Box<Quick>),
    /// Both, and either: an operand that cannot be evaluated does not matter if the other one decides.
    Both(Box<[Quick; 2]>),
    Either(Box<[Quick; 2]>),
    Same(Text, Text),
    /// Whether a text is one of these.
    OneOf(Text, Vec<String>),
    Contains(Text, Text),
    Begins(Text, Text),
    Ends(Text, Text),
    /// The regular expression of a number.
    Matches(Text, usize),
    Numbers(Number, Order, Number),
    Times(Key, Order, Key),
    /// The time between two times, and a duration.
    Between([Key; 2], Order, TimeDelta),
    /// What only the interpreter evaluates, and whether a shared part is in it.
    Other(IdedExpr, bool),
}

/// A text.
#[derive(Debug)]
pub(super) enum Text {
    Literal(String),
    Value(Key),
    Lower(Box<Text>),
    Domain(Box<Text>),
}

/// A whole number.
#[derive(Debug)]
pub(super) enum Number {
    Literal(i64),
    Value(Key),
    Characters(Text),
    Entries(Key),
}

/// How two values stand to each other.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    Is(Ordering),
    IsNot(Ordering),
}

/// What is evaluated elsewhere. `None` if it cannot be evaluated.
pub(super) trait Elsewhere {
    /// The shared part of a number.
    fn shared(&mut self, number: usize) -> Option<bool>;

    /// What only the interpreter evaluates, and whether a shared part is in it.
    fn other(&mut self, expression: &IdedExpr, has_shared: bool) -> Option<bool>;
}

impl Quick {
    /// From a condition that was checked and rewritten.
    pub(super) fn of(node: &IdedExpr) -> Self {
        known(&node.expr).unwrap_or_else(|| Self::Other(node.clone(), has_shared(node)))
    }

    /// Whether it is true for the subject of a view. `None` if that cannot be said here.
    pub(super) fn evaluate(&self, view: &dyn View, regexes: &[Regex], elsewhere: &mut dyn Elsewhere) -> Option<bool> {
        let value = |key: Key| view.value(key).or_empty(key.kind());
        let texts = |one: &Text, other: &Text, is: fn(&str, &str) -> bool| Some(is(&one.of(view)?, &other.of(view)?));
        match self {
            Self::Is(value) => Some(*value),
            Self::Value(key) => {
                if let Reading::Bool(value) = value(*key) {
                    Some(value)
                } else {
                    None
                }
            }
            Self::Has(key) => Some(view.value(*key).is_there()),
            Self::Shared(number) => elsewhere.shared(*number),
            Self::Not(one) => one.evaluate(view, regexes, elsewhere).map(|value| !value),
            Self::Both(two) => joined(two, false, |one| one.evaluate(view, regexes, elsewhere)),
            Self::Either(two) => joined(two, true, |one| one.evaluate(view, regexes, elsewhere)),
            Self::Same(one, other) => texts(one, other, |one, other| one == other),
            Self::OneOf(one, all) => one.of(view).map(|one| all.iter().any(|other| **other == *one)),
            Self::Contains(one, part) => texts(one, part, |one, part| one.contains(part)),
            Self::Begins(one, part) => texts(one, part, |one, part| one.starts_with(part)),
            Self::Ends(one, part) => texts(one, part, |one, part| one.ends_with(part)),
            Self::Matches(one, number) => Some(regexes.get(*number)?.is_match(&one.of(view)?)),
            Self::Numbers(one, order, other) => Some(order.holds(one.of(view)?.cmp(&other.of(view)?))),
            Self::Times(one, order, other) => Some(order.holds(time(view, *one)?.cmp(&time(view, *other)?))),
            Self::Between([to, from], order, duration) => {
                let between = time(view, *to)?.signed_duration_since(time(view, *from)?);
                // What has too many nanoseconds for CEL is an error there.
                between.num_nanoseconds().map(|_| order.holds(between.cmp(duration)))
            }
            Self::Other(expression, has_shared) => elsewhere.other(expression, *has_shared),
        }
    }
}

/// Joins two operands, of which one is enough if it is `decisive`.
fn joined(two: &[Quick; 2], decisive: bool, mut evaluate: impl FnMut(&Quick) -> Option<bool>) -> Option<bool> {
    let first = evaluate(&two[0]);
    if first == Some(decisive) {
        return first;
    }
    match evaluate(&two[1]) {
        Some(second) if second == decisive => Some(decisive),
        second => first.and(second),
    }
}

impl Text {
    fn of<'v>(&'v self, view: &'v dyn View) -> Option<Cow<'v, str>> {
        match self {
            Self::Literal(text) => Some(Cow::Borrowed(text)),
            Self::Value(key) => match view.value(*key).or_empty(Kind::Text) {
                Reading::Text(text) => Some(Cow::Borrowed(text)),
                _ => None,
            },
            Self::Lower(text) => text.of(view).map(functions::lower),
            Self::Domain(text) => text.of(view).map(functions::domain),
        }
    }
}

impl Number {
    fn of(&self, view: &dyn View) -> Option<i64> {
        let number = |number: usize| i64::try_from(number).ok();
        match self {
            Self::Literal(value) => Some(*value),
            Self::Value(key) => {
                if let Reading::Int(value) = view.value(*key) {
                    Some(value)
                } else {
                    None
                }
            }
            Self::Characters(text) => number(text.of(view)?.chars().count()),
            Self::Entries(key) => match view.value(*key).or_empty(Kind::Texts) {
                Reading::Texts(texts) => number(texts.len()),
                _ => None,
            },
        }
    }
}

impl Order {
    fn of(operator: &str) -> Option<Self> {
        Some(match operator {
            operators::EQUALS => Self::Is(Ordering::Equal),
            operators::NOT_EQUALS => Self::IsNot(Ordering::Equal),
            operators::LESS => Self::Is(Ordering::Less),
            operators::LESS_EQUALS => Self::IsNot(Ordering::Greater),
            operators::GREATER => Self::Is(Ordering::Greater),
            operators::GREATER_EQUALS => Self::IsNot(Ordering::Less),
            _ => return None,
        })
    }

    fn holds(self, found: Ordering) -> bool {
        match self {
            Self::Is(order) => found == order,
            Self::IsNot(order) => found != order,
        }
    }
}

fn time(view: &dyn View, key: Key) -> Option<DateTime<Utc>> {
    if let Reading::Time(time) = view.value(key) { Some(time) } else { None }
}

fn known(expr: &Expr) -> Option<Quick> {
    match expr {
        Expr::Literal(LiteralValue::Boolean(value)) => Some(Quick::Is(*value.inner())),
        Expr::Ident(name) => {
            let number = || name.get(1..)?.parse::<usize>().ok();
            match name.chars().next()? {
                VALUE => key(expr, Kind::Bool).map(Quick::Value),
                HAS => Key::ALL.get(number()?).copied().map(Quick::Has),
                SHARED => number().map(Quick::Shared),
                _ => None,
            }
        }
        Expr::Call(call) => called(call),
        _ => None,
    }
}

fn called(call: &CallExpr) -> Option<Quick> {
    let name = call.func_name.as_str();
    match (call.target.as_deref(), call.args.as_slice()) {
        (None, [one]) if name == operators::LOGICAL_NOT => Some(Quick::Not(Box::new(Quick::of(one)))),
        (None, [one, other]) => match name {
            operators::LOGICAL_AND => Some(Quick::Both(Box::new([Quick::of(one), Quick::of(other)]))),
            operators::LOGICAL_OR => Some(Quick::Either(Box::new([Quick::of(one), Quick::of(other)]))),
            operators::IN => Some(Quick::OneOf(text(one)?, literals(other)?)),
            operators::EQUALS if text(one).is_some() => Some(Quick::Same(text(one)?, text(other)?)),
            operators::NOT_EQUALS if text(one).is_some() => {
                Some(Quick::Not(Box::new(Quick::Same(text(one)?, text(other)?))))
            }
            _ => compared(one, Order::of(name)?, other),
        },
        (None, [one]) => Some(Quick::Matches(text(one)?, functions::regex_number(name)?)),
        (Some(one), [part]) => {
            let (one, part) = (text(one)?, text(part)?);
            match name {
                "contains" => Some(Quick::Contains(one, part)),
                "startsWith" => Some(Quick::Begins(one, part)),
                "endsWith" => Some(Quick::Ends(one, part)),
                _ => None,
            }
        }
        _ => None,
    }
}

fn compared(one: &IdedExpr, order: Order, other: &IdedExpr) -> Option<Quick> {
    if let (Some(one), Some(other)) = (number(one), number(other)) {
        return Some(Quick::Numbers(one, order, other));
    }
    if let (Some(one), Some(other)) = (key(&one.expr, Kind::Time), key(&other.expr, Kind::Time)) {
        return Some(Quick::Times(one, order, other));
    }
    match (&one.expr, &other.expr) {
        (Expr::Call(minus), Expr::Call(days))
            if minus.func_name == operators::SUBSTRACT && days.func_name == "days" =>
        {
            let ([to, from], [days]) = (minus.args.as_slice(), days.args.as_slice()) else { return None };
            let times = [key(&to.expr, Kind::Time)?, key(&from.expr, Kind::Time)?];
            let Expr::Literal(LiteralValue::Int(days)) = &days.expr else { return None };
            Some(Quick::Between(times, order, functions::days(*days.inner())?))
        }
        _ => None,
    }
}

fn text(node: &IdedExpr) -> Option<Text> {
    match &node.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(Text::Literal(text.inner().to_owned())),
        Expr::Ident(_) => key(&node.expr, Kind::Text).map(Text::Value),
        Expr::Call(CallExpr { func_name, target: None, args, .. }) => match (func_name.as_str(), args.as_slice()) {
            ("lower", [one]) => Some(Text::Lower(Box::new(text(one)?))),
            ("domain", [one]) => Some(Text::Domain(Box::new(text(one)?))),
            _ => None,
        },
        _ => None,
    }
}

fn number(node: &IdedExpr) -> Option<Number> {
    match &node.expr {
        Expr::Literal(LiteralValue::Int(value)) => Some(Number::Literal(*value.inner())),
        Expr::Ident(_) => key(&node.expr, Kind::Int).map(Number::Value),
        Expr::Call(call) if call.func_name == "size" => match (call.target.as_deref(), call.args.as_slice()) {
            (Some(one), []) | (None, [one]) => match key(&one.expr, Kind::Texts) {
                Some(key) => Some(Number::Entries(key)),
                None => text(one).map(Number::Characters),
            },
            _ => None,
        },
        _ => None,
    }
}

/// The texts of a list of literals.
fn literals(node: &IdedExpr) -> Option<Vec<String>> {
    let Expr::List(list) = &node.expr else { return None };
    let literal = |one: &IdedExpr| match &one.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner().to_owned()),
        _ => None,
    };
    list.elements.iter().map(literal).collect()
}

/// The key of this kind that an expression names.
fn key(expr: &Expr, kind: Kind) -> Option<Key> {
    let Expr::Ident(name) = expr else { return None };
    let key = *Key::ALL.get(name.strip_prefix(VALUE)?.parse::<usize>().ok()?)?;
    (key.kind() == kind).then_some(key)
}

/// Whether a shared part is in an expression.
fn has_shared(node: &IdedExpr) -> bool {
    match &node.expr {
        Expr::Ident(name) => name.starts_with(SHARED),
        Expr::Call(call) => call.target.iter().map(|target| &**target).chain(&call.args).any(has_shared),
        Expr::List(list) => list.elements.iter().any(has_shared),
        Expr::Comprehension(one) => has_shared(&one.iter_range) || has_shared(&one.loop_step),
        Expr::Select(select) => has_shared(&select.operand),
        // Maps and the like were refused.
        _ => false,
    }
}
