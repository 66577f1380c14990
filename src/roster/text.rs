//! From bytes to text. What cannot be decoded is an error: a name or an address with other letters would match nobody.

use std::borrow::Cow;

use super::ReadError;

/// The text of a roster.
pub(super) struct Text<'b> {
    pub(super) text: Cow<'b, str>,
    pub(super) encoding: &'static str,
}

const UTF_8: &str = "UTF-8";
const UTF_16_LE: &str = "UTF-16LE";
const UTF_16_BE: &str = "UTF-16BE";
const WINDOWS: &str = "Windows-1252";
const LATIN_9: &str = "ISO-8859-15";

/// The characters of the bytes 0x80 to 0x9f in Windows-1252; five bytes have none.
const WINDOWS_1252: [Option<char>; 32] = [
    Some('\u{20ac}'),
    None,
    Some('\u{201a}'),
    Some('\u{192}'),
    Some('\u{201e}'),
    Some('\u{2026}'),
    Some('\u{2020}'),
    Some('\u{2021}'),
    Some('\u{2c6}'),
    Some('\u{2030}'),
    Some('\u{160}'),
    Some('\u{2039}'),
    Some('\u{152}'),
    None,
    Some('\u{17d}'),
    None,
    None,
    Some('\u{2018}'),
    Some('\u{2019}'),
    Some('\u{201c}'),
    Some('\u{201d}'),
    Some('\u{2022}'),
    Some('\u{2013}'),
    Some('\u{2014}'),
    Some('\u{2dc}'),
    Some('\u{2122}'),
    Some('\u{161}'),
    Some('\u{203a}'),
    Some('\u{153}'),
    None,
    Some('\u{17e}'),
    Some('\u{178}'),
];

/// Decodes a roster: by the named encoding, else by its byte order mark, else as UTF-16 if it has the zero bytes of it, as
/// UTF-8 if it is valid, and as Windows-1252 otherwise.
pub(super) fn decode<'b>(bytes: &'b [u8], named: Option<&str>) -> Result<Text<'b>, ReadError> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        return Err(ReadError::NotText("a workbook; save it as CSV"));
    }
    let decoded = match named {
        Some("utf-8") => utf_8(bytes),
        Some("utf-16" | "utf-16le") if bytes.starts_with(b"\xfe\xff") => utf_16(bytes, u16::from_be_bytes, UTF_16_BE),
        Some("utf-16" | "utf-16le") => utf_16(bytes, u16::from_le_bytes, UTF_16_LE),
        Some("utf-16be") => utf_16(bytes, u16::from_be_bytes, UTF_16_BE),
        Some("iso-8859-15") => single(bytes, LATIN_9, latin_9),
        Some(_) => single(bytes, WINDOWS, windows_1252),
        None => detected(bytes),
    }?;
    if decoded.text.contains('\0') {
        return Err(ReadError::NotText("not text: it has zero bytes"));
    }
    let Text { text, encoding } = decoded;
    let text = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Cow::Owned(text) => Cow::Owned(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)),
    };
    Ok(Text { text, encoding })
}

fn detected(bytes: &[u8]) -> Result<Text<'_>, ReadError> {
    if bytes.starts_with(b"\xef\xbb\xbf") {
        return utf_8(bytes);
    }
    if bytes.starts_with(b"\xff\xfe") {
        return utf_16(bytes, u16::from_le_bytes, UTF_16_LE);
    }
    if bytes.starts_with(b"\xfe\xff") {
        return utf_16(bytes, u16::from_be_bytes, UTF_16_BE);
    }
    // Of Latin letters in UTF-16, every second byte is zero.
    let start = &bytes[..bytes.len().min(4096)];
    let zeros = |from: usize| start.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count() * 5 > start.len();
    match (zeros(1), zeros(0)) {
        (true, false) => return utf_16(bytes, u16::from_le_bytes, UTF_16_LE),
        (false, true) => return utf_16(bytes, u16::from_be_bytes, UTF_16_BE),
        _ => {}
    }
    match utf_8(bytes) {
        Err(ReadError::Encoding { line, .. }) if has_utf_8_letters(bytes) => Err(ReadError::Encoding {
            line,
            encoding: UTF_8,
            help: "other lines are; if the roster has another encoding, name it with `encoding`",
        }),
        Err(_) => single(bytes, WINDOWS, windows_1252),
        decoded => decoded,
    }
}

fn utf_8(bytes: &[u8]) -> Result<Text<'_>, ReadError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Text { text: Cow::Borrowed(text), encoding: UTF_8 }),
        Err(error) => Err(ReadError::Encoding {
            line: line_of(&bytes[..error.valid_up_to()]),
            encoding: UTF_8,
            help: "name its encoding with `encoding`, or export it in UTF-8",
        }),
    }
}

/// Whether some letters beyond ASCII are valid UTF-8: by chance that hardly happens.
fn has_utf_8_letters(bytes: &[u8]) -> bool {
    bytes.utf8_chunks().any(|chunk| !chunk.valid().is_ascii())
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16, encoding: &'static str) -> Result<Text<'static>, ReadError> {
    let help = "export it in UTF-8";
    let (pairs, rest) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(pairs.len());
    for character in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        match character {
            Ok(character) => text.push(character),
            Err(_) => return Err(ReadError::Encoding { line: line_of(text.as_bytes()), encoding, help }),
        }
    }
    if !rest.is_empty() {
        return Err(ReadError::Encoding { line: line_of(text.as_bytes()), encoding, help });
    }
    Ok(Text { text: Cow::Owned(text), encoding })
}

fn single(bytes: &[u8], encoding: &'static str, character: fn(u8) -> Option<char>) -> Result<Text<'static>, ReadError> {
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 16);
    for (at, byte) in bytes.iter().enumerate() {
        text.push(character(*byte).ok_or_else(|| ReadError::Encoding {
            line: line_of(&bytes[..at]),
            encoding,
            help: "name its encoding with `encoding`, or export it in UTF-8",
        })?);
    }
    Ok(Text { text: Cow::Owned(text), encoding })
}

fn windows_1252(byte: u8) -> Option<char> {
    match byte {
        0x80..=0x9f => WINDOWS_1252[usize::from(byte - 0x80)],
        _ => Some(char::from(byte)),
    }
}

fn latin_9(byte: u8) -> Option<char> {
    Some(match byte {
        0x80..=0x9f => return None,
        0xa4 => '\u{20ac}',
        0xa6 => '\u{160}',
        0xa8 => '\u{161}',
        0xb4 => '\u{17d}',
        0xb8 => '\u{17e}',
        0xbc => '\u{152}',
        0xbd => '\u{153}',
        0xbe => '\u{178}',
        _ => char::from(byte),
    })
}

fn line_of(before: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', before).count() + 1
}
