//! `rolecall evidence recompute`: a review made once more from its bag, offline.

use std::path::Path;

use url::Url;

use super::unreadable;
use crate::{
    app,
    audit::registry,
    cli::output::{self, Failure},
    config,
    evidence::{
        signers::Allowed,
        verify::{self, Problem},
    },
    replay::Replay,
    run::{deliver, recompute::Recording},
};

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
    let rules: Vec<&str> = registry::rules().iter().map(|rule| rule.name).collect();
    let settings =
        config::load(&recording.configuration(), &rules, recording.judged_at).map_err(|error| failed(&error))?.settings;
    let workspace = settings.workspaces.get(&recording.workspace).ok_or_else(|| {
        Failure::failed(format!("the configuration in the bag has no workspace {}", recording.workspace))
    })?;
    let answers = recording.answers().map_err(|error| failed(&error))?;
    let replay = Replay::start(answers).await.map_err(|error| unreadable(bag, &error))?;
    let base_url = Url::parse(&replay.base_url).map_err(|error| failed(&error))?;
    let connector = app::replaying_connector(workspace, &base_url).map_err(|error| failed(&error))?;
    let texts = deliver::rule_texts();
    let compared = tokio::select! {
        compared = recording.compare(&*connector, &settings.policy, &texts) => compared.map_err(|error| failed(&error))?,
        request = replay.stalled() => {
            return Err(Failure::failed(format!("the bag has no answer to GET {request}, without which it cannot be read")));
        }
    };
    let mut differ = 0;
    for report in &compared {
        match report.differs_at {
            None => output::line(&format!("same    {}, {} lines", report.file, report.lines)),
            Some(line) => {
                differ += 1;
                output::line(&format!("DIFFERS {}, from line {line} on", report.file));
            }
        }
    }
    if differ == 0 {
        output::line("\nThe recorded answers lead to the same matrix, findings and changes, byte for byte.");
        return Ok(());
    }
    let ours = env!("CARGO_PKG_VERSION");
    Err(Failure::failed(format!(
        "the recorded answers do not lead to what was reported. It was made by {}; this is {ours}: another version may judge otherwise",
        recording.agent
    )))
}
