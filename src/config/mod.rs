//! The configuration: the file as written (`file`), its shape (`shape`), policies by name (`overlay`), then checked
//! settings (`check`, [`settings`]). Every problem is reported in one pass, with file, line and column ([`problem`]); secrets are masked
//! (`mask`), and those in the wrong place are found (`misplaced`). [`secret`] reads them.

mod applied;
mod check;
mod file;
mod in_string;
mod mask;
mod misplaced;
mod overlay;
mod paths;
pub mod problem;
pub mod secret;
pub mod settings;
mod shape;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use serde::Deserialize as _;
use toml::{Spanned, de::DeTable};

pub use self::file::Attach;
use self::{
    problem::{Problem, Problems},
    settings::Settings,
};

/// The largest configuration, in bytes.
const LARGEST: u64 = 16 << 20;
/// Where to look for a configuration if none is named.
const PLACES: [&str; 2] = ["rolecall.toml", "/etc/rolecall/rolecall.toml"];

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
    Ok(parse_except(path, &text, rules, now, |problem| problem.is_failed_test)?)
}

fn text(path: &Path) -> Result<String, ConfigError> {
    // It may be a pipe, but it is not endless.
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text));
    let read = read.and_then(|length| match length as u64 {
        ..=LARGEST => Ok(()),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, format!("it has more than {LARGEST} bytes"))),
    });
    read.map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    Ok(text)
}

/// Checks the text of a configuration that is or will be at a path.
///
/// # Errors
/// [`Problems`], with everything that is wrong.
pub fn parse(path: &Path, text: &str, rules: &[&str], now: DateTime<Utc>) -> Result<Loaded, Problems> {
    parse_except(path, text, rules, now, |_| false)
}

fn parse_except(
    path: &Path,
    text: &str,
    rules: &[&str],
    now: DateTime<Utc>,
    is_passed_over: fn(&Problem) -> bool,
) -> Result<Loaded, Problems> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let context = check::Context { text, folder, rules, now };
    let (settings, mut problems) = read(text, &context).map_err(|problems| Problems::new(path, text, problems))?;
    problems.retain(|problem| !is_passed_over(problem));
    if problems.iter().any(|problem| !problem.warning) {
        return Err(Problems::new(path, text, problems));
    }
    Ok(Loaded { settings, warnings: Problems::new(path, text, problems) })
}

fn read(text: &str, context: &check::Context<'_>) -> Result<(Settings, Vec<Problem>), Vec<Problem>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return Err(syntax(text, &errors));
    }
    let mut written = written(&table);
    let misplaced = misplaced::misplaced(table.get_ref());
    let unexpanded = paths::unexpanded(table.get_ref());
    let shape = shape::check(&json_schema(), table);
    let (mut problems, well_formed) = (shape.problems, shape.table);
    problems.extend(misplaced);
    problems.extend(unexpanded);
    let is_whole = problems.is_empty();
    // What is well-formed is checked even beside what is not, so that one pass reports everything.
    let file = well_formed.ok_or(None).and_then(|mut table| {
        overlay::complete_policies(table.get_mut());
        file::File::deserialize(toml::de::Deserializer::from(table)).map_err(Some)
    });
    let file = match file {
        Ok(file) => file,
        Err(error) => {
            let error = error.filter(|_| is_whole);
            problems.extend(error.map(|error| Problem::error(error.span().unwrap_or(0..0), error.message(), "")));
            return Err(problems);
        }
    };
    // A misspelt key is written, too.
    let misspelt = shape.removed.iter().flat_map(|removed| removed.keys.iter().cloned());
    if let Some(keys) = &mut written.smtp {
        keys.extend(misspelt);
    }
    let (settings, mut meaning) = check::check(&file, &written, context);
    meaning.retain(|problem| !shape.removed.iter().any(|removed| removed.explains(problem)));
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
