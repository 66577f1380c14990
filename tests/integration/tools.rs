//! Other people's tools: they judge what the product writes. `tests/run` installs them.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

/// A program of the tools' own Python environment.
pub(crate) fn tool(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/bin").join(name);
    assert!(path.exists(), "{} is missing: tests/run installs it", path.display());
    path
}

/// A script beside these tests.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/integration/python").join(name)
}

/// Runs a script to its end, which must be a good one, and gives what it printed.
pub(crate) fn run_script(name: &str, arguments: &[impl AsRef<OsStr>]) -> Vec<u8> {
    let output = Command::new(tool("python")).arg(script(name)).args(arguments).output().unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// What a script reads in a file, as JSON.
fn read_by(name: &str, path: &Path) -> Value {
    serde_json::from_slice(&run_script(name, &[path])).unwrap()
}

/// The records of a CSV file by Python's strict reader; not RFC 4180 is a failure.
pub(crate) fn read_csv(path: &Path) -> Vec<Vec<String>> {
    serde_json::from_value(read_by("read_csv.py", path)).unwrap()
}

/// The tags, handlers, addresses, texts and mismatched tags of an HTML file by Python's parser.
pub(crate) fn read_html(path: &Path) -> Value {
    read_by("read_html.py", path)
}

/// The headers, structure and parts of a mail by Python's strict reader; a defect is a failure.
pub(crate) fn read_mail(path: &Path) -> Value {
    read_by("read_mail.py", path)
}

/// The sheets of a workbook by openpyxl.
pub(crate) fn read_xlsx(path: &Path) -> Value {
    read_by("read_xlsx.py", path)
}

/// Fills in a form by openpyxl: the cells to set, by item and column. Says what protects the sheet.
pub(crate) fn fill_xlsx(path: &Path, edits: &Value) -> Value {
    let file = path.with_extension("edits.json");
    std::fs::write(&file, edits.to_string()).unwrap();
    serde_json::from_slice(&run_script("fill_xlsx.py", &[path, &file])).unwrap()
}

/// Runs check-jsonschema.
pub(crate) fn check_jsonschema(arguments: &[&OsStr]) -> Output {
    Command::new(tool("check-jsonschema")).args(arguments).output().unwrap()
}
