//! The settings about Duo.

use super::Start;
use super::reader::Reader;
use crate::duo::{Credentials, Endpoint, SignatureVersion};
use crate::model::{LogType, Millis, Secret};

const HOSTNAME: &str = "CISCO_DUO_API_HOSTNAME";

pub(super) fn credentials(reader: &mut Reader<'_>) -> Option<Credentials> {
    let integration_key = reader.required(
        "CISCO_DUO_INTEGRATION_KEY",
        "copy the integration key of the Admin API application in the Duo Admin Panel",
    );
    let secret_key = reader.required(
        "CISCO_DUO_SECRET_KEY",
        "copy the secret key of the Admin API application in the Duo Admin Panel",
    );
    Some(Credentials {
        integration_key: integration_key?.to_owned(),
        secret_key: Secret::new(secret_key?),
    })
}

pub(super) fn signature(reader: &mut Reader<'_>) -> SignatureVersion {
    let choices = [("v5", SignatureVersion::V5), ("v2", SignatureVersion::V2)];
    reader.choice("CISCO_DUO_SIGNATURE", &choices, SignatureVersion::V5)
}

/// Forgives what is commonly pasted: a scheme, a path, capitals, a final dot.
pub(super) fn endpoint(reader: &mut Reader<'_>) -> Option<Endpoint> {
    let text = reader.required(
        HOSTNAME,
        "copy the API hostname of the Admin API application",
    )?;
    let lower = text.to_ascii_lowercase();
    if let Some(loopback) = crate::http::loopback(&lower) {
        let host = loopback
            .host_str()
            .expect("a loopback URL has a host")
            .to_owned();
        return Some(Endpoint {
            origin: super::sink::origin(&loopback),
            host,
        });
    }
    let bare = lower
        .strip_prefix("https://")
        .or_else(|| lower.strip_prefix("http://"))
        .unwrap_or(&lower);
    let host = bare
        .split(['/', '?', '#'])
        .next()
        .unwrap_or_default()
        .trim_end_matches('.');
    if host.starts_with("admin-") || host.starts_with("sso-") {
        reader.fault(
            HOSTNAME,
            format!("\"{host}\" is a page for people; the API hostname of the same account begins with api-"),
        );
        return None;
    }
    if host.starts_with("api-xxxxxxxx.") {
        reader.fault(
            HOSTNAME,
            "is still the example; copy the API hostname of the Admin API application",
        );
        return None;
    }
    let account = host
        .strip_suffix(".duosecurity.com")
        .or_else(|| host.strip_suffix(".duofederal.com"))
        .and_then(|name| name.strip_prefix("api-"));
    match account {
        Some(account)
            if !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
        {
            Some(Endpoint {
                origin: format!("https://{host}"),
                host: host.to_owned(),
            })
        }
        _ => {
            reader.fault(
                HOSTNAME,
                format!("\"{host}\" is not of the form api-XXXXXXXX.duosecurity.com or api-XXXXXXXX.duofederal.com"),
            );
            None
        }
    }
}

pub(super) fn log_types(reader: &mut Reader<'_>) -> Vec<LogType> {
    const NAME: &str = "CISCO_DUO_LOG_TYPES";
    let Some(text) = reader.optional(NAME) else {
        return LogType::ALL.to_vec();
    };
    let mut log_types = Vec::new();
    for name in text
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
    {
        match name.to_ascii_lowercase().parse() {
            Ok(log_type) if log_types.contains(&log_type) => {}
            Ok(log_type) => log_types.push(log_type),
            Err(_) => {
                reader.fault(
                    NAME,
                    format!(
                        "\"{name}\" is not a Duo log; use any of {}",
                        LogType::names()
                    ),
                );
            }
        }
    }
    if log_types.is_empty() && !text.contains(|char: char| char.is_alphanumeric()) {
        reader.fault(
            NAME,
            format!("names no log; use any of {}", LogType::names()),
        );
    }
    log_types
}

pub(super) fn start(reader: &mut Reader<'_>) -> Start {
    const NAME: &str = "CISCO_DUO_START";
    let mut start = Start::default();
    let Some(text) = reader.optional(NAME) else {
        return start;
    };
    for part in text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
    {
        let (name, time) = match part.split_once('=') {
            Some((name, time)) => (Some(name.trim()), time.trim()),
            None => (None, part),
        };
        let Some(time) = moment(time) else {
            reader.fault(
                NAME,
                format!("\"{time}\" is not a time; use 2026-11-22T12:00:00Z, or Unix seconds or milliseconds"),
            );
            continue;
        };
        match name.map(|name| name.to_ascii_lowercase().parse::<LogType>()) {
            None => start.all = Some(time),
            Some(Ok(log_type)) => {
                start.each.insert(log_type, time);
            }
            Some(Err(unknown)) => {
                reader.fault(NAME, format!("{unknown}; use any of {}", LogType::names()));
            }
        }
    }
    start
}

/// RFC 3339, or the Unix seconds or milliseconds in which other connectors store their place.
fn moment(text: &str) -> Option<Millis> {
    match text.len() {
        10 if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().ok().map(Millis::from_seconds)
        }
        13 if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok().map(Millis),
        _ => Millis::parse(text),
    }
}
