//! The first page.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use chrono::{DateTime, Utc};
use futures::future::try_join_all;

use super::{Trouble, html};
use crate::{
    access::drift::Said,
    console::{
        Console,
        pages::overview::{self, Known, WORKSPACES},
        shelf::Shelf,
        site::Plans,
        viewer::Viewer,
    },
    review::state::{State as ReviewState, Summary},
    store::{AuditRecord, StoreError},
    words::{count, number},
};

/// Past audits in a chart.
const PAST: u32 = 26;
/// Charts on the page.
const CHARTS: usize = 6;

/// What needs the person, what comes next, and the trend.
pub(in crate::console) async fn show(State(console): State<Arc<Console>>, viewer: Viewer) -> Result<Response, Trouble> {
    let (site, plans) = (console.site(), console.site().plans());
    let (store, now) = (site.shelf.store(), site.clock.now());
    let mut own = Vec::new();
    let mut under_way: Vec<Summary> = store.unfinished_reviews().await?;
    for summary in under_way.iter().filter(|summary| viewer.reviews.contains_key(&summary.id)) {
        if let Some(review) = console.review(summary.id).await? {
            own.push((summary.clone(), review));
        }
    }
    under_way.retain(|summary| {
        matches!(summary.state, ReviewState::Open | ReviewState::Decided) && viewer.may_read_review(summary.id)
    });
    let (mut incidents, mut past, mut latest) = (Vec::new(), Vec::new(), Vec::new());
    if viewer.may_read() {
        let of_pair = |(job, workspace): (String, String)| async move {
            let values = store.past(Some(&job), &workspace, PAST).await?;
            Ok::<_, StoreError>((job, workspace, values))
        };
        // At once: each waits for the store and not for the others.
        let pasts = try_join_all(plans.pairs(CHARTS).into_iter().map(of_pair));
        let workspaces: Vec<&String> = plans.workspaces.keys().take(WORKSPACES).collect();
        let said = try_join_all(workspaces.into_iter().map(|workspace| said_last(&site.shelf, &plans, workspace, now)));
        (incidents, past, latest) = tokio::try_join!(store.incidents(now), pasts, said)?;
        // Jobs that were removed from the configuration have no open incidents.
        incidents.retain(|incident| plans.jobs.contains_key(&incident.job));
    }
    let latest: Vec<_> = latest.into_iter().flatten().collect();
    let known = Known {
        own: &own,
        under_way: &under_way,
        plans: &plans,
        latest: &latest,
        incidents: &incidents,
        past: &past,
        now,
    };
    html(StatusCode::OK, &overview::page(&viewer, &known))
}

/// The last audit of a workspace, complete or not, and what its report said first. `None` if there is none.
async fn said_last(
    shelf: &Shelf,
    plans: &Plans,
    workspace: &str,
    now: DateTime<Utc>,
) -> Result<Option<(AuditRecord, Said)>, StoreError> {
    let jobs = plans.jobs_of(workspace);
    let mut last = shelf.latest_of(&jobs, workspace).await?;
    for job in jobs {
        let done = shelf.store().last_done(job, workspace, now).await?;
        // A later one that is incomplete replaces what can no longer be relied on.
        let later = done.filter(|done| last.as_ref().is_none_or(|last| last.finished_at < done.audit.finished_at));
        last = later.map(|done| done.audit).or(last);
    }
    let Some(record) = last else { return Ok(None) };
    let said = shelf.said(record.id).await?.unwrap_or_else(|| numbers(&record));
    Ok(Some((record, said)))
}

/// What is known of an audit whose verdict is not kept.
fn numbers(record: &AuditRecord) -> Said {
    let open = count(record.open_findings, "open finding");
    let (users, administrators) = (count(record.users, "user"), number(record.administrators));
    let (state, class) = if record.complete { ("Read", "neutral") } else { ("Incomplete", "incomplete") };
    Said {
        state: state.into(),
        class: class.into(),
        verdict: format!("{administrators} of {users} can administer {}. {open}.", record.workspace),
    }
}
