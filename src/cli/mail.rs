//! `rolecall mail test`: sends one message as the daemon would and shows each stage.

use std::path::Path;

use uuid::Uuid;

use super::{
    check,
    output::{self, Failure},
};
use crate::{
    app,
    clock::Clock,
    mail::{
        smtp::StageOutcome,
        test_mail::{line, probe, test_mail},
    },
};

pub(super) async fn test(named: Option<&Path>, to: Option<String>) -> Result<(), Failure> {
    let settings = check::load_quietly(named)?;
    let smtp = settings.smtp.as_ref().ok_or_else(|| Failure::usage("the configuration has no [smtp] table"))?;
    let first = || settings.jobs.values().find_map(|job| job.email.as_ref()?.to.first().cloned());
    let to = to.or_else(first).ok_or_else(|| Failure::usage("no job has recipients; give one with --to"))?;
    let server = app::smtp_settings(smtp).map_err(|error| Failure::usage(error.to_string()))?;
    let email = test_mail(&server, &smtp.from, &to, Clock::system().now(), &Uuid::new_v4().to_string())
        .map_err(|error| Failure::usage(error.to_string()))?;
    output::line(&format!("Sending a test message to {to} through {}:{}", smtp.host, smtp.port));
    let stages = probe(server, &email).await;
    for stage in &stages {
        output::line(&line(stage));
    }
    match stages.iter().find(|stage| matches!(stage.outcome, StageOutcome::Failed(_))) {
        Some(failed) => Err(Failure::failed(format!("the message was not delivered: {} failed", failed.stage))),
        None => Ok(()),
    }
}
