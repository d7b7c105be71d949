//! Blob Storage as a test looks into it, past the program under test.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Client, Method, Response, StatusCode, Url};
use serde_json::Value;

use super::azurite::{ACCOUNT, ACCOUNT_KEY};
use super::shared_access::account_signature;

/// The name of a log's checkpoint blob or file; a simulated account is named after its address.
pub(crate) fn checkpoint_name(log_type: &str) -> String {
    format!("127.0.0.1/self/{log_type}/checkpoint.json")
}

/// A blob container.
#[derive(Debug)]
pub(crate) struct Container {
    url: Url,
    http: Client,
}

/// A blob as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blob {
    pub(crate) name: String,
    /// `BlockBlob` or `AppendBlob`.
    pub(crate) kind: String,
    pub(crate) length: u64,
}

/// A client without surprises.
pub(crate) fn client() -> Client {
    rustls::crypto::ring::default_provider().install_default().ok();
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(120))
        // The test's own Azurite, whose certificate it made itself.
        .tls_danger_accept_invalid_certs(true)
        .build()
        .expect("a client without surprises")
}

impl Container {
    pub(super) fn new(endpoint: &str, name: &str) -> Self {
        let http = client();
        let mut url = Url::parse(&format!("{endpoint}/{name}")).expect("Azurite's address");
        url.set_query(Some(&account_signature(ACCOUNT, ACCOUNT_KEY, "rwdlac")));
        Self { url, http }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        self.url.path().rsplit('/').next().unwrap_or_default()
    }

    /// Makes the container, which the connector does by itself.
    pub(crate) async fn create(&self) {
        let answer = self.of_container(Method::PUT).await;
        assert_eq!(answer.status(), StatusCode::CREATED);
    }

    /// Deletes the container with everything in it.
    pub(crate) async fn delete(&self) {
        let answer = self.of_container(Method::DELETE).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
    }

    /// Whether the container is there.
    pub(crate) async fn exists(&self) -> bool {
        self.of_container(Method::GET).await.status() == StatusCode::OK
    }

    /// Content of a blob, if it is there.
    pub(crate) async fn read(&self, name: &str) -> Option<Vec<u8>> {
        let url = self.blob(name);
        let answer = self.send(Method::GET, url, &[], Vec::new()).await;
        if answer.status() == StatusCode::NOT_FOUND {
            return None;
        }
        assert_eq!(answer.status(), StatusCode::OK, "{name}");
        Some(answer.bytes().await.expect("the whole blob").to_vec())
    }

    /// Content of a blob that is JSON.
    pub(crate) async fn json(&self, name: &str) -> Value {
        let content = self.read(name).await;
        let content = content.unwrap_or_else(|| panic!("there is no {name}"));
        serde_json::from_slice(&content).unwrap_or_else(|fault| panic!("{name}: {fault}"))
    }

    /// Changes such a blob.
    pub(crate) async fn change(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut content = self.json(name).await;
        change(&mut content);
        self.write(name, content.to_string()).await;
    }

    /// The checkpoint of a log.
    pub(crate) async fn checkpoint(&self, log_type: &str) -> Value {
        self.json(&checkpoint_name(log_type)).await
    }

    /// Writes a block blob, whatever stood there.
    pub(crate) async fn write(&self, name: &str, content: impl Into<Vec<u8>>) {
        let content = content.into();
        // The client leaves the length out where there is nothing, which storage refuses.
        let length = content.len().to_string();
        let kind = [("x-ms-blob-type", "BlockBlob"), ("content-length", &length)];
        let url = self.blob(name);
        let answer = self.send(Method::PUT, url, &kind, content).await;
        assert_eq!(answer.status(), StatusCode::CREATED, "{name}");
    }

    /// Writes an append blob, as the connector's own ids are.
    pub(crate) async fn write_appendable(&self, name: &str, content: impl Into<Vec<u8>>) {
        let kind = [("x-ms-blob-type", "AppendBlob"), ("content-length", "0")];
        let mut url = self.blob(name);
        let made = self.send(Method::PUT, url.clone(), &kind, Vec::new()).await;
        assert_eq!(made.status(), StatusCode::CREATED, "{name}");
        url.query_pairs_mut().append_pair("comp", "appendblock");
        let added = self.send(Method::PUT, url, &[], content.into()).await;
        assert_eq!(added.status(), StatusCode::CREATED, "{name}");
    }

    /// Removes a blob.
    pub(crate) async fn remove(&self, name: &str) {
        let url = self.blob(name);
        let answer = self.send(Method::DELETE, url, &[], Vec::new()).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED, "{name}");
    }

    /// Leases a blob without end, so that nobody else can write it.
    pub(crate) async fn lease(&self, name: &str) {
        let lease = [("x-ms-lease-action", "acquire"), ("x-ms-lease-duration", "-1")];
        let mut url = self.blob(name);
        url.query_pairs_mut().append_pair("comp", "lease");
        let answer = self.send(Method::PUT, url, &lease, Vec::new()).await;
        assert_eq!(answer.status(), StatusCode::CREATED, "{name}");
    }

    /// All blobs, by name.
    pub(crate) async fn list(&self) -> Vec<Blob> {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("restype", "container").append_pair("comp", "list");
        let answer = self.send(Method::GET, url, &[], Vec::new()).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let text = answer.text().await.expect("the whole list");
        // A listing has 5000 blobs at most; the tests have fewer, and only these three fields matter.
        text.split("<Blob>")
            .skip(1)
            .map(|blob| Blob {
                name: between(blob, "<Name>", "</Name>"),
                kind: between(blob, "<BlobType>", "</BlobType>"),
                length: between(blob, "<Content-Length>", "</Content-Length>")
                    .parse()
                    .expect("a length is a number"),
            })
            .collect()
    }

    /// The stored results of hours, by log and hour: `activity` and `2026-11-22T10`.
    pub(crate) async fn results(&self) -> BTreeMap<(String, String), Value> {
        let mut results = BTreeMap::new();
        for blob in self.list().await {
            let parts: Vec<&str> = blob.name.split('/').collect();
            let [_, _, log, "ledger", name] = parts[..] else { continue };
            let Some(date) = name.strip_suffix(".json") else { continue };
            let day = self.json(&blob.name).await;
            for (hour, result) in day["hours"].as_object().expect("a day has hours") {
                results.insert((log.to_owned(), format!("{date}T{hour}")), result.clone());
            }
        }
        results
    }

    async fn of_container(&self, method: Method) -> Response {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("restype", "container");
        self.send(method, url, &[], Vec::new()).await
    }

    fn blob(&self, name: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/{name}", self.url.path()));
        url
    }

    async fn send(
        &self,
        method: Method,
        url: Url,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Response {
        let mut request = self.http.request(method, url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        // Azurite drops a connection now and then when the machine is busy.
        for _ in 0..4 {
            let again = request.try_clone().expect("the body is in memory");
            match again.send().await {
                Ok(answer) => return answer,
                Err(_) => tokio::time::sleep(Duration::from_millis(250)).await,
            }
        }
        request.send().await.expect("Azurite answers")
    }
}

fn between(text: &str, before: &str, after: &str) -> String {
    let found = text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
    let (found, _) = found.unwrap_or_else(|| panic!("no {before} in {text}"));
    found.to_owned()
}
