//! Bearer tokens: issued here, checked by the Logs Ingestion API.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::random::Random;

/// Issues tokens and knows its own.
///
/// They look like Entra's (three parts, claims in the middle) but are signed with a key of this run,
/// so that nobody else can make one.
#[derive(Debug)]
pub(crate) struct Tokens {
    key: [u8; 8],
    issued: AtomicU64,
    /// Tokens with a smaller number are not good any more.
    first_good: AtomicU64,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenFault {
    /// It was not issued here, or was changed since.
    Unknown,
    /// Its time is over.
    Expired,
    /// It was withdrawn before its time.
    Withdrawn,
    /// It is made out to another service.
    Audience,
}

impl Tokens {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            key: Random::new(seed, 0x70CE, 0).next().to_le_bytes(),
            issued: AtomicU64::new(0),
            first_good: AtomicU64::new(0),
        }
    }

    /// A token for `client_id` to be shown to `audience`, good until `expires` (Unix seconds).
    pub(super) fn issue(
        &self,
        audience: &str,
        client_id: &str,
        tenant_id: &str,
        now: DateTime<Utc>,
        expires: i64,
    ) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"typ": "JWT", "alg": "HS256"});
        let claims = json!({
            "aud": audience,
            "iss": format!("https://sts.windows.net/{tenant_id}/"),
            "iat": now.timestamp(),
            "nbf": now.timestamp(),
            "exp": expires,
            "appid": client_id,
            "tid": tenant_id,
            "uti": self.issued.fetch_add(1, Ordering::SeqCst),
        });
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = URL_SAFE_NO_PAD.encode(self.signature(&signed));
        format!("{signed}.{signature}")
    }

    /// Withdraws every token issued so far.
    pub(crate) fn withdraw(&self) {
        let issued = self.issued.load(Ordering::SeqCst);
        self.first_good.store(issued, Ordering::SeqCst);
    }

    /// Whether the token may be shown to `audience` now.
    pub(crate) fn check(
        &self,
        token: &str,
        audience: &str,
        now: DateTime<Utc>,
    ) -> Result<(), TokenFault> {
        let claims = self.claims(token).ok_or(TokenFault::Unknown)?;
        let number = |name: &str| claims[name].as_i64().unwrap_or(0);
        if number("exp") <= now.timestamp() {
            return Err(TokenFault::Expired);
        }
        let first_good = self.first_good.load(Ordering::SeqCst);
        if claims["uti"].as_u64() < Some(first_good) {
            return Err(TokenFault::Withdrawn);
        }
        // A slash at the end is the same audience to Azure Monitor.
        let claimed = claims["aud"].as_str().unwrap_or_default();
        if claimed.trim_end_matches('/') != audience.trim_end_matches('/') {
            return Err(TokenFault::Audience);
        }
        Ok(())
    }

    /// What a token of ours says.
    fn claims(&self, token: &str) -> Option<Value> {
        let (signed, signature) = token.rsplit_once('.')?;
        let expected = URL_SAFE_NO_PAD.encode(self.signature(signed));
        let (_, claims) = signed.split_once('.')?;
        if signature != expected {
            return None;
        }
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
    }

    fn signature(&self, signed: &str) -> Vec<u8> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes a key of any length");
        mac.update(signed.as_bytes());
        mac.finalize().into_bytes().to_vec()
    }
}
