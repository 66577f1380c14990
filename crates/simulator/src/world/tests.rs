use serde_json::{Value, json};

use super::*;

fn text(world: &World, index: usize) -> String {
    let mut text = String::new();
    world.write_user(&world.users[index], &mut text);
    text
}

#[test]
fn the_same_seed_gives_the_same_workspace() {
    let (once, again) = (World::generate(40, 7), World::generate(40, 7));
    assert_eq!(once.users(), again.users());
    assert_ne!(once.users(), World::generate(40, 8).users());
}

#[test]
fn a_generated_record_has_every_key_of_the_real_api_and_an_unknown_one() {
    let keys = "Isonline Modified_By Modified_Time Preferred_Currency__s alias category city confirm country \
        country_locale created_by created_time customize_info date_format decimal_separator default_tab_group dob \
        email fax first_name full_name id language last_name locale microsoft mobile name_format number_separator \
        offset personal_account phone profile role sandboxDeveloper signature sort_order_preference state status \
        status_reason__s street theme time_format time_zone website zip zuid $current_shift $next_shift \
        $shift_effective_from Future_Field__s";
    let record: Value = serde_json::from_str(&text(&World::generate(12, 1), 3)).unwrap();
    let mut expected: Vec<_> = keys.split_whitespace().collect();
    let mut actual: Vec<_> = record.as_object().unwrap().keys().map(String::as_str).collect();
    expected.sort_unstable();
    actual.sort_unstable();
    assert_eq!(actual, expected);
}

#[test]
fn twelve_users_show_what_a_review_looks_for() {
    let world = World::generate(12, 1);
    let users = world.users();
    let any = |test: &dyn Fn(&Value) -> bool| users.iter().any(test);
    let role_ids: Vec<_> = world.roles().iter().map(|role| role["id"].clone()).collect();
    assert!(any(&|user| user["status"] == "disabled" && user["profile"]["name"] == "Administrator"));
    assert!(any(&|user| user["status"] == "deleted" && user["last_name"].is_null()));
    assert!(any(&|user| user["confirm"] == false && user["zuid"].is_null()));
    assert!(any(&|user| user["full_name"].as_str().unwrap().starts_with('=')));
    assert!(any(&|user| user["email"] == "info@example.com"));
    assert!(any(&|user| user["email"].as_str().unwrap().ends_with("@example.org")));
    assert!(any(&|user| !role_ids.contains(&user["role"]["id"])));
    assert!(any(&|user| user["profile"]["name"] == "Standard User"));
    assert!(any(&|user| user["profile"]["name"] == "Operations Lead"));
}

#[test]
fn the_clone_has_the_same_permissions_as_administrator() {
    let world = World::generate(12, 1);
    let enabled = |id| -> Vec<Value> {
        let all = world.profile_detail(id).unwrap()["permissions_details"].as_array().unwrap();
        all.iter().filter(|one| one["enabled"] == true).map(|one| one["name"].clone()).collect()
    };
    assert_eq!(enabled("5820190000000412004"), enabled("5820190000000026011"));
    assert_ne!(enabled("5820190000000026014"), enabled("5820190000000026011"));
}

#[test]
fn renaming_a_role_reaches_generated_and_edited_users_but_not_stale_names() {
    let mut world = World::generate(12, 1);
    let sales = "5820190000000413001";
    let (generated, edited, stale) =
        (world.user_ids()[3].clone(), world.user_ids()[10].clone(), world.user_ids()[9].clone());
    world.set_role(&edited, sales).unwrap();
    world.rename_role(sales, "Field \"Sales\"").unwrap();
    assert_eq!(world.user(&generated).unwrap()["role"]["name"], "Field \"Sales\"");
    assert_eq!(world.user(&edited).unwrap()["role"]["name"], "Field \"Sales\"");
    assert_eq!(world.user(&stale).unwrap()["role"]["name"], "Account Executive");
}

#[test]
fn edits_change_what_they_say_and_nothing_else() {
    let mut world = World::generate(12, 1);
    let id = world.user_ids()[3].clone();
    let before = world.user(&id).unwrap();
    world.promote(&id).unwrap();
    let mut expected = before;
    expected["profile"] = json!({"name": "Administrator", "id": "5820190000000026011"});
    assert_eq!(world.user(&id).unwrap(), expected);
    assert_eq!(world.promote("1"), Err(WorldError::NoSuchUser("1".to_owned())));
}

#[test]
fn an_added_user_is_last_and_a_removed_one_is_gone() {
    let mut world = World::generate(12, 1);
    let added = world.add_user(&json!({"email": "x@example.com"}));
    assert_eq!(world.user_ids().last(), Some(&added));
    world.remove_user(&added).unwrap();
    assert_eq!(world.user(&added), None);
    assert_eq!(world.user_ids().len(), 12);
}

#[test]
fn the_administrator_filter_misses_clones() {
    let world = World::generate(19, 1);
    let admins = world.stretch(UserFilter::Admin, 0, 200);
    assert_eq!(admins.users.len(), 6);
    assert!(!admins.more);
}

#[test]
fn a_filtered_list_pages_like_the_whole_list() {
    let world = World::generate(500, 1);
    let whole = world.stretch(UserFilter::Active, 0, 1000).users.len();
    let first = world.stretch(UserFilter::Active, 0, 200);
    let rest = world.stretch(UserFilter::Active, 200, 1000);
    assert!(first.more);
    assert_eq!(first.users.len() + rest.users.len(), whole);
}
