//! One connection of a mail client: commands, envelope, data (RFC 5321).

use std::io;

use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream},
    net::TcpStream,
};

use super::{Inbox, InboxFault, Login, Message};

/// The longest line that is read; RFC 5321 asks for 1000, and clients are not always that careful.
const MAX_LINE: u64 = 64 * 1024;

/// Recipients of one message, as RFC 5321 wants at least.
const MAX_RECIPIENTS: usize = 1_000;

/// What a client said or did since it connected.
#[derive(Debug, Default)]
struct Session {
    authenticated: bool,
    from: Option<String>,
    to: Vec<String>,
}

/// What happens after a command was answered.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Reply(&'static str),
    Goodbye,
    Receive,
    /// The connection is kept, in silence.
    Stall,
    Drop,
}

/// Serves one connection until either side ends it.
pub(super) async fn run(stream: TcpStream, inbox: &Inbox) {
    let mut stream = BufStream::new(stream);
    // A broken connection is the client's problem: there is no one to report it to.
    let _ = converse(&mut stream, inbox).await;
}

async fn converse<S>(stream: &mut S, inbox: &Inbox) -> io::Result<()>
where
    S: AsyncBufRead + AsyncWrite + Unpin,
{
    let fault = inbox.fault();
    let mut session = Session::default();
    reply(stream, "220 simulated.example.com ESMTP").await?;
    while let Some(line) = read_line(stream).await? {
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        let next = match verb.to_ascii_uppercase().as_str() {
            "EHLO" => {
                session.reset();
                let size = inbox.shared.max_message_size;
                let greeting = format!(
                    "250-simulated.example.com\r\n250-SIZE {size}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN LOGIN"
                );
                reply(stream, &greeting).await?;
                continue;
            }
            "AUTH" => {
                let accepted = authenticate(stream, argument, inbox.shared.login.as_ref()).await?;
                session.authentication(accepted, fault)
            }
            verb => session.command(verb, argument, inbox, fault),
        };
        let next = if next == Next::Receive {
            reply(stream, "354 End data with <CR><LF>.<CR><LF>").await?;
            let Some(data) = receive(stream, inbox.shared.max_message_size).await? else {
                return Ok(());
            };
            session.accept(data, inbox, fault)
        } else {
            next
        };
        match next {
            Next::Reply(text) => reply(stream, text).await?,
            Next::Goodbye => return reply(stream, "221 2.0.0 Bye").await,
            Next::Stall => return wait_for_end(stream).await,
            Next::Drop | Next::Receive => return Ok(()),
        }
    }
    Ok(())
}

impl Session {
    /// Forgets the envelope; who the client is remains known.
    fn reset(&mut self) {
        self.from = None;
        self.to.clear();
    }

    /// What follows a command that needs no answer of the client.
    fn command(&mut self, verb: &str, argument: &str, inbox: &Inbox, fault: Option<InboxFault>) -> Next {
        match verb {
            "HELO" => {
                self.reset();
                Next::Reply("250 simulated.example.com")
            }
            "MAIL" => self.mail(argument, inbox, fault),
            "RCPT" => self.recipient(argument, fault),
            "DATA" if self.to.is_empty() => Next::Reply("503 5.5.1 Need RCPT first"),
            "DATA" => Next::Receive,
            "RSET" => {
                self.reset();
                Next::Reply("250 2.0.0 OK")
            }
            "NOOP" => Next::Reply("250 2.0.0 OK"),
            "VRFY" => Next::Reply("252 2.1.5 Cannot verify"),
            "QUIT" => Next::Goodbye,
            _ => Next::Reply("502 5.5.2 Command not recognized"),
        }
    }

    fn authentication(&mut self, accepted: bool, fault: Option<InboxFault>) -> Next {
        self.authenticated = accepted && fault != Some(InboxFault::AuthenticationRefused);
        Next::Reply(if self.authenticated {
            "235 2.7.0 Authentication successful"
        } else {
            "535 5.7.8 Authentication credentials invalid"
        })
    }

