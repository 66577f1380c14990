//! A timestamp authority on this machine, made of `openssl ts`: an honest one, and one that lies or fails.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tempfile::TempDir;

/// How an authority answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Honest,
    /// Signs another digest.
    OtherImprint,
    /// Repeats another nonce.
    OtherNonce,
    /// Its certificate has expired.
    Expired,
    /// Another root signed its certificate.
    Untrusted,
    /// Its certificate is for code.
    WrongUsage,
    /// Its clock is years behind.
    Stale,
    /// Changes the time after it signed.
    Forged,
    /// Leaves its certificate out.
    NoCertificate,
    /// Refuses, with HTTP 200.
    Refuses,
    /// Answers with more than any answer has.
    Oversized,
    /// Answers with something else.
    Nonsense,
    /// Sends to another address.
    Redirects,
    /// Answers HTTP 503.
    Unavailable,
    /// Never answers.
    Stalls,
}

pub(crate) struct Authority {
    folder: Arc<TempDir>,
    address: SocketAddr,
    manner: Arc<Mutex<Manner>>,
    asked: Arc<AtomicUsize>,
}

/// Runs `openssl` in a folder.
pub(crate) fn openssl(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), said)
}

fn must(folder: &Path, arguments: &[&str]) {
    let (done, said) = openssl(folder, arguments);
    assert!(done, "openssl {arguments:?}: {said}");
}

/// A root certificate and its key.
fn root(folder: &Path, name: &str) {
    let (key, pem, subject) = (format!("{name}.key"), format!("{name}.pem"), format!("/CN=Root {name}"));
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    let files = ["-keyout", &key, "-out", &pem, "-days", "3650", "-subj", &subject];
    let usage = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"];
    must(folder, &[&["req", "-x509"][..], &curve, &files, &usage].concat());
}

/// A certificate that a root signs.
fn leaf(folder: &Path, name: &str, kind: &[&str], root: &str, days: &str, purpose: &str) {
    let file = |ending: &str| format!("{name}.{ending}");
    let (key, request, pem, extensions) = (file("key"), file("csr"), file("pem"), file("ext"));
    let subject = format!("/CN=Authority {name}");
    let files = ["-nodes", "-keyout", &key, "-out", &request, "-subj", &subject];
    must(folder, &[&["req", "-newkey"][..], kind, &files].concat());
    let usage =
        format!("basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=critical,{purpose}\n");
    fs::write(folder.join(&extensions), usage).unwrap();
    let (ca, ca_key) = (format!("{root}.pem"), format!("{root}.key"));
    let signed = ["x509", "-req", "-in", &request, "-CA", &ca, "-CAkey", &ca_key, "-CAcreateserial"];
    must(folder, &[&signed[..], &["-days", days, "-out", &pem, "-extfile", &extensions]].concat());
}

/// Signs the certificate of `leaf` anew, for a year that is over.
fn expire(folder: &Path) {
    let config = "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ncertificate=ca.pem\nprivate_key=ca.key\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n";
    fs::write(folder.join("ca.cnf"), config).unwrap();
    fs::write(folder.join("index.txt"), "").unwrap();
    let year = ["-startdate", "20200101000000Z", "-enddate", "20210101000000Z"];
    let files = ["-in", "expired.csr", "-out", "expired.pem", "-extfile", "expired.ext", "-notext"];
    must(folder, &[&["ca", "-batch", "-config", "ca.cnf"][..], &year, &files].concat());
}

impl Authority {
    pub(crate) fn start() -> Self {
        Self::with_keys(&["rsa:2048"])
    }

    /// One whose keys are made with these arguments of `openssl req -newkey`.
    pub(crate) fn with_keys(kind: &[&str]) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let path = folder.path();
        root(path, "ca");
        root(path, "stranger");
        leaf(path, "tsa", kind, "ca", "3650", "timeStamping");
        leaf(path, "expired", kind, "ca", "1", "timeStamping");
        expire(path);
        leaf(path, "unknown", kind, "stranger", "3650", "timeStamping");
        leaf(path, "code", kind, "ca", "3650", "codeSigning");
        for name in ["tsa", "expired", "unknown"] {
            let section = format!(
                "[tsa]\ndefault_tsa=t\n[t]\nserial=./serial\ncrypto_device=builtin\nsigner_cert={name}.pem\nsigner_key={name}.key\nsigner_digest=sha256\ndefault_policy=1.2.3.4.1\ndigests=sha256\naccuracy=secs:1\nordering=yes\ntsa_name=yes\ness_cert_id_chain=no\ness_cert_id_alg=sha256\n"
            );
            fs::write(path.join(format!("{name}.cnf")), section).unwrap();
        }
        fs::write(path.join("serial"), "01\n").unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let authority = Self {
            address: listener.local_addr().unwrap(),
            manner: Arc::new(Mutex::new(Manner::Honest)),
            asked: Arc::default(),
            folder,
        };
        let (folder, manner, asked) =
            (Arc::clone(&authority.folder), Arc::clone(&authority.manner), Arc::clone(&authority.asked));
        thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let Some(query) = body(&mut stream) else { continue };
                asked.fetch_add(1, Ordering::Relaxed);
                let manner = *manner.lock().unwrap();
                match manner {
                    Manner::Stalls => held.push(stream),
                    Manner::Redirects => respond(&mut stream, "302 Found\r\nLocation: http://127.0.0.1:9/", b""),
                    Manner::Unavailable => respond(&mut stream, "503 Service Unavailable", b""),
                    manner => respond(&mut stream, "200 OK", &answer(folder.path(), manner, &query)),
                }
            }
        });
        authority
    }

    pub(crate) fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/tsr", self.address)
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// The certificate to trust.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The certificate of somebody else.
    pub(crate) fn stranger(&self) -> PathBuf {
        self.folder.path().join("stranger.pem")
    }

    /// An honest answer to a query.
    pub(crate) fn answer(&self, query: &[u8]) -> Vec<u8> {
        answer(self.folder.path(), Manner::Honest, query)
    }
}

