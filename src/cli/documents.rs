//! The documents in the repository: every link leads somewhere, every command line is understood, and every configuration
//! is valid.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use clap::{FromArgMatches as _, error::ErrorKind};
use toml::{Table, Value};

use super::args::{Cli, command};
use crate::{audit::RuleSet, config};

/// Placeholders in command lines, each with a valid value.
const PLACEHOLDERS: [(&str, &str); 2] = [(" ID", " 019a8c1e-5b7e-7c3a-9d2f-4f1d2c3b4a59"), ("NUMBER:SHA256", WITNESS)];
const WITNESS: &str = "1:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Markdown file, by its path below the root.
fn documents() -> BTreeMap<PathBuf, String> {
    fn collect(folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "target" && !name.starts_with('.') {
                    collect(&path, found);
                }
            } else if path.extension().is_some_and(|extension| extension == "md") {
                let inside = path.strip_prefix(root()).unwrap().to_owned();
                found.insert(inside, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    collect(&root(), &mut found);
    assert!(found.contains_key(Path::new("README.md")) && found.len() > 10, "the documents were not found");
    found
}

/// A fenced block: the info string after the opening fence, and the text.
struct Block {
    kind: String,
    text: String,
}

/// The text outside of blocks, and the blocks.
fn split(text: &str) -> (String, Vec<Block>) {
    let (mut prose, mut blocks, mut open): (String, Vec<Block>, Option<Block>) = (String::new(), Vec::new(), None);
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), open.as_mut()) {
            (Some(kind), None) => open = Some(Block { kind: kind.trim().to_owned(), text: String::new() }),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.text.extend([line, "\n"]),
            (None, None) => prose.extend([line, "\n"]),
        }
    }
    assert!(open.is_none(), "a block is not closed");
    (prose, blocks)
}

/// The anchors of a document, as GitHub makes them of its headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let (prose, _) = split(text);
    let headings =
        prose.lines().filter_map(|line| line.strip_prefix('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |heading: &str| -> String {
        let kept = heading
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .collect::<String>();
        kept.replace(' ', "-")
    };
    headings.map(anchor).collect()
}

/// The targets of the links and pictures of a text.
fn links(prose: &str) -> Vec<String> {
    let parts = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    parts.map(|(target, _)| target.to_owned()).collect()
}

#[test]
fn every_relative_link_and_anchor_leads_somewhere() {
    let documents = documents();
    let (mut wrong, mut followed) = (Vec::new(), 0);
    for (path, text) in &documents {
        for link in links(&split(text).0) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            followed += 1;
            let (target, anchor) =
                link.split_once('#').map_or((link.as_str(), None), |(file, anchor)| (file, Some(anchor)));
            let folder = path.parent().unwrap();
            let file = if target.is_empty() { path.clone() } else { normal(&folder.join(target)) };
            if !root().join(&file).exists() {
                wrong.push(format!("{}: {link}", path.display()));
            }
            if let Some(anchor) = anchor
                && !documents.get(&file).is_some_and(|text| anchors(text).contains(anchor))
            {
                wrong.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(followed > 20, "the links were not found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A path without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut parts: Vec<_> = Vec::new();
    for part in path.components() {
        if part.as_os_str() == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.iter().collect()
}

#[test]
fn every_page_of_the_documentation_is_in_both_indexes() {
    let documents = documents();
    for index in ["README.md", "docs/README.md"] {
        let targets = links(&documents[Path::new(index)]).join(" ");
        for page in documents.keys().filter(|path| path.parent() == Some(Path::new("docs"))) {
            let name = page.file_name().unwrap().to_string_lossy();
            assert!(name == "README.md" || targets.contains(&*name), "{index} does not link to {name}");
        }
    }
}

/// The words of a command line, as a shell splits them: quotes, and comments left out.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quote) = (vec![String::new()], None);
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == '#' && words.last().is_some_and(String::is_empty) => break,
            None if c.is_whitespace() => words.push(String::new()),
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn every_command_line_that_is_shown_is_understood() {
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for (path, text) in documents() {
        let (prose, blocks) = split(&text);
        let shown = blocks.iter().filter(|block| matches!(block.kind.as_str(), "sh" | "console"));
        let shown = shown.flat_map(|block| block.text.lines().map(|line| (line.trim_start_matches("$ "), false)));
        // In the prose a command may be named without its arguments.
        let named = prose.split('`').skip(1).step_by(2).filter(|code| !code.contains('\n')).map(|code| (code, true));
        for (line, is_named) in shown.chain(named) {
            let mut line = line.split(['|', '>', '<', '&']).next().unwrap_or_default().trim().to_owned();
            if !line.starts_with("rolecall ") || line.contains('…') {
                continue;
            }
            for (placeholder, value) in PLACEHOLDERS {
                line = line.replace(placeholder, value);
            }
            tried += 1;
            let matches = command().try_get_matches_from(words(&line));
            let Err(error) = matches.and_then(|matches| Cli::from_arg_matches(&matches)) else { continue };
            let is_fine = match error.kind() {
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingRequiredArgument => is_named,
                _ => !error.use_stderr(),
            };
            if !is_fine {
                wrong.push(format!("{}: {line}\n{error}", path.display()));
            }
        }
    }
    assert!(tried > 30, "the command lines were not found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Lays one configuration over another.
fn merge(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => merge(under, over),
            (_, value) => drop(under.insert(key, value)),
        }
    }
}

#[test]
fn every_configuration_that_is_shown_is_valid() {
    let documents = documents();
    let complete = &split(&documents[Path::new("docs/configuration.md")]).1;
    let complete = complete.iter().find(|block| block.kind == "toml").expect("a complete example").text.clone();
    let rules = RuleSet::built_in();
    let rules: Vec<&str> = rules.list().names().collect();
    let folder = tempfile::tempdir().unwrap();
    // The directory of workspaces that some of them name.
    let workspace = "connector = \"truto\"\nintegrated_account_id = \"x\"\napi_token = { env = \"TRUTO_API_TOKEN\" }\n";
    fs::create_dir(folder.path().join("workspaces.d")).unwrap();
    fs::write(folder.path().join("workspaces.d/emea-acme.toml"), workspace).unwrap();
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for (path, text) in &documents {
        for block in split(text).1.into_iter().filter(|block| block.kind.starts_with("toml")) {
            // A fragment is tried in place of what the complete example says there.
            let text = match block.kind.as_str() {
                "toml fragment" => {
                    let mut table: Table = complete.parse().unwrap();
                    merge(&mut table, block.text.parse().unwrap());
                    if let Some(Value::Table(evidence)) = table.get_mut("evidence")
                        && evidence.contains_key("url")
                    {
                        // It is in place of the folder.
                        evidence.remove("directory");
                    }
                    toml::to_string(&table).unwrap()
                }
                _ => block.text.clone(),
            };
            let file = folder.path().join("rolecall.toml");
            fs::write(&file, &text).unwrap();
            tried += 1;
            match config::load(&file, &rules, crate::clock::Clock::system().now()) {
                Ok(loaded) if loaded.warnings.is_empty() => {}
                Ok(loaded) => wrong.push(format!("{}: {}", path.display(), loaded.warnings.render(false))),
                Err(error) => wrong.push(format!("{}: {error}", path.display())),
            }
        }
    }
    assert!(tried > 5, "the configurations were not found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
