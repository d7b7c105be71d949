//! Responses to the host. The body must be a JSON object: an empty one would hang the invocation.

use axum::Json;
use axum::http::StatusCode;
use serde_json::{Value, json};
use strum::IntoEnumIterator as _;

use crate::collector::RunReport;
use crate::status::Outcome;

pub(super) type InvocationResponse = (StatusCode, Json<Value>);

fn response(status: StatusCode, log: &str, return_value: &Value) -> InvocationResponse {
    let body = json!({"Outputs": {}, "Logs": [log], "ReturnValue": return_value});
    (status, Json(body))
}

/// The response after a run: 200 if every available log succeeded or is backing off.
pub(super) fn of_run(report: &RunReport) -> InvocationResponse {
    let status =
        if report.has_failed() { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK };
    let events: u64 = report.logs.iter().map(|log| log.counts.events).sum();
    let outcomes = Outcome::iter().filter_map(|outcome| {
        let logs = report.logs.iter().filter(|log| log.outcome == outcome);
        let count = logs.count();
        (count > 0).then(|| format!("{count} {}", outcome.as_str()))
    });
    let outcomes = outcomes.collect::<Vec<_>>().join(", ");
    let log = format!("{events} events delivered; logs: {outcomes}");
    let report = serde_json::to_value(report).expect("a report has string keys");
    response(status, &log, &report)
}

pub(super) fn already_running() -> InvocationResponse {
    let log = "already running; this invocation did nothing";
    response(StatusCode::OK, log, &json!({"already_running": true}))
}

/// The host discards this body; the reason is already logged.
pub(super) fn failed(status: StatusCode, reason: &str) -> InvocationResponse {
    response(status, reason, &json!({"error": reason}))
}
