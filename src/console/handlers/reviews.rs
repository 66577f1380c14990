//! Reviews: the list, one as a table, and what a person does with the whole of it.

use std::sync::Arc;

use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::Response,
};
use chrono::NaiveDate;

use super::{Trouble, desk::Desk, html, to};
use crate::{
    console::{
        Console,
        fields::Fields,
        pages::{
            review::{Asked, FOR_OTHERS, STATEMENT},
            reviews::{self, Openable},
            text::{path, with_query},
        },
        viewer::Viewer,
    },
    model::{actor::Actor, plain::plain},
    review::{
        event::{Attested, Closed, Event},
        open::Occasion,
        person::Address,
        state::{Review, Stage, State as ReviewState, Summary},
    },
    run::reviews::{self as running, ReviewError, messages},
    words::counted,
};

/// The most reviews of the list.
const LISTED: u32 = 200;

/// The lines of a refusal.
pub(super) fn lines(error: &ReviewError) -> Vec<String> {
    error.to_string().lines().map(str::to_owned).collect()
}

/// The reviews that a person may see.
pub(in crate::console) async fn list(State(console): State<Arc<Console>>, viewer: Viewer) -> Result<Response, Trouble> {
    let (summaries, openable) = listed(&console, &viewer).await?;
    html(StatusCode::OK, &reviews::page(&viewer, &summaries, openable, &[], console.site().clock.now()))
}

/// The reviews that a person may see, and those that the person may open.
pub(super) async fn listed(console: &Console, viewer: &Viewer) -> Result<(Vec<Summary>, Vec<Openable>), Trouble> {
    let mut summaries = console.site().shelf.store().reviews(LISTED).await?;
    let under_way: Vec<String> = summaries
        .iter()
        .filter(|summary| matches!(summary.state, ReviewState::Open | ReviewState::Decided))
        .map(|summary| summary.name.clone())
        .collect();
    summaries.retain(|summary| viewer.may_read_review(summary.id));
    let plans = console.site().plans();
    let mut openable = Vec::new();
    if viewer.may_own() && plans.vault.is_some() {
        let free = plans.reviews.iter().filter(|(name, _)| !under_way.contains(name));
        openable.extend(free.map(|(name, one)| Openable { name: name.clone(), job: one.terms.job.clone() }));
    }
    Ok((summaries, openable))
}

/// Opens a review now.
pub(in crate::console) async fn open(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    fields: Fields,
) -> Result<Response, Trouble> {
    let (site, plans) = (console.site(), console.site().plans());
    if !viewer.may_own() {
        return Err(Trouble::Right("an owner"));
    }
    let planned = plans.reviews.get(fields.get("name")).ok_or(Trouble::Nothing("configured review"))?;
    let vault = plans.vault.as_ref().ok_or(Trouble::Nothing("evidence"))?;
    let workspaces = plans.jobs.get(&planned.terms.job).map(|job| job.workspaces.clone()).unwrap_or_default();
    let by = Actor::Person { address: viewer.address.to_string() };
    let occasion = Occasion { at: site.clock.now(), fire_at: None, by };
    let opened = running::open(&**site.shelf.store(), vault, &planned.terms, &workspaces, occasion).await;
    match opened {
        Ok(review) => {
            let address = path(&["reviews", &review.id().to_string()]);
            console.reviews().put(Arc::new(review));
            Ok(to(&address))
        }
        Err(error) => {
            let (summaries, openable) = listed(&console, &viewer).await?;
            let page = reviews::page(&viewer, &summaries, openable, &lines(&error), site.clock.now());
            html(StatusCode::CONFLICT, &page)
        }
    }
}

/// A review as a table.
pub(in crate::console) async fn show(
    desk: Desk,
    Query(fields): Query<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let fields = Fields(fields);
    let notice = match (fields.number("kept"), fields.get("done")) {
        (0, "attested") => "Your decisions are confirmed.".to_owned(),
        (0, "closed") => "The review is closed, and what was decided is sealed as evidence.".to_owned(),
        (0, "unsealed") => {
            "The review is closed. Its evidence could not be sealed yet, and the log says why; the daemon tries again."
                .to_owned()
        }
        (0, "cancelled") => "The review is cancelled.".to_owned(),
        (0, "reminded") => reminded(fields.number("late"), fields.number("now")),
        (0, "all") => "All of your accounts are decided.".to_owned(),
        (0, _) => String::new(),
        (1, _) => "1 account is kept.".to_owned(),
        (kept, _) => format!("{kept} accounts are kept."),
    };
    desk.table(&Asked { notice, ..asked(&fields) }, StatusCode::OK)
}

/// Who was reminded, in a sentence.
fn reminded(late: u32, now: u32) -> String {
    let before = late.saturating_sub(now);
    match (late, now) {
        (0, _) => "Every account is decided; nobody is reminded.".to_owned(),
        (_, 0) => format!("{} already reminded today.", counted(before, "reviewer was", "reviewers were")),
        _ if before > 0 => {
            format!(
                "{} now; {} already reminded today.",
                counted(now, "reviewer is reminded", "reviewers are reminded"),
                counted(before, "was", "were")
            )
        }
        _ => format!("{} now.", counted(now, "reviewer is reminded", "reviewers are reminded")),
    }
}

