//! Texts from outside, cleaned for mails: names may have any length and any character in them.

use std::net::Ipv4Addr;

use crate::model::plain::code_point;

/// What separates the labels of a host name (UTS #46).
const DOTS: [char; 4] = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];

/// A text as one line of at most `max` characters, in which control characters and what would turn or hide the text around
/// it are written as their code points. Runs of blanks become one, and a text that is cut ends in `…`.
pub(super) fn one_line(text: &str, max: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    let mut blank = false;
    for c in text.chars() {
        if c.is_whitespace() {
            blank = length > 0;
            continue;
        }
        let code = code_point(c);
        let needed = code.as_ref().map_or(1, String::len) + usize::from(blank);
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
        match code {
            Some(code) => line.push_str(&code),
            None => line.push(c),
        }
        length += needed;
    }
    line
}

/// A name as mails show it: as [`one_line`], and the address of a web page in it is broken, because mail clients turn
/// those into links.
pub(super) fn name(text: &str, max: usize) -> String {
    // Cut first, so that a name of a megabyte is not copied.
    let line = one_line(text, max);
    if !line.contains("://") && !line.split(' ').any(is_link) {
        return line;
    }
    let words = line.split(' ').map(|word| if is_link(word) { broken(word) } else { word.to_owned() });
    one_line(&words.collect::<Vec<_>>().join(" ").replace("://", "[:]//"), max)
}

/// A word whose host names are none any more.
fn broken(word: &str) -> String {
    let mut out = String::with_capacity(word.len() + 8);
    let mut rest = word.chars();
    while let Some(c) = rest.next() {
        // The full stop of a sentence stays.
        if DOTS.contains(&c) && rest.clone().next().is_some_and(char::is_alphanumeric) {
            out.extend(['[', c, ']']);
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether mail clients would turn a word into a link to a page: it contains a host name or an address of one. An e-mail
/// address contains one, too, but opens no page if nothing is around it.
fn is_link(word: &str) -> bool {
    let is_between = |c: char| !c.is_alphanumeric();
    let is_host = |host: &str| {
        let labels: Vec<&str> = host.split(DOTS).collect();
        host.trim_matches(is_between).parse::<Ipv4Addr>().is_ok()
            || labels.windows(2).any(|pair| {
                let top: Vec<char> = pair[1].chars().take_while(|c| c.is_alphanumeric()).collect();
                pair[0].ends_with(char::is_alphanumeric) && top.len() >= 2 && top.iter().all(|c| c.is_alphabetic())
            })
    };
    let is_local = |name: &str| name.chars().all(|c| c.is_alphanumeric() || "._+-'".contains(c));
    let address = word.trim_matches(is_between).split_once('@');
    let is_address = address.is_some_and(|(name, host)| !name.is_empty() && is_local(name) && is_local(host));
    !is_address && word.split(['/', ':', '?', '#', ',', ';', '(', ')', '@']).any(is_host)
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
        assert_eq!(one_line(" a\r\nBcc: b\t c\u{202e}d ", 80), "a Bcc: b c[U+202E]d");
        assert_eq!(
            name("Ana http://x.example Www.x.example evil.example/a.b", 80),
            "Ana http[:]//x[.]example Www[.]x[.]example evil[.]example/a[.]b"
        );
        assert_eq!(
            name(
                "evil\u{3002}example a\u{ff0e}example 192.0.2.1/x (192.0.2.1) evil.example/@ana mailto:ana@x.example",
                200
            ),
            "evil[\u{3002}]example a[\u{ff0e}]example 192[.]0[.]2[.]1/x (192[.]0[.]2[.]1) evil[.]example/@ana \
             mailto:ana@x[.]example"
        );
        for (host, broken) in [
            ("evil.example.", "evil[.]example."),
            ("a.evil.EXAMPLE..", "a[.]evil[.]EXAMPLE.."),
            ("192.0.2.1.", "192[.]0[.]2[.]1."),
            ("visit,evil.example.", "visit,evil[.]example."),
            ("evil.example.1", "evil[.]example[.]1"),
            ("evil.example,@me", "evil[.]example,@me"),
            ("(evil.example)@x", "(evil[.]example)@x"),
            ("evil.example@", "evil[.]example@"),
            ("(was x.example).", "(was x[.]example)."),
        ] {
            assert_eq!(name(host, 80), broken);
        }
        for kept in [
            "Dr. J. R. Ewing",
            "ana@example.com",
            "(ana.lima@example.com):",
            "ana@example.com.",
            "12.5 MiB",
            "e.g. this",
            "one. Two",
            "v1.2.3",
        ] {
            assert_eq!(name(kept, 80), kept);
        }
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
