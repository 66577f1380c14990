//! Texts from outside, cleaned for mails: names may have any length and any character in them.

use crate::model::plain::is_invisible;

/// A text as one line of at most `max` characters, without control characters and those that change the direction of
/// writing. Runs of blanks become one, and a text that is cut ends in `…`.
pub(super) fn one_line(text: &str, max: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    let mut blank = false;
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            blank = length > 0;
            continue;
        }
        if is_invisible(c) {
            continue;
        }
        let needed = 1 + usize::from(blank);
        if length + needed > max {
            while length >= max {
                line.pop();
                length -= 1;
            }
            line.push('…');
            return line;
        }
        if blank {
            line.push(' ');
            blank = false;
        }
        line.push(c);
        length += needed;
    }
    line
}

/// A name as mails show it: as [`one_line`], and the address of a web page in it is broken, because mail clients turn
/// those into links.
pub(super) fn name(text: &str, max: usize) -> String {
    // Cut first, so that a name of a megabyte is not copied.
    let line = one_line(text, max);
    if line.contains("://") || line.to_ascii_lowercase().contains("www.") {
        let broken = line.replace("://", "[:]//").replace("www.", "www[.]").replace("WWW.", "WWW[.]");
        return one_line(&broken, max);
    }
    line
}

/// A size for people: `12.5 MiB`.
pub(super) fn size(bytes: usize) -> String {
    const KIB: f64 = 1024.0;
    let bytes = bytes as f64;
    if bytes < KIB {
        format!("{bytes:.0} bytes")
    } else if bytes < KIB * KIB {
        format!("{:.1} KiB", bytes / KIB)
    } else {
        format!("{:.1} MiB", bytes / KIB / KIB)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_cannot_begin_a_line_turn_the_text_or_become_a_link() {
        assert_eq!(one_line(" a\r\nBcc: b\t c\u{202e}d ", 80), "a Bcc: b cd");
        assert_eq!(name("Ana http://x.example www.x.example", 80), "Ana http[:]//x.example www[.]x.example");
    }

    #[test]
    fn what_is_cut_says_so() {
        assert_eq!(one_line("abcdef", 6), "abcdef");
        assert_eq!(one_line("abcdefg", 6), "abcde…");
    }

    #[test]
    fn sizes_are_for_people() {
        assert_eq!([size(12), size(2_048), size(13_107_200)], ["12 bytes", "2.0 KiB", "12.5 MiB"]);
    }

    proptest! {
        #[test]
        fn a_line_is_never_longer_than_asked_and_has_no_control_characters(text in "\\PC*|[\\s\\S]*", max in 1_usize..40) {
            for line in [one_line(&text, max), name(&text, max)] {
                prop_assert!(line.chars().count() <= max);
                prop_assert!(!line.chars().any(char::is_control));
            }
        }
    }
}
