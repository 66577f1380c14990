//! `rolecall check`: validates the configuration and shows when each job is due. Loads it for the other commands.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};

use super::output::{self, Failure};
use crate::{
    app::{self, Folders},
    audit::RuleSet,
    clock::Clock,
    config::{
        self, ConfigError, Loaded,
        directory::AtRest,
        problem::Problems,
        secret::{self, Exposed, SecretSource},
        settings::{Bucket, EvidencePlace, Job, Settings, Timestamps},
        writers::{Writers, writers},
    },
    evidence::{
        key::SigningKey,
        storage::{Storage as _, objects::probe::Probe},
    },
    store::Database,
    timestamp::authorities::Tried,
    words::{count, counted, number, some_of},
};

/// Scheduled times shown per job.
const FIRE_TIMES: usize = 5;
/// Files with secrets that are warned of one by one.
const MOST_WARNINGS: usize = 10;
/// The longest reason of an authority that is shown, in characters.
const REASON: usize = 500;
/// Workspaces of a job that are all named.
const LISTED: usize = 10;

/// Loads the configuration, or fails with everything that is wrong with it. Warnings go to stderr.
pub(super) fn load(named: Option<&Path>) -> Result<Settings, Failure> {
    Ok(noted(loaded(named)?))
}

/// Like [`load`], without warnings: for commands that neither audit nor keep evidence.
pub(super) fn load_quietly(named: Option<&Path>) -> Result<Settings, Failure> {
    Ok(loaded(named)?.settings)
}

/// Like [`load_quietly`], also if test cases of custom rules fail.
pub(super) fn load_with_failing_tests(named: Option<&Path>) -> Result<Settings, Failure> {
    let path = config::locate(named).map_err(|error| Failure::usage(error.to_string()))?;
    let rules = RuleSet::built_in();
    let rules: Vec<&str> = rules.list().names().collect();
    let loaded = config::load_with_failing_tests(&path, &rules, Clock::system().now());
    Ok(loaded.map_err(|error| explain(&error))?.settings)
}

/// Loads the configuration for a daemon, which goes on without a workspace whose own file has an error. `before` is what it
/// runs with.
pub(super) fn load_running(named: Option<&Path>, before: Option<&Settings>) -> Result<Settings, Failure> {
    let path = config::locate(named).map_err(|error| Failure::usage(error.to_string()))?;
    let rules = RuleSet::built_in();
    let rules: Vec<&str> = rules.list().names().collect();
    let loaded = config::load_running(&path, &rules, Clock::system().now(), before).map_err(|error| explain(&error))?;
    warn_of_exposed(&path, &loaded.settings);
    Ok(noted(loaded))
}

/// Loads the configuration for a command that reads the store only: an error in the file of one workspace does not matter to it.
pub(super) fn load_for_store(named: Option<&Path>) -> Result<Settings, Failure> {
    let path = config::locate(named).map_err(|error| Failure::usage(error.to_string()))?;
    let rules = RuleSet::built_in();
    let rules: Vec<&str> = rules.list().names().collect();
    let loaded = config::load_running(&path, &rules, Clock::system().now(), None).map_err(|error| explain(&error))?;
    warn_of_exposed(&path, &loaded.settings);
    Ok(loaded.settings)
}

/// Loads the files of workspaces that are at rest again, for a daemon that runs with `before`.
pub(super) fn load_workspaces(named: Option<&Path>, before: &Settings, at_rest: &AtRest) -> Result<Settings, Failure> {
    let path = config::locate(named).map_err(|error| Failure::usage(error.to_string()))?;
    let rules = RuleSet::built_in();
    let rules: Vec<&str> = rules.list().names().collect();
    let loaded = config::load_workspaces(&path, &rules, Clock::system().now(), before, at_rest);
    Ok(noted(loaded.map_err(|problems| explain(&problems.into()))?))
}

/// The store for a command that only reads. If there is none yet, that is said, and it is as an empty one would be.
pub(super) async fn store_to_read(settings: &Settings) -> Result<Arc<dyn Database>, Failure> {
    let failed = |error: app::AppError| Failure::failed(error.to_string());
    if let Some(store) = app::existing_store(settings).await.map_err(failed)? {
        return Ok(store);
    }
    let place = app::store_place(settings);
    output::note(&format!("rolecall: there is no store yet: {place}; the first audit, or the daemon, creates it"));
    app::empty_store().await.map_err(failed)
}

