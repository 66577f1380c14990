//! An e-mail as complete bytes (RFC 5322), for one recipient, ready to be stored, saved as `.eml` and sent.
//!
//! The same arguments give the same bytes: date, ids and boundaries are arguments or derived from them. A message says
//! that it is automatic (`Auto-Submitted`, RFC 3834; `X-Auto-Response-Suppress` for Exchange), so that no absence notice
//! answers it. It has no `Precedence`, which was never a standard: filters take `bulk` as a sign of mail that nobody
//! waits for.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use lettre::{
    Address, Message,
    message::{
        Attachment as Part, Body, Mailbox, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
};

use super::{
    identity::{ascii_domain, digest, label},
    text::one_line,
};

/// The longest subject, in characters.
const MAX_SUBJECT: usize = 200;
/// The longest reason why files are not attached, in characters.
const MAX_REASON: usize = 600;
/// The longest name of an attached file, in characters.
const MAX_FILE_NAME: usize = 120;

/// The content of an e-mail, the same for every recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The subject.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part, with the same content.
    pub html: String,
    /// The attached files.
    pub attachments: Vec<Attachment>,
}

/// A file that is attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The file's name.
    pub file_name: String,
    /// The MIME type: `text/csv`.
    pub content_type: String,
    /// The content.
    pub bytes: Vec<u8>,
}

/// Sender, recipient, date, and what identifies this message.
#[derive(Debug, Clone, Copy)]
pub struct Addressing<'a> {
    /// The sender: an address, or a name followed by an address in angle brackets.
    pub from: &'a str,
    /// The recipient, in the same form.
    pub to: &'a str,
    /// The date of the message.
    pub date: DateTime<Utc>,
    /// What the message is about: the id of an audit or of a run.
    pub id: &'a str,
    /// The kind of message: `report`, `test`.
    pub kind: &'a str,
    /// The job, and the workspace, whose messages form one thread and one list.
    pub thread: Option<(&'a str, &'a str)>,
}

/// An e-mail for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// The envelope sender.
    pub from: String,
    /// The envelope recipient.
    pub to: String,
    /// The `Message-ID`, in its angle brackets.
    pub message_id: String,
    /// The whole message, with CRLF line ends.
    pub bytes: Vec<u8>,
}

/// A message from which attachments were left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lighter {
    /// The whole message.
    pub bytes: Vec<u8>,
    /// How many attachments it still has, apart from the note.
    pub kept: usize,
}

/// A message cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// An address is malformed.
    #[error("the {role} `{address}` is not a valid e-mail address: {reason}")]
    Address {
        /// `sender` or `recipient`.
        role: &'static str,
        /// The text, shortened.
        address: String,
        /// Why it is malformed.
        reason: String,
    },
    /// The MIME type of an attachment is malformed.
    #[error("the attachment {file_name} has an invalid MIME type: `{content_type}`")]
    ContentType {
        /// The attachment's name.
        file_name: String,
        /// The MIME type.
        content_type: String,
    },
    /// The mail library refused the message.
    #[error("the message cannot be built: {0}")]
    Build(#[from] lettre::error::Error),
}

/// The `Message-ID` of a message, in its angle brackets.
///
/// # Errors
/// [`MessageError`] if an address is malformed.
pub fn message_id(from: &str, to: &str, id: &str, kind: &str) -> Result<String, MessageError> {
    let (from, to) = (mailbox("sender", from)?, mailbox("recipient", to)?);
    Ok(format!("<{}@{}>", identity(&to, id, kind), ascii_domain(from.email.domain())))
}

fn identity(to: &Mailbox, id: &str, kind: &str) -> String {
    digest(&["message", id, &to.email.to_string().to_lowercase(), kind])
}

/// Builds the message.
///
/// # Errors
/// [`MessageError`]
pub fn assemble(content: &Content, addressing: &Addressing<'_>) -> Result<Email, MessageError> {
    let from = mailbox("sender", addressing.from)?;
    let to = mailbox("recipient", addressing.to)?;
    let domain = ascii_domain(from.email.domain());
    let identity = identity(&to, addressing.id, addressing.kind);
    let message_id = format!("<{identity}@{domain}>");
    let (envelope_from, envelope_to) = (from.email.to_string(), to.email.to_string());

    let mut builder = Message::builder()
        .from(from)
        .to(to)
        .date(SystemTime::from(addressing.date))
        .message_id(Some(message_id.clone()))
        .subject(one_line(&content.subject, MAX_SUBJECT))
        .raw_header(header("Auto-Submitted", "auto-generated".to_owned()))
        .raw_header(header("X-Auto-Response-Suppress", "All".to_owned()));
    if let Some((job, workspace)) = addressing.thread {
        // No message has this id. Clients thread messages that name the same ancestor.
        let root = format!("<thread-{}@{domain}>", digest(&["thread", job, workspace]));
        let list = format!("<{}.{}.rolecall.{domain}>", label(job), label(workspace));
        builder = builder.in_reply_to(root.clone()).references(root).raw_header(header("List-Id", list));
    }
    let message = builder.multipart(body(content, &identity)?)?;
    Ok(Email { from: envelope_from, to: envelope_to, message_id, bytes: message.formatted() })
}

