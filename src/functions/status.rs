//! `CiscoDuoStatus`: status page and JSON, served through the Functions host, which checks the key.
//!
//! Reads only stored results, at most every 30 s: clients cannot cause requests to Duo or Azure.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::Mutex;

use super::App;
use crate::collector::Collector;
use crate::status::{Status, content_security_policy, page, page_of_error};

const CACHED_FOR: Duration = Duration::from_secs(30);
/// Maximum query, in bytes.
const LONGEST_QUERY: usize = 2_000;

#[derive(Debug, Default)]
pub(super) struct StatusCache(Mutex<Option<(Instant, Arc<Status>)>>);

impl StatusCache {
    async fn get(&self, collector: &Collector) -> Arc<Status> {
        let mut cached = self.0.lock().await;
        match &*cached {
            Some((at, status)) if at.elapsed() < CACHED_FOR => Arc::clone(status),
            _ => {
                let status = Arc::new(collector.status().await);
                *cached = Some((Instant::now(), Arc::clone(&status)));
                status
            }
        }
    }
}

pub(super) async fn status(app: &App, query: &str) -> Response {
    let Some(is_json) = wants_json(query) else {
        let advice = "unsupported query parameter; use format=json or format=html, and code=KEY\n";
        return private("text/plain; charset=utf-8", StatusCode::BAD_REQUEST, advice);
    };
    let status = match app.collector() {
        Ok(collector) => Ok(app.status.get(collector).await),
        Err(error) => Err(error),
    };
    if is_json {
        let body = match status {
            Ok(status) => serde_json::to_string(&*status).expect("a status has text keys"),
            Err(error) => serde_json::json!({"version": 1, "error": error}).to_string(),
        };
        return private("application/json", StatusCode::OK, body);
    }
    let page = match status {
        Ok(status) => page(&status),
        Err(error) => page_of_error("Nothing is collected: the settings cannot be used.", &error),
    };
    private("text/html; charset=utf-8", StatusCode::OK, page)
}

/// A response that is not cached and for which a browser runs and loads nothing.
fn private(kind: &str, status: StatusCode, body: impl IntoResponse) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, &content_security_policy()),
    ];
    (status, headers, body).into_response()
}

/// Whether a query requests JSON; `None` if invalid. `code` and `clientId` belong to the host.
fn wants_json(query: &str) -> Option<bool> {
    if query.len() > LONGEST_QUERY {
        return None;
    }
    let mut is_json = false;
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        // The host ignores the case of names.
        match (&*name.to_ascii_lowercase(), &*value) {
            ("code" | "clientid", _) | ("format", "html") => {}
            ("format", "json") => is_json = true,
            _ => return None,
        }
    }
    Some(is_json)
}

#[cfg(test)]
mod tests {
    use super::wants_json;

    #[test]
    fn only_known_queries_are_accepted() {
        assert_eq!(wants_json(""), Some(false));
        assert_eq!(wants_json("code=abc%3D%3D&format=html&clientId=default"), Some(false));
        assert_eq!(wants_json("Format=json&CODE=x"), Some(true));
        assert_eq!(wants_json("format=json&code=x"), Some(true));
        for invalid in ["format=xml", "format", "log=activity", "%00=1", "format=json&format=exe"] {
            assert_eq!(wants_json(invalid), None, "{invalid}");
        }
        assert_eq!(wants_json(&format!("code={}", "a".repeat(3_000))), None);
    }
}
