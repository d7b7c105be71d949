//! The `SharedKey` signature of the Data Collector API.
//!
//! <https://learn.microsoft.com/en-us/azure/azure-monitor/logs/data-collector-api#authorization>

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Refusal;
use crate::Config;
use crate::clock::{http_date, parse_date};

/// Allowed difference of the date in seconds; the true limit is not documented.
const WINDOW_SECONDS: i64 = 15 * 60;

/// Refuses a request that is not signed with the workspace's key, or whose date is not current.
pub(super) fn check(
    headers: &HeaderMap,
    length: usize,
    config: &Config,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let credentials = text(AUTHORIZATION.as_str())
        .and_then(|value| value.strip_prefix("SharedKey "))
        .and_then(|value| value.split_once(':'))
        .ok_or_else(|| refused("the Authorization header is missing or malformed"))?;
    let (workspace_id, signature) = credentials;
    if !is_guid(workspace_id) {
        return Err(Refusal::bad_request("InvalidCustomerId", "the workspace ID is not a GUID"));
    }
    if workspace_id != config.workspace_id {
        return Err(refused("the workspace ID is not known"));
    }
    let date = text("x-ms-date").ok_or_else(|| refused("x-ms-date is missing"))?;
    let time = parse_date(date)
        .filter(|time| http_date(*time) == date)
        .ok_or_else(|| refused("x-ms-date is not in RFC 1123 form with GMT"))?;
    if (now - time).num_seconds().abs() > WINDOW_SECONDS {
        return Err(refused("x-ms-date is too far from the present"));
    }
    if sign(&config.shared_key, length, date).as_deref() != Some(signature) {
        return Err(refused("the signature is wrong"));
    }
    Ok(())
}

fn refused(message: &str) -> Refusal {
    Refusal { status: 403, code: "InvalidAuthorization", message: message.to_owned() }
}

fn is_guid(text: &str) -> bool {
    crate::events::parse_uuid(text).is_some()
}

/// The signature over a body of `length` bytes; `None` if the key is not base64.
fn sign(shared_key: &str, length: usize, date: &str) -> Option<String> {
    let key = STANDARD.decode(shared_key).ok()?;
    let signed = format!("POST\n{length}\napplication/json\nx-ms-date:{date}\n/api/logs");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes a key of any length");
    mac.update(signed.as_bytes());
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors generated with Python's hmac.
    #[test]
    fn the_signed_length_is_in_bytes() {
        let key = Config::default().shared_key;
        let body = "[{\"a\":1}]";
        let signature = sign(&key, body.len(), "Sun, 22 Nov 2026 15:04:05 GMT").unwrap();
        assert_eq!(signature, "5T9H/hd+AdnJtblu54ItleZRxd33D7yE5XIEAisZCWQ=");
        let key = "SJ8ilzc90j3sYI9Jbg7oytYKLDCEUSLzwE1EGWJmG4rgcM7kzQHbtCzQnFI0wI1eG8PZNT9LGPfJ6B+I/47n6w==";
        let body = "[{\"user\":{\"name\":\"Zo\u{eb} \u{2713}\"},\"timestamp\":1795359845}]";
        let date = "Mon, 04 Apr 2016 08:00:00 GMT";
        let signature = sign(key, body.len(), date).unwrap();
        assert_eq!(signature, "sNjPgmwmkCJgMG/rbjSAkyjk/GanCmKyIsHry+yN1Fw=");
        let characters = sign(key, body.chars().count(), date).unwrap();
        assert_eq!(characters, "54Juvkt4Ye+mUJ9l8riq1YEpB9iFW24DVeTEanOde6U=");
    }
}
