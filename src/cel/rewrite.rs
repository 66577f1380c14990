//! Makes an expression quick to evaluate: names of the view become numbers, regular expressions are compiled once, and what
//! depends only on role, profile and organization is taken out, to be evaluated once for all users that share them.

use cel::{
    IdedExpr,
    common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, operators},
};
use regex::Regex;

use super::{
    Mistake, Places, functions,
    keys::{Key, Root},
    quick::{HAS, Quick, SHARED, VALUE},
};

/// An expression that is ready to be evaluated.
#[derive(Debug)]
pub(super) struct Rewritten {
    /// The condition, with what is shared taken out.
    pub(super) condition: Quick,
    /// The whole condition.
    pub(super) whole: IdedExpr,
    /// What is shared: each is true or false.
    pub(super) shared: Vec<IdedExpr>,
    pub(super) regexes: Vec<Regex>,
}

/// The most shared parts of an expression.
pub(super) const MOST_SHARED: usize = 32;
/// Rewrites an expression that was checked.
pub(super) fn rewrite(mut expression: IdedExpr, places: &Places<'_>) -> Result<Rewritten, Vec<Mistake>> {
    let mut rewriter = Rewriter { places, bound: Vec::new(), regexes: Vec::new(), mistakes: Vec::new() };
    rewriter.node(&mut expression);
    if !rewriter.mistakes.is_empty() {
        return Err(rewriter.mistakes);
    }
    let (mut condition, mut shared) = (expression.clone(), Vec::new());
    take_out(&mut condition, &mut shared);
    Ok(Rewritten { condition: Quick::of(&condition), whole: expression, shared, regexes: rewriter.regexes })
}

struct Rewriter<'a> {
    places: &'a Places<'a>,
    bound: Vec<String>,
    regexes: Vec<Regex>,
    mistakes: Vec<Mistake>,
}

impl Rewriter<'_> {
    fn node(&mut self, node: &mut IdedExpr) {
        if let Some(name) = self.name(&node.expr) {
            node.expr = Expr::Ident(name);
            return;
        }
        match &mut node.expr {
            Expr::Call(call) => self.call(call),
            Expr::Select(select) => self.node(&mut select.operand),
            Expr::List(list) => list.elements.iter_mut().for_each(|element| self.node(element)),
            Expr::Comprehension(one) => {
                self.node(&mut one.iter_range);
                self.bound.push(one.iter_var.clone());
                self.node(&mut one.loop_step);
                self.bound.pop();
            }
            // Maps were refused; nothing is in the others.
            Expr::Map(_) | Expr::Struct(_) | Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
        }
    }

    /// The number of the key that an expression names.
    fn name(&self, expr: &Expr) -> Option<String> {
        let (operand, field, test) = match expr {
            Expr::Ident(name) => (name, "", false),
            Expr::Select(select) => match &select.operand.expr {
                Expr::Ident(name) => (name, select.field.as_str(), select.test),
                _ => return None,
            },
            Expr::Call(CallExpr { func_name, args, .. }) if func_name == operators::INDEX => match args.as_slice() {
                [
                    IdedExpr { expr: Expr::Ident(name), .. },
                    IdedExpr { expr: Expr::Literal(LiteralValue::String(field)), .. },
                ] => (name, field.inner(), false),
                _ => return None,
            },
            _ => return None,
        };
        if self.bound.contains(operand) {
            return None;
        }
        let key = Key::of(Root::of(operand)?, field)?;
        Some(format!("{}{}", if test { HAS } else { VALUE }, key as usize))
    }

    fn call(&mut self, call: &mut CallExpr) {
        // All functions that CEL does not have take a text before their other arguments.
        if matches!(call.func_name.as_str(), "lower" | "domain" | "matches")
            && let Some(target) = call.target.take()
        {
            call.args.insert(0, *target);
        }
        if call.func_name == "matches" {
            self.pattern(call);
        }
        call.target.iter_mut().for_each(|target| self.node(target));
        call.args.iter_mut().for_each(|argument| self.node(argument));
    }

    fn pattern(&mut self, call: &mut CallExpr) {
        let Some(written) = call.args.pop() else { return };
        let at = self.places.of(&written);
        let Expr::Literal(LiteralValue::String(pattern)) = &written.expr else {
            let help = "write the regular expression in quotes";
            self.mistakes.push(Mistake::new(at, "`matches` takes a regular expression that is written here", help));
            return;
        };
        match functions::regex(pattern.inner()) {
            Ok(regex) => {
                call.func_name = functions::regex_name(self.regexes.len());
                self.regexes.push(regex);
            }
            Err(reason) => self.mistakes.push(Mistake::new(at, format!("invalid regular expression: {reason}"), "")),
        }
    }
}

/// Takes out every outermost comprehension that is true or false and names only what users share.
fn take_out(node: &mut IdedExpr, shared: &mut Vec<IdedExpr>) {
    if let Expr::Comprehension(one) = &node.expr
        && is_condition(one)
        && shared.len() < MOST_SHARED
        && is_shared(node, &mut Vec::new())
    {
        let name = Expr::Ident(format!("{SHARED}{}", shared.len()));
        shared.push(IdedExpr { id: node.id, expr: std::mem::replace(&mut node.expr, name) });
        return;
    }
    match &mut node.expr {
        Expr::Call(call) => {
            call.target.iter_mut().for_each(|target| take_out(target, shared));
            call.args.iter_mut().for_each(|argument| take_out(argument, shared));
        }
        Expr::List(list) => list.elements.iter_mut().for_each(|element| take_out(element, shared)),
        Expr::Comprehension(one) => take_out(&mut one.iter_range, shared),
        _ => {}
    }
}

/// `exists`, `all` and `exists_one`.
fn is_condition(one: &ComprehensionExpr) -> bool {
    !matches!(one.accu_init.expr, Expr::List(_))
}

fn is_shared<'a>(node: &'a IdedExpr, bound: &mut Vec<&'a str>) -> bool {
    match &node.expr {
        Expr::Ident(name) => {
            let key = name.strip_prefix([VALUE, HAS]).and_then(|number| number.parse::<usize>().ok());
            match key.and_then(|number| Key::ALL.get(number)) {
                Some(key) => !matches!(key.root(), Root::User | Root::Roster | Root::Previous),
                None => name.starts_with('@') || bound.contains(&name.as_str()),
            }
        }
        Expr::Call(call) => {
            call.target.iter().map(|target| &**target).chain(&call.args).all(|one| is_shared(one, bound))
        }
        Expr::List(list) => list.elements.iter().all(|element| is_shared(element, bound)),
        Expr::Comprehension(one) => {
            if !is_shared(&one.iter_range, bound) {
                return false;
            }
            bound.push(&one.iter_var);
            let is = is_shared(&one.loop_step, bound);
            bound.pop();
            is
        }
        Expr::Select(select) => is_shared(&select.operand, bound),
        Expr::Map(map) => map.entries.iter().all(|entry| match &entry.expr {
            EntryExpr::StructField(field) => is_shared(&field.value, bound),
            EntryExpr::MapEntry(entry) => is_shared(&entry.key, bound) && is_shared(&entry.value, bound),
        }),
        Expr::Struct(_) | Expr::Unspecified => false,
        Expr::Literal(_) => true,
    }
}
