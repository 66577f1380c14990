//! The small parts of a workbook around its sheets.

use std::fmt::Write;

use chrono::{DateTime, SecondsFormat, Utc};

/// A sheet, as the parts around it must know it.
pub(super) struct SheetName {
    /// The name on the tab.
    pub(super) name: String,
    /// Rows, the header included.
    pub(super) rows: usize,
    /// Columns.
    pub(super) columns: usize,
    /// Whether its header has filters.
    pub(super) filtered: bool,
}

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
const SPREADSHEET: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml";

/// Two fonts, four formats: 0 default, 1 header, 2 text (number format 49, `@`), 3 text that wraps. The differential formats
/// are those of [`super::sheet::SEVERITIES`].
pub(super) const STYLES: &str = concat!(
    "<styleSheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\">",
    "<fonts count=\"2\"><font><sz val=\"11\"/><name val=\"Calibri\"/><family val=\"2\"/></font>",
    "<font><b/><sz val=\"11\"/><color rgb=\"FFFFFFFF\"/><name val=\"Calibri\"/><family val=\"2\"/></font></fonts>",
    "<fills count=\"3\"><fill><patternFill patternType=\"none\"/></fill>",
    "<fill><patternFill patternType=\"gray125\"/></fill>",
    "<fill><patternFill patternType=\"solid\"><fgColor rgb=\"FF1F4E79\"/><bgColor indexed=\"64\"/></patternFill></fill></fills>",
    "<borders count=\"1\"><border><left/><right/><top/><bottom/><diagonal/></border></borders>",
    "<cellStyleXfs count=\"1\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\"/></cellStyleXfs>",
    "<cellXfs count=\"4\"><xf numFmtId=\"0\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\"/>",
    "<xf numFmtId=\"49\" fontId=\"1\" fillId=\"2\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\" applyFont=\"1\" applyFill=\"1\"/>",
    "<xf numFmtId=\"49\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\" applyAlignment=\"1\"><alignment vertical=\"top\"/></xf>",
    "<xf numFmtId=\"49\" fontId=\"0\" fillId=\"0\" borderId=\"0\" xfId=\"0\" applyNumberFormat=\"1\" applyAlignment=\"1\">",
    "<alignment vertical=\"top\" wrapText=\"1\"/></xf></cellXfs>",
    "<cellStyles count=\"1\"><cellStyle name=\"Normal\" xfId=\"0\" builtinId=\"0\"/></cellStyles>",
    "<dxfs count=\"4\"><dxf><font><b/><color rgb=\"FFA40E26\"/></font></dxf>",
    "<dxf><font><b/><color rgb=\"FF9A3B00\"/></font></dxf>",
    "<dxf><font><color rgb=\"FF7A5300\"/></font></dxf>",
    "<dxf><font><color rgb=\"FF2D5F8A\"/></font></dxf></dxfs></styleSheet>",
);