fn mailbox(role: &'static str, text: &str) -> Result<Mailbox, MessageError> {
    let error = |reason: String| MessageError::Address { role, address: one_line(text, 100), reason };
    if text.chars().any(char::is_control) {
        return Err(error("it contains a control character".to_owned()));
    }
    let mailbox: Mailbox = text.parse().map_err(|reason: lettre::address::AddressError| error(reason.to_string()))?;
    let (local, domain) = (mailbox.email.user(), mailbox.email.domain());
    if local.contains('"') || domain.starts_with('[') {
        return Err(error("quoted names and address literals are not supported".to_owned()));
    }
    if domain.is_ascii() {
        return Ok(mailbox);
    }
    // As in the DNS: not every server takes anything else.
    let email = Address::new(local, ascii_domain(domain)).map_err(|reason| error(reason.to_string()))?;
    Ok(Mailbox { email, ..mailbox })
}

/// A header with a fixed name. lettre folds the value and encodes what a header may not hold.
fn header(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value)
}

/// The parts. `=_` occurs in neither quoted-printable nor base64 text (RFC 2045, 6.7), and every part is one of these, so
/// no part can contain a boundary.
fn body(content: &Content, identity: &str) -> Result<MultiPart, MessageError> {
    let alternative = MultiPart::alternative()
        .boundary(format!("=_alternative_{identity}"))
        .singlepart(text_part(ContentType::TEXT_PLAIN, &content.text))
        .singlepart(text_part(ContentType::TEXT_HTML, &content.html));
    if content.attachments.is_empty() {
        return Ok(alternative);
    }
    let mixed = MultiPart::mixed().boundary(format!("=_mixed_{identity}")).multipart(alternative);
    content.attachments.iter().try_fold(mixed, |mixed, attachment| {
        let file_name = one_line(&attachment.file_name, MAX_FILE_NAME).replace(['/', '\\', '"'], "_");
        let content_type = ContentType::parse(&attachment.content_type).map_err(|_| MessageError::ContentType {
            file_name: file_name.clone(),
            content_type: one_line(&attachment.content_type, 100),
        })?;
        Ok(mixed.singlepart(Part::new(file_name).body(base64(attachment.bytes.clone()), content_type)))
    })
}

fn text_part(content_type: ContentType, text: &str) -> SinglePart {
    let encoding = ContentTransferEncoding::QuotedPrintable;
    let body = Body::new_with_encoding(text.to_owned(), encoding).unwrap_or_else(base64);
    SinglePart::builder().header(content_type).body(body)
}

fn base64(bytes: Vec<u8>) -> Body {
    // Any bytes can be written as base64, so the fallback, which chooses an encoding itself, is never needed.
    Body::new_with_encoding(bytes, ContentTransferEncoding::Base64).unwrap_or_else(Body::new)
}

/// A message of ours with a note in place of its largest attachments, for a server that refuses it for its size. The smallest
/// files stay, as many as the server takes at most; none if there is no such `limit`, or if even the rest does not fit. `None`
/// if it has no attachments. Everything else stays, the `Message-ID` too.
pub fn lighter(message: &[u8], reason: &str, limit: Option<usize>) -> Option<Lighter> {
    // Our messages are ASCII, and no part of them can contain the boundary: see `body`.
    let text = std::str::from_utf8(message).ok()?;
    let at = text.find("--=_mixed_")?;
    let boundary = text[at..].lines().next()?;
    let mut parts = text.split(boundary);
    let (head, report) = (parts.next()?, parts.next()?);
    let files: Vec<&str> = parts.filter(|part| !part.starts_with("--")).collect();
    let mut by_size: Vec<usize> = (0..files.len()).collect();
    by_size.sort_by_key(|file| files[*file].len());
    let most = if limit.is_some() { files.len().saturating_sub(1) } else { 0 };
    for count in (0..=most).rev() {
        let (mut kept, mut names) = (String::new(), Vec::new());
        for (place, file) in files.iter().enumerate() {
            if by_size[..count].contains(&place) {
                kept.push_str(boundary);
                kept.push_str(file);
            } else {
                names.push(file_name(file));
            }
        }
        let note = format!(
            "These files are not attached, because the message was too large for the mail server\n({}):\n\n{}\n\n\
             They are with the evidence of this audit. `attach` in the job's `email` chooses what is attached.\n",
            one_line(reason, MAX_REASON),
            names.join("\n")
        );
        let part = Part::new("not-attached.txt".to_owned()).body(base64(note.into_bytes()), ContentType::TEXT_PLAIN);
        let part = String::from_utf8(part.formatted()).ok()?;
        let bytes = format!("{head}{boundary}{report}{kept}{boundary}\r\n{part}\r\n{boundary}--\r\n").into_bytes();
        if count == 0 || limit.is_some_and(|limit| bytes.len() <= limit) {
            return Some(Lighter { bytes, kept: count });
        }
    }
    None
}

