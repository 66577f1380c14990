//! Holds that no parts of a room need each other in a circle.
//!
//! The parts of a module are the files and folders right below it. The file of the module itself is left out: it holds
//! the words that its parts share, and puts the parts together, so that it names them and they name it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::sources::{Module, arrows, modules};

/// Circles that are meant, as `module: part, part`, each with the reason.
const ACCEPTED: &[(&str, &str)] = &[];

/// The circles among the parts of every module, as `module: part, part`, each with the arrows that tie it.
fn circles(modules: &BTreeMap<Module, String>) -> BTreeMap<String, Vec<String>> {
    let arrows = arrows(modules);
    let rooms: BTreeSet<&[String]> = modules.keys().flat_map(|path| (1..path.len()).map(|n| &path[..n])).collect();
    let mut circles = BTreeMap::new();
    for room in rooms {
        let part = |path: &'_ Module| path.starts_with(room).then(|| path.get(room.len()).cloned()).flatten();
        let mut below: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut ties = Vec::new();
        for (from, to) in &arrows {
            if let (Some(a), Some(b)) = (part(from), part(to))
                && a != b
            {
                ties.push((a.clone(), b.clone(), format!("{} names {}", from.join("::"), to.join("::"))));
                below.entry(a).or_default().insert(b);
            }
        }
        // Everything that a part reaches over others.
        loop {
            let before: usize = below.values().map(BTreeSet::len).sum();
            for part in below.keys().cloned().collect::<Vec<_>>() {
                let further = below[&part].iter().filter_map(|next| below.get(next)).flatten().cloned();
                let further: Vec<String> = further.collect();
                below.entry(part).or_default().extend(further);
            }
            if below.values().map(BTreeSet::len).sum::<usize>() == before {
                break;
            }
        }
        let reaches = |a: &String, b: &String| below.get(a).is_some_and(|parts| parts.contains(b));
        for part in below.keys().filter(|part| reaches(part, part)) {
            let circle: Vec<&str> =
                below.keys().filter(|other| reaches(part, other) && reaches(other, part)).map(String::as_str).collect();
            let is_inside = |part: &String| circle.contains(&part.as_str());
            let inside = ties.iter().filter(|(a, b, _)| is_inside(a) && is_inside(b));
            let name = format!("{}: {}", room.join("::"), circle.join(", "));
            circles.insert(name, inside.map(|(_, _, tie)| tie.clone()).collect());
        }
    }
    circles
}

#[test]
fn no_parts_of_a_room_form_a_circle() {
    let modules = modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(modules.len() > 200, "the sources were not found");
    let mut circles = circles(&modules);
    for (circle, _) in ACCEPTED {
        assert!(circles.remove(*circle).is_some(), "{circle} is gone; take it from the list");
    }
    let shown = circles.iter().map(|(circle, ties)| format!("{circle}\n  {}", ties.join("\n  ")));
    assert!(circles.is_empty(), "{}", shown.collect::<Vec<_>>().join("\n"));
}

fn planted(files: &[(&str, &str)]) -> Vec<String> {
    let path = |name: &str| name.split("::").map(str::to_owned).collect();
    let modules = files.iter().map(|(name, code)| (path(name), (*code).to_owned())).collect();
    circles(&modules).into_keys().collect()
}

#[test]
fn a_circle_is_found() {
    let two = [("a", "mod b;\nmod c;"), ("a::b", "use super::c::C;"), ("a::c", "fn f() -> crate::a::b::B {}")];
    assert_eq!(planted(&two), ["a: b, c"]);
    let three = [
        ("a", ""),
        ("a::b", "use crate::{\n    a::{\n        c::C,\n    },\n    x::Y,\n};"),
        ("a::c", "pub(super) use super::d;"),
        ("a::d", "use super::{super::a::b::B as Other};"),
    ];
    assert_eq!(planted(&three), ["a: b, c, d"]);
}

#[test]
fn a_circle_over_files_in_folders_is_found() {
    let files = [
        ("a", ""),
        ("a::b", "mod one;\nfn f() { one::g() }"),
        ("a::b::one", "use super::super::c;"),
        ("a::c", "use super::b::two::Two;"),
        ("a::b::two", ""),
    ];
    assert_eq!(planted(&files), ["a: b, c"]);
}

#[test]
fn a_module_and_its_parts_are_no_circle() {
    let files = [("a", "use self::b::B;"), ("a::b", "use super::A;"), ("a::c", "use super::{A, b::B};")];
    assert!(planted(&files).is_empty());
}
