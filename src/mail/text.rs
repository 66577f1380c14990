//! Text from outside on its way into a mail: names of any length, with any character in them.

use crate::model::plain::is_invisible;

/// A text as one line of at most `max` characters: control characters and those that change the direction of
/// writing are taken out, runs of blanks become one, and what is cut ends in `…`.
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

/// A name as mails show it: as [`one_line`], and an address of a web page in it is broken, because mail clients
/// make links of those and a name is no place for one.
pub(super) fn name(text: &str, max: usize) -> String {
    // Cut before the replacement too, so that a name of a megabyte is not copied.
    let line = one_line(text, max);
    if line.contains("://") || line.to_ascii_lowercase().contains("www.") {
        let broken = line.replace("://", "[:]//").replace("www.", "www[.]").replace("WWW.", "WWW[.]");
        return one_line(&broken, max);
    }
    line
}

/// A count with its noun, in the singular or the plural: `1 user`, `2 users`.
pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number as u64), if number == 1 { "" } else { "s" })
}

/// A number with its thousands apart: `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
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
    fn numbers_are_for_people() {
        assert_eq!([grouped(7), grouped(1_000), grouped(1_234_567)], ["7", "1,000", "1,234,567"]);
        assert_eq!([size(12), size(2_048), size(13_107_200)], ["12 bytes", "2.0 KiB", "12.5 MiB"]);
        assert_eq!([count(1, "user"), count(0, "user")], ["1 user", "0 users"]);
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
