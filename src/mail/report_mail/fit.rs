//! Which attachments fit into a mail.

use crate::mail::{
    message::Attachment,
    text::{name, size},
};

/// The longest file name that a body shows, in characters.
const MAX_FILE_NAME: usize = 80;

/// Takes attachments in their order as long as the next one fits; the others by name and size.
pub(super) fn fit(attachments: Vec<Attachment>, limit: usize) -> (Vec<Attachment>, Vec<String>) {
    let mut left = limit;
    let mut left_out = Vec::new();
    let mut kept = Vec::new();
    for attachment in attachments {
        if let Some(rest) = left.checked_sub(attachment.bytes.len()) {
            left = rest;
            kept.push(attachment);
        } else {
            left_out.push(format!("{} ({})", name(&attachment.file_name, MAX_FILE_NAME), size(attachment.bytes.len())));
        }
    }
    (kept, left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_named_and_what_follows_may_still_fit() {
        let file = |name: &str, length| Attachment {
            file_name: name.to_owned(),
            content_type: "text/csv".to_owned(),
            bytes: vec![0; length],
        };
        let (kept, left_out) = fit(vec![file("a.csv", 60), file("b.xlsx", 50), file("c.csv", 40)], 100);
        let kept: Vec<_> = kept.iter().map(|attachment| attachment.file_name.as_str()).collect();
        assert_eq!(kept, ["a.csv", "c.csv"]);
        assert_eq!(left_out, ["b.xlsx (50 bytes)"]);
    }
}
