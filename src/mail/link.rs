//! The place of a one-time sign-in link in a message. Outbox, ledger and evidence keep the message with the place; the secret is
//! made when the message is sent, and only the mail server gets it.

use crate::digest::sha256;

/// The characters of a place, and of a secret.
pub const LENGTH: usize = 64;

/// A line break that quoted-printable adds (RFC 2045, 6.7).
const SOFT_BREAK: &[u8] = b"=\r\n";

/// What stands where the secret will be. It follows from the message, and nobody can write it into a name beforehand: the id of
/// the review is part of it.
pub fn place(review: &str, kind: &str, about: &str) -> String {
    sha256(format!("sign-in link\n{review}\n{kind}\n{about}").as_bytes())
}

/// A message with the secret in place, wherever the place is. `None` if it is nowhere. Secret and place are hexadecimal digits of
/// the same length, so that the message stays valid.
pub fn filled(message: &[u8], place: &str, secret: &str) -> Option<Vec<u8>> {
    let (place, secret) = (place.as_bytes(), secret.as_bytes());
    if place.len() != LENGTH || secret.len() != LENGTH || !secret.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut filled = message.to_vec();
    let (mut at, mut any) = (0, false);
    while at < message.len() {
        let Some(digits) = found(message, at, place) else {
            at += 1;
            continue;
        };
        for (digit, secret) in digits.iter().zip(secret) {
            if let Some(byte) = filled.get_mut(*digit) {
                *byte = *secret;
            }
        }
        any = true;
        at = digits.last().map_or(message.len(), |last| last + 1);
    }
    any.then_some(filled)
}

/// Where each digit of a place is that begins here. `None` if none does.
fn found(message: &[u8], from: usize, place: &[u8]) -> Option<Vec<usize>> {
    let mut at = from;
    let mut digits = Vec::new();
    for expected in place {
        if !digits.is_empty() && message.get(at..)?.starts_with(SOFT_BREAK) {
            at += SOFT_BREAK.len();
        }
        if message.get(at)? != expected {
            return None;
        }
        digits.push(at);
        at += 1;
    }
    Some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> String {
        "0123456789abcdef".repeat(4)
    }

    #[test]
    fn a_secret_is_filled_in_everywhere_also_across_line_breaks() {
        let place = place("7", "invitation", "");
        let (head, tail) = place.split_at(20);
        let message = format!("one {place} two /link/{head}=\r\n{tail}?next=3D ={head}");
        let filled = filled(message.as_bytes(), &place, &secret()).unwrap();
        let (first, rest) = (secret(), secret());
        let (head_of, tail_of) = rest.split_at(20);
        let expected = format!("one {first} two /link/{head_of}=\r\n{tail_of}?next=3D ={head}");
        assert_eq!(String::from_utf8(filled).unwrap(), expected);
    }

    #[test]
    fn nothing_is_filled_in_where_there_is_no_place_or_no_secret() {
        let place = place("7", "invitation", "");
        assert_eq!(filled(b"no place here", &place, &secret()), None);
        assert_eq!(filled(&place.as_bytes()[..63], &place, &secret()), None);
        assert_eq!(filled(place.as_bytes(), &place, "short"), None);
        assert_eq!(filled(place.as_bytes(), &place, &"\r\n".repeat(32)), None);
        for (review, kind, about) in [("8", "invitation", ""), ("7", "reminder", ""), ("7", "invitation", "x")] {
            assert_ne!(super::place(review, kind, about), place);
        }
    }
}
