//! The configuration: the file as written (`file`), its shape (`shape`), then checked settings (`check`,
//! [`settings`]). All that is wrong is told at once, each with file, line and column ([`problem`]).

mod applied;
mod check;
mod file;
pub mod problem;
pub mod settings;
mod shape;
#[cfg(test)]
mod tests;

use std::{
    fs,
    path::{Path, PathBuf},
};

use chrono::{DateTime, Utc};
use toml::de::DeTable;

pub use self::file::{Attach, Missed, Security, When};
use self::{
    file::File,
    problem::{Problem, Problems},
    settings::Settings,
};

/// Where a configuration is looked for when none is named.
const PLACES: [&str; 2] = ["rolecall.toml", "/etc/rolecall/rolecall.toml"];

/// A configuration that can be used.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// What should be looked at.
    pub warnings: Problems,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is none.
    #[error("no configuration found; looked for {}. Run `rolecall init` to create one, run `rolecall demo` to try rolecall without one, or name a file with `--config`", .0.join(" and "))]
    NotFound(Vec<String>),
    /// The file cannot be read.
    #[error("the configuration {path} cannot be read: {source}")]
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

/// The configuration file: the one that is named, or the first that is there.
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
    let text = fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    Ok(parse(path, &text, rules, now)?)
}

/// Checks the text of a configuration that is or will be at a path.
///
/// # Errors
/// [`Problems`], with everything that is wrong.
pub fn parse(path: &Path, text: &str, rules: &[&str], now: DateTime<Utc>) -> Result<Loaded, Problems> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let context = check::Context { text, folder, rules, now };
    let (settings, problems) = read(text, &context).map_err(|problems| Problems::new(path, text, problems))?;
    if problems.iter().any(|problem| !problem.warning) {
        return Err(Problems::new(path, text, problems));
    }
    Ok(Loaded { settings, warnings: Problems::new(path, text, problems) })
}

fn read(text: &str, context: &check::Context<'_>) -> Result<(Settings, Vec<Problem>), Vec<Problem>> {
    let syntax = |error: &toml::de::Error| {
        let span = error.span().unwrap_or(0..0);
        vec![Problem::error(span, error.message().to_owned(), "this is no TOML (https://toml.io)")]
    };
    let table = DeTable::parse(text).map_err(|error| syntax(&error))?;
    let problems = shape::check(&json_schema(), &table);
    if !problems.is_empty() {
        return Err(problems);
    }
    let file: File = toml::from_str(text).map_err(|error| {
        vec![Problem::error(error.span().unwrap_or(0..0), error.message().to_owned(), String::new())]
    })?;
    Ok(check::check(&file, context))
}

/// The JSON Schema of the configuration (draft 2020-12).
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(File).to_value()
}
