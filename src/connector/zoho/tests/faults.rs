//! Each fault that the simulator can produce, and how a read must end under it.

use std::time::Duration;

use super::support::{ids, outcome, read, request, settings_of, simulator};
use crate::{
    connector::{Connector as _, ConnectorError, ReadRequest, zoho::ZohoBigin},
    model::{
        directory::Permissions,
        id::UserId,
        reading::{CheckKind, CheckOutcome},
    },
};
use rolecall_simulator::{Fault, Options, Simulator};

/// How a read ends.
enum End {
    /// Everything is there, and nothing is to be said of it.
    Whole,
    /// Everything is there after calls were repeated.
    AfterRetries,
    /// A check disagreed, and agreed when everything was read again.
    Repaired(CheckKind),
    /// A check disagrees for ever: the read is incomplete.
    Incomplete(CheckKind),
    /// Nothing comes, and the error says so.
    Fails(&'static [&'static str]),
}

/// Without a wildcard, so that a new fault does not compile before somebody has decided how a read ends under it.
fn end(fault: Fault) -> End {
    use CheckKind::{Administrators, DistinctUsers, FirstPageAgain, MoreRecords, PageLength};
    use End::{AfterRetries, Fails, Incomplete, Repaired, Whole};
    match fault {
        Fault::RateLimitSeconds
        | Fault::RateLimitDate
        | Fault::RateLimitReset
        | Fault::RateLimitBare
        | Fault::RateLimitOldShape
        | Fault::ServerError
        | Fault::BadGateway
        | Fault::TruncatedJson
        | Fault::ConnectionDropped
        | Fault::TokenExpires
        | Fault::TokenThrottledOnce
        | Fault::TokenServerError => AfterRetries,
        Fault::SlowBody
        | Fault::IdsAsNumbers
        | Fault::ProfileCustomShape
        | Fault::ProfileDetailsRefused
        | Fault::WrongUserById
        | Fault::DeletionDenied
        | Fault::DeletionFeigned
        | Fault::DeletionVanishes
        | Fault::TrutoQuota
        | Fault::TrutoTier
        | Fault::TrutoPartialOnce
        | Fault::TrutoPartialAlways
        | Fault::TrutoEmptyPage
        | Fault::TrutoCursorRepeats
        | Fault::TrutoNoFilter
        | Fault::TrutoGetVerbatim
        | Fault::TrutoGetResult
        | Fault::TrutoDeleteVerbatim
        | Fault::TrutoDeleteNothing
        | Fault::TrutoResultsEnvelope
        | Fault::TrutoNoResult
        | Fault::TrutoNoProfileDetails
        | Fault::TrutoSandbox
        | Fault::TrutoNeedsReauth
        | Fault::TrutoBlocked
        | Fault::TrutoBadGateway
        | Fault::TrutoErrorDetails => Whole,
        Fault::UserInsertedOnce | Fault::DuplicateRowOnce => Repaired(DistinctUsers),
        Fault::UserRemovedOnce => Repaired(FirstPageAgain),
        Fault::ShortPageOnce => Repaired(PageLength),
        Fault::UsersShiftAlways => Incomplete(FirstPageAgain),
        Fault::DuplicateRowAlways => Incomplete(DistinctUsers),
        Fault::ShortPageAlways => Incomplete(PageLength),
        Fault::MoreRecordsFalseTooEarly | Fault::MoreRecordsTrueAtEnd => Incomplete(MoreRecords),
        Fault::AdminFilterDisagrees => Incomplete(Administrators),
        Fault::RateLimitAlways => Fails(&["429", "failed 6 times"]),
        Fault::ServerErrorAlways => Fails(&["HTTP 500", "INTERNAL_SERVER_ERROR", "failed 6 times"]),
        Fault::EndlessBody => Fails(&["larger than 1048576 bytes"]),
        Fault::Redirect => Fails(&["redirects", "does not carry a token elsewhere", "api_url"]),
        Fault::TokenNeverAccepted => Fails(&["refuses the access token", "INVALID_TOKEN", "same data centre"]),
        Fault::TokenThrottled | Fault::TokenThrottledLocalised => {
            Fails(&["gives no more access tokens for now", "Nothing is revoked"])
        }
        Fault::WrongDataCentre => Fails(&["does not know the client", "data_center = \"eu\"", "another data centre"]),
        Fault::Revoked => Fails(&["refuses the refresh token", "invalid_code", "revoked", "Make a new one"]),
        Fault::ForeignApiDomain => Fails(&["none of the vendor's", "no token was sent there"]),
        Fault::MissingScopeUsers => Fails(&["lacks the scope ZohoBigin.users.READ", "Generate Code"]),
        Fault::MissingScopeRoles => Fails(&["lacks the scope ZohoBigin.settings.roles.READ", "Generate Code"]),
        Fault::MissingScopeProfiles => Fails(&["lacks the scope ZohoBigin.settings.profiles.READ", "Generate Code"]),
        Fault::MissingScopeOrg => Fails(&["lacks the scope ZohoBigin.org.READ", "Generate Code"]),
        Fault::EmptyUserList | Fault::EmptyUserArray => Fails(&["lists no users at all", "Nothing was reported"]),
        Fault::MissingId => Fails(&["`users[1].id`", "a user without an id"]),
    }
}

