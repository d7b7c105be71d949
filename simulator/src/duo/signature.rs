//! Who asks: Basic authentication with an HMAC of the request as password.
//!
//! <https://duo.com/docs/adminapi#authentication>. The string that was signed is rebuilt from the
//! decoded parameters, for clients may send them in another order or spelling than they signed.

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, DATE, HOST};
use axum::http::request::Parts;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha512};

use super::answer::Refusal;
use super::parameters::Parameters;
use crate::Config;
use crate::clock::parse_date;

/// A date may be off by this much; the true figure is not documented.
const WINDOW_SECONDS: i64 = 5 * 60;

const MISSING: Refusal = Refusal::new(40_101, "Missing request credentials");
const UNKNOWN_KEY: Refusal = Refusal::new(40_102, "Invalid integration key in request credentials");
const INVALID: Refusal = Refusal::new(40_103, "Invalid signature in request credentials");
const NO_DATE: Refusal = Refusal::new(40_104, "Missing request timestamp");
const BAD_DATE: Refusal = Refusal::new(40_105, "Bad request timestamp");

/// Refuses a request that was not signed with the secret key just now.
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
    let signed = [config.signed_host.as_str(), own_host]
        .into_iter()
        .any(|host| {
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
        let v5 = [
            &v2,
            &sha512(self.body),
            &sha512(self.duo_headers.as_bytes()),
        ]
        .map(String::as_str)
        .join("\n");
        let sha1 = hmac::<Hmac<Sha1>>(secret_key, &v2);
        [
            sha1,
            hmac::<Hmac<Sha512>>(secret_key, &v2),
            hmac::<Hmac<Sha512>>(secret_key, &v5),
        ]
    }
}

fn hmac<M: Mac + KeyInit>(key: &[u8], text: &str) -> String {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    hexadecimal(&mac.finalize().into_bytes())
}

fn sha512(bytes: &[u8]) -> String {
    hexadecimal(&Sha512::digest(bytes))
}

fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"fakefakefakefakefakefakefakefakefakefake";
    const DATE: &str = "Sun, 22 Nov 2026 12:00:00 -0000";
    const TIMES: &str = "maxtime=1795348920000&mintime=1795348800000";

    fn sign(host: &str, path: &str, query: &str, duo_headers: &str) -> [String; 3] {
        let request = Request {
            date: DATE,
            method: "get",
            host,
            path,
            body: b"",
            duo_headers,
        };
        let canonical = Parameters::of_query(query).canonical_forms();
        request.signatures(&canonical[0], SECRET)
    }

    /// Vectors made with `duo_client` 5.7.0 and checked with another HMAC (facts sheet, section 1).
    #[test]
    fn the_official_client_s_signatures_come_out() {
        let host = "api-00000000.duosecurity.com";
        let log = "/admin/v2/logs/authentication";
        // A, its parameters in the order in which Python sends them
        let query = "mintime=1795348800000&maxtime=1795348920000&limit=1000&sort=ts%3Aasc";
        let [sha1, sha512, v5] = sign(host, log, query, "");
        assert_eq!(sha1, "4278d1f882f8d3b31240d1566f04079a6c545894");
        assert_eq!(
            sha512,
            "23119ad95bdda81281f21526c784b4045c8a87d5dcc9938ec55885a79456ead88b70344146fa751e61a22063d14267f370dde419df8236b412c8ae6888e29f01"
        );
        assert_eq!(
            v5,
            "e201b7ec89ff0778f7df99531f872cb0950e505f5e9d4ea775f62b4e11b8df043762e48bccf037a87101b15323eb8d9cc61041bfceb5b763cbf6367b17ae20d4"
        );
        // B, with a cursor and a host in capitals
        let query =
            format!("{query}&next_offset=1795348861234,00000000-1111-2222-3333-444444444444");
        let [sha1, _, v5] = sign("API-00000000.DuoSecurity.com", log, &query, "");
        assert_eq!(sha1, "6ed32689ade889104dc044b0fbe312f756882497");
        assert_eq!(
            v5,
            "5e67c99df0abbf34d3de8672fbb05eb887a5862c121594371bec318402f4699347c12587f6680e1b725d0c568034fc5a47d9699b30bbf0444abd8aead98ae0aa"
        );
        // C
        let [sha1, _, v5] = sign(
            host,
            "/admin/v1/logs/administrator",
            "mintime=1795348800",
            "",
        );
        assert_eq!(sha1, "8a6f26e853db97582a22168e890e859b9df333e0");
        assert_eq!(
            v5,
            "dd888f3ae60a1d32795b6368468b895a14b7e744337ed55bc82513cd0c60a8cf0792ac47cc31cf2b7ca948fa739aa0d94768053ab2c932ef7fb69a8dbf11a710"
        );
        // D, a child account
        let query = format!("{TIMES}&limit=1000&sort=ts:asc&account_id=DAFAKEFAKEFAKEFAKE02");
        let [sha1, _, v5] = sign(
            "api-11111111.duofederal.com",
            "/admin/v2/logs/activity",
            &query,
            "",
        );
        assert_eq!(sha1, "acfc34d5b44be58777fe45ad710c88961dae5e94");
        assert_eq!(
            v5,
            "33bee2ec3a35f6b2da99b4a34a1324f2a14b153762b77f85e98d49f0935120ab5ad06fe587c565838b9527a5a3229c0e8b03f7c93637675b26c09e2e2ff0d56d"
        );
        // E, nothing to say
        let [sha1, _, v5] = sign(host, "/admin/v1/info/summary", "", "");
        assert_eq!(sha1, "191ce2e6104be0b473a3cf662652cc085b5ceb2d");
        assert_eq!(
            v5,
            "24fc4fd3b59b06e4569e0d0a9c7cbd749f8517e33847758ede16a67ac41bf89e70db28d812985cef9a5cd7738ab9fd0920d28ac684784f8a6aac4e8563b7249b"
        );
        // G, every kind of character, with the plus sign for a blank
        let query = "username=a~b+c%2Bd%2F%C3%A9%40x%27y*z_(.)-!";
        let [sha1, _, v5] = sign(host, "/admin/v1/users", query, "");
        assert_eq!(sha1, "ea3b089d794b8607898111fd5a7891505915db1b");
        assert_eq!(
            v5,
            "e9d398273c71d8737e0d20c1e6fd24a682b192ff96375d8127afd2832d8885fab09870537c030a1334ffd62bf7739648075e7aec041758c1eb53a64c24f52800"
        );
        // H
        let query = format!("{TIMES}&limit=200&offset=31229");
        let [sha1, _, v5] = sign(host, "/admin/v1/trust_monitor/events", &query, "");
        assert_eq!(sha1, "acd19ddf8f64dab747205c15a8f5056d7a5df2a6");
        assert_eq!(
            v5,
            "af3ba60a4156b1eae22f593fb235e2ac5b08708609e776ac7273fcb606c2101407a72b97b3664f273752e35221edd13f25991d404be27fe3a5360c9b3c15863d"
        );
        // I, the date in a header of Duo's own
        let mut headers = HeaderMap::new();
        headers.insert("x-duo-date", DATE.parse().unwrap());
        let query = format!("{TIMES}&limit=1000&sort=ts:asc");
        let [_, _, v5] = sign(
            host,
            "/admin/v2/logs/telephony",
            &query,
            &duo_headers(&headers),
        );
        assert_eq!(
            v5,
            "77cd377dbf8e41155863312826eb43f467f6f0d42642a66e0235e7e2fe189c2770e48be6e2277abcd646884f4e73e09a8ec46ef81a8ffe9f2585747c1eb5da3b"
        );
    }
}
