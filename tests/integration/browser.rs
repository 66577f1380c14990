//! The report and the mail in a real browser, narrow and wide, light and dark: nothing is loaded or run, nothing is
//! cut off, and an accessibility checker finds nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rolecall_simulator::Fault;

use crate::{
    across, hostile,
    support::{Bench, options, rolecall},
    tools::{read_mail, run_script},
};

/// How long a page is, in pixels for screens and in pages of paper.
pub(crate) fn length(page: &Path) -> serde_json::Value {
    serde_json::from_slice(&run_script("length.py", &[page])).unwrap()
}

#[test]
fn the_report_of_48_users_is_five_screens_and_four_pages_and_paper_has_what_is_folded() {
    let folder = tempfile::tempdir().unwrap();
    let output = rolecall().arg("demo").current_dir(&folder).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let reports: Vec<_> = reports_below(folder.path());
    assert!(!reports.is_empty(), "the demo leaves no report");
    for report in reports {
        let length = length(&report);
        let at_most = |what: &str, most: u64| {
            assert!(length[what].as_u64().unwrap() <= most, "{}: {length}", report.display());
        };
        at_most("screen", 5 * 900);
        at_most("phone", 12 * 844);
        at_most("pages", 4);
        at_most("folded_on_paper", 0);
    }
}

#[test]
fn the_report_of_thousands_is_at_most_twice_as_long() {
    let bench = Bench::new(options(5_000));
    bench.audit(&["--out", "out"]);
    let length = length(&bench.path("out/report.html"));
    for (what, most) in [("screen", 10 * 900), ("pages", 8), ("folded_on_paper", 0)] {
        assert!(length[what].as_u64().unwrap() <= most, "{length}");
    }
}

/// The reports below a folder.
fn reports_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(reports_below(&path));
        } else if path.ends_with("report.html") && !path.components().any(|part| part.as_os_str() == "data") {
            found.push(path);
        }
    }
    found
}

/// What is wrong with a page, by the browser.
pub(crate) fn problems(kind: &str, page: &Path) -> Vec<String> {
    serde_json::from_slice(&run_script("browse.py", &[kind.as_ref(), page.as_os_str()])).unwrap()
}

fn assert_well(bench: &Bench) {
    assert_eq!(problems("page", &bench.path("out/report.html")), [""; 0], "report.html");
    let mail = read_mail(&bench.mails()[0]);
    fs::write(bench.path("mail.html"), mail["parts"][1]["content"].as_str().unwrap()).unwrap();
    assert_eq!(problems("mail", &bench.path("mail.html")), [""; 0], "the mail");
}

#[test]
fn hostile_names_change_nothing_about_report_and_mail() {
    assert_well(&hostile::audited().0);
}

#[test]
fn an_incomplete_audit_of_several_pages_reads_well() {
    let bench = Bench::new(options(201));
    bench.simulator.set_faults([Fault::UsersShiftAlways]);
    bench.audit(&["--out", "out", "--send"]);
    assert_well(&bench);
}

#[test]
fn the_page_of_people_across_workspaces_reads_well() {
    let (bench, other) = across::two(60);
    bench.audit(&["--out", "before"]);
    let ids = other.world().read(rolecall_simulator::World::user_ids);
    for id in &ids[5..12] {
        other.world().edit(|world| world.disable(id)).unwrap();
    }
    other.set_faults([Fault::UsersShiftAlways]);
    bench.audit(&["--out", "out"]);
    assert_eq!(problems("page", &bench.path("out/people.html")), [""; 0], "people.html");
    let length = length(&bench.path("out/people.html"));
    assert!(length["screen"].as_u64().unwrap() <= 5 * 900 && length["folded_on_paper"] == 0, "{length}");
}

#[test]
fn the_mail_about_several_workspaces_reads_well() {
    let (bench, other) = across::combined(60);
    other.set_faults([Fault::TokenNeverAccepted]);
    let (code, ..) = bench.run(&["audit", "--send"]);
    assert_eq!(code, 1);
    other.set_faults([Fault::UsersShiftAlways]);
    bench.audit(&["--send"]);
    for (number, mail) in bench.mails().iter().step_by(2).enumerate() {
        let mail = read_mail(mail);
        let page = bench.path(&format!("mail-{number}.html"));
        fs::write(&page, mail["parts"][1]["content"].as_str().unwrap()).unwrap();
        assert_eq!(problems("mail", &page), [""; 0], "mail {number}");
    }
}

#[test]
fn what_the_browser_is_to_find_it_finds() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("bad.html");
    let bad = r##"<html><head><script>console.log("x")</script></head><body onload="alert(1)"><h2 id="a">x</h2><p id="a"
        style="color:#bbb;background:#fff;width:2000px">pale</p><a href="#none">to</a><table><tr><th>x</th></tr></table>
        <img src="https://example.org/pixel.png"></body></html>"##;
    fs::write(&page, bad).unwrap();
    let found = problems("page", &page).join("\n");
    for problem in [
        "360 px, light: a script element",
        "the handler onload",
        "it runs a script: 1",
        "the console says: ",
        "it asks for https://example.org/pixel.png",
        "it scrolls sideways",
        "paper cuts it off",
        "th without scope",
        "not one h1",
        "an id twice",
        "a link to nowhere: #none",
        "no language",
        "no title",
        "axe color-contrast",
        "axe image-alt",
        "1280 px, dark: ",
    ] {
        assert!(found.contains(problem), "{problem:?} is not in:\n{found}");
    }
}