#[tokio::test]
async fn a_read_ends_under_each_fault_as_it_must() {
    for fault in Fault::ALL.iter().copied() {
        let simulator = simulator(450);
        let truth = simulator.world().read(rolecall_simulator::World::user_ids);
        simulator.set_faults([fault]);
        let result = read(settings_of(&simulator)).await;
        let after = simulator.world().read(rolecall_simulator::World::user_ids);
        let sorted = |mut ids: Vec<String>| {
            ids.sort();
            ids
        };
        match (end(fault), result) {
            (End::Whole, Ok(directory)) => {
                assert!(directory.reading.is_complete(), "{fault}: {:?}", directory.reading.checks);
                assert_eq!((directory.reading.attempts, directory.reading.retries), (1, 0), "{fault}");
                assert_eq!(sorted(ids(&directory)), sorted(truth), "{fault}");
            }
            (End::AfterRetries, Ok(directory)) => {
                assert!(directory.reading.is_complete(), "{fault}: {:?}", directory.reading.checks);
                assert!(directory.reading.retries > 0, "{fault}");
                assert_eq!(sorted(ids(&directory)), sorted(truth), "{fault}");
            }
            (End::Repaired(kind), Ok(directory)) => {
                assert!(directory.reading.is_complete(), "{fault}: {:?}", directory.reading.checks);
                assert!(matches!(outcome(&directory, kind), CheckOutcome::Repaired { .. }), "{fault}");
                assert_eq!(directory.reading.attempts, 2, "{fault}");
                assert_eq!(sorted(ids(&directory)), sorted(after), "{fault}");
            }
            (End::Incomplete(kind), Ok(directory)) => {
                assert!(!directory.reading.is_complete(), "{fault}");
                assert!(
                    matches!(outcome(&directory, kind), CheckOutcome::Disagreed { .. }),
                    "{fault}: {:?}",
                    directory.reading.checks
                );
                assert_eq!(directory.reading.attempts, 3, "{fault}");
            }
            (End::Fails(words), Err(error)) => {
                let error = error.to_string();
                for word in words {
                    assert!(error.contains(word), "{fault}: {word:?} is not in {error:?}");
                }
            }
            (_, Ok(directory)) => panic!("{fault}: read, with {:?}", directory.reading),
            (_, Err(error)) => panic!("{fault}: {error}"),
        }
    }
}

#[tokio::test]
async fn every_size_of_list_is_read_whole() {
    for users in [1, 2, 199, 200, 201, 399, 400, 401, 1_000, 1_801] {
        let simulator = simulator(users);
        let directory = read(settings_of(&simulator)).await.unwrap();
        assert_eq!(directory.users.len(), users as usize);
        assert!(directory.reading.is_complete(), "{users}: {:?}", directory.reading.checks);
        assert_eq!(directory.reading.pages, users.div_ceil(200));
    }
}

