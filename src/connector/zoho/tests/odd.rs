//! Answers that this API is not documented to give, and gateways in front of it might.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::support::{Asked, ids, json, outcome, page, raw, read, scripted, settings, user};
use crate::{
    connector::{Cause, ConnectorError},
    model::{
        directory::{Directory, Permissions},
        reading::{CheckKind, CheckOutcome},
    },
};

async fn read_with(
    answer: impl Fn(&Asked) -> Option<ResponseTemplate> + Send + Sync + 'static,
) -> Result<Directory, ConnectorError> {
    let server = scripted(answer).await;
    read(settings(&server.uri())).await
}

/// A read in which the first page of users is this.
async fn read_page(body: Value) -> Result<Directory, ConnectorError> {
    read_with(move |asked| (asked.page() == Some(1)).then(|| json(200, &body))).await
}

fn many(from: usize, to: usize) -> Vec<Value> {
    (from..=to).map(user).collect()
}

#[tokio::test]
async fn the_usual_answers_make_a_complete_read() {
    let directory = read_with(|_| None).await.unwrap();
    assert_eq!(ids(&directory), ["1", "2"]);
    assert!(directory.reading.is_complete(), "{:?}", directory.reading.checks);
}

#[tokio::test]
async fn a_server_with_smaller_pages_is_read_whole() {
    let directory = read_with(|asked| {
        let number = asked.page()?;
        let last = (number * 100).min(250);
        let users = if number <= 3 { many(number * 100 - 99, last) } else { return Some(ResponseTemplate::new(204)) };
        let info = json!({"per_page": 100, "count": users.len(), "more_records": number < 3});
        Some(json(200, &json!({"users": users, "info": info})))
    });
    let directory = directory.await.unwrap();
    assert_eq!(directory.users.len(), 250);
    assert!(directory.reading.is_complete(), "{:?}", directory.reading.checks);
}

#[tokio::test]
async fn smaller_pages_that_are_not_announced_are_not_a_complete_read() {
    let directory = read_with(|asked| match asked.page()? {
        1 => Some(json(200, &page(&many(1, 100), true))),
        2 => Some(json(200, &page(&many(101, 150), false))),
        _ => None,
    });
    let directory = directory.await.unwrap();
    assert!(matches!(outcome(&directory, CheckKind::PageLength), CheckOutcome::Disagreed { .. }));
}

#[tokio::test]
async fn a_page_after_the_last_that_is_refused_is_as_good_as_an_empty_one() {
    for status in [400, 404, 304] {
        let refused = move |asked: &Asked| (asked.page()? > 1).then(|| json(status, &json!({"code": "INVALID_DATA"})));
        let directory = read_with(refused).await.unwrap();
        assert!(directory.reading.is_complete(), "{status}: {:?}", directory.reading.checks);
    }
}

#[tokio::test]
async fn a_page_after_the_last_that_cannot_be_read_fails_the_read() {
    let error = read_with(|asked| (asked.page()? > 1).then(|| ResponseTemplate::new(502))).await.unwrap_err();
    assert!(matches!(error.cause, Cause::Unavailable { .. }), "{error}");
}

#[tokio::test]
async fn a_list_that_does_not_say_whether_more_pages_follow_ends_only_if_none_does() {
    let whole = read_page(json!({"users": [user(1), user(2)]})).await.unwrap();
    assert!(whole.reading.is_complete(), "{:?}", whole.reading.checks);
    let cut = read_with(|asked| match asked.page()? {
        1 => Some(json(200, &json!({"users": many(1, 200)}))),
        2 => Some(json(200, &json!({"users": many(201, 210)}))),
        _ => None,
    });
    let cut = cut.await.unwrap();
    assert!(matches!(outcome(&cut, CheckKind::MoreRecords), CheckOutcome::Disagreed { .. }));
}

#[tokio::test]
async fn numbers_and_truth_values_may_be_written_as_texts() {
    let directory = read_with(|asked| {
        let number = asked.page()?;
        let users = if number == 1 { many(1, 200) } else { many(201, 201) };
        let info =
            json!({"per_page": "200", "count": users.len().to_string(), "more_records": (number == 1).to_string()});
        (number < 3).then(|| json(200, &json!({"users": users, "info": info})))
    });
    assert_eq!(directory.await.unwrap().users.len(), 201);
}

