use std::{future::Future, net::SocketAddr, sync::Arc};

use chrono::DateTime;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufStream},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::mail::{
    message::{Addressing, Content, assemble},
    testing::settings_for,
};
use rolecall_simulator::{InboxFault, Login, Options, Simulator};

fn email(from: &str) -> Email {
    email_to(from, "security@example.com")
}

fn email_to(from: &str, to: &str) -> Email {
    let content = Content {
        subject: "Access review".to_owned(),
        text: ".a line that begins with a dot\n".to_owned(),
        html: "<p>ü</p>".to_owned(),
        attachments: Vec::new(),
    };
    let date = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let addressing = Addressing { from, to, date, id: "1", kind: "test", thread: Some(("j", "w")) };
    assemble(&content, &addressing).unwrap()
}

fn simulator(login: Option<(&str, &str)>) -> Simulator {
    let smtp_login = login.map(|(username, password)| Login { username: username.into(), password: password.into() });
    Simulator::start(Options { users: 1, smtp_login, ..Options::default() }).unwrap()
}

async fn failure_of(settings: SmtpSettings) -> SendError {
    SmtpMailer::new(settings).send(&email("audit@example.com")).await.unwrap_err()
}

fn settings_at(address: SocketAddr, security: Security) -> SmtpSettings {
    SmtpSettings {
        host: "localhost".to_owned(),
        port: address.port(),
        security,
        helo_name: None,
        username: None,
        password: None,
        timeout: Duration::from_secs(20),
        extra_roots: None,
    }
}

/// A server that answers its one connection as `script` does.
async fn server<F, R>(script: F) -> SocketAddr
where
    F: FnOnce(TcpStream) -> R + Send + 'static,
    R: Future<Output = ()> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        script(stream).await;
    });
    address
}

#[tokio::test]
async fn an_accepted_message_arrives_byte_for_byte() {
    let simulator = simulator(None);
    let email = email("rolecall <audit@example.com>");
    let accepted = SmtpMailer::new(settings_for(simulator.inbox())).send(&email).await.unwrap();
    assert_eq!(accepted.answer, "250 2.0.0 Accepted");
    let message = &simulator.inbox().wait_for(1).await[0];
    assert_eq!(
        (message.from.as_str(), message.to.as_slice()),
        ("audit@example.com", &["security@example.com".into()][..])
    );
    let sent = String::from_utf8(message.bytes.clone()).unwrap();
    assert_eq!(sent.trim_end(), String::from_utf8(email.bytes).unwrap().trim_end());
}

#[tokio::test]
async fn each_refusal_names_its_stage_its_code_and_whether_to_try_again() {
    use Failure::{Permanent, Transient, Unknown};
    let simulator = simulator(None);
    let expected = [
        (InboxFault::AuthenticationRefused, Stage::Authentication, Permanent, Some(535)),
        (InboxFault::SenderRefused, Stage::Sender, Permanent, Some(550)),
        (InboxFault::RecipientRefused, Stage::Recipient, Permanent, Some(550)),
        (InboxFault::RecipientDeferred, Stage::Recipient, Transient, Some(450)),
        (InboxFault::DataRefused, Stage::Data, Permanent, Some(554)),
        (InboxFault::DropAfterData, Stage::Data, Unknown, None),
    ];
    for (fault, stage, failure, code) in expected {
        simulator.inbox().set_fault(Some(fault));
        let mut settings = settings_for(simulator.inbox());
        settings.username = Some("rolecall".to_owned());
        settings.password = Some("not so secret".into());
        if fault != InboxFault::AuthenticationRefused {
            settings.username = None;
        }
        let error = failure_of(settings).await;
        assert_eq!((error.stage, error.failure, error.code), (stage, failure, code), "{fault}: {error}");
        assert!(error.to_string().contains(stage.advice()), "{error}");
    }
}

#[tokio::test]
async fn silence_after_the_message_ends_with_the_timeout_and_an_unknown_result() {
    let simulator = simulator(None);
    simulator.inbox().set_fault(Some(InboxFault::StallAfterData));
    let mut settings = settings_for(simulator.inbox());
    settings.timeout = Duration::from_millis(700);
    let error = failure_of(settings).await;
    assert_eq!((error.stage, error.failure), (Stage::Data, Failure::Unknown), "{error}");
    assert!(error.answer.contains("did not finish within 0.7 s"), "{error}");
}

