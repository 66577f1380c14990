//! Evidence that other processes write to while it is checked.

use std::sync::Arc;

use uuid::Uuid;

use super::*;
use crate::{
    digest::sha256,
    evidence::{
        attestation::Attestation,
        consistency,
        ledger::{self, LEDGER},
        mail,
        storage::{Log as _, Storage as _, busy::Busy, memory::Memory},
        tests::written,
    },
    ledger::{
        Fact,
        fact::{BagName, Delivery},
    },
};

/// Adds entries and replaces the checkpoint, as a run does.
fn write(storage: &Memory, key: &SigningKey, facts: Vec<Fact>) {
    let (tail, head) = written::append(storage, facts);
    ledger::checkpoint(storage, &head, &tail.head, Some(key)).unwrap();
}

fn names(key: &SigningKey) -> Fact {
    Fact::Key { fingerprint: Some(key.fingerprint()), signer: Some(key.signer().unwrap()) }
}

fn started(key: &SigningKey) -> Arc<Memory> {
    let memory = Arc::new(Memory::new());
    write(&memory, key, vec![names(key)]);
    memory
}

/// Seals a bag, keeps a mail, and writes the entries about both.
fn work(storage: &Memory, key: &SigningKey, number: usize) {
    let folder = format!("bag-{number:04}");
    let draft = Draft::begin(storage, &folder).unwrap();
    draft.add("empty.txt", |_| Ok(())).unwrap();
    let info = [("Rolecall-Ledger", ledger::tail(storage).unwrap().head.to_string())];
    let digest = draft.finish(storage, &info, &[], Some(key)).unwrap();
    let run = Uuid::from_u128(number as u128);
    let mail = folder.clone();
    mail::keep(storage, mail.as_bytes()).unwrap();
    let delivery = Delivery {
        run: Some(run),
        review: None,
        kind: "report".into(),
        about: String::new(),
        recipient: "a@example.com".into(),
        message_id: format!("<{number}@example.com>"),
        sha256: sha256(mail.as_bytes()),
        accepted: true,
        answer: "250 ok".into(),
        kept: true,
    };
    let bag = BagName { folder, sha256: digest };
    write(storage, key, vec![Fact::BagOfFailure { run, bag }, Fact::Delivery(delivery)]);
}

#[test]
fn a_ledger_that_grows_while_it_is_read_is_as_it_was_written() {
    let key = Arc::new(SigningKey::generate("test").unwrap());
    // Before which of the first calls the others write.
    for when in 0..64_u32 {
        let other = Arc::clone(&key);
        let busy = Busy::new(started(&key), move |call, memory| {
            if call < 6 && when & (1 << call) != 0 {
                write(memory, &other, vec![names(&other)]);
            }
        });
        let found = Attestation::of(&busy, allowed(&key)).unwrap();
        assert!(found.problems.is_empty() && found.signed.is_some(), "{when:b}: {:?}", found.problems);
    }
}

#[test]
fn bags_and_mails_that_are_added_while_evidence_is_checked_are_no_problem() {
    let key = Arc::new(SigningKey::generate("test").unwrap());
    let mut when = 0;
    loop {
        let (memory, other) = (started(&key), Arc::clone(&key));
        work(&memory, &key, 0);
        let busy = Busy::new(memory, move |call, memory| {
            if call == when || call == when + 3 {
                work(memory, &other, 1 + call);
            }
        });
        let found = consistency::in_use(&busy, allowed(&key), &[], &BTreeSet::new(), None).unwrap();
        assert!(found.is_sound() && !found.bags.is_empty(), "{when}: {found:?}");
        if when >= busy.calls() {
            break;
        }
        when += 1;
    }
    assert!(when > 20, "{when}");
}

#[test]
fn a_checkpoint_that_is_listed_and_never_there_is_a_problem() {
    let (key, name) = (SigningKey::generate("test").unwrap(), "checkpoint-00000001.json");
    let memory = started(&key);
    memory.remove(name).unwrap();
    let busy = Busy::new(memory, move |call, memory| {
        if call % 2 == 0 {
            memory.put_new(name, b"").unwrap();
        } else {
            memory.remove(name).unwrap();
        }
    });
    let found = Attestation::of(&busy, allowed(&key)).unwrap();
    assert!(found.problems[0].contains("it is listed, but it is not there"), "{:?}", found.problems);
}

#[test]
fn a_ledger_that_is_cut_while_it_is_read_is_still_found() {
    let key = SigningKey::generate("test").unwrap();
    let memory = started(&key);
    let length = memory.length(LEDGER).unwrap();
    write(&memory, &key, vec![names(&key)]);
    let busy = Busy::new(memory, move |call, memory| {
        // The list and the checkpoint with its signature are read.
        if call == 3 {
            memory.lose(LEDGER, length);
        }
    });
    let found = Attestation::of(&busy, allowed(&key)).unwrap();
    assert!(found.problems[0].contains("it was truncated"), "{:?}", found.problems);
}
