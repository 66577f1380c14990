//! The connector against the simulator's Truto side, with every fault of it.

mod odd;

use std::time::Duration;

use serde_json::json;

use super::{Resources, Truto, TrutoSettings};
use crate::{
    connector::{Connector as _, ConnectorError, ReadRequest, Removal, Remover as _, http::Limits},
    model::{
        directory::{Directory, Permissions},
        id::UserId,
        reading::{CheckKind, CheckOutcome},
        survey::{GrantState, Purpose, Survey},
    },
};
use rolecall_simulator::{ALL_SCOPES, Answer, Fault, Options, Simulator};

/// A simulator in whose rate limits no test runs by accident; three pages of users.
fn simulator() -> Simulator {
    let options = Options {
        users: 450,
        every: 7,
        scopes: ALL_SCOPES.iter().map(|scope| (*scope).to_owned()).collect(),
        retry_after: Duration::ZERO,
        slow_body_pause: Duration::from_millis(1),
        ..Options::default()
    };
    Simulator::start(options).unwrap()
}

fn settings(simulator: &Simulator) -> TrutoSettings {
    let credentials = simulator.credentials();
    TrutoSettings {
        integrated_account_id: credentials.integrated_account_id.clone(),
        api_token: credentials.truto_api_token.clone().into(),
        api_url: simulator.base_url().parse().unwrap(),
        resources: Resources::default(),
        limits: Limits {
            attempts: 6,
            backoff: Duration::from_millis(2),
            backoff_cap: Duration::from_millis(10),
            call_timeout: Duration::from_secs(5),
            ..Limits::default()
        },
        reads: 3,
        pause_between_reads: Duration::ZERO,
    }
}

fn connector(simulator: &Simulator) -> Truto {
    Truto::new(settings(simulator)).unwrap()
}

async fn read(simulator: &Simulator) -> Result<Directory, ConnectorError> {
    let request = ReadRequest {
        administrator_profiles: vec!["Administrator".into()],
        deadline: Duration::from_mins(1),
        recorder: None,
    };
    connector(simulator).read(&request, &()).await
}

fn outcome(directory: &Directory, kind: CheckKind) -> &CheckOutcome {
    &directory.reading.checks.iter().find(|check| check.kind == kind).unwrap().outcome
}

fn user(simulator: &Simulator, place: usize) -> UserId {
    UserId::from(simulator.world().read(|world| world.user_ids()[place].clone()).as_str())
}

#[tokio::test]
async fn the_whole_workspace_comes_through_the_proxy() {
    let simulator = simulator();
    let directory = read(&simulator).await.unwrap();
    let ids: Vec<String> = directory.users.iter().map(|user| user.id().to_owned()).collect();
    assert_eq!(ids, simulator.world().read(rolecall_simulator::World::user_ids));
    assert!(directory.reading.is_complete());
    assert_eq!((directory.reading.pages, directory.reading.attempts), (3, 1));
    assert!(directory.profiles.iter().all(|profile| matches!(profile.permissions, Permissions::Known(_))));
    assert_eq!(directory.roles.len(), simulator.world().read(|world| world.roles().len()));
    assert_eq!(directory.current_user.id.as_str(), simulator.world().read(|world| world.caller().to_owned()));
    assert!(matches!(outcome(&directory, CheckKind::Administrators), CheckOutcome::Agreed));
}

#[tokio::test]
async fn what_can_be_repaired_is_and_what_cannot_is_incomplete() {
    for fault in [Fault::TrutoPartialOnce, Fault::UserInsertedOnce, Fault::DuplicateRowOnce, Fault::UserRemovedOnce] {
        let simulator = simulator();
        simulator.set_faults([fault]);
        let directory = read(&simulator).await.unwrap();
        assert!(directory.reading.is_complete() && directory.reading.attempts == 2, "{fault}: {:?}", directory.reading);
    }
    let simulator = simulator();
    for (fault, kind) in [
        (Fault::TrutoPartialAlways, CheckKind::SourceComplete),
        (Fault::TrutoCursorRepeats, CheckKind::MoreRecords),
        (Fault::UsersShiftAlways, CheckKind::FirstPageAgain),
        (Fault::DuplicateRowAlways, CheckKind::DistinctUsers),
        (Fault::AdminFilterDisagrees, CheckKind::Administrators),
    ] {
        simulator.set_faults([fault]);
        let directory = read(&simulator).await.unwrap();
        assert!(
            matches!(outcome(&directory, kind), CheckOutcome::Disagreed { .. }),
            "{fault}: {:?}",
            directory.reading
        );
    }
}

