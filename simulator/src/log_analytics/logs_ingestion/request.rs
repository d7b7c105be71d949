//! Checks of a request before its rows are parsed.

use std::io::Read as _;

use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use bytes::Bytes;
use flate2::read::MultiGzDecoder;

use super::refusal::Refusal;
use super::{LARGEST_READ, StreamDeclaration};
use crate::{LogsIngestionConfig, Shared, form};

/// Supported versions of the API.
const API_VERSIONS: [&str; 2] = ["2023-01-01", "2021-11-01-preview"];

/// The stream of the request.
pub(super) fn stream<'c>(
    parts: &Parts,
    config: &'c LogsIngestionConfig,
) -> Result<&'c StreamDeclaration, Refusal> {
    let segments: Vec<_> = parts.uri.path().split('/').collect();
    let ["", "dataCollectionRules", rule_id, "streams", stream] = segments[..] else {
        return Err(Refusal::not_found("no such address"));
    };
    if parts.method != Method::POST {
        return Err(Refusal::not_found("only POST is supported"));
    }
    if rule_id != config.rule_id {
        let message = format!("Data collection rule with immutable Id '{rule_id}' not found.");
        return Err(Refusal::not_found(message));
    }
    let declared = config.streams.iter().find(|it| it.name() == stream);
    declared.ok_or_else(|| Refusal::not_found(format!("the rule has no stream '{stream}'")))
}

/// Refuses an `api-version` that is missing or unknown.
pub(super) fn check_version(parts: &Parts) -> Result<(), Refusal> {
    let query = form::pairs(parts.uri.query().unwrap_or_default());
    match form::value(&query, "api-version") {
        None => Err(Refusal::bad_request("api-version is missing")),
        Some(version) if API_VERSIONS.contains(&version) => Ok(()),
        Some(_) => Err(Refusal::bad_request("the api-version is not known")),
    }
}

/// Refuses a request without a valid token.
pub(super) fn check_token(headers: &HeaderMap, shared: &Shared) -> Result<(), Refusal> {
    let token = text(headers, AUTHORIZATION.as_str())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(Refusal::no_token)?;
    let audience = &shared.config.logs_ingestion.audience;
    shared.tokens.check(token, audience, shared.clock.now()).map_err(Refusal::token)
}

/// The JSON body, decompressed if it was compressed.
pub(super) fn unpack(
    headers: &HeaderMap,
    sent: &Bytes,
    config: &LogsIngestionConfig,
) -> Result<Bytes, Refusal> {
    let content_type = text(headers, CONTENT_TYPE.as_str()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::bad_request("Content-Type is not application/json"));
    }
    match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None => Ok(sent.clone()),
        Some(b"gzip") if config.gzip => {
            let mut unpacked = Vec::new();
            let limit = LARGEST_READ as u64;
            MultiGzDecoder::new(&sent[..])
                .take(limit)
                .read_to_end(&mut unpacked)
                .map_err(|_| Refusal::bad_data("the body is not in gzip"))?;
            Ok(unpacked.into())
        }
        Some(b"gzip") => Err(Refusal::no_gzip()),
        Some(_) => Err(Refusal::bad_request("the Content-Encoding is not known")),
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
