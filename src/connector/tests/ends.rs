//! How a read ends under each fault: decided once for each kind, without a wildcard, so that a new fault does not compile
//! before somebody has decided.

use CheckKind::{Administrators, DistinctUsers, FirstPageAgain, MoreRecords, PageLength, Records, SourceComplete};
use End::{AfterRetries, Fails, Incomplete, NotEvaluated, Repaired, Unnoticed, Whole};

use crate::model::{kind::ConnectorKind, reading::CheckKind};
use rolecall_simulator::Fault;

/// How a read ends.
pub(super) enum End {
    /// Complete at the first try.
    Whole,
    /// Complete after calls were repeated.
    AfterRetries,
    /// Complete: a check disagreed, and agreed when everything was read again.
    Repaired(CheckKind),
    /// Incomplete: a check disagrees however often everything is read.
    Incomplete(CheckKind),
    /// Complete, as far as is known: a check cannot be made.
    NotEvaluated(CheckKind),
    /// Incomplete, and nobody can see it: the platform does not pass on what would show it.
    Unnoticed,
    /// An error that says all of this.
    Fails(&'static [&'static str]),
}

pub(super) fn end(kind: ConnectorKind, fault: Fault) -> End {
    match kind {
        ConnectorKind::ZohoBigin => zoho_bigin(fault),
        ConnectorKind::Truto => truto(fault),
    }
}

fn zoho_bigin(fault: Fault) -> End {
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
        Fault::Redirect => Fails(&["redirects", "sends no token to another address", "api_url"]),
        Fault::TokenNeverAccepted => Fails(&["the access token was rejected (INVALID_TOKEN)", "same data center"]),
        Fault::TokenThrottled | Fault::TokenThrottledLocalised => {
            Fails(&["no more access tokens are issued for now", "Nothing is revoked"])
        }
        Fault::WrongDataCentre => {
            Fails(&["the client id was rejected (invalid_client)", "data center `eu`", "another data center"])
        }
        Fault::Revoked => Fails(&["the refresh token was rejected (invalid_code)", "revoked", "new refresh token"]),
        Fault::ForeignApiDomain => Fails(&["not one of the vendor's", "no token was sent there"]),
        Fault::MissingScopeUsers => Fails(&["lacks the scope ZohoBigin.users.READ", "Generate Code"]),
        Fault::MissingScopeRoles => Fails(&["lacks the scope ZohoBigin.settings.roles.READ", "Generate Code"]),
        Fault::MissingScopeProfiles => Fails(&["lacks the scope ZohoBigin.settings.profiles.READ", "Generate Code"]),
        Fault::MissingScopeOrg => Fails(&["lacks the scope ZohoBigin.org.READ", "Generate Code"]),
        Fault::EmptyUserList | Fault::EmptyUserArray => Fails(&["lists no users", "Nothing was reported"]),
        Fault::MissingId => Incomplete(Records),
        Fault::OddFields | Fault::GarbledText => NotEvaluated(Records),
    }
}

fn truto(fault: Fault) -> End {
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
        | Fault::TrutoTier
        | Fault::TrutoBadGateway => AfterRetries,
        Fault::SlowBody
        | Fault::IdsAsNumbers
        | Fault::ProfileCustomShape
        | Fault::ProfileDetailsRefused
        | Fault::WrongUserById
        | Fault::DeletionDenied
        | Fault::DeletionFeigned
        | Fault::DeletionVanishes
        | Fault::TokenExpires
        | Fault::TokenNeverAccepted
        | Fault::TokenThrottled
        | Fault::TokenThrottledOnce
        | Fault::TokenThrottledLocalised
        | Fault::TokenServerError
        | Fault::WrongDataCentre
        | Fault::Revoked
        | Fault::ForeignApiDomain
        | Fault::MoreRecordsTrueAtEnd
        | Fault::TrutoQuota
        | Fault::TrutoEmptyPage
        | Fault::TrutoGetVerbatim
        | Fault::TrutoGetResult
        | Fault::TrutoDeleteVerbatim
        | Fault::TrutoDeleteNothing
        | Fault::TrutoResultsEnvelope
        | Fault::TrutoNoProfileDetails
        | Fault::TrutoSandbox
        | Fault::TrutoErrorDetails => Whole,
        Fault::TrutoNoFilter => NotEvaluated(Administrators),
        Fault::TrutoPartialOnce => Repaired(SourceComplete),
        Fault::UserInsertedOnce | Fault::DuplicateRowOnce => Repaired(DistinctUsers),
        Fault::UserRemovedOnce | Fault::ShortPageOnce => Repaired(FirstPageAgain),
        Fault::TrutoPartialAlways => Incomplete(SourceComplete),
        Fault::TrutoCursorRepeats => Incomplete(MoreRecords),
        Fault::UsersShiftAlways => Incomplete(FirstPageAgain),
        Fault::DuplicateRowAlways => Incomplete(DistinctUsers),
        // Truto counts the rows that it passes on, and not those that the vendor announced.
        Fault::ShortPageAlways => Unnoticed,
        // The list breaks off after the first page, and the vendor's own list of administrators shows it.
        Fault::MoreRecordsFalseTooEarly | Fault::AdminFilterDisagrees => Incomplete(Administrators),
        Fault::RateLimitAlways => Fails(&["429", "failed 6 times"]),
        Fault::ServerErrorAlways => Fails(&["HTTP 500", "failed 6 times"]),
        Fault::EndlessBody => Fails(&["larger than 1048576 bytes"]),
        Fault::Redirect => Fails(&["redirects", "sends no token to another address", "api_url"]),
        Fault::MissingScopeUsers | Fault::MissingScopeRoles | Fault::MissingScopeProfiles | Fault::MissingScopeOrg => {
            Fails(&["lacks the scope ZohoBigin.", "Connect the integrated account again"])
        }
        Fault::EmptyUserList | Fault::EmptyUserArray => Fails(&["lists no users", "Nothing was reported"]),
        Fault::MissingId => Incomplete(Records),
        Fault::OddFields | Fault::GarbledText => NotEvaluated(Records),
        Fault::TrutoNoResult => Fails(&["missing field `result`"]),
        Fault::TrutoNeedsReauth => {
            Fails(&["the stored connection was rejected", "Connect the integrated account again"])
        }
        Fault::TrutoBlocked => Fails(&["the account is blocked", "Lift the block in Truto"]),
    }
}
