//! What an object store's refusal means, in a sentence without anything secret.

use std::io;

use object_store::Error;

/// The longest reason, in characters.
const LONGEST: usize = 300;

/// The kind of an error that says something about an object; `None` if the store cannot be used.
pub(super) fn kind(error: &Error) -> Option<io::ErrorKind> {
    match error {
        Error::NotFound { .. } if !why(error).contains("NoSuchBucket") => Some(io::ErrorKind::NotFound),
        Error::AlreadyExists { .. } => Some(io::ErrorKind::AlreadyExists),
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => Some(io::ErrorKind::PermissionDenied),
        Error::InvalidPath { .. } => Some(io::ErrorKind::InvalidInput),
        _ => None,
    }
}

/// The reason. Of an answer only the code and the message are taken: with a wrong signature S3 sends back what was signed,
/// and the session token is in it.
pub(super) fn why(error: &Error) -> String {
    let text = error.to_string();
    let between = |from: &str, to: &str| text.split_once(from)?.1.split_once(to).map(|(inside, _)| inside.trim());
    let reason = match (between("<Code>", "</Code>"), between("<Message>", "</Message>")) {
        (Some(code), Some(message)) if !message.is_empty() => format!("{code}: {message}"),
        (Some(code), _) => code.to_owned(),
        (None, _) => root(error),
    };
    let reason: String = reason.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    reason.trim_end_matches('.').to_owned()
}

/// The first cause. The ones in between repeat it and name addresses.
fn root(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_answer_only_code_and_message_are_shown() {
        let body = "403: <Error><Code>SignatureDoesNotMatch</Code><Message>The signature does not match.</Message>\
                    <CanonicalRequest>x-amz-security-token:SECRET</CanonicalRequest></Error>";
        let error = Error::PermissionDenied { path: "a".into(), source: body.into() };
        assert_eq!(why(&error), "SignatureDoesNotMatch: The signature does not match");
        assert_eq!(kind(&error), Some(io::ErrorKind::PermissionDenied));
        let bucket = "404: <Error><Code>NoSuchBucket</Code><Message>The bucket does not exist</Message></Error>";
        let error = Error::NotFound { path: "a".into(), source: bucket.into() };
        assert_eq!(kind(&error), None, "nothing can be stored there");
    }
}
