//! What the host is told. It must always be a JSON object: an empty body would hang the invocation.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};

use crate::collector::RunReport;
use crate::status::Outcome;

/// An answer to an invocation.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    body: Body,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    outputs: Value,
    logs: Vec<String>,
    return_value: Value,
}

impl Answer {
    fn new(status: StatusCode, log: String, return_value: Value) -> Self {
        Self {
            status,
            body: Body {
                outputs: json!({}),
                logs: vec![log],
                return_value,
            },
        }
    }

    /// The run is over: 200 when every log that Duo gives succeeded or waits with its place kept.
    pub(super) fn of_run(report: &RunReport) -> Self {
        let status = if report.has_failed() {
            StatusCode::INTERNAL_SERVER_ERROR
        } else {
            StatusCode::OK
        };
        let events: u64 = report.logs.iter().map(|log| log.events).sum();
        let count = |outcome| {
            report
                .logs
                .iter()
                .filter(|log| log.outcome == outcome)
                .count()
        };
        let outcomes: Vec<String> = Outcome::ALL
            .into_iter()
            .filter(|outcome| count(*outcome) > 0)
            .map(|outcome| format!("{} {}", count(outcome), outcome.as_str()))
            .collect();
        let log = format!("{events} events delivered; logs: {}", outcomes.join(", "));
        let summary = serde_json::to_value(report).expect("a report has string keys");
        Self::new(status, log, summary)
    }

    /// A run is at work already.
    pub(super) fn already_running() -> Self {
        let log = "already running; this invocation did nothing".to_owned();
        Self::new(StatusCode::OK, log, json!({"already_running": true}))
    }

    /// Nothing could be done. The host drops this body: the reason was logged before.
    pub(super) fn failed(reason: &str) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            reason.to_owned(),
            json!({"error": reason}),
        )
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}
