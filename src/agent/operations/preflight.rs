//! `preflight`

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    agent::{
        Agent, Person, Problem,
        definition::{Effect, Operation},
        freshness::seconds,
    },
    preflight::{Preflight, Question, expectation, judge},
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    /// The workspace's name; not needed if there is only one.
    workspace: Option<String>,
    /// Expectations, each as KEY=VALUE, where KEY is `org`, `administrator`, `profile`, `role`, `user`, `time_zone`, `country`,
    /// `currency`, `locale`, `licence` or `data_center`: `org=Example Ltd`, `time_zone=Europe/Berlin`, `administrator=true`.
    #[serde(default)]
    #[schemars(length(max = 20), inner(length(min = 1, max = 200)))]
    expect: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct Answer {
    /// When it was checked.
    checked_at: DateTime<Utc>,
    /// How long ago that is, in seconds.
    age_seconds: u64,
    #[serde(flatten)]
    preflight: Preflight,
}

pub(super) struct RunPreflight;

impl Operation for RunPreflight {
    const NAME: &'static str = "preflight";
    const TITLE: &'static str = "Check whether a workspace is ready";
    const DESCRIPTION: &'static str = "Checks a Bigin workspace before a migration or any other change: which organization \
        it is, its time zone, currency and locale, who the credentials belong to with ROLE (whose records that user sees) \
        and PROFILE (which features that user may use), whether that user is an administrator, what the credentials may \
        do, what they lack, and which permissions they do not need, the clock, and the remaining API calls. `ready` is true \
        if no check failed. With `expect` it is a gate: an unmet expectation makes `ready` false. It changes nothing.";
    const EFFECT: Effect = Effect::Reads;
    type Arguments = Arguments;
    type Answer = Answer;

    async fn run(agent: &Agent, arguments: Arguments, _: &dyn Person) -> Result<Answer, Problem> {
        let mut expectations = Vec::new();
        for text in &arguments.expect {
            expectations.extend(expectation::parse(text)?);
        }
        let session = agent.session(arguments.workspace.as_deref())?;
        let (survey, checked_at) = session.survey(agent).await?;
        let preflight = judge(&Question {
            workspace: &session.name,
            survey: &survey,
            policy: &session.policy,
            allow_offboarding: session.allows_offboarding(),
            organization: session.organization.as_deref(),
            expectations: &expectations,
        });
        Ok(Answer { checked_at, age_seconds: seconds(checked_at, agent.now()), preflight })
    }
}
