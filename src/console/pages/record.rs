//! What is on record: the runs, the evidence, and the configuration as applied.

use askama::Template;
use chrono::NaiveDateTime;

use super::{
    Area, Frame, Pager,
    text::{label, moment, path, prose},
};
use crate::{
    console::viewer::Viewer,
    evidence::verify::VerifyReport,
    model::{
        run::{Gap, Run, RunState},
        trigger::{LATE, span},
    },
    store::replicas::Announced,
    words::{count, number},
};

/// The runs.
#[derive(Template)]
#[template(path = "console/runs.html")]
pub(in crate::console) struct Runs {
    frame: Frame,
    rows: Vec<RunRow>,
    more: String,
    replicas: Vec<ReplicaRow>,
}

/// A daemon on the store.
struct ReplicaRow {
    name: String,
    version: String,
    since: String,
    seen: String,
    is_gone: bool,
    clock: String,
    runs: String,
}

struct RunRow {
    due: String,
    job: String,
    workspace: String,
    workspace_address: String,
    state: &'static str,
    class: &'static str,
    /// How many attempts, and how late it began.
    course: String,
    ended: String,
    error: String,
}

impl RunRow {
    fn of_run(run: &Run) -> Self {
        let late = run.started_at.map(|started| started - run.fire_at).filter(|late| *late > LATE);
        let late = late.map(|late| format!("started {} late", span(late)));
        let attempts = (run.attempt > 1).then(|| count(run.attempt, "attempt"));
        let course: Vec<String> = late.into_iter().chain(attempts).collect();
        Self {
            due: moment(run.fire_at),
            job: label(&run.job),
            workspace: label(&run.workspace),
            workspace_address: path(&["workspaces", &run.workspace]),
            state: match run.state {
                RunState::Due => "waiting",
                RunState::Claimed | RunState::Read | RunState::Judged => "under way",
                RunState::Recorded => "audited, mail waits",
                RunState::Delivered | RunState::Closed => "done",
                RunState::Failed => "failed",
            },
            class: match run.state {
                RunState::Failed => "failed",
                RunState::Delivered | RunState::Closed => "passed",
                _ => "unevaluated",
            },
            course: course.join(", "),
            ended: run.finished_at.map(moment).unwrap_or_default(),
            error: run.error.as_deref().map(prose).unwrap_or_default(),
        }
    }

    /// Scheduled times of a job that no run was made for.
    fn of_gap(gap: &Gap) -> Self {
        let due =
            if gap.count == 1 { moment(gap.first) } else { format!("{} to {}", moment(gap.first), moment(gap.last)) };
        Self {
            due,
            job: label(&gap.job),
            workspace: String::new(),
            workspace_address: String::new(),
            state: "missed",
            class: "failed",
            course: if gap.count > 1 { format!("{} scheduled times", number(gap.count)) } else { String::new() },
            ended: String::new(),
            error: prose(&gap.reason),
        }
    }
}

/// The page of the latest runs, of scheduled times without a run, and of the daemons that announce themselves on the store.
/// `more` is the address of a page with more runs; empty if these are all.
pub(in crate::console) fn runs(
    viewer: &Viewer,
    runs: &[Run],
    gaps: &[Gap],
    more: String,
    replicas: &[Announced],
) -> Runs {
    let of_runs = runs.iter().map(|run| (run.fire_at, RunRow::of_run(run)));
    let mut rows: Vec<_> = of_runs.chain(gaps.iter().map(|gap| (gap.last, RunRow::of_gap(gap)))).collect();
    rows.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let replica = |announced: &Announced| ReplicaRow {
        name: label(&announced.replica.name),
        version: label(&announced.replica.version),
        since: moment(announced.since),
        seen: moment(announced.seen),
        is_gone: announced.is_gone,
        clock: format!("{:+.1} s", announced.replica.ahead.as_seconds_f64()),
        runs: count(announced.replica.holds.len(), "run"),
    };
    Runs {
        frame: Frame::of(viewer, Area::Runs, "Runs"),
        rows: rows.into_iter().map(|(_, row)| row).collect(),
        more,
        replicas: replicas.iter().map(replica).collect(),
    }
}

/// The bags.
#[derive(Template)]
#[template(path = "console/bags.html")]
pub(in crate::console) struct Bags {
    frame: Frame,
    is_kept: bool,
    rows: Vec<BagRow>,
    found: String,
    pager: Pager,
}

