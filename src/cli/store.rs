//! `rolecall store`: tries the database.

use std::path::Path;

use super::{
    args::StoreCommand,
    check,
    output::{self, Failure},
};
use crate::{
    app::{self, StoreCheck},
    clock::Clock,
    store::postgres::check::{Outcome, Stage},
};

pub(super) async fn run(named: Option<&Path>, command: StoreCommand) -> Result<(), Failure> {
    match command {
        StoreCommand::Check => try_stages(named).await,
    }
}

async fn try_stages(named: Option<&Path>) -> Result<(), Failure> {
    let settings = check::load_quietly(named)?;
    let place = app::store_place(&settings);
    let tried = app::check_store(&settings, &Clock::system()).await;
    let stages = match tried.map_err(|error| Failure::usage(error.to_string()))? {
        StoreCheck::Stages(stages) => stages,
        StoreCheck::File => {
            output::line(&format!("ok       {:<15} {place}", "file"));
            return Ok(());
        }
        StoreCheck::NoFile => {
            output::line(&format!("ok       {:<15} {place} does not exist yet; created at the first start", "file"));
            return Ok(());
        }
    };
    for (stage, outcome) in &stages {
        output::line(&line(*stage, outcome));
    }
    match stages.iter().find(|(_, outcome)| matches!(outcome, Outcome::Failed(_))) {
        Some((stage, _)) => Err(Failure::failed(format!("the store {place} cannot be used: {stage} failed"))),
        None => Ok(()),
    }
}

/// One stage as a line for people: its result, and what to do if it failed.
fn line(stage: Stage, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Passed(detail) => format!("ok       {stage:<15} {detail}"),
        Outcome::Failed(reason) => {
            format!("FAILED   {stage:<15} {reason}\n{:25}fix: {}", "", stage.advice())
        }
        Outcome::NotReached => format!("–        {stage:<15} not reached"),
    }
}
