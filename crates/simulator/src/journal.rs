//! The calls that the simulator received, in order, for tests to read.
//!
//! A secret never enters it: headers are not kept, and secret parameters of a query are masked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use url::form_urlencoded;

/// Calls that are kept; older ones are forgotten, so that a simulator that runs for days does not
/// grow.
const KEPT_CALLS: usize = 100_000;

/// Parameters that clients may send in the query and that must not be kept.
const SECRET_PARAMETERS: [&str; 5] = ["refresh_token", "access_token", "client_secret", "code", "token"];

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The HTTP method.
    pub method: String,
    /// Path and query, with secrets masked.
    pub path: String,
    /// Whether it carried an `Authorization` header.
    pub authorized: bool,
    /// The HTTP status; `None` while it is being answered, or when the caller hung up.
    pub status: Option<u16>,
}

/// The list of calls. Clones read the same list.
#[derive(Debug, Clone, Default)]
pub struct Journal(Arc<Mutex<Pages>>);

#[derive(Debug, Default)]
struct Pages {
    calls: VecDeque<Call>,
    /// How many calls were forgotten from the front.
    forgotten: usize,
    in_flight: usize,
    max_in_flight: usize,
    token_requests: usize,
}

impl Journal {
    /// All calls so far, in the order in which they arrived.
    pub fn calls(&self) -> Vec<Call> {
        self.lock().calls.iter().cloned().collect()
    }

    /// The most calls of the API that were being answered at one time.
    pub fn max_in_flight(&self) -> usize {
        self.lock().max_in_flight
    }

    /// How often a token was asked for.
    pub fn token_requests(&self) -> usize {
        self.lock().token_requests
    }

    /// Forgets everything but the calls that are being answered.
    pub fn clear(&self) {
        let mut pages = self.lock();
        pages.forgotten += pages.calls.len();
        pages.calls.clear();
        pages.max_in_flight = pages.in_flight;
        pages.token_requests = 0;
    }

    /// Enters a call; its status follows.
    pub(super) fn open(&self, method: &str, path: &str, query: Option<&str>, authorized: bool) -> OpenCall {
        let mut pages = self.lock();
        if pages.calls.len() == KEPT_CALLS {
            pages.calls.pop_front();
            pages.forgotten += 1;
        }
        pages.calls.push_back(Call { method: method.to_owned(), path: masked(path, query), authorized, status: None });
        OpenCall { journal: self.clone(), number: pages.forgotten + pages.calls.len() - 1 }
    }

    pub(super) fn count_token_request(&self) {
        self.lock().token_requests += 1;
    }

    /// Counts a call of the API as being answered until the guard is dropped.
    pub(super) fn enter(&self) -> InFlight {
        let mut pages = self.lock();
        pages.in_flight += 1;
        pages.max_in_flight = pages.max_in_flight.max(pages.in_flight);
        InFlight { journal: self.clone(), simultaneous: pages.in_flight }
    }

    fn lock(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call that has been entered and not yet answered.
#[derive(Debug)]
pub(super) struct OpenCall {
    journal: Journal,
    number: usize,
}

impl OpenCall {
    pub(super) fn close(self, status: u16) {
        let mut pages = self.journal.lock();
        let forgotten = pages.forgotten;
        let entry = self.number.checked_sub(forgotten).and_then(|place| pages.calls.get_mut(place));
        if let Some(call) = entry {
            call.status = Some(status);
        }
    }
}

/// A call of the API that is being answered.
#[derive(Debug)]
pub(super) struct InFlight {
    journal: Journal,
    /// How many there were when it arrived, itself included.
    pub(super) simultaneous: usize,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.journal.lock().in_flight -= 1;
    }
}

fn masked(path: &str, query: Option<&str>) -> String {
    let Some(query) = query else {
        return path.to_owned();
    };
    let names_secret = form_urlencoded::parse(query.as_bytes()).any(|(name, _)| is_secret(&name));
    if !names_secret {
        return format!("{path}?{query}");
    }
    let pairs: Vec<String> = form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| if is_secret(&name) { format!("{name}=***") } else { format!("{name}={value}") })
        .collect();
    format!("{path}?{}", pairs.join("&"))
}

fn is_secret(name: &str) -> bool {
    SECRET_PARAMETERS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_stand_in_the_order_in_which_they_came_with_the_status_they_got() {
        let journal = Journal::default();
        let (first, second) = (journal.open("GET", "/a", None, true), journal.open("GET", "/b", Some("page=2"), false));
        second.close(204);
        first.close(200);
        let calls: Vec<_> = journal.calls().into_iter().map(|call| (call.path, call.status)).collect();
        assert_eq!(calls, [("/a".to_owned(), Some(200)), ("/b?page=2".to_owned(), Some(204))]);
    }

    #[test]
    fn secrets_in_a_query_are_masked() {
        assert_eq!(
            masked("/oauth/v2/token", Some("client_id=1&client_secret=s&refresh%5Ftoken=t")),
            "/oauth/v2/token?client_id=1&client_secret=***&refresh_token=***"
        );
    }

    #[test]
    fn a_call_that_ends_after_the_journal_was_cleared_disturbs_nothing() {
        let journal = Journal::default();
        let call = journal.open("GET", "/a", None, true);
        journal.clear();
        let later = journal.open("GET", "/b", None, true);
        call.close(500);
        assert_eq!(journal.calls()[0].status, None);
        later.close(200);
        assert_eq!(journal.calls()[0].status, Some(200));
    }
}