/// The settings, after saying what to be warned of.
fn noted(loaded: Loaded) -> Settings {
    let Loaded { settings, warnings } = loaded;
    if !warnings.is_empty() {
        output::note_as_it_is(warnings.render(output::color()).trim_end());
    }
    settings
}

fn loaded(named: Option<&Path>) -> Result<Loaded, Failure> {
    let path = config::locate(named).map_err(|error| Failure::usage(error.to_string()))?;
    let rules = RuleSet::built_in();
    let rules: Vec<&str> = rules.list().names().collect();
    let loaded = config::load(&path, &rules, Clock::system().now()).map_err(|error| explain(&error))?;
    warn_of_exposed(&path, &loaded.settings);
    Ok(loaded)
}

/// Says which files with secrets other accounts can read, and whether they can write the configuration.
fn warn_of_exposed(path: &Path, settings: &Settings) {
    warn_of_writers("the configuration", &[path]);
    let own = settings.workspaces.iter().filter(|(_, workspace)| workspace.text.is_some());
    let files = settings.directory.as_ref().map(|directory| own.map(|(name, _)| directory.file(name)));
    let files: Vec<PathBuf> = files.into_iter().flatten().collect();
    warn_of_writers("the file of a workspace", &files);
    let mut names = vec![("the configuration".to_owned(), path)];
    names.extend(settings.secret_files());
    // Looked at as if it were a file of its own folder.
    let files = settings.directory.as_ref().map(|directory| directory.path.join("*.toml"));
    names.extend(files.as_deref().map(|files| ("the files of workspaces".to_owned(), files)));
    warn_if_replaceable(&names);
    let exposed: Vec<_> =
        settings.secret_files().into_iter().filter(|(_, file)| secret::readable(file).is_some()).collect();
    for (key, file) in exposed.iter().take(MOST_WARNINGS) {
        warn_if_readable(key, file);
    }
    let more = exposed.len().saturating_sub(MOST_WARNINGS);
    if more > 0 {
        output::note(&format!(
            "warning: other accounts can read {} with secrets",
            counted(more, "more file", "more files")
        ));
    }
}

/// Says who else can write files that nobody else may choose.
fn warn_of_writers(what: &str, files: &[impl AsRef<Path>]) {
    let open = files.iter().filter_map(|file| Some((file.as_ref(), writers(file.as_ref())?)));
    let open: Vec<(&Path, Writers)> = open.collect();
    for (file, writers) in open.iter().take(MOST_WARNINGS) {
        let (who, mode) = match writers {
            Writers::All => ("all accounts on this machine".to_owned(), "o-w"),
            Writers::Group(name) => (format!("the accounts of the group {name}"), "g-w"),
        };
        output::note(&format!("warning: {who} can write {what} {}; chmod {mode}", file.display()));
    }
    let more = open.len().saturating_sub(MOST_WARNINGS);
    if more > 0 {
        output::note(&format!(
            "warning: other accounts can write {}",
            counted(more, "more file of a workspace", "more files of workspaces")
        ));
    }
}

/// Says in which folders all accounts can replace files that nobody else may choose.
pub(super) fn warn_if_replaceable(files: &[(String, &Path)]) {
    let mut by_folder: BTreeMap<PathBuf, Vec<&str>> = BTreeMap::new();
    for (name, path) in files {
        let target = std::fs::read_link(path).ok().and_then(|_| path.canonicalize().ok());
        for path in [Some(*path), target.as_deref()].into_iter().flatten() {
            by_folder.entry(path.parent().unwrap_or(Path::new(".")).to_owned()).or_default().push(name);
        }
    }
    let mut open: BTreeMap<PathBuf, Vec<&str>> = BTreeMap::new();
    for (folder, names) in by_folder {
        if let Some(folder) = secret::replaceable(&folder) {
            open.entry(folder).or_default().extend(names);
        }
    }
    for (folder, mut names) in open {
        names.sort_unstable_by_key(|name| (!name.starts_with("the "), *name));
        names.dedup();
        let all = names.len();
        output::note(&format!(
            "warning: all accounts on this machine can write the folder {}, and so replace {}; chmod o-w",
            folder.display(),
            some_of(names.into_iter(), all)
        ));
    }
}

