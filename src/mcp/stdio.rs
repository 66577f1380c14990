//! Standard input and output, line by line, with an answer to each line that is not a message.

use std::sync::Arc;

use tokio::{
    io::{
        AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader, DuplexStream,
        duplex,
    },
    sync::Mutex,
    task::JoinHandle,
};

use super::frame;

/// The longest message, in bytes.
const LONGEST: u64 = 1 << 20;
/// Bytes between the protocol and this process's streams.
const BUFFER: usize = 64 << 10;

/// The streams that the protocol reads and writes.
pub(super) struct Stdio {
    pub(super) reads: DuplexStream,
    pub(super) writes: DuplexStream,
    /// Ends when everything that was written has left.
    pub(super) written: JoinHandle<()>,
}

/// Connects the protocol with an input and an output.
pub(super) fn connect(
    input: impl AsyncBufRead + Send + Unpin + 'static,
    output: impl AsyncWrite + Send + Unpin + 'static,
) -> Stdio {
    let (to_server, reads) = duplex(BUFFER);
    let (writes, from_server) = duplex(BUFFER);
    let output = Arc::new(Mutex::new(output));
    let refusals = Arc::clone(&output);
    tokio::spawn(pass_in(input, to_server, refusals));
    let written = tokio::spawn(async move {
        let mut lines = BufReader::new(from_server);
        let mut line = Vec::new();
        while matches!(lines.read_until(b'\n', &mut line).await, Ok(1..)) {
            put(&output, &line).await;
            line.clear();
        }
    });
    Stdio { reads, writes, written }
}

/// Passes on what is a message, and answers the rest, until the input ends.
async fn pass_in<W: AsyncWrite + Unpin>(
    mut input: impl AsyncBufRead + Unpin,
    mut server: DuplexStream,
    output: Arc<Mutex<W>>,
) {
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut input).take(LONGEST).read_until(b'\n', &mut line).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => return,
        }
        if line.len() as u64 == LONGEST && !line.ends_with(b"\n") {
            put(&output, format!("{}\n", frame::too_long(LONGEST)).as_bytes()).await;
            // What follows in the line is not a message either.
            if skip_line(&mut input).await.is_err() {
                return;
            }
            continue;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        match frame::read(&line) {
            Ok(_) => {
                if !line.ends_with(b"\n") {
                    line.push(b'\n');
                }
                if server.write_all(&line).await.is_err() {
                    return;
                }
            }
            Err(refusal) => put(&output, format!("{refusal}\n").as_bytes()).await,
        }
    }
}

/// Reads to the end of a line without keeping it.
async fn skip_line(input: &mut (impl AsyncBufRead + Unpin)) -> std::io::Result<()> {
    loop {
        let bytes = input.fill_buf().await?;
        let (end, length) = (bytes.iter().position(|byte| *byte == b'\n'), bytes.len());
        input.consume(end.map_or(length, |end| end + 1));
        if end.is_some() || length == 0 {
            return Ok(());
        }
    }
}

/// Writes a whole line. If the client has left, its end of the input says so too.
async fn put<W: AsyncWrite + Unpin>(output: &Mutex<W>, line: &[u8]) {
    let mut output = output.lock().await;
    if output.write_all(line).await.is_ok() {
        let _ = output.flush().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_not_a_message_is_answered_and_the_rest_passed_on() {
        let (ping, next) =
            (r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#);
        let long = "a".repeat(usize::try_from(LONGEST).unwrap());
        let input = format!("{ping}\n\nhello\n{long}{ping}\n{next}\n{{\"half\": ").into_bytes();
        let (ours, theirs) = duplex(1 << 16);
        let Stdio { mut reads, mut writes, written } = connect(BufReader::new(std::io::Cursor::new(input)), theirs);
        let mut passed = String::new();
        reads.read_to_string(&mut passed).await.unwrap();
        assert_eq!(passed, format!("{ping}\n{next}\n"));
        writes.write_all(b"{\"result\":1}\n").await.unwrap();
        drop(writes);
        written.await.unwrap();
        let mut said = String::new();
        let mut ours = ours;
        ours.read_to_string(&mut said).await.unwrap();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!((lines.len(), said.matches("-32700").count()), (4, 2), "{said}");
        assert!(lines[1].contains("-32600") && lines[1].contains("longer than 1048576 bytes"), "{said}");
        assert_eq!(lines[3], "{\"result\":1}");
    }
}
