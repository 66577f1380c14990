//! People and audits for tests of pages, with hostile names.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{
    index::Indexed,
    viewer::{Right, Seat, Viewer},
};
use crate::{
    access::{
        drift::{KnownFinding, SnapshotHeader, SnapshotUser},
        power::Power,
    },
    model::{
        directory::{Permission, Permissions, Profile, Role},
        policy::Policy,
        unread::{Fields, Unread},
    },
    review::{
        event::{Decision, Event, Target, Via},
        item::{Flag, Last, Named, Population},
        person::Address,
        state::Review,
        testing::{address, at, bag, decides, item, opened_with, population_of},
    },
    store::AuditRecord,
};

/// A name that would do harm on a page that did not escape it.
pub(crate) const HOSTILE: &str = "<script>alert(\"x\")</script>\u{202e}gnp.'&{{ 7*7 }}";

/// A person with rights, who is in review 7 what the seat says.
pub(crate) fn viewer(name: &str, rights: &[Right], seat: Option<Seat>) -> Viewer {
    let reviews = seat.map(|seat| (Uuid::from_u128(7), seat)).into_iter().collect();
    let rights: BTreeSet<Right> = rights.iter().copied().collect();
    let viewer = Viewer::of(address(name), None, rights, reviews, Via::Console).unwrap();
    Viewer { is_fresh: true, ..viewer }
}

/// A reviewer.
pub(crate) fn reviewer(name: &str) -> Viewer {
    viewer(name, &[], Some(Seat { decides: true, owns: false }))
}

/// The owner of the review, who decides, too.
pub(crate) fn owner() -> Viewer {
    viewer("ana", &[], Some(Seat { decides: true, owns: true }))
}

/// Accounts of all kinds, with hostile names.
pub(crate) fn population() -> Population {
    let mut items = vec![
        item(1, "eva", "ben"),
        item(2, "finn", "ben"),
        item(3, "ben", "ana"),
        item(4, "gus", "ben"),
        item(5, "hana", "ben"),
        item(6, "ida", "ben"),
        item(7, "jo", "ben"),
    ];
    items[0].full_name = Some("Eva Lind".to_owned());
    items[1].last = Some(Last {
        review: Uuid::from_u128(3),
        decision: "keep".to_owned(),
        by: Address::of("ana@example.com"),
        at: at(-9_000_000),
        role: Some(Named { id: "role-1".to_owned(), name: Some("Sales".to_owned()) }),
        profile: None,
    });
    items[3].power = Power::Administrator;
    items[3].full_name = Some(HOSTILE.to_owned());
    items[3].email = Some(format!("{HOSTILE}@example.com"));
    items[3].role = Some(Named { id: "role-2".to_owned(), name: Some(HOSTILE.to_owned()) });
    items[3].has_left = true;
    items[3].findings = vec![Flag { rule: "leaver-active".to_owned(), message: format!("{HOSTILE} has left.") }];
    items[4].findings = vec![Flag { rule: "no-role".to_owned(), message: "It has no role.".to_owned() }];
    items[5].changed = true;
    items[6].email = None;
    population_of(items)
}

/// A review of [`population`] in which something happened.
pub(crate) fn review() -> Review {
    let mut review = opened_with(7, population());
    let happens = |review: &mut Review, event: Event, second| review.apply(&event, at(second)).unwrap();
    let keep = decides(&review, "ben", &[1, 2], Decision::Keep);
    happens(&mut review, keep, 100);
    let to = Target::Profile(review.population().masters["acme"].profiles[1].clone());
    let change = decides(&review, "ben", &[5], Decision::Change { to });
    happens(&mut review, change, 200);
    let proposed = Event::Proposed {
        item: crate::review::item::ItemId(4),
        decision: Decision::Remove,
        reason: format!("{HOSTILE} has left"),
        by: crate::model::actor::Actor::Agent { client: Some("Desk 1.2".to_owned()) },
    };
    happens(&mut review, proposed, 300);
    review
}