/// Says if other accounts can read a file with a secret.
pub(super) fn warn_if_readable(key: &str, file: &Path) {
    let who = match secret::readable(file) {
        Some(Exposed::ToAll) => "all accounts on this machine",
        Some(Exposed::ToGroup) => "the accounts of its group",
        None => return,
    };
    let source = SecretSource::File(file.to_owned());
    output::note(&format!("warning: {key}: {who} can read {source}; chmod 600"));
}

fn explain(error: &ConfigError) -> Failure {
    match error {
        ConfigError::Problems(problems) => {
            let errors = problems.errors();
            output::note_as_it_is(problems.render(output::color()).trim_end());
            let wrong = problems.others.iter().filter(|other| other.errors() > 0).count();
            let files = match wrong {
                0 => problems.file.clone(),
                wrong => {
                    format!("{} and {}", problems.file, counted(wrong, "file of a workspace", "files of workspaces"))
                }
            };
            Failure::usage(format!("{files}: {}", count(errors, "error")))
        }
        other => Failure::usage(other.to_string()),
    }
}

pub(super) async fn run(named: Option<&Path>, offline: bool) -> Result<(), Failure> {
    let path = config::locate(named).map_err(|error| Failure::usage(error.to_string()))?;
    let settings = load(Some(&path))?;
    let unreadable = unreadable_secrets(&settings);
    let unread = bad_files(&path, &settings);
    let folders = app::try_folders(&settings);
    if unreadable == 0 && unread == 0 && folders.errors.is_empty() {
        output::line("The configuration is valid.");
    }
    if let Some(directory) = &settings.directory {
        let own = settings.workspaces.values().filter(|workspace| workspace.text.is_some()).count();
        let all = count(settings.workspaces.len(), "workspace");
        output::line(&format!("{all}, {} of them from {}", number(own), directory.path.display()));
    }
    for (name, job) in &settings.jobs {
        show(name, job);
    }
    if unreadable > 0 {
        return Err(Failure::usage(format!(
            "{} cannot be used; an audit needs all of them",
            count(unreadable, "secret")
        )));
    }
    if unread > 0 {
        return Err(Failure::usage(format!("{} cannot be used", count(unread, "file"))));
    }
    say_of_folders(&folders)?;
    let Some(evidence) = settings.evidence.as_ref().filter(|_| !offline) else { return Ok(()) };
    if let EvidencePlace::Bucket(bucket) = &evidence.place {
        try_bucket(bucket)?;
    }
    match &evidence.timestamps {
        Some(timestamps) => try_authorities(timestamps).await,
        None => Ok(()),
    }
}

/// Asks the timestamp authorities for a timestamp that is not kept. One that answers is enough.
async fn try_authorities(timestamps: &Timestamps) -> Result<(), Failure> {
    let authorities = app::authorities(timestamps).map_err(|error| Failure::failed(error.to_string()))?;
    let clock = Clock::system();
    output::line("\nTimestamp authorities");
    let tried = authorities.try_each(|| clock.now()).await;
    for Tried { authority, ahead } in &tried {
        match ahead {
            Ok(ahead) => output::line(&format!("  ok         {authority}, its clock is {}", against_ours(*ahead))),
            Err(reason) => output::line(&format!("  FAILED     {authority}: {}", output::plain(reason, REASON))),
        }
    }
    if tried.iter().all(|tried| tried.ahead.is_err()) {
        return Err(Failure::failed(
            "no timestamp authority gives a timestamp that is accepted; until one does, times are by this machine's clock",
        ));
    }
    Ok(())
}

/// How far a clock is from this machine's. Authorities may say whole seconds.
fn against_ours(ahead: TimeDelta) -> String {
    match ahead.num_milliseconds() {
        -1_999..=1_999 => "the same as this machine's".to_owned(),
        behind if behind < 0 => format!("{} s behind this machine's", -behind / 1_000),
        ahead => format!("{} s ahead of this machine's", ahead / 1_000),
    }
}

