//! `CiscoDuoStatus`: the status page and its JSON, requested through the Functions host, which checks the key.
//!
//! Only stored results are read, and at most every 30 seconds: a client with the key cannot cause a request to Duo or Azure.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::Mutex;

use super::App;
use crate::collector::Collector;
use crate::status::{Status, content_security_policy, page, page_of_error};

const KEPT: Duration = Duration::from_secs(30);
/// Longest query that is parsed, in bytes.
const LONGEST_QUERY: usize = 2_000;

#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Option<(Instant, Arc<Status>)>>);

impl Kept {
    async fn get(&self, collector: &Collector) -> Arc<Status> {
        let mut kept = self.0.lock().await;
        match &*kept {
            Some((at, status)) if at.elapsed() < KEPT => Arc::clone(status),
            _ => {
                let status = Arc::new(collector.status().await);
                *kept = Some((Instant::now(), Arc::clone(&status)));
                status
            }
        }
    }
}

pub(super) async fn status(app: &App, query: &str) -> Response {
    let Some(is_json) = wants_json(query) else {
        let advice = "the address takes format=json or format=html, and the key of the function; nothing else\n";
        return private("text/plain; charset=utf-8", StatusCode::BAD_REQUEST, advice);
    };
    let status = match app.collector() {
        Ok(collector) => Ok(app.status.get(collector).await),
        Err(error) => Err(error),
    };
    if is_json {
        let body = match status {
            Ok(status) => serde_json::to_string(&*status).expect("a status has text keys"),
            Err(error) => serde_json::json!({"version": 1, "fault": error}).to_string(),
        };
        return private("application/json", StatusCode::OK, body);
    }
    let page = match status {
        Ok(status) => page(&status),
        Err(error) => page_of_error("Nothing is collected: the settings cannot be used.", &error),
    };
    private("text/html; charset=utf-8", StatusCode::OK, page)
}

/// A response that no cache keeps, and for which a browser runs and loads nothing.
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

/// Whether a query asks for JSON rather than the page; none where it has an unknown part. `code` and `clientId` are the host's.
fn wants_json(query: &str) -> Option<bool> {
    if query.len() > LONGEST_QUERY {
        return None;
    }
    let mut is_json = false;
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        // The host compares names without regard to case.
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
    use super::wants_json as form;

    #[test]
    fn only_known_queries_are_understood() {
        assert_eq!(form(""), Some(false));
        assert_eq!(form("code=abc%3D%3D&format=html&clientId=default"), Some(false));
        assert_eq!(form("Format=json&CODE=x"), Some(true));
        assert_eq!(form("format=json&code=x"), Some(true));
        for odd in ["format=xml", "format", "log=activity", "%00=1", "format=json&format=exe"] {
            assert_eq!(form(odd), None, "{odd}");
        }
        assert_eq!(form(&format!("code={}", "a".repeat(3_000))), None);
    }
}
