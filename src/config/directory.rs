//! `workspaces_dir`: a directory with one file for each workspace, named after it. Files whose names begin with a dot or do
//! not end in `.toml` are not looked at, so that a file can be written under another name and renamed.

use std::{
    collections::{BTreeMap, BTreeSet},
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
    settings::{Texts, Workspace, WorkspacesDirectory},
    shape, syntax, template,
};

/// The files of a directory, read once.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) path: PathBuf,
    /// By the names of their workspaces.
    pub(super) files: Texts,
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
        let files = names.into_iter().map(|name| (name.clone(), text_of(&path, &name))).collect();
        Self { path, files, error }
    }

    /// Reads the files that are at rest; the others are as they were `before`, also one that has changed since.
    pub(super) fn read_at_rest(path: PathBuf, at_rest: &AtRest, before: Option<&WorkspacesDirectory>) -> Self {
        if let Err(error) = fs::read_dir(&path) {
            let error = Some(format!("cannot read the directory {}: {error}", path.display()));
            return Self { path, files: BTreeMap::new(), error };
        }
        let none = BTreeMap::new();
        let before = before.map_or(&none, |before| &before.seen);
        let Some(looked) = &at_rest.files else { return Self { path, files: before.clone(), error: None } };
        let as_before = |name: &String| before.get(name).map(|text| (name.clone(), text.clone()));
        let mut files: Texts = at_rest.restless.iter().filter_map(as_before).collect();
        for (name, look) in looked {
            let text = text_of(&path, name);
            if look_at(&path, name) == *look {
                files.insert(name.clone(), text);
            } else {
                files.extend(as_before(name));
            }
        }
        Self { path, files, error: None }
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

fn text_of(folder: &Path, name: &str) -> Result<Arc<str>, String> {
    let text = secret::text_of(&file_of_workspace(folder, name));
    text.map(Arc::from).map_err(|error| format!("the file cannot be read: {error}"))
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

/// What a file looks like from outside: changed when, how long, which one, and when that or its permissions changed: seconds
/// and nanoseconds.
type Look = (Option<SystemTime>, u64, u64, (i64, i64));

/// The files of a directory, by the names of their workspaces. `None` if it could not be read.
type Files = Option<BTreeMap<String, Look>>;

fn look_at(folder: &Path, name: &str) -> Look {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = fs::metadata(file_of_workspace(folder, name)).ok();
    metadata.map_or((None, 0, 0, (0, 0)), |metadata| {
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        (metadata.modified().ok(), metadata.len(), metadata.ino(), changed)
    })
}

/// The files that two looks in a row saw the same, so that nobody is writing them. What the others become is not known yet.
#[derive(Debug, Clone, Default)]
pub struct AtRest {
    /// `None` if the directory could not be read.
    files: Files,
    /// The workspaces whose files came, went or changed between the two looks.
    restless: BTreeSet<String>,
}

/// Notices that files of a directory came, went or changed. Each file is judged by itself: one that is written all the time
/// does not hold up the others.
#[derive(Debug)]
pub struct Watch {
    folder: PathBuf,
    /// What the last look saw; `None` before the first one.
    last: Option<Files>,
    /// The files as they last were at rest; `None` before the first two looks.
    seen: Option<Files>,
    /// How many looks in a row saw each file changed.
    restless: BTreeMap<String, u32>,
}

impl Watch {
    /// A watch over a directory.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, last: None, seen: None, restless: BTreeMap::new() }
    }

    /// Looks at the directory. Returns what is at rest if that is not what it was; `None` if nothing has changed.
    pub fn look(&mut self) -> Option<AtRest> {
        let now = names(&self.folder).ok().map(|names| {
            let look = |name: String| {
                let look = look_at(&self.folder, &name);
                (name, look)
            };
            names.into_iter().map(look).collect()
        });
        let last = self.last.replace(now.clone())?;
        let (Some(last), Some(now)) = (&last, &now) else {
            self.restless.clear();
            let is_at_rest = last.is_none() && now.is_none() && self.seen != Some(None);
            return is_at_rest.then(|| {
                self.seen = Some(None);
                AtRest::default()
            });
        };
        let before = self.seen.clone().flatten().unwrap_or_default();
        let mut at_rest = AtRest { files: Some(BTreeMap::new()), restless: BTreeSet::new() };
        let mut seen = BTreeMap::new();
        let names: BTreeSet<&String> = last.keys().chain(now.keys()).chain(before.keys()).collect();
        for name in names {
            let look = now.get(name);
            let is_restless = last.get(name) != look;
            if is_restless {
                at_rest.restless.insert(name.clone());
            } else if let (Some(files), Some(look)) = (&mut at_rest.files, look) {
                files.insert(name.clone(), *look);
            }
            let kept = if is_restless { before.get(name) } else { look };
            seen.extend(kept.map(|look| (name.clone(), *look)));
        }
        self.restless.retain(|name, _| at_rest.restless.contains(name));
        for name in &at_rest.restless {
            *self.restless.entry(name.clone()).or_default() += 1;
        }
        let seen = Some(Some(seen));
        let has_changed = self.seen != seen;
        self.seen = seen;
        has_changed.then_some(at_rest)
    }

    /// The workspaces whose files so many looks in a row have seen changed, just now.
    pub fn restless_for(&self, looks: u32) -> impl Iterator<Item = &str> {
        self.restless.iter().filter(move |(_, seen)| **seen == looks).map(|(name, _)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn names_of(at_rest: Option<AtRest>) -> Option<Vec<String>> {
        at_rest.map(|at_rest| at_rest.files.map_or_else(Vec::new, |files| files.into_keys().collect()))
    }

    #[test]
    fn a_change_counts_once_it_has_come_to_rest() {
        let folder = tempfile::tempdir().unwrap();
        let mut watch = Watch::new(folder.path().to_owned());
        let mut has_changed = || watch.look().is_some();
        let file = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        assert_eq!((has_changed(), has_changed(), has_changed()), (false, true, false), "at the start");
        file("acme.toml", "conn");
        assert!(!has_changed(), "it may still be written");
        file("acme.toml", "connector = \"truto\"");
        assert!(!has_changed(), "it was still being written");
        assert!(has_changed());
        fs::set_permissions(folder.path().join("acme.toml"), fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!((has_changed(), has_changed()), (false, true), "it may be readable now");
        file(".acme.toml", "x");
        file("acme.toml.partial", "x");
        assert_eq!((has_changed(), has_changed()), (false, false), "others do not matter");
        fs::remove_file(folder.path().join("acme.toml")).unwrap();
        assert_eq!((has_changed(), has_changed()), (false, true));
        fs::remove_dir_all(folder.path()).unwrap();
        assert_eq!((has_changed(), has_changed(), has_changed()), (false, true, false));
        fs::create_dir(folder.path()).unwrap();
        assert_eq!((has_changed(), has_changed(), has_changed()), (false, true, false));
    }

    #[test]
    fn a_file_that_is_written_all_the_time_holds_up_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, length: usize| fs::write(folder.path().join(name), "x".repeat(length)).unwrap();
        let mut watch = Watch::new(folder.path().to_owned());
        let mut lengths = 1..;
        let mut look = || {
            file("restless.toml", lengths.next().unwrap());
            names_of(watch.look())
        };
        file("acme.toml", 1);
        assert_eq!((look(), look()), (None, Some(vec!["acme".to_owned()])));
        file("acme.toml", 2);
        file("other.toml", 1);
        assert_eq!((look(), look()), (None, Some(vec!["acme".to_owned(), "other".to_owned()])));
        fs::remove_file(folder.path().join("acme.toml")).unwrap();
        assert_eq!((look(), look(), look()), (None, Some(vec!["other".to_owned()]), None));
        let restless = |looks| watch.restless_for(looks).collect::<Vec<_>>();
        assert_eq!((restless(6), restless(5)), (vec!["restless"], vec![]), "each look after the first saw it changed");
        assert_eq!(names_of(watch.look()), Some(vec!["other".to_owned(), "restless".to_owned()]), "it came to rest");
    }
}
