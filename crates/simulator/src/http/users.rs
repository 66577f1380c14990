//! `/users` and `/users/{id}`.

use std::fmt::Write as _;

use serde_json::{Value, json};
use url::form_urlencoded;

use super::{Answer, Shared};
use crate::{
    faults::{Fault, FaultBoard},
    world::{MANAGE_USERS, Stretch, UserFilter, World},
};

/// Rows on a page, unless the client wants fewer. Also the most that a page may have.
const MAX_PER_PAGE: usize = 200;

/// Bytes of a generated user, for the first allocation.
const TYPICAL_USER_SIZE: usize = 1_800;

/// The parameters of a list of users.
#[derive(Debug, Clone, Copy)]
struct Query {
    filter: UserFilter,
    page: usize,
    per_page: usize,
}

impl Query {
    /// Reads the query; a client that wants more than the most rows gets the most.
    fn parse(query: &str) -> Result<Self, Answer> {
        let mut parsed = Self { filter: UserFilter::All, page: 1, per_page: MAX_PER_PAGE };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let number = || value.parse().ok().filter(|number| *number > 0).ok_or_else(|| Answer::bad_parameter(&name));
            match &*name {
                "type" => {
                    parsed.filter = UserFilter::parse(&value).ok_or_else(|| Answer::bad_parameter("type"))?;
                }
                "page" => parsed.page = number()?,
                "per_page" => parsed.per_page = number()?.min(MAX_PER_PAGE),
                _ => {}
            }
        }
        Ok(parsed)
    }

    /// Whether it is part of reading the whole list, which is what the faults of paging disturb.
    fn is_listing(self) -> bool {
        self.filter == UserFilter::All
    }
}

/// `GET /users`
pub(super) fn list(shared: &Shared, query: &str) -> Answer {
    let query = match Query::parse(query) {
        Ok(query) => query,
        Err(answer) => return answer,
    };
    let faults = &shared.faults;
    if query.is_listing() {
        if faults.is_on(Fault::EmptyUserList) {
            return Answer::nothing();
        }
        if faults.is_on(Fault::EmptyUserArray) {
            let info = json!({"per_page": query.per_page, "count": 0, "page": query.page, "more_records": false});
            return Answer::json(200, &json!({"users": [], "info": info}));
        }
        if query.page == 2 {
            shift(shared);
        }
    }
    shared.world.read(|world| page(world, faults, query))
}

