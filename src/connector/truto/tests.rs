//! What is Truto's own, against the simulator. What every kind must do is tested in `connector::tests`.

mod odd;

use std::time::Duration;

use serde_json::json;

use super::{Resources, Truto, TrutoSettings};
use crate::{
    clock::Clock,
    connector::{Cause, Connector as _, ConnectorError, Credential, Limits, ReadRequest, Removal, Remover as _},
    model::{
        directory::Directory,
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
    Truto::new(settings(simulator), Clock::system()).unwrap()
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
async fn what_will_not_be_answered_otherwise_says_what_to_do() {
    let simulator = simulator();
    simulator.set_faults([Fault::MissingScopeRoles, Fault::TrutoErrorDetails]);
    assert!(matches!(read(&simulator).await.unwrap_err().cause, Cause::MissingScope { .. }));
    simulator.set_faults([]);
    let with = |change: &dyn Fn(&mut TrutoSettings)| {
        let mut settings = settings(&simulator);
        change(&mut settings);
        Truto::new(settings, Clock::system())
    };
    let stranger = with(&|settings| settings.api_token = "another".into()).unwrap();
    assert!(matches!(
        stranger.organization().await.unwrap_err().cause,
        Cause::Unauthorized { credential: Credential::ApiToken, .. }
    ));
    let stranger = with(&|settings| settings.integrated_account_id = "another".into()).unwrap();
    assert!(matches!(stranger.organization().await.unwrap_err().cause, Cause::NotFound(_)));
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
        (Answer::html(502, "Bad Gateway"), "HTTP 502 Bad Gateway (no code)"),
        (
            Answer::json(500, &json!({"error": "Internal Server Error"})),
            "HTTP 500 Internal Server Error (Internal Server Error)",
        ),
        (Answer::html(200, "Fine"), "an answer that is not JSON"),
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
    assert!(connector.remove(&id).await.is_err_and(|error| error.cause == Cause::ReadOnly));
    assert!(!connector.user(&id).await.unwrap().unwrap().is_deleted());
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
