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

/// A text from another system as people see it: one line of at most `limit` characters, and `…` if there was more. What
/// would control a terminal, turn or hide the text around it is written as its code point: `[U+202E]gpj.exe`.
pub fn shown(text: &str, limit: usize) -> String {
    let mut line = String::with_capacity(text.len().min(limit * 4));
    let mut left = limit;
    for c in text.chars() {
        let code = code_point(c);
        let needed = code.as_ref().map_or(1, String::len);
        if needed > left {
            line.push('…');
            break;
        }
        left -= needed;
        match code {
            Some(code) => line.push_str(&code),
            None if c.is_control() => line.push(' '),
            None => line.push(c),
        }
    }
    line
}

/// The code point of a character that people would not see, or that turns the text around it: `[U+202E]`. `None` if it can
/// be shown, or is a line end or a tab, which a blank stands for.
pub fn code_point(c: char) -> Option<String> {
    let is_blank = matches!(c, '\n' | '\r' | '\t');
    let is_hidden = c.is_control() || is_invisible(c) || matches!(c, '\u{2028}' | '\u{2029}');
    (is_hidden && !is_blank).then(|| format!("[U+{:04X}]", u32::from(c)))
}

/// A text in pieces, each with whether it is written from right to left. A page isolates those pieces, so that they move
/// nothing that stands beside them in a sentence. Digits and marks between two letters of a piece belong to it.
pub fn directions<Text: AsRef<str> + ?Sized>(text: &Text) -> Vec<(bool, &str)> {
    let mut pieces = Vec::new();
    let mut rest = text.as_ref();
    while let Some(start) = rest.find(is_right_to_left) {
        let (before, from) = rest.split_at(start);
        let other = from.find(|c: char| c.is_alphabetic() && !is_right_to_left(c)).unwrap_or(from.len());
        let end = from[..other].char_indices().rfind(|(_, c)| is_right_to_left(*c));
        let (piece, after) = from.split_at(end.map_or(other, |(place, c)| place + c.len_utf8()));
        pieces.extend([(false, before), (true, piece)]);
        rest = after;
    }
    pieces.push((false, rest));
    pieces.retain(|(_, piece)| !piece.is_empty());
    pieces
}

/// Whether a character belongs to a script that is written from right to left. The digits of such scripts are not.
fn is_right_to_left(c: char) -> bool {
    let is_digit = matches!(c, '\u{660}'..='\u{66c}' | '\u{6f0}'..='\u{6f9}' | '\u{7c0}'..='\u{7c9}');
    let is_of_script = matches!(
        c,
        '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefe}' | '\u{10800}'..='\u{10fff}'
            | '\u{1e800}'..='\u{1efff}'
    );
    is_of_script && !is_digit
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
    fn what_turns_or_hides_text_is_shown_as_its_code_point() {
        assert_eq!(shown("\u{202e}gpj.exe", 80), "[U+202E]gpj.exe");
        assert_eq!(shown("a\u{200b}b\u{7}c\u{2028}d\r\ne\tf", 80), "a[U+200B]b[U+0007]c[U+2028]d  e f");
        assert_eq!(shown("מרים 🦀", 20), "מרים 🦀");
    }

    #[test]
    fn code_points_count_as_characters() {
        assert_eq!([shown("abcdef", 3), shown("abc", 3), shown("abc", 0)], ["abc…", "abc", "…"]);
        assert_eq!(shown("ab\u{e0064}\u{e0065}", 13), "ab[U+E0064]…");
    }

    #[test]
    fn words_from_right_to_left_are_pieces_of_their_own() {
        assert_eq!(directions("Ana Lima"), [(false, "Ana Lima")]);
        assert_eq!(directions(""), []);
        assert_eq!(
            directions("מרים 12 כהן (was Ana), 3 of مريم"),
            [(true, "מרים 12 כהן"), (false, " (was Ana), 3 of "), (true, "مريم")]
        );
        assert_eq!(directions("كود\u{661} x"), [(true, "كود"), (false, "\u{661} x")]);
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
