//! Texts that several rules share.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use unicode_normalization::UnicodeNormalization as _;
use unicode_security::skeleton;

pub(super) use crate::words::{counted as count, quoted as names, some_of};
use crate::{
    model::directory::Permission,
    words::{NAMED, list},
};

/// The combining dot above.
const DOT_ABOVE: char = '\u{307}';
/// Permissions that a sentence names.
const PERMISSIONS: usize = 10;
/// The characters that the names of permissions take in a sentence, if there are several: a mail cuts longer sentences.
const PERMISSIONS_LENGTH: usize = 150;

/// Permissions in the product's words, each with its module: `“Export Data” (Contacts) and “Manage Users”`.
pub(super) fn permissions(all: &[&Permission]) -> String {
    let shown = |permission: &&Permission| {
        let name = permission.label.as_deref().unwrap_or(&permission.name);
        permission.module.as_deref().map_or_else(|| format!("“{name}”"), |module| format!("“{name}” ({module})"))
    };
    let mut length = 0;
    let named = all.iter().take(PERMISSIONS).map(shown).take_while(|name| {
        let is_first = length == 0;
        length += name.chars().count();
        is_first || length <= PERMISSIONS_LENGTH
    });
    list(&named.collect::<Vec<_>>(), all.len())
}

/// The places of names that look like others, each with the places of those others.
pub(super) fn alike(names: &[&str]) -> Vec<(usize, Vec<usize>)> {
    let mut others: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    // In a name nobody looks twice at an i or an l; among addresses too many people differ in just that.
    let at_a_glance = |name: &str| as_written(name).replace('i', "l");
    for look in [&at_a_glance as &dyn Fn(&str) -> String, &in_capitals] {
        let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, name) in names.iter().enumerate() {
            groups.entry(letters(&look(name), name)).or_default().push(place);
        }
        for group in groups.into_values().filter(|group| group.len() > 1) {
            for place in &group {
                let rest = group.iter().filter(|other| *other != place).take(NAMED);
                others.entry(*place).or_default().extend(rest);
            }
        }
    }
    others.into_iter().map(|(place, others)| (place, others.into_iter().take(NAMED).collect())).collect()
}

/// The letters and digits of a look: this also drops accents, blanks, dashes, and characters that show nothing. If nothing
/// is left, the name itself.
fn letters(look: &str, name: &str) -> String {
    let letters: String = look.chars().filter(|letter| letter.is_alphanumeric()).collect();
    if letters.is_empty() { name.to_owned() } else { letters }
}

/// What a text looks like as it is written: its skeleton by Unicode Technical Standard 39, lower case. Texts of the same
/// look are easily confused.
pub(super) fn as_written(text: &str) -> String {
    let mut look = String::with_capacity(text.len());
    push_skeleton(&mut look, text);
    if look.is_ascii() {
        look.make_ascii_lowercase();
        return look;
    }
    look.to_lowercase()
}

/// What a text looks like in capitals, in which other letters look alike: I and 1, O and 0, and most of the Greek and
/// Cyrillic ones.
pub(super) fn in_capitals(text: &str) -> String {
    let mut look = String::with_capacity(text.len());
    if text.is_ascii() {
        push_skeleton(&mut look, &text.to_ascii_uppercase());
    } else {
        push_skeleton(&mut look, &text.to_uppercase());
    }
    look
}

fn push_skeleton(look: &mut String, text: &str) {
    /// The skeleton of each ASCII character.
    static ASCII: LazyLock<Vec<String>> = LazyLock::new(|| {
        (0..128_u8).map(|byte| skeleton(char::from(byte).encode_utf8(&mut [0; 4])).collect()).collect()
    });
    if text.is_ascii() {
        let ascii = &*ASCII;
        text.bytes().for_each(|byte| look.push_str(&ascii[usize::from(byte)]));
        return;
    }
    // The table of the standard leaves out most letters of full width.
    let narrow = |letter: char| match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        _ => letter,
    };
    // A dot above a letter that has one already shows nothing: so a capital İ in lower case is an i and such a dot. The capital
    // is taken for an I, as a small i in capitals is.
    let mut before = None;
    let without_second_dot = |letter: &char| {
        let has_dot = before.replace(*letter).is_some_and(is_dotted);
        !(has_dot && *letter == DOT_ABOVE)
    };
    let letters = text.chars().map(narrow).nfd().filter(without_second_dot);
    look.extend(skeleton(&letters.collect::<String>()));
}

/// Whether a letter has a dot in lower case: i and j, also without their dot and in the other alphabets that have them.
fn is_dotted(letter: char) -> bool {
    matches!(
        letter,
        'i' | 'I' | 'j' | 'J' | '\u{131}' | '\u{237}' | '\u{3f3}' | '\u{406}' | '\u{408}' | '\u{456}' | '\u{458}'
    )
}