    fn mail(&mut self, argument: &str, inbox: &Inbox, fault: Option<InboxFault>) -> Next {
        if inbox.shared.login.is_some() && !self.authenticated {
            return Next::Reply("530 5.7.0 Authentication required");
        }
        if fault == Some(InboxFault::SenderRefused) {
            return Next::Reply("550 5.7.1 Sender refused");
        }
        let Some(address) = path_of(argument, "FROM:") else {
            return Next::Reply("501 5.5.4 Syntax: MAIL FROM:<address>");
        };
        if declared_size(argument).is_some_and(|size| size > inbox.shared.max_message_size) {
            return Next::Reply(TOO_LARGE);
        }
        self.reset();
        self.from = Some(address);
        Next::Reply("250 2.1.0 OK")
    }

    fn recipient(&mut self, argument: &str, fault: Option<InboxFault>) -> Next {
        if self.from.is_none() {
            return Next::Reply("503 5.5.1 Need MAIL first");
        }
        match fault {
            Some(InboxFault::RecipientDeferred) => return Next::Reply("450 4.2.1 Mailbox busy"),
            Some(InboxFault::RecipientRefused) => return Next::Reply(NO_SUCH_MAILBOX),
            Some(InboxFault::LaterRecipientsRefused) if !self.to.is_empty() => {
                return Next::Reply(NO_SUCH_MAILBOX);
            }
            _ => {}
        }
        if self.to.len() >= MAX_RECIPIENTS {
            return Next::Reply("452 4.5.3 Too many recipients");
        }
        let Some(address) = path_of(argument, "TO:").filter(|address| !address.is_empty()) else {
            return Next::Reply("501 5.5.4 Syntax: RCPT TO:<address>");
        };
        self.to.push(address);
        Next::Reply("250 2.1.5 OK")
    }

    fn accept(&mut self, data: Data, inbox: &Inbox, fault: Option<InboxFault>) -> Next {
        let from = self.from.take().unwrap_or_default();
        let to = std::mem::take(&mut self.to);
        let Data::Complete(bytes) = data else {
            return Next::Reply(TOO_LARGE);
        };
        if fault == Some(InboxFault::DataRefused) {
            return Next::Reply("554 5.6.0 Message refused");
        }
        let next = match fault {
            Some(InboxFault::StallAfterData) => Next::Stall,
            Some(InboxFault::DropAfterData) => Next::Drop,
            _ => Next::Reply("250 2.0.0 Accepted"),
        };
        let acknowledged = matches!(next, Next::Reply(_));
        inbox.keep(Message { from, to, bytes, acknowledged });
        next
    }
}

const TOO_LARGE: &str = "552 5.3.4 Message too large";
const NO_SUCH_MAILBOX: &str = "550 5.1.1 No such mailbox";

/// The message as received.
enum Data {
    Complete(Vec<u8>),
    TooLarge,
}

/// Reads the message up to the lone dot and takes the stuffed dots out. `None` when the client hung
/// up before.
async fn receive<S: AsyncBufRead + Unpin>(stream: &mut S, max: usize) -> io::Result<Option<Data>> {
    let mut bytes = Vec::new();
    let mut size = 0;
    let mut line_begins = true;
    loop {
        let Some(piece) = read_line(stream).await? else {
            return Ok(None);
        };
        if line_begins && matches!(piece.as_slice(), b".\r\n" | b".\n") {
            return Ok(Some(if size > max { Data::TooLarge } else { Data::Complete(bytes) }));
        }
        let text = if line_begins && piece.starts_with(b".") { &piece[1..] } else { &piece[..] };
        line_begins = piece.ends_with(b"\n");
        size += text.len();
        if size <= max {
            bytes.extend_from_slice(text);
        }
    }
}

