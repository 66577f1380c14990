use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    message::Message as Mail,
    transport::smtp::{authentication::Credentials as SmtpCredentials, response::Code},
};

use super::*;
use crate::{Options, Simulator};

fn mail(body: &str) -> Mail {
    Mail::builder()
        .from("audit@example.com".parse().unwrap())
        .to("security@example.com".parse().unwrap())
        .cc("review@example.com".parse().unwrap())
        .subject("Access review")
        .body(body.to_owned())
        .unwrap()
}

fn start(options: Options) -> Simulator {
    Simulator::start(Options { users: 12, ..options }).unwrap()
}

fn transport(inbox: &Inbox) -> lettre::transport::smtp::AsyncSmtpTransportBuilder {
    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(inbox.address().ip().to_string())
        .port(inbox.address().port())
        .timeout(Some(std::time::Duration::from_millis(500)))
}

async fn send(inbox: &Inbox, mail: Mail) -> Result<(), lettre::transport::smtp::Error> {
    transport(inbox).build().send(mail).await.map(drop)
}

fn code_of(result: Result<(), lettre::transport::smtp::Error>) -> Option<u16> {
    result.unwrap_err().status().map(Code::into)
}

#[tokio::test]
async fn a_message_arrives_with_its_envelope_and_its_dots() {
    let simulator = start(Options::default());
    send(simulator.inbox(), mail("one\r\n.two\r\n..three")).await.unwrap();
    let messages = simulator.inbox().wait_for(1).await;
    assert_eq!(messages[0].from, "audit@example.com");
    assert_eq!(messages[0].to, ["security@example.com", "review@example.com"]);
    assert!(messages[0].acknowledged);
    let text = String::from_utf8(messages[0].bytes.clone()).unwrap();
    assert!(text.contains("Subject: Access review\r\n"), "{text}");
    assert!(text.contains("\r\none\r\n.two\r\n..three"), "{text}");
}

#[tokio::test]
async fn each_stage_can_be_refused() {
    let simulator = start(Options::default());
    let inbox = simulator.inbox();
    let refusals = [
        (InboxFault::SenderRefused, 550),
        (InboxFault::RecipientRefused, 550),
        (InboxFault::RecipientDeferred, 450),
        (InboxFault::LaterRecipientsRefused, 550),
        (InboxFault::DataRefused, 554),
    ];
    for (fault, code) in refusals {
        assert_eq!(fault.name().parse(), Ok(fault));
        inbox.set_fault(Some(fault));
        assert_eq!(code_of(send(inbox, mail("x")).await), Some(code), "{fault}");
    }
    assert_eq!(inbox.messages(), []);
    inbox.set_fault(None);
    send(inbox, mail("x")).await.unwrap();
}

#[tokio::test]
async fn a_message_whose_answer_was_lost_is_kept_as_unacknowledged() {
    let simulator = start(Options::default());
    let inbox = simulator.inbox();
    inbox.set_fault(Some(InboxFault::DropAfterData));
    assert_eq!(code_of(send(inbox, mail("x")).await), None);
    assert!(!inbox.wait_for(1).await[0].acknowledged);

    inbox.set_fault(Some(InboxFault::StallAfterData));
    tokio::select! {
        result = send(inbox, mail("x")) => panic!("it was answered: {result:?}"),
        messages = inbox.wait_for(2) => assert!(!messages[1].acknowledged),
    }
}

#[tokio::test]
async fn a_login_is_asked_for_where_one_was_configured() {
    let login = Login { username: "rolecall".to_owned(), password: "invented".to_owned() };
    let simulator = start(Options { smtp_login: Some(login), ..Options::default() });
    let inbox = simulator.inbox();
    let with_password = |password: &str| {
        let credentials = SmtpCredentials::new("rolecall".to_owned(), password.to_owned());
        transport(inbox).credentials(credentials).build()
    };
    assert_eq!(code_of(send(inbox, mail("x")).await), Some(530));
    assert_eq!(code_of(with_password("wrong").send(mail("x")).await.map(drop)), Some(535));
    with_password("invented").send(mail("x")).await.unwrap();
    inbox.set_fault(Some(InboxFault::AuthenticationRefused));
    assert_eq!(code_of(with_password("invented").send(mail("x")).await.map(drop)), Some(535));
}

#[tokio::test]
async fn a_message_beyond_the_size_limit_is_refused() {
    let simulator = start(Options { max_message_size: 1_000, ..Options::default() });
    assert_eq!(code_of(send(simulator.inbox(), mail(&"x".repeat(2_000))).await), Some(552));
}