fn page(world: &World, faults: &FaultBoard, query: Query) -> Answer {
    let Query { filter, page, per_page } = query;
    let mut offset = (page - 1).saturating_mul(per_page);
    if query.is_listing() && page == 2 && strikes(faults, Fault::DuplicateRowOnce, Fault::DuplicateRowAlways) {
        offset -= 1;
    }
    let Stretch { mut users, mut more } = world.stretch(filter, offset, per_page);
    if filter == UserFilter::Admin && !more && faults.is_on(Fault::AdminFilterDisagrees) {
        users.pop();
    }
    if users.is_empty() {
        return Answer::nothing();
    }
    let count = users.len();
    if query.is_listing() {
        if page == 1 && strikes(faults, Fault::ShortPageOnce, Fault::ShortPageAlways) {
            users.pop();
        }
        if page == 1 && faults.is_on(Fault::MoreRecordsFalseTooEarly) {
            more = false;
        }
        more |= faults.is_on(Fault::MoreRecordsTrueAtEnd);
    }
    let mut body = String::with_capacity(users.len() * TYPICAL_USER_SIZE);
    body.push_str(r#"{"users":["#);
    for (place, user) in users.iter().enumerate() {
        if place > 0 {
            body.push(',');
        }
        let start = body.len();
        world.write_user(user, &mut body);
        if place == 1 && query.is_listing() && faults.is_on(Fault::MissingId) {
            remove_id(&mut body, start);
        }
    }
    // Writing into a `String` cannot fail.
    let _ = write!(body, r#"],"info":{{"per_page":{per_page},"count":{count},"page":{page},"more_records":{more}}}}}"#);
    Answer::json_text(200, body)
}

/// `GET /users/{id}`
pub(super) fn one(shared: &Shared, id: &str) -> Answer {
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Answer::bad_user_id();
    }
    shared.world.read(|world| {
        // The real API answers an id that does not fit into 64 bits with the caller.
        let beyond_range = id.parse::<i64>().is_err();
        let wanted = if beyond_range || shared.faults.is_on(Fault::WrongUserById) { world.caller() } else { id };
        let Some(user) = world.find(wanted) else {
            return Answer::nothing();
        };
        let mut body = r#"{"users":["#.to_owned();
        world.write_user(user, &mut body);
        body.push_str("]}");
        Answer::json_text(200, body)
    })
}

/// `DELETE /users/{id}`
pub(super) fn delete(shared: &Shared, id: &str) -> Answer {
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Answer::bad_user_id();
    }
    shared.world.edit(|world| {
        if !world.caller_may(MANAGE_USERS) {
            let message = "User does not have sufficient privilege to delete users";
            return Answer::error(400, "AUTHORIZATION_FAILED", &json!({}), message);
        }
        let Some(user) = world.find(id) else {
            return Answer::nothing();
        };
        if world.status_of(user) == "deleted" {
            return Answer::deletion(400, "ID_ALREADY_DELETED", &json!({}), "User is already deleted");
        }
        let primary = world.org()["primary_zuid"].as_str();
        if primary.is_some() && world.zuid_of(user).as_deref() == primary {
            return Answer::deletion(400, "INVALID_REQUEST", &json!({}), "Primary contact cannot be deleted");
        }
        let faults = &shared.faults;
        let done = if faults.is_on(Fault::DeletionFeigned) {
            Ok(())
        } else if faults.is_on(Fault::DeletionVanishes) {
            world.remove_user(id)
        } else {
            world.delete(id)
        };
        match done {
            Ok(()) if faults.is_on(Fault::DeletionDenied) => {
                Answer::deletion(400, "INVALID_REQUEST", &json!({}), "unable to process your request")
            }
            Ok(()) => Answer::deletion(200, "SUCCESS", &json!({"id": id}), "User deleted"),
            Err(_) => Answer::nothing(),
        }
    })
}

/// Shifts the list, as a change in the real workspace during the read does.
fn shift(shared: &Shared) {
    let faults = &shared.faults;
    if faults.once(Fault::UserInsertedOnce) {
        insert_first(shared);
    }
    if faults.once(Fault::UserRemovedOnce) {
        shared.world.edit(|world| world.remove_at(1));
    }
    if faults.is_on(Fault::UsersShiftAlways) {
        // In, then out again: the list changes for ever and does not grow.
        shared.world.edit(|world| {
            let visitor = world.user_at(0).filter(|user| user["email"] == VISITOR);
            match visitor {
                Some(_) => world.remove_at(0),
                None => {
                    world.insert_user(0, &json!({"email": VISITOR}));
                }
            }
        });
    }
}

/// The address of the user who is added and removed.
const VISITOR: &str = "visitor@example.com";

fn insert_first(shared: &Shared) {
    shared.world.edit(|world| world.insert_user(0, &json!({"email": "arrived.during.the.read@example.com"})));
}

fn strikes(faults: &FaultBoard, once: Fault, always: Fault) -> bool {
    faults.is_on(always) || faults.once(once)
}

/// Takes the id out of the record that begins at `start`.
fn remove_id(body: &mut String, start: usize) {
    let Ok(mut record) = serde_json::from_str::<Value>(&body[start..]) else {
        return;
    };
    if let Some(fields) = record.as_object_mut() {
        fields.remove("id");
    }
    body.truncate(start);
    body.push_str(&record.to_string());
}