/// The parts that come before the sheets, with their paths. The content types come first: that is how
/// programs that look at the first bytes know the file. `shown` is the place of the sheet that is open at first.
pub(super) fn before_sheets(
    sheets: &[SheetName],
    shown: usize,
    created: DateTime<Utc>,
    styles: &str,
) -> [(&'static str, String); 6] {
    [
        ("[Content_Types].xml", content_types(sheets.len())),
        ("_rels/.rels", package_relations()),
        ("docProps/core.xml", core_properties(created)),
        ("xl/workbook.xml", workbook(sheets, shown)),
        ("xl/_rels/workbook.xml.rels", workbook_relations(sheets.len())),
        ("xl/styles.xml", format!("{HEAD}{styles}")),
    ]
}

fn content_types(sheets: usize) -> String {
    let mut xml = format!(
        "{HEAD}<Types xmlns=\"{PACKAGE}/content-types\"><Default Extension=\"rels\" \
         ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" \
         ContentType=\"application/xml\"/><Override PartName=\"/docProps/core.xml\" \
         ContentType=\"application/vnd.openxmlformats-package.core-properties+xml\"/>"
    );
    let mut part = |name: &str, kind: &str| {
        let _ = write!(xml, "<Override PartName=\"/xl/{name}.xml\" ContentType=\"{SPREADSHEET}.{kind}+xml\"/>");
    };
    part("workbook", "sheet.main");
    part("styles", "styles");
    part("sharedStrings", "sharedStrings");
    for sheet in 1..=sheets {
        part(&format!("worksheets/sheet{sheet}"), "worksheet");
    }
    xml.push_str("</Types>");
    xml
}

fn package_relations() -> String {
    format!(
        "{HEAD}<Relationships xmlns=\"{PACKAGE}/relationships\"><Relationship Id=\"rId1\" \
         Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/><Relationship Id=\"rId2\" \
         Type=\"{PACKAGE}/relationships/metadata/core-properties\" Target=\"docProps/core.xml\"/></Relationships>"
    )
}

fn core_properties(created: DateTime<Utc>) -> String {
    let created = created.to_rfc3339_opts(SecondsFormat::Secs, true);
    format!(
        "{HEAD}<cp:coreProperties xmlns:cp=\"{PACKAGE}/metadata/core-properties\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:dcterms=\"http://purl.org/dc/terms/\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><dc:title>Access review</dc:title>\
         <dc:creator>rolecall</dc:creator><dcterms:created xsi:type=\"dcterms:W3CDTF\">{created}</dcterms:created>\
         <dcterms:modified xsi:type=\"dcterms:W3CDTF\">{created}</dcterms:modified></cp:coreProperties>"
    )
}

fn workbook(sheets: &[SheetName], shown: usize) -> String {
    let mut xml = format!(
        "{HEAD}<workbook xmlns=\"{MAIN}\" xmlns:r=\"{OFFICE}\"><bookViews><workbookView xWindow=\"0\" yWindow=\"0\" \
         windowWidth=\"28800\" windowHeight=\"16000\"{}/></bookViews><sheets>",
        if shown == 0 { String::new() } else { format!(" activeTab=\"{shown}\"") }
    );
    for (place, sheet) in sheets.iter().enumerate() {
        let number = place + 1;
        let _ = write!(xml, "<sheet name=\"{}\" sheetId=\"{number}\" r:id=\"rId{number}\"/>", sheet.name);
    }
    xml.push_str("</sheets><definedNames>");
    for (place, SheetName { name, rows, columns, .. }) in sheets.iter().enumerate().filter(|(_, sheet)| sheet.filtered)
    {
        let _ = write!(
            xml,
            "<definedName name=\"_xlnm._FilterDatabase\" localSheetId=\"{place}\" \
             hidden=\"1\">'{name}'!$A$1:${}${rows}</definedName>",
            column_letters(*columns)
        );
    }
    for (place, SheetName { name, .. }) in sheets.iter().enumerate() {
        let _ = write!(
            xml,
            "<definedName name=\"_xlnm.Print_Titles\" localSheetId=\"{place}\">'{name}'!$1:$1</definedName>"
        );
    }
    xml.push_str("</definedNames></workbook>");
    xml
}

fn workbook_relations(sheets: usize) -> String {
    let mut xml = format!("{HEAD}<Relationships xmlns=\"{PACKAGE}/relationships\">");
    let mut relation = |number: usize, kind: &str, target: &str| {
        let _ = write!(xml, "<Relationship Id=\"rId{number}\" Type=\"{OFFICE}/{kind}\" Target=\"{target}.xml\"/>");
    };
    for sheet in 1..=sheets {
        relation(sheet, "worksheet", &format!("worksheets/sheet{sheet}"));
    }
    relation(sheets + 1, "styles", "styles");
    relation(sheets + 2, "sharedStrings", "sharedStrings");
    xml.push_str("</Relationships>");
    xml
}

/// The letters of a column by its number from 1: A, B, … Z, AA.
pub(super) fn column_letters(mut column: usize) -> String {
    let mut letters = Vec::new();
    while column > 0 {
        column -= 1;
        letters.push(char::from(b'A' + u8::try_from(column % 26).unwrap_or(0)));
        column /= 26;
    }
    letters.iter().rev().collect()
}
