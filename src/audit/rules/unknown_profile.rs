//! What this user may do cannot be told.

use std::collections::HashSet;

use super::prelude::*;
use crate::model::id::ProfileId;

pub(in crate::audit) const RULE: Rule = Rule {
    name: "unknown-profile",
    title: "User with a profile that is on no list",
    severity: Severity::High,
    criterion: "CC6.3",
    doc: include_str!("unknown-profile.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) {
    let known: HashSet<&ProfileId> = context.directory.profiles.iter().map(|profile| &profile.id).collect();
    if context.directory.users.stated_profiles().iter().all(|stated| known.contains(&stated.id)) {
        return;
    }
    for row in context.present() {
        let Some(profile) = row.profile.filter(|profile| profile.master.is_none()) else { continue };
        let message = format!(
            "The profile of this user, {} “{}”, is not on the master list of profiles; assign one that is.",
            profile.stated.id,
            profile.stated.name.as_deref().unwrap_or_default()
        );
        sink.report(Subject::User(row.user.index()), message);
    }
}
