//! The draw by itself. Samples of evidence that the binary made are in `tests/integration/sample.rs`.

use proptest::prelude::*;

use super::{
    draw::{About, drawn},
    *,
};

fn candidates(ids: &[&str]) -> Vec<Candidate> {
    let about = || About::Account { user: String::new(), first: uuid::Uuid::nil(), last: uuid::Uuid::nil(), audits: 1 };
    ids.iter().map(|id| Candidate { id: (*id).to_owned(), title: String::new(), about: about() }).collect()
}

fn ids(population: &[Candidate], seed: &str, n: usize) -> Vec<String> {
    drawn(population, seed, n).into_iter().map(|(_, one)| one.id.clone()).collect()
}

#[test]
fn the_draw_is_the_one_that_is_written_down() {
    // printf '4711\nacme/1' | sha256sum, and so on: the three smallest.
    let population = candidates(&["acme/1", "acme/2", "acme/3", "acme/4"]);
    let mut expected: Vec<&str> = vec!["acme/1", "acme/2", "acme/3", "acme/4"];
    expected.sort_by_key(|id| crate::digest::sha256(format!("4711\n{id}").as_bytes()));
    assert_eq!(ids(&population, "4711", 3), expected[..3]);
}

proptest! {
    #[test]
    fn a_larger_sample_begins_with_the_smaller_one_and_order_does_not_matter(
        names in prop::collection::btree_set("[a-z]{1,6}", 1..30), seed in ".{0,8}", n in 1_usize..30,
    ) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let population = candidates(&names);
        let all = ids(&population, &seed, names.len());
        prop_assert_eq!(&ids(&population, &seed, n)[..], &all[..n.min(all.len())]);
        let turned: Vec<&str> = names.iter().rev().copied().collect();
        prop_assert_eq!(ids(&candidates(&turned), &seed, names.len()), all);
    }
}