fn role(id: &str, name: &str, above: Option<&str>) -> Role {
    Role {
        id: id.into(),
        name: name.to_owned(),
        reporting_to: above.map(Into::into),
        admin_user: Some(false),
        share_with_peers: None,
        description: None,
    }
}

fn profile(id: &str, name: &str, permissions: &[(&str, bool)]) -> Profile {
    let permission = |(name, enabled): &(&str, bool)| Permission {
        name: (*name).to_owned(),
        module: None,
        label: None,
        enabled: *enabled,
    };
    Profile {
        id: id.into(),
        name: name.to_owned(),
        custom: Some(true),
        description: None,
        modified: None,
        permissions: Permissions::Known(permissions.iter().map(permission).collect()),
    }
}

/// An audit of a workspace with these users: id, name, address, status, role, profile.
pub(crate) fn indexed(users: &[(&str, &str, &str, &str, &str, &str)]) -> Indexed {
    let record = AuditRecord {
        id: Uuid::from_u128(1),
        job: Some("weekly".to_owned()),
        workspace: "acme".to_owned(),
        started_at: at(-20),
        finished_at: at(-10),
        complete: true,
        users: users.len() as u64,
        administrators: 1,
        open_findings: 2,
        by_severity: Some([1, 1, 0, 0, 0]),
        bag: Some(bag("audit")),
        no_mail_reason: None,
        policy_changes: Vec::new(),
    };
    let finding = |rule: &str, kind: &str, id: &str, message: &str| KnownFinding {
        rule: rule.into(),
        subject_type: kind.into(),
        subject_id: id.into(),
        subject: format!("{HOSTILE} {id}").into(),
        message: message.into(),
        open: true,
    };
    let header = SnapshotHeader {
        id: record.id.to_string(),
        finished_at: record.finished_at,
        primary_zuid: None,
        primary_email: None,
        untold: crate::model::change::Untold::default(),
        unknown: Vec::new(),
        roles: vec![role("role-1", "Sales", None), role("role-2", HOSTILE, Some("role-1"))],
        profiles: vec![
            profile("profile-1", "Administrator", &[("Manage Users", true), ("Export", true), ("View", true)]),
            profile("profile-2", HOSTILE, &[("View", true), ("Export", true), ("Manage Users", false)]),
        ],
        administrator_profiles: vec!["profile-1".into()],
        users: users.len() as u64,
        administrators: 1,
        findings: vec![
            finding("leaver-active", "user", "4", "It belongs to somebody who has left."),
            finding("too-many-administrators", "workspace", "acme", "There are 7 administrators."),
        ],
        unread: Unread::default(),
        undecided: Vec::new(),
        departed: Vec::new(),
        policy: Some(Policy::default()),
        rosters: BTreeMap::new(),
        roster_terms: BTreeMap::new(),
        aliases: BTreeMap::new(),
        said: None,
    };
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned().into());
    let users = users.iter().map(|(id, name, email, status, role, profile)| {
        Ok::<_, std::convert::Infallible>(SnapshotUser {
            id: (*id).to_owned().into(),
            full_name: text(name),
            email: text(email),
            status: (*status).to_owned().into(),
            confirmed: Some(true),
            role_id: text(role),
            profile_id: text(profile),
            unread: Fields::default(),
        })
    });
    Indexed::of(record, header, users).unwrap()
}

/// The users of the accounts of [`population`], one of whom has another profile now.
pub(crate) fn workspace() -> Indexed {
    let mut indexed = indexed(&[
        ("1", "Eva Lind", "eva@example.com", "active", "role-1", "profile-2"),
        ("2", "", "finn@example.com", "active", "role-1", "profile-1"),
        ("4", HOSTILE, "gus@example.com", "active", "role-2", "profile-1"),
        ("5", "Hana Ito", "hana@example.com", "disabled", "role-9", ""),
    ]);
    indexed.record.finished_at = at(86_400);
    indexed
}
