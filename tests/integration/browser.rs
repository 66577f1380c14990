//! The report and the mail in a real browser: what they load and run, how they are built, whether they fit on a
//! phone, a desk and paper, and whether they can be read in both colour schemes.

use std::path::Path;

use rolecall::simulator::{Fault, Options};
use serde_json::{Value, json};

use crate::{
    hostile,
    support::{Bench, options},
    tools::{read_mail, run_script},
};

/// What axe-core judges a page by.
const WCAG: &str = "wcag2a,wcag2aa,wcag21a,wcag21aa,wcag22aa";

/// What Chromium finds in an HTML file.
fn judged(path: &Path, tags: &str) -> Value {
    serde_json::from_slice(&run_script("judge_page.py", &[path.as_os_str(), tags.as_ref()])).unwrap()
}

/// Fails where a page loads or runs anything, is built wrongly, does not fit or can hardly be read.
fn is_good(path: &Path, tags: &str) -> Value {
    let found = judged(path, tags);
    for kind in ["requests", "complaints", "ran", "wide"] {
        assert_eq!(found[kind], json!([]), "{kind} in {}", path.display());
    }
    let structure = &found["structure"];
    assert_eq!((&structure["lang"], &structure["h1"]), (&json!("en"), &json!(1)));
    assert_eq!(
        (&structure["scripts"], &structure["skipped"], &structure["captionless"]),
        (&json!(0), &json!(0), &json!(0))
    );
    for kind in ["handlers", "unscoped", "outward", "dead", "repeated"] {
        assert_eq!(structure[kind], json!([]), "{kind} in {}", path.display());
    }
    for (view, contrast) in found["contrast"].as_object().unwrap() {
        assert_eq!(contrast["poor"], json!([]), "{view} in {}", path.display());
        assert!(contrast["read"].as_u64().unwrap() > 50, "{view}: hardly any text was looked at");
    }
    assert_eq!(found["contrast"].as_object().unwrap().len(), 5);
    for (view, violations) in found["axe"].as_object().unwrap() {
        assert_eq!(violations, &json!([]), "{view} in {}", path.display());
    }
    found
}

/// Writes the HTML part of a mail to a file of its own.
fn html_of(bench: &Bench, mail: &Path) -> std::path::PathBuf {
    let path = bench.path("mail.html");
    std::fs::write(&path, read_mail(mail)["parts"][1]["content"].as_str().unwrap()).unwrap();
    path
}

#[test]
fn the_report_of_hostile_names_loads_nothing_runs_nothing_fits_and_can_be_read() {
    let (bench, _) = hostile::audited();
    let found = is_good(&bench.path("out/report.html"), &format!("{WCAG},best-practice"));
    assert!(found["structure"]["headers"].as_u64().unwrap() > 100, "{}", found["structure"]);
    assert!(found["structure"]["links"].as_u64().unwrap() > 10, "{}", found["structure"]);
    let pages = found["pages"].as_u64().unwrap();
    assert!((5..=40).contains(&pages), "{pages} pages of paper");
}

#[test]
fn the_mail_of_hostile_names_loads_nothing_runs_nothing_fits_and_can_be_read() {
    let (bench, _) = hostile::audited();
    // A mail is no page with landmarks: the mail program around it has those.
    is_good(&html_of(&bench, &bench.mails()[0]), WCAG);
}

#[test]
fn an_incomplete_audit_is_as_readable() {
    let bench = Bench::new(Options { faults: vec![Fault::ShortPageAlways], ..options(210) });
    bench.audit(&["--out", "out", "--send"]);
    is_good(&bench.path("out/report.html"), &format!("{WCAG},best-practice"));
    is_good(&html_of(&bench, &bench.mails()[0]), WCAG);
}

#[test]
fn the_judge_sees_what_is_wrong_with_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bad.html");
    let page = r##"<!DOCTYPE html><html><head><title>Bad</title>
<meta http-equiv="Content-Security-Policy" content="img-src 'none'"></head><body>
<h1 id="one">Bad</h1><h3 id="one" onclick="1">Skipped</h3><p style="color:#aaa;background:#fff">pale</p>
<a href="#nowhere">dead</a><a href="https://example.com/">outward</a>
<table><thead><tr><th>unscoped</th></tr></thead><tbody><tr><td>1</td></tr></tbody></table>
<p style="width:2000px">wide</p><img src="stopped.png" alt=""><link rel="stylesheet" href="loaded.css">
<script>document.title = "ran"</script></body></html>"##;
    std::fs::write(&path, page).unwrap();
    let found = judged(&path, WCAG);
    let structure = &found["structure"];
    assert_eq!((&structure["lang"], &structure["scripts"], &structure["skipped"]), (&json!(""), &json!(1), &json!(1)));
    assert_eq!((&structure["handlers"], &structure["unscoped"]), (&json!(["onclick"]), &json!(["unscoped"])));
    assert_eq!((&structure["dead"], &structure["repeated"]), (&json!(["nowhere"]), &json!(["one"])));
    assert_eq!((&structure["outward"], &structure["captionless"]), (&json!(["https://example.com/"]), &json!(1)));
    assert_eq!(found["ran"].as_array().unwrap().len(), 1, "{}", found["ran"]);
    assert_eq!(found["wide"].as_array().unwrap().len(), 5, "{}", found["wide"]);
    assert!(found["requests"].to_string().contains("loaded.css"), "{}", found["requests"]);
    assert!(found["complaints"].to_string().contains("stopped.png"), "{}", found["complaints"]);
    assert!(found["contrast"]["light 1280"]["poor"].to_string().contains("pale"), "{}", found["contrast"]);
    assert!(found["axe"]["light 1280"].to_string().contains("html-has-lang"), "{}", found["axe"]);
}