#[tokio::test]
async fn silence_before_the_message_is_a_failure_of_its_stage_that_may_pass() {
    let address = server(|mut stream| async move {
        let mut nothing = Vec::new();
        let _ = stream.read_to_end(&mut nothing).await;
    });
    let address = address.await;
    for security in [Security::None, Security::StartTls] {
        let mut settings = settings_at(address, security);
        settings.host = "127.0.0.1".to_owned();
        settings.timeout = Duration::from_millis(300);
        let error = failure_of(settings).await;
        assert_eq!((error.stage, error.failure), (Stage::Connect, Failure::Transient), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_breaks_off_after_it_accepted_has_accepted() {
    let address = server(|stream| async move {
        let mut stream = BufStream::new(stream);
        converse(&mut stream, "250-x.example.com\r\n250 8BITMIME", false).await;
    });
    let mailer = SmtpMailer::new(settings_at(address.await, Security::None));
    assert_eq!(mailer.send(&email("audit@example.com")).await.unwrap().answer, "250 taken as 42");
}

#[tokio::test]
async fn a_login_is_used_and_a_wrong_password_is_not_revealed() {
    let simulator = simulator(Some(("rolecall", "invented password")));
    let mut settings = settings_for(simulator.inbox());
    settings.username = Some("rolecall".to_owned());
    let error = failure_of(settings.clone()).await;
    assert!(error.answer.contains("`password` is not"), "{error}");
    settings.password = Some("wrong password".into());
    let error = failure_of(settings.clone()).await;
    assert_eq!((error.stage, error.code), (Stage::Authentication, Some(535)));
    let told = format!("{error} {error:?} {settings:?}");
    assert!(!told.contains("wrong password"), "{told}");
    settings.password = Some("invented password".into());
    SmtpMailer::new(settings).send(&email("audit@example.com")).await.unwrap();
}

#[tokio::test]
async fn a_name_that_does_not_exist_fails_at_resolving_and_a_closed_port_at_connecting() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut settings = settings_at(closed, Security::StartTls);
    let error = failure_of(settings.clone()).await;
    assert_eq!((error.stage, error.failure), (Stage::Connect, Failure::Transient), "{error}");
    settings.host = "no host has blanks".to_owned();
    assert_eq!(failure_of(settings).await.stage, Stage::Resolve);
}

#[tokio::test]
async fn starttls_that_is_not_offered_fails_and_nothing_is_sent_in_the_clear() {
    let simulator = simulator(Some(("rolecall", "invented password")));
    let mut settings = settings_for(simulator.inbox());
    settings.security = Security::StartTls;
    settings.username = Some("rolecall".to_owned());
    settings.password = Some("invented password".into());
    let error = failure_of(settings).await;
    assert_eq!((error.stage, error.failure), (Stage::Tls, Failure::Permanent), "{error}");
    assert!(error.answer.contains("does not offer STARTTLS"), "{error}");
    assert_eq!(simulator.inbox().messages(), []);
}

#[tokio::test]
async fn what_comes_unencrypted_after_starttls_is_not_taken_for_encrypted() {
    let address = server(|stream| async move {
        let mut stream = BufStream::new(stream);
        say(&mut stream, "220 x.example.com").await;
        hear(&mut stream).await;
        say(&mut stream, "250-x.example.com\r\n250 STARTTLS").await;
        hear(&mut stream).await;
        say(&mut stream, "220 go\r\n250-x.example.com\r\n250 AUTH PLAIN").await;
        hear(&mut stream).await;
    });
    let error = failure_of(settings_at(address.await, Security::StartTls)).await;
    assert_eq!(error.stage, Stage::Tls);
    assert!(error.answer.contains("may be intercepted"), "{error}");
}

#[tokio::test]
async fn tls_on_a_port_that_speaks_in_the_clear_fails_at_tls() {
    let simulator = simulator(None);
    let mut settings = settings_for(simulator.inbox());
    settings.security = Security::Tls;
    let error = failure_of(settings).await;
    assert_eq!((error.stage, error.failure), (Stage::Tls, Failure::Permanent), "{error}");
}

#[tokio::test]
async fn messages_go_encrypted_where_the_authority_is_trusted() {
    for security in [Security::Tls, Security::StartTls] {
        let (acceptor, authority) = certified("localhost");
        let mut settings = settings_at(tls_server(acceptor, security).await, security);
        settings.extra_roots = Some(authority.into_bytes());
        let results = SmtpMailer::new(settings).send_by_stages(&email("audit@example.com")).await;
        let passed = |result: &StageResult| matches!(result.outcome, StageOutcome::Passed(_));
        assert!(results.iter().all(passed), "{security:?}: {results:#?}");
    }
}

#[tokio::test]
async fn an_unknown_authority_and_another_name_fail_at_tls_for_good() {
    for security in [Security::Tls, Security::StartTls] {
        let (acceptor, _) = certified("localhost");
        let error = failure_of(settings_at(tls_server(acceptor, security).await, security)).await;
        assert_eq!((error.stage, error.failure), (Stage::Tls, Failure::Permanent), "{error}");

        let (acceptor, authority) = certified("mail.example.com");
        let mut settings = settings_at(tls_server(acceptor, security).await, security);
        settings.extra_roots = Some(authority.into_bytes());
        let error = failure_of(settings).await;
        assert_eq!((error.stage, error.failure), (Stage::Tls, Failure::Permanent), "{error}");
        assert!(error.answer.contains("mail.example.com"), "{error}");
    }
}

#[tokio::test]
async fn an_authority_file_without_a_certificate_is_reported() {
    let (acceptor, _) = certified("localhost");
    let mut settings = settings_at(tls_server(acceptor, Security::Tls).await, Security::Tls);
    settings.extra_roots = Some(b"nothing".to_vec());
    let error = failure_of(settings).await;
    assert!(error.stage == Stage::Tls && error.answer.contains("no certificate in PEM format"), "{error}");
}

/// A certificate for `name`, and the authority that made it, as PEM.
fn certified(name: &str) -> (TlsAcceptor, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    (acceptor(certificate.der().clone(), &key), authority.pem())
}

/// Accepts TLS with a certificate.
fn acceptor(certificate: rustls::pki_types::CertificateDer<'static>, key: &KeyPair) -> TlsAcceptor {
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    let provider = crate::tls::provider();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn tls_server(acceptor: TlsAcceptor, security: Security) -> SocketAddr {
    server(move |stream| async move {
        let mut stream = BufStream::new(stream);
        if security == Security::StartTls {
            say(&mut stream, "220 x.example.com").await;
            hear(&mut stream).await;
            say(&mut stream, "250-x.example.com\r\n250 STARTTLS").await;
            hear(&mut stream).await;
            say(&mut stream, "220 go").await;
        }
        // A client that does not trust the certificate hangs up here.
        let Ok(stream) = acceptor.accept(stream.into_inner()).await else { return };
        let greeted = security == Security::StartTls;
        converse(&mut BufStream::new(stream), "250-x.example.com\r\n250 8BITMIME", greeted).await;
    })
    .await
}

/// Takes one message and hangs up without waiting for `QUIT`.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufStream<S>, extensions: &str, greeted: bool) {
    if !greeted {
        say(stream, "220 x.example.com").await;
    }
    for answer in [extensions, "250 sender", "250 recipient", "354 go on"] {
        hear(stream).await;
        say(stream, answer).await;
    }
    while hear(stream).await != ".\r\n" {}
    say(stream, "250 taken as 42").await;
}

async fn say<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufStream<S>, line: &str) {
    stream.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
    stream.flush().await.unwrap();
}

async fn hear<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufStream<S>) -> String {
    let mut line = String::new();
    let read = stream.read_line(&mut line).await.unwrap_or(0);
    if read == 0 { ".\r\n".to_owned() } else { line }
}

