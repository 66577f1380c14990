//! Random worlds that change in many things.

use proptest::prelude::*;

use super::*;

/// One edit of a user of the Standard profile, and the change that it must show as.
#[derive(Debug, Clone, Copy)]
enum Edit {
    None,
    Promote,
    Rename,
    Move,
    Readdress,
    Disable,
    Delete,
    Drop,
    Unrole,
    Unconfirm,
}

fn edit() -> impl Strategy<Value = Edit> {
    proptest::sample::select(vec![
        Edit::None,
        Edit::Promote,
        Edit::Rename,
        Edit::Move,
        Edit::Readdress,
        Edit::Disable,
        Edit::Delete,
        Edit::Drop,
        Edit::Unrole,
        Edit::Unconfirm,
    ])
}

proptest! {
    #[test]
    fn random_edits_show_as_exactly_the_expected_changes(
        edits in proptest::collection::btree_map(1_u32..5000, edit(), 0..60),
        newcomers in proptest::collection::btree_set(5000_u32..5100, 0..5),
    ) {
        let mut before = quiet();
        before.profiles.push(profile("31", "Custom", true, &[]));
        before.people = edits.keys().map(|id| person(*id, STANDARD)).collect();
        let mut now = before.clone();
        let mut expected: Vec<(ChangeKind, u32)> = Vec::new();
        for (id, edit) in &edits {
            let person = now.person(*id);
            let kind = match edit {
                Edit::None => continue,
                Edit::Promote => {
                    person.profile = Some((ADMINISTRATOR.into(), None));
                    ChangeKind::AdministratorGranted
                }
                Edit::Rename => {
                    person.name = None;
                    ChangeKind::NameChanged
                }
                Edit::Move => {
                    person.profile = Some(("31".into(), None));
                    ChangeKind::ProfileChanged
                }
                Edit::Readdress => {
                    person.email = Some(format!("other{id}@example.com"));
                    ChangeKind::EmailChanged
                }
                Edit::Disable => {
                    person.status = "disabled".into();
                    ChangeKind::StatusChanged
                }
                Edit::Delete => {
                    person.status = "deleted".into();
                    ChangeKind::UserRemoved
                }
                Edit::Drop => {
                    let id = person.id.clone();
                    now.people.retain(|person| person.id != id);
                    ChangeKind::UserRemoved
                }
                Edit::Unrole => {
                    person.role = None;
                    ChangeKind::RoleChanged
                }
                Edit::Unconfirm => {
                    person.confirmed = Some(false);
                    ChangeKind::StatusChanged
                }
            };
            expected.push((kind, *id));
        }
        for id in newcomers {
            now.people.insert(0, person(id, STANDARD));
            expected.push((ChangeKind::UserAdded, id));
        }
        expected.sort_unstable();
        let found: Vec<(ChangeKind, u32)> =
            changes(&before, &now).into_iter().map(|one| (one.0, one.1.parse().unwrap())).collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(drift(&now, &now).changes, []);
    }
}
