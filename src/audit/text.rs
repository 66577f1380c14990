//! Texts that several rules share.

use std::collections::BTreeMap;

use crate::words::NAMED;
pub(super) use crate::words::{counted as count, quoted as names, some_of};

/// The places of names that look like others, each with the places of those others.
pub(super) fn alike(names: &[&str]) -> Vec<(usize, Vec<usize>)> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, name) in names.iter().enumerate() {
        groups.entry(skeleton(name)).or_default().push(place);
    }
    let with_others = |group: Vec<usize>| {
        let others = |place: usize| group.iter().copied().filter(|other| *other != place).take(NAMED).collect();
        group.iter().map(|place| (*place, others(*place))).collect::<Vec<_>>()
    };
    groups.into_values().filter(|group| group.len() > 1).flat_map(with_others).collect()
}

/// A name as it looks at first glance: lower case, without spaces and dashes, at normal width, and with Latin letters in
/// place of Cyrillic ones that look the same.
fn skeleton(name: &str) -> String {
    let narrow = |letter: char| match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        _ => letter,
    };
    let latin = |letter: char| match letter {
        'а' => 'a',
        'е' => 'e',
        'о' => 'o',
        'р' => 'p',
        'с' => 'c',
        'у' => 'y',
        'х' => 'x',
        'і' => 'i',
        'ѕ' => 's',
        'ј' => 'j',
        'к' => 'k',
        'м' => 'm',
        'т' => 't',
        'в' => 'b',
        'н' => 'h',
        _ => letter,
    };
    // Letters and digits only: this also drops characters that show nothing.
    let letters = name.chars().map(narrow).flat_map(char::to_lowercase).filter(|letter| letter.is_alphanumeric());
    let skeleton: String = letters.map(latin).collect();
    if skeleton.is_empty() { name.to_owned() } else { skeleton }
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
    fn names_are_alike_whatever_their_case_spaces_width_and_alphabet() {
        let names = ["Support Desk", "Sales", "support-desk", "Ｓａｌｅｓ", "Ѕales", "Support"];
        assert_eq!(alike(&names), [(1, vec![3, 4]), (3, vec![1, 4]), (4, vec![1, 3]), (0, vec![2]), (2, vec![0])]);
    }

    #[test]
    fn a_mailbox_leaves_out_the_tag() {
        assert_eq!(mailbox(" ana+crm@example.com"), Some(("ana", "example.com")));
        assert_eq!(mailbox("+crm@example.com"), None);
    }
}
