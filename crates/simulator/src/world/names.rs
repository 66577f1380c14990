//! Names of people who do not exist: first names and words of nature, put together by number.
//!
//! Every number gives a different full name, however large the workspace, so that a rule that looks
//! for one person with two accounts finds the one that was put there and no chance namesakes.

const FIRST: [&str; 32] = [
    "Ada", "Bram", "Cleo", "Dov", "Edda", "Finn", "Greta", "Hale", "Ines", "Jory", "Kaia", "Lars", "Mina", "Nils",
    "Orla", "Pim", "Quill", "Runa", "Sten", "Tova", "Una", "Vito", "Wren", "Xenia", "Yara", "Zeno", "Alma", "Bodo",
    "Cora", "Dirk", "Elva", "Ivo",
];

const LAST: [&str; 64] = [
    "Alder",
    "Birch",
    "Cedar",
    "Dune",
    "Elm",
    "Fern",
    "Glen",
    "Heath",
    "Iris",
    "Juniper",
    "Kestrel",
    "Larch",
    "Maple",
    "Nettle",
    "Oak",
    "Poplar",
    "Quartz",
    "Reed",
    "Sedge",
    "Thistle",
    "Umber",
    "Violet",
    "Willow",
    "Yarrow",
    "Zephyr",
    "Amber",
    "Basalt",
    "Cobalt",
    "Delta",
    "Ember",
    "Flint",
    "Granite",
    "Harbour",
    "Indigo",
    "Jasper",
    "Knoll",
    "Lagoon",
    "Marble",
    "Northwind",
    "Opal",
    "Pebble",
    "Quarry",
    "Ridge",
    "Slate",
    "Tundra",
    "Upland",
    "Valley",
    "Wharf",
    "Amaranth",
    "Bramble",
    "Clover",
    "Driftwood",
    "Estuary",
    "Foxglove",
    "Gorse",
    "Hazel",
    "Islet",
    "Jetty",
    "Kelp",
    "Lichen",
    "Moss",
    "Nimbus",
    "Osprey",
    "Plover",
];

/// Pairs of one first and one last name.
const PAIRS: u64 = (FIRST.len() * LAST.len()) as u64;

/// Odd, hence coprime to [`PAIRS`] (a power of two): neighbours in the list get unlike names, and
/// every pair is still used once.
const STEP: u64 = 749;

/// The first and the last name of person number `index` in a workspace generated from `seed`.
pub(super) fn name(index: u32, seed: u64) -> (&'static str, String) {
    let number = u64::from(index);
    let pair = (number % PAIRS * STEP + seed % PAIRS) % PAIRS;
    let mut last = pick(&LAST, pair / FIRST.len() as u64).to_owned();
    // Once the pairs are used up, family names become double-barrelled, then triple.
    let mut block = number / PAIRS;
    while block > 0 {
        last.push('-');
        last.push_str(pick(&LAST, block));
        block /= LAST.len() as u64;
    }
    (pick(&FIRST, pair), last)
}

/// The part of an address before the `@` for such a name.
pub(super) fn local_part(first: &str, last: &str) -> String {
    format!("{first}.{last}").to_ascii_lowercase()
}

fn pick(names: &[&'static str], number: u64) -> &'static str {
    let length = names.len() as u64;
    let index = usize::try_from(number % length).unwrap_or_default();
    names.get(index).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_people_share_a_name_in_a_large_workspace() {
        let names: HashSet<_> = (0..200_000).map(|index| name(index, 7)).collect();
        assert_eq!(names.len(), 200_000);
    }

    #[test]
    fn another_seed_gives_another_name() {
        assert_ne!(name(0, 1), name(0, 2));
    }
}
