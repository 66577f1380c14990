//! Sign-in to the console by OpenID Connect: at a provider of somebody else's, and at one that lies.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use reqwest::{Response, StatusCode, Url};
use serde_json::{Value, json};

use crate::{
    console::{Desk, cookie},
    daemon::eventually,
    support::{Bench, options},
    tools::{script, tool},
};

/// A provider as a process.
struct Provider {
    process: Child,
    issuer: String,
}

impl Drop for Provider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A port that nobody uses.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Provider {
    /// The one that says whatever it is told to.
    fn lying() -> Self {
        let mut command = Command::new(tool("python"));
        command.arg(script("oidc_provider.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut port = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Self { process, issuer: format!("http://127.0.0.1:{}", port.trim()) }
    }

    /// Somebody else's, with these users.
    fn real(users: &[Value]) -> Self {
        let port = free_port();
        let mut command = Command::new(tool("oidc-provider-mock"));
        command.args(["-p", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
        for user in users {
            command.args(["--user-claims", &user.to_string()]);
        }
        let process = command.spawn().unwrap();
        eventually("that the provider listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self { process, issuer: format!("http://localhost:{port}") }
    }
}

/// A console that trusts a provider.
fn desk(provider: &Provider, more: &str) -> Desk {
    let bench = Bench::new(options(20));
    std::fs::write(bench.path("client-secret"), "s3cret-of-the-client\n").unwrap();
    let port = free_port();
    let console = format!(
        "\n[console]\nlisten = \"127.0.0.1:{port}\"\npublic_url = \"http://127.0.0.1:{port}\"\n\n[console.oidc]\n\
         issuer = \"{}\"\nclient_id = \"rolecall\"\nclient_secret = {{ file = \"client-secret\" }}\n{more}\n\
         [console.rights]\nowners = [\"group:security\"]\nauditors = [\"auditor@example.com\"]\n",
        provider.issuer
    );
    Desk::with(bench, &console)
}

/// A browser on its way to the provider.
struct Leaving {
    cookie: String,
    authorize: Url,
}

impl Leaving {
    fn query(&self, name: &str) -> String {
        let mut pairs = self.authorize.query_pairs();
        pairs.find(|(key, _)| key == name).unwrap_or_else(|| panic!("no {name}: {}", self.authorize)).1.into_owned()
    }
}

async fn leave(desk: &Desk, next: &str) -> Leaving {
    let response = desk.get(&format!("/sign-in/oidc{next}"), "").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER, "{}", desk.daemon.said());
    let set = response.headers()["set-cookie"].to_str().unwrap();
    assert!(set.contains("HttpOnly") && set.contains("Max-Age=600"), "{set}");
    Leaving { cookie: cookie(&response), authorize: response.headers()["location"].to_str().unwrap().parse().unwrap() }
}

/// Comes back with a state and a code.
async fn back(desk: &Desk, cookie: &str, state: &str, code: &str) -> Response {
    let mut url: Url = format!("{}/sign-in/oidc/back", desk.url).parse().unwrap();
    url.query_pairs_mut().append_pair("state", state).append_pair("code", code);
    desk.client.get(url).header("cookie", cookie).send().await.unwrap()
}

/// The cookie of a new session among those that a response sets.
fn session(response: &Response) -> Option<String> {
    let set = response.headers().get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    let mut cookies = set.filter_map(|value| value.split(';').next());
    cookies.find(|cookie| cookie.starts_with("rolecall=") && *cookie != "rolecall=").map(str::to_owned)
}

#[tokio::test]
async fn someone_signs_in_at_a_provider_and_comes_back_to_where_they_were() {
    let provider = Provider::real(&[
        json!({"sub": "7", "email": "Ana@example.com", "email_verified": true, "name": "Ana", "groups": ["security"]}),
        json!({"sub": "8", "email": "auditor@example.com"}),
        json!({"sub": "9", "email": "stranger@example.com", "email_verified": true, "groups": ["staff"]}),
    ]);
    let desk = desk(&provider, "");
    let page = desk.get("/sign-in?next=/a", "").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("href=\"/sign-in/oidc?next=%2Fa\""), "{page}");
    // What the provider's own page does when someone chooses who they are.
    let choose = async |leaving: &Leaving, subject: &str| {
        let form = format!("sub={subject}");
        let chosen = desk.client.post(leaving.authorize.clone()).body(form);
        let chosen = chosen.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        let to: Url = chosen.headers()["location"].to_str().unwrap().parse().unwrap();
        assert!(to.as_str().starts_with(&format!("{}/sign-in/oidc/back?", desk.url)), "{to}");
        to
    };
    let come_back =
        async |to: &Url, cookie: &str| desk.client.get(to.clone()).header("cookie", cookie).send().await.unwrap();

    let leaving = leave(&desk, "?next=/a%3Fb%3Dc").await;
    assert_eq!(leaving.query("code_challenge_method"), "S256");
    assert_eq!(leaving.query("redirect_uri"), format!("{}/sign-in/oidc/back", desk.url));
    assert_eq!(leaving.query("scope"), "openid email profile");
    let to = choose(&leaving, "7").await;
    // Another browser cannot end it, and then it is over: it begins again.
    assert_eq!(come_back(&to, "rolecall-oidc=7").await.status(), StatusCode::FORBIDDEN);
    assert_eq!(come_back(&to, &leaving.cookie).await.status(), StatusCode::FORBIDDEN);
    let leaving = leave(&desk, "?next=/a%3Fb%3Dc").await;
    let to = choose(&leaving, "7").await;
    let response = come_back(&to, &leaving.cookie).await;
    assert_eq!(
        (response.status(), &response.headers()["location"]),
        (StatusCode::SEE_OTHER, &"/a?b=c".parse().unwrap())
    );
    let ana = session(&response).unwrap();
    let page = desk.get("/", &ana).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("ana@example.com"), "{page}");
    // The same answer again.
    assert_eq!(come_back(&to, &leaving.cookie).await.status(), StatusCode::FORBIDDEN);

    for (subject, log) in [("8", "does not call the address of the subject"), ("9", "a sign-in was refused: no right")]
    {
        let leaving = leave(&desk, "").await;
        let response = come_back(&choose(&leaving, subject).await, &leaving.cookie).await;
        assert_eq!((response.status(), session(&response)), (StatusCode::FORBIDDEN, None), "{subject}");
        eventually(log, || desk.daemon.said().contains(log));
    }
    assert!(!desk.daemon.said().contains("s3cret"));
}

#[tokio::test]
async fn a_token_that_is_not_right_in_every_part_signs_nobody_in() {
    let provider = Provider::lying();
    let desk = desk(&provider, "");
    let now = chrono::Utc::now().timestamp();
    let right = |nonce: &str| {
        json!({
            "iss": provider.issuer, "aud": "rolecall", "sub": "7", "nonce": nonce, "iat": now, "exp": now + 300,
            "email": "ana@example.com", "email_verified": true, "groups": ["security"],
        })
    };
    // What is changed of the claims, and what else the provider is told.
    let come = async |changes: Value, more: Value| {
        let leaving = leave(&desk, "").await;
        let mut claims = right(&leaving.query("nonce"));
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        let mut code = json!({"claims": claims, "challenge": leaving.query("code_challenge")});
        for (name, value) in more.as_object().unwrap() {
            code[name] = value.clone();
        }
        back(&desk, &leaving.cookie, &leaving.query("state"), &code.to_string()).await
    };
    let nothing = || json!({});
    // First what is right, so that the rest fails for its own reason. Each sign-in is two of the 30 attempts in five minutes.
    let response = come(nothing(), nothing()).await;
    let ana = session(&response).unwrap_or_else(|| panic!("{}", desk.daemon.said()));
    assert_eq!(desk.get("/", &ana).send().await.unwrap().status(), StatusCode::OK);
    for (changes, more, reason) in [
        (json!({"nonce": "other"}), nothing(), "nonce"),
        (json!({"nonce": null}), nothing(), "nonce"),
        (json!({"iss": "https://evil.example"}), nothing(), "issuer"),
        (json!({"aud": "another-client"}), nothing(), "audience"),
        (json!({"aud": ["rolecall", "another-client"]}), nothing(), "audience"),
        (json!({"exp": now - 120}), nothing(), "expired"),
        (nothing(), json!({"key": "other"}), "ignature"),
        (nothing(), json!({"alg": "none"}), "ignature"),
        (nothing(), json!({"alg": "HS256"}), "ignature"),
        (nothing(), json!({"redirect": "http://127.0.0.1:1/token"}), "missing field"),
        (json!({"email_verified": false}), nothing(), "does not call the address"),
        (json!({"email_verified": null}), nothing(), "does not call the address"),
    ] {
        let before = desk.daemon.said().len();
        let response = come(changes.clone(), more.clone()).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{changes} {more}");
        assert_eq!(session(&response), None, "{changes} {more}");
        eventually("a line in the log", || desk.daemon.said()[before..].contains("a sign-in failed"));
        let said = desk.daemon.said()[before..].to_owned();
        assert!(said.contains(reason), "{changes} {more}: {said}");
    }
}

#[tokio::test]
async fn what_the_token_lacks_is_asked_for_and_belongs_to_the_same_person() {
    let provider = Provider::lying();
    let desk = desk(&provider, "groups_claim = \"teams\"\nscopes = [\"teams\"]\n");
    let now = chrono::Utc::now().timestamp();
    let come = async |userinfo: Value| {
        let leaving = leave(&desk, "").await;
        assert_eq!(leaving.query("scope"), "openid email profile teams");
        let claims = json!({
            "iss": provider.issuer, "aud": "rolecall", "sub": "7", "nonce": leaving.query("nonce"), "iat": now,
            "exp": now + 300,
        });
        let code = json!({"claims": claims, "challenge": leaving.query("code_challenge"), "userinfo": userinfo});
        back(&desk, &leaving.cookie, &leaving.query("state"), &code.to_string()).await
    };
    let told = json!({"sub": "7", "email": "auditor@example.com", "email_verified": true, "teams": "security"});
    let response = come(told.clone()).await;
    assert!(session(&response).is_some(), "{}", desk.daemon.said());
    for (name, value) in
        [("sub", json!("8")), ("email_verified", json!(false)), ("email", json!("")), ("email", Value::Null)]
    {
        let mut told = told.clone();
        told[name] = value.clone();
        let response = come(told).await;
        assert!(response.status().is_client_error() || response.status().is_server_error(), "{name} {value}");
        assert_eq!(session(&response), None, "{name} {value}");
    }
    // The provider says no, or something else entirely.
    let leaving = leave(&desk, "").await;
    let path = format!("/sign-in/oidc/back?error=access_denied&state={}", leaving.query("state"));
    let response = desk.get(&path, &leaving.cookie).send().await.unwrap();
    assert_eq!((response.status(), session(&response)), (StatusCode::FORBIDDEN, None));
    let forged = back(&desk, &leaving.cookie, "forged", "{}").await;
    assert_eq!(forged.status(), StatusCode::FORBIDDEN);
    let mut url: Url = format!("{}/sign-in/oidc/back", desk.url).parse().unwrap();
    url.query_pairs_mut()
        .append_pair("state", &leaving.query("state"))
        .append_pair("code", "{}")
        .append_pair("iss", "https://evil.example");
    let response = desk.client.get(url).header("cookie", &leaving.cookie).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN, "another issuer answers");
}

#[tokio::test]
async fn who_has_to_prove_it_again_does_so_at_the_provider_and_signs_out_there_too() {
    let provider = Provider::lying();
    let desk = desk(&provider, "");
    let now = chrono::Utc::now().timestamp();
    let come = async |way: &str, auth_time: Option<i64>| {
        let leaving = leave(&desk, way).await;
        let mut claims = json!({
            "iss": provider.issuer, "aud": "rolecall", "sub": "7", "nonce": leaving.query("nonce"), "iat": now,
            "exp": now + 300, "email": "ana@example.com", "email_verified": true, "groups": ["security"],
        });
        if let Some(time) = auth_time {
            claims["auth_time"] = json!(time);
        }
        let code = json!({"claims": claims, "challenge": leaving.query("code_challenge")});
        let response = back(&desk, &leaving.cookie, &leaving.query("state"), &code.to_string()).await;
        (leaving, response)
    };
    // A session whose proof is not known, or old, is asked for another one.
    for auth_time in [None, Some(now - 3_600)] {
        let (leaving, response) = come("", auth_time).await;
        assert!(leaving.authorize.query_pairs().all(|(name, _)| name != "prompt" && name != "max_age"));
        let ana = session(&response).unwrap_or_else(|| panic!("{}", desk.daemon.said()));
        let page = desk.get("/sign-in/again?next=/reviews", &ana).send().await.unwrap().text().await.unwrap();
        assert!(page.contains("href=\"/sign-in/oidc?again=true&#38;next=%2Freviews\""), "{page}");
    }
    let again = "?again=true&next=/reviews";
    for auth_time in [None, Some(now - 3_600)] {
        let (leaving, response) = come(again, auth_time).await;
        assert_eq!((leaving.query("prompt"), leaving.query("max_age")), ("login".to_owned(), "0".to_owned()));
        assert_eq!((response.status(), session(&response)), (StatusCode::FORBIDDEN, None), "{auth_time:?}");
    }
    eventually("a line in the log", || desk.daemon.said().contains("signed in again just now"));
    let (_, response) = come(again, Some(now + 1)).await;
    assert_eq!(response.headers()["location"], "/reviews");
    let ana = session(&response).unwrap();
    let straight = desk.get("/sign-in/again?next=/reviews", &ana).send().await.unwrap();
    assert_eq!(straight.headers()["location"], "/reviews", "it was just proven");

    let out = desk.post("/sign-out", &ana, "").send().await.unwrap();
    assert_eq!(out.headers()["location"], "/sign-in?left=true");
    let page = desk.get("/sign-in?left=true", "").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("href=\"/sign-in/oidc/leave\""), "{page}");
    let leave = desk.get("/sign-in/oidc/leave", "").send().await.unwrap();
    let to: Url = leave.headers()["location"].to_str().unwrap().parse().unwrap();
    assert!(to.as_str().starts_with(&format!("{}/leave?", provider.issuer)), "{to}");
    let pairs: Vec<(String, String)> = to.query_pairs().into_owned().collect();
    let expected =
        [("client_id", "rolecall".to_owned()), ("post_logout_redirect_uri", format!("{}/sign-in", desk.url))];
    assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value)));
}
