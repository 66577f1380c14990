//! Wording that several rules share.

use std::collections::BTreeMap;

/// Names that a message spells out before it says how many more there are.
const NAMES_SHOWN: usize = 3;

/// “1 user”, “3 users”.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// “a”, “b” and “c”, or “a”, “b”, “c” and 4 more.
pub(super) fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter();
    let shown: Vec<String> = names.by_ref().take(NAMES_SHOWN).map(|name| format!("“{name}”")).collect();
    match (shown.as_slice(), names.count()) {
        ([first @ .., last], 0) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        (all, 0) => all.concat(),
        (some, more) => format!("{} and {more} more", some.join(", ")),
    }
}

/// Some of `all` ids, and how many more there are. Takes no more of them than it shows.
pub(super) fn some_of<'a>(ids: impl Iterator<Item = &'a str>, all: usize) -> String {
    let shown: Vec<&str> = ids.take(NAMES_SHOWN).collect();
    let more = all - shown.len();
    let shown = shown.join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

/// The places of names that look like others, each with the places of those others.
pub(super) fn alike(names: &[&str]) -> Vec<(usize, Vec<usize>)> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (place, name) in names.iter().enumerate() {
        groups.entry(skeleton(name)).or_default().push(place);
    }
    let with_others = |group: Vec<usize>| {
        let others = |place: usize| group.iter().copied().filter(|other| *other != place).take(NAMES_SHOWN).collect();
        group.iter().map(|place| (*place, others(*place))).collect::<Vec<_>>()
    };
    groups.into_values().filter(|group| group.len() > 1).flat_map(with_others).collect()
}

/// What is left of a name to a hurried eye: no case, no spaces or dashes, no width, and Latin letters in
/// place of the Cyrillic ones that look the same.
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

/// The part of an address before the last `@`, without a `+tag`; none where there is none.
pub(super) fn mailbox(address: &str) -> Option<(&str, &str)> {
    let (local, domain) = address.trim().rsplit_once('@')?;
    let name = local.split_once('+').map_or(local, |(name, _)| name);
    (!name.is_empty() && !domain.is_empty()).then_some((name, domain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_of_names_ends_in_how_many_more() {
        assert_eq!([names([]), names(["a"]), names(["a", "b"])], ["", "“a”", "“a” and “b”"]);
        assert_eq!(names(["a", "b", "c"]), "“a”, “b” and “c”");
        assert_eq!(names(["a", "b", "c", "d", "e"]), "“a”, “b”, “c” and 2 more");
    }

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
