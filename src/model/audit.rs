//! A completed audit: everything that reports, stores and mails contain.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{
    change::{Drift, Past},
    directory::Directory,
    finding::{Finding, RuleOutcome, Severity, Subject},
    id::ProfileId,
    policy::Policy,
    reviewed::Reviewed,
    roster::{JudgedRoster, Roster},
    rule::RuleList,
    trigger::{Incident, Trigger},
};

/// A completed audit of one workspace.
#[derive(Debug)]
pub struct Audit {
    /// The audit's id, time-ordered.
    pub id: Uuid,
    /// The job that it belongs to; `None` if it was started on demand without one.
    pub job: Option<String>,
    /// The workspace's name in the configuration.
    pub workspace: String,
    /// The fire time that it belongs to; `None` if it was started on demand.
    pub trigger: Option<Trigger>,
    /// When it was judged: ages are measured from this time.
    pub judged_at: DateTime<Utc>,
    /// The version of rolecall.
    pub version: &'static str,
    /// The policy that was applied.
    pub policy: Policy,
    /// What was read.
    pub directory: Directory,
    /// The profiles that make an administrator: the policy's names and ids, resolved against the master list.
    pub administrator_profiles: Vec<ProfileId>,
    /// The rules that it was judged by, with the texts that reports show for their findings.
    pub rules: Arc<RuleList>,
    /// What the rules found, the most severe first, then by rule and subject.
    pub findings: Vec<Finding>,
    /// The result of each rule, in the order of the rules.
    pub outcomes: Vec<RuleOutcome>,
    /// What changed since the previous audit.
    pub drift: Drift,
    /// Who works for the company. `None` if the policy has no roster.
    pub roster: Option<Roster>,
    /// How the roster was used; `None` if it was not read.
    pub judged_roster: Option<JudgedRoster>,
    /// What people decided in reviews, as far as the audit looks at it. `None` if there is no review to look at.
    pub reviewed: Option<Reviewed>,
    /// The numbers of the latest complete audits before this one, the oldest first.
    pub past: Vec<Past>,
}

impl Audit {
    /// The incidents since a report was last delivered.
    pub fn incidents(&self) -> &[Incident] {
        self.trigger.as_ref().map_or(&[], |trigger| &trigger.incidents)
    }

    /// The incidents as sentences. Those of another workspace of the job name it.
    pub fn incident_sentences(&self) -> Vec<String> {
        let sentence = |incident: &Incident| match &incident.workspace {
            Some(workspace) if *workspace != self.workspace => format!("{workspace}: {}", incident.sentence()),
            _ => incident.sentence(),
        };
        self.incidents().iter().map(sentence).collect()
    }

    /// Findings that no exception accepts.
    pub fn open_findings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.is_open())
    }

    /// How many open findings have each severity, most severe first.
    pub fn open_by_severity(&self) -> [(Severity, usize); 5] {
        Severity::ALL.map(|severity| (severity, self.open_findings().filter(|f| f.severity == severity).count()))
    }

    /// A subject as a person would name it, and its id.
    pub fn subject_label(&self, subject: &Subject) -> (String, String) {
        match subject {
            Subject::Workspace => (self.workspace.clone(), self.workspace.clone()),
            Subject::User(index) => {
                let user = self.directory.users.get(*index);
                (user.label().to_owned(), user.id().to_owned())
            }
            Subject::Role(id) => {
                let role = self.directory.roles.iter().find(|role| role.id == *id);
                (role.map_or_else(|| id.to_string(), |role| role.name.clone()), id.to_string())
            }
            Subject::Profile(id) => {
                let profile = self.directory.profiles.iter().find(|profile| profile.id == *id);
                (profile.map_or_else(|| id.to_string(), |profile| profile.name.clone()), id.to_string())
            }
        }
    }
}
