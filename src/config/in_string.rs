//! Where a place in the value of a TOML string is in the file.

/// The byte of a string as written, quotes included, at which a byte of its value begins. Its end if there is none.
pub(super) fn place_in_string(written: &str, offset: usize) -> usize {
    let is_literal = written.starts_with('\'');
    let is_long = written.starts_with("'''") || written.starts_with("\"\"\"");
    let quotes = if is_long { 3 } else { 1 };
    let mut at = quotes;
    if is_long {
        // A line break right after the quotes is not part of the value.
        let rest = written.get(at..).unwrap_or_default();
        at += if rest.starts_with("\r\n") { 2 } else { usize::from(rest.starts_with('\n')) };
    }
    let end = written.len().saturating_sub(quotes);
    let mut value = 0;
    while at < end {
        let rest = &written[at..];
        let (length, means) = if is_literal { plain(rest) } else { escaped(rest) };
        // What means nothing stands before the next character of the value.
        if means > 0 && value + means > offset {
            return at;
        }
        value += means;
        at += length;
    }
    end
}

/// A character: its bytes in the file, and in the value.
fn plain(rest: &str) -> (usize, usize) {
    let length = rest.chars().next().map_or(1, char::len_utf8);
    (length, length)
}

fn escaped(rest: &str) -> (usize, usize) {
    let Some(after) = rest.strip_prefix('\\') else { return plain(rest) };
    let digits = |number: usize| {
        let code = after.get(1..=number).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        (number + 2, code.and_then(char::from_u32).map_or(1, char::len_utf8))
    };
    match after.chars().next() {
        Some('x') => digits(2),
        Some('u') => digits(4),
        Some('U') => digits(8),
        // A line that is continued: the break and all white space after it are not part of the value.
        Some(c) if c.is_whitespace() => (1 + after.len() - after.trim_start().len(), 0),
        _ => (2, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_in_every_kind_of_string() {
        for written in [
            r#""user.nosuch""#,
            "'user.nosuch'",
            r#""\u0075ser\u002E\x6eosuch""#,
            r#""user.\U0000006Eosuch""#,
            "'''\nuser.nosuch'''",
            "\"\"\"\r\nuser.nosuch\"\"\"",
            "\"\"\"user\\\n   .nosuch\"\"\"",
            r#""ü\t\"user.nosuch""#,
        ] {
            let table: toml::Table = toml::from_str(&format!("a = {written}")).unwrap();
            let value = table["a"].as_str().unwrap().to_owned();
            let place = place_in_string(written, value.find("osuch").unwrap());
            assert!(written[place..].starts_with("osuch"), "{written}");
            assert_eq!(place_in_string(written, value.len()), written.trim_end_matches(['"', '\'']).len(), "{written}");
        }
    }
}
