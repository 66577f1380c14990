//! What can go wrong on purpose.
//!
//! Each [`Fault`] has a kebab-case name, by which it is switched on when the simulator starts or
//! while it runs. Faults that strike "now and then" strike every n-th call of the API
//! ([`crate::Options::every`]), those that strike once do so at the first opportunity
//! after they were switched on: a test that sees a fault sees it again.
//!
//! To add one: a line in the list below, the place in `http/` where it strikes, a test in
//! `tests/faults.rs`.

use std::{
    collections::BTreeSet,
    fmt,
    str::FromStr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use thiserror::Error;

/// Declares the faults once: variant, name on the command line, line of help.
macro_rules! faults {
    ($($variant:ident $name:literal $help:literal)*) => {
        /// One thing that goes wrong on purpose.
        #[expect(clippy::doc_markdown, reason = "the same text is plain text in the help")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault {
            $(#[doc = $help] $variant,)*
        }

        impl Fault {
            /// All faults, in the order in which the help shows them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name on the command line.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// What it does, in one line.
            pub fn description(self) -> &'static str {
                match self { $(Self::$variant => $help),* }
            }
        }
    };
}

faults! {
    RateLimitSeconds "rate-limit-seconds" "Every n-th call answers 429 with Retry-After in seconds."
    RateLimitDate "rate-limit-date" "Every n-th call answers 429 with Retry-After as an HTTP date."
    RateLimitReset "rate-limit-reset" "Every n-th call answers 429 with ratelimit-reset in seconds."
    RateLimitBare "rate-limit-bare" "Every n-th call answers 429 and does not say how long to wait."
    RateLimitOldShape "rate-limit-old-shape" "Every n-th call answers 429 with the older body, whose code is a number."
    RateLimitAlways "rate-limit-always" "Every call answers 429 with Retry-After in seconds."
    ServerError "server-error" "Every n-th call answers 500 INTERNAL_ERROR."
    ServerErrorAlways "server-error-always" "Every call answers 500 INTERNAL_SERVER_ERROR."
    BadGateway "bad-gateway" "Every n-th call answers 502 with a page of HTML."
    TruncatedJson "truncated-json" "Every n-th call answers with JSON that is cut off in the middle."
    ConnectionDropped "connection-dropped" "Every n-th call loses the connection in the middle of the body."
    SlowBody "slow-body" "Lists of users arrive in pieces with a pause before each."
    EndlessBody "endless-body" "Lists of users never end."
    Redirect "redirect" "Calls of the API are redirected to /elsewhere."
    TokenExpires "token-expires" "The access token is refused (401 INVALID_TOKEN) once, at the third call."
    TokenNeverAccepted "token-never-accepted" "Every access token is refused with 401 INVALID_TOKEN."
    TokenThrottled "token-throttled" "The token endpoint answers 400 Access Denied."
    TokenThrottledOnce "token-throttled-once" "The token endpoint answers 400 Access Denied the first time."
    TokenThrottledLocalised "token-throttled-localised" "The token endpoint answers 400 Access Denied in another language."
    TokenServerError "token-server-error" "The token endpoint answers 500 with a page of HTML the first time."
    WrongDataCentre "wrong-data-centre" "The token endpoint does not know the client (invalid_client)."
    Revoked "revoked" "The refresh token was revoked (invalid_code)."
    ForeignApiDomain "foreign-api-domain" "The token answer names an API host that is not the vendor's."
    MissingScopeUsers "missing-scope-users" "The token may not read users (401 OAUTH_SCOPE_MISMATCH)."
    MissingScopeRoles "missing-scope-roles" "The token may not read roles (401 OAUTH_SCOPE_MISMATCH)."
    MissingScopeProfiles "missing-scope-profiles" "The token may not read profiles (401 OAUTH_SCOPE_MISMATCH)."
    MissingScopeOrg "missing-scope-org" "The token may not read the organization (401 OAUTH_SCOPE_MISMATCH)."
    ProfileDetailsRefused "profile-details-refused" "The permissions of a profile are refused (403 NO_PERMISSION)."
    UserInsertedOnce "user-inserted-once" "A user is inserted at the head of the list before page 2 is read, once."
    UserRemovedOnce "user-removed-once" "The second user of the list is removed before page 2 is read, once."
    UsersShiftAlways "users-shift-always" "The list shifts before every read of page 2."
    DuplicateRowOnce "duplicate-row-once" "Page 2 starts with the last row of page 1 and lacks its own last row, once."
    DuplicateRowAlways "duplicate-row-always" "Like duplicate-row-once, every time."
    ShortPageOnce "short-page-once" "Page 1 lacks its last row although `count` includes it, once."
    ShortPageAlways "short-page-always" "Like short-page-once, every time."
    MoreRecordsFalseTooEarly "more-records-false-too-early" "Page 1 says that there are no more records."
    MoreRecordsTrueAtEnd "more-records-true-at-end" "The last page says that there are more records."
    EmptyUserList "empty-user-list" "The list of users is empty (204)."
    EmptyUserArray "empty-user-array" "The list of users is an empty array (200)."
    IdsAsNumbers "ids-as-numbers" "Ids are numbers instead of strings."
    OddFields "odd-fields" "Lists of users and roles have fields of other types, empty ids and a field given twice."
    GarbledText "garbled-text" "Names of users hold half an emoji and a raw line feed."
    MissingId "missing-id" "The second user of each page has no id."
    ProfileCustomShape "profile-custom-shape" "Profiles have `custom` and `type` instead of `category`."
    AdminFilterDisagrees "admin-filter-disagrees" "type=AdminUsers lacks the last administrator."
    WrongUserById "wrong-user-by-id" "A request for a user by id answers with the caller instead."
    DeletionDenied "deletion-denied" "A deletion is carried out but answered with an error (400)."
    DeletionFeigned "deletion-feigned" "A deletion is answered with success but not carried out."
    DeletionVanishes "deletion-vanishes" "A deleted user is no longer listed or found by id."
    TrutoQuota "truto-quota" "Truto: three calls per second, counted in every answer; further calls answer 429."
    TrutoTier "truto-tier" "Truto: every n-th call answers 429 for Truto's own limit, with Retry-After."
    TrutoPartialOnce "truto-partial-once" "Truto: the first page of users says once that it is partial."
    TrutoPartialAlways "truto-partial-always" "Truto: the first page of users says that it is partial."
    TrutoEmptyPage "truto-empty-page" "Truto: an empty page with a cursor comes before the second page of users."
    TrutoCursorRepeats "truto-cursor-repeats" "Truto: the cursor of the second page of users leads to itself."
    TrutoNoFilter "truto-no-filter" "Truto: filters are not passed on to the vendor."
    TrutoGetVerbatim "truto-get-verbatim" "Truto: a single record is wrapped as the vendor wraps it."
    TrutoGetResult "truto-get-result" "Truto: a single record is wrapped in `result`."
    TrutoDeleteVerbatim "truto-delete-verbatim" "Truto: a deletion is answered in the vendor's words."
    TrutoDeleteNothing "truto-delete-nothing" "Truto: a deletion is answered with 204."
    TrutoResultsEnvelope "truto-results-envelope" "Truto: lists come in `results`, and tools are called zoho_bigin."
    TrutoNoResult "truto-no-result" "Truto: lists come without their rows."
    TrutoNoProfileDetails "truto-no-profile-details" "Truto: single profiles cannot be requested."
    TrutoSandbox "truto-sandbox" "Truto: the account is a sandbox, which refuses to write (405)."
    TrutoNeedsReauth "truto-needs-reauth" "Truto: the vendor refuses the account's credentials (401, remote)."
    TrutoBlocked "truto-blocked" "Truto: the account is blocked (503)."
    TrutoBadGateway "truto-bad-gateway" "Truto: every n-th call answers 502 with a page of HTML."
    TrutoErrorDetails "truto-error-details" "Truto: the vendor's error is in `details` instead of `raw_response`."
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// An unknown name of a fault.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("invalid fault `{0}`; `rolecall simulate --fault list` lists all")]
pub struct UnknownFault(String);

impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|fault| fault.name() == name).ok_or_else(|| UnknownFault(name.to_owned()))
    }
}

