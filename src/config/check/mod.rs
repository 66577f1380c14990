//! From the file as written to checked settings: everything that the shape alone does not say.

mod accepted;
mod accounts;
mod console;
mod custom_rules;
mod evidence;
mod job;
mod off_reasons;
mod policy;
mod review;
mod roster;
mod services;
mod store;
mod targets;
mod workspace;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Range,
    path::Path,
};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use toml::Spanned;
use url::Url;

use super::{
    file::{self, File},
    problem::Problem,
    settings::{SecretSource, Settings, StorePlace, Workspace},
    shape::{StandIns, suggestion},
};
use crate::schedule::Schedule;

/// What the checks need besides the file.
pub(super) struct Context<'a> {
    /// The text of the configuration file.
    pub(super) text: &'a str,
    /// The folder of the configuration file.
    pub(super) folder: &'a Path,
    /// The names of all rules.
    pub(super) rules: &'a [&'a str],
    /// Decides whether an exception has expired and whether a schedule ever fires again.
    pub(super) now: DateTime<Utc>,
    /// Whether it is the configuration in evidence, which has the tables of some of the workspaces only.
    pub(super) is_applied: bool,
    /// The values that the file does not have. The error of shape says so; no other one is reported.
    pub(super) stand_ins: &'a StandIns,
}

/// What the file has, including what is not well-formed and therefore not in [`File`].
#[derive(Debug, Default)]
pub(super) struct WrittenTables {
    pub(super) workspaces: BTreeSet<String>,
    /// Whether there is a place for workspaces, however empty it is.
    pub(super) has_workspaces: bool,
    /// Whether there is a directory of workspaces, which may have more of them later.
    pub(super) has_directory: bool,
    /// Why the directory of workspaces cannot be read; `None` if it was, or if there is none.
    pub(super) unreadable: Option<String>,
    pub(super) policies: Vec<String>,
    pub(super) jobs: Vec<String>,
    pub(super) rosters: Vec<String>,
    /// The keys of `[smtp]`; `None` if there is no such table.
    pub(super) smtp: Option<BTreeSet<String>>,
}

pub(super) use store::place_of;

/// Checks a file; `others` are the workspaces that have a file of their own.
pub(super) fn check(
    file: &File,
    others: BTreeMap<String, Workspace>,
    written: &WrittenTables,
    context: &Context<'_>,
) -> (Settings, Vec<Problem>) {
    let mut checker = Checker::new(context, written);
    let settings = checker.settings(file, others);
    (settings, checker.own_problems())
}

/// Checks a workspace that has a file of its own.
pub(super) fn check_workspace(
    name: &str,
    workspace: &Spanned<file::Workspace>,
    written: &WrittenTables,
    context: &Context<'_>,
) -> (Workspace, Vec<Problem>) {
    let mut checker = Checker::new(context, written);
    checker.name("workspace", &Spanned::new(0..0, name.to_owned()));
    let workspace = checker.workspace(name, workspace);
    (workspace, checker.own_problems())
}

struct Checker<'a> {
    context: &'a Context<'a>,
    written: &'a WrittenTables,
    /// The names of the custom rules of the policy that is being checked.
    custom_names: BTreeSet<String>,
    /// The valid schedules so far: jobs that are due at the same times share one.
    schedules: HashMap<(String, Tz), Schedule>,
    problems: Vec<Problem>,
}

impl<'a> Checker<'a> {
    fn new(context: &'a Context<'a>, written: &'a WrittenTables) -> Self {
        Self { context, written, custom_names: BTreeSet::new(), schedules: HashMap::new(), problems: Vec::new() }
    }
}

