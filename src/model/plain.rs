//! Makes text from other systems safe to show.

/// A text from another system as one line of at most `limit` characters. Removes characters that control a terminal,
/// reverse the text around them or are invisible to people.
pub fn plain(text: &str, limit: usize) -> String {
    let line_break = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let mut characters = text.chars().filter(|c| !is_invisible(*c)).map(|c| if line_break(c) { ' ' } else { c });
    let mut line: String = characters.by_ref().take(limit).collect();
    if characters.next().is_some() {
        line.push('…');
    }
    line
}

/// Whether a character is invisible or reverses the text around it: format characters (Unicode category Cf), fillers and
/// blanks that are letters or symbols, variation selectors, and tags, which can hide whole sentences. Control characters
/// and line ends are not included.
pub fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{890}'..='\u{891}'
            | '\u{8e2}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffc}'
            | '\u{110bd}'
            | '\u{110cd}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d159}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e01ef}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_becomes_one_bounded_line_without_terminal_controls_or_reversals() {
        assert_eq!(plain("a\u{1b}[2J\r\n\u{202e}b\u{2028}c é 示", 80), "a [2J  b c é 示");
        assert_eq!(plain("abcdef", 3), "abc…");
        assert_eq!(plain("abc", 3), "abc");
    }

    #[test]
    fn invisible_characters_are_removed() {
        let hidden: String = "delete".chars().filter_map(|c| char::from_u32(0xe0000 + c as u32)).collect();
        assert_eq!(
            plain(&format!("Ana{hidden}\u{200b}\u{fe0f}\u{feff}\u{17b4}\u{2800}\u{fffc}\u{3164} Ø"), 80),
            "Ana Ø"
        );
    }
}
