//! Findings that are new, that continue, that are resolved or accepted, and that are no longer counted.
//!
//! A finding is recognised by its rule and subject, even if the numbers in its message change. If a rule has several
//! findings about one subject, their messages without numbers distinguish them.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{Before, Current, Seen, SnapshotHeader};
use crate::{
    access::matrix::AccessMatrix,
    model::{
        change::{Change, ChangeKind, KnownFinding, Untold},
        directory::{Directory, Profile, Role},
        finding::{Finding, RuleOutcome, RuleResult, Subject},
        id::{ProfileId, RoleId},
        users::{User, UserIndex},
    },
};

/// Rules that compare accounts with each other: a finding about one rests on the fields of the others, too.
const COMPARING: [&str; 2] = ["duplicate-person", "look-alike-address"];

/// Rules that rest on what profiles permit and on which roles are administrative.
const ON_POWER: [&str; 12] = [
    "administrative-role",
    "administrator",
    "administrator-clone",
    "conflicting-access",
    "dangerous-profile",
    "inactive-administrator",
    "new-full-power",
    "no-administrator",
    "only-one-administrator",
    "too-many-administrators",
    "unapproved-administrator",
    "unconfirmed-administrator",
];

/// Sets [`Finding::continuing`]: whether the previous audit had it too, open or excepted.
pub fn mark_continuing(
    findings: &mut [Finding],
    matrix: &AccessMatrix<'_>,
    workspace: &str,
    previous: Option<&SnapshotHeader>,
) {
    let Some(previous) = previous else {
        return findings.iter_mut().for_each(|finding| finding.continuing = None);
    };
    let matches = pair(findings, &Subjects::of(matrix.directory(), workspace), previous);
    for (finding, known) in findings.iter_mut().zip(matches.of_current) {
        finding.continuing = Some(known.is_some());
    }
}

/// Adds what became of findings, and returns those of the previous audit about which nothing is known.
pub(super) fn compare(
    current: &Current<'_>,
    previous: &SnapshotHeader,
    before: Option<Before<'_>>,
    untold: &Untold<UserIndex>,
    changes: &mut Vec<Change>,
) -> Vec<KnownFinding> {
    let subjects = Subjects::of(current.seen.matrix.directory(), current.seen.workspace);
    let matches = pair(current.findings, &subjects, previous);
    let sought: Option<HashSet<Key<'_>>> =
        before.map(|before| before.findings.iter().map(|finding| key_of(finding, &subjects)).collect());
    let earlier = previous.known();
    for (finding, known) in current.findings.iter().zip(&matches.of_current) {
        let known = known.map(|place| earlier[place]);
        let about = || About {
            rule: &finding.rule,
            kind: finding.subject.kind(),
            id: subjects.id(&finding.subject),
            label: subjects.label(&finding.subject),
        };
        if finding.is_open() && known.is_none_or(|known| !known.open) {
            let before = match known {
                // A finding whose exception ended or was removed is open again.
                Some(_) => "excepted",
                None if sought.as_ref().is_some_and(|sought| !sought.contains(&key_of(finding, &subjects))) => {
                    Change::NOT_LOOKED_FOR
                }
                None => "",
            };
            changes.push(change(ChangeKind::FindingNew, &about(), before, &finding.message));
        }
        if !finding.is_open() && known.is_some_and(|known| known.open) {
            changes.push(change(ChangeKind::FindingAccepted, &about(), "open", "excepted"));
        }
    }
    if current.seen.matrix.directory().reading.is_complete() {
        return gone(current, previous, before, (&subjects, &matches, untold), changes);
    }
    Vec::new()
}

