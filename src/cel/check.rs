//! The types of an expression. CEL itself has none before it evaluates, and then an operand that is wrong may hide behind
//! `||`; the view is closed and has types, so that everything is known here.

use std::{collections::BTreeSet, ops::Range};

use cel::{
    IdedExpr,
    common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue, SelectExpr, operators as op},
};

use super::{
    Mistake, Places,
    functions::{self, FUNCTIONS, Form, Function},
    keys::{self, Key, Root},
    types::Type,
};
use crate::model::policy::ForEach;

/// Checks an expression, and returns the keys that it names.
pub(super) fn check(expression: &IdedExpr, each: ForEach, places: &Places<'_>) -> Result<BTreeSet<Key>, Vec<Mistake>> {
    let mut checker = Checker { each, places, bound: Vec::new(), keys: BTreeSet::new(), mistakes: Vec::new() };
    if let Some(found) = checker.infer(expression).filter(|found| *found != Type::Bool) {
        checker.mistakes.push(Mistake::new(
            0..places.text.len(),
            format!("this expression is {}; expected true or false", found.word()),
            "compare it with something",
        ));
    }
    if checker.mistakes.is_empty() { Ok(checker.keys) } else { Err(checker.mistakes) }
}

struct Checker<'a> {
    each: ForEach,
    places: &'a Places<'a>,
    /// The variables of the comprehensions around.
    bound: Vec<(&'a str, Type)>,
    keys: BTreeSet<Key>,
    mistakes: Vec<Mistake>,
}

/// `None` if a mistake was noted.
type Found = Option<Type>;

impl<'a> Checker<'a> {
    fn wrong(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) -> Found {
        self.mistakes.push(Mistake::new(span, message, help));
        None
    }

    fn infer(&mut self, node: &'a IdedExpr) -> Found {
        let at = self.places.of(node);
        match &node.expr {
            Expr::Literal(literal) => self.literal(literal, at),
            Expr::Ident(name) => self.name(name, at),
            Expr::Select(select) => self.select(select, node),
            Expr::Call(call) => self.call(call, node),
            Expr::List(list) => self.list(&list.elements),
            Expr::Comprehension(one) => self.comprehension(one, at),
            Expr::Map(_) | Expr::Struct(_) => self.wrong(at, "maps are not supported", "use a list: [\"a\", \"b\"]"),
            Expr::Unspecified => self.wrong(at, "this expression cannot be read", ""),
        }
    }

    fn literal(&mut self, literal: &LiteralValue, at: Range<usize>) -> Found {
        match literal {
            LiteralValue::Boolean(_) => Some(Type::Bool),
            LiteralValue::Int(_) => Some(Type::Int),
            LiteralValue::Double(_) => Some(Type::Double),
            LiteralValue::String(_) => Some(Type::Text),
            LiteralValue::Null => {
                self.wrong(at, "there is no null here", "ask with has(user.created), or compare with an empty text")
            }
            LiteralValue::UInt(_) => self.wrong(at, "numbers with u are not supported", "write it without u"),
            LiteralValue::Bytes(_) => self.wrong(at, "bytes are not supported", "write it without b"),
        }
    }

    fn name(&mut self, name: &str, at: Range<usize>) -> Found {
        if let Some((_, bound)) = self.bound.iter().rev().find(|(bound, _)| *bound == name) {
            return Some(*bound);
        }
        let root = self.root(name, &at)?;
        if let Some(key) = Key::of(root, "") {
            self.keys.insert(key);
            return Some(key.kind().into());
        }
        let examples: Vec<String> = Key::of_root(root).take(3).map(Key::path).collect();
        let help = format!("name one of its values, such as {}", examples.join(", "));
        self.wrong(at, format!("`{name}` is not a value itself"), help)
    }

