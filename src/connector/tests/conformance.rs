//! Behaviour that is the same for every kind, beside how a read ends under each fault.

use std::time::Duration;

use serde_json::json;

use super::subject::{
    connect, ids, options, outcome, parameters, powerful, read, request, roles_path, secrets, simulator,
    without_permissions,
};
use crate::{
    clock::Clock,
    connector::{Cause, ReadRequest, Removal, kinds},
    model::{
        directory::{Directory, Permissions},
        id::UserId,
        kind::{ConnectorKind, KeyValue},
        reading::{CheckKind, CheckOutcome},
        survey::{GrantState, Purpose},
        users::User,
    },
};
use rolecall_simulator::{Answer, Fault, Options, Simulator, World};

fn user(simulator: &Simulator, place: usize) -> UserId {
    UserId::from(simulator.world().read(|world| world.user_ids()[place].clone()).as_str())
}

#[test]
fn every_kind_needs_the_keys_that_it_requires_and_no_other() {
    let simulator = simulator(1);
    for kind in ConnectorKind::ALL {
        for key in kind.keys() {
            let mut given = parameters(kind, &simulator);
            // An address that is not given is the vendor's own, which no test calls.
            given.values.remove(key.name);
            match kinds::connect(kind, &given, Clock::system()) {
                Ok(_) => assert!(!key.is_required, "{kind}: {}", key.name),
                Err(error) => {
                    assert!(key.is_required && matches!(error.cause, Cause::Setup(_)), "{kind}: {error}");
                    assert!(error.to_string().contains(key.name), "{kind}: {error}");
                }
            }
        }
        let given = parameters(kind, &simulator);
        assert!(given.values.keys().all(|name| kind.key(name).is_some()), "{kind}: {given:?}");
        assert!(kind.keys().iter().any(|key| key.value == KeyValue::Secret), "{kind}");
    }
}

#[tokio::test]
async fn every_size_of_list_is_read_whole() {
    for kind in ConnectorKind::ALL {
        for users in [1, 2, 199, 200, 201, 399, 400, 401, 1_000, 1_801] {
            let simulator = simulator(users);
            let directory = read(kind, &simulator).await.unwrap();
            assert_eq!(directory.source.connector, kind);
            assert_eq!(ids(&directory), simulator.world().read(World::user_ids), "{kind}");
            assert!(directory.reading.is_complete(), "{kind}, {users}: {:?}", directory.reading.checks);
            assert_eq!(directory.reading.pages, users.div_ceil(200), "{kind}");
            assert_eq!(directory.roles.len(), simulator.world().read(|world| world.roles().len()), "{kind}");
            let is_known = |permissions: &Permissions| matches!(permissions, Permissions::Known(_));
            assert!(directory.profiles.iter().all(|profile| is_known(&profile.permissions)), "{kind}");
            let caller = simulator.world().read(|world| world.caller().to_owned());
            assert_eq!(directory.current_user.id.as_str(), caller, "{kind}");
        }
    }
}

#[tokio::test]
async fn a_read_is_dated_by_the_clock_that_was_passed_in() {
    let at = "2026-03-01T12:00:00Z".parse().unwrap();
    for kind in ConnectorKind::ALL {
        let simulator = simulator(3);
        let connector = kinds::connect(kind, &parameters(kind, &simulator), Clock::fixed(at)).unwrap();
        let directory = connector.read(&request(), &()).await.unwrap();
        assert_eq!((directory.reading.started_at, directory.reading.finished_at), (at, at), "{kind}");
        // The server's clock is right, so this one is wrong.
        let found = outcome(&directory, CheckKind::Clock);
        assert!(matches!(found, CheckOutcome::Disagreed { .. }), "{kind}: {found:?}");
    }
}

