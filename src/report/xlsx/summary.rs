//! The sheet that says in short what the audit found, for who opens only the workbook.
//!
//! It is the last sheet, because programs read the tables by their place, but the one that is shown first.

use std::io::{self, Write};

use chrono::SecondsFormat;

use super::strings::element;
use crate::{
    brief::Counts,
    model::finding::Severity,
    report::{ReportInput, cell::replaced, guarded},
    words::number,
};

/// Its name on the tab.
pub(super) const NAME: &str = "Summary";
/// Its columns.
pub(super) const COLUMNS: [&str; 2] = ["what", "value"];

/// The rows, without the header.
pub(super) fn rows(input: &ReportInput<'_>) -> Vec<(&'static str, String)> {
    let (audit, brief) = (input.audit, &input.brief);
    let counts = &brief.counts;
    let mut rows = vec![
        ("Workspace", brief.workspace.clone()),
        ("Result", brief.state.word().to_owned()),
        ("In short", brief.verdict.clone()),
        ("Audited at", audit.judged_at.to_rfc3339_opts(SecondsFormat::Secs, true)),
        ("Compared with", compared_with(input)),
        ("Users", counts.population.clone()),
        ("Can administer", can_administer(counts)),
    ];
    rows.extend(brief.administrators.named.iter().map(|person| {
        let address = person.email.as_deref().unwrap_or("address unknown");
        ("", format!("{} · {address} · {}", person.label, person.notes()))
    }));
    let more = brief.administrators.all - brief.administrators.named.len();
    if more > 0 {
        rows.push(("", format!("and {} more: filter “power” in the access matrix", number(more))));
    }
    rows.push(("Open findings", format!("{}: {}", number(counts.open_total), counts.severities(&Severity::ALL))));
    rows.push(("Accepted by exception", number(counts.accepted)));
    if let Some(changes) = &brief.changes {
        rows.push(("New findings", number(changes.new_findings)));
        if changes.reopened > 0 {
            rows.push(("Findings open again", number(changes.reopened)));
        }
        rows.push(("Resolved findings", number(changes.resolved)));
        rows.push(("Changes", number(changes.access)));
    }
    rows.extend(brief.incidents.iter().map(|incident| ("Incident", incident.clone())));
    rows.extend(not_evaluated(input));
    rows.extend(replaced(&audit.directory).map(|said| ("Replaced in tables", said)));
    rows.push(("Policy", audit.policy.name.clone()));
    rows.push(("Policy, SHA-256", audit.policy.sha256()));
    rows.push(("Audit", audit.id.to_string()));
    rows
}

fn can_administer(counts: &Counts) -> String {
    let known = format!("{}{}", counts.at_least(), number(counts.administrators));
    match counts.unknown() {
        unknown if unknown.is_empty() => known,
        unknown => format!("{known}: {unknown}"),
    }
}

fn compared_with(input: &ReportInput<'_>) -> String {
    let since = input.brief.changes.as_ref().map(|changes| changes.since.to_rfc3339_opts(SecondsFormat::Secs, true));
    since.map_or_else(|| "no earlier audit".to_owned(), |since| format!("the audit of {since}"))
}

/// What was not evaluated, each in a row.
fn not_evaluated(input: &ReportInput<'_>) -> Vec<(&'static str, String)> {
    let not = &input.brief.not_evaluated;
    let problems = not.problems.iter().map(|(title, detail)| ("Incomplete read", format!("{title}: {detail}")));
    let rules = not.rules.iter().map(|rule| ("Not evaluated", format!("{}: {}", rule.title, rule.reason)));
    let off = not.switched_off.iter().map(|rule| ("Rule switched off", format!("{}: {}", rule.title, rule.reason)));
    let loosened = not.loosened.iter().map(|limit| ("Looser than the default", limit.clone()));
    problems.chain(rules).chain(off).chain(loosened).collect()
}

/// Writes the sheet.
pub(super) fn write(rows: &[(&'static str, String)], out: &mut impl Write) -> io::Result<()> {
    let mut xml = Vec::new();
    write!(
        xml,
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<worksheet \
         xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetPr><pageSetUpPr fitToPage=\"1\"/>\
         </sheetPr><dimension ref=\"A1:B{}\"/><sheetViews><sheetView tabSelected=\"1\" workbookViewId=\"0\"><pane \
         ySplit=\"1\" topLeftCell=\"A2\" activePane=\"bottomLeft\" state=\"frozen\"/><selection pane=\"bottomLeft\" \
         activeCell=\"A2\" sqref=\"A2\"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight=\"15\"/><cols>\
         <col min=\"1\" max=\"1\" width=\"24\" style=\"2\" customWidth=\"1\"/>\
         <col min=\"2\" max=\"2\" width=\"100\" style=\"3\" customWidth=\"1\"/></cols><sheetData>",
        rows.len() + 1
    )?;
    row(COLUMNS.map(|column| ('1', column)), &mut xml);
    for (what, value) in rows {
        row([('2', what), ('3', &guarded(value))], &mut xml);
    }
    write!(
        xml,
        "</sheetData><pageMargins left=\"0.4\" right=\"0.4\" top=\"0.5\" bottom=\"0.5\" header=\"0.3\" footer=\"0.3\"/>\
         <pageSetup orientation=\"landscape\" fitToHeight=\"0\"/><ignoredErrors><ignoredError sqref=\"B2:B{}\" \
         numberStoredAsText=\"1\"/></ignoredErrors></worksheet>",
        rows.len() + 1
    )?;
    out.write_all(&xml)
}

fn row(cells: [(char, &str); 2], xml: &mut Vec<u8>) {
    xml.extend_from_slice(b"<row>");
    for (format, text) in cells {
        xml.extend_from_slice(format!("<c s=\"{format}\" t=\"inlineStr\"><is>").as_bytes());
        element(text, xml);
        xml.extend_from_slice(b"</is></c>");
    }
    xml.extend_from_slice(b"</row>");
}
