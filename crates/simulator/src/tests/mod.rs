//! The simulator as its clients see it.

mod accounts;
mod faults;
mod reading;

use reqwest::{Client, Response, redirect::Policy};
use serde_json::Value;

use super::{Options, Simulator};

/// A simulator, a client and a token.
struct Visit {
    simulator: Simulator,
    client: Client,
    token: String,
}

impl Visit {
    async fn start(options: Options) -> Self {
        let simulator = Simulator::start(options).unwrap();
        // Fails only if another test was first; that one installed the same provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
        let mut visit = Self { simulator, client, token: String::new() };
        visit.token = visit.new_token().await;
        visit
    }

    /// An access token, or nothing where none was given.
    async fn new_token(&self) -> String {
        let answer: Value = self.post_token(&self.refresh_parameters()).await.json().await.unwrap_or_default();
        answer["access_token"].as_str().unwrap_or_default().to_owned()
    }

    fn refresh_parameters(&self) -> Vec<(&'static str, String)> {
        let credentials = self.simulator.credentials();
        vec![
            ("grant_type", "refresh_token".to_owned()),
            ("client_id", credentials.client_id.clone()),
            ("client_secret", credentials.client_secret.clone()),
            ("refresh_token", credentials.refresh_token.clone()),
        ]
    }

    async fn post_token(&self, parameters: &[(&'static str, String)]) -> Response {
        self.client.post(self.url("/oauth/v2/token")).form(parameters).send().await.unwrap()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.simulator.base_url())
    }

    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = self.url(&format!("/bigin/v2{path}"));
        self.client
            .request(method.parse().unwrap(), url)
            .header("Authorization", format!("Zoho-oauthtoken {}", self.token))
    }

    async fn get(&self, path: &str) -> Response {
        self.request("GET", path).send().await.unwrap()
    }

    /// Status and body; null for an answer without one.
    async fn get_json(&self, path: &str) -> (u16, Value) {
        read(self.get(path).await).await
    }

    /// Reads page after page while there are more, as a plain client does.
    async fn all_ids(&self) -> Vec<String> {
        let mut ids = Vec::new();
        for page in 1..100 {
            let (_, body) = self.get_json(&format!("/users?page={page}")).await;
            ids.extend(ids_in(&body));
            if body["info"]["more_records"] != true {
                return ids;
            }
        }
        panic!("the list does not end");
    }
}

async fn read(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() })
}

fn ids_in(body: &Value) -> Vec<String> {
    let users = body["users"].as_array().map(Vec::as_slice).unwrap_or_default();
    users.iter().map(|user| user["id"].as_str().unwrap_or("none").to_owned()).collect()
}
