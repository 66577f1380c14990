//! The configuration: the file as written (`file`), files of single workspaces ([`directory`]), their shape (`shape`), policies by name (`overlay`), then checked
//! settings (`check`, [`settings`]). Every problem is reported in one pass, with file, line and column ([`problem`]); secrets are masked
//! (`mask`), and those in the wrong place are found (`misplaced`). [`secret`] reads them.

mod applied;
mod check;
pub mod directory;
mod file;
mod in_string;
mod mask;
mod misplaced;
mod names;
mod overlay;
mod paths;
pub mod problem;
pub mod secret;
pub mod settings;
mod shape;
mod template;
#[cfg(test)]
mod tests;
pub mod writers;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use serde::Deserialize as _;
use toml::{Spanned, de::DeTable};

pub use self::file::Attach;
use self::{
    directory::{AtRest, Checked, Directory},
    problem::{Problem, Problems},
    settings::{BrokenFile, Instead, Settings, WorkspacesDirectory},
};

/// The largest configuration, in bytes.
const LARGEST: u64 = 16 << 20;
/// Where to look for a configuration if none is named.
const PLACES: [&str; 2] = ["rolecall.toml", "/etc/rolecall/rolecall.toml"];

/// The place of a store that an address names, outside a configuration.
///
/// # Errors
/// Every problem of the address, as a text.
pub fn store_place(
    url: &str,
    password_file: Option<&str>,
    root_certificate: Option<&str>,
    folder: &Path,
) -> Result<settings::StorePlace, String> {
    check::place_of(url, password_file, root_certificate, folder)
}

/// A configuration that can be used.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// Warnings only.
    pub warnings: Problems,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// None of the places has one.
    #[error("no configuration found; looked for {}. Run `rolecall init` to create one, run `rolecall demo` to try rolecall without one, or name a file with `--config`", .0.join(" and "))]
    NotFound(Vec<String>),
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// Something in it is wrong.
    #[error(transparent)]
    Problems(#[from] Problems),
}

/// The configuration file: the one that is named, or the first that exists.
///
/// # Errors
/// [`ConfigError::NotFound`]
pub fn locate(named: Option<&Path>) -> Result<PathBuf, ConfigError> {
    if let Some(path) = named {
        return Ok(path.to_owned());
    }
    let found = PLACES.iter().map(PathBuf::from).find(|path| path.is_file());
    found.ok_or_else(|| ConfigError::NotFound(PLACES.map(str::to_owned).to_vec()))
}

/// How strictly a configuration is read.
#[derive(Clone, Copy)]
enum Reading<'a> {
    /// Every error counts.
    Strict,
    /// Every error counts but test cases that fail.
    WithFailingTests,
    /// It is the configuration in evidence, which has the tables of some of the workspaces only.
    Applied,
    /// For a process that goes on whatever becomes of the file of one workspace: the workspace stays as it was before.
    Running(Option<&'a Settings>),
    /// The same for files of workspaces that are at rest; everything else stays as it was before.
    Refreshed(&'a Settings, &'a AtRest),
}

/// Reads and checks a configuration.
///
/// # Errors
/// [`ConfigError`], with everything that is wrong.
pub fn load(path: &Path, rules: &[&str], now: DateTime<Utc>) -> Result<Loaded, ConfigError> {
    Ok(parse(path, &text(path)?, rules, now)?)
}

/// Reads and checks a configuration in which test cases of custom rules may fail.
///
/// # Errors
/// [`ConfigError`], with everything else that is wrong.
pub fn load_with_failing_tests(path: &Path, rules: &[&str], now: DateTime<Utc>) -> Result<Loaded, ConfigError> {
    let text = text(path)?;
    Ok(parse_as(path, &text, rules, now, Reading::WithFailingTests)?)
}

/// Reads and checks a configuration for a daemon. A workspace whose own file has an error stays as it was in `before`, or is
/// left out; [`Settings::directory`] says so, and the warnings have its errors.
///
/// # Errors
/// [`ConfigError`], with everything that is wrong elsewhere.
pub fn load_running(
    path: &Path,
    rules: &[&str],
    now: DateTime<Utc>,
    before: Option<&Settings>,
) -> Result<Loaded, ConfigError> {
    Ok(parse_as(path, &text(path)?, rules, now, Reading::Running(before))?)
}

/// Reads the files of workspaces that are at rest again, with the rest of the configuration as it was in `before`.
///
/// # Errors
/// [`Problems`], with everything that is wrong and not in the file of a workspace.
pub fn load_workspaces(
    path: &Path,
    rules: &[&str],
    now: DateTime<Utc>,
    before: &Settings,
    at_rest: &AtRest,
) -> Result<Loaded, Problems> {
    parse_as(path, &before.text, rules, now, Reading::Refreshed(before, at_rest))
}

