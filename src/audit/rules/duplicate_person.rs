//! When one account of a person is removed, the other keeps its access.
//!
//! Three signs, each looked for in one sorted list of hashes, so that a million users cost no million strings.

use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::prelude::*;
use crate::model::{
    email,
    policy::Policy,
    users::{User, UserIndex},
};

pub(in crate::audit) const RULE: BuiltIn = BuiltIn {
    name: "duplicate-person",
    title: "Duplicate accounts for one person",
    severity: Severity::Medium,
    criteria: &["CC6.2"],
    doc: include_str!("duplicate-person.md"),
    judges_population: true,
    evaluate,
};

/// A sign that two accounts belong to one person: writes the text that both would share, or returns false.
type Sign = fn(&User<'_>, &Policy, &mut String) -> bool;

/// The signs, the most certain first. An account is reported by the most certain one only.
const SIGNS: [(Sign, &str); 3] = [
    (same_zuid, "the same zuid"),
    (same_mailbox, "the same address"),
    (same_name_and_mailbox, "the same name and, in another domain, the same mailbox name"),
];

fn evaluate(context: &Context<'_>, sink: &mut Sink<'_>) -> Result<(), NotEvaluated> {
    // In parallel: this rule looks at every user three times, which is more work than all other rules together.
    let groups: Vec<Vec<Vec<UserIndex>>> = SIGNS.par_iter().map(|(sign, _)| sharing(context, *sign)).collect();
    let mut reported: HashSet<UserIndex> = HashSet::new();
    for (groups, (_, words)) in groups.iter().zip(SIGNS) {
        for accounts in groups {
            report(context, sink, accounts, words, &mut reported);
        }
    }
    Ok(())
}

/// Groups of accounts that share what a sign writes.
fn sharing(context: &Context<'_>, sign: Sign) -> Vec<Vec<UserIndex>> {
    let mut text = String::new();
    let mut hashes: Vec<Hashed> = Vec::with_capacity(context.directory.users.len());
    for row in context.present().filter(|row| context.is_person(row.user.index())) {
        text.clear();
        if sign(&row.user, context.policy(), &mut text) {
            hashes.push(Hashed { hash: hash_of(&text), user: row.user.index() });
        }
    }
    hashes.sort_unstable();
    let same_hash = hashes.chunk_by(|a, b| a.hash == b.hash).filter(|chunk| chunk.len() > 1);
    same_hash.flat_map(|accounts| of_same_text(context, accounts, sign)).collect()
}

/// An account and a short hash of its sign: eight bytes, because there are as many as users, three times.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Hashed {
    hash: u32,
    user: UserIndex,
}

fn hash_of(text: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    // Half is enough: accounts that share a hash are compared again.
    (hasher.finish() >> 32) as u32
}

/// Accounts that share a text, of those that share its hash.
fn of_same_text(context: &Context<'_>, same_hash: &[Hashed], sign: Sign) -> Vec<Vec<UserIndex>> {
    let text_of = |index: UserIndex| {
        let mut text = String::new();
        sign(&context.directory.users.get(index), context.policy(), &mut text);
        text
    };
    let mut texts: Vec<(String, UserIndex)> =
        same_hash.iter().map(|account| (text_of(account.user), account.user)).collect();
    texts.sort();
    let groups = texts.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1);
    groups.map(|group| group.iter().map(|(_, index)| *index).collect()).collect()
}

fn report(
    context: &Context<'_>,
    sink: &mut Sink<'_>,
    accounts: &[UserIndex],
    sign: &str,
    reported: &mut HashSet<UserIndex>,
) {
    for index in accounts {
        if !reported.insert(*index) {
            continue;
        }
        let others =
            accounts.iter().filter(|other| *other != index).map(|other| context.directory.users.get(*other).id());
        let users = if accounts.len() == 2 { "user" } else { "users" };
        let others = text::some_of(others, accounts.len() - 1);
        let message = format!("Has {sign} as {users} {others}; keep one account and delete the rest.");
        sink.report(Subject::User(*index), message);
    }
}

fn same_zuid(user: &User<'_>, _: &Policy, text: &mut String) -> bool {
    text.push_str(user.zuid().unwrap_or_default());
    !text.is_empty()
}

/// The same mailbox whatever the case and the `+tag`.
fn same_mailbox(user: &User<'_>, _: &Policy, text: &mut String) -> bool {
    let Some((name, domain)) = user.email().and_then(text::mailbox) else { return false };
    text::push_ascii_lowercase(text, name);
    text.push('@');
    text.push_str(&email::comparable_domain(domain));
    true
}

/// The same name of two words or more, and the same mailbox name. Neither alone is enough: people have namesakes,
/// and every domain has an `info@`.
fn same_name_and_mailbox(user: &User<'_>, policy: &Policy, text: &mut String) -> bool {
    let Some((name, _)) = user.email().and_then(text::mailbox) else { return false };
    text::push_ascii_lowercase(text, name);
    if policy.shared_mailboxes.contains(text.as_str()) {
        return false;
    }
    let mut words = 0;
    for word in user.full_name().unwrap_or_default().split_whitespace() {
        text.push(' ');
        text::push_lowercase(text, word);
        words += usize::from(word.chars().nth(1).is_some());
    }
    words >= 2
}
