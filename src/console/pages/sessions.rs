//! Where a person is signed in.

use askama::Template;

use super::{
    Frame,
    text::{label, moment},
};
use crate::{
    console::viewer::Viewer,
    review::event::Via,
    store::sessions::{SecretDigest, Session},
};

#[derive(Template)]
#[template(path = "console/sessions.html")]
pub(in crate::console) struct Page {
    frame: Frame,
    rows: Vec<Row>,
    has_others: bool,
}

/// A session.
struct Row {
    /// By which a form names it.
    name: String,
    browser: String,
    client: String,
    how: &'static str,
    began: String,
    seen: String,
    is_this: bool,
}

/// The page. `this` is the session that asks for it.
pub(in crate::console) fn page(viewer: &Viewer, all: &[(SecretDigest, Session)], this: Option<SecretDigest>) -> Page {
    let row = |(id, session): &(SecretDigest, Session)| {
        let place = session.who.place.as_ref();
        Row {
            name: id.name(),
            browser: place.map_or_else(|| "not known".to_owned(), |place| label(&place.browser)),
            client: place.map(|place| label(&place.client)).unwrap_or_default(),
            how: match session.who.via {
                Via::MailLink => "link by mail",
                Via::ConsoleLink => "link from the command line",
                _ => "at your organization",
            },
            began: moment(session.began_at),
            seen: moment(session.seen_at),
            is_this: Some(*id) == this,
        }
    };
    let rows: Vec<Row> = all.iter().map(row).collect();
    Page {
        frame: Frame::apart(viewer, "Where you are signed in"),
        has_others: rows.iter().any(|row| !row.is_this),
        rows,
    }
}
