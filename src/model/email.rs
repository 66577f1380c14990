//! Parts of e-mail addresses, and how addresses are compared.
//!
//! Only ASCII letters are the same in both cases: Unicode also calls the Kelvin sign a capital k, and whoever approves
//! `kim@example.com` does not approve that address. Domains are compared as name servers know them, in ASCII.

use std::borrow::Cow;

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

/// The form in which two domains are compared: in ASCII, lower case, without a dot at the end.
pub fn comparable_domain(domain: &str) -> Cow<'_, str> {
    let domain = domain.trim_end_matches('.');
    if domain.bytes().any(|byte| byte.is_ascii_uppercase()) || !domain.is_ascii() {
        let ascii = if domain.is_ascii() { None } else { idna::domain_to_ascii(domain).ok() };
        return Cow::Owned(ascii.unwrap_or_else(|| domain.to_ascii_lowercase()));
    }
    Cow::Borrowed(domain)
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
        // What is no domain name stays what it is.
        assert_eq!(comparable("a@\u{fffd}.Example"), "a@\u{fffd}.example");
    }
}
