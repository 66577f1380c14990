//! What the ledger says of removals: planned, refused, begun, ended.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::actor::Actor;

/// A plan to remove users.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffboardingPlanned {
    /// The plan's id.
    pub plan: Uuid,
    /// The workspace.
    pub workspace: String,
    /// The organization's id; `None` if the API gave none.
    pub organization: Option<String>,
    /// Whom.
    pub users: Vec<Leaver>,
    /// When it expires.
    pub valid_until: DateTime<Utc>,
    /// Who planned it; `None` in entries of an older rolecall.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
}

/// A user who is to be removed, as of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaver {
    /// The user's id.
    pub user: String,
    /// The address.
    pub email: Option<String>,
    /// The role's id.
    pub role: Option<String>,
    /// The profile's id.
    pub profile: Option<String>,
}

/// A refusal to remove a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffboardingDeclined {
    /// The plan's id.
    pub plan: Uuid,
    /// The workspace.
    pub workspace: String,
    /// The user's id.
    pub user: String,
    /// Who said it.
    pub by: Actor,
}

/// A removal that is about to be requested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffboardingBegun {
    /// The plan's id.
    pub plan: Uuid,
    /// The workspace.
    pub workspace: String,
    /// The organization's id; `None` if the API gave none.
    pub organization: Option<String>,
    /// Whom.
    #[serde(flatten)]
    pub leaver: Leaver,
    /// The request to the API.
    pub request: String,
    /// Through what it was asked for, and how it was confirmed, in words.
    pub confirmed: String,
    /// Who asked for it; `None` in entries of an older rolecall.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
    /// The decisions of reviews that it carries out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<DecidedRemoval>,
}

/// A decision of a review to remove a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecidedRemoval {
    /// The review.
    pub review: Uuid,
    /// The number of the item.
    pub item: u32,
    /// Who decided.
    pub decided_by: String,
}

/// What became of a removal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffboardingEnded {
    /// The plan's id.
    pub plan: Uuid,
    /// The workspace.
    pub workspace: String,
    /// The user's id.
    pub user: String,
    /// `removed`, `not_removed` or `unknown`.
    pub outcome: String,
    /// How that is known.
    pub detail: String,
}

#[cfg(test)]
mod tests {
    use super::{super::Fact, *};

    /// Entries about removals as rolecall 0.1 wrote them, and as it writes them now.
    #[test]
    fn entries_about_removals_of_every_version_are_written_as_they_were_read() {
        let id = Uuid::nil();
        let leaver = r#""email":null,"profile":null,"role":null,"user":"1""#;
        let lines = [
            format!(
                r#"{{"by":"command line, tools","fact":"offboarding_declined","plan":"{id}","user":"1","workspace":"acme"}}"#
            ),
            format!(
                r#"{{"by":"MCP client Desk 1.2","fact":"offboarding_declined","plan":"{id}","user":"1","workspace":"acme"}}"#
            ),
            format!(
                r#"{{"confirmed":"command line, typed",{leaver},"fact":"offboarding_begun","organization":null,"plan":"{id}","request":"DELETE /users/1","workspace":"acme"}}"#
            ),
            format!(
                r#"{{"by":"command line","confirmed":"command line, typed",{leaver},"fact":"offboarding_begun","organization":null,"plan":"{id}","request":"DELETE /users/1","workspace":"acme"}}"#
            ),
            format!(
                r#"{{"fact":"offboarding_planned","organization":null,"plan":"{id}","users":[],"valid_until":"2026-03-02T07:00:00Z","workspace":"acme"}}"#
            ),
            format!(
                r#"{{"by":"MCP client","fact":"offboarding_planned","organization":null,"plan":"{id}","users":[],"valid_until":"2026-03-02T07:00:00Z","workspace":"acme"}}"#
            ),
        ];
        for line in lines {
            let fact: Fact = serde_json::from_str(&line).unwrap();
            let read: serde_json::Value = serde_json::from_str(&line).unwrap();
            let again = serde_json_canonicalizer::to_string(&fact).unwrap();
            assert_eq!(again, serde_json_canonicalizer::to_string(&read).unwrap());
        }
    }
}
