//! Outputs that claim a standard, checked by somebody else's tool for that standard.

use std::{ffi::OsStr, fs, path::Path};

use serde_json::Value;

use crate::{
    support::{Bench, options, printed, rolecall},
    tools::{check_jsonschema, read_csv, read_html, read_mail, read_xlsx},
};

/// Writes the schemas as the binary prints them.
fn schemas(bench: &Bench) {
    for which in ["config", "report", "people", "review"] {
        let (code, stdout, _) = bench.run(&["schema", which]);
        assert_eq!(code, 0);
        fs::write(bench.path(&format!("{which}.schema.json")), stdout).unwrap();
    }
}

/// Whether check-jsonschema accepts a file, and what it says.
fn valid(schema: &Path, file: &Path) -> (bool, String) {
    let output = check_jsonschema(&[OsStr::new("--schemafile"), schema.as_os_str(), file.as_os_str()]);
    let (stdout, stderr) = printed(&output);
    assert!(!stderr.contains("Traceback"), "{stderr}");
    (output.status.success(), stdout + &stderr)
}

#[test]
fn the_schemas_are_schemas_and_name_their_dialect() {
    let bench = Bench::new(options(12));
    schemas(&bench);
    let files = ["config", "report", "people", "review"].map(|which| bench.path(&format!("{which}.schema.json")));
    let output = check_jsonschema(&[
        OsStr::new("--check-metaschema"),
        files[0].as_os_str(),
        files[1].as_os_str(),
        files[2].as_os_str(),
        files[3].as_os_str(),
    ]);
    assert!(output.status.success(), "{}", printed(&output).0);
    for file in files {
        let schema: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    }
}

#[test]
fn every_report_json_is_valid_under_the_published_schema_which_is_strict() {
    let bench = Bench::new(options(60));
    schemas(&bench);
    bench.audit(&["--out", "first"]);
    let somebody = bench.simulator.world().read(|world| world.user_ids()[30].clone());
    bench.simulator.world().edit(|world| world.promote(&somebody)).unwrap();
    bench.simulator.set_faults([rolecall_simulator::Fault::ShortPageAlways]);
    bench.audit(&["--out", "second"]);
    let schema = bench.path("report.schema.json");
    for folder in ["first", "second"] {
        let (accepted, said) = valid(&schema, &bench.path(&format!("{folder}/report.json")));
        assert!(accepted, "{folder}: {said}");
    }
    let report: Value = serde_json::from_str(&bench.read("second/report.json")).unwrap();
    let mut unversioned = report.clone();
    unversioned.as_object_mut().unwrap().remove("schema_version").unwrap();
    let mut wrong = report;
    wrong["access_matrix"][0]["administrator"] = "yes".into();
    for broken in [unversioned, wrong] {
        let path = bench.path("broken.json");
        fs::write(&path, broken.to_string()).unwrap();
        assert!(!valid(&schema, &path).0, "the schema accepts anything");
    }
}

#[test]
fn the_example_configuration_is_accepted_by_check_and_by_its_schema() {
    let bench = Bench::new(options(12));
    schemas(&bench);
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/rolecall.example.toml");
    let schema = bench.path("config.schema.json");
    let (accepted, said) = valid(&schema, &example);
    assert!(accepted, "{said}");
    let (accepted, said) = valid(&schema, &bench.path("rolecall.toml"));
    assert!(accepted, "{said}");

    let output = rolecall().arg("check").arg("--config").arg(&example).output().unwrap();
    let (stdout, stderr) = printed(&output);
    // Nothing is wrong but that the secrets and the key are not here.
    assert!(stdout.starts_with("\nJob weekly-access-review: "), "{stdout}");
    let errors = stderr.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!((errors, stderr.lines().count()), (5, 6), "{stderr}");
    assert!(stderr.ends_with("rolecall: 5 secrets cannot be used; an audit needs all of them\n"), "{stderr}");

    let misspelt = fs::read_to_string(&example).unwrap().replace("approved_administrators", "aproved_administrators");
    fs::write(bench.path("misspelt.toml"), misspelt).unwrap();
    assert!(!valid(&schema, &bench.path("misspelt.toml")).0, "the schema accepts a misspelt key");
}

