//! Why there is no page.

use askama::Template;
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{console::style, run::reviews::ReviewError, store::StoreError};

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub(in crate::console) enum Trouble {
    /// There is nothing, or nothing that the person may see.
    #[error("there is no {0} here that you may see")]
    Nothing(&'static str),
    /// The person needs another right.
    #[error("you need the right of {0} for this page")]
    Right(&'static str),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A review cannot be changed.
    #[error(transparent)]
    Review(#[from] ReviewError),
    /// A bag of evidence is not as it was sealed, as those may know who read evidence.
    #[error("{0}")]
    Evidence(String),
    /// Something else failed.
    #[error("the page could not be made: {0}")]
    Broken(String),
}

#[derive(Template)]
#[template(path = "console/trouble.html")]
struct Page {
    stylesheet: &'static str,
    heading: &'static str,
    said: String,
}

/// A text as a sentence.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect()) + "."
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let (status, heading) = match &self {
            Self::Nothing(_) => (StatusCode::NOT_FOUND, "Not found"),
            Self::Right(_) => (StatusCode::FORBIDDEN, "Not for you"),
            Self::Review(ReviewError::Refused(_)) => (StatusCode::CONFLICT, "Refused"),
            Self::Evidence(_) | Self::Review(ReviewError::Bag { .. }) => {
                tracing::error!(error = %self, "a page of the console could not be made: the evidence cannot be used");
                (StatusCode::INTERNAL_SERVER_ERROR, "The evidence cannot be used")
            }
            Self::Store(_) | Self::Review(_) | Self::Broken(_) => {
                tracing::error!(error = %self, "a page of the console could not be made");
                (StatusCode::INTERNAL_SERVER_ERROR, "It failed")
            }
        };
        // What is wrong is for the log: it names places of this machine.
        let is_about_evidence = matches!(self, Self::Evidence(_) | Self::Review(ReviewError::Bag { .. }));
        let said = if status.is_server_error() && !is_about_evidence {
            "Nothing was changed. The log of the daemon says why.".to_owned()
        } else {
            sentence(&self.to_string())
        };
        let page = Page { stylesheet: style::address(), heading, said };
        // The template has no fallible part.
        let html = page.render().unwrap_or_default();
        (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failure_says_nothing_of_its_cause_and_a_refusal_says_why() {
        let shown = async |trouble: Trouble| {
            let response = trouble.into_response();
            let status = response.status();
            let body = axum::body::to_bytes(response.into_body(), 100_000).await.unwrap();
            (status, String::from_utf8(body.to_vec()).unwrap())
        };
        let (status, page) = shown(Trouble::Broken("/var/lib/rolecall/bags: permission denied".to_owned())).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!page.contains("/var/lib") && page.contains("Nothing was changed."), "{page}");
        let (status, page) = shown(Trouble::Right("an owner")).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(page.contains("You need the right of an owner for this page."), "{page}");
        assert_eq!(shown(Trouble::Nothing("review")).await.0, StatusCode::NOT_FOUND);
        let changed = "the evidence of audit 7 cannot be used: data/policy.json is not as it was sealed";
        let (status, page) = shown(Trouble::Evidence(changed.to_owned())).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(page.contains("The evidence of audit 7") && page.contains("data/policy.json"), "{page}");
    }
}
