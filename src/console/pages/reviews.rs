//! The reviews that a person may see, and how to open one.

use askama::Template;
use chrono::{DateTime, Utc};

use super::{
    Area, Frame,
    progress::Progress,
    text::{day, label, path, prose},
};
use crate::{
    console::viewer::Viewer,
    review::state::{State, Summary},
    words::count,
};

#[derive(Template)]
#[template(path = "console/reviews.html")]
pub(in crate::console) struct Page {
    frame: Frame,
    rows: Vec<Row>,
    /// The reviews that this person may open; empty if there are none.
    openable: Vec<Openable>,
    problems: Vec<String>,
}

/// A review in a list.
pub(in crate::console) struct Row {
    pub(in crate::console) name: String,
    pub(in crate::console) address: String,
    pub(in crate::console) state: &'static str,
    pub(in crate::console) opened: String,
    pub(in crate::console) due: String,
    pub(in crate::console) is_overdue: bool,
    pub(in crate::console) progress: Progress,
    pub(in crate::console) work: String,
}

/// A review of the configuration.
pub(in crate::console) struct Openable {
    pub(in crate::console) name: String,
    pub(in crate::console) job: String,
}

impl Row {
    /// A review at a time.
    pub(in crate::console) fn of(summary: &Summary, now: DateTime<Utc>) -> Self {
        let is_ended = matches!(summary.state, State::Closed | State::Cancelled);
        let decided = (summary.items - summary.undecided.min(summary.items)) as usize;
        Self {
            name: label(&summary.name),
            address: path(&["reviews", &summary.id.to_string()]),
            state: summary.state.word(),
            opened: day(summary.opened_at),
            due: day(summary.due),
            is_overdue: !is_ended && summary.due < now,
            progress: Progress::of(decided, summary.items as usize),
            work: match summary.unproven {
                0 => String::new(),
                unproven => count(unproven, "decision"),
            },
        }
    }
}

/// The page.
pub(in crate::console) fn page(
    viewer: &Viewer,
    summaries: &[Summary],
    openable: Vec<Openable>,
    problems: &[String],
    now: DateTime<Utc>,
) -> Page {
    Page {
        frame: Frame::of(viewer, Area::Reviews, "Reviews"),
        rows: summaries.iter().map(|summary| Row::of(summary, now)).collect(),
        openable,
        problems: problems.iter().map(|problem| prose(problem)).collect(),
    }
}
