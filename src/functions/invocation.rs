//! Parses invocations of the host. All fields are optional: an invalid invocation still runs.

use axum::extract::Request;
use serde_json::Value;

/// Maximum body, in bytes.
const LARGEST_BODY: usize = 1024 * 1024;
/// Maximum invocation id in logs.
const LONGEST_ID: usize = 64;

/// One invocation by the Functions host.
#[derive(Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The host's invocation id, or `-`.
    pub id: String,
    /// Whether the host missed earlier ticks.
    pub is_past_due: bool,
}

impl Invocation {
    /// Parses an invocation. An empty or invalid body is not past due.
    pub async fn read(request: Request) -> Self {
        let id = request.headers().get("x-azure-functions-invocationid");
        let id: String = id
            .and_then(|id| id.to_str().ok())
            .unwrap_or_default()
            .chars()
            .filter(|char| char.is_ascii_alphanumeric() || *char == '-')
            .take(LONGEST_ID)
            .collect();
        let body =
            axum::body::to_bytes(request.into_body(), LARGEST_BODY).await.unwrap_or_default();
        let is_past_due =
            serde_json::from_slice::<Value>(&body).is_ok_and(|body| is_past_due(&body));
        Self { id: if id.is_empty() { "-".to_owned() } else { id }, is_past_due }
    }
}

/// Parses `Data.myTimer.IsPastDue`. The host sends the timer as an object; for other triggers it
/// sends JSON in strings, and its documentation shows both.
fn is_past_due(body: &Value) -> bool {
    let timer = &body["Data"]["myTimer"];
    let decoded = timer.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let value = &decoded.as_ref().unwrap_or(timer)["IsPastDue"];
    value
        .as_bool()
        .unwrap_or_else(|| value.as_str().is_some_and(|text| text.eq_ignore_ascii_case("true")))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::Request;

    use super::Invocation;

    async fn read(id: &str, body: impl Into<Body>) -> Invocation {
        let request = Request::builder().header("X-Azure-Functions-InvocationId", id);
        Invocation::read(request.body(body.into()).unwrap()).await
    }

    #[tokio::test]
    async fn timer_invocations_of_the_host_are_parsed() {
        let body = r#"{"Data":{"myTimer":{"Schedule":{"AdjustForDST":true},"ScheduleStatus":{"Last":"0001-01-01T00:00:00",
            "Next":"2026-11-22T10:10:00+00:00","LastUpdated":"0001-01-01T00:00:00+00:00"},"IsPastDue":true}},
            "Metadata":{"sys":{"MethodName":"CiscoDuoTimer","UtcNow":"2026-11-22T10:10:00.0153312Z"}}}"#;
        let id = "5f3c9d0e-3a2e-4f43-9a0c-0b6a3a9d6f11";
        assert_eq!(read(id, body).await, Invocation { id: id.to_owned(), is_past_due: true });
        let encoded = r#"{"Data":{"myTimer":"{\"IsPastDue\":true}"}}"#;
        assert!(read(id, encoded).await.is_past_due);
    }
}