/// A bag of the list.
struct BagRow {
    address: String,
    /// When, as its name says it; its name if that says nothing.
    when: String,
    /// The workspace or the review.
    what: String,
    name: String,
}

impl BagRow {
    /// A bag by the name of its folder: time, workspace or `review-NAME`, id.
    fn of(folder: &str) -> Self {
        let (time, rest) = folder.split_once('_').unwrap_or((folder, ""));
        let time = NaiveDateTime::parse_from_str(time, "%Y-%m-%dT%H%M%SZ").ok().map(|time| time.and_utc());
        let subject = rest.rsplit_once('_').map_or(rest, |(subject, _)| subject);
        let what = match subject.strip_prefix("review-") {
            Some(review) => format!("Review {review}"),
            None => subject.to_owned(),
        };
        Self {
            address: path(&["evidence", folder]),
            when: time.map_or_else(|| label(folder), moment),
            what: if time.is_some() { label(&what) } else { String::new() },
            name: label(folder),
        }
    }
}

/// Bags on one page.
const PAGE: usize = 100;

/// The page of the bags, the newest first; `None` if no evidence is kept.
pub(in crate::console) fn bags(viewer: &Viewer, folders: Option<&[String]>, page: usize) -> Bags {
    let all = folders.unwrap_or_default();
    let pages = all.len().div_ceil(PAGE).max(1);
    let at = page.clamp(1, pages);
    let shown = all.iter().rev().skip((at - 1) * PAGE).take(PAGE);
    Bags {
        frame: Frame::of(viewer, Area::Evidence, "Evidence"),
        is_kept: folders.is_some(),
        rows: shown.map(|folder| BagRow::of(folder)).collect(),
        found: count(all.len(), "bag"),
        pager: Pager::of(at, pages, |page| format!("/evidence?page={page}")),
    }
}

/// One bag.
#[derive(Template)]
#[template(path = "console/bag.html")]
pub(in crate::console) struct Bag {
    frame: Frame,
    name: String,
    files: Vec<(String, String)>,
    size: String,
    download: String,
    verify: String,
    verified: Option<Verified>,
}

/// What verification found.
struct Verified {
    problems: Vec<String>,
    signer: String,
    sha256: String,
    ledger: &'static str,
    is_good: bool,
}

/// The page of a bag with these files and their sizes. `verified` is what verification found, and the digest by which the
/// ledger knows the bag.
pub(in crate::console) fn bag(
    viewer: &Viewer,
    folder: &str,
    files: &[(String, u64)],
    verified: Option<(VerifyReport, Option<String>)>,
) -> Bag {
    let address = path(&["evidence", folder]);
    let verified = verified.map(|(report, known)| {
        let ledger = match (&known, &report.name) {
            (Some(known), Some(name)) if known == name => "The ledger names this bag by the same digest.",
            (Some(_), _) => "The ledger names this bag by another digest: it was replaced or changed.",
            (None, _) => "No audit or review in the store names this bag.",
        };
        let is_good = report.problems.is_empty() && known.is_none_or(|known| Some(known) == report.name);
        Verified {
            problems: report.problems.iter().map(|problem| prose(&problem.to_string())).collect(),
            signer: report.signer.unwrap_or_default(),
            sha256: report.name.unwrap_or_default(),
            ledger,
            is_good,
        }
    });
    Bag {
        frame: Frame::of(viewer, Area::Evidence, label(folder)),
        name: label(folder),
        files: files.iter().map(|(name, size)| (label(name), bytes(*size))).collect(),
        size: bytes(files.iter().map(|(_, size)| size).sum()),
        download: format!("{address}/bag.zip"),
        verify: format!("{address}?verify=yes"),
        verified,
    }
}

/// A size for people.
fn bytes(size: u64) -> String {
    match size {
        0..1_000 => count(size, "byte"),
        1_000..1_000_000 => format!("{} KB", number(size / 1_000)),
        _ => format!("{:.1} MB", size as f64 / 1_000_000.0),
    }
}

/// The configuration.
#[derive(Template)]
#[template(path = "console/settings.html")]
pub(in crate::console) struct Settings {
    frame: Frame,
    configuration: String,
    version: &'static str,
}

/// The page of the configuration as applied.
pub(in crate::console) fn settings(viewer: &Viewer, configuration: &str) -> Settings {
    Settings {
        frame: Frame::of(viewer, Area::Settings, "Settings"),
        configuration: configuration.to_owned(),
        version: env!("CARGO_PKG_VERSION"),
    }
}