/// Says which folders cannot be used, and which of evidence other accounts can read: it names everybody.
fn say_of_folders(folders: &Folders) -> Result<(), Failure> {
    for (key, path) in folders.exposed.iter().filter(|(key, _)| key.starts_with("evidence.")) {
        let path = path.display();
        output::note(&format!("warning: {key}: all accounts on this machine can list {path}; chmod 700"));
    }
    for error in &folders.errors {
        output::note(&format!("error: {error}"));
    }
    match folders.errors.len() {
        0 => Ok(()),
        errors => Err(Failure::failed(format!("{} cannot be used", count(errors, "folder")))),
    }
}

/// Tries the object store for evidence, and says what it does.
fn try_bucket(bucket: &Bucket) -> Result<(), Failure> {
    let objects = app::objects(bucket).map_err(|error| Failure::failed(error.to_string()))?;
    output::line(&format!("\nEvidence in {}", objects.place("")));
    let Probe { keeps_versions, retention } = objects.probe().map_err(|error| Failure::failed(error.to_string()))?;
    output::line("  writes     conditional: nothing that is there is replaced");
    output::line(if keeps_versions {
        "  versions   kept: an object that is overwritten or removed is not lost"
    } else {
        "  versions   not kept: whoever may write can replace or remove evidence; turn versioning on for the bucket"
    });
    output::line(&match retention {
        Some((mode, until)) => {
            format!("  retention  {}: the object of this check is kept until {}", plain(&mode), plain(&until))
        }
        None => "  retention  none: whoever may delete can remove evidence for good; give the bucket a default retention (Object Lock)"
            .to_owned(),
    });
    let waiting = objects.backlog().map_err(|error| Failure::failed(format!("{}: {error}", bucket.spool.display())))?;
    if waiting.bags > 0 {
        let bags = count(usize::try_from(waiting.bags).unwrap_or(usize::MAX), "bag");
        output::line(&format!("  spool      {bags} not stored yet; the next audit or the daemon stores them"));
    }
    Ok(())
}

/// Shows when a job is due next.
fn show(name: &str, job: &Job) {
    let schedule = &job.schedule;
    let spread = match schedule.splay().num_minutes() {
        0 => String::new(),
        minutes => format!(", spread over {}", count(minutes.unsigned_abs(), "minute")),
    };
    let (pattern, zone) = (schedule.pattern(), schedule.zone());
    output::line(&format!("\nJob {name}: “{pattern}” in {zone}{spread}, {}", listed(&job.workspaces)));
    for time in schedule.next(Clock::system().now(), FIRE_TIMES) {
        let local = time.with_timezone(&zone).format("%a %Y-%m-%d %H:%M:%S %Z");
        output::line(&format!("  {local}   {}", utc(time)));
    }
    if !spread.is_empty() {
        output::line(&format!(
            "  Each workspace is due at its own time from then on: `rolecall schedule --job {name}`"
        ));
    }
}

/// A text of the store, for a terminal.
fn plain(text: &str) -> String {
    output::plain(text, 60)
}

/// Reports secrets that cannot be read and a key that cannot sign, and counts them.
fn unreadable_secrets(settings: &Settings) -> usize {
    let secrets = settings.secrets().into_iter();
    let mut errors: Vec<String> =
        secrets.filter_map(|(key, source)| source.read().err().map(|error| format!("{key}: {error}"))).collect();
    let signing_key = settings.evidence.as_ref().and_then(|evidence| evidence.signing_key.as_deref());
    let key = signing_key.and_then(|path| SigningKey::read(path).err());
    errors.extend(key.map(|error| format!("evidence.signing_key: {error}")));
    for error in &errors {
        output::note(&format!("error: {error}"));
    }
    errors.len()
}

/// Reports files that cannot be used, each at the place that names it, and counts them.
fn bad_files(path: &Path, settings: &Settings) -> usize {
    let bad = app::try_files(settings);
    let count = bad.len();
    if count > 0 {
        let wrong = bad.into_iter().map(|file| (file.key, file.problem, file.help.to_owned()));
        let problems = Problems::of_keys(path, &settings.text, wrong);
        output::note_as_it_is(problems.render(output::color()).trim_end());
    }
    count
}

/// The workspaces of a job: all of a few, some of many.
fn listed(workspaces: &[String]) -> String {
    if workspaces.len() <= LISTED {
        return workspaces.join(", ");
    }
    format!(
        "{}: {}",
        count(workspaces.len(), "workspace"),
        some_of(workspaces.iter().map(String::as_str), workspaces.len())
    )
}

fn utc(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