/// Findings of the previous audit, open or accepted, that this one does not have. What the policy no longer counts is not
/// resolved, and what was not looked at is neither: it is returned, so that it is not new when it is seen again.
fn gone(
    current: &Current<'_>,
    previous: &SnapshotHeader,
    before: Option<Before<'_>>,
    (subjects, matches, untold): (&Subjects<'_>, &Matches, &Untold<UserIndex>),
    changes: &mut Vec<Change>,
) -> Vec<KnownFinding> {
    let mut unknown = Vec::new();
    let still = before.map(|before| pair(before.findings, subjects, previous).continues);
    let silent = Silent::of(&current.seen, &untold.ids);
    let result = |outcomes: &'_ [RuleOutcome], known: &KnownFinding| {
        let outcome = outcomes.iter().find(|outcome| outcome.rule == *known.rule)?;
        Some(match outcome.result {
            _ if outcome.result.not_evaluated().is_some() && subjects.is_unread(known) => Looked::Unread,
            RuleResult::Passed | RuleResult::Failed { .. } if silent.concerns(known) => Looked::Unread,
            RuleResult::Passed | RuleResult::Failed { .. } => Looked::Yes,
            RuleResult::NotEvaluated(_) => Looked::No,
            RuleResult::SwitchedOff => Looked::Off,
        })
    };
    let known = previous.known().into_iter().enumerate();
    for (place, known) in known.filter(|(place, _)| !matches.continues[*place]) {
        let now = result(current.outcomes, known);
        let by_before = before.and_then(|before| result(before.outcomes, known));
        let kind = if still.as_ref().is_some_and(|still| still[place]) {
            ChangeKind::FindingNotCounted
        } else if now == Some(Looked::Unread) || (by_before == Some(Looked::Unread) && now != Some(Looked::Off)) {
            unknown.push(known.clone());
            continue;
        } else if now == Some(Looked::Yes) || by_before == Some(Looked::Yes) {
            ChangeKind::FindingResolved
        } else if now == Some(Looked::Off) || (now.is_none() && by_before.is_some()) {
            // The rule is switched off, or the policy no longer has what it looks at, such as a roster.
            ChangeKind::FindingNotCounted
        } else {
            // A rule that could not look at all. One that no policy has any more never finds it again.
            if now.is_some() {
                unknown.push(known.clone());
            }
            continue;
        };
        let about =
            About { rule: &known.rule, kind: &known.subject_type, id: &known.subject_id, label: &known.subject };
        changes.push(change(kind, &about, &known.message, ""));
    }
    unknown
}

/// Profiles and roles of which the API told the power at an earlier audit and does not now.
struct Silent<'a> {
    directory: &'a Directory,
    ids: &'a BTreeSet<String>,
    /// Whether one of them is an administrator profile, with which the others are compared.
    measure: bool,
}

impl<'a> Silent<'a> {
    fn of(seen: &Seen<'a>, ids: &'a BTreeSet<String>) -> Self {
        let measure = seen.administrator_profiles.iter().any(|id| ids.contains(id.as_str()));
        Self { directory: seen.matrix.directory(), ids, measure }
    }

    /// Whether a finding rests on the power of one of them: of what a user holds, of the profile or role itself, or of any in
    /// a finding about the workspace.
    fn concerns(&self, known: &KnownFinding) -> bool {
        if self.ids.is_empty() || !ON_POWER.contains(&&*known.rule) {
            return false;
        }
        match &*known.subject_type {
            "user" => self.directory.users.find(&known.subject_id).is_some_and(|user| {
                let holds = user.profile().is_some_and(|profile| self.ids.contains(profile.id.as_str()))
                    || user.role().is_some_and(|role| self.ids.contains(role.id.as_str()));
                (holds || self.measure) && !user.status().is_deleted()
            }),
            "profile" => self.measure || self.ids.contains(&*known.subject_id),
            "role" => self.ids.contains(&*known.subject_id),
            _ => true,
        }
    }
}

/// Whether a rule looked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Looked {
    Yes,
    /// Not at this subject, of which a field could not be read or the API says less than before.
    Unread,
    No,
    Off,
}

/// What a finding is about.
struct About<'a> {
    rule: &'a str,
    kind: &'a str,
    id: &'a str,
    label: &'a str,
}

fn change(kind: ChangeKind, about: &About<'_>, before: &str, after: &str) -> Change {
    let About { rule, kind: of, id, label } = about;
    Change {
        kind,
        subject_type: "finding",
        subject_id: format!("{rule}:{of}:{id}"),
        subject: format!("{rule}: {label}"),
        field: "",
        before: before.to_owned(),
        after: after.to_owned(),
    }
}

/// All findings of an audit as a store keeps them.
pub fn known_findings<'a>(current: &'a Current<'_>) -> impl Iterator<Item = KnownFinding> + 'a {
    let subjects = Subjects::of(current.seen.matrix.directory(), current.seen.workspace);
    current.findings.iter().map(move |finding| KnownFinding {
        rule: finding.rule.as_str().into(),
        subject_type: finding.subject.kind().into(),
        subject_id: subjects.id(&finding.subject).into(),
        subject: subjects.label(&finding.subject).into(),
        message: (*finding.message).into(),
        open: finding.is_open(),
    })
}

/// Which findings of two audits are the same.
struct Matches {
    /// For each finding of the current audit its place in the previous one.
    of_current: Vec<Option<usize>>,
    /// For each finding of the previous audit whether the current one has it.
    continues: Vec<bool>,
}

/// Rule, kind of subject, id of the subject.
type Key<'a> = (&'a str, &'a str, &'a str);

fn key_of<'a>(finding: &'a Finding, subjects: &'a Subjects<'_>) -> Key<'a> {
    (finding.rule.as_str(), finding.subject.kind(), subjects.id(&finding.subject))
}

