//! The bare program: fetches the same pages and sends as many bytes with the same HTTP client.
//!
//! It keeps no state, and parses only the cursor of a page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Client;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256, Sha512};
use tokio::runtime::Builder;

use crate::Fault;
use crate::child::{self, Usage};
use crate::tenant::{CatchUp, Tenant};

/// First argument with which this program runs as the bare program.
pub(crate) const ROLE: &str = "bare";
/// Length of a window, as in the connector, in milliseconds.
const WINDOW: i64 = 60 * 60 * 1_000;

/// The input of the bare program.
#[derive(Debug, Serialize, Deserialize)]
struct Task {
    duo_url: String,
    integration_key: String,
    secret_key: String,
    log_analytics_url: String,
    workspace_id: String,
    shared_key: String,
    /// First and last millisecond.
    from: i64,
    to: i64,
    /// Requests to Azure Monitor after each page.
    posts: u64,
    /// Bytes per request.
    post_bytes: usize,
}

/// Runs the bare program on the pages that the connector fetched before; `pages` of them had rows.
pub(crate) async fn repeat(
    tenant: &Tenant,
    connector: &CatchUp,
    pages: u64,
) -> Result<Usage, Fault> {
    let posts = (connector.posts + pages / 2) / pages;
    let config = tenant.simulator.config();
    let task = Task {
        duo_url: tenant.simulator.duo_url(),
        integration_key: config.integration_key.clone(),
        secret_key: config.secret_key.clone(),
        log_analytics_url: tenant.simulator.log_analytics_url(),
        workspace_id: config.workspace_id.clone(),
        shared_key: config.shared_key.clone(),
        from: config.from.timestamp_millis(),
        to: config.to.timestamp_millis(),
        posts,
        post_bytes: usize::try_from(connector.posted / (posts * pages))?,
    };
    let program = std::env::current_exe()?;
    let program = program.to_str().ok_or("the path of the program is not UTF-8")?;
    let task = serde_json::to_string(&task)?;
    child::run(program, &[ROLE, &task], std::iter::empty()).await
}

/// Runs as the bare program.
pub(crate) fn run(arguments: &[&str]) -> Result<(), Fault> {
    let [task] = arguments else {
        return Err("the bare program needs a task".into());
    };
    let task: Task = serde_json::from_str(task)?;
    let mut runtime = Builder::new_multi_thread();
    runtime.enable_all().build()?.block_on(catch_up(&task))
}

async fn catch_up(task: &Task) -> Result<(), Fault> {
    // Fails only if a provider is already installed.
    rustls::crypto::ring::default_provider().install_default().ok();
    let http = Client::builder().no_proxy().build()?;
    let mut mintime = task.from;
    while mintime < task.to {
        let maxtime = (mintime + WINDOW).min(task.to);
        let mut cursor = None;
        loop {
            let page = task.page(&http, mintime, maxtime, cursor).await?;
            cursor = next_cursor(&page)?;
            if cursor.is_none() {
                break;
            }
            drop(page);
            for _ in 0..task.posts {
                task.post(&http).await?;
            }
        }
        mintime = maxtime;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Metadata {
    next_offset: Option<Vec<String>>,
}

/// The cursor, which the simulator writes at the end of a page, without parsing the page.
fn next_cursor(page: &[u8]) -> Result<Option<String>, Fault> {
    const KEY: &[u8] = b"\"metadata\":";
    let tail = &page[page.len().saturating_sub(300)..];
    let position = tail.windows(KEY.len()).position(|part| part == KEY);
    let behind = &tail[position.ok_or("no metadata at the end")? + KEY.len()..];
    let text = behind.strip_suffix(b"}}").ok_or("unexpected end of the page")?;
    let metadata: Metadata = serde_json::from_slice(text)?;
    Ok(metadata.next_offset.map(|parts| parts.join("%2C")))
}

impl Task {
    async fn page(
        &self,
        http: &Client,
        mintime: i64,
        maxtime: i64,
        cursor: Option<String>,
    ) -> Result<bytes::Bytes, Fault> {
        const PATH: &str = "/admin/v2/logs/authentication";
        let cursor = cursor.map_or_else(String::new, |cursor| format!("&next_offset={cursor}"));
        let query = format!("limit=1000&maxtime={maxtime}&mintime={mintime}{cursor}&sort=ts%3Aasc");
        let date = now().to_rfc2822();
        let nothing = hex::encode(Sha512::digest(b""));
        let text = format!("{date}\nGET\n127.0.0.1\n{PATH}\n{query}\n{nothing}\n{nothing}");
        let mut mac = Hmac::<Sha512>::new_from_slice(self.secret_key.as_bytes())?;
        mac.update(text.as_bytes());
        let signature = hex::encode(mac.finalize().into_bytes());
        let credentials = STANDARD.encode(format!("{}:{signature}", self.integration_key));
        let response = http
            .get(format!("{}{PATH}?{query}", self.duo_url))
            .header("date", date)
            .header("authorization", format!("Basic {credentials}"))
            .send()
            .await?;
        Ok(response.error_for_status()?.bytes().await?)
    }

    async fn post(&self, http: &Client) -> Result<(), Fault> {
        let mut body = Vec::with_capacity(self.post_bytes);
        body.extend_from_slice(b"[{\"row\":\"");
        body.resize(self.post_bytes - 3, b'x');
        body.extend_from_slice(b"\"}]");
        let date = now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let text = format!("POST\n{}\napplication/json\nx-ms-date:{date}\n/api/logs", body.len());
        let key = STANDARD.decode(&self.shared_key)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key)?;
        mac.update(text.as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let url = &self.log_analytics_url;
        http.post(format!("{url}/api/logs?api-version=2016-04-01"))
            .header("authorization", format!("SharedKey {}:{signature}", self.workspace_id))
            .header("content-type", "application/json")
            // Another table, because these are not rows of the connector.
            .header("log-type", "Bare")
            .header("x-ms-date", date)
            .body(body)
            .send()
            .await?
            .error_for_status()?;
        Ok(())
    }
}

fn now() -> DateTime<Utc> {
    #[expect(clippy::disallowed_methods, reason = "a request has the current date")]
    Utc::now()
}
