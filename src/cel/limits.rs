//! Bounds: what an expression may need to be read and evaluated.

use cel::{
    IdedExpr,
    common::ast::{EntryExpr, Expr},
};

use super::Mistake;

/// The longest expression, in bytes.
const LONGEST_TEXT: usize = 4_000;
/// How deep parentheses, brackets and braces may be in each other.
const DEEPEST_BRACKETS: usize = 16;
/// How many operators that stand before their operand may follow each other.
const MOST_PREFIXES: usize = 8;
/// The most nodes of an expression after its macros were expanded.
const MOST_NODES: u64 = 1_000;
/// How deep a tree may be: the stack of a thread holds many more levels.
const DEEPEST_TREE: usize = 64;
/// For how many levels a comprehension counts: evaluating one needs about four times the stack. 52 of them in a chain needed
/// more than the 2 MiB of a thread (measured without optimization).
const COMPREHENSION: usize = 4;
/// How deep comprehensions may be in each other.
const DEEPEST_COMPREHENSION: u32 = 2;
/// The longest list that a rule may read.
pub const LONGEST_LIST: usize = 2_000;
/// The most steps of one rule in one audit; a step takes less than a tenth of a microsecond.
pub const MOST_STEPS: u64 = 2_000_000_000;

/// How large an expression is.
pub(super) struct Size {
    pub(super) nodes: u64,
    /// How deep comprehensions are in each other, in the range or in the body.
    pub(super) nesting: u32,
}

/// Refuses a text that might need too much to be parsed. It looks at characters alone.
pub(super) fn text(text: &str) -> Result<(), Mistake> {
    if text.len() > LONGEST_TEXT {
        let message = format!("this expression has {} bytes; at most {LONGEST_TEXT} are allowed", text.len());
        return Err(Mistake::new(0..text.len(), message, "make two rules of it"));
    }
    if text.trim().is_empty() {
        return Err(Mistake::new(0..text.len(), "this expression is empty", "expected a condition in CEL"));
    }
    let (mut depth, mut prefixes, mut quote) = (0_usize, 0_usize, None);
    let mut characters = text.char_indices();
    while let Some((place, character)) = characters.next() {
        let here = place..place + character.len_utf8();
        match (quote, character) {
            (Some(_), '\\') => drop(characters.next()),
            (Some(open), close) if open == close => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, '(' | '[' | '{' | '?') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            _ => {}
        }
        prefixes = match character {
            '!' | '-' => prefixes + 1,
            character if character.is_whitespace() => prefixes,
            _ => 0,
        };
        if depth > DEEPEST_BRACKETS || prefixes > MOST_PREFIXES {
            let message = format!("this expression is nested more than {DEEPEST_BRACKETS} levels deep");
            return Err(Mistake::new(here, message, "make two rules of it"));
        }
    }
    Ok(())
}

/// The size of an expression, if it is not too large.
pub(super) fn size(expression: &IdedExpr, text: &str) -> Result<Size, Mistake> {
    let (mut nodes, mut nesting) = (0_u64, 0_u32);
    let mut open = vec![(expression, 1_usize, 0_u32)];
    while let Some((node, depth, within)) = open.pop() {
        nodes += 1;
        nesting = nesting.max(within);
        let problem = if nodes > MOST_NODES || depth > DEEPEST_TREE {
            "this expression is too large"
        } else if within > DEEPEST_COMPREHENSION {
            "`exists`, `all`, `map` and `filter` are nested more than 2 levels deep"
        } else {
            ""
        };
        if !problem.is_empty() {
            return Err(Mistake::new(0..text.len(), problem, "make two rules of it"));
        }
        let inside = |child| (child, depth + 1, within);
        match &node.expr {
            Expr::Comprehension(one) => {
                let inside = |child| (child, depth + COMPREHENSION, within);
                open.extend([&one.iter_range, &one.accu_init, &one.loop_cond, &one.result].map(inside));
                open.push((&one.loop_step, depth + COMPREHENSION, within + 1));
            }
            Expr::Call(call) => {
                open.extend(call.target.as_deref().map(inside));
                open.extend(call.args.iter().map(inside));
            }
            Expr::Select(select) => open.push(inside(&select.operand)),
            Expr::List(list) => open.extend(list.elements.iter().map(inside)),
            Expr::Map(map) => open.extend(map.entries.iter().flat_map(|entry| entries(&entry.expr)).map(inside)),
            Expr::Struct(made) => open.extend(made.entries.iter().flat_map(|entry| entries(&entry.expr)).map(inside)),
            Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
        }
    }
    Ok(Size { nodes, nesting })
}

fn entries(entry: &EntryExpr) -> Vec<&IdedExpr> {
    match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    }
}
