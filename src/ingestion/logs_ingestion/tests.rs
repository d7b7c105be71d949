use reqwest::header::{HeaderMap, HeaderValue};

use chrono::TimeDelta;

use super::{code, kind, without_token};
use crate::ingestion::error::error;
use crate::ingestion::hint;
use crate::ingestion::token::TokenError;
use crate::model::{IngestionApi, SendError, SendErrorKind};

#[test]
fn responses_are_classified_as_documented() {
    let classify = |status| kind(status, None);
    assert_eq!(classify(400), SendErrorKind::BadRecord);
    assert_eq!(classify(401), SendErrorKind::Credentials);
    assert_eq!(classify(403), SendErrorKind::Credentials);
    assert_eq!(classify(404), SendErrorKind::Fatal);
    assert_eq!(classify(413), SendErrorKind::TooLarge);
    assert_eq!(classify(429), SendErrorKind::Throttled { retry_after: None });
    for transient in [408, 500, 502, 503, 504] {
        assert_eq!(classify(transient), SendErrorKind::Unreachable, "{transient}");
    }
    assert_eq!(classify(301), SendErrorKind::Fatal);
    assert_eq!(classify(501), SendErrorKind::Fatal);
}

#[test]
fn retry_after_is_reported() {
    let expected = SendErrorKind::Throttled { retry_after: Some(TimeDelta::seconds(7)) };
    assert_eq!(kind(429, Some(TimeDelta::seconds(7))), expected);
}

const LONGEST: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
const TOO_LONG: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

#[test]
fn only_a_single_word_is_an_error_code() {
    let of = |text: &'static str| {
        code(&HeaderMap::from_iter([(
            "x-ms-error-code".parse().unwrap(),
            HeaderValue::from_static(text),
        )]))
    };
    assert_eq!(of("OperationFailed").as_deref(), Some("OperationFailed"));
    assert_eq!(
        of("ReadyBody_ClientConnectionAbort").as_deref(),
        Some("ReadyBody_ClientConnectionAbort")
    );
    assert_eq!(of("Bearer hunter2"), None);
    assert_eq!(of(""), None);
    assert_eq!(of(LONGEST).as_deref(), Some(LONGEST));
    assert_eq!(of(TOO_LONG), None);
    assert_eq!(code(&HeaderMap::new()), None);
}

fn refusal(api: IngestionApi, kind: SendErrorKind, status: Option<u16>) -> SendError {
    error(api, kind, status, None, "OperationFailed".to_owned())
}

#[test]
fn hints_name_the_settings_of_the_api() {
    let cases = [
        (SendErrorKind::Credentials, Some(401), "CISCO_DUO_CLOUD"),
        (SendErrorKind::Credentials, Some(403), "Monitoring Metrics Publisher"),
        (SendErrorKind::Fatal, Some(404), "LOGS_INGESTION_RULE_ID"),
        (SendErrorKind::Throttled { retry_after: None }, Some(429), "12,000 requests"),
        (SendErrorKind::Fatal, Some(501), "LOGS_INGESTION_GZIP"),
        (SendErrorKind::Unreachable, None, "LOGS_INGESTION_ENDPOINT"),
    ];
    for (error, status, named) in cases {
        let hint = hint(&refusal(IngestionApi::LogsIngestion, error, status)).unwrap();
        assert!(hint.contains(named), "{hint}");
        assert!(!hint.contains("WORKSPACE_ID") && !hint.contains("SHARED_KEY"), "{hint}");
    }
    let of_key = refusal(IngestionApi::DataCollector, SendErrorKind::Credentials, Some(403));
    assert!(hint(&of_key).unwrap().contains("SHARED_KEY"));
    let of_end = refusal(IngestionApi::DataCollector, SendErrorKind::Fatal, Some(410));
    assert!(hint(&of_end).unwrap().contains("LOGS_INGESTION_ENDPOINT"));
}

#[test]
fn a_missing_token_is_reported() {
    let error = without_token(TokenError {
        is_transient: false,
        reason: "HTTP 400".to_owned(),
        source: None,
    });
    assert_eq!(error.to_string(), "no token for Azure Monitor: HTTP 400");
    assert!(hint(&error).unwrap().contains("AZURE_CLIENT_ID"));
}
