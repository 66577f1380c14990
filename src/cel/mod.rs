//! Conditions in CEL (Common Expression Language) over a closed view: the names that a rule can use ([`keys`]) are fixed and
//! have types.
//!
//! An expression is bounded before it is parsed (`limits`), its types are inferred (`check`), and it is made quick to
//! evaluate (`rewrite`, `quick`). [`Program::over`] evaluates it for one subject after the other. What cannot be evaluated is an
//! error with a reason, never false.

mod case;
mod check;
mod evaluate;
mod functions;
pub mod keys;
mod limits;
mod message;
mod quick;
mod rewrite;
#[cfg(test)]
mod tests;
mod types;
mod view;

use std::{collections::BTreeSet, ops::Range, thread};

use cel::{
    IdedExpr,
    common::ast::{Expr, SelectExpr, SourceInfo},
    parser::Parser,
};

pub use self::{
    case::Case,
    evaluate::{Failure, Session},
    functions::FUNCTIONS,
    keys::{Key, Kind, Root},
    limits::{LONGEST_LIST, MOST_STEPS},
    message::Message,
    view::{Reading, Texts, View},
};
use crate::model::policy::ForEach;

/// What is wrong with an expression, and where in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The bytes of the expression that it is about.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do; may be empty.
    pub help: String,
}

impl Mistake {
    fn new(span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { span, message: message.into(), help: help.into() }
    }
}

/// A condition that can be evaluated.
#[derive(Debug)]
pub struct Program {
    rewritten: rewrite::Rewritten,
    /// What the condition names, beside what it asks with `has`.
    keys: BTreeSet<Key>,
    /// How many nodes it has.
    nodes: u64,
    /// How deep comprehensions are in each other.
    nesting: u32,
}

/// The stack of the thread that reads an expression: the parser needs much for each level of nesting.
const STACK: usize = 32 << 20;

impl Program {
    /// Reads a condition and checks it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn compile(text: &str, each: ForEach) -> Result<Self, Vec<Mistake>> {
        limits::text(text).map_err(|mistake| vec![mistake])?;
        let whole = 0..text.len();
        let compiled = thread::scope(|scope| {
            let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || compile(text, each));
            thread.map(thread::ScopedJoinHandle::join)
        });
        match compiled {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(vec![Mistake::new(whole, "this expression cannot be read", "write it in another way")]),
            Err(error) => Err(vec![Mistake::new(whole, format!("this expression cannot be read: {error}"), "")]),
        }
    }

    /// What it names, and what it asks for with `has`.
    pub fn keys(&self) -> &BTreeSet<Key> {
        &self.keys
    }

    /// At most so many steps are needed for one subject, if no list is longer than this.
    pub fn steps(&self, longest_list: usize) -> u64 {
        let longest = (longest_list as u64).max(self.nodes);
        self.nodes.saturating_mul(longest.saturating_pow(self.nesting))
    }
}

fn compile(text: &str, each: ForEach) -> Result<Program, Vec<Mistake>> {
    let (expression, info) = parse(text)?;
    let size = limits::size(&expression, text).map_err(|mistake| vec![mistake])?;
    let places = Places { text, info: &info };
    let keys = check::check(&expression, each, &places)?;
    let rewritten = rewrite::rewrite(expression, &places)?;
    Ok(Program { rewritten, keys, nodes: size.nodes, nesting: size.nesting })
}

fn parse(text: &str) -> Result<(IdedExpr, SourceInfo), Vec<Mistake>> {
    Parser::default().parse_with_source_info(text).map_err(|errors| {
        let mistake = |error: &cel::ParseError| {
            let start = place_of(text, error.pos);
            let end = text[start..].chars().next().map_or(start, |c| start + c.len_utf8());
            let message = error.msg.lines().next().unwrap_or_default().to_owned();
            Mistake::new(start..end, format!("invalid expression: {message}"), "")
        };
        // What follows the first error of the parser is seldom another one.
        errors.errors.first().map(mistake).into_iter().collect()
    })
}

/// The byte at a line and column, both counted from 1, columns in characters.
fn place_of(text: &str, (line, column): (isize, isize)) -> usize {
    let back = |number: isize| usize::try_from(number - 1).unwrap_or(0);
    let start: usize = text.split_inclusive('\n').take(back(line)).map(str::len).sum();
    let rest = &text[start..];
    start + rest.char_indices().nth(back(column)).map_or(rest.len(), |(place, _)| place)
}

/// Where the nodes of an expression are in its text.
struct Places<'t> {
    text: &'t str,
    info: &'t SourceInfo,
}

impl Places<'_> {
    /// The bytes of a node; the whole text if its place is not known.
    fn of(&self, node: &IdedExpr) -> Range<usize> {
        match &node.expr {
            Expr::Select(select) if !select.test => self.of(&select.operand).start..self.field(select, node).end,
            _ => self.token(node),
        }
    }

    /// The bytes of the name after the dot.
    fn field(&self, select: &SelectExpr, node: &IdedExpr) -> Range<usize> {
        let dot = self.token(node);
        let rest = self.text.get(dot.end..).unwrap_or_default();
        match rest.find(select.field.as_str()) {
            Some(place) if rest[..place].trim().is_empty() => dot.end + place..dot.end + place + select.field.len(),
            _ => dot,
        }
    }

    /// The bytes of the name, value or operator of a node.
    fn token(&self, node: &IdedExpr) -> Range<usize> {
        let Some((start, stop)) = self.info.offset_for(node.id) else { return 0..self.text.len() };
        self.byte(start)..self.byte(stop.saturating_add(1))
    }

    /// The byte of a character by its number.
    fn byte(&self, character: u32) -> usize {
        self.text.char_indices().nth(character as usize).map_or(self.text.len(), |(place, _)| place)
    }
}