/// Which accounts a form or an address asks for.
pub(super) fn asked(fields: &Fields) -> Asked {
    Asked {
        whose: fields.get("whose").to_owned(),
        show: fields.get("show").to_owned(),
        text: fields.get("q").to_owned(),
        page: fields.page(),
        ..Asked::default()
    }
}

/// A reviewer confirms the own decisions.
pub(in crate::console) async fn attest(desk: Desk, fields: Fields) -> Result<Response, Trouble> {
    desk.decides()?;
    if let Some(again) = desk.proof() {
        return Ok(again);
    }
    if fields.get("confirmed") != "yes" {
        return desk.refused(vec!["Confirm that you made these decisions.".to_owned()]);
    }
    // A second click changes nothing.
    if !desk.review.unattested().contains(&desk.viewer.address) {
        return Ok(desk.done("attested"));
    }
    let of = [desk.viewer.address.clone()];
    let attested = |review: &Review| Ok(vec![attestation(review, &desk.viewer, &of, STATEMENT)]);
    match desk.change(&attested).await? {
        Ok(_) => Ok(desk.done("attested")),
        Err(error) => desk.refused(lines(&error)),
    }
}

fn attestation(review: &Review, viewer: &Viewer, of: &[Address], statement: &str) -> Event {
    Event::Attested(Attested {
        by: viewer.address.clone(),
        of: of.to_vec(),
        via: viewer.via,
        statement: statement.to_owned(),
        decisions_sha256: review.decisions_sha256(of),
    })
}

/// The owner closes a review.
pub(in crate::console) async fn close(desk: Desk, fields: Fields) -> Result<Response, Trouble> {
    let (viewer, id) = (&desk.viewer, desk.review.id());
    // A second click changes nothing, and seals what could not be sealed before.
    let is_done = matches!(desk.review.stage(), Stage::Closed { closed, .. } if closed.by == viewer.address);
    let review = if is_done {
        Arc::clone(&desk.review)
    } else {
        desk.manages()?;
        if let Some(again) = desk.proof() {
            return Ok(again);
        }
        let Ok(next_review) = fields.get("next").parse::<NaiveDate>() else {
            return desk.refused(vec!["Name the day of the next review, for example 2027-01-31.".to_owned()]);
        };
        let is_confirmed = fields.get("confirmed") == "yes";
        match desk.change(&|review| Ok(closing(review, viewer, next_review, is_confirmed))).await? {
            Ok(review) => review,
            Err(error) => return desk.refused(lines(&error)),
        }
    };
    let (site, plans) = (desk.console.site(), desk.console.site().plans());
    let mut done = "closed";
    if let Some(vault) = &plans.vault
        && let Err(error) = running::bag::seal(&**site.shelf.store(), vault, &review, site.clock.now()).await
    {
        tracing::error!(review = %id, %error, "a closed review could not be sealed as evidence");
        done = "unsealed";
    }
    Ok(desk.done(done))
}

/// What closes a review. The owner attests for every reviewer who has not, if the owner confirms that.
fn closing(review: &Review, viewer: &Viewer, next_review: NaiveDate, is_confirmed: bool) -> Vec<Event> {
    let of = review.unattested();
    let attested = (is_confirmed && !of.is_empty()).then(|| attestation(review, viewer, &of, FOR_OTHERS));
    let no_change_needed = review.needs_no_change();
    let closed = Closed { by: viewer.address.clone(), via: viewer.via, next_review, no_change_needed };
    attested.into_iter().chain([Event::Closed(closed)]).collect()
}

/// Reminds by mail everybody who has not finished.
pub(in crate::console) async fn remind(desk: Desk) -> Result<Response, Trouble> {
    desk.manages()?;
    let (id, plans) = (desk.review.id(), desk.console.site().plans());
    let Some(sender) = &plans.sender else {
        return desk.refused(vec!["No mail server is configured.".to_owned()]);
    };
    match messages::remind(desk.console.store(), id, sender, desk.now).await {
        Ok((late, now)) => {
            tracing::info!(review = %id, by = %desk.viewer.address, now, "reminded reviewers");
            let (late, now) = (late.to_string(), now.to_string());
            Ok(to(&with_query(&desk.address(), &[("done", "reminded"), ("late", &late), ("now", &now)])))
        }
        Err(error @ ReviewError::Refused(_)) => desk.refused(lines(&error)),
        Err(error) => Err(error.into()),
    }
}

/// Cancels a review, with a reason.
pub(in crate::console) async fn cancel(desk: Desk, fields: Fields) -> Result<Response, Trouble> {
    let by = Actor::Person { address: desk.viewer.address.to_string() };
    // A second click changes nothing.
    if matches!(desk.review.stage(), Stage::Cancelled { by: who, .. } if *who == by) {
        return Ok(desk.done("cancelled"));
    }
    desk.manages()?;
    if let Some(again) = desk.proof() {
        return Ok(again);
    }
    let reason = written(fields.get("reason"));
    let cancelled = Event::Cancelled { by, reason: reason.clone() };
    match desk.change(&|_| Ok(vec![cancelled.clone()])).await? {
        Ok(_) => Ok(desk.done("cancelled")),
        Err(error) => desk.refused_table(&Asked { problems: lines(&error), reason, ..Asked::default() }),
    }
}

/// A text that a person wrote, on one line and without what is invisible.
pub(super) fn written(text: &str) -> String {
    plain(text, 1_000).trim().to_owned()
}
