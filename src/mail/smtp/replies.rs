//! What a server sends, line by line, in the form that lettre understands: a reply may be a code alone, and the words of
//! `EHLO` may be in any case (RFC 5321, 4.2 and 4.1.1.1). The extensions that it offers are noted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A longer line is passed on as it comes, in bytes; RFC 5321 has 512.
const LONGEST_LINE: usize = 4_096;
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
            let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
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
}

impl Replies {
    pub(super) fn new(offers: Offers) -> Self {
        Self { offers, ..Self::default() }
    }

    /// Takes in what came.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.partial.push(*byte);
            if *byte == b'\n' || self.partial.len() >= LONGEST_LINE {
                let line = std::mem::take(&mut self.partial);
                self.ready.extend(self.corrected(line));
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

    fn corrected(&self, line: Vec<u8>) -> Vec<u8> {
        let is_code = line.len() > 3 && line[..3].iter().all(u8::is_ascii_digit);
        if !is_code {
            return line;
        }
        match line[3] {
            b'\r' | b'\n' => [&line[..3], b" ", &line[3..]].concat(),
            b' ' | b'-' if line.starts_with(b"250") => self.offer(&line),
            _ => line,
        }
    }

    /// Notes an extension, whose name counts in any case. lettre knows names in capital letters only.
    fn offer(&self, line: &[u8]) -> Vec<u8> {
        let Ok(text) = str::from_utf8(&line[4..]) else { return line.to_vec() };
        let name: String = text.chars().take_while(char::is_ascii_alphanumeric).collect();
        if !["AUTH", "SIZE", "8BITMIME", "SMTPUTF8", "STARTTLS"].contains(&name.to_ascii_uppercase().as_str()) {
            return line.to_vec();
        }
        let capital = text.to_ascii_uppercase();
        let mut offers = self.offers.lock();
        if offers.len() < MOST_OFFERS {
            offers.push(capital.trim().to_owned());
        }
        [&line[..4], capital.as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_corrected_however_they_are_cut_and_offers_are_noted() {
        let said = "220 x\r\n250-x.example.com says hello\r\n250-auth plain Login\r\n250-AUTH=cram-md5\r\n250 size 1000\r\n250\r\n354\r\n";
        let expected = "220 x\r\n250-x.example.com says hello\r\n250-AUTH PLAIN LOGIN\r\n250-AUTH=CRAM-MD5\r\n250 SIZE 1000\r\n250 \r\n354 \r\n";
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
}
