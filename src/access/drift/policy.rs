//! Changes of the policy since the previous audit.

use std::collections::BTreeMap;

use super::{Seen, SnapshotHeader};
use crate::{
    access::policy_drift::{Difference, differences, roster_differences},
    model::{
        change::{Change, ChangeKind},
        roster::{Roster, RosterTerms},
    },
};

/// Snapshots of an older rolecall have no policy: then nothing is said.
pub(super) fn compare(seen: &Seen<'_>, previous: &SnapshotHeader, changes: &mut Vec<Change>) {
    let Some(before) = &previous.policy else { return };
    changes.extend(differences(before, seen.policy, seen.rules, seen.workspace).into_iter().map(change));
}

/// What changed in the rosters that both audits read.
pub(super) fn compare_rosters(before: &BTreeMap<String, RosterTerms>, now: Option<&Roster>, changes: &mut Vec<Change>) {
    for source in now.iter().flat_map(|roster| &roster.sources) {
        let Some(before) = before.get(&source.name) else { continue };
        changes.extend(roster_differences(&source.name, before, &source.into()).into_iter().map(change));
    }
}

fn change(difference: Difference) -> Change {
    let Difference { key, entry, before, after, is_looser } = difference;
    let id = if entry.is_empty() { key.to_owned() } else { format!("{key}.{entry}") };
    Change {
        kind: if is_looser { ChangeKind::PolicyLoosened } else { ChangeKind::PolicyChanged },
        subject_type: "policy",
        subject: if is_looser { format!("{id} (looser)") } else { id.clone() },
        subject_id: id,
        field: key,
        before,
        after,
    }
}
