//! It is unknown what this user may do.

use std::collections::HashSet;

use super::prelude::*;
use crate::model::id::ProfileId;

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "unknown-profile",
    title: "Unknown profile (not in the profile list)",
    severity: Severity::High,
    criteria: &["CC6.3"],
    doc: include_str!("unknown-profile.md"),
    judges_population: true,
    evaluate,
};

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let known: HashSet<&ProfileId> = context.directory.profiles.iter().map(|profile| &profile.id).collect();
    if context.directory.users.stated_profiles().iter().all(|stated| known.contains(&stated.id)) {
        return Ok(());
    }
    for row in context.present() {
        let Some(profile) = row.profile.filter(|profile| profile.master.is_none()) else { continue };
        let message = format!(
            "This user's profile, {} “{}”, is not in the profile list; assign one from the list.",
            profile.stated.id,
            profile.stated.name.as_deref().unwrap_or_default()
        );
        sink.report(Subject::User(row.user.index()), message);
    }
    Ok(())
}
