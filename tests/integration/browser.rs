//! The report and the mail in a real browser, narrow and wide, light and dark: nothing is loaded or run, nothing is
//! cut off, and an accessibility checker finds nothing.

use std::{fs, path::Path};

use rolecall_simulator::Fault;

use crate::{
    hostile,
    support::{Bench, options},
    tools::{read_mail, run_script},
};

/// What is wrong with a page, by the browser.
fn problems(kind: &str, page: &Path) -> Vec<String> {
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
