//! Where to sign in, and where to go then.

use url::form_urlencoded::byte_serialize;

/// The longest path that is gone back to.
const LONGEST: usize = 1_000;
/// Where a sign-in at the identity provider begins.
pub(super) const OIDC: &str = "/sign-in/oidc";
/// Where the session at the identity provider ends.
pub(super) const LEAVE: &str = "/sign-in/oidc/leave";
/// Where somebody who is signed in proves again who it is.
pub(super) const AGAIN: &str = "/sign-in/again";

/// The address of the page that says how to sign in, and where to go then.
pub(super) fn sign_in(next: Option<&str>) -> String {
    match next.filter(|next| is_ours(next) && *next != "/") {
        Some(next) => format!("/sign-in?{}", query(next)),
        None => "/sign-in".to_owned(),
    }
}

/// Where to prove again who it is, and where to go then.
pub(super) fn again(next: &str) -> String {
    format!("{AGAIN}?{}", query(next))
}

/// The part of an address that says where to go then.
pub(super) fn query(next: &str) -> String {
    format!("next={}", byte_serialize(next.as_bytes()).collect::<String>())
}

/// Whether a text is a path of this console, and cannot be read as the address of another site.
pub(super) fn is_ours(path: &str) -> bool {
    path.len() <= LONGEST
        && path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_of_this_console_is_gone_back_to() {
        for path in ["/", "/reviews/7/items/1?sort=name", "/a%20b"] {
            assert!(is_ours(path), "{path}");
        }
        for path in
            ["", "https://evil.example", "//evil.example", "/\\evil.example", "/a b", "/a\r\nb", "reviews", "/\u{e4}"]
        {
            assert!(!is_ours(path), "{path}");
            assert_eq!(sign_in(Some(path)), "/sign-in");
        }
        assert_eq!(sign_in(Some("/a?b=c&d")), "/sign-in?next=%2Fa%3Fb%3Dc%26d");
        assert!(!is_ours(&format!("/{}", "a".repeat(1_000))));
    }
}
