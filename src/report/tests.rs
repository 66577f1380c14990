//! What holds of every report.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::model::users::NewUser;

fn written(audit: &Audit, file: ReportFile) -> Vec<u8> {
    let matrix = AccessMatrix::of(audit);
    let mut out = Vec::new();
    write(file, &ReportInput::new(audit, &matrix), &mut out).unwrap();
    out
}

fn text(audit: &Audit, file: ReportFile) -> String {
    String::from_utf8(written(audit, file)).unwrap()
}

fn records(csv: &[u8]) -> Vec<Vec<String>> {
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(csv);
    reader.records().map(|record| record.unwrap().iter().map(ToOwned::to_owned).collect()).collect()
}

#[test]
fn the_csv_files_of_a_hostile_world() {
    let audit = testing::hostile();
    insta::assert_snapshot!("access_matrix_csv", text(&audit, ReportFile::AccessMatrixCsv));
    insta::assert_snapshot!("findings_csv", text(&audit, ReportFile::FindingsCsv));
    insta::assert_snapshot!("changes_csv", text(&audit, ReportFile::ChangesCsv));
}

#[test]
fn the_first_columns_are_the_contract() {
    let first = |file, columns: usize| records(&written(&testing::quiet(), file))[0][..columns].join(",");
    assert_eq!(
        first(ReportFile::AccessMatrixCsv, 12),
        "workspace,user_id,full_name,email,status,confirmed,role_id,role_name,profile_id,profile_name,administrator,findings"
    );
    assert_eq!(
        first(ReportFile::FindingsCsv, 8),
        "workspace,severity,rule,subject_type,subject_id,subject,message,status"
    );
    assert_eq!(first(ReportFile::ChangesCsv, 8), "workspace,change,subject_type,subject_id,subject,field,before,after");
}

#[test]
fn lines_end_as_rfc_4180_says_and_nothing_stands_before_the_header() {
    let csv = text(&testing::quiet(), ReportFile::AccessMatrixCsv);
    assert!(csv.starts_with("workspace,"));
    assert_eq!(csv.matches("\r\n").count(), csv.matches('\n').count());
    assert!(csv.ends_with("\r\n"));
}

#[test]
fn file_names_are_distinct() {
    let names: BTreeSet<_> = ReportFile::ALL.iter().map(|file| file.file_name()).collect();
    assert_eq!(names.len(), 6);
}

#[test]
fn a_writer_that_fails_fails_every_report_with_its_own_reason() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let audit = testing::quiet();
    let matrix = AccessMatrix::of(&audit);
    for file in ReportFile::ALL {
        let error = write(file, &ReportInput::new(&audit, &matrix), &mut Full).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{file}: {error}");
    }
}

proptest! {
    #[test]
    fn csv_read_back_gives_the_values_that_went_in(names in proptest::collection::vec(proptest::option::of(any::<String>()), 1..20)) {
        let ids: Vec<String> = (1..=names.len()).map(|id| id.to_string()).collect();
        let users: Vec<_> = ids.iter().zip(&names)
            .map(|(id, name)| NewUser { id, full_name: name.as_deref(), ..testing::ANA })
            .collect();
        let rows = records(&written(&testing::audit(&users), ReportFile::AccessMatrixCsv));
        prop_assert_eq!(rows.len(), names.len() + 1);
        for ((row, name), id) in rows[1..].iter().zip(&names).zip(&ids) {
            prop_assert_eq!(&row[1], id);
            let name = name.as_deref().unwrap_or("unknown");
            prop_assert_eq!(&row[2], &*cell::guarded(name));
        }
    }

    #[test]
    fn no_cell_starts_as_a_formula(name in "[=+@\t\r \\-]{0,3}[a-z=+;,\t\n\"]{0,8}", status in "[=+@a-z]{1,6}") {
        let user = NewUser { full_name: Some(&name), email: Some(&name), status: &status, role: Some((&status, Some(&name))), ..testing::ANA };
        let table = written(&testing::audit(&[user]), ReportFile::AccessMatrixCsv);
        for row in records(&table) {
            for cell in row {
                prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{:?}", cell);
            }
        }
        // Nor if it is split at a character it was not written with, quotes or not.
        for cell in std::str::from_utf8(&table).unwrap().split([';', '\t', '\n', '\r']) {
            prop_assert!(!cell.starts_with(['=', '+', '-', '@']), "{:?}", cell);
        }
        for delimiter in [b';', b'\t'] {
            let mut reader = ::csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(&*table);
            for row in reader.records() {
                for cell in &row.unwrap() {
                    prop_assert!(!cell.starts_with(['=', '+', '-', '@']), "{:?}", cell);
                }
            }
        }
    }
}
