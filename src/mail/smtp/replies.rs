//! What a server sends, line by line, in the form that lettre understands: a reply may be a code alone, and the words of
//! `EHLO` may be in any case (RFC 5321, 4.2 and 4.1.1.1). The extensions that it offers are noted.
//!
//! Only the code of a reply counts. Whatever follows it, in whatever encoding and length, must not make a reply illegible: the
//! message would be sent again although the server has it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most that is kept of a line, in bytes; RFC 5321 has 512.
const LONGEST_LINE: usize = 512;
/// The most extensions that are noted.
const MOST_OFFERS: usize = 100;

/// What a server offers in its answer to `EHLO`.
#[derive(Debug, Clone, Default)]
pub(super) struct Offers(Arc<Mutex<Vec<String>>>);

impl Offers {
    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The words after a keyword; `None` if it is not offered.
    fn after(&self, keyword: &str) -> Option<Vec<String>> {
        let offers = self.lock();
        let mut found = None;
        for line in offers.iter() {
            let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
            if words.next() == Some(keyword) {
                found.get_or_insert_with(Vec::new).extend(words.map(str::to_owned));
            }
        }
        found
    }

    /// The ways to log in, in capital letters.
    pub(super) fn logins(&self) -> Vec<String> {
        self.after("AUTH").unwrap_or_default()
    }

    /// How large a message may be, in bytes: `None` if the server does not say, 0 if there is no limit.
    pub(super) fn size(&self) -> Option<usize> {
        Some(self.after("SIZE")?.first().and_then(|size| size.parse().ok()).unwrap_or(0))
    }
}

/// The lines of a server, corrected.
#[derive(Debug, Default)]
pub(super) struct Replies {
    /// The beginning of a line.
    partial: Vec<u8>,
    /// Whole lines that were not passed on yet.
    ready: Vec<u8>,
    offers: Offers,
    /// Whether the answer to `EHLO` has begun: it is the first with 250.
    is_introduced: bool,
}

impl Replies {
    pub(super) fn new(offers: Offers) -> Self {
        Self { offers, ..Self::default() }
    }

    /// Takes in what came.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' {
                let line = std::mem::take(&mut self.partial);
                let line = self.corrected(String::from_utf8_lossy(&line).trim_end());
                self.ready.extend(line.as_bytes());
                self.ready.extend(b"\r\n");
            } else if self.partial.len() < LONGEST_LINE {
                self.partial.push(*byte);
            }
        }
    }

    /// Nothing more comes.
    pub(super) fn end(&mut self) {
        self.ready.append(&mut self.partial);
    }

    /// What can be passed on, at most so many bytes.
    pub(super) fn take(&mut self, most: usize) -> Vec<u8> {
        let rest = self.ready.split_off(most.min(self.ready.len()));
        std::mem::replace(&mut self.ready, rest)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    fn corrected(&mut self, line: &str) -> String {
        let code = line.get(..3).filter(|code| code.bytes().all(|byte| byte.is_ascii_digit()));
        let Some(code) = code else { return line.to_owned() };
        let rest = &line[3..];
        let (mark, text) = rest.strip_prefix('-').map_or((' ', rest), |text| ('-', text));
        let text = text.trim();
        if code != "250" {
            return format!("{code}{mark}{text}");
        }
        let is_first = !std::mem::replace(&mut self.is_introduced, true);
        if is_first && text.is_empty() {
            return format!("{code}{mark}unnamed");
        }
        format!("{code}{mark}{}", self.offer(text))
    }

    /// Notes an extension, whose name counts in any case. lettre knows names in capital letters only, and `AUTH` only without
    /// the `=` that old servers write after it.
    fn offer(&self, text: &str) -> String {
        let name: String = text.chars().take_while(char::is_ascii_alphanumeric).collect();
        if !["AUTH", "SIZE", "8BITMIME", "SMTPUTF8", "STARTTLS"].contains(&name.to_ascii_uppercase().as_str()) {
            return text.to_owned();
        }
        let capital = text.to_ascii_uppercase().replace('=', " ");
        let mut offers = self.offers.lock();
        if offers.len() < MOST_OFFERS {
            offers.push(capital.clone());
        }
        capital
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_corrected_however_they_are_cut_and_offers_are_noted() {
        let said = "220 x\r\n250-x.example.com says hello\r\n250-auth plain Login\r\n250-AUTH=cram-md5\r\n250 size 1000\r\n250\r\n354\r\n";
        let expected = "220 x\r\n250-x.example.com says hello\r\n250-AUTH PLAIN LOGIN\r\n250-AUTH CRAM-MD5\r\n250 SIZE 1000\r\n250 \r\n354 \r\n";
        for cut in [1, 2, 7, 1_000] {
            let offers = Offers::default();
            let mut replies = Replies::new(offers.clone());
            let mut passed = Vec::new();
            for piece in said.as_bytes().chunks(cut) {
                replies.feed(piece);
                passed.extend(replies.take(5));
            }
            passed.extend(replies.take(usize::MAX));
            assert_eq!(String::from_utf8(passed).unwrap(), expected, "{cut}");
            assert_eq!(offers.logins(), ["PLAIN", "LOGIN", "CRAM-MD5"]);
            assert_eq!(offers.size(), Some(1_000));
        }
        assert_eq!((Offers::default().size(), Offers::default().logins().len()), (None, 0));
    }

    #[test]
    fn the_code_counts_whatever_follows_it() {
        let long = format!("250 {}\r\n", "x".repeat(9_000));
        for (said, expected) in [
            ("250-\r\n250\tok\r\n", "250-unnamed\r\n250 ok\r\n"),
            ("250\r\n2500\r\n250  \r\n", "250 unnamed\r\n250 0\r\n250 \r\n"),
            ("354\u{e9}\n421:no\n", "354 \u{e9}\r\n421 :no\r\n"),
            (&long, &format!("250 {}\r\n", "x".repeat(508))),
            ("25\r\nno code\r\n", "25\r\nno code\r\n"),
        ] {
            let mut replies = Replies::default();
            replies.feed(said.as_bytes());
            assert_eq!(String::from_utf8(replies.take(usize::MAX)).unwrap(), expected);
        }
        let mut replies = Replies::default();
        replies.feed(b"250 \xfcber\r\n");
        assert_eq!(replies.take(usize::MAX), "250 \u{fffd}ber\r\n".as_bytes());
    }
}
