//! Parts of e-mail addresses, and how addresses are compared.

/// The part after the last `@`, lower case. `None` if the text is not an address.
pub fn domain(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    (!local.is_empty() && !domain.is_empty()).then(|| domain.trim_end_matches('.').to_lowercase())
}

/// The form in which two addresses are compared: trimmed and lower case.
pub fn comparable(address: &str) -> String {
    address.trim().to_lowercase()
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
        assert_eq!(domain("\"a@b\"@Example.COM").as_deref(), Some("example.com"));
        assert_eq!(domain("nobody"), None);
        assert_eq!(domain("@example.com"), None);
    }
}
