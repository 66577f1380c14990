//! Reads the sources and holds the table of layers: who may import whom. [`circles`] looks inside the rooms.

mod circles;
mod sources;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use self::sources::{arrows, code, modules, sources};

/// Rooms without dependencies that every room may name.
const FOUNDATION: &[&str] = &["clock", "digest", "tls", "words"];

/// Each room, and the rooms of the crate that it may name beside [`FOUNDATION`]. A room may always name itself.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("clock", &[]),
    ("digest", &[]),
    ("tls", &[]),
    ("words", &[]),
    ("access", &["model"]),
    ("exceptions", &["model"]),
    ("cel", &["model"]),
    ("timestamp", &[]),
    ("audit", &["model", "access", "exceptions", "cel"]),
    ("review", &["model", "access"]),
    ("ledger", &["model", "review"]),
    ("schedule", &["ledger"]),
    ("lookup", &["model", "access"]),
    ("past", &["model", "access"]),
    ("people", &["model", "access"]),
    ("preflight", &["model", "access"]),
    ("brief", &["model", "access"]),
    ("report", &["model", "access", "brief", "exceptions", "people", "review"]),
    ("coverage", &["ledger", "schedule", "report", "review"]),
    ("connector", &["model", "access"]),
    ("store", &["model", "access", "ledger", "review"]),
    ("mail", &["model", "ledger", "brief", "people", "review"]),
    ("config", &["model", "schedule", "review", "cel", "timestamp"]),
    ("replay", &[]),
    ("evidence", &["model", "ledger", "review", "timestamp"]),
    ("roster", &["model"]),
    ("fetch", &["model", "roster"]),
    ("connections", &[]),
    ("export", &["ledger", "coverage", "evidence", "report", "review"]),
    ("notify", &["model", "store", "mail", "evidence", "ledger", "review"]),
    ("offboard", &["model", "access", "lookup", "connector", "store", "ledger"]),
    ("setup", &["model", "access", "connector", "preflight"]),
    (
        "run",
        &[
            "fetch",
            "model",
            "access",
            "audit",
            "brief",
            "people",
            "report",
            "connector",
            "store",
            "mail",
            "evidence",
            "ledger",
            "review",
            "replay",
            "schedule",
            "notify",
            "past",
            "timestamp",
        ],
    ),
    (
        "daemon",
        &[
            "evidence",
            "fetch",
            "model",
            "access",
            "report",
            "connector",
            "store",
            "mail",
            "schedule",
            "run",
            "notify",
            "ledger",
            "review",
        ],
    ),
    ("web", &["model", "store", "daemon", "connections"]),
    (
        "console",
        &[
            "model",
            "access",
            "audit",
            "exceptions",
            "brief",
            "past",
            "review",
            "store",
            "schedule",
            "ledger",
            "evidence",
            "run",
            "connections",
        ],
    ),
    (
        "agent",
        &[
            "fetch",
            "model",
            "access",
            "audit",
            "ledger",
            "lookup",
            "preflight",
            "report",
            "connector",
            "store",
            "offboard",
            "past",
            "review",
            "run",
        ],
    ),
    ("mcp", &["model", "agent", "connections"]),
    (
        "app",
        &[
            "fetch",
            "agent",
            "config",
            "connections",
            "connector",
            "console",
            "daemon",
            "evidence",
            "ledger",
            "mail",
            "model",
            "notify",
            "report",
            "review",
            "run",
            "schedule",
            "setup",
            "store",
            "timestamp",
        ],
    ),
    (
        "cli",
        &[
            "fetch",
            "connections",
            "model",
            "access",
            "audit",
            "brief",
            "cel",
            "exceptions",
            "report",
            "connector",
            "store",
            "mail",
            "config",
            "schedule",
            "run",
            "notify",
            "daemon",
            "agent",
            "mcp",
            "app",
            "web",
            "console",
            "export",
            "evidence",
            "ledger",
            "replay",
            "review",
            "coverage",
            "lookup",
            "offboard",
            "past",
            "people",
            "preflight",
            "setup",
            "timestamp",
        ],
    ),
];

