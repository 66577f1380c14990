//! Whatever the pages look like, no user is lost, doubled or changed.

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::support::{ids, json, page, read, scripted, settings, settings_of, simulator, user};
use crate::{connector::zoho::users_of_page, model::users::Users};

fn users() -> impl Strategy<Value = Vec<(u64, String, Option<String>)>> {
    prop::collection::vec((1_u64.., ".{0,30}", prop::option::of(".{0,20}")), 0..60)
}

fn body(users: &[(u64, String, Option<String>)]) -> String {
    let users: Vec<Value> = users
        .iter()
        .map(|(id, name, email)| json!({"id": id.to_string(), "status": "active", "full_name": name, "email": email}))
        .collect();
    page(&users, false).to_string()
}

/// An address that is blank is none.
fn address(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.trim().is_empty())
}

proptest! {
    #[test]
    fn a_page_is_read_as_it_was_written(users in users()) {
        let block = users_of_page(body(&users).as_bytes()).unwrap();
        let ids: Vec<String> = block.ids().map(str::to_owned).collect();
        let written: Vec<String> = users.iter().map(|(id, ..)| id.to_string()).collect();
        prop_assert_eq!(ids, written);
        let (read, repeated) = Users::from_blocks(vec![block]);
        // The later of two records with one id is the one that counts.
        let distinct: BTreeMap<u64, (&str, Option<&str>)> =
            users.iter().map(|(id, name, email)| (*id, (name.as_str(), address(email.as_deref())))).collect();
        prop_assert_eq!(read.len(), distinct.len());
        prop_assert_eq!(repeated.is_empty(), distinct.len() == users.len());
        for (user, (id, (name, email))) in read.iter().zip(&distinct) {
            let id = id.to_string();
            prop_assert_eq!((user.id(), user.full_name(), user.email()), (id.as_str(), Some(*name), *email));
        }
    }

    #[test]
    fn a_page_that_is_cut_off_is_never_a_shorter_page(users in users(), at in 0.0_f64..1.0) {
        let body = body(&users);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place within the text")]
        let cut = body.floor_char_boundary((body.len() as f64 * at) as usize);
        prop_assert!(users_of_page(&body.as_bytes()[..cut]).is_err());
    }
}

#[tokio::test]
async fn pages_of_any_length_make_one_list() {
    // Lengths of pages, as a server may cut them when it says how long they are.
    for lengths in [vec![1], vec![200, 200, 1], vec![50, 50, 50, 7], vec![3; 40], vec![120, 120, 120]] {
        let total: usize = lengths.iter().sum();
        let expected = lengths.clone();
        let server = scripted(move |asked| {
            let number = asked.page()?;
            let Some(length) = lengths.get(number - 1) else { return Some(ResponseTemplate::new(204)) };
            let first: usize = lengths[..number - 1].iter().sum();
            let users: Vec<Value> = (first + 1..=first + length).map(user).collect();
            let info = json!({"per_page": lengths[0], "count": length, "more_records": number < lengths.len()});
            Some(json(200, &json!({"users": users, "info": info})))
        })
        .await;
        let directory = read(settings(&server.uri())).await.unwrap();
        assert!(directory.reading.is_complete(), "{expected:?}: {:?}", directory.reading.checks);
        let all: Vec<String> = (1..=total).map(|id| id.to_string()).collect();
        assert_eq!(ids(&directory), all, "{expected:?}");
    }
}

#[tokio::test]
async fn no_page_is_asked_for_without_need() {
    for concurrency in [1, 2, 4] {
        let simulator = simulator(2_400);
        simulator.set_latency(Duration::from_millis(3));
        let mut settings = settings_of(&simulator);
        settings.limits.concurrency = concurrency;
        read(settings).await.unwrap();
        let mut pages: Vec<String> = simulator.journal().calls().into_iter().map(|call| call.path).collect();
        pages.retain(|path| path.contains("type=AllUsers"));
        pages.sort();
        pages.dedup();
        // Twelve pages, the one after the last, and those asked for before it was known to be the last.
        assert!((13..=12 + 2 * concurrency).contains(&pages.len()), "{concurrency}: {pages:?}");
    }
}
