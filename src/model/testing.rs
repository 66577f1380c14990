//! Plain data for the tests of all rooms.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::{
    directory::{Directory, Organization, Source, UserRecord},
    finding::Severity,
    id::UserId,
    kind::ConnectorKind,
    reading::{Check, CheckKind, CheckOutcome, Reading},
    rule::{RuleInfo, RuleList},
    users::{NewUser, UserBlock, Users},
};

/// A directory of these users, completely read at a time from a workspace that says nothing else, with the
/// credentials of the first one.
pub(crate) fn directory(users: &[NewUser<'_>], read_at: DateTime<Utc>) -> Directory {
    let mut block = UserBlock::default();
    for user in users {
        block.push(user).unwrap();
    }
    let reader = users.first().map_or("1", |user| user.id);
    let (users, _) = Users::from_blocks(vec![block]);
    Directory {
        source: Source {
            connector: ConnectorKind::ZohoBigin,
            api_url: "https://www.zohoapis.eu/bigin/v2".to_owned(),
            data_center: Some("eu".to_owned()),
            scopes: None,
        },
        organization: Organization::default(),
        current_user: UserRecord {
            id: UserId::from(reader),
            full_name: None,
            email: None,
            status: None,
            confirmed: None,
            zuid: None,
            role: None,
            profile: None,
        },
        reading: reading(users.len(), read_at),
        users,
        roles: Vec::new(),
        profiles: Vec::new(),
        unread: crate::model::unread::Unread::default(),
    }
}

/// One complete read of one page.
fn reading(users: usize, at: DateTime<Utc>) -> Reading {
    Reading {
        started_at: at,
        finished_at: at,
        attempts: 1,
        pages: 1,
        per_page: 200,
        rows: users as u64,
        users: users as u64,
        rows_per_page: vec![u32::try_from(users).unwrap()],
        repeated: 0,
        answers: 1,
        token_calls: 0,
        unanswered: 0,
        requests: 1,
        retries: 0,
        bytes: 0,
        query: String::new(),
        checks: Vec::new(),
    }
}

/// A check of the read that agreed.
pub(crate) fn agreed(kind: CheckKind) -> Check {
    Check { kind, outcome: CheckOutcome::Agreed, figures: String::new() }
}

/// Rules of these names, titles and advice, all of CC6.3.
pub(crate) fn rules(rules: &[(&str, &str, &str)]) -> Arc<RuleList> {
    let info = |(name, title, advice): &(&str, &str, &str)| {
        Arc::new(RuleInfo {
            name: (*name).into(),
            title: (*title).to_owned().into(),
            severity: Severity::Medium,
            criteria: vec!["CC6.3".into()],
            doc: format!("# {name}\n\n## How to fix it\n\n{advice}\n").into(),
        })
    };
    Arc::new(rules.iter().map(info).collect())
}
