//! `workspaces_dir`: a directory with one file for each workspace, named after it. Files whose names begin with a dot or do
//! not end in `.toml` are not looked at, so that a file can be written under another name and renamed.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use serde::Deserialize as _;
use toml::{Spanned, de::DeTable};

use super::{
    check, file, misplaced,
    names::{ENDING_OF_WORKSPACE, file_of_workspace},
    paths,
    problem::Problem,
    secret,
    settings::Workspace,
    shape, syntax, template,
};

/// The files of a directory, read once.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) path: PathBuf,
    /// By the names of their workspaces. An error if a file cannot be read.
    pub(super) files: BTreeMap<String, Result<Arc<str>, String>>,
    /// Why the directory cannot be read; `None` if it was.
    pub(super) error: Option<String>,
}

/// A file of a directory that has been checked.
pub(super) struct Checked {
    pub(super) path: PathBuf,
    pub(super) text: Arc<str>,
    /// `None` if it has an error.
    pub(super) workspace: Option<Workspace>,
    pub(super) problems: Vec<Problem>,
    /// Whether the common file has a table of the workspace, too.
    pub(super) is_twice: bool,
}

impl Directory {
    /// Reads every file of a directory.
    pub(super) fn read(path: PathBuf) -> Self {
        let (names, error) = match names(&path) {
            Ok(names) => (names, None),
            Err(error) => (Vec::new(), Some(format!("cannot read the directory {}: {error}", path.display()))),
        };
        let read = |name: String| {
            let text = secret::text_of(&file_of_workspace(&path, &name));
            (name, text.map(Arc::from).map_err(|error| format!("the file cannot be read: {error}")))
        };
        let files = names.into_iter().map(read).collect();
        Self { path, files, error }
    }

    /// Checks every file. `common` is the path of the file whose tables a workspace may be in, too.
    pub(super) fn check(
        &self,
        schema: &serde_json::Value,
        (common, of_common): (&Path, &DeTable<'_>),
        written: &check::WrittenTables,
        context: &check::Context<'_>,
    ) -> BTreeMap<String, Checked> {
        let twice = |name: &str| of_common.contains_key(name);
        let check = |(name, text): (&String, &Result<Arc<str>, String>)| {
            let (workspace, mut problems) = match text {
                Ok(text) => one(name, text, schema, written, context),
                Err(error) => (None, vec![Problem::error(0..0, error.clone(), "")]),
            };
            if twice(name) {
                let common = common.display();
                let what = format!(
                    "workspace `{name}` is configured twice: in this file and as [workspaces.{name}] in {common}"
                );
                problems.insert(0, Problem::error(0..0, what, "remove one of the two"));
            }
            let workspace = workspace.filter(|_| problems.iter().all(|problem| problem.warning));
            let text = text.as_ref().map_or_else(|_| Arc::from(""), Arc::clone);
            let is_twice = twice(name);
            (name.clone(), Checked { path: file_of_workspace(&self.path, name), text, workspace, problems, is_twice })
        };
        self.files.iter().map(check).collect()
    }
}

/// The names of the workspaces that have a file.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if let Some(stem) = name.strip_suffix(ENDING_OF_WORKSPACE).filter(|_| !name.starts_with('.')) {
            names.push(stem.to_owned());
        }
    }
    Ok(names)
}

/// Checks the file of one workspace, which has the keys of a table `[workspaces.NAME]`.
fn one(
    name: &str,
    text: &Arc<str>,
    schema: &serde_json::Value,
    written: &check::WrittenTables,
    context: &check::Context<'_>,
) -> (Option<Workspace>, Vec<Problem>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        return (None, syntax(text, &errors));
    }
    let mut problems = misplaced::misplaced(table.get_ref());
    problems.extend(paths::deceptive(table.get_ref()));
    problems.extend(template::of_workspace(table.get_ref()));
    // What is missing is missing at the beginning.
    let table = Spanned::new(0..0, table.into_inner());
    let known: Vec<_> = problems.iter().filter_map(|problem| problem.span.clone()).collect();
    let shape = shape::check_table(schema, "Workspace", table, &format!("workspaces.{name}"));
    problems.extend(shape.problems);
    let workspace = match file::Workspace::deserialize(toml::de::Deserializer::from(shape.table)) {
        Ok(workspace) => Spanned::new(0..0, workspace),
        Err(error) if problems.is_empty() => {
            return (None, vec![Problem::error(error.span().unwrap_or(0..0), error.message(), "")]);
        }
        Err(_) => return (None, problems),
    };
    let context = check::Context { text, stand_ins: &shape.stand_ins, ..*context };
    let (workspace, mut meaning) = check::check_workspace(name, &workspace, written, &context);
    let is_said = |problem: &Problem| problem.span.as_ref().is_some_and(|span| known.contains(span));
    meaning.retain(|problem| !is_said(problem) && !shape.removed.iter().any(|removed| removed.explains(problem)));
    problems.extend(meaning);
    (Some(Workspace { text: Some(Arc::clone(text)), ..workspace }), problems)
}

/// What a file looks like from outside: changed when, how long, which one.
type Look = (Option<SystemTime>, u64, u64);

/// The files of a directory. `None` if it could not be read.
type Files = Option<BTreeMap<String, Look>>;

/// Notices that files of a directory came, went or changed. A change counts once two looks in a row see the same, so that
/// no file is read while it is written.
#[derive(Debug)]
pub struct Watch {
    folder: PathBuf,
    /// `None` if it could not be read.
    seen: Files,
    /// What the last look saw, if it was not what was seen before.
    moving: Option<Files>,
}

impl Watch {
    /// A watch over a directory.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, seen: None, moving: None }
    }

    /// Looks at the directory. Returns whether it has changed since the last change and come to rest.
    pub fn has_changed(&mut self) -> bool {
        let now = self.look();
        if now == self.seen {
            self.moving = None;
            return false;
        }
        if self.moving.as_ref() != Some(&now) {
            self.moving = Some(now);
            return false;
        }
        (self.seen, self.moving) = (now, None);
        true
    }

    fn look(&self) -> Option<BTreeMap<String, Look>> {
        use std::os::unix::fs::MetadataExt as _;
        let look = |name: String| {
            let metadata = fs::metadata(file_of_workspace(&self.folder, &name)).ok();
            let look =
                metadata.map_or((None, 0, 0), |metadata| (metadata.modified().ok(), metadata.len(), metadata.ino()));
            (name, look)
        };
        Some(names(&self.folder).ok()?.into_iter().map(look).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_counts_once_it_has_come_to_rest() {
        let folder = tempfile::tempdir().unwrap();
        let mut watch = Watch::new(folder.path().to_owned());
        let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        assert_eq!(
            (watch.has_changed(), watch.has_changed(), watch.has_changed()),
            (false, true, false),
            "at the start"
        );
        file("acme.toml", "conn");
        assert!(!watch.has_changed(), "it may still be written");
        file("acme.toml", "connector = \"truto\"");
        assert!(!watch.has_changed(), "it was still being written");
        assert!(watch.has_changed());
        file(".acme.toml", "x");
        file("acme.toml.partial", "x");
        assert_eq!((watch.has_changed(), watch.has_changed()), (false, false), "others do not matter");
        fs::remove_file(folder.path().join("acme.toml")).unwrap();
        assert_eq!((watch.has_changed(), watch.has_changed()), (false, true));
        fs::remove_dir_all(folder.path()).unwrap();
        assert_eq!((watch.has_changed(), watch.has_changed(), watch.has_changed()), (false, true, false));
    }
}
