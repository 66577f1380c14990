//! The way into the web console, as browsers and those who are not one try it.

use std::fs;

use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect::Policy};

use crate::{
    daemon::{Daemon, eventually},
    support::{Bench, options},
};

/// A console on any port of this machine.
pub(crate) const CONSOLE: &str = r#"
[console]
listen = "127.0.0.1:0"

[console.rights]
owners = ["ana@example.com"]
auditors = ["auditor@example.com"]
viewers = ["viewer@example.com"]
"#;

/// A daemon with a console, and how to talk to it.
pub(crate) struct Desk {
    pub(crate) daemon: Daemon,
    pub(crate) bench: Bench,
    pub(crate) url: String,
    pub(crate) client: Client,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self::with(Bench::new(options(20)), CONSOLE)
    }

    pub(crate) fn with(bench: Bench, more: &str) -> Self {
        Self::with_environment(bench, more, &[])
    }

    /// A console whose daemon has more in its environment.
    pub(crate) fn with_environment(bench: Bench, more: &str, environment: &[(&str, &str)]) -> Self {
        bench.configure(more);
        let daemon = Daemon::start_with(&bench, environment);
        let url = url(&daemon);
        let client = rolecall::tls::http().redirect(Policy::none()).build().unwrap();
        Self { daemon, bench, url, client }
    }

    /// A request for a page, with the cookie of a session.
    pub(crate) fn get(&self, path: &str, cookie: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url)).header("cookie", cookie)
    }

    /// A form that a page of the console sends.
    pub(crate) fn post(&self, path: &str, cookie: &str, form: &str) -> RequestBuilder {
        self.client
            .post(format!("{}{path}", self.url))
            .header("cookie", cookie)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned())
    }

    /// The secret of a new link.
    pub(crate) fn link(&self, address: &str) -> String {
        let (code, stdout, stderr) = self.bench.run(&["console", "link", "--as", address]);
        assert_eq!(code, 0, "{stderr}");
        stdout.trim().rsplit_once("/link/").unwrap().1.to_owned()
    }

    /// Presses the button on the page of a link.
    pub(crate) async fn press(&self, secret: &str, cookie: &str) -> Response {
        self.post("/link", cookie, &format!("secret={secret}")).send().await.unwrap()
    }

    /// Signs someone in, and gives the cookie.
    pub(crate) async fn sign_in(&self, address: &str) -> String {
        let response = self.press(&self.link(address), "").await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        cookie(&response)
    }

    /// Whether a cookie belongs to a session.
    pub(crate) async fn is_in(&self, cookie: &str) -> bool {
        let response = self.get("/", cookie).send().await.unwrap();
        if response.status() == StatusCode::OK {
            return true;
        }
        assert_eq!(
            (response.status(), &response.headers()["location"]),
            (StatusCode::SEE_OTHER, &"/sign-in".parse().unwrap())
        );
        false
    }

    /// A number in the store.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        use sqlx::{Connection as _, SqliteConnection};
        let path = format!("sqlite:{}", self.bench.path("rolecall.db").display());
        let mut store = SqliteConnection::connect(&path).await.unwrap();
        sqlx::query_scalar(sql).fetch_one(&mut store).await.unwrap()
    }

    /// Changes the store behind the daemon's back.
    pub(crate) async fn alter(&self, sql: &'static str) {
        use sqlx::{Connection as _, SqliteConnection};
        let path = format!("sqlite:{}", self.bench.path("rolecall.db").display());
        let mut store = SqliteConnection::connect(&path).await.unwrap();
        assert!(sqlx::query(sql).execute(&mut store).await.unwrap().rows_affected() > 0, "{sql}");
    }
}

/// The address that the daemon serves the console on.
pub(crate) fn url(daemon: &Daemon) -> String {
    let found = || {
        let said = daemon.said();
        let line = said.lines().find(|line| line.contains("serving the web console"))?.to_owned();
        Some(line.split("url=").nth(1)?.split_whitespace().next()?.trim_end_matches('/').to_owned())
    };
    eventually("that the console is served", || found().is_some());
    found().unwrap()
}

