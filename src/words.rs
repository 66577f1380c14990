//! Numbers, plurals and lists of names in sentences. Every text that a reader sees takes them from here, so that one
//! number or list reads the same in a report, a mail and a terminal.

use std::collections::HashMap;

/// Names that [`quoted`] and [`some_of`] spell out before they say how many more there are.
pub const NAMED: usize = 3;

/// A number with thousands separated: `100,000`.
pub fn number(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count and a noun whose plural takes an `s`: `1 user`, `2,000 users`.
pub fn count(number: impl TryInto<u64>, noun: &str) -> String {
    counted(number, noun, &format!("{noun}s"))
}

/// A count and what is counted: `1 user has`, `2 users have`.
pub fn counted(count: impl TryInto<u64>, one: &str, many: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    format!("{} {}", number(count), form(count, one, many))
}

/// The form of a word that agrees with a count: `is` or `are`.
pub fn form<'a>(count: impl TryInto<u64>, one: &'a str, many: &'a str) -> &'a str {
    if count.try_into().is_ok_and(|count: u64| count == 1) { one } else { many }
}

/// The first of `all` names: `Dana Reyes, Ola Berg and 3 more`. A name that occurs again is written once, with how
/// often: `Dana Reyes (twice)`.
pub fn list<Name: AsRef<str>>(named: &[Name], all: usize) -> String {
    let more = all.saturating_sub(named.len());
    joined(&distinct(named), "and", (more > 0).then(|| format!("{} more", number(more))))
}

/// The first of `all` people of whom one is enough: `Dana Reyes, Ola Berg or 3 others`.
pub fn any_of<Name: AsRef<str>>(named: &[Name], all: usize) -> String {
    let more = all.saturating_sub(named.len());
    joined(&distinct(named), "or", (more > 0).then(|| counted(more, "other", "others")))
}

/// Names in quotation marks: `“a”, “b” and 4 more`. No more of them are looked at than it takes to count them.
pub fn quoted<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter();
    let shown: Vec<String> = names.by_ref().take(NAMED).map(|name| format!("“{name}”")).collect();
    let all = shown.len() + names.count();
    list(&shown, all)
}

/// Some of `all` ids: `11, 12 and 4 more`. It takes no more of them than it shows.
pub fn some_of<'a>(ids: impl Iterator<Item = &'a str>, all: usize) -> String {
    list(&ids.take(NAMED).collect::<Vec<_>>(), all)
}

/// Each name once, in the order of its first place.
fn distinct<Name: AsRef<str>>(names: &[Name]) -> Vec<String> {
    let mut times: HashMap<&str, usize> = HashMap::with_capacity(names.len());
    for name in names {
        *times.entry(name.as_ref()).or_default() += 1;
    }
    let first = names.iter().filter_map(|name| times.remove_entry(name.as_ref()));
    first
        .map(|(name, times)| match times {
            1 => name.to_owned(),
            2 => format!("{name} (twice)"),
            times => format!("{name} ({} times)", number(times)),
        })
        .collect()
}

fn joined(names: &[String], conjunction: &str, more: Option<String>) -> String {
    let (first, last) = match (names, more) {
        ([], more) => return more.unwrap_or_default(),
        (all, Some(more)) => (all, more),
        ([only], None) => return only.clone(),
        ([first @ .., last], None) => (first, last.clone()),
    };
    format!("{} {conjunction} {last}", first.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_separated_and_nouns_agree() {
        assert_eq!([number(7_u32), number(999_usize), number(1_234_567_u64)], ["7", "999", "1,234,567"]);
        assert_eq!([count(1_usize, "user"), count(0_usize, "user")], ["1 user", "0 users"]);
        assert_eq!(count(1_000_usize, "user"), "1,000 users");
        assert_eq!(counted(1_u64, "user has", "users have"), "1 user has");
        assert_eq!(counted(2_u64, "user has", "users have"), "2 users have");
        assert_eq!([form(1_usize, "is", "are"), form(0_usize, "is", "are")], ["is", "are"]);
    }

    #[test]
    fn a_list_of_names_ends_in_the_last_or_in_how_many_more() {
        assert_eq!(list::<&str>(&[], 0), "");
        assert_eq!(list(&["a"], 1), "a");
        assert_eq!(list(&["a", "b"], 2), "a and b");
        assert_eq!(list(&["a", "b", "c"], 3), "a, b and c");
        assert_eq!(list(&["a", "b"], 1_002), "a, b and 1,000 more");
        assert_eq!(list::<&str>(&[], 4), "4 more");
    }

    #[test]
    fn a_name_that_occurs_again_is_written_once() {
        assert_eq!(list(&["Ana", "Ana", "Ola"], 4), "Ana (twice), Ola and 1 more");
        assert_eq!(list(&["Ana", "Ola", "Ana", "Ana"], 4), "Ana (3 times) and Ola");
    }

    #[test]
    fn one_of_several_people_is_enough() {
        assert_eq!(any_of(&["Ana", "Ola"], 2), "Ana or Ola");
        assert_eq!(any_of(&["Ana"], 2), "Ana or 1 other");
        assert_eq!(any_of(&["Ana", "Ola"], 5), "Ana, Ola or 3 others");
    }

    #[test]
    fn a_long_list_of_quoted_names_ends_in_how_many_more() {
        assert_eq!([quoted([]), quoted(["a"]), quoted(["a", "b"])], ["", "“a”", "“a” and “b”"]);
        assert_eq!(quoted(["a", "b", "c"]), "“a”, “b” and “c”");
        assert_eq!(quoted(["a", "b", "c", "d", "e"]), "“a”, “b”, “c” and 2 more");
        assert_eq!(some_of(["11", "12"].into_iter(), 2), "11 and 12");
    }
}