#[tokio::test]
async fn no_more_calls_are_in_flight_than_allowed() {
    for kind in ConnectorKind::ALL {
        for concurrency in [1, 2, 4] {
            let simulator = simulator(2_400);
            simulator.set_latency(Duration::from_millis(10));
            let mut given = parameters(kind, &simulator);
            given.pacing.limits.concurrency = concurrency;
            kinds::connect(kind, &given, Clock::system()).unwrap().read(&request(), &()).await.unwrap();
            // How many there really are depends on the machine; the limit must not.
            let in_flight = simulator.journal().max_in_flight();
            assert!(in_flight <= concurrency, "{kind}: {in_flight} of {concurrency}");
            assert!(concurrency == 1 || in_flight > 1, "{kind}: {in_flight} of {concurrency}");
        }
    }
}

#[tokio::test]
async fn calls_that_are_given_up_hold_their_places_until_they_end() {
    for kind in ConnectorKind::ALL {
        let simulator = simulator(2_400);
        simulator.set_latency(Duration::from_millis(600));
        let mut given = parameters(kind, &simulator);
        given.pacing.limits.concurrency = 2;
        given.pacing.limits.call_timeout = Duration::from_millis(400);
        given.pacing.limits.attempts = 3;
        let error = kinds::connect(kind, &given, Clock::system()).unwrap().read(&request(), &()).await.unwrap_err();
        assert!(error.to_string().contains("no answer in time"), "{kind}: {error}");
        let in_flight = simulator.journal().max_in_flight();
        assert!(in_flight <= 2, "{kind}: {in_flight}");
    }
}

#[tokio::test]
async fn a_read_that_brings_too_much_is_given_up() {
    for kind in ConnectorKind::ALL {
        let simulator = simulator(2_400);
        let mut given = parameters(kind, &simulator);
        given.pacing.limits.max_read = 1 << 20;
        let error = kinds::connect(kind, &given, Clock::system()).unwrap().read(&request(), &()).await.unwrap_err();
        assert_eq!(error.cause, Cause::TooMuch(1 << 20), "{kind}");
    }
}

#[tokio::test]
async fn an_id_that_would_lead_to_another_place_is_refused() {
    for kind in ConnectorKind::ALL {
        let simulator = powerful(5);
        let connector = connect(kind, &simulator);
        for id in ["..", ".", "", "1/../2", "a\\b"] {
            let id = UserId::from(id);
            let unusable = |cause: Cause| matches!(cause, Cause::UnusableId(_));
            assert!(unusable(connector.user(&id).await.unwrap_err().cause), "{kind}: {id}");
            assert!(unusable(connector.removal_request(&id).await.unwrap_err().cause), "{kind}: {id}");
            assert!(unusable(connector.remove(&id).await.unwrap_err().cause), "{kind}: {id}");
        }
        assert!(simulator.journal().calls().iter().all(|call| call.method != "DELETE"), "{kind}");
    }
}

