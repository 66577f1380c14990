//! One address that serves the accounts server and the API.
//!
//! A call goes through [`serve`]: it is entered in the journal, answered by [`accounts`], by [`api`] or
//! by [`truto`], and its status is noted. Stages of a call of the API are in `api.rs`, what resources
//! answer in `users.rs` and `settings.rs`, what goes wrong on the wire in `sabotage.rs`.

mod accounts;
mod answer;
mod api;
mod route;
mod sabotage;
mod settings;
mod tokens;
mod truto;
mod users;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{Response, header},
};

pub use self::answer::Answer;
pub(super) use self::tokens::{Limits, TokenStore};
use super::{credentials::Credentials, faults::FaultBoard, journal::Journal, now::Now, world::WorldHandle};

/// The state that answers need.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) base_url: String,
    pub(super) now: Now,
    pub(super) world: WorldHandle,
    pub(super) faults: FaultBoard,
    pub(super) journal: Journal,
    pub(super) tokens: Mutex<TokenStore>,
    /// Answers that tests set instead of the real ones, by path.
    pub(super) overrides: Mutex<BTreeMap<String, Answer>>,
    pub(super) scopes: Vec<String>,
    pub(super) latency_micros: AtomicU64,
    pub(super) max_concurrent: usize,
    pub(super) daily_credits: u64,
    pub(super) credits_used: AtomicU64,
    pub(super) retry_after: Duration,
    pub(super) slow_body_pause: Duration,
    pub(super) truto: TrutoSide,
}

/// What Truto's side needs in addition to the workspace.
#[derive(Debug)]
pub(super) struct TrutoSide {
    pub(super) api_token: String,
    pub(super) integrated_account_id: String,
    quota: truto::Quota,
}

impl TrutoSide {
    pub(super) fn new(credentials: &Credentials) -> Self {
        Self {
            api_token: credentials.truto_api_token.clone(),
            integrated_account_id: credentials.integrated_account_id.clone(),
            quota: truto::Quota::default(),
        }
    }
}

impl Shared {
    fn tokens(&self) -> MutexGuard<'_, TokenStore> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn override_for(&self, path: &str) -> Option<Answer> {
        self.overrides.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }

    async fn wait_latency(&self) {
        let latency = Duration::from_micros(self.latency_micros.load(Ordering::Relaxed));
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
    }
}

/// The application.
///
/// Dispatch is explicit: a router would answer an unknown path or a wrong method differently from
/// the API.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(serve).with_state(shared)
}

async fn serve(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let authorized = request.headers().contains_key(header::AUTHORIZATION);
    let uri = request.uri().clone();
    let call = shared.journal.open(request.method().as_str(), uri.path(), uri.query(), authorized);
    let mut response = match uri.path() {
        "/oauth/v2/token" => {
            shared.journal.count_token_request();
            shared.wait_latency().await;
            accounts::token(&shared, request).await.into_response(None)
        }
        "/oauth/v2/token/revoke" => accounts::revoke(&shared, request).await.into_response(None),
        path if truto::is_path(path) => {
            let (parts, _) = request.into_parts();
            truto::call(&shared, &parts).await
        }
        path if path.starts_with("/bigin/") => {
            let (parts, _) = request.into_parts();
            api::call(&shared, &parts).await
        }
        _ => Answer::unknown_path().into_response(None),
    };
    if let Ok(date) = shared.now.now().format("%a, %d %b %Y %H:%M:%S GMT").to_string().parse() {
        response.headers_mut().entry(header::DATE).or_insert(date);
    }
    call.close(response.status().as_u16());
    response
}
