//! The modules of the crate, and which of them each one names.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// A module by its path below the crate: `["run", "bag", "contents"]`.
pub(super) type Module = Vec<String>;

/// All `.rs` files below a folder.
pub(super) fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// A file's code, without comments and without the tests at its end.
pub(super) fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let ends_here = |at: usize| {
        let module = text[at..].lines().nth(1).unwrap_or_default();
        module.starts_with("mod ") && module.ends_with('{')
    };
    let end = text.match_indices("#[cfg(test)]\n").map(|(at, _)| at).find(|at| ends_here(*at)).unwrap_or(text.len());
    text[..end].split_inclusive('\n').filter(|line| !line.trim_start().starts_with("//")).collect()
}

/// The modules of a folder of sources with their code; those that are only compiled for tests are left out.
pub(super) fn modules(src: &Path) -> BTreeMap<Module, String> {
    let mut modules = BTreeMap::new();
    let mut tests: BTreeSet<Module> = BTreeSet::new();
    for path in sources(src) {
        let mut module: Module = path
            .strip_prefix(src)
            .unwrap()
            .with_extension("")
            .components()
            .map(|part| part.as_os_str().to_str().unwrap().to_owned())
            .collect();
        module.pop_if(|name| matches!(name.as_str(), "mod" | "lib" | "main"));
        let code = code(&path);
        let lines: Vec<&str> = code.lines().collect();
        for pair in lines.windows(2).filter(|pair| pair[0].trim() == "#[cfg(test)]") {
            let name = pair[1].split_once("mod ").and_then(|(_, rest)| rest.trim_end().strip_suffix(';'));
            tests.extend(name.map(|name| [module.as_slice(), &[name.to_owned()]].concat()));
        }
        modules.insert(module, code);
    }
    modules.retain(|module, _| !tests.iter().any(|test| module.starts_with(test)));
    modules
}

/// The paths in `use` items and elsewhere in the code that begin with `crate`, `super`, `self` or one of `children`,
/// braces written out.
pub(super) fn paths(code: &str, children: &BTreeSet<&str>) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = String::new();
    let mut item: Option<String> = None;
    for line in code.lines() {
        let start = line.trim_start();
        let visible =
            start.strip_prefix("pub").map_or(start, |rest| rest.trim_start_matches(|c| c != ' ').trim_start());
        match &mut item {
            None => match visible.strip_prefix("use ") {
                Some(tree) => item = Some(tree.to_owned()),
                None => rest.extend([line, "\n"]),
            },
            Some(item) => item.push_str(line),
        }
        if item.as_ref().is_some_and(|item| item.ends_with(';')) {
            let tree: String = item.take().unwrap().chars().filter(|c| !matches!(c, ';' | '\n')).collect();
            expand("", &tree, &mut found);
        }
    }
    for word in rest.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
        found.extend(word.contains("::").then(|| word.trim_end_matches(':').to_owned()));
    }
    found.retain(|path| {
        let first = path.split("::").next().unwrap_or_default();
        matches!(first, "crate" | "super" | "self") || children.contains(first)
    });
    found
}

/// The paths of a tree of imports.
fn expand(before: &str, tree: &str, found: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((head, inside)) = tree.split_once('{') else {
        let path = tree.split(" as ").next().unwrap_or_default().trim();
        found.extend((!path.is_empty()).then(|| format!("{before}{path}")));
        return;
    };
    let inside = inside.trim_end().strip_suffix('}').unwrap();
    let (mut depth, mut start) = (0, 0);
    let before = format!("{before}{head}");
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&before, &inside[start..at], found);
                start = at + 1;
            }
            _ => {}
        }
    }
    expand(&before, &inside[start..], found);
}

/// Which modules each one names, itself left out.
pub(super) fn arrows(modules: &BTreeMap<Module, String>) -> BTreeSet<(Module, Module)> {
    let mut arrows = BTreeSet::new();
    for (module, code) in modules {
        let is_child = |other: &&Module| other.len() == module.len() + 1 && other.starts_with(module);
        let children = modules.keys().filter(is_child).map(|child| child[module.len()].as_str()).collect();
        for path in paths(code, &children) {
            let mut from = module.clone();
            let mut names = path.split("::").peekable();
            if names.next_if_eq(&"crate").is_some() {
                from.clear();
            }
            while names.next_if(|name| matches!(*name, "self" | "super")).is_some_and(|name| {
                if name == "super" {
                    from.pop();
                }
                true
            }) {}
            from.extend(names.map(str::to_owned));
            let target = (1..=from.len()).rev().map(|length| &from[..length]).find(|path| modules.contains_key(*path));
            if let Some(target) = target.filter(|target| target != module) {
                arrows.insert((module.clone(), target.to_vec()));
            }
        }
    }
    arrows
}
