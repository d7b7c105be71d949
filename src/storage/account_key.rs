//! Signs requests to Blob Storage with an account key, which the storage crate does not support.
//!
//! <https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key>

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::http::headers::HeaderName;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Request};
use chrono::Utc;

use crate::model::{Secret, azure_signature};

/// Signs each try of a request, because the signature includes the date.
#[derive(Debug)]
pub(super) struct AccountKeyPolicy {
    account: String,
    key: Secret,
}

/// Signed headers, in order; `date` stays empty because `x-ms-date` is sent.
const SIGNED_HEADERS: [&str; 11] = [
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "date",
    "if-modified-since",
    "if-match",
    "if-none-match",
    "if-unmodified-since",
    "range",
];

impl AccountKeyPolicy {
    pub(super) fn new(account: String, key: Secret) -> Self {
        Self { account, key }
    }

    fn text_to_sign(&self, request: &Request) -> String {
        let header = |name: &'static str| {
            request.headers().get_optional_str(&HeaderName::from_static(name)).unwrap_or_default()
        };
        let mut lines = vec![request.method().to_string()];
        lines.extend(SIGNED_HEADERS.map(|name| match (name, header(name)) {
            ("content-length", "0") | ("date", _) => String::new(),
            (_, value) => value.to_owned(),
        }));
        let mut ms_headers: Vec<String> = request
            .headers()
            .iter()
            .filter(|(name, _)| name.as_str().starts_with("x-ms-"))
            .map(|(name, value)| format!("{}:{}", name.as_str(), value.as_str().trim()))
            .collect();
        ms_headers.sort();
        lines.extend(ms_headers);
        lines.push(format!("/{}{}", self.account, request.url().path()));
        let mut query: Vec<String> = request
            .url()
            .query_pairs()
            .map(|(name, value)| format!("{}:{value}", name.to_ascii_lowercase()))
            .collect();
        query.sort();
        lines.extend(query);
        lines.join("\n")
    }
}

#[async_trait]
impl Policy for AccountKeyPolicy {
    async fn send(
        &self,
        context: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        #[expect(
            clippy::disallowed_methods,
            reason = "each try needs the current date, inside the storage crate's retries"
        )]
        let now = Utc::now();
        let date = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        request.insert_header("x-ms-date", date);
        // The length must be signed. It is known here for requests with a body.
        if let Some(length) = request.body().len().filter(|length| *length > 0) {
            request.insert_header("content-length", length.to_string());
        }
        let signature = azure_signature(&self.key, &self.text_to_sign(request));
        request.insert_header("authorization", format!("SharedKey {}:{signature}", self.account));
        next[0].send(context, request, &next[1..]).await
    }
}