#[tokio::test]
async fn more_pages_that_are_neither_announced_nor_ruled_out_are_an_error() {
    for more in [json!(1), json!("perhaps"), json!(null), json!({})] {
        let error = read_page(json!({"users": [user(1)], "info": {"more_records": more}})).await.unwrap_err();
        assert!(error.to_string().contains("`info.more_records`"), "{error}");
    }
    let error = read_page(json!({"users": [user(1)], "info": {"count": 1}})).await.unwrap_err();
    assert!(error.to_string().contains("`info.more_records`"), "{error}");
}

#[tokio::test]
async fn a_byte_order_mark_is_passed_over() {
    let body = format!("\u{feff}{}", page(&[user(1), user(2)], false));
    let directory = read_with(move |asked| (asked.page()? == 1).then(|| raw(200, body.clone()))).await.unwrap();
    assert_eq!(ids(&directory), ["1", "2"]);
}

#[tokio::test]
async fn an_answer_that_is_not_json_is_asked_for_again_and_then_named() {
    for body in ["", "<html>", "{\"users\":[", "\u{0}", "nul"] {
        let error = read_with(move |asked| (asked.page()? == 1).then(|| raw(200, body))).await.unwrap_err();
        assert!(matches!(error.cause, Cause::Unavailable { attempts: 6, .. }), "{body:?}: {error}");
        assert!(error.to_string().contains("GET /bigin/v2/users?type=AllUsers&page=1"), "{error}");
    }
    let error = read_with(|asked| (asked.page()? == 1).then(|| raw(200, [0xff, 0xfe, b'{']))).await.unwrap_err();
    assert!(error.to_string().contains("not UTF-8"), "{error}");
}

#[tokio::test]
async fn json_of_another_shape_names_its_place() {
    let cases = [
        (json!([user(1)]), "`users`"),
        (json!({"data": []}), "`users`"),
        (json!({"users": {"id": "1"}}), "`users`"),
        (json!({"users": [user(1)], "info": []}), "`info`"),
    ];
    for (body, place) in cases {
        let shown = body.to_string();
        let error = read_page(body).await.unwrap_err();
        assert!(matches!(error.cause, Cause::InvalidAnswer { .. }), "{shown}: {error}");
        assert!(error.to_string().contains(place), "{shown}: {error}");
    }
}

#[tokio::test]
async fn what_is_new_or_missing_does_not_matter() {
    let mut first = user(1);
    for (key, value) in [("a", json!(null)), ("b", json!([1, [2, {}]])), ("c", json!({"id": "8"})), ("d", json!(1e300))]
    {
        first[key] = value;
    }
    let body = json!({"new": [], "users": [first, {"id": 9_007_199_254_740_993_u64, "status": "closed", "role": null}], "info": {"more_records": false, "z": 1}});
    let directory = read_page(body).await.unwrap();
    assert_eq!(ids(&directory), ["1", "9007199254740993"]);
    let second = directory.users.find("9007199254740993").unwrap();
    assert_eq!((second.full_name(), second.email(), second.zuid(), second.confirmed()), (None, None, None, None));
    assert!(second.role().is_none() && second.profile().is_none());
    assert_eq!(second.status().word(), "closed");
}

#[tokio::test]
async fn names_are_kept_as_they_are() {
    let names = ["<b>\u{202e}x", "line\r\nbreak", "\u{0}nul", "=cmd|' /C calc'!A0", &"long ".repeat(2_000), "", "😀"];
    let mut users = many(1, names.len());
    for (user, name) in users.iter_mut().zip(names) {
        user["full_name"] = json!(name);
    }
    let directory = read_page(page(&users, false)).await.unwrap();
    let read: Vec<&str> = directory.users.iter().map(|user| user.full_name().unwrap()).collect();
    assert_eq!(read, names);
}

