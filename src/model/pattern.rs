//! The subject of an exception or a declaration: an exact text, or a pattern.
//!
//! - `*` is any text and `?` any one character: `*@partner.example.com`, `svc-*`;
//! - a text between slashes is a regular expression that has to match the whole: `/svc-[0-9]+@example\.com/`;
//! - every other text is exact.
//!
//! An address is compared as [`email::comparable`] has it, so without ASCII case; ids and names as they are written.

use std::fmt;

use regex_lite::{Regex, RegexBuilder};

use super::email;

/// Characters of a pattern.
const MAX_LENGTH: usize = 320;
/// Bytes of a compiled regular expression.
const MAX_COMPILED: usize = 256 * 1024;
/// Groups inside groups of a regular expression.
const MAX_NESTED: u32 = 20;

/// A subject as it is written, ready to be compared.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: String,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// The text itself, and its form as an address.
    Exact(String),
    /// The pattern as written, and in the form of an address.
    Glob(Vec<char>, Vec<char>),
    /// The expression as written, and without ASCII case.
    Expression(Box<(Regex, Regex)>),
}

/// Why a text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is longer than any address.
    #[error("the pattern is longer than {MAX_LENGTH} characters")]
    TooLong,
    /// There is nothing between the slashes.
    #[error("there is no regular expression between the slashes")]
    Empty,
    /// What is between the slashes cannot be compiled, or is too large.
    #[error("invalid regular expression: {0}")]
    Expression(String),
}

