//! Why Duo gave no page, in words and in what the core decides by.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::sync::FetchFault;

/// A question that Duo did not answer with a page.
#[derive(Debug)]
pub struct DuoError {
    /// What the core decides by.
    pub fault: FetchFault,
    /// Path of the endpoint.
    pub path: &'static str,
    /// HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// What went wrong, in one line.
    pub reason: String,
    /// Seconds by which the local clock is ahead of Duo's (negative: behind), where the answer had a date.
    pub clock_ahead_seconds: Option<i64>,
}

/// Clock difference that may explain refused credentials, in seconds.
const SUSPICIOUS_SKEW: i64 = 60;

impl DuoError {
    /// What to do about it; names the setting.
    pub fn hint(&self) -> Option<String> {
        let skew = self.clock_ahead_seconds.unwrap_or(0);
        match self.fault {
            FetchFault::Credentials if skew.abs() > SUSPICIOUS_SKEW => Some(format!(
                "the local clock is {} s {} Duo's; correct it, Duo refuses dates that are off by minutes",
                skew.abs(),
                if skew > 0 { "ahead of" } else { "behind" }
            )),
            FetchFault::Credentials => Some(
                "check that CISCO_DUO_INTEGRATION_KEY, CISCO_DUO_SECRET_KEY and CISCO_DUO_API_HOSTNAME are from \
                 one Admin API application, and that no proxy rewrites the Date header"
                    .to_owned(),
            ),
            FetchFault::Forbidden => Some(
                "give the Admin API application the permission \"Grant read log\", check its allowed networks and \
                 that the Duo edition has this log, or leave it out of CISCO_DUO_LOG_TYPES"
                    .to_owned(),
            ),
            FetchFault::Gone => {
                Some("check CISCO_DUO_API_HOSTNAME; if it is right, Duo ended this log".to_owned())
            }
            FetchFault::Garbled => Some(
                "something between here and Duo answers in its place: check CISCO_DUO_API_HOSTNAME and the proxy"
                    .to_owned(),
            ),
            FetchFault::Unreachable if self.status.is_none() => Some(
                "check CISCO_DUO_API_HOSTNAME, DNS, outbound HTTPS and HTTPS_PROXY; it is tried again".to_owned(),
            ),
            _ => None,
        }
    }
}

impl fmt::Display for DuoError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(
                formatter,
                "Duo answered {} with HTTP {status}: {}",
                self.path, self.reason
            ),
            None => write!(
                formatter,
                "no answer from Duo for {}: {}",
                self.path, self.reason
            ),
        }
    }
}

impl std::error::Error for DuoError {}

/// What the core makes of an HTTP status other than success.
pub(super) fn fault_of_status(status: u16, retry_after: Option<i64>) -> FetchFault {
    match status {
        400 => FetchFault::Rejected,
        401 => FetchFault::Credentials,
        403 => FetchFault::Forbidden,
        404 | 410 => FetchFault::Gone,
        408 | 500..=599 => FetchFault::Unreachable,
        429 => FetchFault::Throttled { retry_after },
        _ => FetchFault::Fatal,
    }
}

/// Duo's own words for a refusal: code, message and detail, where the body has them.
pub(super) fn reason_of_body(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        #[serde(default)]
        code: Value,
        message: Option<String>,
        message_detail: Option<String>,
    }
    let Ok(refusal) = serde_json::from_slice::<Refusal>(body) else {
        return "the answer does not say why".to_owned();
    };
    let mut reason = one_line(&refusal.message.unwrap_or_else(|| "no message".to_owned()));
    if let Some(detail) = refusal.message_detail {
        reason = format!("{reason} ({})", one_line(&detail));
    }
    // The code is an empty string at times.
    if let Value::Number(code) = refusal.code {
        reason = format!("{reason}, code {code}");
    }
    reason
}

/// Text from outside, made fit for one line of a log.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 200;
    text.chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .take(LONGEST)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::reason_of_body;

    #[test]
    fn refusals_are_told_in_duos_words() {
        let body = br#"{"stat":"FAIL","code":40002,"message":"Invalid request parameters","message_detail":"mintime"}"#;
        assert_eq!(
            reason_of_body(body),
            "Invalid request parameters (mintime), code 40002"
        );
    }

    #[test]
    fn a_refusal_without_code_or_without_json_is_told_too() {
        assert_eq!(
            reason_of_body(br#"{"stat":"FAIL","code":"","message":"no\nway"}"#),
            "no way"
        );
        assert_eq!(reason_of_body(b"<html>"), "the answer does not say why");
    }
}
