//! The pages: from what was read to HTML. Pure. The templates under `templates/console/` escape every value; what comes
//! from elsewhere is cut to a length and freed of what is invisible ([`text`]).

pub(in crate::console) mod chart;
pub(in crate::console) mod facts;
pub(in crate::console) mod findings;
pub(in crate::console) mod item;
pub(in crate::console) mod overview;
pub(in crate::console) mod past;
pub(in crate::console) mod person;
pub(in crate::console) mod profiles;
pub(in crate::console) mod progress;
pub(in crate::console) mod record;
pub(in crate::console) mod review;
pub(in crate::console) mod reviews;
pub(in crate::console) mod roles;
pub(in crate::console) mod sessions;
pub(in crate::console) mod text;
pub(in crate::console) mod workspace;

use crate::console::{style, viewer::Viewer};

/// A part of the console, as the navigation names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::console) enum Area {
    /// What needs attention.
    Overview,
    /// Reviews by people.
    Reviews,
    /// Who can do what.
    Workspaces,
    /// The runs of jobs.
    Runs,
    /// The bags.
    Evidence,
    /// The configuration as applied.
    Settings,
}

impl Area {
    const ALL: [Self; 6] =
        [Self::Overview, Self::Reviews, Self::Workspaces, Self::Runs, Self::Evidence, Self::Settings];

    fn title(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Reviews => "Reviews",
            Self::Workspaces => "Workspaces",
            Self::Runs => "Runs",
            Self::Evidence => "Evidence",
            Self::Settings => "Settings",
        }
    }

    fn address(self) -> &'static str {
        match self {
            Self::Overview => "/",
            Self::Reviews => "/reviews",
            Self::Workspaces => "/workspaces",
            Self::Runs => "/runs",
            Self::Evidence => "/evidence",
            Self::Settings => "/settings",
        }
    }

    /// Whether a person may go there.
    pub(in crate::console) fn is_open_to(self, viewer: &Viewer) -> bool {
        match self {
            Self::Overview | Self::Reviews => true,
            Self::Workspaces | Self::Runs => viewer.may_read(),
            Self::Evidence | Self::Settings => viewer.may_read_evidence(),
        }
    }
}

/// A link of the navigation.
pub(in crate::console) struct Link {
    title: &'static str,
    address: &'static str,
    is_here: bool,
}

/// What is around every page.
pub(in crate::console) struct Frame {
    title: String,
    who: String,
    links: Vec<Link>,
    stylesheet: &'static str,
    /// What was just done. Empty if nothing was.
    notice: String,
}

impl Frame {
    /// The surroundings of a page with this title.
    pub(in crate::console) fn of(viewer: &Viewer, area: Area, title: impl Into<String>) -> Self {
        Self::around(viewer, Some(area), title)
    }

    /// The surroundings of a page that belongs to no part of the navigation.
    pub(in crate::console) fn apart(viewer: &Viewer, title: impl Into<String>) -> Self {
        Self::around(viewer, None, title)
    }

    fn around(viewer: &Viewer, area: Option<Area>, title: impl Into<String>) -> Self {
        let links = Area::ALL.into_iter().filter(|link| link.is_open_to(viewer));
        let link = |link: Area| Link { title: link.title(), address: link.address(), is_here: Some(link) == area };
        Self {
            title: title.into(),
            who: text::label(viewer.address.as_str()),
            links: links.map(link).collect(),
            stylesheet: style::address(),
            notice: String::new(),
        }
    }

    /// The same with a sentence about what was just done.
    pub(in crate::console) fn noting(self, notice: impl Into<String>) -> Self {
        Self { notice: notice.into(), ..self }
    }
}

/// The way between pages of a list.
pub(in crate::console) struct Pager {
    /// Where the list is, in words.
    said: String,
    /// The address of the page before; empty if this is the first.
    before: String,
    /// The address of the page after; empty if this is the last.
    after: String,
}

impl Pager {
    /// The way from page `page` of `pages`. `address` is where a page is.
    pub(in crate::console) fn of(page: usize, pages: usize, address: impl Fn(usize) -> String) -> Self {
        Self {
            said: format!("Page {page} of {pages}"),
            before: if page > 1 { address(page - 1) } else { String::new() },
            after: if page < pages { address(page + 1) } else { String::new() },
        }
    }
}

/// One entry of a list to choose from.
pub(in crate::console) struct Choice {
    value: String,
    label: String,
    is_chosen: bool,
}

impl Choice {
    pub(in crate::console) fn new(value: &str, label: impl Into<String>, chosen: &str) -> Self {
        Self { value: value.to_owned(), label: label.into(), is_chosen: value == chosen }
    }
}

#[cfg(test)]
mod tests;