/// Checks `AUTH PLAIN` and `AUTH LOGIN`. If no login was configured, any is accepted.
async fn authenticate<S>(stream: &mut S, argument: &str, login: Option<&Login>) -> io::Result<bool>
where
    S: AsyncBufRead + AsyncWrite + Unpin,
{
    let (mechanism, initial) = argument.split_once(' ').unwrap_or((argument, ""));
    let (given, expected) = match mechanism.to_ascii_uppercase().as_str() {
        "PLAIN" => {
            let given = if initial.is_empty() { ask(stream, "334 ").await? } else { initial.to_owned() };
            let expected = |login: &Login| format!("\0{}\0{}", login.username, login.password);
            (vec![given], login.map(|login| vec![expected(login)]))
        }
        "LOGIN" => {
            // "Username:" and "Password:" in base64.
            let username = if initial.is_empty() { ask(stream, "334 VXNlcm5hbWU6").await? } else { initial.to_owned() };
            let password = ask(stream, "334 UGFzc3dvcmQ6").await?;
            (vec![username, password], login.map(|login| vec![login.username.clone(), login.password.clone()]))
        }
        _ => return Ok(false),
    };
    Ok(expected.is_none_or(|expected| expected.iter().map(|part| base64(part.as_bytes())).eq(given)))
}

async fn ask<S>(stream: &mut S, prompt: &str) -> io::Result<String>
where
    S: AsyncBufRead + AsyncWrite + Unpin,
{
    reply(stream, prompt).await?;
    let line = read_line(stream).await?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// The address in `FROM:<address> …`; empty for the null sender.
fn path_of(argument: &str, keyword: &str) -> Option<String> {
    let (found, rest) = argument.split_at_checked(keyword.len())?;
    if !found.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let (address, _) = rest.trim_start().strip_prefix('<')?.split_once('>')?;
    Some(address.to_owned())
}

/// The value of `SIZE=…` in the parameters of `MAIL`.
fn declared_size(argument: &str) -> Option<usize> {
    argument.split(' ').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.eq_ignore_ascii_case("SIZE").then(|| value.parse().ok()).flatten()
    })
}

/// A line with its end, or as much of it as [`MAX_LINE`]; `None` at the end of the connection.
async fn read_line<S: AsyncBufRead + Unpin>(stream: &mut S) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let read = stream.take(MAX_LINE).read_until(b'\n', &mut line).await?;
    Ok((read > 0).then_some(line))
}

async fn reply<S: AsyncWrite + Unpin>(stream: &mut S, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes()).await?;
    stream.write_all(b"\r\n").await?;
    stream.flush().await
}

async fn wait_for_end<S: AsyncBufRead + Unpin>(stream: &mut S) -> io::Result<()> {
    while read_line(stream).await?.is_some() {}
    Ok(())
}

/// Base64 with padding (RFC 4648), for the few bytes of a login.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, place| bits << 8 | u32::from(chunk.get(place).copied().unwrap_or(0)));
        for place in 0..4 {
            let digit = (bits >> (18 - 6 * place)) as usize & 0x3F;
            out.push(if place > chunk.len() { '=' } else { char::from(ALPHABET[digit]) });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_matches_the_examples_of_its_standard() {
        let examples = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (plain, encoded) in examples {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    #[tokio::test]
    async fn stuffed_dots_are_taken_out_and_nothing_else() {
        let mut stream = &b"a\r\n..b\r\n.c\r\nd.\r\n.\r\nQUIT\r\n"[..];
        let Some(Data::Complete(bytes)) = receive(&mut stream, 100).await.unwrap() else { panic!("not received") };
        assert_eq!(bytes, b"a\r\n.b\r\nc\r\nd.\r\n");
        assert_eq!(stream, b"QUIT\r\n");
    }

    #[test]
    fn an_address_is_read_with_and_without_parameters() {
        assert_eq!(path_of("FROM:<a@example.com> SIZE=12", "FROM:"), Some("a@example.com".to_owned()));
        assert_eq!(path_of("from: <>", "FROM:"), Some(String::new()));
        assert_eq!(path_of("FROM:a@example.com", "FROM:"), None);
        assert_eq!(declared_size("FROM:<a@example.com> size=12"), Some(12));
    }
}
