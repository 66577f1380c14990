//! Who had which access when, from kept audits and their evidence.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
};
use tokio::{runtime::Handle, task::spawn_blocking};

use super::{Trouble, html, workspace::audit};
use crate::{
    audit::RuleSet,
    console::{
        Console,
        fields::Fields,
        pages::past::{self, Asked, Compared, Seen},
        viewer::Viewer,
    },
    past::{Moment, Side, answer::periods, compare},
    run::past::{Archive, PastError, course, side},
};

/// Why there is no answer. Which file of the evidence was changed is for those who may read it.
fn trouble(error: PastError, viewer: &Viewer) -> Trouble {
    match error {
        PastError::Store(error) => Trouble::Store(error),
        error @ PastError::Bag { .. } if viewer.may_read_evidence() => Trouble::Evidence(error.to_string()),
        error => Trouble::Broken(error.to_string()),
    }
}

/// Answers a question about a workspace. Kept audits are unpacked for it, which takes a processor: one question at a time, and
/// not among the tasks that serve other pages.
async fn answer<T: Send + 'static>(
    console: &Console,
    viewer: &Viewer,
    workspace: String,
    question: impl FnOnce(&mut Archive<'_>, &Handle) -> Result<T, PastError> + Send + 'static,
) -> Result<T, Trouble> {
    let site = console.site();
    let _turn = site.turn.lock().await;
    let (store, plans, handle) = (Arc::clone(site.shelf.store()), site.plans(), Handle::current());
    let answered =
        spawn_blocking(move || question(&mut Archive::new(&*store, plans.vault.as_ref(), &workspace), &handle));
    let answered = answered.await.map_err(|error| Trouble::Broken(error.to_string()))?;
    answered.map_err(|error| trouble(error, viewer))
}

/// The users of a workspace on a day, and what changed until another day.
pub(in crate::console) async fn day(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(workspace): Path<String>,
    Query(fields): Query<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let audit = audit(&console, &viewer, &workspace).await?;
    let fields = Fields(fields);
    let asked = Asked {
        on: fields.get("on").to_owned(),
        until: fields.get("until").to_owned(),
        text: fields.get("q").to_owned(),
        page: fields.page(),
    };
    let (on, until) = match asked.moments(console.site().clock.now()) {
        Ok(moments) => moments,
        Err(problem) => return html(StatusCode::OK, &past::day(&viewer, &audit, &asked, Err(problem))),
    };
    let seen = answer(&console, &viewer, workspace, move |archive, handle| {
        let look = handle.block_on(archive.at(on.0))?;
        let compared = match (&look, until) {
            (Some(_), Some(until)) => Some(compared(archive, handle, on, until)?),
            _ => None,
        };
        let next = if look.is_none() { handle.block_on(archive.after(on.0))? } else { None };
        Ok(Seen { look, next: next.map(|look| look.read), compared })
    });
    html(StatusCode::OK, &past::day(&viewer, &audit, &asked, Ok(seen.await?)))
}

fn compared(archive: &mut Archive<'_>, handle: &Handle, on: Moment, until: Moment) -> Result<Compared, PastError> {
    let workspace = archive.workspace().to_owned();
    let (before, old) = handle.block_on(side(archive, Side::At(on)))?;
    let (after, new) = handle.block_on(side(archive, Side::At(until)))?;
    let rules = RuleSet::for_policy(&new.policy());
    let changes = compare(&old, &new, rules.list(), &workspace)?;
    Ok(Compared { before, after, changes })
}

/// How the access of one account changed.
pub(in crate::console) async fn account(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path((workspace, user)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let audit = audit(&console, &viewer, &workspace).await?;
    let (name, id) = (workspace.clone(), user.clone());
    let found = answer(&console, &viewer, workspace, move |archive, handle| {
        let found = handle.block_on(course(archive, &id))?;
        Ok(found.map(|found| (periods(&name, &found), archive.missing().len())))
    });
    let (rows, not_kept) = found.await?.ok_or(Trouble::Nothing("account"))?;
    html(StatusCode::OK, &past::account(&viewer, &audit, &rows, not_kept))
}
