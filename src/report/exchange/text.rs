//! Texts from outside, cleaned for the places that they go to.

/// A text on one line, without characters that show nothing or move the cursor, and never blank: what OSCAL calls a string.
pub(super) fn one_line(text: &str) -> String {
    let visible = |c: char| {
        if c.is_whitespace() {
            ' '
        } else if c.is_control() {
            '\u{fffd}'
        } else {
            c
        }
    };
    let text: String = text.chars().map(visible).collect();
    let text = text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if text.is_empty() { "(empty)".to_owned() } else { text }
}

/// A text on one line, where the reader expects Markdown: nothing in it is markup.
pub(super) fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in one_line(text).chars() {
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '{' | '#' | '|' | '~') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// A text as a token (a name of XML without a colon): other characters become hyphens.
pub(super) fn token(text: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' };
    let token: String = text.trim().chars().map(allowed).collect();
    if token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') { token } else { format!("_{token}") }
}

/// A text inside an attribute or an element of XML 1.0, which has no way to write some characters: they become U+FFFD.
pub(super) fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // A reader turns them into spaces in an attribute.
            '\t' => escaped.push_str("&#9;"),
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_and_says_something() {
        assert_eq!(one_line(" two\r\nlines\u{1b}[31m\u{2028} "), "two lines\u{fffd}[31m");
        assert_eq!(one_line("\u{a0}\n"), "(empty)");
    }

    #[test]
    fn markup_is_text() {
        assert_eq!(markdown("<b>*x*</b> [a](b) {{ p }}"), "\\<b\\>\\*x\\*\\</b\\> \\[a\\](b) \\{\\{ p }}");
    }

    #[test]
    fn anything_becomes_a_token() {
        let tokens = ["CC6.1", "A.5.15", "6.1", "CC6.1 logical", "§ 4", ""].map(token);
        assert_eq!(tokens, ["CC6.1", "A.5.15", "_6.1", "CC6.1-logical", "_--4", "_"]);
    }

    #[test]
    fn every_character_has_a_place_in_xml() {
        assert_eq!(xml("a]]>\u{0}\u{b}\n\"&'"), "a]]&gt;\u{fffd}\u{fffd}&#10;&quot;&amp;'");
    }
}
