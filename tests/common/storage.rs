//! Direct access to Blob Storage, without the program under test.

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

/// A blob in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blob {
    pub(crate) name: String,
    /// `BlockBlob` or `AppendBlob`.
    pub(crate) kind: String,
    pub(crate) length: u64,
}

/// A client without proxy and redirects.
pub(crate) fn client() -> Client {
    rustls::crypto::ring::default_provider().install_default().ok();
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(120))
        // The certificate of Azurite is self-signed.
        .tls_danger_accept_invalid_certs(true)
        .build()
        .expect("the client can be built")
}

impl Container {
    pub(super) fn new(endpoint: &str, name: &str) -> Self {
        let http = client();
        let mut url = Url::parse(&format!("{endpoint}/{name}")).expect("Azurite's address");
        url.set_query(Some(&account_signature(ACCOUNT, ACCOUNT_KEY, "rwdlac")));
        Self { url, http }
    }

    /// The container's name.
    pub(crate) fn name(&self) -> &str {
        self.url.path().rsplit('/').next().unwrap_or_default()
    }

    /// Creates the container, which the connector otherwise does itself.
    pub(crate) async fn create(&self) {
        let response = self.of_container(Method::PUT).await;
        assert_eq!(response.status(), StatusCode::CREATED);
    }

    /// Deletes the container with its content.
    pub(crate) async fn delete(&self) {
        let response = self.of_container(Method::DELETE).await;
        assert_eq!(response.status(), StatusCode::ACCEPTED);
    }

    /// Whether the container exists.
    pub(crate) async fn exists(&self) -> bool {
        self.of_container(Method::GET).await.status() == StatusCode::OK
    }

    /// Content of a blob, if it exists.
    pub(crate) async fn read(&self, name: &str) -> Option<Vec<u8>> {
        let url = self.blob(name);
        let response = self.send(Method::GET, url, &[], Vec::new()).await;
        if response.status() == StatusCode::NOT_FOUND {
            return None;
        }
        assert_eq!(response.status(), StatusCode::OK, "{name}");
        Some(response.bytes().await.expect("the whole blob is received").to_vec())
    }

    /// Content of a JSON blob.
    pub(crate) async fn json(&self, name: &str) -> Value {
        let content = self.read(name).await;
        let content = content.unwrap_or_else(|| panic!("there is no {name}"));
        serde_json::from_slice(&content).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Changes a JSON blob.
    pub(crate) async fn change(&self, name: &str, change: impl FnOnce(&mut Value)) {
        let mut content = self.json(name).await;
        change(&mut content);
        self.write(name, content.to_string()).await;
    }

    /// The checkpoint of a log.
    pub(crate) async fn checkpoint(&self, log_type: &str) -> Value {
        self.json(&checkpoint_name(log_type)).await
    }

    /// Writes a block blob, replacing any blob of this name.
    pub(crate) async fn write(&self, name: &str, content: impl Into<Vec<u8>>) {
        let content = content.into();
        // reqwest omits the length of an empty body, which storage refuses.
        let length = content.len().to_string();
        let kind = [("x-ms-blob-type", "BlockBlob"), ("content-length", &length)];
        let url = self.blob(name);
        let response = self.send(Method::PUT, url, &kind, content).await;
        assert_eq!(response.status(), StatusCode::CREATED, "{name}");
    }

    /// Writes an append blob, the type of the connector's blobs of ids.
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
        let response = self.send(Method::DELETE, url, &[], Vec::new()).await;
        assert_eq!(response.status(), StatusCode::ACCEPTED, "{name}");
    }

    /// Acquires an infinite lease, so that no other client can write the blob.
    pub(crate) async fn lease(&self, name: &str) {
        let lease = [("x-ms-lease-action", "acquire"), ("x-ms-lease-duration", "-1")];
        let mut url = self.blob(name);
        url.query_pairs_mut().append_pair("comp", "lease");
        let response = self.send(Method::PUT, url, &lease, Vec::new()).await;
        assert_eq!(response.status(), StatusCode::CREATED, "{name}");
    }

    /// All blobs, sorted by name.
    pub(crate) async fn list(&self) -> Vec<Blob> {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("restype", "container").append_pair("comp", "list");
        let response = self.send(Method::GET, url, &[], Vec::new()).await;
        assert_eq!(response.status(), StatusCode::OK);
        let text = response.text().await.expect("the whole list is received");
        // A listing has at most 5,000 blobs; the tests have fewer and need only these three fields.
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
        // Azurite sometimes drops a connection when the machine is busy.
        for _ in 0..4 {
            let again = request.try_clone().expect("the body is in memory");
            match again.send().await {
                Ok(response) => return response,
                Err(_) => tokio::time::sleep(Duration::from_millis(250)).await,
            }
        }
        request.send().await.expect("Azurite responds")
    }
}

fn between(text: &str, before: &str, after: &str) -> String {
    let found = text.split_once(before).and_then(|(_, rest)| rest.split_once(after));
    let (found, _) = found.unwrap_or_else(|| panic!("no {before} in {text}"));
    found.to_owned()
}