#[test]
fn the_workbook_opens_with_the_values_of_the_csv_files_as_text_frozen_and_filtered() {
    let bench = Bench::new(options(250));
    bench.audit(&[]);
    let somebody = bench.simulator.world().read(|world| world.user_ids()[30].clone());
    bench.simulator.world().edit(|world| world.promote(&somebody)).unwrap();
    bench.audit(&["--out", "out"]);
    let workbook = read_xlsx(&bench.path("out/report.xlsx"));
    let sheets = workbook.as_array().unwrap();
    let titles: Vec<&str> = sheets.iter().map(|sheet| sheet["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["Access matrix", "Findings", "Changes", "Summary"]);
    for (sheet, file) in sheets.iter().zip(["access-matrix", "findings", "changes"]) {
        let records = read_csv(&bench.path(&format!("out/{file}.csv")));
        let value = |cell: &Value| cell[0].as_str().unwrap_or_default().to_owned();
        let row = |row: &Value| row.as_array().unwrap().iter().map(value).collect::<Vec<_>>();
        let rows: Vec<Vec<String>> = sheet["rows"].as_array().unwrap().iter().map(row).collect();
        assert!(rows.len() > 1 && rows == records, "{file}");
        assert_eq!(sheet["frozen"], "A2", "{file}");
        assert!(sheet["filter"].as_str().is_some_and(|range| range.starts_with("A1:")), "{file}");
    }
    assert_eq!(sheets[0]["rows"][1][1][1], "s", "an id is text: a number would lose digits");
    assert!(sheets[3]["shown"] == true && sheets[0]["shown"] == false, "the summary is open at first");
    let report: Value = serde_json::from_str(&bench.read("out/report.json")).unwrap();
    let summary = sheets[3]["rows"].as_array().unwrap();
    let said = |what: &str| summary.iter().find(|row| row[0][0] == what).map(|row| row[1][0].clone());
    assert_eq!(said("In short").unwrap(), report["summary"]["verdict"]);
    assert_eq!(said("Audit").unwrap(), report["audit_id"]);
    assert_eq!(said("New findings").unwrap(), report["summary"]["new_findings"].to_string());
}

#[test]
fn the_html_report_is_one_self_contained_file_without_script_and_every_element_is_closed() {
    let bench = Bench::new(options(250));
    bench.audit(&["--out", "out"]);
    let html = read_html(&bench.path("out/report.html"));
    assert_eq!(html["mismatched"], Value::Array(Vec::new()));
    assert_eq!(html["handlers"], Value::Array(Vec::new()));
    for tag in ["script", "link", "img", "iframe"] {
        assert_eq!(html["tags"][tag], Value::Null, "{tag}");
    }
    for address in html["addresses"].as_array().unwrap() {
        assert!(address.as_str().unwrap().starts_with('#'), "{address}");
    }
    let text = bench.read("out/report.html");
    assert!(!text.contains("@import") && !text.contains("url("), "a style loads something");
    assert!(text.contains("prefers-color-scheme") && text.contains("@media print"));
}

#[test]
fn the_attachments_are_the_files_that_out_writes() {
    let bench = Bench::new(options(30));
    bench.audit(&["--out", "out", "--send"]);
    let mail = read_mail(&bench.mails()[0]);
    let attached = |name: &str| {
        let parts = mail["parts"].as_array().unwrap();
        parts.iter().find(|part| part["file"] == name).unwrap_or_else(|| panic!("{name} is not attached")).clone()
    };
    for name in ["access-matrix.csv", "findings.csv", "changes.csv"] {
        let part = attached(name);
        assert_eq!(
            (&part["type"], part["content"].as_str().unwrap().replace("\r\n", "\n")),
            (&"text/csv".into(), bench.read(&format!("out/{name}")).replace("\r\n", "\n"))
        );
    }
    assert_eq!(attached("report.xlsx")["type"], "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
}
