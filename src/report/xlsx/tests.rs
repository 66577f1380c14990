use std::io::{Cursor, Read};

use super::*;
use crate::{
    access::matrix::AccessMatrix,
    model::{audit::Audit, users::NewUser},
    report::testing,
};

fn part(workbook: &[u8], path: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(workbook)).unwrap();
    let mut text = String::new();
    archive.by_name(path).unwrap().read_to_string(&mut text).unwrap();
    text
}

fn workbook(audit: &Audit, sheet_rows: usize) -> Vec<u8> {
    let matrix = AccessMatrix::of(audit);
    let mut out = Vec::new();
    write_with(&ReportInput::new(audit, &matrix), &mut out, sheet_rows).unwrap();
    out
}

#[test]
fn the_sheets_of_a_hostile_world() {
    let workbook = workbook(&testing::hostile(), SHEET_ROWS);
    let text: Vec<String> =
        ["workbook", "worksheets/sheet1", "worksheets/sheet2", "worksheets/sheet4", "sharedStrings"]
            .map(|name| {
                part(&workbook, &format!("xl/{name}.xml")).replace("<row>", "\n<row>").replace("<si>", "\n<si>")
            })
            .to_vec();
    insta::assert_snapshot!(text.join("\n\n"));
}

#[test]
fn there_is_no_formula_and_every_cell_is_text() {
    let workbook = workbook(&testing::hostile(), SHEET_ROWS);
    for sheet in 1..=3 {
        let xml = part(&workbook, &format!("xl/worksheets/sheet{sheet}.xml"));
        assert!(!xml.contains("<f>") && !xml.contains("t=\"n\"") && !xml.contains("t=\"str\""));
        assert_eq!(xml.matches("<c ").count(), xml.matches("<c s=").count());
    }
}

#[test]
fn severities_are_coloured_and_long_texts_wrap() {
    let workbook = workbook(&testing::hostile(), SHEET_ROWS);
    let findings = part(&workbook, "xl/worksheets/sheet2.xml");
    let range = format!("<conditionalFormatting sqref=\"B2:B{}\">", testing::hostile().findings.len() + 1);
    assert!(findings.contains(&range), "{findings}");
    assert!(findings.contains("dxfId=\"0\" priority=\"1\" operator=\"equal\"><formula>\"critical\"</formula>"));
    assert!(findings.contains("<c s=\"3\" t=\"inlineStr\"><is><t>has what nobody approved"), "{findings}");
    assert!(!part(&workbook, "xl/worksheets/sheet1.xml").contains("conditionalFormatting"));
}

#[test]
fn the_summary_says_at_least_if_some_power_is_unknown() {
    let summary = part(&workbook(&testing::with_unknown_power(), SHEET_ROWS), "xl/worksheets/sheet4.xml");
    assert!(summary.contains("at least 1: of 1 user the status, profile or role could not be read"), "{summary}");
    let summary = part(&workbook(&testing::quiet(), SHEET_ROWS), "xl/worksheets/sheet4.xml");
    assert!(!summary.contains("at least"), "{summary}");
}

#[test]
fn rows_that_a_sheet_does_not_hold_go_on_in_the_next() {
    let ids: Vec<String> = (1..=7).map(|id| id.to_string()).collect();
    let users: Vec<_> = ids.iter().map(|id| NewUser { id, ..testing::ANA }).collect();
    let workbook = workbook(&testing::audit(&users), 4);
    let names = part(&workbook, "xl/workbook.xml");
    for name in ["Access matrix\"", "Access matrix 2\"", "Access matrix 3\"", "Findings\"", "Changes\""] {
        assert!(names.contains(name), "{name} in {names}");
    }
    let rows = [1, 2, 3, 4, 5]
        .map(|sheet| part(&workbook, &format!("xl/worksheets/sheet{sheet}.xml")).matches("<row>").count());
    assert_eq!(rows, [4, 4, 2, 1, 1]);
}

#[test]
fn a_table_that_fills_its_sheet_exactly_begins_no_other() {
    let ids: Vec<String> = (1..=3).map(|id| id.to_string()).collect();
    let users: Vec<_> = ids.iter().map(|id| NewUser { id, ..testing::ANA }).collect();
    let workbook = workbook(&testing::audit(&users), 4);
    assert!(!part(&workbook, "xl/workbook.xml").contains("Access matrix 2"));
    assert_eq!(part(&workbook, "xl/worksheets/sheet1.xml").matches("<row>").count(), 4);
}

#[test]
fn the_same_audit_gives_the_same_bytes() {
    assert!(workbook(&testing::hostile(), SHEET_ROWS) == workbook(&testing::hostile(), SHEET_ROWS));
}
