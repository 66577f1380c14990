//! The first page: what needs the person, what comes next, and how administrators and findings developed.

use askama::Template;
use chrono::{DateTime, Utc};

use super::{
    Area, Frame,
    chart::Chart,
    reviews::Row,
    text::{day, label, moment, path, prose},
};
use crate::{
    access::drift::Said,
    console::{part::Part, site::Plans, viewer::Viewer},
    model::{change::Past, plain::shown, trigger::Incident},
    review::{
        carrying_out::CarriedOut,
        state::{Review, State, Summary},
    },
    store::AuditRecord,
    words::{count, counted},
};

/// Entries of the calendar.
const ENTRIES: usize = 12;
/// Fire times of one schedule that are looked at.
const TIMES: usize = 4;
/// Problems that are shown.
const PROBLEMS: usize = 20;

/// Workspaces whose last audit is told.
pub(in crate::console) const WORKSPACES: usize = 12;
/// The characters of a verdict.
const VERDICT: usize = 1_800;
/// The classes that the stylesheet has for an answer.
const CLASSES: [&str; 5] = ["incomplete", "act", "review", "clear", "neutral"];

#[derive(Template)]
#[template(path = "console/overview.html")]
pub(in crate::console) struct Page {
    frame: Frame,
    needs: Vec<Need>,
    problems: Vec<String>,
    answers: Vec<Answer>,
    /// Workspaces that the page leaves out.
    more: usize,
    reviews: Vec<Row>,
    calendar: Vec<Entry>,
    trends: Vec<Trend>,
    may_read: bool,
}

/// Something that the person has to do.
struct Need {
    said: String,
    detail: String,
    is_late: bool,
    address: String,
    action: &'static str,
}

/// What the report of a workspace's last audit says first.
struct Answer {
    workspace: String,
    address: String,
    read: String,
    state: String,
    class: &'static str,
    verdict: String,
}

/// Something that will happen.
struct Entry {
    at: String,
    machine: String,
    said: String,
    address: String,
}

/// The charts of a workspace and job.
pub(in crate::console) struct Trend {
    title: String,
    address: String,
    charts: Vec<Chart>,
    rows: Vec<(String, u64, u64)>,
}

/// What the page is made of.
pub(in crate::console) struct Known<'a> {
    /// The reviews that are under way or have something to be carried out, of those that the person is part of.
    pub(in crate::console) own: &'a [(Summary, std::sync::Arc<Review>)],
    /// The reviews that are under way and that the person may read.
    pub(in crate::console) under_way: &'a [Summary],
    /// What of the configuration is shown.
    pub(in crate::console) plans: &'a Plans,
    /// The last audits of workspaces, and what their reports say first.
    pub(in crate::console) latest: &'a [(AuditRecord, Said)],
    /// What went wrong.
    pub(in crate::console) incidents: &'a [Incident],
    /// The past audits of each job and workspace.
    pub(in crate::console) past: &'a [(String, String, Vec<Past>)],
    /// Now.
    pub(in crate::console) now: DateTime<Utc>,
}

/// The page.
pub(in crate::console) fn page(viewer: &Viewer, known: &Known<'_>) -> Page {
    let may_read = viewer.may_read();
    let problem = |incident: &Incident| {
        let workspace = incident.workspace.as_ref().map(|name| format!(" {}", label(name))).unwrap_or_default();
        format!("{}{workspace}: {}", label(&incident.job), prose(&incident.sentence()))
    };
    let past = known.past.iter().enumerate();
    Page {
        frame: Frame::of(viewer, Area::Overview, "Overview"),
        needs: known.own.iter().flat_map(|(_, review)| needs(Part { review, viewer }, known.now)).collect(),
        problems: known.incidents.iter().take(PROBLEMS).map(problem).collect(),
        answers: known.latest.iter().map(answer).collect(),
        more: known.plans.workspaces.len().saturating_sub(WORKSPACES),
        reviews: known.under_way.iter().map(|summary| Row::of(summary, known.now)).collect(),
        calendar: calendar(known, may_read),
        trends: past.filter_map(|(at, (job, workspace, past))| trend(at, job, workspace, past)).collect(),
        may_read,
    }
}

fn answer((record, said): &(AuditRecord, Said)) -> Answer {
    Answer {
        workspace: label(&record.workspace),
        address: path(&["workspaces", &record.workspace]),
        read: moment(record.finished_at),
        state: label(&said.state),
        // What comes out of the store names no other class.
        class: CLASSES.into_iter().find(|class| *class == said.class).unwrap_or("neutral"),
        verdict: shown(&said.verdict, VERDICT),
    }
}

