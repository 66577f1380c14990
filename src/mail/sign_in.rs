//! A one-time link to sign in with, for somebody who asked for it. It is sent at once and kept nowhere.

use askama::Template;
use chrono::{DateTime, Utc};
use url::Url;

use super::{
    message::{Addressing, Content, Email, assemble},
    notice::NoticeError,
};

struct View<'a> {
    to: &'a str,
    link: &'a Url,
    /// The name of the console's machine.
    host: &'a str,
    minutes: i64,
}

#[derive(Template)]
#[template(path = "mail/sign-in/body.html")]
struct Html<'a> {
    view: &'a View<'a>,
}

#[derive(Template)]
#[template(path = "mail/sign-in/body.txt")]
struct Text<'a> {
    view: &'a View<'a>,
}

/// The message with a link that works for some minutes. `id` distinguishes it from others to the same person.
///
/// # Errors
/// [`NoticeError`]
pub fn sign_in_mail(
    from: &str,
    to: &str,
    link: &Url,
    minutes: i64,
    date: DateTime<Utc>,
    id: &str,
) -> Result<Email, NoticeError> {
    let view = View { to, link, host: link.host_str().unwrap_or_default(), minutes };
    let content = Content {
        subject: "[rolecall] Your sign-in link".to_owned(),
        text: Text { view: &view }.render()?,
        html: Html { view: &view }.render()?,
        attachments: Vec::new(),
    };
    Ok(assemble(&content, &Addressing { from, to, date, id, kind: "sign-in", thread: None })?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::testing::parse;

    #[test]
    fn the_message_has_the_link_in_both_parts_and_no_two_are_the_same_message() {
        let link: Url = format!("https://rolecall.example.com/link/{}", "0123456789abcdef".repeat(4)).parse().unwrap();
        let mail = |id: &str| {
            sign_in_mail("rolecall <audit@example.com>", "ana@example.com", &link, 10, DateTime::UNIX_EPOCH, id)
                .unwrap()
        };
        let read = parse(&mail("1").bytes);
        assert_eq!(read.header("Subject"), Some("[rolecall] Your sign-in link"));
        assert_ne!(mail("1").message_id, mail("2").message_id);
        let text = String::from_utf8(mail("1").bytes).unwrap().replace("=\r\n", "");
        assert_eq!(text.matches(link.path()).count(), 2, "{text}");
        assert!(text.contains("within 10 minutes"), "{text}");
    }
}