fn text(path: &Path) -> Result<String, ConfigError> {
    // It may be a pipe, but it is not endless.
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
    let wrong = |why| Err(io::Error::new(io::ErrorKind::InvalidData, why));
    let text = read.and_then(|length| match String::from_utf8(bytes) {
        _ if length as u64 > LARGEST => wrong(format!("it has more than {LARGEST} bytes")),
        Ok(text) => Ok(text),
        // What Windows calls Unicode.
        Err(text) if [&b"\xff\xfe"[..], b"\xfe\xff"].iter().any(|mark| text.as_bytes().starts_with(mark)) => {
            wrong("it is UTF-16; save it as UTF-8".to_owned())
        }
        Err(text) => {
            let valid = text.utf8_error().valid_up_to();
            let line = text.as_bytes().iter().take(valid).filter(|byte| **byte == b'\n').count() + 1;
            wrong(format!("it is not UTF-8 (line {line}); save it as UTF-8"))
        }
    });
    text.map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })
}

/// Checks the text of a configuration that is or will be at a path.
///
/// # Errors
/// [`Problems`], with everything that is wrong.
pub fn parse(path: &Path, text: &str, rules: &[&str], now: DateTime<Utc>) -> Result<Loaded, Problems> {
    parse_as(path, text, rules, now, Reading::Strict)
}

/// Checks the configuration that evidence keeps.
///
/// # Errors
/// [`Problems`], with everything that is wrong.
pub fn parse_applied(path: &Path, text: &str, rules: &[&str], now: DateTime<Utc>) -> Result<Loaded, Problems> {
    parse_as(path, text, rules, now, Reading::Applied)
}

fn parse_as(
    path: &Path,
    text: &str,
    rules: &[&str],
    now: DateTime<Utc>,
    reading: Reading<'_>,
) -> Result<Loaded, Problems> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let (is_applied, stand_ins) = (matches!(reading, Reading::Applied), shape::StandIns::default());
    let context = check::Context { text, folder, rules, now, is_applied, stand_ins: &stand_ins };
    let before = match reading {
        Reading::Running(before) => before.map(|before| (before, None)),
        Reading::Refreshed(before, at_rest) => Some((before, Some(at_rest))),
        Reading::Strict | Reading::WithFailingTests | Reading::Applied => None,
    };
    let (read, files) = read(path, text, &context, before);
    let is_running = matches!(reading, Reading::Running(_) | Reading::Refreshed(..));
    let files: Vec<Problems> = files
        .into_values()
        .filter(|file| !file.problems.is_empty())
        .map(|file| Problems::new(&file.path, &file.text, file.problems))
        .collect();
    let (settings, mut problems) = match read {
        Ok(read) => read,
        Err(problems) => return Err(Problems::new(path, text, problems).with(files)),
    };
    if matches!(reading, Reading::WithFailingTests) {
        problems.retain(|problem| !problem.is_failed_test);
    }
    let problems = Problems::new(path, text, problems).with(files);
    let errors = if is_running { problems.own_errors() } else { problems.errors() };
    if errors > 0 { Err(problems) } else { Ok(Loaded { settings, warnings: problems }) }
}

/// What a process runs with, and the files of workspaces that are at rest, if only those are read.
type Before<'a> = Option<(&'a Settings, Option<&'a AtRest>)>;

/// The settings and their problems, or problems only; and the files of workspaces.
type ReadFile = (Result<(Settings, Vec<Problem>), Vec<Problem>>, BTreeMap<String, Checked>);

fn read(path: &Path, text: &str, context: &check::Context<'_>, before: Before<'_>) -> ReadFile {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return (Err(syntax(text, &errors)), BTreeMap::new());
    }
    let mut written = written(&table);
    let schema = json_schema();
    let mut files = BTreeMap::new();
    let directory = directory_of(table.get_ref(), context.folder).map(|path| match before {
        Some((before, Some(at_rest))) => Directory::read_at_rest(path, at_rest, before.directory.as_ref()),
        Some((_, None)) | None => Directory::read(path),
    });
    if let Some(directory) = &directory {
        written.workspaces.extend(directory.files.keys().cloned());
        written.unreadable.clone_from(&directory.error);
        let none = DeTable::new();
        let of_common = table.get_ref().get("workspaces").and_then(|table| table.get_ref().as_table()).unwrap_or(&none);
        files = directory.check(&schema, (path, of_common), &written, context);
    }
    let (others, directory) = used(directory, &mut files, before.map(|(before, _)| before));
    let read = read_common(table, &schema, others, &mut written, context);
    let read = read.map(|(settings, problems)| (Settings { directory, ..settings }, problems));
    (read, files)
}

/// The directory of workspaces that a file names.
fn directory_of(root: &DeTable<'_>, folder: &Path) -> Option<PathBuf> {
    let written = root.get("workspaces_dir")?.get_ref().as_str()?;
    Some(settings::relative(folder, written))
}

