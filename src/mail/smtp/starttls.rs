//! The unencrypted dialogue up to `STARTTLS` (RFC 3207): greeting, `EHLO`, `STARTTLS`, and nothing after it.

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

use super::error::{Broken, Stage};

/// The longest line of an answer, in bytes; RFC 5321 has 512.
const MAX_LINE: u64 = 4_096;
/// The most lines of an answer.
const MAX_LINES: usize = 100;

/// Takes a new connection to where the TLS handshake begins. Calls `greeted` once the server has greeted.
pub(super) async fn negotiate(stream: TcpStream, hello: &str, greeted: impl FnOnce()) -> Result<TcpStream, Broken> {
    let mut stream = BufReader::new(stream);
    expect(&mut stream, Stage::Connect, 220).await?;
    say(&mut stream, Stage::Connect, &format!("EHLO {hello}")).await?;
    let extensions = expect(&mut stream, Stage::Connect, 250).await?;
    greeted();
    let offered =
        extensions.iter().any(|line| line.split(' ').next().is_some_and(|w| w.eq_ignore_ascii_case("STARTTLS")));
    if !offered {
        let text = "the server does not offer STARTTLS, but `security` requires it; nothing was sent unencrypted";
        return Err(Broken::refused(Stage::Tls, text));
    }
    say(&mut stream, Stage::Tls, "STARTTLS").await?;
    expect(&mut stream, Stage::Tls, 220).await?;
    if !stream.buffer().is_empty() {
        let text = "the server sent unencrypted data after it agreed to STARTTLS; the connection may be intercepted";
        return Err(Broken::refused(Stage::Tls, text));
    }
    Ok(stream.into_inner())
}

async fn say(stream: &mut BufReader<TcpStream>, stage: Stage, line: &str) -> Result<(), Broken> {
    let sent = async {
        stream.write_all(format!("{line}\r\n").as_bytes()).await?;
        stream.flush().await
    };
    sent.await.map_err(|error| Broken::io(stage, &error))
}

/// Reads an answer of one or more lines; the texts after the code.
async fn expect(stream: &mut BufReader<TcpStream>, stage: Stage, code: u16) -> Result<Vec<String>, Broken> {
    let mut texts = Vec::new();
    loop {
        let mut line = Vec::new();
        let read =
            stream.take(MAX_LINE).read_until(b'\n', &mut line).await.map_err(|error| Broken::io(stage, &error))?;
        if read == 0 {
            return Err(Broken::closed(stage));
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end();
        let (Some(digits), rest) = (line.get(..3), line.get(3..).unwrap_or("")) else {
            return Err(Broken::gibberish(stage, line));
        };
        let Ok(given) = digits.parse::<u16>() else { return Err(Broken::gibberish(stage, line)) };
        texts.push(rest.get(1..).unwrap_or("").to_owned());
        if rest.starts_with('-') && texts.len() < MAX_LINES {
            continue;
        }
        return if given == code { Ok(texts) } else { Err(Broken::answered(stage, given, &texts.join(" "))) };
    }
}
