//! `CiscoDuoStatus`: the status page and its JSON, asked for through the Functions host, which checks the key.
//!
//! Only what is stored is read, and at most every half a minute: whoever has the key cannot make the connector call anybody.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::Utc;
use tokio::sync::Mutex;

use super::App;
use crate::model::Millis;
use crate::status::{Status, content_security_policy, page, page_of_fault};

/// How long an answer is given again.
const KEPT: Duration = Duration::from_secs(30);
/// Longest query that is looked at, in bytes.
const LONGEST_QUERY: usize = 2_000;

/// The last answer.
#[derive(Debug, Default)]
pub(super) struct Kept(Mutex<Option<(Instant, Arc<Status>)>>);

/// In which form the status is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Page,
    Json,
}

pub(super) async fn status(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Response {
    let Some(form) = form(query.as_deref().unwrap_or_default()) else {
        let advice = "the address takes format=json or format=html, and the key of the function; nothing else\n";
        return private("text/plain; charset=utf-8", StatusCode::BAD_REQUEST, advice);
    };
    let answer = match app.collector() {
        Ok(collector) => {
            let mut kept = app.status.0.lock().await;
            let now = Instant::now();
            let fresh = kept
                .as_ref()
                .filter(|(at, _)| now.duration_since(*at) < KEPT);
            let status = if let Some((_, status)) = fresh {
                Arc::clone(status)
            } else {
                #[expect(clippy::disallowed_methods, reason = "the request begins here")]
                let now = Millis::from(Utc::now()) + collector.settings().clock_offset;
                let status = Arc::new(collector.status(now).await);
                *kept = Some((Instant::now(), Arc::clone(&status)));
                status
            };
            drop(kept);
            match form {
                Form::Page => page(&status),
                Form::Json => serde_json::to_string(&*status).expect("a status has text keys"),
            }
        }
        Err(fault) => match form {
            Form::Page => {
                page_of_fault("Nothing is collected: the settings cannot be used.", &fault)
            }
            Form::Json => serde_json::json!({"version": 1, "fault": fault}).to_string(),
        },
    };
    let kind = match form {
        Form::Page => "text/html; charset=utf-8",
        Form::Json => "application/json",
    };
    private(kind, StatusCode::OK, answer)
}

/// An answer that nobody on the way keeps, and for which a browser runs and loads nothing.
fn private(kind: &'static str, status: StatusCode, answer: impl IntoResponse) -> Response {
    let policy = HeaderValue::try_from(content_security_policy()).expect("a policy is plain text");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        ),
        (
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (status, headers, answer).into_response()
}

/// The form that a query asks for; none where it says what nobody understands. `code` and `clientId` are the host's own.
fn form(query: &str) -> Option<Form> {
    if query.len() > LONGEST_QUERY {
        return None;
    }
    let mut form = Form::Page;
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        // The host compares names without regard to case.
        match (&*name.to_ascii_lowercase(), &*value) {
            ("code" | "clientid", _) | ("format", "html") => {}
            ("format", "json") => form = Form::Json,
            _ => return None,
        }
    }
    Some(form)
}

#[cfg(test)]
mod tests {
    use super::{Form, form};

    #[test]
    fn only_known_queries_are_understood() {
        assert_eq!(form(""), Some(Form::Page));
        assert_eq!(
            form("code=abc%3D%3D&format=html&clientId=default"),
            Some(Form::Page)
        );
        assert_eq!(form("Format=json&CODE=x"), Some(Form::Json));
        assert_eq!(form("format=json&code=x"), Some(Form::Json));
        for odd in [
            "format=xml",
            "format",
            "log=activity",
            "%00=1",
            "format=json&format=exe",
        ] {
            assert_eq!(form(odd), None, "{odd}");
        }
        assert_eq!(form(&format!("code={}", "a".repeat(3_000))), None);
    }
}
