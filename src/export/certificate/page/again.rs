//! The numbers of a certificate that are counted again, and how to count them without rolecall.

use serde_json::Value;

use super::{About, VALUE, at};
use crate::{
    export::{
        bag::{ANSWERS, COMPLETENESS, MATRIX},
        certificate::{
            counts::{Counted, USERS, parts_of},
            stated::{Stated, text},
        },
    },
    report::shown,
    words::{count, number},
};

/// The files with answers that the page names.
const FILES: usize = 3;
/// A number that was counted again.
pub(super) struct CountLine {
    pub(super) name: String,
    pub(super) stated: String,
    pub(super) again: String,
    /// Whether both are the same; `None` if that means nothing.
    pub(super) agrees: Option<bool>,
    pub(super) place: String,
}

fn count_line(name: impl Into<String>, stated: Option<u64>, again: Option<u64>, place: String) -> CountLine {
    let said = |value: Option<u64>| value.map_or_else(|| "not stated".to_owned(), number);
    CountLine {
        name: name.into(),
        stated: said(stated),
        again: again.map_or_else(|| "not counted".to_owned(), number),
        agrees: stated.zip(again).map(|(stated, again)| stated == again),
        place,
    }
}

/// The numbers that the bag states, beside those of now.
pub(super) fn counts(about: &About<'_>) -> Vec<CountLine> {
    let (stated, counted) = (about.stated, about.counted);
    let pages = stated.completeness.pointer("/reading/rows_per_page").and_then(Value::as_array);
    let on_pages = pages.map(|pages| pages.iter().filter_map(Value::as_u64).sum());
    let users = stated.completeness.get("users").and_then(Value::as_u64).or_else(|| stated.reading("users"));
    let repeated = stated.reading("repeated");
    let once = stated.reading("rows").zip(repeated).map(|(rows, repeated)| rows.saturating_sub(repeated));
    let named: Vec<&str> = counted.lists.iter().take(FILES).map(String::as_str).collect();
    let more = counted.lists.len() - named.len();
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let lists = format!(
        "records of {}{more}: the files whose request in {ANSWERS} is the query of the list",
        if named.is_empty() { "no file".to_owned() } else { named.join(", ") }
    );
    let mut raw = count_line("Distinct ids that the API listed", users, counted.raw_ids, lists);
    if stated.reading("attempts").is_some_and(|attempts| attempts > 1) && raw.agrees == Some(false) {
        // Accounts may have come and gone between two reads.
        raw.agrees = None;
    }
    let mut lines = vec![
        count_line(
            format!("Rows on {}", pages.map_or_else(|| "the pages".to_owned(), |pages| count(pages.len(), "page"))),
            stated.reading("rows"),
            on_pages,
            at(COMPLETENESS, "/reading/rows_per_page, added up"),
        ),
        count_line(
            format!("Rows without the {} of a repeated id", number(repeated.unwrap_or_default())),
            users,
            once,
            at(COMPLETENESS, "/reading/rows - /reading/repeated"),
        ),
        raw,
        count_line("Accounts as parsed", users, counted.parsed, format!("lines of {USERS}")),
        count_line("Rows of the access matrix", users, Some(counted.rows), format!("rows of {MATRIX}")),
    ];
    let by_status = stated.completeness.get("users_by_status").and_then(Value::as_object);
    for (status, stated) in by_status.into_iter().flatten() {
        let again = counted.by_status.get(status).copied().unwrap_or_default();
        let name = format!("… of them {}", shown(status, VALUE));
        lines.push(count_line(name, stated.as_u64(), Some(again), format!("column status of {MATRIX}")));
    }
    let administrators = stated.report.summary.get("administrators").and_then(Value::as_u64);
    lines.extend([
        count_line(
            "Active accounts that can administer",
            administrators,
            Some(counted.administrators),
            match counted.column {
                "power" => format!("rows of {MATRIX}: status active, power administrator or equivalent"),
                column => format!("rows of {MATRIX}: status active, {column} true"),
            },
        ),
        count_line("Answers kept", stated.reading("answers"), Some(counted.answers), format!("lines of {ANSWERS}")),
        count_line(
            "Bytes of the answers",
            stated.reading("bytes"),
            Some(counted.bytes),
            "files below data/answers/, decompressed".to_owned(),
        ),
    ]);
    lines
}

/// Commands that count without rolecall what the page counts.
pub(super) fn commands(stated: &Stated, counted: &Counted) -> Vec<String> {
    let python = |script: &str| format!("python3 -c \"{script}\"");
    let mut all = vec![
        format!("wc -l < {ANSWERS}"),
        "for answer in data/answers/*; do gzip -dcf $answer; done | wc -c".to_owned(),
    ];
    let query = text(stated.completeness.pointer("/reading/query")).map(|query| parts_of(&query)).unwrap_or_default();
    // What a shell or Python would read as something else is not put into a command.
    let is_plain =
        |part: &String| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/?=&._-%,".contains(&byte));
    if !query.is_empty() && query.iter().all(is_plain) {
        let parts: Vec<String> = query.iter().map(|part| format!("'{part}'")).collect();
        all.push(python(&format!(
            "import gzip, json; read = lambda name: json.load((gzip.open if name.endswith('gz') else open)(name)); \
             lists = [read(one['file']) for one in map(json.loads, open('{ANSWERS}')) \
             if one['status'] == 200 and all(part in one['request'] for part in [{}])]; \
             print(len({{user['id'] for page in lists for value in page.values() if isinstance(value, list) for user in value}}))",
            parts.join(", ")
        )));
    }
    let matrix = format!("csv.DictReader(open('{MATRIX}', newline=''))");
    let can = match counted.column {
        "power" => "row['power'] in ('administrator', 'equivalent')".to_owned(),
        column => format!("row['{column}'] == 'true'"),
    };
    all.push(format!("gzip -dc {USERS} | wc -l"));
    all.push(python(&format!(
        "import csv, collections; print(collections.Counter(row['status'] for row in {matrix}))"
    )));
    all.push(python(&format!("import csv; print(sum(row['status'] == 'active' and {can} for row in {matrix}))")));
    all
}
