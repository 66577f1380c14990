//! The ids of messages and threads. They are derived, so that the same message always has the same id.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// The first 160 bits of the SHA-256 of these parts, as hexadecimal digits. Each part is prefixed with its length, so that
/// no two lists of parts have the same input.
pub(super) fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(20).fold(String::with_capacity(40), |mut digits, byte| {
        // Writing to a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// A domain as ids may have it: ASCII, as in the DNS.
pub(super) fn ascii_domain(domain: &str) -> String {
    let literal = domain.trim_matches(['[', ']']);
    match url::Host::parse(literal) {
        Ok(url::Host::Domain(domain)) => domain,
        Ok(address) => label(&address.to_string()),
        Err(_) => label(literal),
    }
}

/// A name as one label of a list id (RFC 2919): at most 63 lower-case letters, digits and hyphens. If that changes the
/// name, a part of its digest is added, so that different names stay different.
pub(super) fn label(name: &str) -> String {
    /// Characters that are kept of a name that gets a part of its digest.
    const KEPT: usize = 48;
    let kept: String =
        name.chars().take(63).map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect();
    if kept == name && !kept.starts_with('-') && !kept.ends_with('-') && !kept.is_empty() {
        return kept;
    }
    let start: String = kept.chars().take(KEPT).collect();
    format!("{}-{}", start.trim_matches('-'), &digest(&[name])[..12]).trim_start_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cannot_be_shifted_into_one_another() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_eq!(digest(&["ab", "c"]), digest(&["ab", "c"]));
    }

    #[test]
    fn labels_hold_only_what_a_list_id_may_and_stay_apart() {
        assert_eq!(label("weekly-access-review"), "weekly-access-review");
        assert_ne!(label("Acme"), label("acme"));
        for name in ["a\r\nBcc: x@example.com", "", "日本", &"x".repeat(500), "-a-"] {
            let label = label(name);
            assert!(!label.is_empty() && label.len() <= 63, "{label}");
            assert!(label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'), "{label}");
            assert!(!label.starts_with('-') && !label.ends_with('-'), "{label}");
        }
    }

    #[test]
    fn a_domain_is_ascii() {
        assert_eq!(ascii_domain("bücher.example"), "xn--bcher-kva.example");
        assert!(ascii_domain("[192.0.2.1]").is_ascii());
    }
}
