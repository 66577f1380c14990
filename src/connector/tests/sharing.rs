//! Several workspaces of one process with the same credential: what the vendor limits, it limits for all of them together.

use std::time::Duration;

use futures::future::join_all;
use rolecall_simulator::{Fault, Options, Simulator};

use super::subject::{options, parameters, request};
use crate::{
    clock::Clock,
    connector::{Commons, Limits, Pacing, Parameters, Remover, kinds},
    model::kind::ConnectorKind,
};

/// Connectors of so many workspaces, which have everything in common that they can.
fn fleet(kind: ConnectorKind, simulator: &Simulator, workspaces: usize) -> Vec<Box<dyn Remover>> {
    let commons = Commons::default();
    let connector = |_| {
        let Parameters { values, pacing, tokens, .. } = parameters(kind, simulator);
        let pacing = Pacing { limits: Limits { call_timeout: Duration::from_secs(30), ..pacing.limits }, ..pacing };
        let given = Parameters { values, pacing, tokens, commons: commons.clone() };
        kinds::connect(kind, &given, Clock::system()).unwrap()
    };
    (0..workspaces).map(connector).collect()
}

async fn read_all(fleet: &[Box<dyn Remover>]) {
    let request = request();
    let reads = join_all(fleet.iter().map(|connector| connector.read(&request, &()))).await;
    for read in reads {
        let directory = read.unwrap();
        assert!(directory.reading.is_complete(), "{:?}", directory.reading);
    }
}

#[tokio::test]
async fn a_limit_of_a_token_is_never_passed_by_all_of_its_workspaces_together() {
    let simulator = Simulator::start(options(12)).unwrap();
    simulator.set_faults([Fault::TrutoQuota]);
    read_all(&fleet(ConnectorKind::Truto, &simulator, 3)).await;
    let calls = simulator.journal().calls();
    assert!(calls.len() > 20, "{}", calls.len());
    assert!(calls.iter().all(|call| call.status == Some(200)), "{calls:?}");
}

#[tokio::test]
async fn workspaces_with_one_refresh_token_use_one_access_token_and_share_the_calls_in_flight() {
    // The number of tokens that the vendor issues, and as many calls at once as one workspace may make.
    let few = Options { tokens_per_window: 10, max_concurrent: 4, latency: Duration::from_millis(5), ..options(12) };
    let simulator = Simulator::start(few).unwrap();
    read_all(&fleet(ConnectorKind::ZohoBigin, &simulator, 25)).await;
    let journal = simulator.journal();
    assert_eq!(journal.token_requests(), 1);
    assert!(journal.max_in_flight() <= 4, "{}", journal.max_in_flight());
    assert!(journal.calls().iter().all(|call| call.status != Some(429)), "{:?}", journal.calls());
}