#[tokio::test]
async fn every_published_form_is_read_and_what_fails_for_the_moment_is_asked_again() {
    let simulator = simulator();
    for fault in [
        Fault::TrutoEmptyPage,
        Fault::TrutoResultsEnvelope,
        Fault::TrutoGetVerbatim,
        Fault::TrutoGetResult,
        Fault::IdsAsNumbers,
        Fault::ProfileCustomShape,
        Fault::TrutoTier,
        Fault::TrutoBadGateway,
        Fault::RateLimitReset,
        Fault::RateLimitSeconds,
        Fault::RateLimitBare,
        Fault::ServerError,
        Fault::TruncatedJson,
        Fault::ConnectionDropped,
        Fault::SlowBody,
    ] {
        simulator.set_faults([fault]);
        let directory = read(&simulator).await.unwrap_or_else(|error| panic!("{fault}: {error}"));
        assert!(directory.reading.is_complete(), "{fault}: {:?}", directory.reading);
        assert_eq!(directory.users.len(), simulator.world().read(|world| world.user_ids().len()), "{fault}");
    }
    simulator.set_faults([Fault::TrutoNoFilter]);
    let directory = read(&simulator).await.unwrap();
    assert!(matches!(outcome(&directory, CheckKind::Administrators), CheckOutcome::NotEvaluated { .. }));
    simulator.set_faults([Fault::TrutoNoProfileDetails]);
    let directory = read(&simulator).await.unwrap();
    assert!(directory.reading.is_complete());
    assert!(directory.profiles.iter().all(|profile| matches!(profile.permissions, Permissions::Unknown(_))));
}

#[tokio::test]
async fn what_will_not_be_answered_otherwise_says_what_to_do() {
    let simulator = simulator();
    for (fault, expected) in [
        (Fault::TrutoNeedsReauth, "Connect the integrated account again"),
        (Fault::TrutoBlocked, "blocked the integrated account"),
        (Fault::MissingScopeRoles, "lack ZohoBigin.roles.READ"),
        (Fault::TrutoNoResult, "missing field `result`"),
        (Fault::RateLimitAlways, "429"),
        (Fault::ServerErrorAlways, "failed 6 times"),
        (Fault::Redirect, "does not carry a token elsewhere"),
        (Fault::EndlessBody, "larger than"),
    ] {
        simulator.set_faults([fault]);
        let error = read(&simulator).await.err().unwrap_or_else(|| panic!("{fault}: no error")).to_string();
        assert!(error.contains(expected), "{fault}: {error}");
        assert!(!error.contains(&simulator.credentials().truto_api_token));
    }
    simulator.set_faults([Fault::MissingScopeRoles, Fault::TrutoErrorDetails]);
    assert!(matches!(read(&simulator).await.unwrap_err(), ConnectorError::TrutoScopes { .. }));
    simulator.set_faults([]);
    let with = |change: &dyn Fn(&mut TrutoSettings)| {
        let mut settings = settings(&simulator);
        change(&mut settings);
        Truto::new(settings)
    };
    let stranger = with(&|settings| settings.api_token = "another".into()).unwrap();
    assert!(matches!(stranger.organization().await.unwrap_err(), ConnectorError::TrutoToken { .. }));
    let stranger = with(&|settings| settings.integrated_account_id = "another".into()).unwrap();
    assert!(matches!(stranger.organization().await.unwrap_err(), ConnectorError::TrutoUnknown { .. }));
    for resources in [
        Resources { roles: "positions".to_owned(), ..Resources::default() },
        Resources { users: "persons".to_owned(), ..Resources::default() },
    ] {
        let renamed = with(&|settings| settings.resources = resources.clone()).unwrap().survey().await.unwrap();
        let needed = renamed.grants.iter().filter(|grant| grant.purpose == Purpose::Audit);
        let lacking = needed.filter(|grant| matches!(grant.state, GrantState::Lacking(_))).count();
        assert_eq!(lacking, 1, "{:?}", renamed.grants);
    }
    assert!(with(&|settings| settings.api_url = "http://example.com".parse().unwrap()).is_err());
}