/// The lines that a server heard.
type Heard = Arc<std::sync::Mutex<Vec<String>>>;

/// A server that answers the lines of one connection with these in turn, takes a message, and answers it with a code alone.
async fn told(extensions: &'static str, answers: &'static [&'static str]) -> (SocketAddr, Heard) {
    let heard = Heard::default();
    let kept = Arc::clone(&heard);
    let address = server(move |stream| async move {
        let mut stream = BufStream::new(stream);
        say(&mut stream, "220 x.example.com").await;
        for answer in [extensions].iter().chain(answers) {
            let line = hear(&mut stream).await;
            kept.lock().unwrap().push(line);
            say(&mut stream, answer).await;
        }
        // Otherwise it hangs up.
        if answers.last().is_some_and(|answer| answer.starts_with("354")) {
            while hear(&mut stream).await != ".\r\n" {}
            say(&mut stream, "250").await;
        }
    });
    (address.await, heard)
}

async fn sent_to(address: SocketAddr, login: bool) -> Result<Accepted, SendError> {
    let mut settings = settings_at(address, Security::None);
    if login {
        settings.username = Some("rolecall".to_owned());
        settings.password = Some("invented password".into());
    }
    SmtpMailer::new(settings).send(&email("audit@example.com")).await
}

#[tokio::test]
async fn a_reply_may_be_a_code_alone_and_the_size_is_announced() {
    let (address, heard) = told("250-x.example.com\r\n250 size 100000", &["250", "250", "354"]).await;
    assert_eq!(sent_to(address, false).await.unwrap().answer, "250");
    let (bare, _) = told("250", &["2500", "250\tok", "354"]).await;
    sent_to(bare, false).await.unwrap();
    let mail = heard.lock().unwrap()[1].clone();
    assert!(mail.starts_with("MAIL FROM:<audit@example.com> SIZE="), "{mail}");
}

#[tokio::test]
async fn a_message_that_the_server_does_not_take_is_not_sent() {
    let (address, heard) = told("250-x.example.com\r\n250 SIZE 100", &[]).await;
    let error = sent_to(address, false).await.unwrap_err();
    assert!(error.answer.contains("at most 100 bytes") && error.to_string().contains("attach less"), "{error}");
    assert_eq!(error.failure, Failure::Permanent);
    assert!(heard.lock().unwrap().iter().all(|line| !line.starts_with("MAIL")));
}

#[tokio::test]
async fn a_refusal_is_not_lost_by_a_server_that_never_answers_quit() {
    let address = server(|stream| async move {
        let mut stream = BufStream::new(stream);
        say(&mut stream, "220 x.example.com").await;
        for answer in ["250 x.example.com", "250 sender", "550 no such mailbox"] {
            hear(&mut stream).await;
            say(&mut stream, answer).await;
        }
        std::future::pending::<()>().await;
    });
    let error = sent_to(address.await, false).await.unwrap_err();
    assert!(error.stage == Stage::Recipient && error.answer.contains("no such mailbox"), "{error}");
}

#[tokio::test]
async fn a_login_works_as_the_server_offers_it_or_says_what_is_offered() {
    let (address, heard) = told(
        "250-x.example.com\r\n250 auth plain login",
        &["504 not PLAIN", "334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 in", "250", "250", "354"],
    )
    .await;
    sent_to(address, true).await.unwrap();
    let heard = heard.lock().unwrap().clone();
    assert!(heard[1].starts_with("AUTH PLAIN") && heard[2].starts_with("AUTH LOGIN"), "{heard:?}");
    for refused in [&["500 what", "535 no"][..], &["501 what", "535 no"], &["534 what", "535 no"]] {
        let (address, heard) = told("250-x.example.com\r\n250 AUTH=LOGIN PLAIN", refused).await;
        assert_eq!(sent_to(address, true).await.unwrap_err().code, Some(535));
        assert!(heard.lock().unwrap()[2].starts_with("AUTH LOGIN"), "{refused:?}");
    }
    for (extensions, answers, words, advice) in [
        (
            "250-x.example.com\r\n250 AUTH XOAUTH2 CRAM-MD5",
            &[][..],
            "offers only XOAUTH2, CRAM-MD5; rolecall can log in with PLAIN or LOGIN",
            "allow a login with a password (PLAIN or LOGIN)",
        ),
        ("250 x.example.com", &[], "offers no login on this connection", "use the submission port"),
        ("250-x.example.com\r\n250 AUTH PLAIN", &["504 no such mechanism"], "504", "allow a login with a password"),
        (
            "250-x.example.com\r\n250 AUTH PLAIN",
            &["534 app password required"],
            "534",
            "check `username` and `password`",
        ),
    ] {
        let (address, _) = told(extensions, answers).await;
        let error = sent_to(address, true).await.unwrap_err();
        assert!(error.stage == Stage::Authentication && error.answer.contains(words), "{error}");
        assert!(error.advice().starts_with(advice) && error.to_string().contains(advice), "{error}");
    }
}

#[tokio::test]
async fn an_address_that_the_server_does_not_take_is_named_at_its_stage() {
    for (extensions, lacking) in [("8BITMIME", "SMTPUTF8"), ("SMTPUTF8", "8BITMIME")] {
        for (from, to, stage) in [
            ("s\u{e9}c@example.com", "b@example.com", Stage::Sender),
            ("b@example.com", "s\u{e9}c@example.com", Stage::Recipient),
        ] {
            let hello: &'static str = format!("250-x.example.com\r\n250 {extensions}").leak();
            let (address, _) = told(hello, &["250 ok"]).await;
            let mailer = SmtpMailer::new(settings_at(address, Security::None));
            let error = mailer.send(&email_to(from, to)).await.unwrap_err();
            assert_eq!((error.stage, error.failure), (stage, Failure::Permanent), "{error}");
            let told = error.answer.contains("s\u{e9}c@example.com") && error.answer.ends_with(lacking);
            assert!(told, "{error}");
        }
    }
}

#[tokio::test]
async fn what_to_do_fits_the_reply() {
    for (extensions, answers, words) in [
        ("504 no full name", &[][..], "`helo_name`"),
        ("250 x.example.com", &["530 log in first"], "set `username` and `password`"),
        ("250 x.example.com", &["552 too large"], "attach less"),
        ("250 x.example.com", &["250 ok", "550 nobody"], "security@example.com: 550 nobody"),
        ("250 x.example.com", &["250 ok", "504 5.5.2 <x>: Helo command rejected: need name"], "`helo_name`"),
        ("250 x.example.com", &["550 5.7.1 bad HELO/EHLO"], "`helo_name`"),
        ("250 x.example.com", &["550 no mailbox ehlo@helo.example"], "`from` under"),
        ("250 x.example.com", &["503 send EHLO first"], "`from` under"),
        ("250 x.example.com", &["421 shutting down"], "); try again later: "),
        (
            "250 x.example.com",
            &["451 no such domain"],
            "); try again later; if the answer stays the same: check `from`",
        ),
        ("250 x.example.com", &["538 not like this"], "set `security`"),
        ("250 x.example.com", &["530 Must issue a STARTTLS command first"], "set `security`"),
        ("250 x.example.com", &["550 Authentication required"], "set `username` and `password`"),
        ("250 x.example.com", &["550 unauthenticated: SPF and DKIM failed"], "`from` under"),
    ] {
        let (address, _) = told(extensions, answers).await;
        let error = sent_to(address, false).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let (address, heard) = told("250 x.example.com", &["250", "250", "354"]).await;
    let settings =
        SmtpSettings { helo_name: Some("reports.example.com".to_owned()), ..settings_at(address, Security::None) };
    SmtpMailer::new(settings).send(&email("audit@example.com")).await.unwrap();
    assert_eq!(heard.lock().unwrap()[0], "EHLO reports.example.com\r\n");
}

#[tokio::test]
async fn a_server_s_own_certificate_is_trusted_if_it_is_named_and_for_its_name_only() {
    for (name, is_trusted) in [("localhost", true), ("mail.example.com", false)] {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let own = acceptor(certificate.der().clone(), &key);
        let mut settings = settings_at(tls_server(own.clone(), Security::Tls).await, Security::Tls);
        settings.extra_roots = Some(certificate.pem().into_bytes());
        let sent = SmtpMailer::new(settings).send(&email("audit@example.com")).await;
        assert_eq!(sent.is_ok(), is_trusted, "{sent:?}");
        for (named, words) in [
            (Some(certified(name).1.into_bytes()), "is not the one in `ca_file`"),
            (None, "`ca_file` does not name it"),
        ] {
            let mut settings = settings_at(tls_server(own.clone(), Security::Tls).await, Security::Tls);
            settings.extra_roots = named;
            let error = failure_of(settings).await;
            assert!(error.answer.contains("self-signed") && error.answer.contains(words), "{error}");
            assert_eq!((error.stage, error.failure), (Stage::Tls, Failure::Permanent), "{error}");
        }
    }
}
