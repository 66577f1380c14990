//! `rolecall evidence recompute`: a review made once more from its bag, offline.

use std::path::Path;

use url::Url;

use super::unreadable;
use crate::{
    app,
    audit::RuleSet,
    cli::output::{self, Failure},
    config,
    evidence::{
        signers::Allowed,
        verify::{self, Problem},
    },
    replay::Replay,
    run::recompute::{Compared, Recording},
};

/// The longest description of a program that is shown, in characters.
const AGENT: usize = 200;

pub(super) async fn run(bag: &Path) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::failed(error.to_string());
    if !bag.join("bagit.txt").exists() {
        return Err(Failure::usage(format!("{} is no bag", bag.display())));
    }
    // Whose signature it has is for `verify` to say.
    let found = verify::bag(bag, &Allowed::default());
    if let Some(problem) = found.problems.iter().find(|problem| !matches!(problem, Problem::Signature { .. })) {
        return Err(Failure::failed(format!("{} is not as it was sealed: {problem}", bag.display())));
    }
    let recording = Recording::of(bag).map_err(|error| failed(&error))?;
    let rules = RuleSet::built_in();
    let rules: Vec<&str> = rules.list().names().collect();
    let settings =
        config::load(&recording.configuration(), &rules, recording.judged_at).map_err(|error| failed(&error))?.settings;
    let workspace = settings.workspaces.get(&recording.workspace).ok_or_else(|| {
        Failure::failed(format!("the configuration in the bag has no workspace {}", recording.workspace))
    })?;
    let answers = recording.answers().map_err(|error| failed(&error))?;
    let replay = Replay::start(answers).await.map_err(|error| unreadable(bag, &error))?;
    let base_url = Url::parse(&replay.base_url).map_err(|error| failed(&error))?;
    let connector = app::replaying_connector(workspace, &base_url).map_err(|error| failed(&error))?;
    let policy = settings.policy_for(recording.job.as_deref(), &recording.workspace);
    let compared = recording.compare(&*connector, &replay, policy).await;
    told(&recording, &compared.map_err(|error| failed(&error))?)
}

/// Tells what was found; an error where something does not follow from the answers.
fn told(recording: &Recording, compared: &[Compared]) -> Result<(), Failure> {
    let (ours, mut differ, mut reworded) = (env!("CARGO_PKG_VERSION"), 0, 0);
    for Compared { file, difference, extent, is_wording } in compared {
        match difference {
            None => output::line(&format!("same    {file}, {extent}")),
            Some(difference) if *is_wording && !recording.is_of_this_version() => {
                reworded += 1;
                output::line(&format!("OTHER   {file}, {difference}"));
            }
            Some(difference) => {
                differ += 1;
                output::line(&format!("DIFFERS {file}, {difference}"));
            }
        }
    }
    let agent = output::plain(&recording.agent, AGENT);
    if differ > 0 {
        return Err(Failure::failed(format!(
            "the recorded answers do not lead to what was reported. It was made by {agent}; this is {ours}: another version may judge otherwise"
        )));
    }
    output::line(if recording.is_older {
        "\nThe recorded answers lead to the same matrix, findings and changes, byte for byte. An older rolecall made this bag, and did not keep what its other files were made of: they are not compared."
    } else {
        "\nThe recorded answers lead to the same files, byte for byte. Taken as the bag says them: the times, the calls that left no answer, the scopes of the token, the configuration, the occasion, and what was compared with."
    });
    if reworded > 0 {
        output::line(&format!(
            "{reworded} of them are worded otherwise: the bag was made by {agent}, this is {ours}. Use that version to compare them"
        ));
    }
    Ok(())
}
