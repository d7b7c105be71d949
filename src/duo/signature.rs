//! Signs Admin API requests.
//!
//! <https://duo.com/docs/adminapi#authentication>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::Hmac;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;
use sha2::{Digest as _, Sha512};

use crate::model::hmac;
use crate::settings::{Credentials, SignatureVersion};

/// All but the unreserved characters of RFC 3986.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The signed `Date` header, RFC 2822.
pub(super) fn date_header(now: DateTime<Utc>) -> String {
    now.format("%a, %d %b %Y %H:%M:%S -0000").to_string()
}

/// The parameters of a GET, signed and sent: sorted by name, reserved characters encoded.
pub(super) fn canonical_query(parameters: &[(&str, &str)]) -> String {
    let mut pairs: Vec<[String; 2]> = parameters
        .iter()
        .map(|(name, value)| {
            [name, value].map(|text| utf8_percent_encode(text, ENCODED).to_string())
        })
        .collect();
    pairs.sort();
    pairs.iter().map(|pair| pair.join("=")).collect::<Vec<_>>().join("&")
}

/// The text to sign for a GET. `host` is the API hostname without a port, in lower case.
pub(super) fn text_to_sign(
    version: SignatureVersion,
    date: &str,
    host: &str,
    path: &str,
    query: &str,
) -> String {
    let mut text = format!("{date}\nGET\n{host}\n{path}\n{query}");
    if version == SignatureVersion::V5 {
        // A GET has no body and no X-Duo headers: both lines are the hash of an empty text.
        let empty = hex::encode(Sha512::digest(b""));
        text = format!("{text}\n{empty}\n{empty}");
    }
    text
}

pub(super) fn authorization(
    version: SignatureVersion,
    credentials: &Credentials,
    text: &str,
) -> String {
    let key = credentials.secret_key.expose().as_bytes();
    let signature = match version {
        SignatureVersion::V5 => hmac::<Hmac<Sha512>>(key, text),
        SignatureVersion::V2 => hmac::<Hmac<Sha1>>(key, text),
    };
    let signature = hex::encode(signature);
    format!("Basic {}", STANDARD.encode(format!("{}:{signature}", credentials.integration_key)))
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::{
        Credentials, STANDARD, SignatureVersion, authorization, canonical_query, date_header,
        text_to_sign,
    };
    use crate::model::Secret;

    /// Created with `duo_client` 5.7.0 and verified with Python's hmac.
    const VECTORS: &str = include_str!("../../tests/vectors/duo.json");

    #[derive(serde::Deserialize)]
    struct Vector {
        name: String,
        host: String,
        path: String,
        parameters: Vec<(String, String)>,
        query: String,
        v2: String,
        v5: String,
    }

    #[test]
    fn signatures_match_duos_own_client() {
        let credentials = Credentials {
            integration_key: "DIFAKEFAKEFAKEFAKE01".to_owned(),
            secret_key: Secret::new("fakefakefakefakefakefakefakefakefakefake"),
        };
        let date = "Sun, 22 Nov 2026 12:00:00 -0000";
        let vectors: Vec<Vector> = serde_json::from_str(VECTORS).unwrap();
        assert!(vectors.len() >= 6);
        for vector in vectors {
            let parameters: Vec<(&str, &str)> = vector
                .parameters
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let query = canonical_query(&parameters);
            assert_eq!(query, vector.query, "{}: line 5", vector.name);
            for (version, expected) in
                [(SignatureVersion::V2, vector.v2), (SignatureVersion::V5, vector.v5)]
            {
                let text = text_to_sign(version, date, &vector.host, &vector.path, &query);
                let header = authorization(version, &credentials, &text);
                let signed = STANDARD.decode(header.strip_prefix("Basic ").unwrap()).unwrap();
                let signed = String::from_utf8(signed).unwrap();
                assert_eq!(
                    signed,
                    format!("DIFAKEFAKEFAKEFAKE01:{expected}"),
                    "{}: {version:?}",
                    vector.name
                );
            }
        }
    }

    #[test]
    fn dates_are_in_english_and_zero_padded() {
        let date = chrono::DateTime::from_timestamp(1_772_409_845, 0).unwrap();
        assert_eq!(date_header(date), "Mon, 02 Mar 2026 00:04:05 -0000");
    }
}
