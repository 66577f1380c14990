//! A review as a spreadsheet: exported, filled in and imported.

use proptest::prelude::*;

use super::*;
use crate::{
    report::{
        guarded,
        xlsx::form::{Column, Form},
    },
    review::{sheet, table},
};

const COLUMNS: [Column; 17] = {
    let mut columns = [Column { name: "", width: 10, is_open: false, choices: &[] }; 17];
    let mut place = 0;
    while place < columns.len() {
        columns[place].name = sheet::COLUMNS[place];
        place += 1;
    }
    columns
};

/// The file of these rows: CSV or a workbook.
fn file(rows: &[Vec<String>], as_workbook: bool) -> Vec<u8> {
    let form = Form { title: "Review", created: at(0), columns: &COLUMNS, rows };
    let mut out = Vec::new();
    if as_workbook { form.xlsx(&mut out) } else { form.csv(&mut out) }.unwrap();
    out
}

fn import(review: &Review, by: &str, rows: &[Vec<String>]) -> Result<sheet::Imported, Vec<String>> {
    let import = |as_workbook| {
        let lines = table::lines(&file(rows, as_workbook)).unwrap();
        imported(review, by, &lines)
    };
    let (csv, workbook) = (import(false), import(true));
    assert_eq!(csv, workbook, "both kinds of files say the same");
    csv
}

