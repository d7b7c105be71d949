//! A small client of all simulators, with its own implementation of signatures.

use std::sync::Once;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::{Digest, Sha256, Sha512};
use simulator::{Config, LogType, Simulator};

static PROVIDER: Once = Once::new();

pub(crate) struct Caller {
    pub(crate) simulator: Simulator,
    http: Client,
}

impl Caller {
    pub(crate) async fn start(config: Config) -> Self {
        PROVIDER.call_once(|| {
            rustls::crypto::ring::default_provider().install_default().unwrap();
        });
        let http = Client::builder().no_proxy().timeout(Duration::from_secs(60));
        let simulator = Simulator::start(config).await.unwrap();
        Self { simulator, http: http.build().unwrap() }
    }

    /// A request for a log, signed with v5; `query` must be in canonical form.
    pub(crate) fn duo(&self, log: LogType, query: &str) -> RequestBuilder {
        self.duo_dated(log, query, self.simulator.clock().now())
    }

    pub(crate) fn duo_dated(
        &self,
        log: LogType,
        query: &str,
        time: DateTime<Utc>,
    ) -> RequestBuilder {
        let config = self.simulator.config();
        let date = time.to_rfc2822();
        let empty = hex::encode(Sha512::digest(b""));
        let signed = [&date, "GET", "127.0.0.1", log.path(), query, &empty, &empty].join("\n");
        let mut mac = Hmac::<Sha512>::new_from_slice(config.secret_key.as_bytes()).unwrap();
        mac.update(signed.as_bytes());
        let password = hex::encode(mac.finalize().into_bytes());
        let url = format!("{}{}?{query}", self.simulator.duo_url(), log.path());
        self.http.get(url).header("date", date).basic_auth(&config.integration_key, Some(password))
    }

    pub(crate) fn post(&self, body: &str) -> RequestBuilder {
        let config = self.simulator.config();
        let date = self.simulator.clock().now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let signed = format!("POST\n{}\napplication/json\nx-ms-date:{date}\n/api/logs", body.len());
        let key = STANDARD.decode(&config.shared_key).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(signed.as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let url = self.simulator.log_analytics_url();
        self.http
            .post(format!("{url}/api/logs?api-version=2016-04-01"))
            .header("authorization", format!("SharedKey {}:{signature}", config.workspace_id))
            .header("content-type", "application/json")
            .header("log-type", "CiscoDuo")
            .header("x-ms-date", date)
            .body(body.to_owned())
    }

    pub(crate) async fn deliver(&self, rows: &[String]) -> Response {
        self.post(&format!("[{}]", rows.join(","))).send().await.unwrap()
    }

    /// A token for Azure Monitor, from the function app's identity.
    pub(crate) async fn token(&self) -> String {
        self.token_for("https://monitor.azure.com").await
    }

    pub(crate) async fn token_for(&self, audience: &str) -> String {
        let audience = audience.replace(':', "%3A").replace('/', "%2F");
        let url = self.simulator.identity_url();
        let url = format!("{url}?api-version=2019-08-01&resource={audience}");
        let header = &self.simulator.config().identity.header;
        let request = self.http.get(url).header("x-identity-header", header);
        let text = request.send().await.unwrap().text().await.unwrap();
        let body: Value = serde_json::from_str(&text).unwrap();
        body["access_token"].as_str().unwrap().to_owned()
    }

    /// A request to Entra's token endpoint.
    pub(crate) fn entra(&self, tenant: &str, pairs: &[(&str, &str)]) -> RequestBuilder {
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.simulator.authority_url());
        let form =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let request = self.http.post(url);
        request.header("content-type", "application/x-www-form-urlencoded").body(form)
    }

    /// A request to the Logs Ingestion API for the stream `Custom-CiscoDuo`.
    pub(crate) fn ingest(&self, token: &str, body: &str) -> RequestBuilder {
        let rule_id = &self.simulator.config().logs_ingestion.rule_id;
        let path = format!("/dataCollectionRules/{rule_id}/streams/Custom-CiscoDuo");
        self.ingest_at(&format!("{path}?api-version=2023-01-01"), token, body)
    }

    pub(crate) fn ingest_at(&self, path: &str, token: &str, body: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.simulator.logs_ingestion_url());
        self.http
            .post(url)
            .bearer_auth(token)
            .header("content-type", "application/json")
            .body(body.to_owned())
    }

    pub(crate) async fn execute(&self, request: reqwest::Request) -> Response {
        self.http.execute(request).await.unwrap()
    }

    /// The records of a raw page as received texts.
    pub(crate) async fn records(&self, log: LogType, query: &str) -> Vec<String> {
        let text = self.duo(log, query).send().await.unwrap().text().await.unwrap();
        let envelope: Envelope<'_> = serde_json::from_str(&text).unwrap();
        let list = match log {
            LogType::Administrator | LogType::OfflineEnrollment => envelope.response.get(),
            _ => {
                let inner: std::collections::HashMap<&str, &RawValue> =
                    serde_json::from_str(envelope.response.get()).unwrap();
                ["authlogs", "items", "events"]
                    .iter()
                    .find_map(|name| inner.get(name))
                    .unwrap()
                    .get()
            }
        };
        let records: Vec<&RawValue> = serde_json::from_str(list).unwrap();
        records.iter().map(|record| record.get().to_owned()).collect()
    }
}

#[derive(serde::Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    response: &'a RawValue,
}

/// The row that a correct connector sends for a record.
pub(crate) fn row(log: LogType, record: &str, copy: usize) -> String {
    let mut text = record.to_owned();
    for field in ["is_encryption_enabled", "is_firewall_enabled", "is_password_set"] {
        for truth in ["true", "false"] {
            text =
                text.replace(&format!("\"{field}\":{truth}"), &format!("\"{field}\":\"{truth}\""));
        }
    }
    let time = time_of(log, record);
    let uid = Sha256::digest(format!("{log}{record}{copy}").as_bytes());
    let content = Sha256::digest(record.as_bytes());
    let added = json!({
        "eventtype": log.name(), "host": "127.0.0.1", "event_uid": &hex::encode(uid)[..40],
        "event_content": &hex::encode(content)[..8],
        "event_time": time.to_rfc3339(), "ingest_kind": "live", "ingest_batch": "test",
    });
    let added = added.to_string();
    format!("{},{}", &text[..text.len() - 1], &added[1..])
}

fn time_of(log: LogType, record: &str) -> DateTime<Utc> {
    // serde_json rejects a lone surrogate.
    let value: Value = serde_json::from_str(&record.replace("\\ud800", "")).unwrap();
    let whole = |field: &str| value[field].as_i64().unwrap();
    let text = |field: &str| value[field].as_str().unwrap().parse().unwrap();
    match log {
        LogType::Authentication => text("isotimestamp"),
        LogType::Activity | LogType::Telephony => text("ts"),
        LogType::TrustMonitor => {
            DateTime::from_timestamp_millis(whole("surfaced_timestamp")).unwrap()
        }
        LogType::Administrator | LogType::OfflineEnrollment => {
            DateTime::from_timestamp(whole("timestamp"), 0).unwrap()
        }
    }
}
