//! One mail about all workspaces of a job: how each stands, the worst first; who can administer where; what changed and
//! what to do. A workspace without a review is named before everything else.

mod section;
#[cfg(test)]
mod tests;

use askama::Template;
use chrono::{DateTime, Utc};

pub use self::section::Section;
use self::section::{MAX_NAME, MAX_SENTENCE};
use super::{
    message::{Attachment, Content},
    report_mail::{LeftOut, MAX_HTML, whereabouts},
    text::{name, one_line},
};
use crate::{
    ledger::Head,
    people::People,
    words::{count, counted, form, number},
};

/// The longest headline in a subject, in characters.
const MAX_HEADLINE: usize = 120;
/// The longest name of a job or a workspace in a subject, in characters.
const MAX_NAME_IN_SUBJECT: usize = 40;
/// The longest answer about people, in characters.
const MAX_ANSWER: usize = 1_200;

/// What a mail is made of.
#[derive(Debug)]
pub struct Together<'a> {
    /// The job.
    pub job: &'a str,
    /// When it was due.
    pub fire_at: DateTime<Utc>,
    /// The workspaces that were reviewed, in any order.
    pub sections: Vec<Section>,
    /// The workspaces that were not, and why.
    pub missing: Vec<(String, String)>,
    /// Everybody across the workspaces.
    pub people: &'a People,
    /// The attached files.
    pub attachments: Vec<Attachment>,
    /// The files that did not fit.
    pub left_out: &'a [LeftOut],
    /// The last entry of the ledger.
    pub ledger: &'a Head,
}

/// How much of each list is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limits {
    /// Workspaces with all that is said of them.
    workspaces: usize,
    /// Items of each list.
    items: usize,
}

impl Limits {
    const FULL: Self = Self { workspaces: 40, items: 12 };
    const NONE: Self = Self { workspaces: 0, items: 0 };

    fn halved(self) -> Self {
        // Details go before workspaces.
        if self.items > 2 {
            return Self { items: self.items / 2, ..self };
        }
        Self { workspaces: self.workspaces / 2, items: if self.workspaces < 2 { 0 } else { self.items } }
    }
}

/// What the templates show.
struct View {
    job: String,
    when: String,
    state: String,
    tone: String,
    verdict: String,
    missing: Vec<(String, String)>,
    more_missing: usize,
    workspaces: Vec<Part>,
    /// Workspaces that are only counted.
    more_workspaces: usize,
    people: String,
    conflicts: Vec<(String, String)>,
    more_conflicts: usize,
    left_behind: Vec<(String, String)>,
    more_left_behind: usize,
    administrators: Vec<(String, String)>,
    more_administrators: usize,
    bags: Vec<(String, String)>,
    ledger: String,
    attached: Vec<String>,
    left_out: Vec<String>,
}

/// What is shown of one workspace.
struct Part {
    section: Section,
    /// What is not shown of its tasks and changes.
    more_tasks: usize,
    more_changes: usize,
}

#[derive(Template)]
#[template(path = "mail/together/body.html")]
struct Html<'a> {
    view: &'a View,
}

#[derive(Template)]
#[template(path = "mail/together/body.txt")]
struct Text<'a> {
    view: &'a View,
}