/// Which faults are on, and which have struck.
#[derive(Debug, Default)]
pub(super) struct FaultBoard(Mutex<Board>);

#[derive(Debug, Default)]
struct Board {
    on: BTreeSet<Fault>,
    struck: BTreeSet<Fault>,
    calls: u64,
    every: u64,
}

impl FaultBoard {
    pub(super) fn new(faults: impl IntoIterator<Item = Fault>, every: u64) -> Self {
        let on = faults.into_iter().collect();
        Self(Mutex::new(Board { on, every: every.max(1), ..Board::default() }))
    }

    /// Switches on exactly these faults. The count of calls restarts.
    pub(super) fn set(&self, faults: impl IntoIterator<Item = Fault>) {
        let mut board = self.lock();
        let every = board.every;
        *board = Board { on: faults.into_iter().collect(), every, ..Board::default() };
    }

    pub(super) fn is_on(&self, fault: Fault) -> bool {
        self.lock().on.contains(&fault)
    }

    /// Whether the fault is on and strikes now, for the first time.
    pub(super) fn once(&self, fault: Fault) -> bool {
        let mut board = self.lock();
        board.on.contains(&fault) && board.struck.insert(fault)
    }

    /// Counts one call of the API.
    pub(super) fn count_call(&self) -> CallNumber {
        let mut board = self.lock();
        board.calls += 1;
        CallNumber { number: board.calls, every: board.every }
    }

    fn lock(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number of this call of the API since the faults were set.
#[derive(Debug, Clone, Copy)]
pub(super) struct CallNumber {
    pub(super) number: u64,
    every: u64,
}

impl CallNumber {
    /// Whether faults that strike now and then strike this call.
    pub(super) fn is_struck(self) -> bool {
        self.number.is_multiple_of(self.every)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_found_by_its_own_kebab_case_name() {
        for fault in Fault::ALL {
            assert_eq!(fault.name().parse(), Ok(*fault));
            assert!(fault.name().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{fault}");
        }
        assert!("rate-limit".parse::<Fault>().is_err());
    }

    #[test]
    fn a_fault_that_strikes_once_strikes_again_only_after_it_was_set_again() {
        let board = FaultBoard::new([Fault::ShortPageOnce], 5);
        assert!(board.once(Fault::ShortPageOnce));
        assert!(!board.once(Fault::ShortPageOnce));
        board.set([Fault::ShortPageOnce]);
        assert!(board.once(Fault::ShortPageOnce));
        assert!(!board.once(Fault::Redirect));
    }

    #[test]
    fn every_nth_call_is_struck() {
        let board = FaultBoard::new([], 3);
        let struck: Vec<_> = (0..6).map(|_| board.count_call().is_struck()).collect();
        assert_eq!(struck, [false, false, true, false, false, true]);
    }
}
