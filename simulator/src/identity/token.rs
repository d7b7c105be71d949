//! Bearer tokens, issued here and checked by the Logs Ingestion API.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::random::Random;

/// Issues and verifies tokens.
///
/// They look like Entra's (three parts, claims in the middle) but are signed with a random key, so
/// that no other process can forge them.
#[derive(Debug)]
pub(crate) struct Tokens {
    key: [u8; 8],
    issued: AtomicU64,
    /// Tokens with a smaller number were revoked.
    first_valid: AtomicU64,
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenError {
    /// The token was not issued here, or was modified.
    Unknown,
    /// The token has expired.
    Expired,
    /// The token was revoked.
    Revoked,
    /// The token is for another service.
    Audience,
}

impl Tokens {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            key: Random::new(seed, 0x70CE, 0).next().to_le_bytes(),
            issued: AtomicU64::new(0),
            first_valid: AtomicU64::new(0),
        }
    }

    /// A token of `client_id` for `audience`, valid until `expires` (Unix seconds).
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

    /// Revokes every token issued so far.
    pub(crate) fn revoke(&self) {
        let issued = self.issued.load(Ordering::SeqCst);
        self.first_valid.store(issued, Ordering::SeqCst);
    }

    /// Checks that the token is valid for `audience` now.
    pub(crate) fn check(
        &self,
        token: &str,
        audience: &str,
        now: DateTime<Utc>,
    ) -> Result<(), TokenError> {
        let claims = self.claims(token).ok_or(TokenError::Unknown)?;
        let number = |name: &str| claims[name].as_i64().unwrap_or(0);
        if number("exp") <= now.timestamp() {
            return Err(TokenError::Expired);
        }
        let first_valid = self.first_valid.load(Ordering::SeqCst);
        if claims["uti"].as_u64() < Some(first_valid) {
            return Err(TokenError::Revoked);
        }
        // Azure Monitor ignores a trailing slash of the audience.
        let claimed = claims["aud"].as_str().unwrap_or_default();
        if claimed.trim_end_matches('/') != audience.trim_end_matches('/') {
            return Err(TokenError::Audience);
        }
        Ok(())
    }

    /// The claims of a token issued here.
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