#[tokio::test]
async fn master_lists_that_are_empty_fail_the_read() {
    for (path, words) in
        [("settings/roles", "the API returned no roles"), ("settings/profiles", "the API returned no profiles")]
    {
        for empty in [ResponseTemplate::new(204), json(200, &json!({"roles": [], "profiles": []}))] {
            let error = read_with(move |asked| (asked.path == path).then(|| empty.clone())).await.unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }
    let error = read_with(|asked| (asked.path == "org").then(|| json(200, &json!({"org": []})))).await.unwrap_err();
    assert!(error.to_string().contains("the organization is missing"), "{error}");
}

#[tokio::test]
async fn permissions_in_the_list_of_profiles_need_no_second_call() {
    let permissions = json!([{"name": "Bigin_Export", "display_label": "Export", "module": null, "enabled": true}]);
    let list = json!({"profiles": [{"id": "9", "name": "Administrator", "permissions_details": permissions}]});
    let directory = read_with(move |asked| match asked.path.as_str() {
        "settings/profiles" => Some(json(200, &list)),
        path if path.starts_with("settings/profiles/") => panic!("{path} was asked for"),
        _ => None,
    });
    let directory = directory.await.unwrap();
    assert!(matches!(&directory.profiles[0].permissions, Permissions::Known(all) if all[0].name == "Bigin_Export"));
}

#[tokio::test]
async fn an_administrators_filter_that_is_refused_is_reported_and_nothing_more() {
    let refused = |asked: &Asked| {
        (asked.query("type") == "AdminUsers").then(|| json(400, &json!({"code": "INVALID_DATA", "message": "type"})))
    };
    let directory = read_with(refused).await.unwrap();
    assert!(directory.reading.is_complete());
    assert!(matches!(outcome(&directory, CheckKind::Administrators), CheckOutcome::NotEvaluated { .. }));
}

#[tokio::test]
async fn a_reader_who_is_not_among_the_users_makes_the_read_incomplete() {
    let stranger = |asked: &Asked| (asked.query("type") == "CurrentUser").then(|| json(200, &page(&[user(77)], false)));
    let directory = read_with(stranger).await.unwrap();
    assert!(matches!(outcome(&directory, CheckKind::ReaderListed), CheckOutcome::Disagreed { .. }));
}

#[tokio::test]
async fn an_error_that_comes_with_success_is_judged_by_its_code() {
    let error = read_page(json!({"code": "FEATURE_LIMIT", "status": "error", "message": "x"})).await.unwrap_err();
    assert!(matches!(&error.cause, Cause::Refused { code, .. } if code == "FEATURE_LIMIT"), "{error}");
    for code in ["TOO_MANY_REQUESTS", "INVALID_TOKEN", "INTERNAL_ERROR"] {
        let struck = std::sync::atomic::AtomicBool::new(false);
        let once = move |asked: &Asked| {
            let strikes = asked.path == "settings/roles" && !struck.swap(true, std::sync::atomic::Ordering::Relaxed);
            strikes.then(|| json(200, &json!({"code": code, "status": "error", "message": "x", "details": {}})))
        };
        let directory = read_with(once).await.unwrap();
        assert!(directory.reading.is_complete() && directory.reading.retries > 0, "{code}");
    }
}

#[tokio::test]
async fn text_that_is_no_text_is_replaced_at_the_first_try() {
    let body = page(&[user(1), user(2)], false).to_string();
    let bodies = [
        body.replace("User 2", "\\ud83dUser").into_bytes(),
        body.replace("User 2", "\nUser").into_bytes(),
        body.replace("\"zuid\":", "\"note\":\"a\tb\",\"zuid\":").into_bytes(),
        body.replace("User 2", "M\u{fc}ller").chars().map(|c| c as u8).collect(),
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(&body).into_owned();
        let directory =
            read_with(move |asked| (asked.page() == Some(1)).then(|| raw(200, body.clone()))).await.unwrap();
        assert!(directory.reading.is_complete() && directory.reading.retries == 0, "{shown}");
        let said = outcome(&directory, CheckKind::Records).detail();
        assert!(said.contains("replaced with U+FFFD"), "{shown}: {said}");
    }
}

#[tokio::test]
async fn lists_of_roles_are_read_on_and_what_contradicts_itself_makes_the_read_incomplete() {
    let pages = |more: usize| {
        move |asked: &Asked| {
            let page = asked.query("page").parse().unwrap_or(1_usize);
            let role = json!({"id": page.to_string(), "name": format!("Role {page}")});
            let body = json!({"roles": [role], "info": {"more_records": page < more}});
            (asked.path == "settings/roles").then(|| json(200, &body))
        }
    };
    let directory = read_with(pages(3)).await.unwrap();
    assert_eq!(directory.roles.len(), 3);
    assert!(directory.reading.is_complete(), "{:?}", directory.reading.checks);
    let directory = read_with(pages(1_000)).await.unwrap();
    assert!(matches!(outcome(&directory, CheckKind::Lists), CheckOutcome::Disagreed { .. }));
    let roles = json!({"roles": [{"id": "1", "name": "CEO"}, {"id": "1", "name": "Intern"}, {"name": "Nobody"}]});
    let directory = read_with(move |asked| (asked.path == "settings/roles").then(|| json(200, &roles))).await.unwrap();
    let CheckOutcome::Disagreed { detail } = outcome(&directory, CheckKind::Records) else { panic!() };
    assert!(detail.contains("1 role came without an id") && detail.contains("with different content: 1"), "{detail}");
}

#[tokio::test]
async fn a_damaged_answer_that_comes_twice_is_not_asked_for_again() {
    let users = page(&[user(1), user(2)], false).to_string();
    let in_utf16 = |mark: &[u16]| -> Vec<u8> {
        mark.iter().copied().chain(users.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let cut_off = |end: &str| users.as_bytes()[..=users.find(end).unwrap()].to_vec();
    for (body, calls, why) in [
        (b"{\"users\": [{\"id\": 1,, }]}".to_vec(), 2, "of 25, in `users[0]`, user 1): key must be a string"),
        (format!("{users}junk").into_bytes(), 2, "): trailing characters"),
        (format!("{users}{users}").into_bytes(), 2, "): trailing characters"),
        (users.replace("\"active\"", ":active").into_bytes(), 2, ", in `users[0]`, user 1): expected value"),
        (in_utf16(&[0xfeff]), 2, "is UTF-16 and not UTF-8"),
        (in_utf16(&[]), 2, "is UTF-16 and not UTF-8"),
        (b"<html>back soon</html>".to_vec(), 6, "of 22): expected value"),
        (cut_off("}"), 6, "is not complete JSON"),
        (cut_off("User 2"), 6, "is not complete JSON"),
    ] {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let error = read_with(move |call| {
            (call.page() == Some(1)).then(|| {
                count.fetch_add(1, Ordering::Relaxed);
                raw(200, body.clone())
            })
        });
        let error = error.await.unwrap_err();
        assert_eq!(asked.load(Ordering::Relaxed), calls, "{error}");
        assert!(error.to_string().contains(why), "{error}");
    }
}

/// A page of two users, one of whose fields is written otherwise.
async fn read_with_field(field: &str, written: &str) -> Directory {
    let body = page(&[user(1), user(2)], false).to_string();
    let changed = body.replacen(field, written, 1);
    assert_ne!(body, changed);
    read_with(move |asked| (asked.page() == Some(1)).then(|| raw(200, changed.clone()))).await.unwrap()
}

#[tokio::test]
async fn a_number_out_of_range_is_a_field_that_cannot_be_read() {
    let directory = read_with_field("\"71\"", "1e400").await;
    assert!(directory.reading.is_complete() && directory.reading.retries == 0);
    assert_eq!(directory.users.find("1").unwrap().unread().words(), "zuid");
    let said = outcome(&directory, CheckKind::Records).detail();
    assert!(said.contains("user 1 zuid") && !said.contains("U+FFFD"), "{said}");
    let unread = read_with_field("\"zuid\"", "\"new\":[-1e999],\"zuid\"").await;
    assert!(unread.reading.is_complete() && unread.users.iter().all(|user| user.unread().is_empty()));
}

#[tokio::test]
async fn a_profile_that_cannot_be_read_leaves_the_list_of_administrators_as_it_is() {
    // User 1 is in the API's own list of administrators.
    let directory = read_with_field("{\"id\":\"9\",\"name\":\"P\"}", "[]").await;
    assert!(directory.reading.is_complete() && directory.reading.attempts == 1, "{:?}", directory.reading.checks);
    assert_eq!(directory.users.find("1").unwrap().unread().words(), "profile");
    assert!(matches!(outcome(&directory, CheckKind::Administrators), CheckOutcome::Agreed));
    let without = read_with_field("{\"id\":\"9\",\"name\":\"P\"}", "null").await;
    assert!(matches!(outcome(&without, CheckKind::Administrators), CheckOutcome::Disagreed { .. }));
}
