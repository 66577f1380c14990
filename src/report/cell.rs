//! What goes into one cell of a table: the guard against formulas, times, and the words for values that the
//! API did not give.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, Timelike, Utc};

use crate::{
    model::{directory::Directory, plain::is_invisible},
    words::counted,
};

/// The word for a value that the API did not return.
pub(super) const UNKNOWN: &str = "unknown";
/// The words for a value that has no meaning for its subject.
pub(super) const NOT_APPLICABLE: &str = "not applicable";

/// A text as a table may hold it: one that a spreadsheet would run as a formula gets a leading `'`, and another one in
/// front of each formula inside it.
///
/// Programs split a table at another character than it was written with, and then ignore the quotes around a cell: what
/// follows a comma, a semicolon, a tab or a line break may become a cell of its own, and quotes that follow it the quotes of
/// that cell. U+0000, at which some programs stop
/// reading, is replaced with U+FFFD.
///
/// A formula begins with `=`, `+`, `-` or `@`. Spreadsheets also take the full-width forms of these signs,
/// and some drop white space or a byte order mark in front, so those do not hide one. A tab or a carriage
/// return in front is guarded whatever follows, because it can move the rest into the next cell.
pub fn guarded(text: &str) -> Cow<'_, str> {
    let is_split = memchr::memchr3(b',', b';', b'\t', text.as_bytes()).is_some()
        || memchr::memchr3(b'\n', b'\r', 0, text.as_bytes()).is_some();
    if !is_split {
        return if is_formula(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) };
    }
    let pieces: Vec<&str> = text.split_inclusive([',', ';', '\t', '\n', '\r']).collect();
    let is_formula_inside = |place: usize| place > 0 && begins_formula(pieces[place], true);
    let mut out = String::with_capacity(text.len() + 2);
    if is_formula(text) || (0..pieces.len()).any(is_formula_inside) {
        out.push('\'');
    }
    for (place, piece) in pieces.iter().enumerate() {
        if is_formula_inside(place) {
            out.push('\'');
        }
        out.extend(piece.chars().map(|c| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c }));
    }
    Cow::Owned(out)
}

/// What [`guarded`] replaces in the names and addresses of an audit, as a sentence. `None` if nothing: the other formats have
/// every text as it was read.
pub(super) fn replaced(directory: &Directory) -> Option<String> {
    let has_nul = |text: Option<&str>| text.is_some_and(|text| memchr::memchr(0, text.as_bytes()).is_some());
    let of_users = directory.users.iter().filter(|user| has_nul(user.full_name()) || has_nul(user.email())).count();
    let of_roles = directory.roles.iter().filter(|role| has_nul(Some(&role.name))).count();
    let of_profiles = directory.profiles.iter().filter(|profile| has_nul(Some(&profile.name))).count();
    let records = of_users + of_roles + of_profiles;
    (records > 0).then(|| {
        format!(
            "{} the character U+0000 in a name or address. The CSV files and report.xlsx have U+FFFD in its place; \
             report.json has it as it was read.",
            counted(records, "record has", "records have")
        )
    })
}

/// Whether a spreadsheet would run a text as a formula.
pub(super) fn is_formula(text: &str) -> bool {
    match text.as_bytes().first() {
        None => return false,
        Some(b'\t' | b'\r') => return true,
        Some(first) if first.is_ascii_alphanumeric() => return false,
        Some(_) => {}
    }
    begins_formula(text, false)
}

/// Whether a text begins with a formula, whatever a spreadsheet drops in front of it: also quotes, if they may be those of a
/// cell.
fn begins_formula(text: &str, quotes: bool) -> bool {
    let dropped = |c: char| c.is_whitespace() || c.is_control() || is_invisible(c) || (quotes && c == '"');
    let first = text.trim_start_matches(dropped).chars().next();
    matches!(first, Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠'))
}

/// A time as RFC 3339 in UTC to the second, written into a buffer of its own: a matrix has two a row, and
/// chrono's formatting would take half the time of the whole table.
#[derive(Default)]
pub(super) struct Stamp(String);

impl Stamp {
    /// The text of a time; `unknown` if there is none.
    pub(super) fn of(&mut self, time: Option<DateTime<Utc>>) -> &str {
        let Some(time) = time else { return UNKNOWN };
        // RFC 3339 has four digits for the year.
        if !(0..=9999).contains(&time.year()) {
            return UNKNOWN;
        }
        self.0.clear();
        self.digits(time.year().unsigned_abs(), 4);
        for (mark, part) in
            [('-', time.month()), ('-', time.day()), ('T', time.hour()), (':', time.minute()), (':', time.second())]
        {
            self.0.push(mark);
            self.digits(part, 2);
        }
        self.0.push('Z');
        &self.0
    }

    fn digits(&mut self, value: u32, width: u32) {
        for place in (0..width).rev() {
            let digit = value / 10_u32.pow(place) % 10;
            self.0.push(char::from_digit(digit, 10).unwrap_or('0'));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;
    use proptest::prelude::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_guarded() {
        for text in ["=1+1", "+49 30", "-1", "@SUM(A1)", "\tx", "\rx", " =1", "\u{feff}=1", "＝1", "\u{a0}＠x"] {
            assert_eq!(guarded(text), format!("'{text}"));
        }
    }

    #[test]
    fn what_would_run_when_the_table_is_split_at_another_character_is_guarded() {
        assert_eq!(guarded("Bo;=cmd|'/c calc'!A0;x"), "'Bo;'=cmd|'/c calc'!A0;x");
        assert_eq!(guarded("Bo\t@x, -y"), "'Bo\t'@x,' -y");
        assert_eq!(guarded("Bo\n=x"), "'Bo\n'=x");
        assert_eq!(guarded("\n=1"), "'\n'=1");
        assert_eq!(guarded("=1;=2"), "'=1;'=2");
        assert_eq!(guarded("a\r\n\r\nb"), "a\r\n\r\nb");
        assert_eq!(guarded("Bo;\"=1+1"), "'Bo;'\"=1+1");
        assert_eq!(guarded("Bo\t \"\" -1"), "'Bo\t' \"\" -1");
        assert_eq!(guarded("a\0b"), "a\u{fffd}b");
    }

    #[test]
    fn what_it_would_not_run_stays() {
        for text in [
            "",
            "a=b",
            "'=1",
            "ana@example.com",
            " Ana",
            "\nAna",
            "1-2",
            "“=”",
            "<b>",
            "Ana, Bo; Cy",
            "a;b=c",
            "a;\"b\"=c",
            "\"=1",
        ] {
            assert_eq!(guarded(text), text);
        }
    }

    proptest! {
        #[test]
        fn a_stamp_is_what_chrono_writes(seconds in 0_i64..253_402_300_799) {
            let time = Utc.timestamp_opt(seconds, 0).unwrap();
            let stamp = Stamp::default().of(Some(time)).to_owned();
            prop_assert_eq!(stamp, time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
        }
    }
}
