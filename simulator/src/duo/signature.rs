//! Authentication: HTTP Basic with an HMAC of the request as password.
//!
//! <https://duo.com/docs/adminapi#authentication>. The signed string is rebuilt from the decoded
//! parameters, because clients may send them in another order or encoding than they signed.

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, DATE, HOST};
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha512};

use super::parameters::Parameters;
use super::response::Refusal;
use crate::Config;
use crate::clock::parse_date;

/// Allowed difference of the date in seconds; the true limit is not documented.
const WINDOW_SECONDS: i64 = 5 * 60;

const MISSING: Refusal = Refusal::new(40_101, "Missing request credentials");
const UNKNOWN_KEY: Refusal = Refusal::new(40_102, "Invalid integration key in request credentials");
const INVALID: Refusal = Refusal::new(40_103, "Invalid signature in request credentials");
const NO_DATE: Refusal = Refusal::new(40_104, "Missing request timestamp");
const BAD_DATE: Refusal = Refusal::new(40_105, "Bad request timestamp");

/// Refuses a request that is not signed with the secret key, or whose date is not current.
pub(super) fn check(
    parts: &Parts,
    parameters: &Parameters,
    body: &[u8],
    config: &Config,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let (integration_key, signature) = credentials(&parts.headers).ok_or(MISSING)?;
    if integration_key != config.integration_key {
        return Err(UNKNOWN_KEY);
    }
    let date = text(&parts.headers, "x-duo-date")
        .or_else(|| text(&parts.headers, DATE.as_str()))
        .ok_or(NO_DATE)?;
    let time = parse_date(date).ok_or(NO_DATE)?;
    if (now - time).num_seconds().abs() > WINDOW_SECONDS {
        return Err(BAD_DATE);
    }
    let own_host = text(&parts.headers, HOST.as_str()).unwrap_or_default();
    let own_host = own_host.rsplit_once(':').map_or(own_host, |(name, _)| name);
    let signed = [config.signed_host.as_str(), own_host].into_iter().any(|host| {
        let request = Request {
            date,
            method: parts.method.as_str(),
            host,
            path: parts.uri.path(),
            body,
            duo_headers: &duo_headers(&parts.headers),
        };
        parameters.canonical_forms().iter().any(|line| {
            let accepted = request.signatures(line, config.secret_key.as_bytes());
            accepted.contains(&signature.to_ascii_lowercase())
        })
    });
    if signed { Ok(()) } else { Err(INVALID) }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let encoded = text(headers, AUTHORIZATION.as_str())?.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (integration_key, signature) = decoded.split_once(':')?;
    Some((integration_key.to_owned(), signature.to_owned()))
}

/// The `X-Duo-*` headers as they are signed: names in lower case and sorted, all joined by NUL.
fn duo_headers(headers: &HeaderMap) -> String {
    let mut pairs: Vec<_> = headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("x-duo-"))
        .map(|(name, value)| [name.as_str(), value.to_str().unwrap_or_default()])
        .collect();
    pairs.sort_unstable();
    pairs.concat().join("\0")
}

/// The parts of a request that are signed besides the parameters.
struct Request<'a> {
    date: &'a str,
    method: &'a str,
    host: &'a str,
    path: &'a str,
    body: &'a [u8],
    duo_headers: &'a str,
}

impl Request<'_> {
    /// The signatures that are accepted: v2 with SHA-1, v2 with SHA-512, v5; lower-case hex.
    fn signatures(&self, parameters: &str, secret_key: &[u8]) -> [String; 3] {
        let method = self.method.to_ascii_uppercase();
        let host = self.host.to_ascii_lowercase();
        let v2 = [self.date, &method, &host, self.path, parameters].join("\n");
        let v5 = [&v2, &sha512(self.body), &sha512(self.duo_headers.as_bytes())]
            .map(String::as_str)
            .join("\n");
        let sha1 = hmac::<Hmac<Sha1>>(secret_key, &v2);
        [sha1, hmac::<Hmac<Sha512>>(secret_key, &v2), hmac::<Hmac<Sha512>>(secret_key, &v5)]
    }
}

fn hmac<M: Mac + KeyInit>(key: &[u8], text: &str) -> String {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

fn sha512(bytes: &[u8]) -> String {
    hex::encode(Sha512::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vectors generated with `duo_client` 5.7.0 and checked with another HMAC implementation.
    #[test]
    fn signatures_match_those_of_the_official_client() {
        let vectors = include_str!("../../../tests/vectors/duo.json");
        let vectors: Vec<serde_json::Value> = serde_json::from_str(vectors).unwrap();
        assert!(vectors.len() > 5);
        for vector in vectors {
            let text = |name: &str| vector[name].as_str().unwrap();
            let request = Request {
                date: "Sun, 22 Nov 2026 12:00:00 -0000",
                method: "get",
                host: text("host"),
                path: text("path"),
                body: b"",
                duo_headers: "",
            };
            let [canonical, _] = Parameters::of_query(text("query")).canonical_forms();
            let secret = b"fakefakefakefakefakefakefakefakefakefake";
            let [sha1, _, sha512] = request.signatures(&canonical, secret);
            assert_eq!((&*sha1, &*sha512), (text("v2"), text("v5")), "{}", text("name"));
        }
    }
}
