//! Parts of e-mail addresses, and how addresses are compared.
//!
//! Only ASCII letters are the same in both cases: Unicode also calls the Kelvin sign a capital k, and whoever approves
//! `kim@example.com` does not approve that address. Domains are compared as name servers know them, in ASCII, if they are
//! written in the letters that this form stands for. Name servers also pass over invisible characters and replace wide
//! letters: a domain that is written with them is not the one that it leads to, because nobody who reads it sees which one
//! that is.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

/// The part after the last `@`, as domains are compared. `None` if the text is not an address.
pub fn domain(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    (!local.is_empty() && !domain.is_empty()).then(|| comparable_domain(domain).into_owned())
}

/// The form in which two addresses are compared: trimmed, ASCII lower case, and an international domain in its ASCII form
/// (`xn--…`).
pub fn comparable(address: &str) -> String {
    let address = address.trim();
    let Some((local, domain)) = address.rsplit_once('@') else { return address.to_ascii_lowercase() };
    let mut text = String::with_capacity(address.len());
    text.push_str(local);
    text.make_ascii_lowercase();
    text.push('@');
    text.push_str(&comparable_domain(domain));
    text
}

/// The form in which two domains are compared: in ASCII, lower case, without a dot at the end. A text that is not a domain, or
/// has characters that its ASCII form does not stand for, stays as it is.
pub fn comparable_domain(domain: &str) -> Cow<'_, str> {
    let domain = domain.trim_end_matches('.');
    if domain.bytes().any(|byte| byte.is_ascii_uppercase()) || !domain.is_ascii() {
        let ascii = ascii_form(domain).filter(|ascii| is_written_in_letters(domain, ascii));
        return Cow::Owned(ascii.unwrap_or_else(|| domain.to_ascii_lowercase()));
    }
    Cow::Borrowed(domain)
}

/// The address that mail to an address reaches if its domain is written with characters that name servers pass over or
/// replace; `None` if it is not.
pub fn disguised(address: &str) -> Option<String> {
    let (local, domain) = address.trim().rsplit_once('@')?;
    let domain = domain.trim_end_matches('.');
    let ascii = ascii_form(domain).filter(|ascii| !is_written_in_letters(domain, ascii))?;
    Some(format!("{}@{ascii}", local.to_ascii_lowercase()))
}

/// The ASCII form of a domain with other letters; `None` if it has none, or is no domain.
fn ascii_form(domain: &str) -> Option<String> {
    // Other full stops become dots, also at the end.
    let ascii = if domain.is_ascii() { None } else { idna::domain_to_ascii(domain).ok() };
    ascii.map(|ascii| ascii.trim_end_matches('.').to_owned())
}

/// Whether a domain is written in the letters that its ASCII form stands for, in either case, composed or not.
fn is_written_in_letters(domain: &str, ascii: &str) -> bool {
    let letters = domain.chars().flat_map(lowercase).nfc();
    letters.eq(idna::domain_to_unicode(ascii).0.chars())
}

/// The other case of a capital letter. The Kelvin sign stays: the capital of k is K.
fn lowercase(letter: char) -> impl Iterator<Item = char> {
    let is_capital = letter.to_lowercase().flat_map(char::to_uppercase).eq([letter]);
    let lower = is_capital.then(|| letter.to_lowercase());
    lower.into_iter().flatten().chain((!is_capital).then_some(letter))
}

/// Whether `domain` is `parent` or a subdomain of it.
pub fn within(domain: &str, parent: &str) -> bool {
    domain == parent || domain.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subdomain_is_within_and_a_look_alike_is_not() {
        assert!(within("mail.example.com", "example.com"));
        assert!(!within("notexample.com", "example.com"));
        assert!(!within("example.com.evil.example", "example.com"));
    }

    #[test]
    fn the_domain_is_what_follows_the_last_at_sign() {
        assert_eq!(domain("\"a@b\"@Example.COM.").as_deref(), Some("example.com"));
        assert_eq!(domain("nobody"), None);
        assert_eq!(domain("@example.com"), None);
    }

    #[test]
    fn addresses_are_compared_without_ascii_case_and_with_every_other_difference() {
        assert_eq!(comparable(" Kim@Example.COM "), "kim@example.com");
        assert_ne!(comparable("\u{212a}im@example.com"), "kim@example.com");
        assert_ne!(comparable("\u{212b}sa@example.com"), comparable("\u{e5}sa@example.com"));
        assert_eq!(comparable("Nobody"), "nobody");
    }

    #[test]
    fn an_international_domain_is_the_same_in_both_of_its_forms() {
        assert_eq!(comparable("a@B\u{fc}cher.example"), "a@xn--bcher-kva.example");
        assert_eq!(comparable("a@XN--bcher-kva.example"), "a@xn--bcher-kva.example");
        assert_ne!(comparable("a@ex\u{430}mple.com"), "a@example.com");
        assert_eq!(domain("a@b\u{fc}cher.example").as_deref(), Some("xn--bcher-kva.example"));
        assert_eq!(comparable("a@bu\u{308}cher.example"), "a@xn--bcher-kva.example");
        assert_eq!(comparable("a@\u{3a3}\u{391}\u{3a3}.example"), comparable("a@\u{3c3}\u{3b1}\u{3c3}.example"));
        // What is no domain name stays what it is.
        assert_eq!(comparable("a@\u{fffd}.Example"), "a@\u{fffd}.example");
    }

    #[test]
    fn a_domain_with_characters_that_name_servers_pass_over_or_replace_is_another_one() {
        for (written, reached) in [
            ("Kim@example.com\u{200b}", "kim@example.com"),
            ("kim@exam\u{ad}ple.com", "kim@example.com"),
            ("kim@\u{ff45}xample.com", "kim@example.com"),
            ("kim@example\u{3002}com", "kim@example.com"),
            ("kim@exam\u{fe0f}ple.com.", "kim@example.com"),
            ("kim@\u{212a}example.com", "kim@kexample.com"),
            ("kim@b\u{fc}ch\u{ad}er.example", "kim@xn--bcher-kva.example"),
        ] {
            assert_ne!(comparable(written), reached, "{written}");
            assert_eq!(disguised(written).as_deref(), Some(reached), "{written}");
            let (_, name) = reached.split_once('@').unwrap();
            assert_ne!(domain(written).unwrap(), name, "{written}");
        }
        for plain in
            ["kim@example.com", "kim@B\u{fc}cher.example", "kim@bu\u{308}cher.example", "\u{ff4b}im@example.com", "kim"]
        {
            assert_eq!(disguised(plain), None, "{plain}");
        }
    }
}