/// Writes the lower case of a text into a buffer that is used again and again.
pub(super) fn push_lowercase(buffer: &mut String, text: &str) {
    if text.is_ascii() {
        let from = buffer.len();
        buffer.push_str(text);
        buffer[from..].make_ascii_lowercase();
    } else {
        buffer.extend(text.chars().flat_map(char::to_lowercase));
    }
}

/// Writes a text into a buffer with its ASCII letters in lower case, as addresses are compared.
pub(super) fn push_ascii_lowercase(buffer: &mut String, text: &str) {
    let from = buffer.len();
    buffer.push_str(text);
    buffer[from..].make_ascii_lowercase();
}

/// The mailbox name of an address without any `+tag`, and its domain. `None` if the text is not an address.
pub(super) fn mailbox(address: &str) -> Option<(&str, &str)> {
    let (local, domain) = address.trim().rsplit_once('@')?;
    let name = local.split_once('+').map_or(local, |(name, _)| name);
    (!name.is_empty() && !domain.is_empty()).then_some((name, domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permissions_end_between_two_of_them() {
        let permission =
            |name: String| Permission { name, module: Some("Contacts".into()), label: None, enabled: true };
        let of = |all: &[Permission]| permissions(&all.iter().collect::<Vec<_>>());
        let several: Vec<Permission> = (1..20).map(|number| permission(format!("Export Data {number:02}"))).collect();
        let said = of(&several);
        assert!(said.starts_with("“Export Data 01” (Contacts), “Export Data 02” (Contacts), "), "{said}");
        assert!(said.ends_with("“Export Data 05” (Contacts) and 14 more") && said.chars().count() < 180, "{said}");
        let long = permission("x".repeat(400));
        assert_eq!(of(std::slice::from_ref(&long)), format!("“{}” (Contacts)", "x".repeat(400)));
    }

    #[test]
    fn names_are_alike_whatever_their_case_spaces_width_and_alphabet() {
        let names = ["Support Desk", "Sales", "support-desk", "Ｓａｌｅｓ", "Ѕales", "Support"];
        assert_eq!(alike(&names), [(0, vec![2]), (1, vec![3, 4]), (2, vec![0]), (3, vec![1, 4]), (4, vec![1, 3])]);
    }

    #[test]
    fn a_name_is_alike_by_what_it_looks_like() {
        for name in [
            "administrator",
            "ADMINISTRATOR",
            "Adm1nistrator",
            "AdministratOr",
            "Administrat0r",
            "Admlnistrator",
            "Adrninistrator",
            "Adm\u{131}n\u{131}strator",
            "Adm\u{ed}nistrator",
            "\u{391}D\u{39c}\u{399}\u{39d}\u{399}S\u{3a4}R\u{391}\u{3a4}\u{39f}R",
            "\u{391}dministr\u{3b1}t\u{3bf}r",
            "\u{410}dm\u{456}n\u{456}str\u{430}t\u{43e}r",
            "Admin\u{200b}istrator",
            "\u{1d400}dministrator",
        ] {
            assert_eq!(alike(&["Administrator", "Standard", name]), [(0, vec![2]), (2, vec![0])], "{name}");
        }
        assert_eq!(alike(&["Administrator", "Administration", "Admin", "Standard", "Sales", "Sale"]), []);
    }

    #[test]
    fn a_dot_on_a_letter_that_has_one_shows_nothing() {
        for dotted in ["i\u{307}nfo", "\u{131}\u{307}nfo", "\u{456}\u{307}nfo"] {
            assert_eq!(as_written(dotted), as_written("info"), "{dotted}");
            assert_eq!(in_capitals(dotted), in_capitals("info"), "{dotted}");
        }
        for capital in ["\u{130}nfo", "I\u{307}nfo", "\u{130}NFO"] {
            assert_eq!(in_capitals(capital), in_capitals("info"), "{capital}");
        }
        assert_eq!(as_written("j\u{307}o"), as_written("jo"));
        for other in ["\u{ed}nfo", "\u{456}\u{308}nfo", "infe\u{307}"] {
            assert_ne!(as_written(other), as_written("info"), "{other}");
            assert_ne!(in_capitals(other), in_capitals("info"), "{other}");
        }
    }

    #[test]
    fn the_quick_way_for_ascii_is_that_of_the_library() {
        let text: String = (0..128_u8).map(char::from).collect();
        let mut quick = String::new();
        push_skeleton(&mut quick, &text);
        assert_eq!(quick, skeleton(&text).collect::<String>());
    }

    #[test]
    fn a_mailbox_leaves_out_the_tag() {
        assert_eq!(mailbox(" ana+crm@example.com"), Some(("ana", "example.com")));
        assert_eq!(mailbox("+crm@example.com"), None);
    }
}