/// The body of a request.
fn body(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).to_lowercase();
    assert!(head.contains("content-type: application/timestamp-query"), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?.trim().parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(body)
}

fn respond(stream: &mut TcpStream, status: &str, body: &[u8]) {
    let kind = "Content-Type: application/timestamp-reply\r\nConnection: close";
    let head = format!("HTTP/1.1 {status}\r\n{kind}\r\nContent-Length: {}\r\n\r\n", body.len());
    // A client that has read enough hangs up.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

fn answer(folder: &Path, manner: Manner, query: &[u8]) -> Vec<u8> {
    let work = tempfile::tempdir_in(folder).unwrap();
    let path = |name: &str| work.path().join(name).to_str().unwrap().to_owned();
    let (asked, answered) = (path("q.tsq"), path("r.tsr"));
    fs::write(&asked, query).unwrap();
    let reply = |config: &str| {
        openssl(folder, &["ts", "-reply", "-config", config, "-queryfile", &asked, "-out", &answered]);
        fs::read(&answered).unwrap()
    };
    let ask = |arguments: &[&str]| {
        must(folder, &[&["ts", "-query", "-out", &asked][..], arguments].concat());
    };
    match manner {
        Manner::OtherImprint => ask(&["-data", "ca.pem", "-sha256", "-cert"]),
        // It makes a nonce of its own.
        Manner::OtherNonce => ask(&["-digest", &imprint(query), "-sha256", "-cert"]),
        Manner::Refuses => ask(&["-data", "ca.pem", "-sha384", "-cert"]),
        Manner::NoCertificate => {
            // The last field of the request is whether it wants the certificate.
            let mut query = query.to_vec();
            assert_eq!(query.split_off(query.len() - 3), [1, 1, 0xff]);
            query[1] -= 3;
            fs::write(&asked, query).unwrap();
        }
        _ => {}
    }
    match manner {
        Manner::Oversized => vec![0x30; 70_000],
        Manner::Nonsense => b"<html>Please sign in</html>".to_vec(),
        Manner::Expired => reply("expired.cnf"),
        Manner::Untrusted => reply("unknown.cnf"),
        Manner::Forged => {
            let mut answer = reply("tsa.cnf");
            let at = answer.windows(4).position(|bytes| bytes == [0x18, 0x0f, b'2', b'0']).unwrap();
            // The last digit of the seconds.
            answer[at + 15] ^= 1;
            answer
        }
        Manner::WrongUsage => signed_again(folder, work.path(), &reply("tsa.cnf"), "code", false),
        Manner::Stale => signed_again(folder, work.path(), &reply("tsa.cnf"), "tsa", true),
        _ => reply("tsa.cnf"),
    }
}

/// The SHA-256 in a query, as hexadecimal digits.
pub(crate) fn imprint(query: &[u8]) -> String {
    let at = query.windows(2).position(|bytes| bytes == [4, 32]).unwrap() + 2;
    query[at..at + 32].iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"))
}

/// The same content signed by another certificate, and perhaps with a time of years ago.
fn signed_again(folder: &Path, work: &Path, answer: &[u8], signer: &str, is_stale: bool) -> Vec<u8> {
    let path = |name: &str| work.join(name).to_str().unwrap().to_owned();
    let (reply, token, content, again) = (path("r.tsr"), path("t.der"), path("c.der"), path("s.der"));
    fs::write(&reply, answer).unwrap();
    must(folder, &["ts", "-reply", "-in", &reply, "-token_out", "-out", &token]);
    must(folder, &["cms", "-verify", "-noverify", "-binary", "-in", &token, "-inform", "DER", "-out", &content]);
    if is_stale {
        let mut bytes = fs::read(&content).unwrap();
        let at = bytes.windows(4).position(|bytes| bytes == [0x18, 0x0f, b'2', b'0']).unwrap();
        bytes[at + 2..at + 6].copy_from_slice(b"2019");
        fs::write(&content, bytes).unwrap();
    }
    let (pem, key) = (format!("{signer}.pem"), format!("{signer}.key"));
    let kind = ["-econtent_type", "1.2.840.113549.1.9.16.1.4", "-outform", "DER", "-md", "sha256", "-cades"];
    let files = ["-in", &content, "-signer", &pem, "-inkey", &key, "-out", &again];
    must(folder, &[&["cms", "-sign", "-binary", "-nodetach", "-nosmimecap"][..], &kind, &files].concat());
    let token = fs::read(&again).unwrap();
    let status = [0x30, 3, 2, 1, 0];
    let length = u16::try_from(status.len() + token.len()).unwrap().to_be_bytes();
    [&[0x30, 0x82, length[0], length[1]], &status[..], &token].concat()
}
