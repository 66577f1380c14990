//! Names that attack: whoever can choose a name in the workspace must not reach the reader of a report through it.

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    support::{Bench, options, printed},
    tools::{read_csv, read_html, read_mail, read_xlsx},
};

/// Names as an attacker or an accident writes them.
fn names() -> Vec<String> {
    let mut names: Vec<String> = [
        "<script>alert(1)</script>",
        "Bo;=cmd|'/c calc'!A0;x",
        "Bo\t=cmd|'/c calc'!A0",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</td></tr></table><h1>All is well</h1>",
        "{{7*7}} {% include \"x\" %} &lt;b&gt; &amp;",
        "=cmd|' /C calc'!A0",
        "=HYPERLINK(\"https://example.org/\",\"pay\")",
        "+1+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(1+1)",
        "\t=1+1",
        "\r=1+1",
        " =1+1",
        "Ana\r\nBcc: victim@example.org\r\n\r\n<b>body</b>",
        "Ana\r\n.\r\nMAIL FROM:<evil@example.org>",
        "two\nlines, \"quoted\", and;\"=1+1",
        "\u{202e}gnp.exe\u{2066}",
        "NUL\u{0}NUL",
        "bell\u{7} escape\u{1b}[31m vertical\u{b} \u{fffe}\u{ffff}",
        "_x0041_ \u{1f469}\u{200d}\u{1f4bb} e\u{301} \u{feff}=1",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push("Very Long ".repeat(1_000));
    names
}

/// An audited workspace in which users, a role, a profile and the company have such names; administrators among
/// them, so that they stand in findings, changes, mail and subject.
pub(crate) fn audited() -> (Bench, Vec<String>) {
    let bench = Bench::new(options(12));
    bench.audit(&["--send"]);
    bench.simulator.inbox().clear();
    bench.simulator.world().edit(|world| {
        for (number, name) in names().into_iter().enumerate() {
            let profile = if number % 2 == 0 { "5820190000000026011" } else { "5820190000000026014" };
            world.add_user(&json!({
                "full_name": name, "first_name": null, "last_name": name, "profile": {"id": profile, "name": name},
                "role": {"id": "5820190000000413001", "name": name},
            }));
        }
        // An address is a name, too.
        world
            .add_user(&json!({"full_name": "Address", "email": "=cmd|'/C calc'!A0@example.com\r\nBcc: v@example.org"}));
        world.rename_role("5820190000000413004", "=1+1<script>alert(2)</script>\r\nBcc: v@example.org").unwrap();
        world.rename_profile("5820190000000412001", "\"><svg onload=alert(3)>").unwrap();
        world.patch_org(&json!({"company_name": "Evil\r\nBcc: victim@example.org\r\n\r\n<script>alert(4)</script>"}));
    });
    let printed = bench.audit(&["--out", "out", "--send"]);
    assert!(
        !printed.contains(['\u{1b}', '\u{7}', '\0', '\u{202e}']),
        "a name moves the terminal's cursor: {printed:?}"
    );
    let promotions =
        printed.lines().filter(|line| line.starts_with("  changed") && line.contains(" became Administrator"));
    assert_eq!(promotions.count(), 12, "a name pushes what happened out of sight: {printed}");
    (bench, names())
}

fn starts_a_formula(cell: &str) -> bool {
    cell.starts_with(['=', '+', '-', '@', '\t', '\r']) || cell.trim_start().starts_with(['=', '+', '-', '@'])
}

/// All cells of the three tables, by table.
fn tables(bench: &Bench) -> [Vec<Vec<String>>; 3] {
    ["access-matrix", "findings", "changes"].map(|name| read_csv(&bench.path(&format!("out/{name}.csv"))))
}

/// A text as a table may hold it, by the words of the contract.
fn guarded(text: &str) -> String {
    let text = text.replace('\0', "\u{fffd}");
    let pieces: Vec<&str> = text.split_inclusive([',', ';', '\t', '\n', '\r']).collect();
    let dropped = |c: char| c.is_whitespace() || c == '"';
    let runs = |piece: &str| piece.trim_start_matches(dropped).starts_with(['=', '+', '-', '@']);
    let inside: Vec<bool> = (0..pieces.len()).map(|place| place > 0 && runs(pieces[place])).collect();
    let lead = if starts_a_formula(&text) || inside.contains(&true) { "'" } else { "" };
    let rest = pieces.iter().zip(inside).map(|(piece, runs)| format!("{}{piece}", if runs { "'" } else { "" }));
    rest.fold(lead.to_owned(), |text, piece| text + &piece)
}

#[test]
fn csv_is_strict_no_cell_is_a_formula_and_every_name_is_there_letter_by_letter() {
    let (bench, names) = audited();
    let tables = tables(&bench);
    for cell in tables.iter().flatten().flatten() {
        assert!(!starts_a_formula(cell), "{cell:?}");
    }
    let written: Vec<&str> = tables[0].iter().map(|record| record[2].as_str()).collect();
    for name in &names {
        let expected = guarded(name);
        let found = written.contains(&expected.as_str()) || written.contains(&format!("'{name}").as_str());
        assert!(found, "{:?} is not in {written:?}", &expected[..expected.len().min(80)]);
    }
    assert!(tables[0].iter().any(|record| record[3].starts_with("'=cmd|'/C calc'!A0@example.com\r\nBcc:")));
    // Programs that split at another character take no notice of the quotes, or take them for those of another cell.
    for name in ["access-matrix", "findings", "changes"] {
        let text = bench.read(&format!("out/{name}.csv"));
        for cell in text.split([';', '\t', '\n', '\r']).chain(text.split(',')) {
            assert!(!cell.starts_with(['=', '+', '-', '@']), "{name}: {cell:?}");
        }
        for delimiter in [b';', b'\t'] {
            let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
            for cell in
                reader.records().flat_map(|record| record.unwrap().iter().map(str::to_owned).collect::<Vec<_>>())
            {
                assert!(!cell.starts_with(['=', '+', '-', '@']), "{name}: {cell:?}");
            }
        }
    }
}

#[test]
fn the_workbook_has_the_same_values_as_text() {
    let (bench, _) = audited();
    let workbook = read_xlsx(&bench.path("out/report.xlsx"));
    for (sheet, table) in workbook.as_array().unwrap().iter().zip(tables(&bench)) {
        let rows = sheet["rows"].as_array().unwrap();
        assert_eq!(rows.len(), table.len(), "{}", sheet["title"]);
        for (cell, expected) in rows.iter().flat_map(|row| row.as_array().unwrap()).zip(table.iter().flatten()) {
            // XML has no such characters; openpyxl leaves their notation (ECMA-376, 22.9.2.19) as it stands.
            let forbidden = |c: char| (c < ' ' && !"\t\r\n".contains(c)) || matches!(c, '\u{fffe}' | '\u{ffff}');
            let noted = |c: char| if forbidden(c) { format!("_x{:04X}_", u32::from(c)) } else { c.to_string() };
            let expected: String = expected.chars().map(noted).collect();
            assert_eq!(cell[0].as_str().unwrap_or_default(), expected);
            assert!(cell[1] == "s" || cell[1] == "inlineStr" || cell[0].is_null(), "{cell}");
        }
    }
}

/// Fails where an HTML file holds what a name brought in.
fn is_harmless(path: &Path) -> Value {
    let html = read_html(path);
    // The report's own drawings say how they are to be read; one of theirs would be one more.
    let text = std::fs::read_to_string(path).unwrap();
    let own =
        ["<svg class=\"", "<svg role=\"img\"", "<svg aria-hidden=\"true\""].map(|begin| text.matches(begin).count());
    let drawings = html["tags"]["svg"].as_u64().unwrap_or(0);
    assert_eq!(drawings, own.iter().sum::<usize>() as u64, "svg in {}", path.display());
    for tag in ["script", "img", "iframe", "object", "embed", "form", "base", "link"] {
        assert_eq!(html["tags"][tag], Value::Null, "{tag} in {}", path.display());
    }
    assert_eq!(html["handlers"], json!([]));
    assert_eq!(html["mismatched"], json!([]));
    assert_eq!(html["tags"]["h1"], 1, "a heading came in with a name");
    for address in html["addresses"].as_array().unwrap() {
        assert!(address.as_str().unwrap().starts_with('#'), "{address} in {}", path.display());
    }
    html
}

#[test]
fn the_html_report_has_no_script_handler_or_element_of_theirs() {
    let (bench, _) = audited();
    let html = is_harmless(&bench.path("out/report.html"));
    let texts = html["texts"].to_string();
    assert!(texts.contains("<script>alert(1)</script>"), "the name is shown as it is");
    assert!(texts.contains("{{7*7}}"));
}

#[test]
fn the_mail_has_no_header_of_theirs_and_no_defect() {
    let (bench, _) = audited();
    let mails = bench.mails();
    assert_eq!(mails.len(), 2);
    let mail = read_mail(&mails[0]);
    let mut names: Vec<&str> =
        mail["headers"].as_array().unwrap().iter().map(|header| header[0].as_str().unwrap()).collect();
    names.sort_unstable();
    let expected = [
        "Auto-Submitted",
        "Content-Type",
        "Date",
        "From",
        "In-Reply-To",
        "List-Id",
        "MIME-Version",
        "Message-ID",
        "References",
        "Subject",
        "To",
        "X-Auto-Response-Suppress",
    ];
    assert_eq!(names, expected);
    assert_eq!(
        mail["structure"].as_array().unwrap()[..4],
        ["multipart/mixed", "multipart/alternative", "text/plain", "text/html"]
    );
    let html = bench.path("mail.html");
    std::fs::write(&html, mail["parts"][1]["content"].as_str().unwrap()).unwrap();
    is_harmless(&html);
    let sent = &bench.simulator.inbox().messages()[0];
    assert_eq!(sent.to, ["security@example.com"]);
    assert!(mail["parts"][1]["content"].as_str().unwrap().len() < 100 * 1024);
}

#[test]
fn a_file_without_an_end_is_refused() {
    let bench = Bench::new(options(5));
    bench.configure("\n[evidence]\ndirectory = \"bags\"\n");
    bench.audit(&[]);
    for arguments in [
        &["--config", "/dev/zero", "check"][..],
        &["evidence", "verify", "--allowed-signers", "/dev/zero"],
        &["evidence", "verify", "--timestamp-ca", "/dev/zero"],
        &["offboard", "acme", "--from", "/dev/zero"],
    ] {
        let (code, _, stderr) = bench.run(arguments);
        assert!(code == 2 && stderr.contains("it has more than 16777216 bytes"), "{arguments:?}: {stderr}");
    }
    let long = format!("{{\"permission\": \"{}\"}}\n", "x".repeat(1 << 20));
    for arguments in [&["tools", "serve"][..], &["tools", "call", "who_can", "--arguments", "-"]] {
        let output = bench.rolecall(arguments).write_stdin(long.clone()).output().unwrap();
        let (_, stderr) = printed(&output);
        let is_refused = stderr.contains("more than 1048576 bytes");
        assert!(output.status.code() == Some(2) && is_refused, "{arguments:?}: {stderr}");
    }
}