fn imported(review: &Review, by: &str, lines: &[sheet::Line]) -> Result<sheet::Imported, Vec<String>> {
    let from = Sheet { sha256: "of the file".to_owned(), signed_by: None };
    let file = sheet::File { lines, sheet: from, writing: guarded };
    let done = sheet::import(review, &address(by), &file, at(60));
    done.map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

/// The rows of ana, some filled in by item: decision, what to change to, and reason.
fn filled(review: &Review, lines: &[(&str, &str, &str, &str)]) -> Vec<Vec<String>> {
    let mut rows = sheet::rows(review, &address("ana"));
    for (item, decision, to, reason) in lines {
        let row = rows.iter_mut().find(|row| row[0] == *item).unwrap();
        row[13..16].clone_from_slice(&[decision, to, reason].map(|text| (*text).to_owned()));
    }
    rows
}

fn refused_lines(review: &Review, by: &str, rows: &[Vec<String>]) -> Vec<String> {
    import(review, by, rows).unwrap_err()
}

#[test]
fn a_sheet_has_the_items_of_one_reviewer() {
    let rows = sheet::rows(&opened(1), &address("ben"));
    let expected = [
        "3",
        "acme",
        "3",
        "",
        "ana@example.com",
        "active",
        "name of role-1",
        "name of profile-1",
        "false",
        "",
        "",
        "",
        "",
        "",
        "",
        "",
        "1",
    ];
    assert_eq!(rows, [expected.map(str::to_owned).to_vec()]);
    assert!(sheet::rows(&opened(1), &address("nobody")).is_empty());
}

#[test]
fn what_is_filled_in_is_decided_and_the_rest_is_not() {
    let mut review = opened(1);
    let rows = filled(
        &review,
        &[("1", "keep", "", ""), ("2", " Change ", "name of profile-2", "moved"), ("4", "REMOVE", "", "left")],
    );
    let done = import(&review, "ana", &rows).unwrap();
    assert_eq!((done.events.len(), done.empty, done.unchanged), (3, 2, 0));
    happens(&mut review, &done.events);
    let made = |item| review.course(ItemId(item)).unwrap().decided().unwrap();
    assert_eq!((&made(1).decision, &made(1).reason, made(1).via), (&Decision::Keep, &None, Via::Spreadsheet));
    let to = Target::Profile(named("profile-2"));
    assert_eq!((&made(2).decision, made(2).reason.as_deref()), (&Decision::Change { to }, Some("moved")));
    assert_eq!(made(4).sheet.as_ref().unwrap().sha256, "of the file");
    assert_eq!(review.undecided(), 3);

    // The same file again changes nothing, and neither does a new export.
    for rows in [rows, sheet::rows(&review, &address("ana"))] {
        let again = import(&review, "ana", &rows).unwrap();
        assert_eq!((again.events.len(), again.empty, again.unchanged), (0, 2, 3));
    }
}

#[test]
fn a_line_that_cannot_be_applied_is_refused_with_its_number() {
    let mut review = opened(1);
    let mut rows = filled(&review, &[("1", "keep", "", ""), ("4", "keep", "", ""), ("6", "remove", "", " ")]);
    let stranger = refused_lines(&review, "eve", &rows);
    assert_eq!(stranger, ["eve@example.com is not a reviewer or the owner of this review"]);
    rows[1][5] = "inactive".to_owned();
    assert_eq!(
        refused_lines(&review, "ana", &rows),
        [
            "line 3 (item 2): `status` was changed from “active” to “inactive”; only `decision`, `change_to` and `reason` \
             may be filled in",
            "line 4 (item 4): a reason is required, because it is privileged",
            "line 6 (item 6): a reason is required, because access is taken away or changed",
        ]
    );
    // Ben sends ana's sheet with a row of his own in it.
    let mut foreign = filled(&review, &[("1", "keep", "", "")]);
    foreign.extend(sheet::rows(&review, &address("ben")));
    foreign[5][13] = "keep".to_owned();
    assert_eq!(
        refused_lines(&review, "ben", &foreign),
        [
            "line 2 (item 1): ana@example.com decides about it, not ben@example.com; the owner can assign it to another reviewer"
        ]
    );
    // The owner decides about others' items, but not about her own account.
    assert_eq!(
        refused_lines(&review, "ana", &foreign),
        ["line 7 (item 3): it is the account of ana@example.com, and nobody decides about their own account"]
    );
    // Decided by the command line since.
    let before = filled(&review, &[("1", "remove", "", "left")]);
    let event = decides(&review, "ana", &[1], Decision::Keep);
    happens(&mut review, &[event]);
    assert_eq!(
        refused_lines(&review, "ana", &before),
        ["line 2 (item 1): it has changed since you saw it (version 1, now 2); look at it again"]
    );
}

#[test]
fn what_is_not_understood_is_refused() {
    let review = opened(1);
    for (cells, why) in [
        (["maybe", "", ""], "line 2 (item 1): invalid decision `maybe`; expected keep, change or remove"),
        (["", "", "because"], "line 2 (item 1): `change_to` or `reason` is filled in, but `decision` is not"),
        (
            ["keep", "role-2", ""],
            "line 2 (item 1): `change_to` is filled in, but the decision is `keep`; expected `change`",
        ),
        (["change", "", "r"], "line 2 (item 1): `change_to` is empty; expected the id or name of a role or profile"),
        (["change", "x", "r"], "line 2 (item 1): the workspace acme has no role or profile with the id or name “x”"),
        (
            ["change", "role-1", "r"],
            "line 2 (item 1): it has the role “name of role-1” already; to leave it as it is, decide `keep`",
        ),
    ] {
        let [decision, to, reason] = cells;
        assert_eq!(refused_lines(&review, "ana", &filled(&review, &[("1", decision, to, reason)])), [why]);
    }
    for (place, text, why) in [
        (0, "77", "line 2: item 77: the review has no such item; `rolecall review show` lists the items"),
        (0, "one", "line 2: invalid item `one`; expected the number of an item"),
        (0, "2", "`user_id` was changed"),
        (16, "2", "line 2 (item 1): invalid version `2`; expected the number that was exported"),
        (16, "", "line 2 (item 1): invalid version ``; expected the number that was exported"),
    ] {
        let mut rows = filled(&review, &[("1", "keep", "", "")]);
        rows[0][place] = text.to_owned();
        let said = refused_lines(&review, "ana", &rows);
        assert!(said[0].contains(why), "{said:?}");
    }
    let mut twice = filled(&review, &[("1", "keep", "", "")]);
    twice.push(twice[0].clone());
    assert_eq!(refused_lines(&review, "ana", &twice), ["line 7 (item 1): it is named twice"]);
    assert!(imported(&review, "ana", &[]).unwrap_err()[0].starts_with("the file is empty"));
    let other = table::lines(b"a,b\r\n1,2\r\n").unwrap();
    assert!(imported(&review, "ana", &other).unwrap_err()[0].starts_with("the first line is not the header"));
}

#[test]
fn files_as_other_programs_save_them_are_read() {
    let review = opened(1);
    let rows = filled(&review, &[("1", "keep", "", "needed; until May")]);
    let csv = String::from_utf8(file(&rows, false)).unwrap();
    let semicolons = csv.replace(',', ";").replace("needed; until", "\"needed; until").replace("May;", "May\";");
    let saved = format!("\u{feff}{}", semicolons.replace("false", "FALSE").replace("\r\n", "\n"));
    let done = imported(&review, "ana", &table::lines(saved.as_bytes()).unwrap()).unwrap();
    let [Event::Decided(decided)] = done.events.as_slice() else { panic!("{done:?}") };
    assert_eq!(decided.reason.as_deref(), Some("needed; until May"));
    assert!(table::lines(b"item,\xff\n").unwrap_err().contains("not UTF-8"));
    assert!(table::lines(b"PK\x03\x04 and no more").unwrap_err().contains("not a workbook"));
}

#[test]
fn a_hostile_name_comes_back_as_it_was() {
    let mut items = vec![item(1, "eva", "ana"), item(2, "finn", "ana")];
    items[0].full_name = Some("=cmd|' /C calc'!A0, +1\r\n@x \u{1}_x0041_ \"".to_owned());
    items[1].full_name = Some("'=already".to_owned());
    let mut review = opened_with(1, population_of(items));
    let rows = filled(&review, &[("1", "keep", "", "=1+1, -2"), ("2", "keep", "", "\u{3000}+x")]);
    let done = import(&review, "ana", &rows).unwrap();
    happens(&mut review, &done.events);
    let rows = sheet::rows(&review, &address("ana"));
    assert_eq!(import(&review, "ana", &rows).unwrap().unchanged, 2);
}

proptest! {
    #[test]
    fn what_is_exported_filled_in_and_imported_is_what_was_decided(
        choices in proptest::collection::vec((0..4_usize, "[ a-z=+@,;\"\n_x0-9'-]{0,12}"), 6)
    ) {
        let mut review = opened(1);
        let mut rows = sheet::rows(&review, &address("ana"));
        let words = ["", "keep", "change", "remove"];
        for (row, (word, reason)) in rows.iter_mut().zip(&choices) {
            let to = if *word == 2 { "role-2" } else { "" };
            let reason = if *word == 0 { String::new() } else { format!("because {reason}") };
            row[13..16].clone_from_slice(&[words[*word].to_owned(), to.to_owned(), reason]);
        }
        // Who fills in a sheet writes no guard; what the guard adds inside a text stays in it.
        let done = import(&review, "ana", &rows).unwrap();
        happens(&mut review, &done.events);
        for row in &rows {
            let course = review.course(row[0].parse().unwrap()).unwrap();
            let decided = course.decided();
            prop_assert_eq!(decided.map_or("", |made| made.decision.word()), &row[13]);
            if let Some(made) = decided {
                let reason = made.reason.as_deref().unwrap_or_default();
                prop_assert!(reason == row[15].trim() || reason == guarded(row[15].trim()), "{reason:?} {row:?}");
            }
        }
        let again = import(&review, "ana", &sheet::rows(&review, &address("ana"))).unwrap();
        prop_assert_eq!(again.events.len(), 0);
    }
}