#[tokio::test]
async fn a_limit_that_is_told_is_never_passed() {
    let options = Options { users: 12, ..Options::default() };
    let simulator = Simulator::start(options).unwrap();
    simulator.set_faults([Fault::TrutoQuota]);
    let directory = read(&simulator).await.unwrap();
    assert_eq!((directory.users.len(), directory.reading.retries), (12, 0));
    let calls = simulator.journal().calls();
    assert!(calls.len() > 10);
    assert!(calls.iter().all(|call| call.status == Some(200)), "{calls:?}");
}

#[tokio::test]
async fn a_user_is_removed_once_in_every_form_of_answer() {
    for (fault, get) in [
        (None, Fault::TrutoGetVerbatim),
        (Some(Fault::TrutoDeleteVerbatim), Fault::TrutoGetResult),
        (Some(Fault::TrutoDeleteNothing), Fault::TrutoErrorDetails),
    ] {
        let simulator = simulator();
        simulator.set_faults(fault.into_iter().chain([get]));
        let (connector, id) = (connector(&simulator), user(&simulator, 5));
        let request = connector.removal_request(&id).await.unwrap();
        let account = &simulator.credentials().integrated_account_id;
        assert_eq!(
            request,
            format!("DELETE {}/proxy/users/{id}?integrated_account_id={account}", simulator.base_url())
        );
        assert_eq!(connector.remove(&id).await, Ok(Removal::Accepted), "{fault:?}");
        assert!(connector.user(&id).await.unwrap().unwrap().is_deleted());
        assert_eq!(connector.remove(&id).await, Ok(Removal::AlreadyGone), "{fault:?}");
        assert_eq!(connector.user(&UserId::from("999")).await.unwrap(), None);
        assert_eq!(connector.remove(&UserId::from("999")).await, Ok(Removal::AlreadyGone));
    }
}

#[tokio::test]
async fn a_removal_is_repeated_only_where_certainly_nothing_was_done() {
    let simulator = simulator();
    let (connector, id) = (connector(&simulator), user(&simulator, 5));
    let path = format!("/proxy/users/{id}");
    let deletions = || simulator.journal().calls().iter().filter(|call| call.method == "DELETE").count();
    for (answer, expected) in [
        (Answer::html(502, "Bad Gateway"), "HTTP 502 Bad Gateway without a code"),
        (
            Answer::json(500, &json!({"error": "Internal Server Error"})),
            "HTTP 500 Internal Server Error Internal Server Error",
        ),
        (Answer::html(200, "Fine"), "an answer that is no JSON"),
    ] {
        let before = deletions();
        // An answer below 400 comes as it is; above, Truto wraps it.
        simulator.override_answer(&path, Some(answer));
        match connector.remove(&id).await {
            Ok(Removal::Unknown(how)) => assert!(expected.starts_with(&how[..8]), "{how}"),
            other => panic!("{other:?}"),
        }
        assert_eq!(deletions(), before + 1);
    }
    simulator.override_answer(&path, None);
    simulator.set_faults([Fault::TrutoSandbox]);
    assert!(matches!(connector.remove(&id).await, Err(ConnectorError::TrutoSandbox { .. })));
    assert!(!connector.user(&id).await.unwrap().unwrap().is_deleted());
    simulator.set_faults([Fault::WrongUserById]);
    assert!(matches!(connector.user(&id).await, Err(ConnectorError::AnotherUser { .. })));
}

#[tokio::test]
async fn a_survey_says_what_the_account_reaches() {
    let simulator = simulator();
    let survey = connector(&simulator).survey().await.unwrap();
    assert!(survey.grants.iter().all(|grant| grant.state == GrantState::Granted), "{:?}", survey.grants);
    assert!(survey.obstacles.is_empty() && survey.organization.is_some() && survey.current_user.is_some());
    assert!(survey.clock_ahead.is_some());
    simulator.set_faults([Fault::TrutoSandbox]);
    let survey = connector(&simulator).survey().await.unwrap();
    let deletion = |survey: &Survey| survey.grants.iter().find(|grant| grant.name == "users.delete").cloned().unwrap();
    assert!(matches!(deletion(&survey).state, GrantState::Lacking(why) if why.contains("sandbox")));
    simulator.set_faults([Fault::TrutoResultsEnvelope]);
    let survey = connector(&simulator).survey().await.unwrap();
    assert_eq!(deletion(&survey).state, GrantState::Granted);
    simulator.set_faults([Fault::TrutoNeedsReauth]);
    assert!(connector(&simulator).survey().await.is_err());
}
