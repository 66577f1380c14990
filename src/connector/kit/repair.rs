//! Characters that no text may hold and numbers that no reader takes, in an answer that is otherwise JSON.

/// What replaces characters.
const REPLACEMENT: char = '\u{fffd}';
/// What replaces a number: another one that no field takes, so that its field is unreadable and not missing.
const NO_FIELD_S: &str = "-0.5";

/// An answer that can be read.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::connector) struct Repaired {
    pub(in crate::connector) text: String,
    /// Whether characters were replaced.
    pub(in crate::connector) has_replaced_text: bool,
}

/// An answer in which bytes that are not UTF-8, control characters inside strings, halves of surrogate pairs and unknown
/// escapes are replaced with U+FFFD, and numbers out of range with one that no field takes. `None` if there is none.
pub(in crate::connector) fn repair(body: &[u8]) -> Option<Repaired> {
    let lossy = String::from_utf8_lossy(body);
    let mut has_replaced_text = matches!(lossy, std::borrow::Cow::Owned(_));
    let text = lossy.strip_prefix('\u{feff}').unwrap_or(&lossy);
    let mut repaired = String::with_capacity(text.len());
    let mut rest = text;
    let mut in_string = false;
    while let Some(character) = rest.chars().next() {
        let length = match character {
            '"' => {
                in_string = !in_string;
                1
            }
            '\\' if in_string => {
                let length = escape(rest);
                if length == 0 {
                    repaired.push(REPLACEMENT);
                    has_replaced_text = true;
                    rest = &rest[skipped(rest)..];
                    continue;
                }
                length
            }
            control if in_string && control < ' ' => {
                repaired.push(REPLACEMENT);
                has_replaced_text = true;
                rest = &rest[1..];
                continue;
            }
            '-' | '0'..='9' if !in_string => {
                let length = rest.bytes().take_while(|byte| is_of_number(*byte)).count();
                if rest[..length].parse::<f64>().is_ok_and(f64::is_infinite) {
                    repaired.push_str(NO_FIELD_S);
                    rest = &rest[length..];
                    continue;
                }
                length
            }
            other => other.len_utf8(),
        };
        repaired.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    (repaired.as_bytes() != body).then_some(Repaired { text: repaired, has_replaced_text })
}

fn is_of_number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')
}

/// The length of a valid escape at the beginning of a text, a surrogate pair as one; 0 if there is none.
fn escape(text: &str) -> usize {
    match text.as_bytes().get(1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
        Some(b'u') => match unit(text) {
            Some(0xD800..=0xDBFF) if matches!(text.get(6..).and_then(unit), Some(0xDC00..=0xDFFF)) => 12,
            Some(0xD800..=0xDFFF) | None => 0,
            Some(_) => 6,
        },
        _ => 0,
    }
}

/// How much of an invalid escape to pass over: all of half a pair, otherwise the backslash alone.
fn skipped(text: &str) -> usize {
    if unit(text).is_some() { 6 } else { 1 }
}

/// The UTF-16 unit of an escape such as `\u00e9`.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_text_is_replaced_and_nothing_else_is() {
        let cases: [(&[u8], &str); 7] = [
            (br#"{"a":"x\ud83dy"}"#, "{\"a\":\"x\u{fffd}y\"}"),
            (br#"{"a":"\udc00\ud83d\ude00"}"#, "{\"a\":\"\u{fffd}\\ud83d\\ude00\"}"),
            (b"{\n\"a\":\"x\ny\"}", "{\n\"a\":\"x\u{fffd}y\"}"),
            (b"{\"a\":\"M\xfcller\"}", "{\"a\":\"M\u{fffd}ller\"}"),
            (br#"{"a":"\x\"","b":"\\"}"#, "{\"a\":\"\u{fffd}x\\\"\",\"b\":\"\\\\\"}"),
            (br#"{"a":"\ud83d\u0041"}"#, "{\"a\":\"\u{fffd}\\u0041\"}"),
            (b"\"\\", "\"\u{fffd}"),
        ];
        for (body, expected) in cases {
            let expected = Repaired { text: expected.to_owned(), has_replaced_text: true };
            assert_eq!(repair(body), Some(expected), "{body:?}");
        }
        let out_of_range = r#"{"a":1e400,"b":[-1E+999],"c":"1e400","d":1e300,"e":0.5e-400}"#;
        let text = r#"{"a":-0.5,"b":[-0.5],"c":"1e400","d":1e300,"e":0.5e-400}"#.to_owned();
        assert_eq!(repair(out_of_range.as_bytes()), Some(Repaired { text, has_replaced_text: false }));
        for whole in ["{\"a\":\"\\u00e9\\n\\ud83d\\ude00\"}", "[1,\t\"ü\"]", "<html>", ""] {
            assert_eq!(repair(whole.as_bytes()), None, "{whole}");
        }
    }
}
