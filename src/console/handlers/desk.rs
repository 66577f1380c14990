//! What every page and every form of a review begins with: who asks, for which review, and what they may do in it.

use std::sync::Arc;

use axum::{
    extract::{Form, FromRequest, FromRequestParts, Path, Request},
    http::{StatusCode, request::Parts},
    response::{IntoResponse as _, Response},
};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use uuid::Uuid;

use super::{Trouble, html, to};
use crate::{
    console::{
        Console,
        fields::Fields,
        pages::{
            review::{self as table, Asked, Offered},
            text::{path, with_query},
        },
        part::Part,
        path::again,
        viewer::Viewer,
    },
    review::{event::Event, state::Review},
    run::reviews::{self as running, ReviewError},
};

/// A review that someone looks at.
pub(in crate::console) struct Desk {
    pub(super) console: Arc<Console>,
    pub(super) viewer: Viewer,
    pub(super) review: Arc<Review>,
    pub(super) now: DateTime<Utc>,
}

/// The part of the address that names the review.
#[derive(Deserialize)]
struct Named {
    id: Uuid,
}

/// The review of the address, if the person may see it.
impl FromRequestParts<Arc<Console>> for Desk {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, console: &Arc<Console>) -> Result<Self, Response> {
        let viewer = <Viewer as FromRequestParts<_>>::from_request_parts(parts, console).await;
        let viewer = viewer.map_err(axum::response::IntoResponse::into_response)?;
        let Path(Named { id }) =
            Path::from_request_parts(parts, console).await.map_err(|_| Trouble::Nothing("review").into_response())?;
        Self::of(console, viewer, id).await.map_err(axum::response::IntoResponse::into_response)
    }
}

/// The form that the page sent.
impl FromRequest<Arc<Console>> for Fields {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Arc<Console>) -> Result<Self, Response> {
        let form = Form::<Vec<(String, String)>>::from_request(request, console).await;
        form.map(|Form(fields)| Self(fields)).map_err(axum::response::IntoResponse::into_response)
    }
}

impl Desk {
    async fn of(console: &Arc<Console>, viewer: Viewer, id: Uuid) -> Result<Self, Trouble> {
        let review = console.review(id).await?.ok_or(Trouble::Nothing("review"))?;
        Part::of(&review, &viewer).ok_or(Trouble::Nothing("review"))?;
        Ok(Self { console: Arc::clone(console), viewer, review, now: console.site().clock.now() })
    }

    /// The same, with the review as it is now: somebody else may have been faster.
    pub(super) async fn read_again(self) -> Result<Self, Trouble> {
        let id = self.review.id();
        Self::of(&self.console, self.viewer, id).await
    }

    /// Refuses who does not decide in this review.
    pub(super) fn decides(&self) -> Result<(), Trouble> {
        let may = self.viewer.may_decide(self.review.id());
        may.then_some(()).ok_or(Trouble::Right("a reviewer of this review"))
    }

    /// Refuses who does not manage this review.
    pub(super) fn manages(&self) -> Result<(), Trouble> {
        let may = self.viewer.may_manage(self.review.id());
        may.then_some(()).ok_or(Trouble::Right("the owner of this review"))
    }

    /// Where the person has to prove again who it is. `None` if that was a short time ago.
    pub(super) fn proof(&self) -> Option<Response> {
        (!self.viewer.is_fresh).then(|| to(&again(&self.address())))
    }

    /// The person's part in it.
    pub(super) fn part(&self) -> Part<'_> {
        Part { review: &self.review, viewer: &self.viewer }
    }

    /// Where it is.
    pub(super) fn address(&self) -> String {
        path(&["reviews", &self.review.id().to_string()])
    }

    /// Where it is, with what was done.
    pub(super) fn done(&self, what: &str) -> Response {
        to(&with_query(&self.address(), &[("done", what)]))
    }

    /// Applies what happens; the outer error is for what nobody can repair at the page.
    pub(super) async fn change(
        &self,
        events: &(dyn Fn(&Review) -> Result<Vec<Event>, ReviewError> + Send + Sync),
    ) -> Result<Result<Arc<Review>, ReviewError>, Trouble> {
        let store = self.console.site().shelf.store();
        match running::change_read(&**store, Review::clone(&self.review), self.now, events).await {
            Ok(review) => {
                let review = Arc::new(review);
                self.console.reviews().put(Arc::clone(&review));
                Ok(Ok(review))
            }
            Err(error @ (ReviewError::Refused(_) | ReviewError::Contended)) => Ok(Err(error)),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn table(&self, asked: &Asked, status: StatusCode) -> Result<Response, Trouble> {
        let plans = self.console.site().plans();
        let next = plans.next_review(&self.review.opening().name, self.now);
        let offered = Offered { next, by_mail: plans.sender.is_some() };
        html(status, &table::page(self.part(), asked, offered, self.now))
    }

    pub(super) fn refused(&self, problems: Vec<String>) -> Result<Response, Trouble> {
        self.table(&Asked { problems, ..Asked::default() }, StatusCode::CONFLICT)
    }

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
