//! Workspaces: who can do what, as the last complete audit read it.

use std::sync::Arc;

use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
};

use super::{Trouble, html};
use crate::{
    console::{
        Console,
        fields::Fields,
        index::{Indexed, Question, Sort},
        pages::{findings, person, profiles, roles, workspace},
        viewer::Viewer,
    },
    model::kind::Product,
    review::{
        item::Item,
        state::{Course, Review},
    },
};

/// The reviews that are looked through for the decisions about an account, the latest.
const REVIEWS: u32 = 8;

/// The last complete audit of a workspace, if the person may read it.
pub(super) async fn audit(console: &Console, viewer: &Viewer, workspace: &str) -> Result<Arc<Indexed>, Trouble> {
    if !viewer.may_read() {
        return Err(Trouble::Right("a viewer"));
    }
    let plans = console.site().plans();
    if !plans.workspaces.contains_key(workspace) {
        return Err(Trouble::Nothing("workspace"));
    }
    let shelf = &console.site().shelf;
    let record = shelf.latest_of(&plans.jobs_of(workspace), workspace).await?;
    let record = record.ok_or(Trouble::Nothing("complete audit of this workspace"))?;
    shelf.audit(record.id).await?.ok_or(Trouble::Nothing("complete audit of this workspace"))
}

/// All workspaces.
pub(in crate::console) async fn list(State(console): State<Arc<Console>>, viewer: Viewer) -> Result<Response, Trouble> {
    if !viewer.may_read() {
        return Err(Trouble::Right("a viewer"));
    }
    let plans = console.site().plans();
    let mut all = Vec::new();
    for workspace in plans.workspaces.keys() {
        let record = console.site().shelf.latest_of(&plans.jobs_of(workspace), workspace).await?;
        all.push((workspace.clone(), record));
    }
    html(StatusCode::OK, &workspace::workspaces(&viewer, &all))
}

/// The users of a workspace.
pub(in crate::console) async fn users(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(workspace): Path<String>,
    Query(fields): Query<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let audit = audit(&console, &viewer, &workspace).await?;
    html(StatusCode::OK, &workspace::matrix(&viewer, &audit, &question(&Fields(fields))))
}

fn question(fields: &Fields) -> Question {
    let value = |name| fields.get(name).to_owned();
    Question {
        text: value("q"),
        status: value("status"),
        power: value("power"),
        role: value("role"),
        profile: value("profile"),
        flagged: fields.get("flagged") == "yes",
        sort: Sort::ALL.into_iter().find(|sort| sort.word() == fields.get("sort")).unwrap_or_default(),
        reversed: fields.get("down") == "yes",
        page: fields.page(),
    }
}

/// One account.
pub(in crate::console) async fn person(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path((workspace, user)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    let audit = audit(&console, &viewer, &workspace).await?;
    let account = audit.account(&user).ok_or(Trouble::Nothing("account"))?;
    let shelf = &console.site().shelf;
    let history = shelf.history(&audit).await?;
    let mut reviews = Vec::new();
    for summary in shelf.store().reviews(REVIEWS).await? {
        reviews.extend(console.review(summary.id).await?);
    }
    let found: Vec<_> = reviews.iter().filter_map(|review| in_review(review, &workspace, &user)).collect();
    html(StatusCode::OK, &person::page(&viewer, &audit, account, &history, &found))
}

/// The item of an account in a review.
fn in_review<'r>(review: &'r Review, workspace: &str, user: &str) -> Option<(&'r Review, &'r Item, &'r Course)> {
    let found = review.items().find(|(item, _)| item.user_id == user && item.workspace == workspace);
    found.map(|(item, course)| (review, item, course))
}

/// The role tree.
pub(in crate::console) async fn roles(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(workspace): Path<String>,
) -> Result<Response, Trouble> {
    let audit = audit(&console, &viewer, &workspace).await?;
    html(StatusCode::OK, &roles::page(&viewer, &audit))
}

/// The profiles.
pub(in crate::console) async fn profiles(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(workspace): Path<String>,
) -> Result<Response, Trouble> {
    let audit = audit(&console, &viewer, &workspace).await?;
    html(StatusCode::OK, &profiles::profiles(&viewer, &audit))
}

/// One profile.
pub(in crate::console) async fn profile(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path((workspace, profile)): Path<(String, String)>,
    Query(fields): Query<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let audit = audit(&console, &viewer, &workspace).await?;
    let profile = audit.profile(&profile).ok_or(Trouble::Nothing("profile"))?;
    html(StatusCode::OK, &profiles::profile(&viewer, &audit, profile, Fields(fields).get("with")))
}

/// The findings.
pub(in crate::console) async fn findings(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(workspace): Path<String>,
    Query(fields): Query<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let audit = audit(&console, &viewer, &workspace).await?;
    let (fields, site) = (Fields(fields), console.site());
    let asked = findings::Asked {
        rule: fields.get("rule").to_owned(),
        show: fields.get("show").to_owned(),
        page: fields.page(),
    };
    let product = site.plans().workspaces.get(&workspace).map_or(Product::Bigin, |kind| kind.product());
    html(StatusCode::OK, &findings::page(&viewer, &audit, &asked, product, site.clock.now()))
}