fn pair(findings: &[Finding], subjects: &Subjects<'_>, previous: &SnapshotHeader) -> Matches {
    let earlier = previous.known();
    let known_key = |place: usize| {
        let known = earlier[place];
        (&*known.rule, &*known.subject_type, &*known.subject_id)
    };
    let current_key = |place: usize| key_of(&findings[place], subjects);
    // Places are sorted rather than kept in a table by key: there can be one finding for each of 100,000 users.
    let (before, now) = (sorted(earlier.len(), known_key), sorted(findings.len(), current_key));
    let (mut before, mut now) = (&before[..], &now[..]);
    let mut matches = Matches { of_current: vec![None; findings.len()], continues: vec![false; earlier.len()] };
    while let (Some(first), Some(other)) = (before.first(), now.first()) {
        let key = known_key(*first).min(current_key(*other));
        let (of_before, of_now);
        (of_before, before) = before.split_at(before.partition_point(|place| known_key(*place) == key));
        (of_now, now) = now.split_at(now.partition_point(|place| current_key(*place) == key));
        match (of_before, of_now) {
            ([], _) | (_, []) => {}
            ([before], [now]) => matches.join(*before, *now),
            _ => {
                let mut by_words: HashMap<String, Vec<usize>> = HashMap::new();
                for place in of_before.iter().rev() {
                    by_words.entry(words(&earlier[*place].message)).or_default().push(*place);
                }
                for place in of_now {
                    if let Some(known) = by_words.get_mut(&words(&findings[*place].message)).and_then(Vec::pop) {
                        matches.join(known, *place);
                    }
                }
            }
        }
    }
    matches
}

/// The places of findings in the order of their keys; those of one key in their own order.
fn sorted<'a>(findings: usize, key: impl Fn(usize) -> Key<'a>) -> Vec<usize> {
    let mut places: Vec<usize> = (0..findings).collect();
    places.sort_by(|place, other| key(*place).cmp(&key(*other)));
    places
}

impl Matches {
    fn join(&mut self, before: usize, now: usize) {
        self.of_current[now] = Some(before);
        self.continues[before] = true;
    }
}

/// A sentence without its numbers.
fn words(message: &str) -> String {
    message.chars().filter(|letter| !letter.is_ascii_digit()).collect()
}

/// Ids and labels of subjects.
struct Subjects<'a> {
    directory: &'a Directory,
    workspace: &'a str,
    roles: HashMap<&'a RoleId, &'a Role>,
    profiles: HashMap<&'a ProfileId, &'a Profile>,
}

impl<'a> Subjects<'a> {
    fn of(directory: &'a Directory, workspace: &'a str) -> Self {
        let roles = directory.roles.iter().map(|role| (&role.id, role)).collect();
        let profiles = directory.profiles.iter().map(|profile| (&profile.id, profile)).collect();
        Self { directory, workspace, roles, profiles }
    }

    fn id<'s>(&self, subject: &'s Subject) -> &'s str
    where
        'a: 's,
    {
        match subject {
            Subject::Workspace => self.workspace,
            Subject::User(index) => self.directory.users.get(*index).id(),
            Subject::Role(id) => id.as_str(),
            Subject::Profile(id) => id.as_str(),
        }
    }

    /// Whether a field could not be read of what a finding rests on: of a user, its own fields and those of what it holds; of
    /// anything else, and of accounts that were compared with each other, the fields of every record.
    fn is_unread(&self, known: &KnownFinding) -> bool {
        let of_user = |user: &User<'_>| {
            let role = user.role().map(|role| self.directory.unread.role(&role.id)).unwrap_or_default();
            let profile = user.profile().map(|profile| self.directory.unread.profile(&profile.id)).unwrap_or_default();
            !user.status().is_deleted() && !user.unread().or(role).or(profile).is_empty()
        };
        match &*known.subject_type {
            "user" if !COMPARING.contains(&&*known.rule) => {
                self.directory.users.find(&known.subject_id).is_some_and(|user| of_user(&user))
            }
            _ => !self.directory.unread.is_empty() || self.directory.users.iter().any(|user| of_user(&user)),
        }
    }

    fn label<'s>(&self, subject: &'s Subject) -> &'s str
    where
        'a: 's,
    {
        match subject {
            Subject::Workspace => self.workspace,
            Subject::User(index) => self.directory.users.get(*index).label(),
            Subject::Role(id) => self.roles.get(id).map_or(id.as_str(), |role| role.name.as_str()),
            Subject::Profile(id) => self.profiles.get(id).map_or(id.as_str(), |profile| profile.name.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::RuleSet;

    #[test]
    fn the_rules_that_are_treated_apart_exist() {
        let rules = RuleSet::built_in();
        let mut apart = COMPARING.iter().chain(&ON_POWER);
        assert_eq!(apart.find(|rule| rules.list().get(rule).is_none()), None);
    }
}