#[tokio::test]
async fn no_more_calls_are_in_flight_than_allowed_and_no_page_is_asked_for_twice_without_need() {
    for concurrency in [1, 2, 4] {
        let simulator = simulator(2_400);
        simulator.set_latency(Duration::from_millis(3));
        let mut settings = settings_of(&simulator);
        settings.limits.concurrency = concurrency;
        read(settings).await.unwrap();
        assert_eq!(simulator.journal().max_in_flight(), concurrency);
        let mut pages: Vec<String> = simulator.journal().calls().into_iter().map(|call| call.path).collect();
        pages.retain(|path| path.contains("type=AllUsers"));
        pages.sort();
        pages.dedup();
        // Twelve pages, the one behind the last, and those asked for before it was known to be the last.
        assert!((13..=12 + 2 * concurrency).contains(&pages.len()), "{concurrency}: {pages:?}");
    }
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_fails_at_once() {
    for (fault, asked) in [(Fault::RateLimitAlways, 3_600), (Fault::RateLimitSeconds, u64::MAX)] {
        let options = Options { every: 1, retry_after: Duration::from_secs(asked), ..Options::default() };
        let simulator = Simulator::start(options).unwrap();
        simulator.set_faults([fault]);
        let error = read(settings_of(&simulator)).await.unwrap_err();
        assert!(matches!(error, ConnectorError::RateLimited { .. }), "{error}");
        assert!(error.to_string().contains("deadline_minutes"), "{error}");
    }
}

#[tokio::test]
async fn a_read_that_takes_too_long_ends_at_its_deadline() {
    let simulator = simulator(450);
    simulator.set_latency(Duration::from_secs(30));
    let connector = ZohoBigin::new(settings_of(&simulator)).unwrap();
    let request = ReadRequest { deadline: Duration::from_millis(50), ..request() };
    let error = connector.read(&request, &()).await.unwrap_err();
    assert_eq!(error, ConnectorError::Deadline(Duration::from_millis(50)));
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_its_target_never_called() {
    let simulator = simulator(5);
    simulator.set_faults([Fault::Redirect]);
    read(settings_of(&simulator)).await.unwrap_err();
    let calls = simulator.journal().calls();
    assert!(calls.iter().all(|call| !call.path.starts_with("/elsewhere")), "{calls:?}");
}

#[tokio::test]
async fn ids_as_numbers_give_the_same_directory_as_ids_as_texts() {
    let simulator = simulator(450);
    let texts = read(settings_of(&simulator)).await.unwrap();
    simulator.set_faults([Fault::IdsAsNumbers]);
    let numbers = read(settings_of(&simulator)).await.unwrap();
    let look = |directory: &crate::model::directory::Directory| {
        let users = directory.users.iter();
        let users = users.map(|user| {
            (user.id().to_owned(), user.role().map(|role| role.id.clone()), user.profile().map(|p| p.id.clone()))
        });
        (users.collect::<Vec<_>>(), directory.roles.clone(), directory.profiles.clone())
    };
    assert_eq!(look(&texts), look(&numbers));
}

#[tokio::test]
async fn permissions_that_are_refused_are_unknown_and_nothing_else_is() {
    let simulator = simulator(5);
    simulator.set_faults([Fault::ProfileDetailsRefused]);
    let directory = read(settings_of(&simulator)).await.unwrap();
    let expected = Permissions::Unknown("the account may not see them".to_owned());
    assert!(directory.profiles.iter().all(|profile| profile.permissions == expected), "{:?}", directory.profiles);
}

#[tokio::test]
async fn another_user_than_the_one_asked_for_is_an_error() {
    let simulator = simulator(5);
    let connector = ZohoBigin::new(settings_of(&simulator)).unwrap();
    let id = UserId::from(simulator.world().read(|world| world.user_ids()[3].clone()).as_str());
    assert_eq!(connector.user(&id).await.unwrap().unwrap().id, id);
    assert_eq!(connector.user(&UserId::from("42")).await.unwrap(), None);
    simulator.set_faults([Fault::WrongUserById]);
    let error = connector.user(&id).await.unwrap_err();
    assert!(matches!(error, ConnectorError::AnotherUser { .. }), "{error}");
}

#[tokio::test]
async fn a_right_that_the_account_lacks_is_named() {
    let simulator = simulator(5);
    let body = serde_json::json!({"code": "NO_PERMISSION", "details": {"permissions": ["Crm_Implied_View_Users"]}, "message": "permission denied", "status": "error"});
    simulator.override_answer("/bigin/v2/settings/roles", Some(rolecall_simulator::Answer::json(403, &body)));
    let error = read(settings_of(&simulator)).await.unwrap_err().to_string();
    assert!(error.contains("lacks a right (Crm_Implied_View_Users)") && error.contains("Setup > Profiles"), "{error}");
}
