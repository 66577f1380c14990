//! Rosters over HTTPS: one document, or the pages of a SCIM list. The token goes to the configured address and nowhere else.

use std::{error::Error as _, time::Duration};

use chrono::{DateTime, Utc};
use reqwest::{
    RequestBuilder, Response, StatusCode,
    header::{ACCEPT, ETAG, HeaderName, IF_NONE_MATCH, LAST_MODIFIED},
};
use secrecy::ExposeSecret as _;
use url::Url;

use super::{Answer, LARGEST, Loaded, Token};
use crate::{model::roster::Format, roster};

/// How long one call may take in all.
const TIMEOUT: Duration = Duration::from_mins(1);
/// Users that a page of SCIM is asked for.
const PAGE: usize = 200;
/// Pages of one list.
const PAGES: usize = 5_000;

pub(super) async fn get(
    url: &Url,
    token: Option<&Token>,
    format: Format,
    before: Option<Loaded>,
) -> Result<Answer, String> {
    let token = token.map(|token| token()).transpose()?;
    let client = crate::tls::http_to(url)
        .user_agent(concat!("rolecall/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(20))
        .timeout(TIMEOUT)
        .referer(false)
        .build()
        .map_err(|error| crate::tls::not_set_up(&error))?;
    let request = |url: Url| {
        let request = client.get(url);
        match &token {
            Some(token) => request.bearer_auth(token.expose_secret()),
            None => request,
        }
    };
    if format == Format::Scim {
        return pages(url, request, before).await;
    }
    let mut first = request(url.clone());
    if let Some(before) = &before {
        first = first.header(IF_NONE_MATCH, &before.etag);
    }
    let response = first.send().await.map_err(broken)?;
    if let (StatusCode::NOT_MODIFIED, Some(before)) = (response.status(), before) {
        return Ok(Answer::Unchanged(before));
    }
    let (etag, changed) = (text(&response, ETAG), text(&response, LAST_MODIFIED));
    let changed =
        changed.and_then(|text| DateTime::parse_from_rfc2822(&text).ok()).map(|time| time.with_timezone(&Utc));
    Ok(Answer::Bytes(vec![body(response, LARGEST).await?], changed, etag))
}

/// All pages of a list. A list that ends before its total is incomplete, and is not relied on.
async fn pages(url: &Url, request: impl Fn(Url) -> RequestBuilder, before: Option<Loaded>) -> Result<Answer, String> {
    let mut before = before;
    let (mut parts, mut users, mut room): (Vec<Vec<u8>>, usize, usize) = (Vec::new(), 0, LARGEST);
    loop {
        let mut page = url.clone();
        page.query_pairs_mut()
            .append_pair("startIndex", &(users + 1).to_string())
            .append_pair("count", &PAGE.to_string());
        let mut call = request(page).header(ACCEPT, "application/scim+json, application/json");
        let known = before.take();
        if let Some(known) = &known {
            call = call.header(IF_NONE_MATCH, &known.etag);
        }
        let response = call.send().await.map_err(broken)?;
        if let (StatusCode::NOT_MODIFIED, Some(known)) = (response.status(), known) {
            return Ok(Answer::Unchanged(known));
        }
        // The tag of a page says nothing of the others.
        let tag = text(&response, ETAG).filter(|_| parts.is_empty());
        let bytes = body(response, room).await?;
        let said = roster::page(&bytes).map_err(|error| error.to_string())?;
        users += said.users;
        room = room.saturating_sub(bytes.len());
        parts.push(bytes);
        match said.total.map(usize::try_from).and_then(Result::ok) {
            Some(total) if users < total && said.users == 0 => {
                return Err(format!("the list ends after {users} of {total} users"));
            }
            Some(total) if users < total && parts.len() < PAGES => {}
            Some(total) if users < total => return Err(format!("it has more than {PAGES} pages")),
            _ => return Ok(Answer::Bytes(parts, None, tag)),
        }
    }
}

fn text(response: &Response, name: HeaderName) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// The body of a successful answer, within bounds.
async fn body(mut response: Response, most: usize) -> Result<Vec<u8>, String> {
    let status = response.status();
    match status.as_u16() {
        200..=299 => {}
        300..=399 => {
            return Err(format!(
                "the server redirects (HTTP {status}), which is not followed: the token would go there"
            ));
        }
        401 | 403 => return Err(format!("the server refuses the token (HTTP {status})")),
        _ => return Err(format!("the server answers HTTP {status}")),
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if body.len() + chunk.len() > most {
            return Err(format!("it has more than {LARGEST} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The last cause of an error, without its address.
#[allow(clippy::needless_pass_by_value, reason = "taken apart by `map_err`")]
fn broken(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause = error.source();
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    let cause = cause.map_or_else(|| error.to_string(), ToString::to_string);
    format!("the server cannot be reached: {cause}")
}
