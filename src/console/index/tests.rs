use super::*;
use crate::console::testing::{HOSTILE, indexed, workspace};

fn ids(found: &Found<'_>) -> Vec<String> {
    found.accounts.iter().map(|account| account.id.to_string()).collect()
}

fn found(indexed: &Indexed, question: &Question) -> Vec<String> {
    ids(&indexed.find(question))
}

#[test]
fn users_are_found_by_name_address_and_id_in_any_case() {
    let audit = workspace();
    let by = |text: &str| found(&audit, &Question { text: text.to_owned(), ..Question::default() });
    assert_eq!(by("eva LIND"), ["1"]);
    assert_eq!(by("HANA@example"), ["5"]);
    assert_eq!(by(" 4 "), ["4"]);
    assert_eq!(by("alert("), ["4"]);
    assert_eq!(by("nobody"), [""; 0]);
    // Name and address are searched apart.
    assert_eq!(by("lind eva"), [""; 0]);
}

#[test]
fn users_are_filtered_by_what_they_hold() {
    let audit = workspace();
    let all = Question::default;
    assert_eq!(found(&audit, &Question { status: "disabled".into(), ..all() }), ["5"]);
    assert_eq!(found(&audit, &Question { role: "role-1".into(), ..all() }), ["1", "2"]);
    assert_eq!(
        found(&audit, &Question { profile: "profile-1".into(), power: "administrator".into(), ..all() }),
        ["4", "2"]
    );
    assert_eq!(found(&audit, &Question { flagged: true, ..all() }), ["4"]);
    assert_eq!(found(&audit, &Question { flagged: true, status: "disabled".into(), ..all() }), [""; 0]);
}

#[test]
fn every_order_has_every_user_once_and_its_reverse_is_the_reverse() {
    let audit = workspace();
    for sort in Sort::ALL {
        let forward = found(&audit, &Question { sort, ..Question::default() });
        let mut backward = found(&audit, &Question { sort, reversed: true, ..Question::default() });
        backward.reverse();
        assert_eq!(forward, backward, "{sort:?}");
        let mut sorted = forward.clone();
        sorted.sort();
        assert_eq!(sorted, ["1", "2", "4", "5"], "{sort:?}");
    }
    let by = |sort| found(&audit, &Question { sort, ..Question::default() });
    assert_eq!(by(Sort::Power), ["2", "4", "5", "1"], "a role that is not listed may have full power");
    assert_eq!(by(Sort::Findings), ["4", "1", "2", "5"]);
    assert_eq!(by(Sort::Profile).last().unwrap(), "5", "without a profile");
}

#[test]
fn pages_have_every_user_once_and_a_page_that_is_not_there_is_the_last() {
    let names: Vec<(String, String)> = (1..=250).map(|id| (id.to_string(), format!("User {id:03}"))).collect();
    let users: Vec<_> = names.iter().map(|(id, name)| (&**id, &**name, "", "active", "role-1", "profile-2")).collect();
    let audit = indexed(&users);
    let page = |page| audit.find(&Question { page, ..Question::default() });
    let seen: Vec<String> = (1..=3).flat_map(|number| ids(&page(number))).collect();
    assert_eq!(seen, (1..=250).map(|id| id.to_string()).collect::<Vec<_>>());
    assert_eq!((page(1).accounts.len(), page(3).accounts.len(), page(1).pages, page(1).all), (100, 50, 3, 250));
    assert_eq!((page(99).page, page(0).page), (3, 1));
}

#[test]
fn an_account_knows_its_names_and_findings() {
    let audit = workspace();
    let account = audit.account("4").unwrap();
    assert_eq!((audit.role_name(account), audit.profile_name(account)), (HOSTILE, "Administrator"));
    assert_eq!(audit.findings_of("4").map(|finding| &*finding.rule).collect::<Vec<_>>(), ["leaver-active"]);
    let other = audit.account("5").unwrap();
    assert_eq!((audit.role_name(other), audit.profile_name(other)), ("role-9", ""), "a role that is not listed");
    assert_eq!((audit.shown_role(other).as_str(), audit.shown_profile(other).as_str()), ("unknown role (role-9)", ""));
    assert!(audit.account("6").is_none());
    assert_eq!(
        [audit.holders_of_role("role-1"), audit.holders_of_profile("profile-1"), audit.holders_of_role("x")],
        [2, 2, 0]
    );
}
