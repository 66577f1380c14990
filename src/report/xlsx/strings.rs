//! Strings in a workbook: those that rows share, kept once, and how a text is written in XML.

use std::{
    collections::HashMap,
    io::{self, Write},
};

/// UTF-16 units that a cell holds; a longer text makes the spreadsheet repair the file, so it is cut.
const CELL_UNITS: usize = 32_767;
/// Ends a text that is cut.
const CUT: &str = " … (cut: the CSV has all of it)";

/// The texts that rows share, by first use.
#[derive(Default)]
pub(super) struct SharedStrings {
    numbers: HashMap<Box<str>, u32>,
    texts: Vec<u8>,
    uses: u64,
}

impl SharedStrings {
    /// The number of a text.
    pub(super) fn number(&mut self, text: &str) -> u32 {
        self.uses += 1;
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        self.numbers.insert(text.into(), number);
        self.texts.extend_from_slice(b"<si>");
        element(text, &mut self.texts);
        self.texts.extend_from_slice(b"</si>");
        number
    }

    /// Counts another use of a text whose number is known.
    pub(super) fn used_again(&mut self) {
        self.uses += 1;
    }

    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        write!(
            out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<sst \
             xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" count=\"{}\" uniqueCount=\"{}\">",
            self.uses,
            self.numbers.len()
        )?;
        out.write_all(&self.texts)?;
        out.write_all(b"</sst>")
    }
}

/// Writes `<t>` with a text in it.
pub(super) fn element(text: &str, out: &mut Vec<u8>) {
    let outer_space = |c: char| c.is_ascii_whitespace();
    if text.starts_with(outer_space) || text.ends_with(outer_space) || text.contains(['\n', '\t']) {
        out.extend_from_slice(b"<t xml:space=\"preserve\">");
    } else {
        out.extend_from_slice(b"<t>");
    }
    let shown = cut(text);
    escape(shown, out);
    if shown.len() < text.len() {
        out.extend_from_slice(CUT.as_bytes());
    }
    out.extend_from_slice(b"</t>");
}

/// As much of a text as a cell holds, with room for [`CUT`] if it is not all of it.
fn cut(text: &str) -> &str {
    if text.len() <= CELL_UNITS || text.encode_utf16().count() <= CELL_UNITS {
        return text;
    }
    let most = CELL_UNITS - CUT.encode_utf16().count();
    let mut units = 0;
    let end = text.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units > most
    });
    end.map_or(text, |(end, _)| &text[..end])
}

/// Writes a text into XML 1.0. What XML cannot hold is written as `_xHHHH_` (ECMA-376, part 1, 22.9.2.19), and
/// a text that looks like that keeps its meaning.
pub(super) fn escape(text: &str, out: &mut Vec<u8>) {
    let plain = |byte: u8| byte >= b' ' && !matches!(byte, b'&' | b'<' | b'>' | b'"' | b'_' | 0xef);
    if text.bytes().all(plain) {
        return out.extend_from_slice(text.as_bytes());
    }
    for (place, c) in text.char_indices() {
        match c {
            '&' => out.extend_from_slice(b"&amp;"),
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '"' => out.extend_from_slice(b"&quot;"),
            '_' if is_escape(&text[place..]) => out.extend_from_slice(b"_x005F_"),
            '\t' | '\n' => out.push(c as u8),
            // A reader of XML would turn a bare carriage return into a line feed.
            '\r' => out.extend_from_slice(b"&#13;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => {
                out.extend_from_slice(format!("_x{:04X}_", u32::from(c)).as_bytes());
            }
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

/// Whether a text begins with `_xHHHH_`.
fn is_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 7 && bytes[1] == b'x' && bytes[2..6].iter().all(u8::is_ascii_hexdigit) && bytes[6] == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        element(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn markup_and_controls_are_written_as_the_standard_says() {
        assert_eq!(written("a & <b>\u{1}\r_x0041_ _x"), "<t>a &amp; &lt;b&gt;_x0001_&#13;_x005F_x0041_ _x</t>");
        assert_eq!(written(" a"), "<t xml:space=\"preserve\"> a</t>");
        assert_eq!(written("🦀\u{ffff}"), "<t>🦀_xFFFF_</t>");
    }

    #[test]
    fn a_text_longer_than_a_cell_is_cut_between_characters() {
        let mut long = Vec::new();
        element(&"🦀".repeat(20_000), &mut long);
        let long = String::from_utf8(long).unwrap();
        let long = long.strip_prefix("<t>").and_then(|text| text.strip_suffix("</t>")).unwrap();
        assert!(
            long.ends_with(CUT) && (CELL_UNITS - 1..=CELL_UNITS).contains(&long.encode_utf16().count()),
            "{}",
            long.len()
        );
        assert_eq!(cut(&"é".repeat(32_767)).chars().count(), 32_767);
    }

    #[test]
    fn a_shared_text_is_kept_once_and_counted_each_time() {
        let mut strings = SharedStrings::default();
        assert_eq!([strings.number("a"), strings.number("b"), strings.number("a")], [0, 1, 0]);
        let mut out = Vec::new();
        strings.write(&mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(out.ends_with("count=\"3\" uniqueCount=\"2\"><si><t>a</t></si><si><t>b</t></si></sst>"), "{out}");
    }
}
