//! What the host makes of an answer to an invocation.

use serde_json::Value;

use super::wire::Response;

/// An invocation that the handler answered.
#[derive(Debug)]
pub(crate) struct Invocation {
    /// The id that the host gave it.
    pub(crate) id: String,
    pub(crate) status: u16,
    /// The whole answer; of one that is not 2xx the host sees nothing but the status.
    pub(crate) answer: Value,
    /// `ReturnValue`, or why the host takes the invocation as failed.
    verdict: Result<Value, String>,
}

impl Invocation {
    pub(super) fn judge(id: String, answer: &Response) -> Self {
        Self {
            id,
            status: answer.status,
            answer: serde_json::from_slice(&answer.body).unwrap_or_default(),
            verdict: judge(answer),
        }
    }

    /// Whether the host takes it as a success.
    pub(crate) fn has_succeeded(&self) -> bool {
        self.verdict.is_ok()
    }

    /// The summary of a successful invocation.
    #[track_caller]
    pub(crate) fn summary(&self) -> &Value {
        match &self.verdict {
            Ok(summary) => summary,
            Err(fault) => panic!("the invocation failed: {fault}: {:#}", self.answer),
        }
    }

    /// Asserts that the host takes it as failed, by a status of 500 and a body it could read.
    #[track_caller]
    pub(crate) fn assert_failed(&self) {
        assert_eq!(self.status, 500, "{:#}", self.answer);
        assert!(self.answer["Outputs"].is_object(), "{:#}", self.answer);
    }

    /// How a log's run ended: `caught_up`, `failed`…
    #[track_caller]
    pub(crate) fn outcome(&self, log_type: &str) -> &str {
        self.log(log_type)["outcome"].as_str().expect("an outcome is a text")
    }

    /// What the answer says of a log.
    #[track_caller]
    pub(crate) fn log(&self, log_type: &str) -> &Value {
        let logs = self.answer["ReturnValue"]["logs"].as_array();
        logs.and_then(|logs| logs.iter().find(|log| log["log_type"] == log_type))
            .unwrap_or_else(|| panic!("nothing about {log_type}: {:#}", self.answer))
    }

    /// Message and hint about a log.
    #[track_caller]
    pub(crate) fn message(&self, log_type: &str) -> String {
        let report = self.log(log_type);
        format!("{} {}", report["message"], report["hint"])
    }

    /// The outcomes of all logs, in the order of the settings.
    pub(crate) fn outcomes(&self) -> Vec<&str> {
        let logs = self.answer["ReturnValue"]["logs"].as_array();
        logs.into_iter().flatten().filter_map(|log| log["outcome"].as_str()).collect()
    }

    /// Whether every log was collected to its end.
    pub(crate) fn is_caught_up(&self) -> bool {
        let outcomes = self.outcomes();
        !outcomes.is_empty() && outcomes.iter().all(|outcome| *outcome == "caught_up")
    }
}

/// The rules of `DefaultHttpWorkerService` and `HttpScriptInvocationResult` in azure-functions-host.
fn judge(answer: &Response) -> Result<Value, String> {
    if !(200..300).contains(&answer.status) {
        return Err(format!("HTTP {}", answer.status));
    }
    let media_type = answer.header("content-type").unwrap_or_default();
    if media_type.split(';').next().map(str::trim) != Some("application/json") {
        return Err(format!("media type \"{media_type}\""));
    }
    let body: Value = serde_json::from_slice(&answer.body)
        .map_err(|fault| format!("the host would hang or fail: {fault}"))?;
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
