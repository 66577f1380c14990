//! Signing in to the console by mail: a reviewer follows the link of an invitation, and asks for another one.

use std::{fs, path::Path};

use reqwest::StatusCode;

use crate::{
    console::{Desk, cookie},
    daemon::eventually,
    review::{CONFIGURATION, bench, facts, items, opened_in, text},
};

/// A review that is just opened, a console that signs people in by mail, and the id of the review.
fn desk() -> (Desk, String) {
    let bench = bench(12);
    let id = opened_in(&bench);
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let console = format!(
        "{CONFIGURATION}\n[console]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"http://127.0.0.1:{port}\"\n\n\
         [console.rights]\nviewers = [\"viewer@example.com\"]\n"
    );
    (Desk::with(bench, &console), id)
}

/// The path of the link in the latest message to an address.
pub(crate) fn link(desk: &Desk, to: &str, subject: &str) -> Option<String> {
    use mailparse::MailHeaderMap as _;
    let inbox = desk.bench.simulator.inbox().messages();
    let found = inbox.iter().rev().find_map(|message| {
        let parsed = mailparse::parse_mail(&message.bytes).unwrap();
        let header = |name: &str| parsed.headers.get_first_value(name).unwrap();
        let is_it = header("To") == to && header("Subject").contains(subject);
        let part = || parsed.parts().find(|part| part.ctype.mimetype == "text/plain").unwrap().get_body().unwrap();
        is_it.then(part)
    })?;
    let line = found.lines().find(|line| line.contains("/link/")).unwrap_or_else(|| panic!("no link: {found}"));
    Some(line.trim().strip_prefix(&desk.url).unwrap().to_owned())
}

pub(crate) fn secret(path: &str) -> &str {
    path.strip_prefix("/link/").unwrap().split('?').next().unwrap()
}

/// Whether a text is in any file below a folder, also in the store.
fn is_anywhere(folder: &Path, wanted: &str) -> bool {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).any(|path| {
        if path.is_dir() {
            return is_anywhere(&path, wanted);
        }
        let found = fs::read(&path).unwrap().windows(wanted.len()).any(|window| window == wanted.as_bytes());
        assert!(!found, "{} has the secret of a link", path.display());
        found
    })
}

#[tokio::test]
async fn a_reviewer_decides_by_the_link_of_the_invitation_and_its_secret_is_kept_nowhere() {
    let (desk, id) = desk();
    eventually("the invitation", || link(&desk, "ben@example.com", "decide about").is_some());
    let path = link(&desk, "ben@example.com", "decide about").unwrap();
    let secret = secret(&path);
    assert!(secret.len() == 64 && secret.bytes().all(|byte| byte.is_ascii_hexdigit()), "{path}");
    let page = desk.get(&path, "").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("Sign in as <bdi>ben@example.com</bdi>"), "{page}");
    assert!(page.contains(&format!("name=\"next\" value=\"/reviews/{id}\"")), "{page}");
    let form = format!("secret={secret}&next=%2Freviews%2F{id}");
    let response = desk.post("/link", "", &form).send().await.unwrap();
    assert_eq!(response.headers()["location"], format!("/reviews/{id}"));
    let ben = cookie(&response);
    let own = items(&desk.bench, &id).into_iter().find(|item| item["reviewer"] == "ben@example.com").unwrap();
    let item = text(&own, "item").to_owned();
    let address = format!("/reviews/{id}/items/{item}");
    let page = desk.get(&address, &ben).send().await.unwrap().text().await.unwrap();
    let value = |name: &str| {
        let rest = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("{name}: {page}")).1;
        rest.split_once('"').unwrap().0.to_owned()
    };
    let form =
        format!("decision=keep&reason=Works+in+the+team&version={}&page={}&then=stay", value("version"), value("page"));
    let saved = desk.post(&address, &ben, &form).send().await.unwrap();
    assert_eq!(saved.status(), StatusCode::SEE_OTHER, "{}", saved.text().await.unwrap());
    let decided = items(&desk.bench, &id).into_iter().find(|one| one["item"] == *item).unwrap();
    assert_eq!((text(&decided, "via"), text(&decided, "decided_by")), ("mail-link", "ben@example.com"));

    let (_, said) = desk.daemon.stop();
    assert!(!said.contains(secret), "the log has the secret of a link");
    let (code, printed, complaint) = desk.bench.run(&["evidence", "verify"]);
    assert_eq!(code, 0, "{printed}{complaint}");
    // The inbox is not below this folder; the mails that were kept as evidence, the ledger and the store are.
    assert!(!is_anywhere(&desk.bench.path(""), secret));
    let kept = facts(&desk.bench, "delivery").into_iter().filter(|entry| entry["review"] == id.as_str());
    assert!(kept.count() >= 4, "the messages are on record all the same");
    let made = facts(&desk.bench, "sign_in_link");
    assert!(made.iter().any(|entry| text(entry, "address") == "ben@example.com" && text(entry, "via") == "mail-link"));
}

#[tokio::test]
async fn a_link_that_is_used_or_too_old_sends_another_one_to_the_same_person_and_not_often() {
    let (desk, id) = desk();
    eventually("the invitation", || link(&desk, "ben@example.com", "decide about").is_some());
    let first = link(&desk, "ben@example.com", "decide about").unwrap();
    assert_eq!(desk.press(secret(&first), "").await.status(), StatusCode::SEE_OTHER);
    let used = desk.get(&first, "").send().await.unwrap();
    assert_eq!(used.status(), StatusCode::GONE);
    let page = used.text().await.unwrap();
    assert!(page.contains("Mail me another link") && !page.contains("ben@example.com"), "{page}");
    let ask = async |form: String| {
        let response = desk.post("/link/mail", "", &form).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        response.text().await.unwrap()
    };
    let form = format!("secret={}&next=%2Freviews%2F{id}", secret(&first));
    let answer = ask(form.clone()).await;
    eventually("another link", || link(&desk, "ben@example.com", "Your sign-in link").is_some());
    let second = link(&desk, "ben@example.com", "Your sign-in link").unwrap();
    assert_eq!(second, format!("/link/{}?next=%2Freviews%2F{id}", secret(&second)));
    let ben = cookie(&desk.press(secret(&second), "").await);
    assert!(desk.is_in(&ben).await);
    // A stranger gets the same answer, and no mail; somebody with a right gets one.
    for (address, log) in
        [("stranger%40example.com", "has no right in the console"), ("viewer%40example.com", "sent a sign-in")]
    {
        assert_eq!(ask(format!("address={address}")).await, answer);
        eventually(log, || desk.daemon.said().contains(log));
    }
    eventually("a link for the viewer", || link(&desk, "viewer@example.com", "Your sign-in link").is_some());
    assert_eq!(link(&desk, "stranger@example.com", ""), None);
    // A link of the command line is for nobody's mail.
    let other = desk.link("viewer@example.com");
    let before = desk.bench.simulator.inbox().messages().len();
    assert_eq!(ask(format!("secret={other}")).await, answer);
    for _ in 0..4 {
        assert_eq!(ask(form.clone()).await, answer);
    }
    let log = "too many sign-in links were asked for";
    eventually(log, || desk.daemon.said().contains(log));
    eventually("what is allowed", || desk.bench.simulator.inbox().messages().len() >= before + 2);
    let (_, said) = desk.daemon.stop();
    assert_eq!(said.matches("sent a sign-in link by mail").count(), 4, "three in five minutes for one person: {said}");
    assert!(!said.contains(secret(&second)), "the log has the secret of a link");
}
