//! Networks in which a proxy is the only way out, and machines without CA certificates.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    process::{Child, ChildStdout, Command, Stdio},
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::{
    support::{Bench, options, printed, recompute},
    tools::{script, tool},
};

/// The host of the workspace, which only the proxy can reach.
const HOST: &str = "accounts.example.com";

/// A proxy between the binary and the simulated workspace.
struct Proxy {
    child: Child,
    lines: BufReader<ChildStdout>,
    port: u16,
}

impl Proxy {
    /// Starts it with a certificate for [`HOST`], whose authority is `authority.pem`; it asks for a user and a password.
    fn start(bench: &Bench, login: Option<&str>) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        fs::write(bench.path("authority.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        let authority = Issuer::new(params, key);
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([HOST.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        fs::write(bench.path("proxy.pem"), certificate.pem()).unwrap();
        fs::write(bench.path("proxy.key"), key.serialize_pem()).unwrap();
        let server = bench.simulator.base_url().rsplit(':').next().unwrap().trim_end_matches('/').to_owned();
        let mut child = Command::new(tool("python"))
            .arg(script("proxy.py"))
            .args([bench.path("proxy.pem"), bench.path("proxy.key")])
            .arg(server)
            .args(login)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap_or_else(|_| panic!("the proxy says {line:?}"));
        Self { child, lines, port }
    }

    /// Ends it; the requests that were made of it.
    fn stop(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.lines.lines().map(Result::unwrap).collect()
    }
}

/// A configuration of a workspace at [`HOST`].
fn far_away() -> Bench {
    let bench = Bench::new(options(20));
    let here = format!("accounts_url = \"{}\"", bench.simulator.base_url());
    bench.reconfigure(&here, &format!("accounts_url = \"https://{HOST}\"\napi_url = \"https://{HOST}\""));
    bench
}

/// What a command says behind a proxy, with its exit code.
fn behind(bench: &Bench, proxy: &str, arguments: &[&str]) -> (i32, String) {
    let mut command = bench.rolecall(arguments);
    command.env("HTTPS_PROXY", proxy).env("HTTP_PROXY", proxy).env("SSL_CERT_FILE", bench.path("authority.pem"));
    let output = command.output().unwrap();
    let (stdout, stderr) = printed(&output);
    (output.status.code().unwrap(), stdout + &stderr)
}

#[test]
fn a_workspace_is_read_through_a_proxy_that_wants_a_password() {
    let bench = far_away();
    let proxy = Proxy::start(&bench, Some("rolecall:pass-word"));
    let (code, said) = behind(&bench, &format!("http://rolecall:pass-word@127.0.0.1:{}", proxy.port), &["audit"]);
    assert!(code == 0 && said.contains("active users can administer acme"), "{said}");
    let asked = proxy.stop();
    assert!(!asked.is_empty(), "nothing went through the proxy");
    for line in asked {
        assert_eq!(line, format!("CONNECT {HOST}:443 HTTP/1.1"));
    }
}

#[test]
fn a_proxy_that_refuses_or_is_dead_is_named_without_its_password() {
    let bench = far_away();
    let proxy = Proxy::start(&bench, Some("rolecall:pass-word"));
    let place = format!("127.0.0.1:{}", proxy.port);
    let (code, said) = behind(&bench, &format!("http://rolecall:wrong-word@{place}"), &["me"]);
    let named = format!("no connection through the proxy {place} (HTTPS_PROXY)");
    assert!(code != 0 && said.contains(&named) && !said.contains("wrong-word"), "{said}");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, said) = behind(&bench, &format!("http://rolecall:pass-word@{free}"), &["me"]);
    let named = format!("no connection through the proxy {free} (HTTPS_PROXY)");
    assert!(code != 0 && said.contains(&named) && !said.contains("pass-word"), "{said}");
    assert!(said.contains("Check the proxy, and the variables HTTPS_PROXY"), "{said}");
    assert!(!said.contains("accounts_url") && !said.contains("data_center"), "{said}");
    proxy.stop();
}

#[test]
fn this_machine_is_called_directly_and_a_recomputation_calls_nobody() {
    let bench = Bench::new(options(20));
    bench.configure("[evidence]\ndirectory = \"bags\"\n");
    let proxy = Proxy::start(&bench, None);
    let address = format!("http://127.0.0.1:{}", proxy.port);
    let (code, said) = behind(&bench, &address, &["audit"]);
    assert_eq!(code, 0, "{said}");
    let bag = fs::read_dir(bench.path("bags")).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.is_dir());
    let bag = bag.unwrap();
    let (code, said) = behind(&bench, &address, &["evidence", "recompute", bag.to_str().unwrap()]);
    assert_eq!(code, 0, "{said}");
    assert_eq!(recompute(&bag).0, 0);
    assert_eq!(proxy.stop(), Vec::<String>::new());
}

#[test]
fn a_machine_without_ca_certificates_is_told_which_package_has_them() {
    let bench = far_away();
    bench.reconfigure("security = \"none\"", "security = \"tls\"");
    fs::write(bench.path("none.pem"), "").unwrap();
    fs::create_dir(bench.path("none")).unwrap();
    for arguments in [&["me"][..], &["audit"], &["mail", "test", "--to", "security@example.com"]] {
        let mut command = bench.rolecall(arguments);
        command.env("SSL_CERT_FILE", bench.path("none.pem")).env("SSL_CERT_DIR", bench.path("none"));
        let output = command.output().unwrap();
        let (stdout, stderr) = printed(&output);
        let said = stdout + &stderr;
        assert!(!output.status.success() && said.contains("install the package `ca-certificates`"), "{said}");
    }
}
