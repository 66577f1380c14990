//! `rolecall console`: the way in for who has a shell here.

use std::path::Path;

use super::{
    args::ConsoleCommand,
    check,
    output::{self, Failure},
};
use crate::{
    app,
    clock::Clock,
    console::link::{LinkError, Maker},
    model::actor::Actor,
    review::{event::Via, person::Address},
};

pub(super) async fn run(named: Option<&Path>, command: ConsoleCommand) -> Result<(), Failure> {
    let ConsoleCommand::Link { address } = command;
    let settings = check::load_quietly(named)?;
    let Some(console) = &settings.console else {
        return Err(Failure::usage("there is no web console: the configuration has no [console] table"));
    };
    if address.parse::<lettre::Address>().is_err() {
        return Err(Failure::usage(format!("invalid address `{address}`; expected one such as ana@example.com")));
    }
    let origin = app::console::configured_origin(console).map_err(|error| Failure::usage(error.to_string()))?;
    let store = app::store(&settings).await.map_err(|error| Failure::failed(error.to_string()))?;
    let clock = Clock::system();
    let maker = Maker { store: &*store, clock: &clock, rights: &console.rights, origin: &origin };
    let by = Actor::CommandLine { command: None };
    let url = maker.link(&Address::of(&address), Via::ConsoleLink, &by).await.map_err(|error| match error {
        LinkError::NoRight(_) => Failure::usage(error.to_string()),
        LinkError::Store(_) => Failure::failed(error.to_string()),
    })?;
    output::line(url.as_str());
    output::note("It works once, within 15 minutes. Whoever has it signs in as that person.");
    Ok(())
}
