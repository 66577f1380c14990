//! What users are searched by, in one piece: one pass finds every place of a text.

use memchr::memmem::Finder;

/// Between the texts of two users, so that nothing is found across them.
const END: u8 = 0;

/// Names, addresses and ids in lower case, user by user.
#[derive(Debug, Default)]
pub(super) struct Texts {
    all: Vec<u8>,
    /// Where the text of each user ends.
    ends: Vec<usize>,
}

impl Texts {
    /// Adds the texts of the next user.
    pub(super) fn add<'t>(&mut self, texts: impl Iterator<Item = &'t str>) {
        for text in texts {
            self.all.extend(text.to_lowercase().bytes().map(|byte| if byte == END { b' ' } else { byte }));
            self.all.push(b'\n');
        }
        self.all.push(END);
        self.ends.push(self.all.len());
    }

    /// Which of the users have a text; all if it is empty.
    pub(super) fn that_have(&self, text: &str, users: usize) -> Vec<bool> {
        let text = text.trim().to_lowercase();
        let mut has = vec![text.is_empty(); users];
        if text.is_empty() || text.as_bytes().contains(&END) {
            return has;
        }
        let (finder, mut user, mut from) = (Finder::new(&text), 0, 0);
        while let Some(found) = self.all.get(from..).and_then(|rest| finder.find(rest)) {
            let place = from + found;
            while self.ends.get(user).is_some_and(|end| *end <= place) {
                user += 1;
            }
            let (Some(has), Some(end)) = (has.get_mut(user), self.ends.get(user)) else { break };
            *has = true;
            // Another place in the same user says nothing new.
            from = *end;
        }
        has
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_in_each_user_and_never_across_two() {
        let mut texts = Texts::default();
        for user in [&["Ana Lind", "ana@example.com", "1"][..], &["Ben", "2"], &["", "ÄNNE@example.com", "21"], &[]] {
            texts.add(user.iter().copied());
        }
        let have = |text: &str| {
            let has = texts.that_have(text, 4);
            (0..4).filter(|user| has[*user]).collect::<Vec<_>>()
        };
        assert_eq!(have(""), [0, 1, 2, 3]);
        assert_eq!(have(" AN"), [0]);
        assert_eq!(have("änne"), [2]);
        assert_eq!(have("example.com"), [0, 2]);
        assert_eq!(have("2"), [1, 2]);
        assert_eq!(have("1\nben"), [0; 0]);
        assert_eq!(have("\0"), [0; 0]);
        assert_eq!(have("nobody"), [0; 0]);
    }
}
