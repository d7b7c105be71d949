use super::catalog::{API_HOSTNAME, INTEGRATION_KEY, LOG_TYPES, SECRET_KEY};
use super::reader::{Reader, parts};
use crate::model::{LogType, Secret, loopback};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Scheme, host and port, without a path: `https://api-XXXXXXXX.duosecurity.com`.
    pub(crate) origin: String,
    /// The signed host name: without a port, in lower case.
    pub(crate) host: String,
}

#[derive(Clone, Debug)]
pub struct Credentials {
    pub(crate) integration_key: String,
    /// The HMAC key, as UTF-8 bytes.
    pub(crate) secret_key: Secret,
}

/// Version of the request signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignatureVersion {
    /// Seven lines, HMAC-SHA512: used by Duo's current clients.
    #[default]
    V5,
    /// Five lines, HMAC-SHA1: described in the published documentation.
    V2,
}

pub(super) fn credentials(reader: &mut Reader<'_>) -> Option<Credentials> {
    let integration_key = reader.required(INTEGRATION_KEY);
    let secret_key = reader.required(SECRET_KEY);
    Some(Credentials {
        integration_key: integration_key?.to_owned(),
        secret_key: Secret::new(secret_key?),
    })
}

/// Accepts common variants: a scheme, a path, capitals, a final dot.
pub(super) fn endpoint(reader: &mut Reader<'_>) -> Option<Endpoint> {
    let lower = reader.required(API_HOSTNAME)?.to_ascii_lowercase();
    if let Some(url) = loopback(&lower) {
        let host = url.host_str().expect("a loopback URL has a host");
        return Some(Endpoint {
            origin: url.origin().ascii_serialization(),
            host: host.to_owned(),
        });
    }
    let bare = lower.strip_prefix("https://");
    let bare = bare.or_else(|| lower.strip_prefix("http://"));
    let host = bare.unwrap_or(&lower).split(['/', '?', '#']).next();
    let host = host.unwrap_or_default().trim_end_matches('.');
    let is_example = host.starts_with("api-xxxxxxxx.");
    let account = host
        .strip_suffix(".duosecurity.com")
        .or_else(|| host.strip_suffix(".duofederal.com"))
        .and_then(|name| name.strip_prefix("api-"))
        .filter(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let problem = if host.starts_with("admin-") || host.starts_with("sso-") {
        format!(
            "\"{host}\" is not an API hostname; use the one of the Admin API application, which begins with api-"
        )
    } else if is_example {
        "is still the example; copy the API hostname of the Admin API application".to_owned()
    } else {
        format!(
            "\"{host}\" is not of the form api-XXXXXXXX.duosecurity.com or api-XXXXXXXX.duofederal.com"
        )
    };
    reader.valid(API_HOSTNAME, account.filter(|_| !is_example), problem)?;
    Some(Endpoint { origin: format!("https://{host}"), host: host.to_owned() })
}

pub(super) fn log_types(reader: &mut Reader<'_>) -> Vec<LogType> {
    let Some(text) = reader.optional(LOG_TYPES) else {
        return LogType::ALL.to_vec();
    };
    let mut log_types = Vec::new();
    for name in parts(text, ',') {
        match LogType::named(name) {
            Ok(log_type) if log_types.contains(&log_type) => {}
            Ok(log_type) => log_types.push(log_type),
            Err(problem) => reader.error(LOG_TYPES, problem),
        }
    }
    if log_types.is_empty() && !text.contains(char::is_alphanumeric) {
        let problem = format!("names no log; use any of {}", LogType::names());
        reader.error(LOG_TYPES, problem);
    }
    log_types
}