/// The workspaces of a directory: each by its own file, or, if that has an error, as it was before.
fn used(
    directory: Option<Directory>,
    files: &mut BTreeMap<String, Checked>,
    before: Option<&Settings>,
) -> (BTreeMap<String, settings::Workspace>, Option<WorkspacesDirectory>) {
    let Some(Directory { path, files: texts, .. }) = directory else { return (BTreeMap::new(), None) };
    let mut directory = WorkspacesDirectory { path, seen: texts, broken: BTreeMap::new() };
    let mut workspaces = BTreeMap::new();
    for (name, file) in files {
        if let Some(workspace) = file.workspace.take() {
            workspaces.insert(name.clone(), workspace);
            continue;
        }
        let kept = before.and_then(|before| before.workspaces.get(name)).filter(|kept| kept.text.is_some());
        workspaces.extend(kept.map(|kept| (name.clone(), kept.clone())));
        let problem = file.problems.iter().find(|problem| !problem.warning);
        let problem = problem.map(|problem| problem.line(&file.path, &file.text)).unwrap_or_default();
        let instead = match kept {
            _ if file.is_twice => Instead::Table,
            Some(_) => Instead::Before,
            None => Instead::Nothing,
        };
        directory.broken.insert(name.clone(), BrokenFile { problem, instead });
    }
    (workspaces, Some(directory))
}

/// Checks the file that is not of one workspace; `others` are the workspaces with a file of their own.
fn read_common(
    table: Spanned<DeTable<'_>>,
    schema: &serde_json::Value,
    others: BTreeMap<String, settings::Workspace>,
    written: &mut check::WrittenTables,
    context: &check::Context<'_>,
) -> Result<(Settings, Vec<Problem>), Vec<Problem>> {
    let mut elsewhere = misplaced::misplaced(table.get_ref());
    if !context.is_applied {
        elsewhere.extend(paths::deceptive(table.get_ref()));
    }
    elsewhere.extend(template::misused(table.get_ref()));
    let shape = shape::check(schema, table);
    let (mut problems, mut well_formed) = (shape.problems, shape.table);
    let known: Vec<_> = elsewhere.iter().filter_map(|problem| problem.span.clone()).collect();
    problems.extend(elsewhere);
    let is_whole = problems.is_empty();
    // What is well-formed is checked even beside what is not, so that one pass reports everything.
    overlay::complete_policies(well_formed.get_mut());
    let file = match file::File::deserialize(toml::de::Deserializer::from(well_formed)) {
        Ok(file) => file,
        Err(error) => {
            let error = Some(error).filter(|_| is_whole);
            problems.extend(error.map(|error| Problem::error(error.span().unwrap_or(0..0), error.message(), "")));
            return Err(problems);
        }
    };
    // A misspelt key is written, too.
    let misspelt = shape.removed.iter().flat_map(|removed| removed.keys.iter().cloned());
    if let Some(keys) = &mut written.smtp {
        keys.extend(misspelt);
    }
    let context = check::Context { stand_ins: &shape.stand_ins, ..*context };
    let (settings, mut meaning) = check::check(&file, others, written, &context);
    let is_said = |problem: &Problem| problem.span.as_ref().is_some_and(|span| known.contains(span));
    meaning.retain(|problem| !is_said(problem) && !shape.removed.iter().any(|removed| removed.explains(problem)));
    if is_whole {
        return Ok((settings, meaning));
    }
    problems.append(&mut meaning);
    Err(problems)
}

/// One problem for each line that is not valid TOML: what follows an error on its line is seldom another one.
fn syntax(text: &str, errors: &[toml::de::Error]) -> Vec<Problem> {
    let mut lines = BTreeSet::new();
    let first_of_line = errors.iter().filter(|error| {
        let start = error.span().map_or(0, |span| span.start);
        lines.insert(text.get(..start).map_or(0, |before| before.matches('\n').count()))
    });
    let problem = |error: &toml::de::Error| {
        Problem::error(error.span().unwrap_or(0..0), error.message().to_owned(), "not valid TOML (https://toml.io)")
    };
    first_of_line.map(problem).collect()
}

/// The names of what a file has, well-formed or not. A misspelt [workspace.NAME] names a workspace, too.
fn written(table: &Spanned<DeTable<'_>>) -> check::WrittenTables {
    let root = table.get_ref();
    let named = |keys: &[&str]| -> Vec<String> {
        let tables = keys.iter().filter_map(|key| root.get(*key)?.get_ref().as_table());
        tables.flat_map(DeTable::keys).map(|name| name.get_ref().to_string()).collect()
    };
    check::WrittenTables {
        has_workspaces: ["workspaces", "workspace", "workspaces_dir"].iter().any(|key| root.contains_key(*key)),
        has_directory: root.contains_key("workspaces_dir"),
        unreadable: None,
        workspaces: named(&["workspaces", "workspace"]).into_iter().collect(),
        policies: named(&["policies"]),
        jobs: named(&["jobs", "job"]),
        rosters: named(&["rosters"]),
        smtp: root.get("smtp").map(|smtp| {
            let keys = smtp.get_ref().as_table().into_iter().flat_map(DeTable::keys);
            keys.map(|key| key.get_ref().to_string()).collect()
        }),
    }
}

/// The JSON Schema of the configuration (draft 2020-12).
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(file::File).to_value()
}
