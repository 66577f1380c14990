//! Anyone who approves or looks up an address by eye may take one for the other.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use super::prelude::*;
use crate::model::{
    email,
    users::{User, UserIndex},
};

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "look-alike-address",
    title: "Address that looks like another",
    severity: Severity::Medium,
    criteria: &["CC6.2"],
    doc: include_str!("look-alike-address.md"),
    judges_population: true,
    evaluate,
};

/// What an address looks like.
type Look = fn(&str) -> String;

const LOOKS: [Look; 2] = [text::as_written, text::in_capitals];

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    let approved: Vec<&str> = context.policy().approved_administrators.iter().flatten().map(String::as_str).collect();
    // Those that a user looks like, by user.
    let mut alike: BTreeMap<UserIndex, BTreeSet<Other>> = BTreeMap::new();
    for look in LOOKS {
        let mut looks: Vec<(u32, Place)> = Vec::with_capacity(context.directory.users.len());
        for user in context.present().map(|row| row.user) {
            looks.extend(user.email().map(|address| (hash(&look(&shown(address))), Place::User(user.index()))));
        }
        looks.extend(approved.iter().enumerate().map(|(at, one)| (hash(&look(&shown(one))), Place::Approved(at))));
        looks.sort_unstable();
        for same_hash in looks.chunk_by(|a, b| a.0 == b.0).filter(|chunk| chunk.len() > 1) {
            compare(context, &approved, look, same_hash, &mut alike);
        }
    }
    for user in context.present().map(|row| row.user) {
        let Some(reached) = user.email().and_then(email::disguised) else { continue };
        let others = alike.entry(user.index()).or_default();
        if !others.iter().any(|(address, _)| *address == reached) {
            others.insert((reached, "the address that name servers make of it".to_owned()));
        }
    }
    for (user, others) in alike {
        sink.report(Subject::User(user), message(&context.directory.users.get(user), &others));
    }
    Ok(())
}

/// An address of a user, or of the list of approved administrators.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    User(UserIndex),
    Approved(usize),
}

/// Another address: in its comparable form, and what it belongs to.
type Other = (String, String);

/// The accounts and addresses whose looks share a hash: a hash takes four bytes, and a look as many as an address.
fn compare(
    context: &Context<'_>,
    approved: &[&str],
    look: Look,
    same_hash: &[(u32, Place)],
    alike: &mut BTreeMap<UserIndex, BTreeSet<Other>>,
) {
    let address = |place: Place| match place {
        Place::User(user) => context.directory.users.get(user).email().unwrap_or_default(),
        Place::Approved(at) => approved[at],
    };
    let whose = |place: Place| match place {
        Place::User(user) => format!("the address of user {}", context.directory.users.get(user).id()),
        Place::Approved(_) => "an approved administrator".to_owned(),
    };
    let all: Vec<(String, String, Place)> = same_hash
        .iter()
        .map(|(_, place)| (look(&shown(address(*place))), email::comparable(address(*place)), *place))
        .collect();
    for (own_look, own, place) in &all {
        let Place::User(user) = place else { continue };
        // Many accounts may look alike: those that a message names are enough.
        let others = all.iter().filter(|(look, other, _)| look == own_look && other != own).take(crate::words::NAMED);
        let others: Vec<Other> = others.map(|(_, other, place)| (other.clone(), whose(*place))).collect();
        if !others.is_empty() {
            alike.entry(*user).or_default().extend(others);
        }
    }
}

fn hash(look: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    look.hash(&mut hasher);
    (hasher.finish() >> 32) as u32
}

/// An address as people see it: an international domain in letters.
fn shown(address: &str) -> std::borrow::Cow<'_, str> {
    let address = address.trim();
    match address.rsplit_once('@') {
        Some((local, domain)) if domain.to_ascii_lowercase().contains("xn--") => {
            format!("{local}@{}", idna::domain_to_unicode(domain).0).into()
        }
        _ => address.into(),
    }
}

fn message(user: &User<'_>, others: &BTreeSet<Other>) -> String {
    let named: Vec<String> = others.iter().map(|(address, whose)| format!("{address}, {whose}")).collect();
    let odd: BTreeSet<char> = user.email().unwrap_or_default().chars().filter(|letter| !letter.is_ascii()).collect();
    let odd: Vec<String> = odd.into_iter().map(|letter| format!("U+{:04X}", u32::from(letter))).collect();
    let odd = if odd.is_empty() { String::new() } else { format!(" (it contains {})", odd.join(", ")) };
    format!(
        "This address looks like {} and is another one{odd}; find out who uses it.",
        crate::words::list(&named, named.len())
    )
}
