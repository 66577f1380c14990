//! One file per rule, its documentation beside it. [`super::registry`] gives the order.

#![allow(clippy::unnecessary_wraps, reason = "every rule has the same signature")]

pub(super) mod administrative_role;
pub(super) mod administrator;
pub(super) mod administrator_clone;
pub(super) mod ambiguous_roster_match;
pub(super) mod break_glass_changed;
pub(super) mod changed_without_decision;
pub(super) mod conflicting_access;
pub(super) mod dangerous_profile;
pub(super) mod decision_not_carried_out;
pub(super) mod duplicate_person;
pub(super) mod expired_exception;
pub(super) mod inactive_administrator;
pub(super) mod incomplete_read;
pub(super) mod joiner_without_account;
pub(super) mod leaver_active;
pub(super) mod long_exception;
pub(super) mod look_alike_address;
pub(super) mod manager_left;
pub(super) mod missing_parent_role;
pub(super) mod new_full_power;
pub(super) mod no_administrator;
pub(super) mod no_profile;
pub(super) mod no_role;
pub(super) mod not_on_roster;
pub(super) mod only_one_administrator;
pub(super) mod outside_domain;
pub(super) mod primary_user_changed;
pub(super) mod primary_user_inactive;
pub(super) mod role_cycle;
pub(super) mod shared_mailbox;
pub(super) mod similar_profile_names;
pub(super) mod similar_role_names;
pub(super) mod stale_profile_name;
pub(super) mod stale_role_name;
pub(super) mod too_many_administrators;
pub(super) mod unapproved_administrator;
pub(super) mod unconfirmed_administrator;
pub(super) mod unconfirmed_user;
pub(super) mod unexpected_access;
pub(super) mod unknown_profile;
pub(super) mod unknown_role;
pub(super) mod unknown_status;
pub(super) mod unmatched_exception;
pub(super) mod unmatched_policy_entry;
pub(super) mod unreliable_roster;
pub(super) mod unused_profile;
pub(super) mod unused_role;

/// What a rule's file needs.
mod prelude {
    pub(super) use crate::{
        audit::{context::Context, not_evaluated::NotEvaluated, rule::BuiltIn, sink::Sink, text},
        model::finding::{Severity, Subject},
    };
}