#[test]
fn arrows_point_inward() {
    let modules = modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let mut wrong = Vec::new();
    for room in modules.keys().filter_map(|module| module.first()).collect::<BTreeSet<_>>() {
        if !MAY_IMPORT.iter().any(|(name, _)| name == room) {
            wrong.push(format!("{room} is a room that the table does not have"));
        }
    }
    for (from, to) in arrows(&modules) {
        let (Some(room), Some(named)) = (from.first(), to.first()) else { continue };
        let allowed = MAY_IMPORT.iter().find(|(name, _)| name == room).map_or(&[][..], |(_, allowed)| allowed);
        if named != room && !FOUNDATION.contains(&named.as_str()) && !allowed.contains(&named.as_str()) {
            wrong.push(format!("{} imports {}", from.join("::"), to.join("::")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Logic gets the time as an argument or as a `Clock`.
#[test]
fn the_clock_is_passed_in() {
    let mut wrong = Vec::new();
    for (module, code) in modules(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let (name, room) = (module.join("::"), module.first().map_or("", String::as_str));
        if code.contains("Utc::now") && room != "clock" {
            wrong.push(format!("{name} asks the machine for the time"));
        }
        if code.contains("Clock::system") && !matches!(room, "clock" | "cli") {
            wrong.push(format!("{name} chooses the clock"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_of_layers_has_no_cycle() {
    for (place, (room, _)) in MAY_IMPORT.iter().enumerate() {
        for (earlier, allowed) in &MAY_IMPORT[..place] {
            assert!(!allowed.contains(room), "{earlier} comes before {room} and must not import it");
        }
    }
}

#[test]
fn the_map_in_contributing_names_every_room() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("CONTRIBUTING.md")).unwrap();
    let named = text.lines().filter_map(|line| line.strip_prefix("| `src/")?.split_once('`'));
    let named: BTreeSet<String> = named.map(|(room, _)| room.to_owned()).collect();
    let rooms = fs::read_dir(root.join("src")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let rooms: BTreeSet<String> = rooms.map(|name| name.trim_end_matches(".rs").to_owned()).collect();
    let rooms: BTreeSet<String> = rooms.into_iter().filter(|room| !matches!(room.as_str(), "lib" | "main")).collect();
    assert_eq!(named, rooms);
}

/// Files that may touch a file system in the rooms of evidence, and why.
const TOUCH_FILES: &[(&str, &str)] = &[
    ("evidence/draft.rs", "names the type of a spooled file"),
    ("evidence/key.rs", "the signing key"),
    ("evidence/export.rs", "the zip that an export is written to"),
    ("evidence/encrypted.rs", "the file that an export is encrypted to"),
];

#[test]
fn only_the_storage_touches_files_of_evidence() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let rooms = ["evidence", "export", "ledger", "coverage", "notify", "run/bag", "run/recompute"];
    let files = ["run/ledger.rs", "run/retention.rs", "run/recompute.rs", "run/anchor.rs", "replay.rs"];
    let more = ["cli/evidence/verify.rs", "cli/evidence/recompute.rs", "cli/evidence/export.rs"];
    let mut paths: Vec<PathBuf> = rooms.iter().flat_map(|room| sources(&src.join(room))).collect();
    paths.extend(files.iter().chain(&more).map(|file| src.join(file)));
    assert!(paths.len() > 30, "the sources were not found: {paths:?}");
    let mut touching = BTreeSet::new();
    for path in paths {
        let inside = path.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
        let code = code(&path);
        let is_test =
            ["tests.rs", "memory.rs", "testing.rs", "conformance.rs"].iter().any(|test| inside.ends_with(test));
        let touches = ["fs::", " File::", "(File::", "OpenOptions"].iter().any(|call| code.contains(call));
        if touches && !is_test && !inside.starts_with("evidence/storage/") {
            touching.insert(inside);
        }
    }
    let allowed: BTreeSet<String> = TOUCH_FILES.iter().map(|(file, _)| (*file).to_owned()).collect();
    assert_eq!(touching, allowed);
}
