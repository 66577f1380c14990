//! One server for all tests of a process. It ends with the process, whose end closes its input.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

pub(super) struct Server {
    port: u16,
    talk: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    buckets: AtomicUsize,
    _child: Child,
}

/// The server, which is started first.
pub(super) fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let home = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = home.join("target/test-tools/bin/python");
        assert!(python.exists(), "{} is missing: tests/run installs it", python.display());
        let mut child = Command::new(python)
            .arg(home.join("tests/integration/python/object_store.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, mut output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut port = String::new();
        output.read_line(&mut port).unwrap();
        Server {
            port: port.trim().parse().unwrap(),
            talk: Mutex::new((input, output)),
            buckets: AtomicUsize::new(0),
            _child: child,
        }
    })
}

impl Server {
    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn command(&self, command: &str) -> String {
        let mut talk = self.talk.lock().unwrap();
        writeln!(talk.0, "{command}").unwrap();
        let mut answer = String::new();
        talk.1.read_line(&mut answer).unwrap();
        answer.trim().to_owned()
    }

    /// A new bucket, made by a command: `bucket`, or `lock` with Object Lock and a default retention.
    pub(super) fn bucket(&self, command: &str) -> String {
        let name = format!("bucket-{}", self.buckets.fetch_add(1, Ordering::SeqCst));
        assert_eq!(self.command(&format!("{command} {name}")), "ok");
        name
    }
}
