//! What was read: the source, the read itself, roles and profiles.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// The API that a directory was read from.
#[derive(Serialize, JsonSchema)]
pub(in crate::report::json) struct Source<'a> {
    /// The connector's name.
    pub(in crate::report::json) connector: &'static str,
    /// The API's base address.
    pub(in crate::report::json) api_url: &'a str,
    /// The vendor's data center.
    pub(in crate::report::json) data_center: Option<&'a str>,
    /// The scopes that the token response named.
    pub(in crate::report::json) scopes: Option<&'a [String]>,
}

/// The organization that a workspace belongs to.
#[derive(Serialize, JsonSchema)]
pub(in crate::report::json) struct Organization<'a> {
    pub(in crate::report::json) id: Option<&'a str>,
    pub(in crate::report::json) company_name: Option<&'a str>,
    pub(in crate::report::json) zgid: Option<&'a str>,
    pub(in crate::report::json) domain_name: Option<&'a str>,
    pub(in crate::report::json) primary_zuid: Option<&'a str>,
    pub(in crate::report::json) primary_email: Option<&'a str>,
    pub(in crate::report::json) country_code: Option<&'a str>,
    pub(in crate::report::json) time_zone: Option<&'a str>,
    pub(in crate::report::json) iso_code: Option<&'a str>,
    pub(in crate::report::json) currency_locale: Option<&'a str>,
    pub(in crate::report::json) paid_type: Option<&'a str>,
    pub(in crate::report::json) users_license_purchased: Option<u64>,
}

/// The account that read a directory.
#[derive(Serialize, JsonSchema)]
pub(in crate::report::json) struct ReadAccount<'a> {
    /// The user's id.
    pub(in crate::report::json) user_id: &'a str,
    /// The display name.
    pub(in crate::report::json) full_name: Option<&'a str>,
    /// The address.
    pub(in crate::report::json) email: Option<&'a str>,
    /// The profile's id.
    pub(in crate::report::json) profile_id: Option<&'a str>,
}

/// The record of one read.
#[derive(Serialize, JsonSchema)]
pub(in crate::report::json) struct Reading<'a> {
    /// When the first call was made.
    pub(in crate::report::json) started_at: DateTime<Utc>,
    /// When the last response had arrived.
    pub(in crate::report::json) finished_at: DateTime<Utc>,
    /// How often the user list was read: more than 1 only if a check disagreed.
    pub(in crate::report::json) attempts: u32,
    /// Pages of users in the last read.
    pub(in crate::report::json) pages: u32,
    /// The page size that was requested.
    pub(in crate::report::json) per_page: u32,
    /// Users on those pages, repeated ones included.
    pub(in crate::report::json) rows: u64,
    /// Distinct users among them.
    pub(in crate::report::json) users: u64,
    /// Calls made, repeated ones included.
    pub(in crate::report::json) requests: u64,
    /// Calls repeated after a failure or a rate limit.
    pub(in crate::report::json) retries: u64,
    /// Bytes of the response bodies, after decompression.
    pub(in crate::report::json) bytes: u64,
    /// The query of the user list, as sent, without the page number.
    pub(in crate::report::json) query: &'a str,
    /// Each check and its outcome.
    pub(in crate::report::json) checks: Vec<Check<'a>>,
}

/// One check of a read.
#[derive(Serialize, JsonSchema)]
pub(in crate::report::json) struct Check<'a> {
    /// What was compared, in words.
    #[serde(rename = "check")]
    pub(in crate::report::json) title: &'static str,
    /// `agrees`, `repaired`, `disagrees` or `not evaluated`.
    pub(in crate::report::json) outcome: &'static str,
    /// Details beyond the outcome.
    pub(in crate::report::json) detail: &'a str,
}

/// A role at its depth in the hierarchy.
#[derive(Serialize, JsonSchema)]
pub(in crate::report::json) struct Role<'a> {
    /// The role's id.
    pub(in crate::report::json) id: &'a str,
    /// The name.
    pub(in crate::report::json) name: &'a str,
    /// How far below the top, 0 at the top.
    pub(in crate::report::json) depth: usize,
    /// The role above, as the API states it.
    pub(in crate::report::json) reporting_to: Option<&'a str>,
    /// Why it stands at the top although it reports to another role: `missing-parent` or `cycle`.
    pub(in crate::report::json) broken: Option<&'static str>,
    /// Whether the role carries administrative power.
    pub(in crate::report::json) admin_user: Option<bool>,
    /// Whether holders see their peers' records.
    pub(in crate::report::json) share_with_peers: Option<bool>,
    /// The description.
    pub(in crate::report::json) description: Option<&'a str>,
    /// Users who hold it and are not deleted.
    pub(in crate::report::json) holders: usize,
}

/// A profile.
#[derive(Serialize, JsonSchema)]
pub(in crate::report::json) struct Profile<'a> {
    /// The profile's id.
    pub(in crate::report::json) id: &'a str,
    /// The name.
    pub(in crate::report::json) name: &'a str,
    /// Whether it makes an administrator.
    pub(in crate::report::json) administrator: bool,
    /// Whether the company created it, rather than the vendor.
    pub(in crate::report::json) custom: Option<bool>,
    /// The description.
    pub(in crate::report::json) description: Option<&'a str>,
    /// When it last changed.
    pub(in crate::report::json) modified_time: Option<DateTime<Utc>>,
    /// Users who hold it and are not deleted.
    pub(in crate::report::json) holders: usize,
    /// What it permits; null if the API did not say.
    pub(in crate::report::json) permissions: Option<Vec<Permission<'a>>>,
    /// Why the permissions are unknown; null if they are known.
    pub(in crate::report::json) permissions_unknown_because: Option<&'a str>,
    /// How much power it gives: `administrator`, `equivalent`, `dangerous`, `ordinary` or `unknown`.
    pub(in crate::report::json) power: &'static str,
    /// What to take away from it; null if there is nothing, or if it is not known.
    pub(in crate::report::json) reduction: Option<Reduction<'a>>,
}

/// The smallest sets of permissions to take away from a profile.
#[derive(Serialize, JsonSchema)]
pub(in crate::report::json) struct Reduction<'a> {
    /// The administrator profile of which it permits everything; null if there is none.
    pub(in crate::report::json) equals: Option<&'a str>,
    /// Without these, it no longer permits everything that an administrator profile permits.
    pub(in crate::report::json) for_less_than_full_power: Vec<Permission<'a>>,
    /// Its dangerous permissions.
    pub(in crate::report::json) dangerous: Vec<Permission<'a>>,
    /// Without these, it is neither as strong nor dangerous.
    pub(in crate::report::json) for_ordinary: Vec<Permission<'a>>,
}

/// One permission of a profile.
#[derive(Serialize, JsonSchema)]
pub(in crate::report::json) struct Permission<'a> {
    /// Its name in the API.
    pub(in crate::report::json) name: &'a str,
    /// The module that it is about; null for the whole workspace.
    pub(in crate::report::json) module: Option<&'a str>,
    /// Its label in the product.
    pub(in crate::report::json) label: Option<&'a str>,
    /// Whether the profile has it.
    pub(in crate::report::json) enabled: bool,
}
