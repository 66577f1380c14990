//! `rolecall console`: the way in for who has a shell here, and the way out for whoever should not be in any more.

use std::path::Path;

use super::{
    args::ConsoleCommand,
    check,
    output::{self, Failure},
};
use crate::{
    app,
    clock::Clock,
    console::link::{LinkError, Maker, address_of},
    model::actor::Actor,
    review::{event::Via, person::Address},
    store::sessions::LINK,
    words::count,
};

pub(super) async fn run(named: Option<&Path>, command: ConsoleCommand) -> Result<(), Failure> {
    let (ConsoleCommand::Link { address } | ConsoleCommand::SignOut { address }) = &command;
    let settings = check::load_quietly(named)?;
    let Some(console) = &settings.console else {
        return Err(Failure::usage("there is no web console: the configuration has no [console] table"));
    };
    if address.parse::<lettre::Address>().is_err() {
        return Err(Failure::usage(format!("invalid address `{address}`; expected one such as ana@example.com")));
    }
    let address = Address::of(address);
    let origin = app::console::configured_origin(console).map_err(|error| Failure::usage(error.to_string()))?;
    let clock = Clock::system();
    // A stolen session is ended whatever this machine's clock says: nothing of that depends on the time here.
    if let ConsoleCommand::SignOut { .. } = command {
        let store = app::store(&settings).await.map_err(|error| Failure::failed(error.to_string()))?;
        let ended = store.end_sessions_of(&address).await.map_err(|error| Failure::failed(error.to_string()))?;
        output::line(&format!("ended {} of {address}", count(ended, "session")));
        return Ok(());
    }
    let store = app::store_to_change(&settings, &clock).await;
    let store = store.map_err(|error| Failure::failed(error.to_string()))?;
    let maker = Maker { store: &*store, clock: &clock, rights: &console.rights };
    let by = Actor::CommandLine { command: None };
    let secret = maker.secret(&address, Via::ConsoleLink, LINK, &by).await.map_err(|error| match error {
        LinkError::NoRight(_) => Failure::usage(error.to_string()),
        LinkError::Store(_) => Failure::failed(error.to_string()),
    })?;
    output::line(address_of(&origin, &secret, None).as_str());
    output::note("It works once, within 10 minutes. Whoever has it signs in as that person.");
    Ok(())
}
