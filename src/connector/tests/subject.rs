//! The connectors under test: one of each kind, made as the program makes it, over the simulator.

use std::{collections::BTreeMap, time::Duration};

use crate::{
    clock::Clock,
    connector::{Commons, ConnectorError, Limits, Pacing, Parameter, Parameters, ReadRequest, Remover, kinds},
    model::{
        directory::Directory,
        kind::ConnectorKind,
        reading::{CheckKind, CheckOutcome},
    },
};
use rolecall_simulator::{ALL_SCOPES, Fault, Options, Simulator};

/// Where a kind's API lists roles on the simulator.
pub(super) fn roles_path(kind: ConnectorKind) -> &'static str {
    match kind {
        ConnectorKind::ZohoBigin => "/bigin/v2/settings/roles",
        ConnectorKind::Truto => "/proxy/roles",
    }
}

/// The fault under which a kind's API does not return the permissions of profiles, and what is said of them then.
pub(super) fn without_permissions(kind: ConnectorKind) -> (Fault, &'static str) {
    match kind {
        ConnectorKind::ZohoBigin => (Fault::ProfileDetailsRefused, "the account may not see them"),
        ConnectorKind::Truto => (Fault::TrutoNoProfileDetails, "Truto does not pass single profiles on"),
    }
}

/// What the configuration of a workspace of a kind says, if the workspace is the simulator's.
pub(super) fn parameters(kind: ConnectorKind, simulator: &Simulator) -> Parameters {
    let credentials = simulator.credentials();
    let text = |text: &str| Parameter::Text(text.to_owned());
    let secret = |secret: &str| Parameter::Secret(secret.into());
    let address = Parameter::Address(simulator.base_url().parse().unwrap());
    let values = match kind {
        ConnectorKind::ZohoBigin => BTreeMap::from([
            ("data_center", text("eu")),
            ("client_id", text(&credentials.client_id)),
            ("client_secret", secret(&credentials.client_secret)),
            ("refresh_token", secret(&credentials.refresh_token)),
            ("accounts_url", address),
        ]),
        ConnectorKind::Truto => BTreeMap::from([
            ("integrated_account_id", text(&credentials.integrated_account_id)),
            ("api_token", secret(&credentials.truto_api_token)),
            ("api_url", address),
        ]),
    };
    let limits = Limits {
        concurrency: 4,
        attempts: 6,
        backoff: Duration::from_millis(2),
        backoff_cap: Duration::from_millis(10),
        call_timeout: Duration::from_secs(5),
        max_body: 1 << 20,
        max_read: 1 << 30,
    };
    Parameters {
        values,
        pacing: Pacing { limits, reads: 3, pause_between_reads: Duration::ZERO },
        tokens: None,
        commons: Commons::default(),
    }
}

/// Every secret that a connector of any kind is given.
pub(super) fn secrets(simulator: &Simulator) -> [&str; 3] {
    let credentials = simulator.credentials();
    [&credentials.client_secret, &credentials.refresh_token, &credentials.truto_api_token]
}

pub(super) fn connect(kind: ConnectorKind, simulator: &Simulator) -> Box<dyn Remover> {
    kinds::connect(kind, &parameters(kind, simulator), Clock::system()).unwrap()
}

pub(super) fn request() -> ReadRequest {
    ReadRequest {
        administrator_profiles: vec!["Administrator".into()],
        deadline: Duration::from_mins(1),
        recorder: None,
    }
}

pub(super) async fn read(kind: ConnectorKind, simulator: &Simulator) -> Result<Directory, ConnectorError> {
    connect(kind, simulator).read(&request(), &()).await
}

/// Options under which no test runs into a rate limit by accident.
pub(super) fn options(users: u32) -> Options {
    Options {
        users,
        every: 7,
        tokens_per_window: 10_000,
        retry_after: Duration::ZERO,
        slow_body_pause: Duration::from_millis(1),
        ..Options::default()
    }
}

/// A simulator whose token may do everything.
pub(super) fn powerful(users: u32) -> Simulator {
    let scopes = ALL_SCOPES.iter().map(|scope| (*scope).to_owned()).collect();
    Simulator::start(Options { scopes, ..options(users) }).unwrap()
}

/// A simulator whose token may do what an audit needs.
pub(super) fn simulator(users: u32) -> Simulator {
    Simulator::start(options(users)).unwrap()
}

/// The ids of a directory, in its order.
pub(super) fn ids(directory: &Directory) -> Vec<String> {
    directory.users.iter().map(|user| user.id().to_owned()).collect()
}

/// What came of a check.
pub(super) fn outcome(directory: &Directory, kind: CheckKind) -> &CheckOutcome {
    &directory.reading.checks.iter().find(|check| check.kind == kind).unwrap().outcome
}
