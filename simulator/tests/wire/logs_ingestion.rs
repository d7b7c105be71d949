//! Refusals, limits and losses of the Logs Ingestion API.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::StatusCode;
use serde_json::Value;
use simulator::{ColumnType, Config, LogsIngestionConfig};

use crate::caller::Caller;
use crate::tables::stream;

fn ingestion() -> LogsIngestionConfig {
    let columns = [("TimeGenerated", ColumnType::DateTime), ("eventtype_s", ColumnType::String)];
    LogsIngestionConfig { streams: vec![stream(&columns)], ..LogsIngestionConfig::default() }
}

async fn start(logs_ingestion: LogsIngestionConfig) -> Caller {
    Caller::start(Config { logs_ingestion, ..crate::tenant::config(5) }).await
}

/// The status, the code in the body and the one in the header.
async fn refusal(request: reqwest::RequestBuilder) -> (u16, String, String) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let header = response.headers().get("x-ms-error-code").cloned();
    let header = header.map_or(String::new(), |code| code.to_str().unwrap().to_owned());
    let text = response.text().await.unwrap();
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    assert!(body["error"]["message"].is_string(), "{status} {text}");
    let code = body["error"]["code"].as_str().unwrap().to_owned();
    (status, code, header)
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn invalid_requests_get_the_error_codes_of_azure() {
    let caller = start(ingestion()).await;
    let token = caller.token().await;
    let at = |path: &str, body: &str| caller.ingest_at(path, &token, body);
    let rule = "/dataCollectionRules/dcr-00112233445566778899aabbccddeeff";
    let version = "api-version=2023-01-01";
    let good = format!("{rule}/streams/Custom-CiscoDuo?{version}");
    let bad = [
        (at(&good, "{}"), 400),
        (at(&good, "[1]"), 400),
        (at(&good, "[{}"), 400),
        (at(&good, "[{}] x"), 400),
        (at(&good, ""), 400),
        (at(&good, "[{\"a\":nul}]"), 400),
        (at(&good, "[{}]").body(b"[{\"a\":\"\xff\"}]".to_vec()), 400),
        (at(&good, "[{}]").header("content-encoding", "gzip"), 400),
        (at(&good, "[{}]").header("content-encoding", "br"), 400),
        (at(&format!("{rule}/streams/Custom-CiscoDuo"), "[]"), 400),
        (at(&good.replace("2023-01-01", "2016-04-01"), "[]"), 400),
        (at(&good.replace("dcr-00", "dcr-99"), "[]"), 404),
        (at(&good.replace("Custom-", ""), "[]"), 404),
        (at(&good.replace("Custom-CiscoDuo", "Custom-CiscoDuo_CL"), "[]"), 404),
        (at(&good.replace("streams", "stream"), "[]"), 404),
    ];
    for (number, (request, status)) in bad.into_iter().enumerate() {
        let (found, code, header) = refusal(request).await;
        assert_eq!(found, status, "case {number}");
        assert_eq!(code, header, "case {number}");
    }
    let mut without_type = caller.ingest(&token, "[]").build().unwrap();
    without_type.headers_mut().remove("content-type");
    let response = caller.execute(without_type).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    assert_eq!(caller.simulator.counts().logs_ingestion.accepted, 0);
}

#[tokio::test]
async fn a_request_above_one_mebibyte_of_json_is_refused_compressed_or_not() {
    let row = |length: usize| format!("[{{\"eventtype_s\":\"{}\"}}]", "x".repeat(length - 20));
    assert_eq!(row(1_048_576).len(), 1_048_576);
    let caller = start(ingestion()).await;
    let token = caller.token().await;
    let response = caller.ingest(&token, &row(1_048_576)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    let large = row(1_048_577);
    let packed = |caller: &Caller, token: &str| {
        let request = caller.ingest(token, "").body(gzip(&large));
        request.header("content-encoding", "gzip")
    };
    for request in [caller.ingest(&token, &large), packed(&caller, &token)] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
        let body: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(body["error"]["code"], "ContentLengthLimitExceeded");
        let message = body["error"]["message"].as_str().unwrap();
        assert!(message.contains("Maximum allowed content length: 1048576 bytes (1 MB)."));
        assert!(message.contains("Provided content length: 1048577"), "{message}");
    }
    // A single value exceeds the limit of a column.
    let counts = caller.simulator.counts().logs_ingestion;
    assert_eq!((counts.largest, counts.values_cut), (1_048_576, 1));
}

#[tokio::test]
async fn gzip_can_be_refused() {
    let caller = start(LogsIngestionConfig { gzip: false, ..ingestion() }).await;
    let token = caller.token().await;
    let request = caller.ingest(&token, "").body(gzip("[{}]"));
    let request = request.header("content-encoding", "gzip");
    assert_eq!(refusal(request).await.0, 501);
}