    /// The root of a name that a rule for this kind of subject has.
    fn root(&mut self, name: &str, at: &Range<usize>) -> Option<Root> {
        let available: Vec<Root> = keys::roots(self.each).collect();
        let names = || available.iter().map(|root| root.name()).collect::<Vec<_>>();
        match Root::of(name) {
            Some(root) if available.contains(&root) => Some(root),
            Some(_) => {
                let message = format!("a rule for each {} has no `{name}`", self.each.word());
                self.wrong(at.clone(), message, format!("expected one of {}", names().join(", ")));
                None
            }
            None => {
                self.wrong(at.clone(), format!("unknown name `{name}`"), suggestion(name, &names()));
                None
            }
        }
    }

    fn key(&mut self, root: &'a str, field: &str, root_at: &Range<usize>, at: Range<usize>) -> Option<Key> {
        let root = self.root(root, root_at)?;
        if let Some(key) = Key::of(root, field).filter(|_| !root.is_value()) {
            self.keys.insert(key);
            return Some(key);
        }
        if root.is_value() {
            self.wrong(at, format!("`{}` has no `{field}`", root.name()), "it is a value itself");
        } else {
            let known: Vec<&str> = Key::of_root(root).map(Key::name).collect();
            self.wrong(at, format!("unknown name `{}.{field}`", root.name()), suggestion(field, &known));
        }
        None
    }

