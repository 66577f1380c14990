//! `rolecall simulate`: the simulated workspace, for people who develop against rolecall.

use std::time::Duration;

use serde::Serialize;

use super::{
    args::{FaultName, SimulateArgs},
    output::{self, Failure},
    signals,
};
use rolecall_simulator::{ALL_SCOPES, Fault, InboxFault, Options, Simulator};

/// What a client needs to connect: the first line on stdout.
#[derive(Serialize)]
struct Announcement<'a> {
    base_url: &'a str,
    client_id: &'a str,
    client_secret: &'a str,
    refresh_token: &'a str,
    grant_code: &'a str,
    truto_api_token: &'a str,
    integrated_account_id: &'a str,
    smtp: String,
}

pub(super) async fn run(args: SimulateArgs) -> Result<(), Failure> {
    if args.faults.iter().any(|fault| matches!(fault, FaultName::List)) {
        for fault in Fault::ALL {
            output::line(&format!("{:<32} {}", fault.name(), fault.description()));
        }
        for fault in InboxFault::ALL {
            output::line(&format!("{:<32} {}", fault.name(), fault.description()));
        }
        return Ok(());
    }
    let options = Options {
        port: args.port,
        smtp_port: args.smtp_port,
        users: args.users,
        seed: args.seed,
        faults: args
            .faults
            .iter()
            .filter_map(|fault| if let FaultName::Api(fault) = fault { Some(*fault) } else { None })
            .collect(),
        every: args.every,
        tokens_per_window: args.tokens,
        latency: Duration::from_millis(args.latency),
        scopes: ALL_SCOPES.iter().map(ToString::to_string).collect(),
        ..Options::default()
    };
    let simulator = Simulator::start(options)
        .map_err(|error| Failure::failed(format!("the simulator cannot listen on 127.0.0.1: {error}")))?;
    let inbox_fault = args
        .faults
        .iter()
        .rev()
        .find_map(|fault| if let FaultName::Inbox(fault) = fault { Some(*fault) } else { None });
    simulator.inbox().set_fault(inbox_fault);
    let credentials = simulator.credentials();
    let announcement = Announcement {
        base_url: simulator.base_url(),
        client_id: &credentials.client_id,
        client_secret: &credentials.client_secret,
        refresh_token: &credentials.refresh_token,
        grant_code: &credentials.grant_code,
        truto_api_token: &credentials.truto_api_token,
        integrated_account_id: &credentials.integrated_account_id,
        smtp: simulator.inbox().address().to_string(),
    };
    let line = serde_json::to_string(&announcement).map_err(|error| Failure::failed(error.to_string()))?;
    output::line(&line);
    signals::stopped().await.map_err(|error| Failure::failed(format!("cannot wait for a signal: {error}")))?;
    simulator.stop().await;
    Ok(())
}
