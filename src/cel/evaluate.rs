//! Evaluates a condition for one subject after the other.

use std::{
    cell::OnceCell,
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
        types::{CelBool, CelInt, CelString, CelTimestamp},
        value::CowVal,
    },
    context::VariableResolver,
};

use super::{
    Program, functions,
    keys::Key,
    quick::{Elsewhere, HAS, SHARED, VALUE},
    rewrite::MOST_SHARED,
    view::{Reading, View},
};

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
            SHARED => shared(self.shared.load(Relaxed), number).map(|value| CowVal::owned(CelBool::from(value))),
            _ => None,
        }
    }
}

/// Evaluates a condition for the subject of a view.
pub struct Session<'s> {
    program: &'s Program,
    view: &'s dyn View,
    interpreter: Interpreter<'s>,
}

/// What only the interpreter of CEL evaluates.
struct Interpreter<'s> {
    program: &'s Program,
    resolver: &'s Resolver<'s>,
    /// Made when it is needed first.
    context: OnceCell<Context<'s, 's>>,
    groups: HashMap<u64, u64>,
}

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

impl Program {
    /// Evaluates the condition as often as `work` asks for it, each time for the subject that the view then shows.
    pub fn over<R>(&self, view: &dyn View, work: impl FnOnce(&mut Session<'_>) -> R) -> R {
        let resolver = Resolver { view, shared: AtomicU64::new(0) };
        let (context, groups) = (OnceCell::new(), HashMap::new());
        let interpreter = Interpreter { program: self, resolver: &resolver, context, groups };
        work(&mut Session { program: self, view, interpreter })
    }
}

#[cfg(test)]
impl Program {
    /// As [`Program::evaluate`], by the interpreter alone.
    pub(super) fn interpret(&self, view: &dyn View) -> Result<bool, Failure> {
        self.over(view, |session| truth(&self.rewritten.whole, session.interpreter.context()))
    }
}

impl Session<'_> {
    /// Whether the condition is true for the subject of the view.
    ///
    /// # Errors
    /// [`Failure`] if that cannot be said.
    pub fn evaluate(&mut self) -> Result<bool, Failure> {
        let rewritten = &self.program.rewritten;
        match rewritten.condition.evaluate(self.view, &rewritten.regexes, &mut self.interpreter) {
            Some(value) => Ok(value),
            // For the reason.
            None => truth(&rewritten.whole, self.interpreter.context()),
        }
    }
}

impl<'s> Interpreter<'s> {
    fn context(&self) -> &Context<'s, 's> {
        self.context.get_or_init(|| {
            let mut context = Context::with_env(Arc::clone(&ENVIRONMENT));
            functions::register(&mut context, &self.program.rewritten.regexes);
            context.set_variable_resolver(self.resolver);
            context
        })
    }

    /// Which shared parts are true for the subject, and which could be evaluated.
    fn bits(&mut self) -> u64 {
        let group = self.resolver.view.group();
        if let Some(bits) = self.groups.get(&group) {
            return *bits;
        }
        let bits = bits(&self.program.rewritten.shared, self.context());
        self.groups.insert(group, bits);
        bits
    }
}

impl Elsewhere for Interpreter<'_> {
    fn shared(&mut self, number: usize) -> Option<bool> {
        shared(self.bits(), number)
    }

    fn other(&mut self, expression: &IdedExpr, has_shared: bool) -> Option<bool> {
        if has_shared {
            let bits = self.bits();
            self.resolver.shared.store(bits, Relaxed);
        }
        truth(expression, self.context()).ok()
    }
}

/// The value of a shared part. `None` if it could not be evaluated.
fn shared(bits: u64, number: usize) -> Option<bool> {
    let has = |place: usize| bits >> place & 1 == 1;
    has(number + MOST_SHARED).then(|| has(number))
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