/// The cookie that a response sets, as a request carries it.
pub(crate) fn cookie(response: &Response) -> String {
    let set = response.headers()["set-cookie"].to_str().unwrap();
    set.split(';').next().unwrap().to_owned()
}

async fn status(request: RequestBuilder) -> StatusCode {
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn nobody_gets_in_without_a_session_and_a_link_gives_one() {
    let desk = Desk::new();
    let response = desk.get("/?a=b", "").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(response.headers()["location"], "/sign-in?next=%2F%3Fa%3Db");
    for cookie in ["rolecall=", "rolecall=7", &format!("rolecall={}", "0".repeat(64)), "__Host-rolecall=7", "rolecall"]
    {
        assert!(!desk.is_in(cookie).await, "{cookie}");
    }
    let cookie = desk.sign_in("Ana@Example.com").await;
    let response = desk.get("/", &cookie).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let headers = response.headers().clone();
    let policy = headers["content-security-policy"].to_str().unwrap();
    for part in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"] {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("script-src"), "{policy}");
    for (name, value) in [
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
    ] {
        assert_eq!(headers[name], value);
    }
    assert!(!headers.contains_key("strict-transport-security"), "over plain HTTP on this machine");
    let page = response.text().await.unwrap();
    assert!(page.contains("ana@example.com"), "{page}");
    // A forged one that differs in its last digit.
    let last = if cookie.ends_with('0') { '1' } else { '0' };
    assert!(!desk.is_in(&format!("{}{last}", &cookie[..cookie.len() - 1])).await);
    let (_, said) = desk.daemon.stop();
    assert!(said.contains("signed in") && said.contains("ana@example.com"), "{said}");
    let secret = cookie.split_once('=').unwrap().1;
    assert!(!said.contains(secret), "the log has the secret of a session");
    let store = fs::read(desk.bench.path("rolecall.db")).unwrap();
    assert!(!store.windows(secret.len()).any(|window| window == secret.as_bytes()), "the store has the secret");
}

#[tokio::test]
async fn a_link_is_used_up_by_its_button_only_and_once() {
    let desk = Desk::new();
    let secret = desk.link("ana@example.com");
    // What looks at mail follows links, and asks for their headers.
    let path = format!("/link/{secret}");
    for _ in 0..3 {
        let response = desk.get(&path, "").send().await.unwrap();
        assert_eq!(
            (response.status(), &response.headers()["referrer-policy"]),
            (StatusCode::OK, &"no-referrer".parse().unwrap())
        );
        assert!(!response.headers().contains_key("set-cookie"));
        let page = response.text().await.unwrap();
        assert!(page.contains("Sign in as <bdi>ana@example.com</bdi>"), "{page}");
    }
    assert_eq!(status(desk.client.head(format!("{}{path}", desk.url))).await, StatusCode::OK);
    // Another site cannot press the button, and neither can a script that does not know what a browser sends.
    let form = format!("secret={secret}");
    for site in ["cross-site", "same-site", "nonsense"] {
        let forged = desk.post("/link", "", &form).header("sec-fetch-site", site);
        let mut forged = forged.build().unwrap();
        forged.headers_mut().insert("sec-fetch-site", site.parse().unwrap());
        assert_eq!(desk.client.execute(forged).await.unwrap().status(), StatusCode::FORBIDDEN, "{site}");
    }
    let post = || {
        let form_type = ("content-type", "application/x-www-form-urlencoded");
        desk.client.post(format!("{}/link", desk.url)).header(form_type.0, form_type.1).body(form.clone())
    };
    assert_eq!(status(post()).await, StatusCode::FORBIDDEN, "without Origin");
    for origin in ["https://evil.example", "null", "http://localhost.evil.example"] {
        assert_eq!(status(post().header("origin", origin)).await, StatusCode::FORBIDDEN, "{origin}");
    }
    // It still works, once, also in an older browser.
    let response = post().header("origin", &desk.url).send().await.unwrap();
    assert_eq!((response.status(), &response.headers()["location"]), (StatusCode::SEE_OTHER, &"/".parse().unwrap()));
    let set = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(set.contains("; HttpOnly") && set.contains("; SameSite=Lax") && set.contains("; Path=/"), "{set}");
    assert!(desk.is_in(&cookie(&response)).await);
    for response in [desk.press(&secret, "").await, desk.get(&path, "").send().await.unwrap()] {
        assert_eq!(response.status(), StatusCode::GONE);
        assert!(!response.headers().contains_key("set-cookie"));
    }
    let expired = desk.link("ana@example.com");
    desk.alter("UPDATE sign_in_link SET valid_until = valid_until - 900001 WHERE used_at IS NULL").await;
    assert_eq!(desk.press(&expired, "").await.status(), StatusCode::GONE);
    assert_eq!(desk.press("", "").await.status(), StatusCode::GONE);
    let (code, _, said) = desk.bench.run(&["console", "link", "--as", "stranger@example.com"]);
    assert!(code == 2 && said.contains("has no right in the console"), "{said}");
    let (code, _, said) = desk.bench.run(&["console", "link", "--as", "ana"]);
    assert!(code == 2 && said.contains("invalid address `ana`"), "{said}");
}

#[tokio::test]
async fn a_session_ends_by_its_age_by_signing_out_and_by_signing_in_again() {
    let desk = Desk::new();
    let first = desk.sign_in("ana@example.com").await;
    let again = desk.press(&desk.link("ana@example.com"), &first).await;
    let second = cookie(&again);
    assert_ne!(first, second);
    assert!(!desk.is_in(&first).await, "the secret of before is not valid any more");
    assert!(desk.is_in(&second).await);
    // Signing out from another site does nothing.
    let forged = desk
        .client
        .post(format!("{}/sign-out", desk.url))
        .header("cookie", &second)
        .header("sec-fetch-site", "cross-site");
    assert_eq!(status(forged).await, StatusCode::FORBIDDEN);
    assert!(desk.is_in(&second).await);
    let other = desk.sign_in("ana@example.com").await;
    let out = desk.post("/sign-out", &second, "").send().await.unwrap();
    assert_eq!((out.status(), &out.headers()["location"]), (StatusCode::SEE_OTHER, &"/sign-in".parse().unwrap()));
    assert!(out.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert!(!desk.is_in(&second).await && desk.is_in(&other).await);
    let auditor = desk.sign_in("auditor@example.com").await;
    let third = desk.sign_in("ana@example.com").await;
    desk.post("/sign-out", &third, "everywhere=true").send().await.unwrap();
    assert!(!desk.is_in(&other).await && !desk.is_in(&third).await && desk.is_in(&auditor).await);
    desk.alter("UPDATE session SET seen_at = seen_at - 1800001").await;
    assert!(!desk.is_in(&auditor).await, "not used for 30 minutes");
    let auditor = desk.sign_in("auditor@example.com").await;
    desk.alter("UPDATE session SET began_at = began_at - 43200001").await;
    assert!(!desk.is_in(&auditor).await, "older than 12 hours");
}

#[tokio::test]
async fn other_hosts_methods_and_sizes_are_refused_and_guessing_is_slowed_down() {
    let desk = Desk::new();
    let host = |host: &str| status(desk.get("/sign-in", "").header("host", host));
    for name in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:9720"] {
        assert_eq!(host(name).await, StatusCode::FORBIDDEN, "{name}");
    }
    assert_eq!(host("localhost").await, StatusCode::OK);
    let url = format!("{}/sign-in", desk.url);
    for method in ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS"] {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = desk.client.request(method.clone(), &url).header("sec-fetch-site", "same-origin");
        assert_eq!(status(request).await, StatusCode::METHOD_NOT_ALLOWED, "{method}");
    }
    let large = format!("secret={}", "0".repeat(300_000));
    assert_eq!(status(desk.post("/link", "", &large)).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(status(desk.get("/nowhere", "")).await, StatusCode::NOT_FOUND);
    for next in ["//evil.example", "https://evil.example", "%2F%2Fevil.example", "/%5Cevil.example"] {
        let cookie = desk.sign_in("viewer@example.com").await;
        let response = desk.get(&format!("/sign-in?next={next}"), &cookie).send().await.unwrap();
        assert_eq!(response.headers()["location"], "/", "{next}");
    }
    let mut answers = Vec::new();
    for guess in 0..40 {
        answers.push(desk.press(&format!("{guess:064x}"), "").await.status());
    }
    assert_eq!(answers[0], StatusCode::GONE);
    assert_eq!(answers[39], StatusCode::TOO_MANY_REQUESTS);
    let wait = desk.get(&format!("/link/{:064x}", 1), "").send().await.unwrap();
    assert!(wait.headers()["retry-after"].to_str().unwrap().parse::<u32>().unwrap() <= 300);
}

#[tokio::test]
async fn a_right_that_is_taken_away_is_gone_with_the_next_request() {
    let desk = Desk::new();
    let viewer = desk.sign_in("viewer@example.com").await;
    assert_eq!(status(desk.get("/", &viewer)).await, StatusCode::OK);
    desk.bench.reconfigure("viewers = [\"viewer@example.com\"]", "viewers = []");
    desk.daemon.signal("-HUP");
    eventually("that the configuration is read", || desk.daemon.said().contains("reloaded the configuration"));
    let response = desk.get("/", &viewer).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let page = response.text().await.unwrap();
    assert!(page.contains("viewer@example.com") && page.contains("/sign-out"), "{page}");
    // What cannot change while the daemon runs is said, and nothing changes.
    desk.bench.reconfigure("viewers = []", "viewers = [\"viewer@example.com\"]");
    desk.bench.reconfigure("[console.rights]", "public_url = \"https://rolecall.example.com\"\n[console.rights]");
    desk.daemon.signal("-HUP");
    eventually("that it is refused", || desk.daemon.said().contains("only `rights` and the content"));
    assert_eq!(status(desk.get("/", &viewer)).await, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn over_tls_the_cookie_is_bound_to_the_host_and_a_new_certificate_is_taken_over() {
    let certificate = || {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    };
    let bench = Bench::new(options(20));
    let write = |(chain, key): &(String, String)| {
        fs::write(bench.path("console.pem"), chain).unwrap();
        fs::write(bench.path("console.key"), key).unwrap();
    };
    let (first, second) = (certificate(), certificate());
    write(&first);
    let more = CONSOLE.replace(
        "[console.rights]",
        "certificate = \"console.pem\"\nkey = { file = \"console.key\" }\n[console.rights]",
    );
    bench.configure(&more);
    let daemon = Daemon::start(&bench);
    let url = url(&daemon).replace("127.0.0.1", "localhost");
    assert!(url.starts_with("https://localhost:"), "{url}");
    let trusting = |pem: &str| {
        let root = reqwest::Certificate::from_pem(pem.as_bytes()).unwrap();
        rolecall::tls::http().tls_certs_only([root]).redirect(Policy::none()).build().unwrap()
    };
    let (code, stdout, stderr) = bench.run(&["console", "link", "--as", "ana@example.com"]);
    assert_eq!(code, 0, "{stderr}");
    let secret = stdout.trim().rsplit_once("/link/").unwrap().1.to_owned();
    let client = trusting(&first.0);
    let response = client
        .post(format!("{url}/link"))
        .header("origin", &url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("secret={secret}"))
        .send()
        .await
        .unwrap();
    let set = response.headers()["set-cookie"].to_str().unwrap();
    assert!(set.starts_with("__Host-rolecall=") && set.contains("; Secure") && !set.contains("Domain"), "{set}");
    assert_eq!(response.headers()["strict-transport-security"], "max-age=31536000");
    assert!(trusting(&second.0).get(format!("{url}/sign-in")).send().await.is_err());
    write(&second);
    daemon.signal("-HUP");
    eventually("that the configuration is read", || daemon.said().contains("reloaded the configuration"));
    assert_eq!(status(trusting(&second.0).get(format!("{url}/sign-in"))).await, StatusCode::OK);
    // A certificate that does not belong to the key is refused, and the one of before stays.
    fs::write(bench.path("console.pem"), &first.0).unwrap();
    daemon.signal("-HUP");
    eventually("that it is refused", || daemon.said().contains("of the certificate cannot be used"));
    assert_eq!(status(trusting(&second.0).get(format!("{url}/sign-in"))).await, StatusCode::OK);
}
