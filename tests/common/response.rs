//! How the host evaluates the response to an invocation.

use serde_json::Value;

use super::wire::Response;

/// An invocation with a response.
#[derive(Debug)]
pub(crate) struct Invocation {
    /// The invocation id.
    pub(crate) id: String,
    pub(crate) status: u16,
    /// The whole response body; if the status is not 2xx, the host reads only the status.
    pub(crate) response: Value,
    /// `ReturnValue`, or why the host considers the invocation failed.
    verdict: Result<Value, String>,
}

impl Invocation {
    pub(super) fn evaluate(id: String, response: &Response) -> Self {
        Self {
            id,
            status: response.status,
            response: serde_json::from_slice(&response.body).unwrap_or_default(),
            verdict: evaluate(response),
        }
    }

    /// Whether the host considers the invocation successful.
    pub(crate) fn has_succeeded(&self) -> bool {
        self.verdict.is_ok()
    }

    /// The summary of a successful invocation.
    #[track_caller]
    pub(crate) fn summary(&self) -> &Value {
        match &self.verdict {
            Ok(summary) => summary,
            Err(error) => panic!("the invocation failed: {error}: {:#}", self.response),
        }
    }

    /// Asserts a status of 500, which the host takes as failed, and a readable body.
    #[track_caller]
    pub(crate) fn assert_failed(&self) {
        assert_eq!(self.status, 500, "{:#}", self.response);
        assert!(self.response["Outputs"].is_object(), "{:#}", self.response);
    }

    /// The outcome of a log's run, for example `caught_up` or `failed`.
    #[track_caller]
    pub(crate) fn outcome(&self, log_type: &str) -> &str {
        self.log(log_type)["outcome"].as_str().expect("an outcome is text")
    }

    /// The part of the response about a log.
    #[track_caller]
    pub(crate) fn log(&self, log_type: &str) -> &Value {
        let logs = self.response["ReturnValue"]["logs"].as_array();
        logs.and_then(|logs| logs.iter().find(|log| log["log_type"] == log_type))
            .unwrap_or_else(|| panic!("nothing about {log_type}: {:#}", self.response))
    }

    /// Message and hint of a log.
    #[track_caller]
    pub(crate) fn message(&self, log_type: &str) -> String {
        let report = self.log(log_type);
        format!("{} {}", report["message"], report["hint"])
    }

    /// The outcomes of all logs, in the order of the settings.
    pub(crate) fn outcomes(&self) -> Vec<&str> {
        let logs = self.response["ReturnValue"]["logs"].as_array();
        logs.into_iter().flatten().filter_map(|log| log["outcome"].as_str()).collect()
    }

    /// Whether every log has caught up.
    pub(crate) fn is_caught_up(&self) -> bool {
        let outcomes = self.outcomes();
        !outcomes.is_empty() && outcomes.iter().all(|outcome| *outcome == "caught_up")
    }
}

/// The rules of `DefaultHttpWorkerService` and `HttpScriptInvocationResult` in the real host.
fn evaluate(response: &Response) -> Result<Value, String> {
    if !(200..300).contains(&response.status) {
        return Err(format!("HTTP {}", response.status));
    }
    let media_type = response.header("content-type").unwrap_or_default();
    if media_type.split(';').next().map(str::trim) != Some("application/json") {
        return Err(format!("media type \"{media_type}\""));
    }
    let body: Value = serde_json::from_slice(&response.body)
        .map_err(|error| format!("the host would hang or fail: {error}"))?;
    if !body.is_object() {
        return Err(format!("the host would hang: the body is {body}"));
    }
    if !body["Outputs"].is_object() {
        return Err(format!("Outputs is {}", body["Outputs"]));
    }
    let logs = &body["Logs"];
    let texts = |logs: &Vec<Value>| logs.iter().all(Value::is_string);
    if !(logs.is_null() || logs.as_array().is_some_and(texts)) {
        return Err(format!("Logs is {logs}"));
    }
    Ok(body["ReturnValue"].clone())
}
