//! The first page.

use std::sync::Arc;

use axum::{extract::State, http::StatusCode, response::Response};
use futures::future::try_join_all;

use super::{Trouble, html};
use crate::{
    console::{
        Console,
        pages::overview::{self, Known},
        viewer::Viewer,
    },
    review::state::{State as ReviewState, Summary},
    store::StoreError,
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
    let (mut incidents, mut past) = (Vec::new(), Vec::new());
    if viewer.may_read() {
        let of_pair = |(job, workspace): (String, String)| async move {
            let values = store.past(Some(&job), &workspace, PAST).await?;
            Ok::<_, StoreError>((job, workspace, values))
        };
        // At once: each waits for the store and not for the others.
        let pasts = try_join_all(plans.pairs(CHARTS).into_iter().map(of_pair));
        (incidents, past) = tokio::try_join!(store.incidents(now), pasts)?;
        // Jobs that were removed from the configuration have no open incidents.
        incidents.retain(|incident| plans.jobs.contains_key(&incident.job));
    }
    let known = Known { own: &own, under_way: &under_way, plans: &plans, incidents: &incidents, past: &past, now };
    html(StatusCode::OK, &overview::page(&viewer, &known))
}
