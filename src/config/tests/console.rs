//! The web console, from the text to its settings.

use super::*;
use crate::{
    config::settings::Console,
    model::right::{Holder, Right},
};

fn console(body: &str) -> String {
    format!("{WORKSPACE}[console]\n{body}")
}

fn read_console(body: &str) -> Console {
    let (settings, problems) = read_text(&console(body)).unwrap();
    assert_eq!(problems, [], "{body}");
    settings.console.unwrap()
}

#[test]
fn without_keys_the_console_listens_on_this_machine_and_nobody_has_a_right() {
    let console = read_console("");
    assert_eq!(console.listen.to_string(), "127.0.0.1:9720");
    assert!(console.public_url.is_none() && console.tls.is_none() && console.oidc.is_none());
    assert_eq!(console.rights.0, []);
    assert!(read_text(WORKSPACE).unwrap().0.console.is_none());
}

#[test]
fn rights_are_given_to_addresses_and_groups() {
    let console = read_console(
        "public_url = \"https://rolecall.example.com\"\n[console.oidc]\nissuer = \"https://login.example.com/\"\n\
         client_id = \"rolecall\"\nclient_secret = { env = \"OIDC\" }\n[console.rights]\nowners = [\"group:security\"]\n\
         auditors = [\"Auditor@example.com\"]\n",
    );
    let holders = vec![
        (Right::Owner, Holder::Group("security".into())),
        (Right::Auditor, Holder::Address("auditor@example.com".into())),
    ];
    assert_eq!(console.rights.0, holders);
    let oidc = console.oidc.unwrap();
    // The slash at the end belongs to it.
    assert_eq!((oidc.issuer.as_str(), oidc.groups_claim.as_str()), ("https://login.example.com/", "groups"));
    assert!(!oidc.trust_email);
}

#[test]
fn beyond_this_machine_it_needs_tls_or_a_proxy() {
    for body in [
        "listen = \"[::1]:1\"\n",
        "listen = \"0.0.0.0:9720\"\ncertificate = \"c.pem\"\nkey = { file = \"c.key\" }\n",
        "listen = \"10.0.0.1:9720\"\ntrusted_proxies = [\"10.0.0.2\", \"fd00::/8\"]\n",
        "public_url = \"http://localhost:9720\"\n",
    ] {
        read_console(body);
    }
    assert!(shown(&console("listen = \"0.0.0.0:9720\"\n")).contains("sessions over the network unencrypted"));
}

#[test]
fn everything_that_is_wrong_is_said_at_its_place() {
    let wrong = |body: &str, expected: &str| {
        let found = shown(&console(body));
        assert!(found.contains(expected), "{body}: {found}");
    };
    wrong("listen = \"9720\"\n", "invalid listen address `9720`");
    wrong("listen = \"off\"\n", "invalid listen address `off`");
    wrong("certificate = \"c.pem\"\n", "`certificate` without `key`");
    wrong("key = { file = \"c.key\" }\n", "`key` without `certificate`");
    wrong("certificate = \"c.pem\"\nkey = { env = \"KEY\" }\n", "`key` must be a file");
    wrong("trusted_proxies = [\"proxy.example.com\"]\n", "invalid proxy `proxy.example.com`");
    for url in [
        "http://rolecall.example.com",
        "https://a:b@example.com",
        "https://example.com/x",
        "https://example.com?x",
        "x",
    ] {
        wrong(&format!("public_url = \"{url}\"\n"), "invalid `public_url`");
    }
    wrong(
        "public_url = \"http://localhost\"\ncertificate = \"c.pem\"\nkey = { file = \"c.key\" }\n",
        "its address begins with https",
    );
    let oidc = |issuer: &str| format!("[console.oidc]\nissuer = \"{issuer}\"\nclient_id = \"x\"\n");
    wrong(&oidc("https://login.example.com"), "needs `public_url`");
    let public = "public_url = \"https://rolecall.example.com\"\n";
    wrong(&format!("{public}{}", oidc("http://login.example.com")), "not safe to send a token");
    wrong(
        &format!("{public}{}", oidc("https://login.microsoftonline.com/common/v2.0")),
        "people of every organization",
    );
    wrong("[console.rights]\nviewers = [\"ana\"]\n", "invalid e-mail address `ana`");
    wrong("[console.rights]\nviewers = [\"group: \"]\n", "the group has no name");
    wrong("[console.rights]\nviewers = [\"group:staff\"]\n", "nobody is in the group `staff`");
    wrong(
        "[console.rights]\nowners = [\"a@example.com\"]\nauditors = [\"A@example.com\"]\n",
        "is an owner and an auditor",
    );
    wrong("[console.rights]\nreviewers = [\"a@example.com\"]\n", "unknown key `reviewers` in [console.rights]");
}

#[test]
fn links_by_mail_are_the_way_in_if_there_is_no_other_and_need_a_mail_server_and_an_address() {
    let smtp = "[smtp]\nhost = \"mail.example.com\"\nfrom = \"audit@example.com\"\n";
    let url = "public_url = \"https://rolecall.example.com\"\n";
    let oidc = "[console.oidc]\nissuer = \"https://login.example.com/\"\nclient_id = \"rolecall\"\n";
    let reads = |body: &str| read_console(body).mail_links;
    assert!(reads(&format!("{url}{smtp}")));
    assert!(!reads(url) && !reads(smtp) && !reads(&format!("{url}{oidc}{smtp}")));
    assert!(!reads(&format!("{url}mail_links = false\n{smtp}")));
    assert!(reads(&format!("{url}mail_links = true\n{oidc}{smtp}")));
    for body in [format!("mail_links = true\n{smtp}"), format!("{url}mail_links = true\n")] {
        assert!(shown(&console(&body)).contains("sign-in links by mail need a mail server and `public_url`"), "{body}");
    }
}