impl Pattern {
    /// Reads a subject.
    ///
    /// # Errors
    /// [`PatternError`] if a regular expression is invalid, or the text is too long.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let text = text.trim();
        let kind = if let Some(expression) = expression(text) {
            Kind::Expression(Box::new(compiled(expression)?))
        } else if text.contains(['*', '?']) {
            Kind::Glob(characters(text)?, characters(&email::comparable(text))?)
        } else {
            Kind::Exact(email::comparable(text))
        };
        Ok(Self { text: text.to_owned(), kind })
    }

    /// Whether it stands for one exact text.
    pub fn is_exact(&self) -> bool {
        matches!(self.kind, Kind::Exact(_))
    }

    /// The text as it is written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it matches an id or a name.
    pub fn matches(&self, text: &str) -> bool {
        let text = text.trim();
        match &self.kind {
            Kind::Exact(_) => self.text == text,
            Kind::Glob(glob, _) => matches_glob(glob, text),
            Kind::Expression(both) => both.0.is_match(text),
        }
    }

    /// Whether it matches an id or a name in upper or lower case.
    pub fn matches_ignoring_case(&self, text: &str) -> bool {
        let text = text.trim();
        match &self.kind {
            Kind::Exact(_) => self.text.to_lowercase() == text.to_lowercase(),
            Kind::Glob(glob, _) => {
                let glob: Vec<char> = glob.iter().flat_map(|letter| letter.to_lowercase()).collect();
                matches_glob(&glob, &text.to_lowercase())
            }
            Kind::Expression(both) => both.1.is_match(text),
        }
    }

    /// Whether it matches an address, in any form.
    pub fn matches_address(&self, address: &str) -> bool {
        let address = email::comparable(address);
        match &self.kind {
            Kind::Exact(exact) => *exact == address,
            Kind::Glob(_, glob) => matches_glob(glob, &address),
            Kind::Expression(both) => both.1.is_match(&address),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// A subject that matches this id or name and nothing else.
pub fn exactly(text: &str) -> String {
    let is_plain = text == text.trim() && !text.contains(['*', '?', '@']) && expression(text).is_none();
    if is_plain { text.to_owned() } else { format!("/{}/", regex_lite::escape(text)) }
}

/// What stands between slashes.
fn expression(text: &str) -> Option<&str> {
    text.strip_prefix('/')?.strip_suffix('/')
}

fn characters(text: &str) -> Result<Vec<char>, PatternError> {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() > MAX_LENGTH { Err(PatternError::TooLong) } else { Ok(characters) }
}

/// An expression for a whole text: as it is written, and without ASCII case.
fn compiled(expression: &str) -> Result<(Regex, Regex), PatternError> {
    if expression.chars().count() > MAX_LENGTH {
        return Err(PatternError::TooLong);
    }
    if expression.is_empty() {
        return Err(PatternError::Empty);
    }
    let built = |text: &str, ignores_case: bool| {
        let mut builder = RegexBuilder::new(text);
        builder.case_insensitive(ignores_case).size_limit(MAX_COMPILED).nest_limit(MAX_NESTED);
        builder.build().map_err(|error| PatternError::Expression(error.to_string()))
    };
    // By itself first: `a)|(b` is valid only inside of other parentheses.
    built(expression, false)?;
    let whole = format!("^(?:{expression})$");
    Ok((built(&whole, false)?, built(&whole, true)?))
}

/// Whether a glob matches a whole text. Goes back to the last `*` only, so the work is bounded by the product of both
/// lengths.
fn matches_glob(glob: &[char], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut place) = (0, 0);
    // The last `*`, and where the text after what it stands for begins.
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match glob.get(place) {
            Some('*') => {
                star = Some((place, at));
                place += 1;
            }
            Some(one) if *one == '?' || *one == text[at] => {
                place += 1;
                at += 1;
            }
            _ => {
                let Some((before, from)) = star else { return false };
                star = Some((before, from + 1));
                (place, at) = (before + 1, from + 1);
            }
        }
    }
    glob[place..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    #[test]
    fn a_plain_text_is_exact_and_an_address_is_compared_without_case() {
        let exact = pattern(" Kim@Example.com ");
        assert!(exact.is_exact() && exact.matches_address("kim@EXAMPLE.com"));
        assert!(!exact.matches_address("akim@example.com") && !exact.matches_address("kim@example.community"));
        assert!(pattern("4876876000000123").matches("4876876000000123"));
        assert!(!pattern("sales").matches("Sales"), "names are compared as they are written");
    }

    #[test]
    fn a_glob_matches_the_whole_text() {
        for (glob, address, expected) in [
            ("*@partner.example.com", "Ana@Partner.Example.com", true),
            ("*@partner.example.com", "ana@partner.example.com.evil.example", false),
            ("*@partner.example.com", "ana@notpartner.example.com", false),
            ("*@*.example.com", "ana@partner.example.com", true),
            ("*@*.example.com", "ana@example.com", false),
            ("svc-*", "SVC-sync@example.com", true),
            ("SVC-*", "svc-sync@example.com", true),
            ("svc-*", "a-svc-sync@example.com", false),
            ("svc-?@example.com", "svc-1@example.com", true),
            ("svc-?@example.com", "svc-12@example.com", false),
            ("*", "anyone@example.com", true),
            ("a.b*", "axb@example.com", false),
            ("[a]*", "a@example.com", false),
            ("*@b\u{fc}cher.example", "ana@xn--bcher-kva.example", true),
            ("k*", "\u{212a}im@example.com", false),
        ] {
            assert_eq!(pattern(glob).matches_address(address), expected, "{glob} {address}");
        }
        assert!(pattern("Sales*").matches("Sales Manager") && !pattern("sales*").matches("Sales Manager"));
    }

    #[test]
    fn an_expression_is_anchored_at_both_ends() {
        for (text, address, expected) in [
            (r"/svc-[0-9]+@example\.com/", "Svc-12@Example.com", true),
            (r"/svc-[0-9]+@example\.com/", "xsvc-12@example.com", false),
            (r"/svc-[0-9]+@example\.com/", "svc-12@example.com.evil.example", false),
            (r"/svc-[0-9]+@example\.com/", "svc-12@exampleXcom", false),
            ("/ana|ben/", "ana@example.com", false),
            ("/a|ab/", "ab", true),
            ("/(?m)a$/", "a\nb", false),
        ] {
            assert_eq!(pattern(text).matches_address(address), expected, "{text} {address}");
        }
        assert!(pattern("/Sales .*/").matches("Sales Manager") && !pattern("/sales .*/").matches("Sales Manager"));
    }

    #[test]
    fn the_case_of_names_is_ignored_where_that_finds_more() {
        for text in ["export*", "EXPORT ?ata", "export data", "/EXPORT .*/"] {
            assert!(pattern(text).matches_ignoring_case(" Export Data"), "{text}");
        }
        assert!(!pattern("export").matches_ignoring_case("Export Data"));
    }

    #[test]
    fn an_expression_is_bounded_and_its_error_says_why() {
        let error = |text: &str| Pattern::parse(text).unwrap_err().to_string();
        assert!(error("/(/").starts_with("invalid regular expression: "), "{}", error("/(/"));
        assert!(error("/a)|(b/").starts_with("invalid regular expression: "));
        assert!(error("/(a{1000}){1000}/").contains("regular expression"));
        assert!(error(&format!("/{}a{}/", "(".repeat(60), ")".repeat(60))).contains("regular expression"));
        assert_eq!(error(&format!("/{}/", "a".repeat(400))), "the pattern is longer than 320 characters");
        assert_eq!(error(&"*a".repeat(400)), "the pattern is longer than 320 characters");
        assert_eq!(error("//"), "there is no regular expression between the slashes");
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_a_text_matches_its_own_exact_form(text in ".{0,12}", other in "[a*?/.@ ]{0,6}") {
            for text in [&text, &other] {
                if let Ok(pattern) = Pattern::parse(text) {
                    pattern.matches(&other);
                    pattern.matches_address(&other);
                }
                let exact = Pattern::parse(&exactly(text)).unwrap();
                prop_assert!(exact.matches(text) || text.trim() != text.as_str(), "{:?}", text);
                let longer = format!("{text}x");
                prop_assert!(!exact.matches(&longer));
            }
        }

        #[test]
        fn a_glob_matches_as_the_expression_that_says_the_same(glob in "[ab*?]{0,7}", text in "[ab]{0,7}") {
            let said: String = glob.chars().map(|c| match c { '*' => ".*".to_owned(), '?' => ".".to_owned(), c => c.to_string() }).collect();
            let expression = Regex::new(&format!("^(?:{said})$")).unwrap();
            let characters: Vec<char> = glob.chars().collect();
            prop_assert_eq!(matches_glob(&characters, &text), expression.is_match(&text));
        }
    }
}
