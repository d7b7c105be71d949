//! Shared access signatures, with code that the product does not share.
//!
//! <https://learn.microsoft.com/rest/api/storageservices/create-account-sas>

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{TimeDelta, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use url::form_urlencoded::Serializer;

/// A signature of the account for blobs, valid for one day, with permissions such as `rwdlac`.
pub(crate) fn account_signature(account: &str, key: &str, permissions: &str) -> String {
    const VERSION: &str = "2023-11-03";
    #[expect(clippy::disallowed_methods, reason = "a signature expires in real time")]
    let now = Utc::now();
    let expiry = (now + TimeDelta::hours(24)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let (services, resources, protocols) = ("b", "sco", "https,http");
    // Start, addresses and encryption scope stay empty; the text ends with a line break.
    let text = format!(
        "{account}\n{permissions}\n{services}\n{resources}\n\n{expiry}\n\n{protocols}\n{VERSION}\n\n"
    );
    let key = STANDARD.decode(key).expect("a key is Base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let mut query = Serializer::new(String::new());
    let signed = [("sv", VERSION), ("ss", services), ("srt", resources), ("sp", permissions)];
    query.extend_pairs(signed).extend_pairs([
        ("se", &*expiry),
        ("spr", protocols),
        ("sig", &signature),
    ]);
    query.finish()
}
