//! Text from elsewhere on its way to somebody's eyes.

/// A text that came from elsewhere as one line of at most `limit` characters, without those that move a terminal's
/// cursor or turn the text around them.
pub fn plain(text: &str, limit: usize) -> String {
    let turns =
        |c: &char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let line_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let mut characters = text.chars().filter(|c| !turns(c)).map(|c| if line_break(c) { ' ' } else { c });
    let mut line: String = characters.by_ref().take(limit).collect();
    if characters.next().is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_from_elsewhere_is_one_bounded_line_that_moves_no_cursor_and_turns_nothing() {
        assert_eq!(plain("a\u{1b}[2J\r\n\u{202e}b\u{2028}c é 示", 80), "a [2J  b c é 示");
        assert_eq!(plain("abcdef", 3), "abc…");
        assert_eq!(plain("abc", 3), "abc");
    }
}