/// What a person has to do in a review.
fn needs(part: Part<'_>, now: DateTime<Utc>) -> Vec<Need> {
    let review = part.review;
    let (id, name) = (review.id(), label(&review.opening().name));
    let due = review.opening().due;
    let address = path(&["reviews", &id.to_string()]);
    let mut needs = Vec::new();
    let mut need = |said: String, detail: String, is_late, address: String, action| {
        needs.push(Need { said, detail, is_late, address, action });
    };
    if part.is_open() && part.viewer.may_decide(id) {
        let own = || review.items().filter(|(_, course)| part.is_mine(course));
        let waiting = own().filter(|(_, course)| course.decided().is_none()).count();
        let when =
            if due < now { format!("It was due on {}.", day(due)) } else { format!("It is due on {}.", day(due)) };
        if waiting > 0 {
            let to = part.next(None).map_or_else(|| address.clone(), |item| format!("{address}/items/{item}"));
            let said = counted(waiting, "account waits", "accounts wait");
            need(format!("{said} for your decision in {name}"), when, due < now, to, "Decide");
        } else if own().next().is_some() && review.unattested().contains(&part.viewer.address) {
            need(format!("Confirm your decisions in {name}"), when, due < now, address.clone(), "Confirm");
        }
    }
    if part.is_open() && part.is_owner() && part.viewer.may_manage(id) {
        let undecided = review.undecided();
        if undecided == 0 {
            let detail = "Every account is decided.".to_owned();
            need(format!("Close the review {name}"), detail, due < now, format!("{address}#close"), "Close");
        } else if due < now {
            let said = format!("The review {name} is overdue");
            let detail = counted(undecided, "account is not decided.", "accounts are not decided.");
            need(said, detail, true, format!("{address}?whose=all&show=undecided"), "See who is late");
        }
    }
    if part.is_owner() {
        let late = review
            .items()
            .filter(|(item, course)| matches!(review.carried_out(item, course, now), CarriedOut::Overdue { .. }));
        let late = late.count();
        if late > 0 {
            let said = format!(
                "{} of {name} {} not carried out in time",
                count(late, "decision"),
                if late == 1 { "was" } else { "were" }
            );
            need(
                said,
                "No audit shows it yet.".to_owned(),
                true,
                format!("{address}?whose=all&show=work"),
                "See which",
            );
        }
    }
    needs
}

/// What comes next: runs and openings, as far as the person may see them, and the due days of reviews.
fn calendar(known: &Known<'_>, may_read: bool) -> Vec<Entry> {
    let mut entries: Vec<(DateTime<Utc>, String, String)> = Vec::new();
    let plans = known.plans;
    for (name, job) in plans.jobs.iter().filter(|_| may_read) {
        let times = job.schedule.next(known.now, TIMES).into_iter();
        let workspaces = crate::words::list(
            &job.workspaces.iter().take(3).map(|name| label(name)).collect::<Vec<_>>(),
            job.workspaces.len(),
        );
        entries.extend(
            times.map(|at| (at, format!("Audit of {workspaces} by the job {}", label(name)), "/runs".to_owned())),
        );
    }
    for (name, review) in plans.reviews.iter().filter(|_| may_read) {
        let times = review.schedule.iter().flat_map(|schedule| schedule.next(known.now, TIMES));
        entries.extend(times.map(|at| (at, format!("The review {} opens", label(name)), "/reviews".to_owned())));
    }
    let is_open =
        |summary: &&Summary| matches!(summary.state, State::Open | State::Decided) && summary.due >= known.now;
    for summary in known.under_way.iter().filter(is_open) {
        let address = path(&["reviews", &summary.id.to_string()]);
        entries.push((summary.due, format!("The review {} is due", label(&summary.name)), address));
    }
    entries.sort();
    let entry = |(at, said, address): (DateTime<Utc>, String, String)| Entry {
        at: moment(at),
        machine: at.to_rfc3339(),
        said,
        address,
    };
    entries.into_iter().take(ENTRIES).map(entry).collect()
}

fn trend(number: usize, job: &str, workspace: &str, past: &[Past]) -> Option<Trend> {
    let line = |id: &str, what, value: fn(&Past) -> u64| {
        let values: Vec<_> = past.iter().map(|past| (past.finished_at, value(past))).collect();
        Chart::of(format!("{id}-{number}"), what, &values)
    };
    let charts = [
        line("administrators", "Administrators", |past| past.administrators),
        line("findings", "Open findings", |past| past.open_findings),
    ];
    let charts: Vec<Chart> = charts.into_iter().flatten().collect();
    (!charts.is_empty()).then(|| Trend {
        title: format!("{}, by the job {}", label(workspace), label(job)),
        address: path(&["workspaces", workspace]),
        charts,
        rows: past
            .iter()
            .rev()
            .map(|past| (moment(past.finished_at), past.administrators, past.open_findings))
            .collect(),
    })
}
