//! Secrets and signatures.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// A secret key, connection string or signature. `Debug` prints `***`; there is no `Display`.
#[derive(Clone, PartialEq, Eq, derive_more::Debug)]
#[debug("***")]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The plain text, for signing and sending only.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// The HMAC of a text, with the hash function of `M`.
pub(crate) fn hmac<M: Mac + KeyInit>(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = M::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// Signs a text with a base64-encoded shared key of Azure.
pub(crate) fn azure_signature(shared_key: &Secret, text: &str) -> String {
    let key = STANDARD.decode(shared_key.expose());
    let key = key.expect("the settings validate the key");
    STANDARD.encode(hmac::<Hmac<Sha256>>(&key, text))
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_never_shows_the_secret() {
        let shown = format!("{:?} {:#?}", Secret::new("hunter2"), Some(Secret::new("hunter2")));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
