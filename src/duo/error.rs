//! Errors of the Duo Admin API and their hints.

use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::Value;

use crate::model::{FetchError, FetchErrorKind};

const SUSPICIOUS_SKEW_S: i64 = 60;

/// Duo's message if the keys belong to an application of another type.
const WRONG_APPLICATION: &str = "Wrong integration type";

/// A hint that is more precise than that of the error code: the keys belong to an application of
/// another type, or credentials are refused and the local clock may be wrong.
pub fn hint(error: &FetchError) -> Option<String> {
    if error.kind == FetchErrorKind::Forbidden && error.reason.contains(WRONG_APPLICATION) {
        let hint = "use the keys of an application of the type Admin API: Duo Admin Panel > Applications > Protect an Application > Admin API";
        return Some(hint.to_owned());
    }
    let skew = error.clock_ahead.unwrap_or_default().num_seconds();
    let is_suspicious = skew.abs() > SUSPICIOUS_SKEW_S;
    (error.kind == FetchErrorKind::Credentials && is_suspicious).then(|| {
        format!(
            "the local clock is {} s {} Duo's; correct it, Duo refuses dates that are off by minutes",
            skew.abs(),
            if skew > 0 { "ahead of" } else { "behind" }
        )
    })
}

pub(super) fn kind_of_status(status: u16, retry_after: Option<TimeDelta>) -> FetchErrorKind {
    match status {
        400 => FetchErrorKind::Rejected,
        401 => FetchErrorKind::Credentials,
        403 => FetchErrorKind::Forbidden,
        404 | 410 => FetchErrorKind::Gone,
        408 | 500..=599 => FetchErrorKind::Unreachable,
        429 => FetchErrorKind::Throttled { retry_after },
        _ => FetchErrorKind::Fatal,
    }
}

/// Message, detail and code of Duo's error response.
pub(super) fn reason_of_body(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        #[serde(default)]
        code: Value,
        message: Option<String>,
        message_detail: Option<String>,
    }
    let Ok(refusal) = serde_json::from_slice::<Refusal>(body) else {
        return "the response gives no reason".to_owned();
    };
    let mut reason = one_line(&refusal.message.unwrap_or_else(|| "no message".to_owned()));
    if let Some(detail) = refusal.message_detail {
        reason = format!("{reason} ({})", one_line(&detail));
    }
    // The code may be an empty string.
    if let Value::Number(code) = refusal.code {
        reason = format!("{reason}, code {code}");
    }
    reason
}

/// Makes external text safe for one line of a log.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 200;
    text.chars().map(|char| if char.is_control() { ' ' } else { char }).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::reason_of_body;

    #[test]
    fn refusals_are_reported_with_duos_message() {
        let body = br#"{"stat":"FAIL","code":40002,"message":"Invalid request parameters","message_detail":"mintime"}"#;
        assert_eq!(reason_of_body(body), "Invalid request parameters (mintime), code 40002");
    }

    #[test]
    fn a_refusal_without_code_or_without_json_is_reported() {
        assert_eq!(reason_of_body(br#"{"stat":"FAIL","code":"","message":"no\nway"}"#), "no way");
        assert_eq!(reason_of_body(b"<html>"), "the response gives no reason");
    }
}
