//! When two names may be those of one person.

use super::address::composed;

/// The words of a name, whatever their order, case and punctuation: `Example, Ana` and `Ana Example`.
pub(super) fn name_key(name: &str) -> String {
    let lower = composed(name).to_lowercase();
    let mut words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words.join(" ")
}

/// A number that names with the same [`name_key`] have in common, because they have the same letters. It is quicker to
/// work out, and few other names have it.
pub(super) fn letters(name: &str) -> u64 {
    if name.is_ascii() {
        let letters = name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| u32::from(byte.to_ascii_lowercase()));
        return sum(letters);
    }
    sum(name_key(name).chars().filter(|c| *c != ' ').map(u32::from))
}

/// A sum that does not depend on the order, of numbers far apart.
fn sum(letters: impl Iterator<Item = u32>) -> u64 {
    let far = |letter: u32| {
        let spread = u64::from(letter).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (spread ^ (spread >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    };
    letters.map(far).fold(0, u64::wrapping_add)
}