impl Together<'_> {
    /// The kind of this message, for [`Addressing`](super::message::Addressing).
    pub const KIND: &'static str = super::report_mail::ReportMail::KIND;
    /// What stands for the workspace in the thread of these messages.
    pub const THREAD: &'static str = "all workspaces";

    /// Writes the mail, the same for every recipient.
    ///
    /// # Errors
    /// If a template cannot be rendered, which is a defect of rolecall.
    pub fn content(mut self) -> Result<Content, askama::Error> {
        self.sections.sort_by(|one, other| one.order().cmp(&other.order()));
        self.missing.sort();
        let mut limits = Limits::FULL;
        let (html, text) = loop {
            let view = self.view(limits);
            let html = Html { view: &view }.render()?;
            if html.len() <= MAX_HTML || limits == Limits::NONE {
                break (html, Text { view: &view }.render()?);
            }
            limits = limits.halved();
        };
        Ok(Content { subject: self.subject(), text, html, attachments: self.attachments })
    }

    /// `[rolecall] MISSING weekly: acme-us was not reviewed; acme-eu: +1 administrator; 2 more workspaces`.
    fn subject(&self) -> String {
        let mark = if !self.missing.is_empty() {
            "MISSING "
        } else if self.sections.iter().any(|section| !section.is_complete()) {
            "INCOMPLETE "
        } else {
            ""
        };
        let missing = match &self.missing[..] {
            [] => None,
            [(only, _)] => Some(format!("{} was not reviewed", name(only, MAX_NAME_IN_SUBJECT))),
            several => Some(format!("{} were not reviewed", count(several.len(), "workspace"))),
        };
        let worst = self.sections.first().map(|worst| {
            let workspace = name(&worst.workspace, MAX_NAME_IN_SUBJECT);
            format!("{workspace}: {}", one_line(&worst.headline, MAX_HEADLINE))
        });
        let more = self.sections.len().saturating_sub(1);
        let more = (more > 0).then(|| counted(more, "more workspace", "more workspaces"));
        let parts: Vec<String> = [missing, worst, more].into_iter().flatten().collect();
        format!("[rolecall] {mark}{}: {}", name(self.job, MAX_NAME_IN_SUBJECT), parts.join("; "))
    }

    fn verdict(&self) -> String {
        let reviewed = self.sections.len();
        let all = reviewed + self.missing.len();
        let mut said = vec![format!(
            "{} of {} {} reviewed.",
            number(reviewed),
            count(all, "workspace"),
            form(reviewed, "was", "were")
        )];
        for states in self.sections.chunk_by(|one, other| one.state == other.state) {
            let names: Vec<&str> = states.iter().take(3).map(|section| section.workspace.as_str()).collect();
            said.push(format!("{}: {}.", states[0].state, crate::words::list(&names, states.len())));
        }
        said.join(" ")
    }

    fn view(&self, limits: Limits) -> View {
        let people = self.people;
        let lines =
            |person: &crate::people::Person, place: String| (name(&person.label, MAX_NAME), name(&place, MAX_SENTENCE));
        let left: Vec<_> = people.left_behind().collect();
        let administrators = people.administrators();
        let shown = |all: usize| all.saturating_sub(limits.items);
        let (state, tone) = match self.sections.first() {
            _ if !self.missing.is_empty() => ("Not every workspace was reviewed".to_owned(), "critical".to_owned()),
            Some(worst) => (worst.state.clone(), worst.tone.clone()),
            None => ("Nothing was reviewed".to_owned(), "critical".to_owned()),
        };
        View {
            job: name(self.job, MAX_NAME),
            when: format!("due {}", self.fire_at.format("%a %-d %b %Y, %H:%M UTC")),
            state,
            tone,
            verdict: self.verdict(),
            missing: (self.missing.iter().take(limits.workspaces.max(10)))
                .map(|(workspace, reason)| (name(workspace, MAX_NAME), one_line(reason, MAX_SENTENCE)))
                .collect(),
            more_missing: self.missing.len().saturating_sub(limits.workspaces.max(10)),
            workspaces: self.sections.iter().take(limits.workspaces).map(|one| part(one, limits.items)).collect(),
            more_workspaces: self.sections.len().saturating_sub(limits.workspaces),
            people: one_line(&people.verdict(), MAX_ANSWER),
            conflicts: (people.conflicts.iter().take(limits.items))
                .map(|one| lines(&people.persons[one.person], one.said()))
                .collect(),
            more_conflicts: shown(people.conflicts.len()),
            left_behind: left.iter().take(limits.items).map(|one| lines(one, people.left_behind_in(one))).collect(),
            more_left_behind: shown(left.len()),
            administrators: (administrators.iter().take(limits.items))
                .map(|one| lines(one, people.administers_in(one)))
                .collect(),
            more_administrators: shown(administrators.len()),
            bags: (self.sections.iter().take(limits.workspaces))
                .filter_map(|section| {
                    let bag = section.bag.as_ref()?;
                    Some((section.workspace.clone(), format!("{}, sha256 {}", bag.folder, bag.sha256)))
                })
                .collect(),
            ledger: self.ledger.to_string(),
            attached: self.attachments.iter().take(60).map(|file| one_line(&file.file_name, MAX_NAME)).collect(),
            left_out: self.left_out.iter().take(60).map(whereabouts).collect(),
        }
    }
}

fn part(section: &Section, items: usize) -> Part {
    let mut section = section.clone();
    let more_tasks = section.more_tasks + section.tasks.len().saturating_sub(items);
    let more_changes = section.more_changes + section.changes.len().saturating_sub(items);
    section.tasks.truncate(items);
    section.changes.truncate(items);
    section.problems.truncate(items);
    section.incidents.truncate(items);
    Part { section, more_tasks, more_changes }
}
