//! A PostgreSQL server of this test process: Debian's package, in a folder of its own, not as root. It ends with the process,
//! however that ends.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    os::unix::process::CommandExt as _,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::OnceLock,
};

/// The role that owns everything.
pub(crate) const USER: &str = "postgres";
/// Its password, with characters that an address would have to escape.
pub(crate) const PASSWORD: &str = "p@ss/w:rd? #1";

/// Makes a folder, starts a server in it, says where it is, and stops it when the other end of the pipe is closed. Answers
/// `stop` and `start` in between. $1 is the folder of the programs, $2 the port.
const SCRIPT: &str = r#"
set -eu
cd /tmp
umask 077
folder=$(mktemp -d /tmp/rolecall-postgres-XXXXXX)
trap 'rm -rf "$folder"' EXIT
printf %s "$TEST_PASSWORD" >"$folder/password"
"$1/initdb" -D "$folder/data" -A scram-sha-256 -U postgres --pwfile="$folder/password" --locale=C.UTF-8 -E UTF8 --no-sync >"$folder/log" 2>&1 ||
  { cat "$folder/log" >&2; exit 1; }
printf %s "$TEST_CERTIFICATE" >"$folder/data/server.crt"
printf %s "$TEST_KEY" >"$folder/data/server.key"
cat >>"$folder/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
port = $2
unix_socket_directories = '$folder'
fsync = off
full_page_writes = off
max_connections = 300
shared_buffers = 64MB
ssl = on
CONF
start() { "$1/pg_ctl" -D "$folder/data" -w -t 60 -l "$folder/log" start >/dev/null 2>&1; }
if ! start "$1"; then cat "$folder/log" >&2; exit 1; fi
trap '"$1/pg_ctl" -D "$folder/data" -m immediate stop >/dev/null 2>&1; rm -rf "$folder"' EXIT
echo "$folder"
while read -r command; do
  case "$command" in
    stop) "$1/pg_ctl" -D "$folder/data" -m fast -w stop >/dev/null 2>&1 || true ;;
    kill) "$1/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1 || true ;;
    start) start "$1" || true ;;
  esac
  echo "$command"
done
"#;

/// A server.
#[allow(dead_code, reason = "of the two test programs that use it, one does not use all of it")]
pub(crate) struct PostgresServer {
    pub(crate) port: u16,
    /// The folder of its Unix socket.
    pub(crate) folder: String,
    /// The certificate that it shows, for `localhost`; it is its own authority.
    pub(crate) certificate: String,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _child: Child,
}

impl PostgresServer {
    /// Starts a server.
    pub(crate) fn start() -> Self {
        let programs = programs();
        let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (certificate, key) = (key.cert.pem(), key.signing_key.serialize_pem());
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut command = if rustix::process::geteuid().is_root() {
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--", "sh"]);
                command
            } else {
                Command::new("sh")
            };
            let mut child = command
                .args(["-c", SCRIPT, "sh", &programs, &port.to_string()])
                .env("TEST_PASSWORD", PASSWORD)
                .env("TEST_CERTIFICATE", &certificate)
                .env("TEST_KEY", &key)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                // A signal for the tests must not end it before it has cleaned up.
                .process_group(0)
                .spawn()
                .unwrap();
            let (input, mut output) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
            let mut folder = String::new();
            output.read_line(&mut folder).unwrap();
            if !folder.is_empty() {
                let folder = folder.trim().to_owned();
                return Self { port, folder, certificate, input, output, _child: child };
            }
            // Another process has taken the port.
            child.wait().unwrap();
        }
        panic!("PostgreSQL did not start; its log is above");
    }

    /// Stops the server as for maintenance, kills it, or starts it again, and waits until that is done.
    pub(crate) fn tell(&mut self, command: &str) {
        use std::io::Write as _;
        writeln!(self.input, "{command}").unwrap();
        let mut answer = String::new();
        self.output.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim(), command);
    }
}

/// The server that all tests of this process share, each with a database of its own.
pub(crate) fn server() -> &'static PostgresServer {
    static SERVER: OnceLock<PostgresServer> = OnceLock::new();
    SERVER.get_or_init(PostgresServer::start)
}

/// The folder of the newest installed version.
fn programs() -> String {
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<_> =
        installed.map(|version| version.path().join("bin")).filter(|bin| bin.join("initdb").exists()).collect();
    folders.sort();
    let newest =
        folders.pop().expect("PostgreSQL is not installed: tests/run installs it (apt-get install postgresql)");
    newest.to_str().unwrap().to_owned()
}