    /// The name of a root that no variable hides.
    fn free<'n>(&self, node: &'n IdedExpr) -> Option<&'n str> {
        match &node.expr {
            Expr::Ident(name) if !self.bound.iter().any(|(bound, _)| bound == name) => Some(name),
            _ => None,
        }
    }

    fn select(&mut self, select: &'a SelectExpr, node: &IdedExpr) -> Found {
        let root_at = self.places.of(&select.operand);
        let at = if select.test { self.places.of(node) } else { self.places.field(select, node) };
        if let Some(root) = self.free(&select.operand) {
            let key = self.key(root, &select.field, &root_at, at)?;
            return Some(if select.test { Type::Bool } else { key.kind().into() });
        }
        let found = self.infer(&select.operand)?;
        self.wrong(
            at,
            format!("{} has no `{}`", found.word(), select.field),
            "only names such as user.email have values",
        )
    }

    fn list(&mut self, elements: &'a [IdedExpr]) -> Found {
        let mut of: Option<Type> = None;
        let mut is_good = true;
        for element in elements {
            let place = self.places.of(element);
            let Some(found) = self.infer(element) else {
                is_good = false;
                continue;
            };
            if of.is_some_and(|of| of != found) {
                let message = format!("this list has {} beside {}", found.word(), of.map_or("", Type::word));
                self.wrong(place.clone(), message, "all entries of a list are of one type");
                is_good = false;
            } else if found.is_list() {
                self.wrong(place, "lists of lists are not supported", "");
                is_good = false;
            }
            of = of.or(Some(found));
        }
        is_good.then(|| of.map_or(Type::AnyList, |of| of.list().unwrap_or(Type::AnyList)))
    }

    fn comprehension(&mut self, one: &'a ComprehensionExpr, at: Range<usize>) -> Found {
        let (range_at, range) = (self.places.of(&one.iter_range), self.infer(&one.iter_range));
        let range = range?;
        if !range.is_list() {
            return self.wrong(range_at, format!("this is {}; expected a list", range.word()), "");
        }
        let variable = one.iter_var.as_str();
        if one.iter_var2.is_some()
            || Root::of(variable).is_some()
            || self.bound.iter().any(|(name, _)| *name == variable)
        {
            let message = format!("the variable `{variable}` has the name of something else");
            return self.wrong(at, message, "choose another name for it");
        }
        self.bound.push((variable, range.entry().unwrap_or(Type::Text)));
        let found = self.body(one, range, at);
        self.bound.pop();
        found
    }

    /// What a macro was expanded to says which one it was.
    fn body(&mut self, one: &'a ComprehensionExpr, range: Type, at: Range<usize>) -> Found {
        let Expr::Call(step) = &one.loop_step.expr else { return self.wrong(at, "this macro is not supported", "") };
        match (&one.accu_init.expr, step.args.as_slice()) {
            (Expr::Literal(LiteralValue::Boolean(_)), [_, condition])
            | (Expr::Literal(LiteralValue::Int(_)), [condition, _, _]) => self.condition(condition),
            (Expr::List(_), [condition, appended, _]) => {
                self.condition(condition)?;
                self.appended(appended, range)
            }
            (Expr::List(_), [_, _]) => self.appended(&one.loop_step, range),
            _ => self.wrong(at, "this macro is not supported", ""),
        }
    }

    fn condition(&mut self, node: &'a IdedExpr) -> Found {
        let at = self.places.of(node);
        match self.infer(node)? {
            Type::Bool => Some(Type::Bool),
            other => self.wrong(at, format!("this is {}; expected true or false", other.word()), ""),
        }
    }

    /// The list that `@result + [entry]` makes.
    fn appended(&mut self, node: &'a IdedExpr, range: Type) -> Found {
        let Expr::Call(CallExpr { args, .. }) = &node.expr else { return None };
        let [_, IdedExpr { expr: Expr::List(list), .. }] = args.as_slice() else { return None };
        let entry = list.elements.first()?;
        let (at, found) = (self.places.of(entry), self.infer(entry)?);
        match found.list() {
            _ if range == Type::AnyList => Some(Type::AnyList),
            Some(list) => Some(list),
            None => self.wrong(at, "lists of lists are not supported", ""),
        }
    }

    fn call(&mut self, call: &'a CallExpr, node: &IdedExpr) -> Found {
        let at = self.places.of(node);
        if let (op::INDEX, [root, IdedExpr { expr: Expr::Literal(LiteralValue::String(field)), .. }]) =
            (call.func_name.as_str(), call.args.as_slice())
            && let Some(name) = self.free(root)
        {
            let root_at = self.places.of(root);
            return self.key(name, field.inner(), &root_at, at).map(|key| key.kind().into());
        }
        let operands: Vec<&IdedExpr> = call.target.as_deref().into_iter().chain(&call.args).collect();
        if let Some(function) = functions::find(&call.func_name) {
            return self.function(function, call.target.is_some(), &operands, at);
        }
        let is_operator = call.func_name.contains(['_', '@']) && call.target.is_none();
        if !is_operator {
            let known: Vec<&str> = FUNCTIONS.iter().map(|function| function.name).collect();
            let known: Vec<&str> =
                known.into_iter().chain(["has", "exists", "exists_one", "all", "map", "filter"]).collect();
            let name = &call.func_name;
            return self.wrong(at, format!("unknown function `{name}`"), suggestion(name, &known));
        }
        let types: Vec<Found> = operands.iter().map(|operand| self.infer(operand)).collect();
        let types: Vec<Type> = types.into_iter().collect::<Option<_>>()?;
        self.operator(&call.func_name, &types, at)
    }

    fn function(&mut self, function: &Function, after: bool, operands: &[&'a IdedExpr], at: Range<usize>) -> Found {
        if (after && function.form == Form::Before) || (!after && function.form == Form::After) {
            return self.wrong(
                at,
                format!("`{}` is not called in this way", function.name),
                format!("expected {}", function.usage),
            );
        }
        let types: Vec<Found> = operands.iter().map(|operand| self.infer(operand)).collect();
        let types: Vec<Type> = types.into_iter().collect::<Option<_>>()?;
        let fits = |(takes, _): &&(&[Type], Type)| {
            takes.len() == types.len() && takes.iter().zip(&types).all(|(takes, given)| takes.takes(*given))
        };
        if let Some((_, returns)) = function.overloads.iter().find(fits) {
            return Some(*returns);
        }
        let given: Vec<&str> = types.iter().map(|given| given.word()).collect();
        let given = if given.is_empty() { "nothing".to_owned() } else { given.join(" and ") };
        let message = format!("`{}` does not take {given}", function.name);
        self.wrong(at, message, format!("expected {}", function.usage))
    }

    fn operator(&mut self, name: &str, types: &[Type], at: Range<usize>) -> Found {
        use Type::{Bool, Double, Duration, Int, Text, Time};
        let found = match (name, types) {
            (op::LOGICAL_AND | op::LOGICAL_OR, all) if all.iter().all(|one| *one == Bool) => Some(Bool),
            (op::LOGICAL_NOT, [Bool]) => Some(Bool),
            (op::NEGATE, [one @ (Int | Double | Duration)]) => Some(*one),
            (op::CONDITIONAL, [Bool, a, b]) if a == b => Some(*a),
            (op::EQUALS | op::NOT_EQUALS, [a, b]) if a.is_like(*b) => Some(Bool),
            (op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS, [a, b])
                if (a == b && matches!(a, Int | Double | Text | Time | Duration | Bool))
                    || (a.is_number() && b.is_number()) =>
            {
                Some(Bool)
            }
            (op::IN, [entry, list]) if list.entry() == Some(*entry) || *list == Type::AnyList => Some(Bool),
            (op::INDEX, [list, Int]) => list.entry(),
            (op::ADD, [a, b]) if a.is_list() || *a == Text => return self.joined(*a, *b, at),
            (op::ADD, [Time, Duration] | [Duration, Time]) | (op::SUBSTRACT, [Time, Duration]) => Some(Time),
            (op::SUBSTRACT, [Time, Time]) | (op::ADD | op::SUBSTRACT, [Duration, Duration]) => Some(Duration),
            (op::ADD | op::SUBSTRACT | op::MULTIPLY | op::DIVIDE, [a, b]) if a == b && a.is_number() => Some(*a),
            (op::MODULO, [Int, Int]) => Some(Int),
            _ => None,
        };
        found.or_else(|| self.does_not_fit(name, types, at))
    }

    /// Texts and lists that are added. Not inside of a macro: each step might double what the step before made.
    fn joined(&mut self, a: Type, b: Type, at: Range<usize>) -> Found {
        if !a.is_like(b) {
            return self.does_not_fit(op::ADD, &[a, b], at);
        }
        if !self.bound.is_empty() {
            return self.wrong(at, "texts and lists cannot be added inside of exists, all, map and filter", "");
        }
        Some(if a == Type::AnyList { b } else { a })
    }

    fn does_not_fit(&mut self, name: &str, types: &[Type], at: Range<usize>) -> Found {
        let shown = name.trim_matches(['_', '@']).replace("[_]", "[ ]");
        let words: Vec<&str> = types.iter().map(|one| one.word()).collect();
        let help = match types {
            [Type::Text, Type::Int] | [Type::Int, Type::Text] => "ids are texts: write them in quotes",
            [Type::Time, Type::Text] | [Type::Text, Type::Time] => {
                "write a point in time as timestamp(\"2026-01-31T00:00:00Z\")"
            }
            [Type::Duration, Type::Int] | [Type::Int, Type::Duration] => "write a duration as days(30)",
            [Type::Int, Type::Double] | [Type::Double, Type::Int] => {
                "write both as whole numbers, or both with a decimal point"
            }
            _ => "",
        };
        self.wrong(at, format!("`{shown}` does not take {}", words.join(" and ")), help)
    }
}

/// The word that was probably meant, or all.
fn suggestion(written: &str, known: &[&str]) -> String {
    let likeness = known.iter().map(|word| (strsim::jaro_winkler(written, word), *word));
    match likeness.filter(|(alike, _)| *alike > 0.8).max_by(|a, b| a.0.total_cmp(&b.0)) {
        Some((_, word)) => format!("did you mean `{word}`?"),
        None => format!("expected one of {}", known.join(", ")),
    }
}
