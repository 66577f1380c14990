//! `rolecall evidence recompute`: recomputes a review from its bag, offline.

use std::path::Path;

use url::Url;

use super::{Located, located, unreadable};
use crate::{
    app,
    audit::RuleSet,
    cli::output::{self, Failure},
    clock::Clock,
    config::{self, settings::Settings},
    connector::Connector,
    evidence::{
        inventory,
        review::EVENTS,
        signers::Allowed,
        storage::{Storage, has, join},
        verify::{self, Problem},
    },
    model::{audit::Audit, policy::Policy},
    replay::Replay,
    run::{
        recompute::{Compared, SealedReview},
        reviews::bag::made_again,
    },
};

/// The longest description of a program that is shown, in characters.
const AGENT: usize = 200;

pub(super) async fn run(named: Option<&Path>, bag: &Path) -> Result<(), Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::failed(error.to_string());
    let Located { storage, folder, shown } = located(named, bag)?;
    let storage = &*storage;
    if !inventory::is_bag(storage, &folder) {
        return Err(Failure::usage(format!("{shown} is not a bag of evidence")));
    }
    // Who signed it is for `verify`.
    let found = verify::bag(storage, &folder, &Allowed::default());
    if let Some(problem) = found.problems.iter().find(|problem| !matches!(problem, Problem::Signature { .. })) {
        return Err(Failure::failed(format!("{shown} is not as it was sealed: {problem}")));
    }
    if has(storage, &join(&folder, &format!("data/{EVENTS}"))).map_err(|error| unreadable(&shown, &error))? {
        return review_by_people(storage, &folder, &shown, found.info.says("External-Identifier"));
    }
    let review = SealedReview::of(storage, &folder).map_err(|error| failed(&error))?;
    let ready = Ready::of(&review, &shown).await?;
    let compared = review.compare(&*ready.connector, &ready.replay, ready.policy(&review)).await;
    print(&review, &compared.map_err(|error| failed(&error))?)
}

/// The audit of a bag, made again from the recorded answers. That the bag is as it was sealed was checked before.
pub(in crate::cli) async fn audit(storage: &dyn Storage, folder: &str) -> Result<Audit, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::failed(error.to_string());
    let review = SealedReview::of(storage, folder).map_err(|error| failed(&error))?;
    let ready = Ready::of(&review, &storage.place(folder)).await?;
    let policy = ready.policy(&review);
    review.judge(&*ready.connector, &ready.replay, policy, policy).await.map_err(|error| failed(&error))
}

/// The configuration of a bag, and its answers, served again.
struct Ready {
    settings: Settings,
    replay: Replay,
    connector: Box<dyn Connector>,
}

impl Ready {
    async fn of(review: &SealedReview<'_>, shown: &str) -> Result<Self, Failure> {
        let failed = |error: &dyn std::fmt::Display| Failure::failed(error.to_string());
        let configuration = review.configuration().map_err(|error| failed(&error))?;
        let path = Path::new(shown).join("data/configuration.toml");
        let rules = RuleSet::built_in();
        let rules: Vec<&str> = rules.list().names().collect();
        let settings = config::parse_applied(&path, &configuration, &rules, review.judged_at)
            .map_err(|error| failed(&error))?
            .settings;
        let workspace = settings.workspaces.get(&review.workspace).ok_or_else(|| {
            Failure::failed(format!("the configuration in the bag has no workspace {}", review.workspace))
        })?;
        let answers = review.answers().map_err(|error| failed(&error))?;
        let replay = Replay::start(answers).await.map_err(|error| unreadable(shown, &error))?;
        let base_url = Url::parse(&replay.base_url).map_err(|error| failed(&error))?;
        let connector = app::replaying_connector(workspace, &base_url, &Clock::system());
        let connector = connector.map_err(|error| failed(&error))?;
        Ok(Self { settings, replay, connector })
    }

    fn policy(&self, review: &SealedReview<'_>) -> &Policy {
        self.settings.policy_for(review.job.as_deref(), &review.workspace)
    }
}

/// Makes the files of a review by people again from its events.
fn review_by_people(storage: &dyn Storage, folder: &str, shown: &str, id: Option<&str>) -> Result<(), Failure> {
    let id = id.and_then(|id| id.parse().ok());
    let id = id.ok_or_else(|| Failure::failed(format!("{shown} does not say which review it is")))?;
    let failed = |error| Failure::failed(format!("the review in {shown} cannot be replayed: {error}"));
    let compared = made_again(storage, folder, id).map_err(failed)?;
    for (file, is_same) in &compared {
        output::line(&format!("{} data/{file}", if *is_same { "same   " } else { "DIFFERS" }));
    }
    if compared.iter().any(|(_, is_same)| !is_same) {
        return Err(Failure::failed(
            "a file does not follow from the events of the review; another build may word it otherwise",
        ));
    }
    output::line("\nWhat was reviewed and the events lead to the same files, byte for byte; every event was allowed.");
    Ok(())
}

/// Prints the comparison; an error if something does not follow from the answers.
fn print(review: &SealedReview<'_>, compared: &[Compared]) -> Result<(), Failure> {
    let (ours, mut differ, mut reworded) = (app::build(), 0, 0);
    let is_same_build = review.agent == ours;
    for Compared { file, difference, extent, is_wording } in compared {
        match difference {
            None => output::line(&format!("same    {file}, {extent}")),
            Some(difference) if *is_wording && !is_same_build => {
                reworded += 1;
                output::line(&format!("OTHER   {file}, {difference}"));
            }
            Some(difference) => {
                differ += 1;
                output::line(&format!("DIFFERS {file}, {difference}"));
            }
        }
    }
    let agent = output::plain(&review.agent, AGENT);
    if differ > 0 {
        return Err(Failure::failed(format!(
            "what was reported does not follow from the recorded answers. The bag was made by {agent}; this is {ours}, and another build may judge differently"
        )));
    }
    output::line(if review.is_older {
        "\nThe recorded answers lead to the same matrix, findings and changes, byte for byte. An older rolecall made this bag and did not keep what its other files are derived from; they are not compared."
    } else {
        "\nThe recorded answers lead to the same files, byte for byte. Taken from the bag as stated: the times, calls without an answer, the scopes of the token, the configuration, what triggered the run, and the previous review."
    });
    if reworded > 0 {
        output::line(&format!(
            "{reworded} of them are worded differently: the bag was made by {agent}, this is {ours}. Use that build to compare them"
        ));
    }
    Ok(())
}
