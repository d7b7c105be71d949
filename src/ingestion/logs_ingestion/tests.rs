use reqwest::header::{HeaderMap, HeaderValue};

use super::{code, fault, without_token};
use crate::ingestion::SinkError;
use crate::ingestion::token::TokenFault;
use crate::model::IngestionApi;
use crate::sync::SendFault;

#[test]
fn answers_mean_what_the_documentation_says() {
    let fault = |status| fault(status, None);
    assert_eq!(fault(400), SendFault::BadRecord);
    assert_eq!(fault(401), SendFault::Credentials);
    assert_eq!(fault(403), SendFault::Credentials);
    assert_eq!(fault(404), SendFault::Fatal);
    assert_eq!(fault(413), SendFault::TooLarge);
    assert_eq!(fault(429), SendFault::Throttled { retry_after: None });
    for passing in [408, 500, 502, 503, 504] {
        assert_eq!(fault(passing), SendFault::Unreachable, "{passing}");
    }
    assert_eq!(fault(301), SendFault::Fatal);
    assert_eq!(fault(501), SendFault::Fatal);
}

#[test]
fn the_wait_that_the_service_asks_for_is_told() {
    let asked = SendFault::Throttled {
        retry_after: Some(7000),
    };
    assert_eq!(fault(429, Some(7000)), asked);
}

const LONGEST: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
const TOO_LONG: &str = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

#[test]
fn only_a_word_is_taken_as_the_services_code() {
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

fn refusal(api: IngestionApi, fault: SendFault, status: Option<u16>) -> SinkError {
    SinkError {
        api,
        fault,
        status,
        code: None,
        reason: "OperationFailed".to_owned(),
        lacks_token: false,
    }
}

#[test]
fn each_road_says_what_to_do_about_its_own_settings() {
    let cases = [
        (SendFault::Credentials, Some(401), "CISCO_DUO_CLOUD"),
        (
            SendFault::Credentials,
            Some(403),
            "Monitoring Metrics Publisher",
        ),
        (SendFault::Fatal, Some(404), "LOGS_INGESTION_RULE_ID"),
        (
            SendFault::Throttled { retry_after: None },
            Some(429),
            "12,000 calls",
        ),
        (SendFault::Fatal, Some(501), "LOGS_INGESTION_GZIP"),
        (SendFault::Unreachable, None, "LOGS_INGESTION_ENDPOINT"),
    ];
    for (fault, status, named) in cases {
        let hint = refusal(IngestionApi::LogsIngestion, fault, status)
            .hint()
            .unwrap();
        assert!(hint.contains(named), "{hint}");
        assert!(
            !hint.contains("WORKSPACE_ID") && !hint.contains("SHARED_KEY"),
            "{hint}"
        );
    }
    let of_key = refusal(
        IngestionApi::DataCollector,
        SendFault::Credentials,
        Some(403),
    );
    assert!(of_key.hint().unwrap().contains("SHARED_KEY"));
    let of_end = refusal(IngestionApi::DataCollector, SendFault::Fatal, Some(410));
    assert!(of_end.hint().unwrap().contains("LOGS_INGESTION_ENDPOINT"));
}

#[test]
fn a_missing_token_is_told_as_that() {
    let fault = without_token(TokenFault {
        fault: SendFault::Credentials,
        reason: "HTTP 400".to_owned(),
    });
    assert_eq!(fault.to_string(), "no token for Azure Monitor: HTTP 400");
    assert!(fault.hint().unwrap().contains("AZURE_CLIENT_ID"));
}