impl Checker<'_> {
    /// The problems of what is in the file.
    fn own_problems(self) -> Vec<Problem> {
        let Self { context, mut problems, .. } = self;
        problems.retain(|problem| !problem.span.as_ref().is_some_and(|span| context.stand_ins.has(span)));
        problems
    }

    fn error(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::error(span, message, help));
    }

    fn settings(&mut self, file: &File, others: BTreeMap<String, Workspace>) -> Settings {
        let (policy, policies) = self.policies(file, &others);
        let workspaces = self.workspaces(file, others);
        let rosters = self.rosters(file);
        let mut jobs = BTreeMap::new();
        for (name, job) in &file.jobs {
            self.name("job", name);
            if let Some(email) = job.email.as_ref().filter(|_| self.written.smtp.is_none()) {
                self.error(
                    email.span(),
                    format!("job `{}` sends mail, but there is no [smtp] table", name.get_ref()),
                    "add an [smtp] table with `host` and `from`",
                );
            }
            if let Some(job) = self.job(job) {
                jobs.insert(name.get_ref().clone(), job);
            }
        }
        let mut reviews = BTreeMap::new();
        for (name, review) in &file.reviews {
            if let Some(review) = self.review(name, review, file) {
                reviews.insert(name.get_ref().clone(), review);
            }
        }
        let smtp = file.smtp.as_ref().map(|smtp| self.smtp(smtp.get_ref()));
        let store = self.store(file.store.as_ref());
        let daemon = self.daemon(&file.daemon);
        let beside = match &store.place {
            StorePlace::File(path) => path.parent().unwrap_or(self.context.folder).to_owned(),
            StorePlace::Server(_) => self.context.folder.to_owned(),
        };
        let evidence = file.evidence.as_ref().map(|evidence| self.evidence(evidence, &beside));
        let console = file.console.as_ref().map(|console| self.console(console.get_ref(), file.smtp.is_some()));
        let text = self.context.text.to_owned();
        let settings = Settings {
            workspaces,
            directory: None,
            policy,
            policies,
            rosters,
            jobs,
            reviews,
            smtp,
            store,
            daemon,
            evidence,
            console,
            text,
        };
        self.reviewers_by_roster(file, &settings);
        settings
    }

    /// All workspaces. A table of the file comes before a file of its own, which is an error.
    fn workspaces(&mut self, file: &File, others: BTreeMap<String, Workspace>) -> BTreeMap<String, Workspace> {
        if !self.written.has_workspaces {
            let help = "add a [workspaces.NAME] table, or let `rolecall init` write a configuration";
            self.error(0..0, "no workspace configured", help);
        }
        if let Some((written, error)) = file.workspaces_dir.as_ref().zip(self.written.unreadable.clone()) {
            self.error(written.span(), error, "expected a directory with a file NAME.toml for each workspace");
        }
        let mut workspaces = others;
        for (name, workspace) in &file.workspaces {
            self.name("workspace", name);
            let workspace = self.workspace(name.get_ref(), workspace);
            workspaces.insert(name.get_ref().clone(), workspace);
        }
        workspaces
    }

    fn known_workspace(&mut self, name: &Spanned<String>) {
        let known = &self.written.workspaces;
        // Without any workspace, that is the error.
        if !known.is_empty() && !known.contains(name.get_ref()) && !self.context.is_applied {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let help = suggestion(name.get_ref(), &known);
            self.error(name.span(), format!("unknown workspace `{}`", name.get_ref()), help);
        }
    }

    fn name(&mut self, what: &str, name: &Spanned<String>) {
        let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let text = name.get_ref();
        if text.is_empty() || text.len() > 64 || !text.chars().all(good) {
            self.error(
                name.span(),
                format!("invalid {what} name `{text}`"),
                "expected up to 64 letters, digits, - and _, because names become folder names",
            );
        }
    }

    /// Names of variables and files are checked by `misplaced`, which knows their places.
    fn secret(&self, secret: &file::Secret) -> SecretSource {
        match secret {
            file::Secret::Env(name) => SecretSource::Env(name.clone()),
            file::Secret::File(path) => SecretSource::file(self.context.folder, path),
        }
    }

    fn url(&mut self, text: &Spanned<String>) -> Option<Url> {
        let help =
            "expected an https URL without a password or query; http only for this machine (127.0.0.1, localhost)";
        self.safe_url(text, help, |url| url.query().is_none())
    }

    fn url_with_query(&mut self, text: &Spanned<String>) -> Option<Url> {
        let help = "expected an https URL without a password; http only for this machine (127.0.0.1, localhost)";
        self.safe_url(text, help, |_| true)
    }

    fn safe_url(&mut self, text: &Spanned<String>, help: &str, is_good: fn(&Url) -> bool) -> Option<Url> {
        let parsed = Url::parse(text.get_ref());
        let safe = parsed.as_ref().is_ok_and(|url| is_safe(url) && is_good(url));
        if !safe {
            self.error(text.span(), "it is not safe to send a token to this URL", help);
            return None;
        }
        parsed.ok()
    }

    fn number(&mut self, number: Option<&Spanned<i64>>, standard: i64, range: std::ops::RangeInclusive<i64>) -> i64 {
        let Some(number) = number else { return standard };
        if !range.contains(number.get_ref()) {
            self.error(
                number.span(),
                format!("invalid value {}; expected {} to {}", number.get_ref(), range.start(), range.end()),
                "",
            );
            return standard;
        }
        *number.get_ref()
    }

    /// Warns of an address that not every mail server takes.
    fn mailable(&mut self, address: &Spanned<String>) {
        let parsed = address.get_ref().parse::<lettre::message::Mailbox>();
        if let Some(mailbox) = parsed.ok().filter(|mailbox| !mailbox.email.user().is_ascii()) {
            self.problems.push(Problem::warning(
                address.span(),
                format!("`{}` has letters that are not ASCII before the `@`", mailbox.email),
                "not every mail server supports such addresses; try it with `rolecall mail test`",
            ));
        }
    }

    fn address(&mut self, address: &Spanned<String>) -> String {
        if address.get_ref().parse::<lettre::Address>().is_err() {
            self.error(
                address.span(),
                format!("invalid e-mail address `{}`", address.get_ref()),
                "expected an address such as security@example.com",
            );
        } else if address.get_ref().contains(['"', '[']) {
            self.error(
                address.span(),
                format!("`{}` has a quoted name or an address literal, which are not supported", address.get_ref()),
                "expected an address such as security@example.com",
            );
        }
        address.get_ref().clone()
    }
}

/// Whether a secret may be sent to a URL: it is encrypted, or stays on this machine.
fn is_safe(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let bare = url.username().is_empty() && url.password().is_none();
    bare && (url.scheme() == "https" || (url.scheme() == "http" && loopback))
}
