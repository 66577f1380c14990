//! Reviews: the list, one as a table, and what a person does with the whole of it.

use std::sync::Arc;

use axum::{
    extract::{Form, Path, Query, State},
    http::StatusCode,
    response::Response,
};
use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::{Trouble, html, to};
use crate::{
    console::{
        Console,
        fields::Fields,
        pages::{
            review::{self as table, Asked, FOR_OTHERS, STATEMENT},
            reviews::{self, Openable},
            text::{path, with_query},
        },
        part::Part,
        viewer::Viewer,
    },
    model::actor::Actor,
    review::{
        event::{Attested, Closed, Event},
        open::Occasion,
        person::Address,
        state::{Review, Stage, State as ReviewState, Summary},
    },
    run::reviews::{self as running, ReviewError},
};

/// The most reviews of the list.
const LISTED: u32 = 200;

/// A review that someone looks at.
pub(super) struct Desk<'a> {
    pub(super) console: &'a Console,
    pub(super) viewer: &'a Viewer,
    pub(super) review: Arc<Review>,
    pub(super) now: DateTime<Utc>,
}

impl<'a> Desk<'a> {
    /// A review, if the person may see it.
    pub(super) async fn of(console: &'a Console, viewer: &'a Viewer, id: Uuid) -> Result<Self, Trouble> {
        let review = console.review(id).await?.ok_or(Trouble::Nothing("review"))?;
        Part::of(&review, viewer).ok_or(Trouble::Nothing("review"))?;
        Ok(Self { console, viewer, review, now: console.site().clock.now() })
    }

    /// The person's part in it.
    pub(super) fn part(&self) -> Part<'_> {
        Part { review: &self.review, viewer: self.viewer }
    }

    /// Where it is.
    pub(super) fn address(&self) -> String {
        path(&["reviews", &self.review.id().to_string()])
    }

    /// Applies what happens; the outer error is for what nobody can repair at the page.
    pub(super) async fn change(
        &self,
        events: &(dyn Fn(&Review) -> Result<Vec<Event>, ReviewError> + Send + Sync),
    ) -> Result<Result<Arc<Review>, ReviewError>, Trouble> {
        let store = self.console.site().shelf.store();
        match running::change(&**store, self.review.id(), self.now, events).await {
            Ok(review) => {
                let review = Arc::new(review);
                self.console.reviews().put(Arc::clone(&review));
                Ok(Ok(review))
            }
            Err(error @ (ReviewError::Refused(_) | ReviewError::Contended)) => Ok(Err(error)),
            Err(error) => Err(error.into()),
        }
    }

    fn table(&self, asked: &Asked, status: StatusCode) -> Result<Response, Trouble> {
        let next = self.console.site().plans().next_review(&self.review.opening().name, self.now);
        html(status, &table::page(self.part(), asked, next, self.now))
    }

    fn refused(&self, problems: Vec<String>) -> Result<Response, Trouble> {
        self.table(&Asked { problems, ..Asked::default() }, StatusCode::CONFLICT)
    }
}

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
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let (fields, site, plans) = (Fields(fields), console.site(), console.site().plans());
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
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Query(fields): Query<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let (desk, fields) = (Desk::of(&console, &viewer, id).await?, Fields(fields));
    let notice = match (fields.number("kept"), fields.get("done")) {
        (0, "attested") => "Your decisions are confirmed.".to_owned(),
        (0, "closed") => "The review is closed, and what was decided is sealed as evidence.".to_owned(),
        (0, "unsealed") => {
            "The review is closed. Its evidence could not be sealed yet, and the log says why; `rolecall review close` seals it."
                .to_owned()
        }
        (0, "all") => "All of your accounts are decided.".to_owned(),
        (0, _) => String::new(),
        (1, _) => "1 account is kept.".to_owned(),
        (kept, _) => format!("{kept} accounts are kept."),
    };
    desk.table(&Asked { notice, ..asked(&fields) }, StatusCode::OK)
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

impl Desk<'_> {
    /// The table as a form asked for it, with a notice in its address.
    pub(super) fn table_address(&self, fields: &Fields, notice: (&str, &str)) -> String {
        let value = |name| fields.get(name);
        let values = [("whose", value("whose")), ("show", value("show")), ("q", value("q")), notice];
        with_query(&self.address(), &values)
    }

    pub(super) fn refused_table(&self, asked: &Asked) -> Result<Response, Trouble> {
        self.table(asked, StatusCode::CONFLICT)
    }
}

/// A reviewer confirms the own decisions.
pub(in crate::console) async fn attest(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let desk = Desk::of(&console, &viewer, id).await?;
    if !viewer.may_decide(id) {
        return Err(Trouble::Right("a reviewer of this review"));
    }
    if Fields(fields).get("confirmed") != "yes" {
        return desk.refused(vec!["Confirm that you made these decisions.".to_owned()]);
    }
    // A second click changes nothing.
    if !desk.review.unattested().contains(&viewer.address) {
        return Ok(to(&with_query(&desk.address(), &[("done", "attested")])));
    }
    let of = [viewer.address.clone()];
    let attested = |review: &Review| Ok(vec![attestation(review, &viewer, &of, STATEMENT)]);
    match desk.change(&attested).await? {
        Ok(_) => Ok(to(&with_query(&desk.address(), &[("done", "attested")]))),
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
pub(in crate::console) async fn close(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path(id): Path<Uuid>,
    Form(fields): Form<Vec<(String, String)>>,
) -> Result<Response, Trouble> {
    let (desk, fields) = (Desk::of(&console, &viewer, id).await?, Fields(fields));
    // A second click changes nothing, and seals what could not be sealed before.
    let is_done = matches!(desk.review.stage(), Stage::Closed { closed, .. } if closed.by == viewer.address);
    let review = if is_done {
        Arc::clone(&desk.review)
    } else {
        if !viewer.may_manage(id) {
            return Err(Trouble::Right("the owner of this review"));
        }
        let Ok(next_review) = fields.get("next").parse::<NaiveDate>() else {
            return desk.refused(vec!["Name the day of the next review, for example 2027-01-31.".to_owned()]);
        };
        let is_confirmed = fields.get("confirmed") == "yes";
        match desk.change(&|review| Ok(closing(review, &viewer, next_review, is_confirmed))).await? {
            Ok(review) => review,
            Err(error) => return desk.refused(lines(&error)),
        }
    };
    let (site, plans) = (console.site(), console.site().plans());
    let mut done = "closed";
    if let Some(vault) = &plans.vault
        && let Err(error) = running::bag::seal(&**site.shelf.store(), vault, &review, site.clock.now()).await
    {
        tracing::error!(review = %id, %error, "a closed review could not be sealed as evidence");
        done = "unsealed";
    }
    Ok(to(&with_query(&desk.address(), &[("done", done)])))
}

/// What closes a review. The owner attests for every reviewer who has not, if the owner confirms that.
fn closing(review: &Review, viewer: &Viewer, next_review: NaiveDate, is_confirmed: bool) -> Vec<Event> {
    let of = review.unattested();
    let attested = (is_confirmed && !of.is_empty()).then(|| attestation(review, viewer, &of, FOR_OTHERS));
    let no_change_needed = review.needs_no_change();
    let closed = Closed { by: viewer.address.clone(), via: viewer.via, next_review, no_change_needed };
    attested.into_iter().chain([Event::Closed(closed)]).collect()
}