/// The name of the file that a part attaches.
fn file_name(part: &str) -> String {
    let name = part.split("filename=\"").nth(1).and_then(|rest| rest.split('"').next());
    name.unwrap_or("a file").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::testing::{addressed, at, parse};

    fn content(subject: &str) -> Content {
        let attachment = Attachment {
            file_name: "access-matrix.csv".to_owned(),
            content_type: "text/csv".to_owned(),
            bytes: b"workspace,user_id\r\nacme,1\r\n".to_vec(),
        };
        let (text, html) = ("Grüße\nFrom here\n".to_owned(), "<p>Grüße</p>\n".to_owned());
        Content { subject: subject.to_owned(), text, html, attachments: vec![attachment] }
    }

    fn addressing<'a>(to: &'a str, thread: Option<(&'a str, &'a str)>) -> Addressing<'a> {
        let from = "rolecall <audit@example.com>";
        Addressing { from, to, date: at("2026-03-02T08:00:04Z"), id: "42", kind: "report", thread }
    }

    fn build(to: &str) -> Email {
        assemble(&content("A subject"), &addressing(to, Some(("weekly", "acme")))).unwrap()
    }

    #[test]
    fn all_headers_and_parts_can_be_read_back() {
        let email = build("Security <security@example.com>");
        assert_eq!((email.from.as_str(), email.to.as_str()), ("audit@example.com", "security@example.com"));
        let parsed = parse(&email.bytes);
        let (from, to) = addressed(&parsed);
        assert_eq!((from.as_str(), to.as_str()), ("rolecall <audit@example.com>", "Security <security@example.com>"));
        let expected = [
            ("Date", "Mon, 02 Mar 2026 08:00:04 +0000"),
            ("Subject", "A subject"),
            ("Message-ID", email.message_id.as_str()),
            ("Auto-Submitted", "auto-generated"),
            ("X-Auto-Response-Suppress", "All"),
            ("List-Id", "<weekly.acme.rolecall.example.com>"),
            ("MIME-Version", "1.0"),
        ];
        for (name, value) in expected {
            assert_eq!(parsed.header(name), Some(value), "{name}");
        }
        assert_eq!(parsed.header("In-Reply-To"), parsed.header("References"));
        let parts: Vec<_> = parsed.parts.iter().map(|(kind, body)| (kind.as_str(), body.trim_end())).collect();
        let csv = "workspace,user_id\r\nacme,1";
        assert_eq!(parts, [("text/plain", "Grüße\r\nFrom here"), ("text/html", "<p>Grüße</p>"), ("text/csv", csv)]);
        assert!(email.bytes.is_ascii(), "some servers cannot take more");
    }

    #[test]
    fn the_same_message_has_the_same_bytes_and_each_recipient_and_kind_an_id_of_its_own() {
        assert_eq!(build("a@example.com"), build("a@example.com"));
        assert_eq!(build("a@example.com").message_id, build("Ana <A@example.com>").message_id);
        assert_ne!(build("a@example.com").message_id, build("b@example.com").message_id);
        let mut other = addressing("a@example.com", None);
        other.kind = "reminder";
        assert_ne!(assemble(&content(""), &other).unwrap().message_id, build("a@example.com").message_id);
    }

    #[test]
    fn the_audits_of_one_job_and_workspace_are_one_thread_and_others_are_not() {
        let thread = |id, job, workspace| {
            let addressing = Addressing { id, ..addressing("a@example.com", Some((job, workspace))) };
            let email = assemble(&content("x"), &addressing).unwrap();
            parse(&email.bytes).header("References").unwrap().to_owned()
        };
        assert_eq!(thread("1", "weekly", "acme"), thread("2", "weekly", "acme"));
        assert_ne!(thread("1", "weekly", "acme"), thread("1", "weekly", "other"));
        assert_ne!(thread("1", "daily", "acme"), thread("1", "weekly", "acme"));
    }

    #[test]
    fn nothing_from_outside_becomes_a_header() {
        let evil = "x\r\nBcc: evil@example.com\r\n\r\n<b>body</b>\n\u{2028}Bcc: evil@example.com\r";
        let mut content = content(evil);
        content.attachments[0].file_name = format!("{evil}\".csv");
        let addressing = addressing("a@example.com", Some((evil, evil)));
        let email = assemble(&content, &addressing).unwrap();
        let parsed = parse(&email.bytes);
        assert_eq!(parsed.header("Bcc"), None);
        assert!(parsed.header("Subject").unwrap().starts_with("x Bcc: evil@example.com <b>body</b>"));
        assert_eq!(parsed.parts.len(), 3, "the body began early");
        let text = String::from_utf8(email.bytes).unwrap();
        assert!(text.lines().all(|line| !line.starts_with("Bcc")), "{text}");
        assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "a line ends oddly");
        for hostile in ["a@example.com\r\nBcc: b@example.com", "a@example.com, b@example.com", "nobody", ""] {
            let addressing = Addressing { to: hostile, ..addressing };
            let error = assemble(&content, &addressing).unwrap_err().to_string();
            assert!(error.starts_with("the recipient `") && !error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn subjects_beyond_ascii_and_beyond_a_line_are_encoded_and_come_back() {
        let subject = format!("[rolecall] größe: −1 administrator – {}", "日本語 ".repeat(20).trim_end());
        let email = assemble(&content(&subject), &addressing("a@example.com", None)).unwrap();
        assert!(email.bytes.is_ascii());
        let text = String::from_utf8(email.bytes.clone()).unwrap();
        assert!(text.lines().all(|line| line.len() <= 998), "a line is too long");
        assert_eq!(parse(&email.bytes).header("Subject"), Some(subject.as_str()));
    }

    #[test]
    fn a_domain_is_written_as_in_the_dns_and_odd_addresses_are_refused() {
        let email = build("Ana <ana@b\u{fc}cher.example>");
        assert_eq!(email.to, "ana@xn--bcher-kva.example");
        assert!(email.bytes.is_ascii());
        for odd in ["\"a b\"@example.com", "a@[192.0.2.1]"] {
            let error = assemble(&content(""), &addressing(odd, None)).unwrap_err().to_string();
            assert!(error.starts_with("the recipient `"), "{error}");
        }
    }

    #[test]
    fn an_invalid_mime_type_is_reported_with_its_file() {
        let mut content = content("x");
        content.attachments[0].content_type = "nonsense".to_owned();
        let error = assemble(&content, &addressing("a@example.com", None)).unwrap_err().to_string();
        assert_eq!(error, "the attachment access-matrix.csv has an invalid MIME type: `nonsense`");
    }

    #[test]
    fn without_its_attachments_a_message_says_which_and_is_otherwise_the_same() {
        let email = build("security@example.com");
        let reason = "the server accepts messages of at most 100 bytes";
        let lighter = lighter(&email.bytes, reason, None).unwrap().bytes;
        let (before, after) = (parse(&email.bytes), parse(&lighter));
        for name in ["Message-ID", "Subject", "Date", "To", "List-Id"] {
            assert_eq!(before.header(name), after.header(name), "{name}");
        }
        assert_eq!(before.parts[..2], after.parts[..2]);
        assert_eq!(after.parts.len(), 3);
        let note = &after.parts[2].1;
        assert!(note.contains("access-matrix.csv") && note.contains(reason), "{note}");
        assert!(!note.contains("workspace,user_id"));
        let bare = Content { attachments: Vec::new(), ..content("A subject") };
        let bare = assemble(&bare, &addressing("a@example.com", None)).unwrap();
        assert_eq!(super::lighter(&bare.bytes, reason, None), None);
    }

    #[test]
    fn the_smallest_files_that_fit_stay() {
        let file = |name: &str, length| Attachment {
            file_name: name.to_owned(),
            content_type: "text/csv".to_owned(),
            bytes: vec![b'x'; length],
        };
        let attachments = vec![file("a.csv", 9_000), file("b.csv", 300), file("c.csv", 20_000), file("d.csv", 100)];
        let content = Content { attachments, ..content("A subject") };
        let email = assemble(&content, &addressing("a@example.com", None)).unwrap();
        let of = |limit| {
            let lighter = lighter(&email.bytes, "too large", limit).unwrap();
            assert!(limit.is_none_or(|limit| lighter.kept == 0 || lighter.bytes.len() <= limit));
            let parsed = parse(&lighter.bytes);
            assert_eq!(parsed.parts.len(), 3 + lighter.kept, "the report, what is kept, and the note");
            let note = parsed.parts.last().unwrap().1.clone();
            ["a.csv", "b.csv", "c.csv", "d.csv"].map(|name| !note.contains(name))
        };
        assert_eq!(of(Some(20_000)), [true, true, false, true]);
        assert_eq!(of(Some(4_000)), [false, true, false, true]);
        assert_eq!(of(Some(100)), [false; 4]);
        assert_eq!(of(None), [false; 4]);
        // Even if the limit was not the reason, something is left out.
        assert_eq!(of(Some(usize::MAX)), [true, true, false, true]);
    }
}