#[tokio::test]
async fn secrets_that_a_server_echoes_are_masked_before_anything_reads_them() {
    for kind in ConnectorKind::ALL {
        let simulator = simulator(5);
        let secret = secrets(&simulator).map(str::to_owned);
        let name = format!("{} {}", secret.join(" "), "Example");
        let (path, body) = match kind {
            ConnectorKind::ZohoBigin => ("/bigin/v2/org", json!({"org": [{"id": "1", "company_name": name}]})),
            ConnectorKind::Truto => {
                ("/proxy/current_organization", json!({"result": [{"id": "1", "company_name": name}]}))
            }
        };
        simulator.override_answer(path, Some(Answer::json(200, &body)));
        let organization = connect(kind, &simulator).organization().await.unwrap();
        let read = organization.company_name.unwrap();
        let own = if kind == ConnectorKind::Truto { &secret[2..] } else { &secret[..2] };
        assert!(own.iter().all(|secret| !read.contains(secret.as_str())), "{kind}: {read}");
        assert!(read.contains("[masked]") && read.ends_with("Example"), "{kind}: {read}");
    }
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_fails_at_once() {
    for kind in ConnectorKind::ALL {
        for (fault, asked) in [(Fault::RateLimitAlways, 3_600), (Fault::RateLimitSeconds, u64::MAX)] {
            let options = Options { every: 1, retry_after: Duration::from_secs(asked), ..options(5) };
            let simulator = Simulator::start(options).unwrap();
            simulator.set_faults([fault]);
            let error = read(kind, &simulator).await.unwrap_err();
            assert!(matches!(error.cause, Cause::RateLimited { .. }), "{kind}: {error}");
            assert!(error.to_string().contains("deadline_minutes"), "{kind}: {error}");
        }
    }
}

#[tokio::test]
async fn a_read_that_takes_too_long_ends_at_its_deadline() {
    for kind in ConnectorKind::ALL {
        let simulator = simulator(450);
        simulator.set_latency(Duration::from_secs(30));
        let request = ReadRequest { deadline: Duration::from_millis(50), ..request() };
        let error = connect(kind, &simulator).read(&request, &()).await.unwrap_err();
        assert_eq!(error.cause, Cause::Deadline(Duration::from_millis(50)), "{kind}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_its_target_never_called() {
    for kind in ConnectorKind::ALL {
        let simulator = simulator(5);
        simulator.set_faults([Fault::Redirect]);
        let error = read(kind, &simulator).await.unwrap_err();
        assert!(matches!(error.cause, Cause::Redirect(_)), "{kind}: {error}");
        let calls = simulator.journal().calls();
        assert!(calls.iter().all(|call| !call.path.starts_with("/elsewhere")), "{kind}: {calls:?}");
    }
}

#[tokio::test]
async fn ids_as_numbers_give_the_same_directory_as_ids_as_texts() {
    let look = |directory: &Directory| {
        let users = directory.users.iter();
        let users = users.map(|user| {
            (user.id().to_owned(), user.role().map(|role| role.id.clone()), user.profile().map(|p| p.id.clone()))
        });
        (users.collect::<Vec<_>>(), directory.roles.clone(), directory.profiles.clone())
    };
    for kind in ConnectorKind::ALL {
        let simulator = simulator(450);
        let texts = read(kind, &simulator).await.unwrap();
        simulator.set_faults([Fault::IdsAsNumbers]);
        let numbers = read(kind, &simulator).await.unwrap();
        assert_eq!(look(&texts), look(&numbers), "{kind}");
    }
}

#[tokio::test]
async fn every_kind_reads_the_same_workspace_alike() {
    let simulator = simulator(450);
    let mut directories = Vec::new();
    for kind in ConnectorKind::ALL {
        let Directory { organization, current_user, users, roles, profiles, .. } =
            read(kind, &simulator).await.unwrap();
        let whole = |user: User<'_>| {
            let (role, profile) = (user.role().map(|role| role.id.clone()), user.profile().map(|p| p.id.clone()));
            let texts = [user.full_name(), user.email(), user.zuid()].map(|text| text.map(str::to_owned));
            (user.id().to_owned(), texts, user.status().word().to_owned(), user.confirmed(), role, profile)
        };
        let users: Vec<_> = users.iter().map(whole).collect();
        directories.push((organization, current_user, users, roles, profiles));
    }
    for other in &directories[1..] {
        assert_eq!(&directories[0], other);
    }
}

#[tokio::test]
async fn permissions_that_the_api_does_not_return_are_unknown_and_nothing_else_is() {
    for kind in ConnectorKind::ALL {
        let simulator = simulator(5);
        let (fault, why) = without_permissions(kind);
        simulator.set_faults([fault]);
        let directory = read(kind, &simulator).await.unwrap();
        let expected = Permissions::Unknown(why.to_owned());
        assert!(directory.profiles.iter().all(|profile| profile.permissions == expected), "{kind}");
        assert!(directory.reading.is_complete(), "{kind}");
    }
}

#[tokio::test]
async fn another_user_than_the_one_asked_for_is_an_error() {
    for kind in ConnectorKind::ALL {
        let simulator = simulator(5);
        let (connector, id) = (connect(kind, &simulator), user(&simulator, 3));
        assert_eq!(connector.user(&id).await.unwrap().unwrap().id, id, "{kind}");
        assert_eq!(connector.user(&UserId::from("42")).await.unwrap(), None, "{kind}");
        simulator.set_faults([Fault::WrongUserById]);
        let error = connector.user(&id).await.unwrap_err();
        assert!(matches!(error.cause, Cause::AnotherUser { .. }), "{kind}: {error}");
    }
}

#[tokio::test]
async fn a_permission_that_the_account_lacks_is_named_with_what_to_do() {
    for kind in ConnectorKind::ALL {
        let simulator = simulator(5);
        let body = json!({
            "code": "NO_PERMISSION", "details": {"permissions": ["Crm_Implied_View_Users"]},
            "message": "permission denied", "status": "error",
        });
        simulator.override_answer(roles_path(kind), Some(Answer::json(403, &body)));
        let error = read(kind, &simulator).await.unwrap_err();
        assert!(matches!(error.cause, Cause::MissingRight(_)), "{kind}: {error}");
        assert!(error.to_string().contains("Setup > Profiles"), "{kind}: {error}");
    }
}

#[tokio::test]
async fn a_user_is_removed_once_and_gone_the_second_time() {
    for kind in ConnectorKind::ALL {
        let simulator = powerful(20);
        let (connector, id) = (connect(kind, &simulator), user(&simulator, 5));
        let request = connector.removal_request(&id).await.unwrap();
        let is_deletion = |call: &rolecall_simulator::Call| call.method == "DELETE";
        assert!(request.starts_with(&format!("DELETE {}/", simulator.base_url())), "{kind}: {request}");
        assert!(request.contains(id.as_str()), "{kind}: {request}");
        assert!(!simulator.journal().calls().iter().any(is_deletion), "{kind}");
        assert_eq!(connector.remove(&id).await, Ok(Removal::Accepted), "{kind}");
        assert_eq!(simulator.journal().calls().iter().filter(|call| is_deletion(call)).count(), 1, "{kind}");
        assert!(connector.user(&id).await.unwrap().unwrap().is_deleted(), "{kind}");
        assert_eq!(connector.remove(&id).await, Ok(Removal::AlreadyGone), "{kind}");
        let primary = UserId::from(simulator.world().read(|world| world.caller().to_owned()).as_str());
        let error = connector.remove(&primary).await.unwrap_err();
        assert!(error.to_string().contains("Primary contact cannot be deleted"), "{kind}: {error}");
    }
}

#[tokio::test]
async fn a_survey_finds_what_an_audit_needs_and_names_what_is_lacking() {
    for kind in ConnectorKind::ALL {
        let simulator = powerful(20);
        let survey = connect(kind, &simulator).survey().await.unwrap();
        assert_eq!(survey.source.connector, kind);
        assert!(survey.grants.iter().all(|grant| grant.state == GrantState::Granted), "{kind}: {:?}", survey.grants);
        assert!(survey.organization.is_some() && survey.current_user.is_some(), "{kind}");
        assert!(survey.roles.is_some() && survey.profiles.is_some() && survey.obstacles.is_empty(), "{kind}");
        assert!(survey.clock_ahead.is_some_and(|ahead| ahead.num_seconds().abs() <= 1), "{kind}");

        let simulator = self::simulator(20);
        simulator.set_faults([Fault::MissingScopeRoles]);
        let survey = connect(kind, &simulator).survey().await.unwrap();
        let needed = survey.grants.iter().filter(|grant| grant.purpose == Purpose::Audit);
        let lacking = needed.filter(|grant| matches!(grant.state, GrantState::Lacking(_))).count();
        assert_eq!(lacking, 1, "{kind}: {:?}", survey.grants);
        assert!(survey.roles.is_none() && survey.profiles.is_some(), "{kind}");
    }
}
