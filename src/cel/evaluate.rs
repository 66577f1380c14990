//! Evaluates a condition for one subject after the other.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use cel::{
    Context, Env, ExecutionError, IdedExpr, Value,
    common::{
        types::{CelBool, CelInt, CelList, CelString, CelTimestamp},
        value::{CowVal, Val},
    },
    context::VariableResolver,
};
use chrono::{DateTime, Utc};

use super::{
    Program, functions,
    keys::{Key, Kind},
    limits::LONGEST_LIST,
    rewrite::{HAS, MOST_SHARED, SHARED, VALUE},
};

/// A list of texts, ready for rules.
#[derive(Debug)]
pub struct Texts {
    values: CelList<'static>,
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
    fn is_there(self) -> bool {
        !matches!(self, Self::Empty | Self::Unknown)
    }

    /// The empty value of a type in place of none.
    fn or_empty(self, kind: Kind) -> Self {
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

/// Why a condition could not be evaluated for a subject.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failure(String);

struct Resolver<'v> {
    view: &'v dyn View,
    /// Which shared parts are true for the subject, and, in the upper half, which could be evaluated.
    shared: AtomicU64,
}

impl VariableResolver for Resolver<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let number: usize = variable.get(1..)?.parse().ok()?;
        match variable.chars().next()? {
            VALUE => {
                let key = *Key::ALL.get(number)?;
                match self.view.value(key).or_empty(key.kind()) {
                    Reading::Bool(value) => Some(CowVal::owned(CelBool::from(value))),
                    Reading::Int(value) => Some(CowVal::owned(CelInt::from(value))),
                    Reading::Text(text) => Some(CowVal::owned(CelString::from(text))),
                    Reading::Time(time) => Some(CowVal::owned(CelTimestamp::from(time.fixed_offset()))),
                    Reading::Texts(texts) => Some(CowVal::Borrowed(&texts.values)),
                    Reading::Empty | Reading::Unknown => None,
                }
            }
            HAS => Some(CowVal::owned(CelBool::from(self.view.value(*Key::ALL.get(number)?).is_there()))),
            SHARED => {
                let bits = self.shared.load(Relaxed);
                let has = |place: usize| bits >> place & 1 == 1;
                has(number + MOST_SHARED).then(|| CowVal::owned(CelBool::from(has(number))))
            }
            _ => None,
        }
    }
}

/// Evaluates a condition for the subject of a view.
pub struct Session<'s> {
    program: &'s Program,
    context: Context<'s, 's>,
    resolver: &'s Resolver<'s>,
    groups: HashMap<u64, u64>,
}

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

impl Program {
    /// Evaluates the condition as often as `work` asks for it, each time for the subject that the view then shows.
    pub fn over<R>(&self, view: &dyn View, work: impl FnOnce(&mut Session<'_>) -> R) -> R {
        let resolver = Resolver { view, shared: AtomicU64::new(0) };
        let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
        functions::register(&mut context, &self.rewritten.regexes);
        context.set_variable_resolver(&resolver);
        work(&mut Session { program: self, context, resolver: &resolver, groups: HashMap::new() })
    }
}

impl Session<'_> {
    /// Whether the condition is true for the subject of the view.
    ///
    /// # Errors
    /// [`Failure`] if that cannot be said.
    pub fn evaluate(&mut self) -> Result<bool, Failure> {
        let rewritten = &self.program.rewritten;
        if !rewritten.shared.is_empty() {
            let group = self.resolver.view.group();
            let (context, shared) = (&self.context, &rewritten.shared);
            let bits = *self.groups.entry(group).or_insert_with(|| bits(shared, context));
            self.resolver.shared.store(bits, Relaxed);
            if let Ok(value) = truth(&rewritten.condition, context) {
                return Ok(value);
            }
        }
        // Also for the reason: that of a shared part is not in the condition.
        truth(&rewritten.whole, &self.context)
    }
}

fn bits(shared: &[IdedExpr], context: &Context<'_, '_>) -> u64 {
    shared.iter().enumerate().fold(0, |bits, (place, part)| match truth(part, context) {
        Ok(value) => bits | u64::from(value) << place | 1 << (place + MOST_SHARED),
        Err(_) => bits,
    })
}

fn truth(expression: &IdedExpr, context: &Context<'_, '_>) -> Result<bool, Failure> {
    let evaluated = catch_unwind(AssertUnwindSafe(|| {
        Value::resolve_val(expression, context).map(|value| value.downcast_ref::<CelBool>().map(|value| *value.inner()))
    }));
    match evaluated {
        Ok(Ok(Some(value))) => Ok(value),
        Ok(Ok(None)) => Err(Failure("the condition is neither true nor false".into())),
        Ok(Err(error)) => Err(Failure(words(&error))),
        Err(_) => Err(Failure("the condition cannot be evaluated".into())),
    }
}

/// An error in words, without a value of the subject.
fn words(error: &ExecutionError) -> String {
    match error {
        ExecutionError::UndeclaredReference(name) => {
            let number = name.strip_prefix(VALUE).and_then(|number| number.parse::<usize>().ok());
            let key = number.and_then(|number| Key::ALL.get(number));
            key.map_or_else(|| format!("{name} is not known"), |key| format!("{} is not known", key.path()))
        }
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "division by zero".into(),
        ExecutionError::Overflow(..) => "a result is out of range".into(),
        ExecutionError::IndexOutOfBounds(_) => "a list has fewer entries".into(),
        ExecutionError::FunctionError { function, .. } => format!("`{function}` cannot convert its argument"),
        _ => "the condition cannot be evaluated".into(),
    }
}
