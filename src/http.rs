//! The HTTP clients that every request goes through.

use std::error::Error;
use std::time::Duration;

use chrono::TimeDelta;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response, Url};

use crate::model::is_loopback;
use crate::release;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const READ_TIMEOUT: Duration = Duration::from_secs(30);

/// The HTTP clients of the process.
#[derive(Clone, Debug)]
pub struct Transport {
    /// Uses the proxy of `HTTPS_PROXY`, except for the hosts in `NO_PROXY`.
    pub(crate) outside: Client,
    /// Uses no proxy; for the identity endpoints on this machine.
    pub(crate) direct: Client,
}

impl Transport {
    /// Builds the clients. TLS is rustls with ring and the root certificates of the operating
    /// system. Redirects are never followed, because a request is signed for one host.
    ///
    /// # Errors
    ///
    /// The operating system's certificates cannot be loaded, or a proxy setting is malformed.
    pub fn new() -> reqwest::Result<Self> {
        // Fails only if a provider is already installed; that one is then used.
        rustls::crypto::ring::default_provider().install_default().ok();
        let builder = || -> ClientBuilder {
            Client::builder()
                .user_agent(format!("duo-sentinel/{}", release::VERSION))
                .redirect(Policy::none())
                .connect_timeout(CONNECT_TIMEOUT)
                .read_timeout(READ_TIMEOUT)
        };
        Ok(Self { outside: builder().build()?, direct: builder().no_proxy().build()? })
    }

    /// The client for an origin. Loopback addresses never use a proxy.
    pub fn client_for(&self, origin: &str) -> Client {
        let is_loopback = Url::parse(origin).is_ok_and(|url| is_loopback(&url));
        let client = if is_loopback { &self.direct } else { &self.outside };
        client.clone()
    }
}

/// The proxy for an origin as `host:port`, without credentials; `None` for direct requests.
pub(crate) fn proxy_for(origin: &str) -> Option<String> {
    if Url::parse(origin).is_ok_and(|url| is_loopback(&url)) {
        return None;
    }
    let proxy = Matcher::from_env().intercept(&origin.parse().ok()?)?;
    let (host, port) = (proxy.uri().host()?, proxy.uri().port_u16());
    Some(port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// A transport error and its causes in one line. Remove the URL first: it contains cursors.
pub(crate) fn transport_reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "no response in time".to_owned();
    }
    let mut reason = error.to_string();
    for cause in causes(error) {
        let text = cause.to_string();
        if !reason.contains(&text) {
            reason = format!("{reason}: {text}");
        }
    }
    reason
}

pub(crate) fn causes<'e>(
    error: &'e (dyn Error + 'static),
) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause| Error::source(*cause))
}

/// Reads a body of at most `most` bytes; `None` if it is longer.
pub(crate) async fn read_body(
    response: &mut Response,
    most: usize,
) -> reqwest::Result<Option<Vec<u8>>> {
    let declared = response.content_length().and_then(|length| usize::try_from(length).ok());
    let declared = declared.unwrap_or(0);
    if declared > most {
        return Ok(None);
    }
    let mut body = Vec::with_capacity(declared);
    while body.len() <= most {
        match response.chunk().await? {
            Some(chunk) => body.extend_from_slice(&chunk),
            None => return Ok(Some(body)),
        }
    }
    Ok(None)
}

pub(crate) fn is_html(headers: &HeaderMap) -> bool {
    names_html(headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()))
}

pub(crate) fn names_html(content_type: Option<&str>) -> bool {
    content_type.is_some_and(|content_type| content_type.to_ascii_lowercase().contains("html"))
}

/// Whether a body where JSON is expected is HTML or XML, whatever its content type says.
pub(crate) fn is_markup(body: &[u8]) -> bool {
    let text = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    text.trim_ascii_start().starts_with(b"<")
}

/// `Retry-After` in seconds; Duo and Azure Monitor are not known to send the date form.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<TimeDelta> {
    let seconds: i64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    TimeDelta::try_seconds(seconds).filter(|pause| *pause >= TimeDelta::zero())
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};

    use super::{TimeDelta, retry_after};

    #[test]
    fn retry_after_is_read_in_seconds_only() {
        let read = |value: &'static str| {
            retry_after(&HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]))
        };
        assert_eq!(read("7"), Some(TimeDelta::seconds(7)));
        assert_eq!(read("-1"), None);
        assert_eq!(read("Sun, 22 Nov 2026 12:00:00 GMT"), None);
        assert_eq!(read("9223372036854775807"), None);
    }
}
